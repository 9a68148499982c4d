import { encode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../lib/clock';
import { encodeEthernet } from '../lib/packet/packet';
import { Lan } from './lan';
import { FULL, PeerLink } from './peerLink';
import { cutMessage, LONGEST, MessageJoiner, PeerWireError, PIECE } from './peerWire';
import { Uplink, type UplinkMessage } from './uplink';

const GIGABIT = { bitsPerSecond: 1e9, latencyNs: 50_000, isUp: true };
const last = (value: unknown) => {
  const bytes = encode(value);
  const piece = new Uint8Array(bytes.length + 1);
  piece[0] = 1;
  piece.set(bytes, 1);
  return piece.buffer;
};

describe('the words of networks as bytes', () => {
  const samples: readonly UplinkMessage[] = [
    { type: 'frame', frame: Uint8Array.of(1, 2, 3) },
    { type: 'join', name: 'x', from: '2', link: { ...GIGABIT, bitsPerSecond: Number.POSITIVE_INFINITY } },
    { type: 'link', from: '2', link: GIGABIT },
    { type: 'bulletin', bulletin: { from: 'host2', topic: 't', body: { codes: Uint8Array.of(9), none: null } } },
    { type: 'data', name: 'x', from: '2', to: '1', bytes: Uint8Array.of(7) },
    { type: 'taken', name: 'x', from: '2', bytes: 70_000 },
    { type: 'end', name: 'x', from: '2' },
  ];

  it.each(samples)('$type arrives as it was', (message) => {
    const joiner = new MessageJoiner();
    expect(cutMessage(message).map((piece) => joiner.add(piece))).toEqual([message]);
  });

  it('cuts what is too long for a data channel, and joins it', () => {
    const bytes = new Uint8Array(300 * 1024).map((_, i) => i * 7);
    const pieces = cutMessage({ type: 'data', name: 'x', from: '2', to: '1', bytes });
    expect(pieces.length).toBe(5);
    expect(Math.max(...pieces.map((piece) => piece.byteLength))).toBe(PIECE);
    const joiner = new MessageJoiner();
    const joined = pieces.map((piece) => joiner.add(piece));
    expect(joined.slice(0, -1)).toEqual([undefined, undefined, undefined, undefined]);
    expect(joined.at(-1)).toEqual({ type: 'data', name: 'x', from: '2', to: '1', bytes });
  });

  it.each([
    ['an empty piece', new ArrayBuffer(0)],
    ['a piece of no known kind', Uint8Array.of(2, 0).buffer],
    ['what is not CBOR', Uint8Array.of(1, 0xff, 0xff).buffer],
    ['a number', last(5)],
    ['a word that nobody knows', last({ type: 'reboot' })],
    ['a frame without bytes', last({ type: 'frame', frame: 'abc' })],
    ['bytes taken back', last({ type: 'taken', name: 'x', from: '2', to: '1', bytes: -1 })],
    ['a cable of no speed', last({ type: 'link', from: '2', link: { ...GIGABIT, bitsPerSecond: 0 } })],
  ])('refuses %s', (_, piece) => {
    expect(() => new MessageJoiner().add(piece)).toThrow(PeerWireError);
  });

  it('refuses a message without an end', () => {
    const joiner = new MessageJoiner();
    const more = new ArrayBuffer(PIECE);
    const fill = () => {
      for (let length = 0; length <= LONGEST + PIECE; length += PIECE) joiner.add(more);
    };
    expect(fill).toThrow('without an end');
  });
});

/** Machines 1 and 2 on two computers; what is on the way is carried by hand. */
function twoComputers() {
  const clock = new VirtualClock();
  const make = (number: number, other: number) => {
    const lan = new Lan();
    const pieces: ArrayBuffer[] = [];
    const link: PeerLink = new PeerLink({
      number: other,
      send: (piece) => pieces.push(piece),
      received: (message) => uplink.received(message),
    });
    const uplink = new Uplink(lan, clock, { own: String(number), post: (message) => link.post(message) });
    return { lan, pieces, link, uplink };
  };
  const [a, b] = [make(1, 2), make(2, 1)];
  const settle = () => {
    for (let i = 0; i < 8; i++) {
      clock.advanceTo(clock.nowNs + 1e6);
      for (const piece of a.pieces.splice(0)) b.link.receive(piece);
      for (const piece of b.pieces.splice(0)) a.link.receive(piece);
    }
  };
  return { clock, a, b, settle };
}

describe('the way to another computer', () => {
  it('joins a pipe, and its loss is a cable that was pulled', () => {
    const { clock, a, b, settle } = twoComputers();
    const got: string[] = [];
    const listen = (name: string) => ({
      received: (bytes: Uint8Array) => got.push(`${name} ${bytes.join()}`),
      ended: () => got.push(`${name} ended`),
    });
    const end = a.lan.bulk.join('x', clock, listen('a'));
    b.lan.bulk.join('x', clock, listen('b'));
    settle();
    end.send(Uint8Array.of(1, 2), () => {});
    settle();
    expect(got.splice(0)).toEqual(['b 1,2']);
    a.uplink.lost('2');
    b.uplink.lost('1');
    a.pieces.length = 0;
    b.pieces.length = 0;
    settle();
    expect(got.sort()).toEqual(['a ended', 'b ended']);
  });

  it('carries nothing that goes through a pipe between two other machines', () => {
    const { a } = twoComputers();
    a.link.post({ type: 'data', name: 'between tabs', from: '1', to: '2', bytes: new Uint8Array(10) });
    expect(a.pieces).toEqual([]);
  });

  it('lets the other machine speak for itself only', () => {
    const { a } = twoComputers();
    const heard: string[] = [];
    a.lan.bulletins.subscribe(({ from }) => heard.push(from));
    const say = (from: string) => {
      for (const piece of cutMessage({ type: 'bulletin', bulletin: { from, topic: 't', body: null } }))
        a.link.receive(piece);
    };
    say('host3');
    say('host2');
    expect(heard).toEqual(['host2']);
  });

  it('drops frames, and nothing else, when too much waits', () => {
    const { clock, a } = twoComputers();
    const port = a.lan.plug(clock, () => {});
    const frame = encodeEthernet({
      destination: '00:00:00:00:00:0b',
      source: '00:00:00:00:00:0a',
      type: 0x88b5,
      payload: new Uint8Array(1400),
    });
    for (let i = 0; i < 2 * (FULL / 1400); i++) port.send(frame);
    clock.advanceTo(1e12);
    const bytes = () => a.pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    expect(bytes()).toBeGreaterThan(FULL);
    expect(bytes()).toBeLessThan(FULL + 2000);
    const before = bytes();
    a.link.post({ type: 'end', name: 'x', from: '1' });
    expect(bytes()).toBeGreaterThan(before);
    a.link.taken(bytes());
    const there = a.pieces.length;
    port.send(frame);
    clock.advanceTo(2e12);
    expect(a.pieces.length).toBe(there + 1);
  });
});
