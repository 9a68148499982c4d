import { describe, expect, it } from 'vitest';
import type { MessagePortLike } from '../contract';
import { type TabMessage, TabPorts } from './tabPorts';
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
    const said = [data(1), data(2), end].map((message) => one.replace(message));
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
    const third = one.replace(data(3));
    arrive(0);
    expect(heard).toEqual([]);
    two.receive(third);
    expect(heard).toEqual([data(3)]);
  });

  it('are not used before the other end has answered, nor for anybody else', () => {
    const { one, two, heard, arrive } = twoTabs();
    expect(one.replace(data(1))).toEqual(data(1));
    arrive(1);
    expect(one.replace(data(1, '3'))).toEqual(data(1, '3'));
    two.receive({ type: 'data by port', name: 'pipe', from: '1', to: '3' });
    two.receive(end);
    expect(heard).toEqual([end]);
  });

  it('hold nothing back of a machine that is on again', () => {
    const { one, two, heard, arrive } = twoTabs();
    arrive(1);
    two.receive(one.replace(data(1)));
    const again = slowPorts();
    two.connect('1', again.ends[1]!);
    two.receive(data(2));
    expect(heard).toEqual([data(2)]);
    one.forget('2');
    expect(one.replace(data(3))).toEqual(data(3));
  });
});
