import { describe, expect, it } from 'vitest';
import type { MessagePortLike } from '../contract';
import { inPieces, type TabMessage, TabPorts } from './tabPorts';
import type { UplinkMessage } from './uplink';

/** A port whose messages arrive when the test says so. */
function slowPorts() {
  const queues: unknown[][] = [[], []];
  const ends = [0, 1].map((n): MessagePortLike => {
    return { postMessage: (message) => void queues[n]!.push(message), onmessage: null, close: () => {} };
  });
  const arrive = (from: 0 | 1) => {
    for (const data of queues[from]!.splice(0)) ends[1 - from]!.onmessage?.({ data });
  };
  return { ends, arrive };
}

function twoTabs() {
  const heard: UplinkMessage[] = [];
  const one = new TabPorts('1', () => {});
  const two = new TabPorts('2', (message) => heard.push(message));
  const { ends, arrive } = slowPorts();
  one.connect('2', ends[0]!);
  two.connect('1', ends[1]!);
  return { one, two, heard, arrive };
}

const data = (value: number, to = '2'): UplinkMessage => ({
  type: 'data',
  name: 'pipe',
  from: '1',
  to,
  bytes: Uint8Array.of(value),
});
const end: TabMessage = { type: 'end', name: 'pipe', from: '1' };

describe('ports between tabs', () => {
  it('carry the bytes of a pipe, and everything keeps its order', () => {
    const { one, two, heard, arrive } = twoTabs();
    arrive(1);
    const said = [one.send(data(1))!, one.send(data(2))!, end];
    expect(said).toEqual([
      { type: 'data by port', name: 'pipe', from: '1', to: '2' },
      { type: 'data by port', name: 'pipe', from: '1', to: '2' },
      end,
    ]);
    for (const message of said) two.receive(message);
    expect(heard).toEqual([]);
    const frame: UplinkMessage = { type: 'frame', frame: Uint8Array.of(9) };
    two.receive(frame);
    two.receive({ type: 'end', name: 'other', from: '3' });
    expect(heard.splice(0)).toEqual([frame, { type: 'end', name: 'other', from: '3' }]);
    arrive(0);
    expect(heard.splice(0)).toEqual([data(1), data(2), end]);
    const third = one.send(data(3))!;
    arrive(0);
    expect(heard).toEqual([]);
    two.receive(third);
    expect(heard).toEqual([data(3)]);
  });

  it('are not used before the other end has answered, nor for anybody else', () => {
    const { one, two, heard, arrive } = twoTabs();
    expect(one.send(data(1))).toBeUndefined();
    arrive(1);
    expect(one.send(data(1, '3'))).toBeUndefined();
    expect(one.send({ type: 'end', name: 'pipe', from: '1' })).toBeUndefined();
    two.receive({ type: 'data by port', name: 'pipe', from: '1', to: '3' });
    two.receive(end);
    expect(heard).toEqual([end]);
  });

  it('hold nothing back of a machine that is on again', () => {
    const { one, two, heard, arrive } = twoTabs();
    arrive(1);
    two.receive(one.send(data(1))!);
    const again = slowPorts();
    two.connect('1', again.ends[1]!);
    two.receive(data(2));
    expect(heard).toEqual([data(2)]);
    one.forget('2');
    expect(one.send(data(3))).toBeUndefined();
  });

  it('move what is large, and copy what is little or stands in a larger buffer', () => {
    const posted: { bytes: Uint8Array; moved: readonly unknown[] }[] = [];
    const one = new TabPorts('1', () => {});
    const port: MessagePortLike = {
      postMessage: (bytes, moved = []) => void posted.push({ bytes: bytes as Uint8Array, moved }),
      onmessage: null,
      close: () => {},
    };
    one.connect('2', port);
    posted.splice(0);
    port.onmessage?.({ data: 'here' });
    const large = new Uint8Array(4 << 20).fill(1);
    const [little, view] = [Uint8Array.of(2), large.subarray(0, 1 << 20)];
    for (const bytes of [large, little, view]) one.send({ type: 'data', name: 'pipe', from: '1', to: '2', bytes });
    expect(posted.map(({ bytes }) => bytes.length)).toEqual([4 << 20, 1, 1 << 20]);
    expect(posted.map(({ bytes, moved }) => moved.length === 1 && moved[0] === bytes.buffer)).toEqual([
      true,
      true,
      true,
    ]);
    expect(posted.map(({ bytes }) => bytes.buffer === large.buffer || bytes === little)).toEqual([true, false, false]);
  });

  it('without a port what is large goes in pieces, none of which takes the rest along', () => {
    const whole = Uint8Array.from({ length: (5 << 20) / 2 }, (_, i) => i >> 12);
    const pieces = [...inPieces({ type: 'data', name: 'pipe', from: '1', to: '2', bytes: whole })];
    const bytes = pieces.map((piece) => (piece.type === 'data' ? piece.bytes : new Uint8Array()));
    expect(bytes.map(({ buffer }) => buffer.byteLength)).toEqual([1 << 20, 1 << 20, 1 << 19]);
    expect(Buffer.concat(bytes).equals(whole)).toBe(true);
    expect([...inPieces({ type: 'end', name: 'pipe', from: '1' })]).toEqual([{ type: 'end', name: 'pipe', from: '1' }]);
  });
});
