import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../lib/clock';
import { encodeEthernet } from '../lib/packet/packet';
import { Cable } from './cable';
import { GATEWAY_MAC } from './gateway';
import { Lan } from './lan';
import { Uplink, type UplinkMessage } from './uplink';

const frame = (destination: string, source: string) =>
  encodeEthernet({ destination, source, type: 0x88b5, payload: new Uint8Array(46) });

/** Two networks whose messages are carried by hand. */
function twoNetworks() {
  const clock = new VirtualClock();
  const networks: { lan: Lan; uplink: Uplink; posted: UplinkMessage[] }[] = [];
  for (const own of ['a', 'b']) {
    const lan = new Lan();
    const posted: UplinkMessage[] = [];
    networks.push({ lan, posted, uplink: new Uplink(lan, clock, { own, post: (message) => posted.push(message) }) });
  }
  const [a, b] = networks as [(typeof networks)[0], (typeof networks)[0]];
  const settle = () => {
    for (let i = 0; i < 8; i++) {
      clock.advanceTo(clock.nowNs + 1e6);
      for (const message of a.posted.splice(0)) b.uplink.received(message);
      for (const message of b.posted.splice(0)) a.uplink.received(message);
    }
  };
  return { clock, a, b, settle };
}

describe('joined networks', () => {
  it('carry frames to whoever is on the other one, and keep to themselves what both have', () => {
    const { clock, a, b, settle } = twoNetworks();
    const got: string[] = [];
    const here = a.lan.plug(clock, () => got.push('here'));
    const there = b.lan.plug(clock, () => got.push('there'));
    here.send(frame('00:00:00:00:00:0b', '00:00:00:00:00:0a'));
    settle();
    there.send(frame('00:00:00:00:00:0a', '00:00:00:00:00:0b'));
    settle();
    expect(got.splice(0)).toEqual(['there', 'here']);
    here.send(frame(GATEWAY_MAC, '00:00:00:00:00:0a'));
    settle();
    expect(got).toEqual([]);
  });

  it('join the two ends of a pipe, whoever is first, until one network is lost', () => {
    const { clock, a, b, settle } = twoNetworks();
    const got: string[] = [];
    const listen = (name: string) => ({
      received: (bytes: Uint8Array) => got.push(`${name} ${bytes.join()}`),
      ended: () => got.push(`${name} ended`),
    });
    const first = a.lan.bulk.join('x', clock, listen('a'));
    first.send(Uint8Array.of(1), () => got.push('sent'));
    settle();
    const second = b.lan.bulk.join('x', clock, listen('b'));
    settle();
    second.send(Uint8Array.of(2), () => {});
    settle();
    expect(got.splice(0)).toEqual(['sent', 'b 1', 'a 2']);
    a.uplink.lost('b');
    settle();
    expect(got.splice(0)).toEqual(['a ended', 'b ended']);
  });

  it('answer a pipe whose other end somebody there is ready to join', () => {
    const { clock, a, b, settle } = twoNetworks();
    const got: string[] = [];
    const listen = (name: string) => ({
      received: (bytes: Uint8Array) => got.push(`${name} ${bytes.join()}`),
      ended: () => got.push(`${name} ended`),
    });
    b.lan.bulk.answer('service/', () => false);
    b.lan.bulk.answer('service/', (name) => {
      b.lan.bulk.join(name, clock, listen('b')).send(Uint8Array.of(7), () => {});
      return true;
    });
    const asked = a.lan.bulk.join('service/1', clock, listen('a'));
    a.lan.bulk.join('other/1', clock, listen('other'));
    asked.send(Uint8Array.of(1), () => {});
    settle();
    expect(got.splice(0).sort()).toEqual(['a 7', 'b 1']);
    asked.close();
    settle();
    expect(got).toEqual(['b ended']);
  });

  it('end a pipe on both when one end is closed, behind what was sent', () => {
    const { clock, a, b, settle } = twoNetworks();
    const got: string[] = [];
    const end = a.lan.bulk.join('x', clock, { received: () => {}, ended: () => {} });
    b.lan.bulk.join('x', clock, { received: (bytes) => got.push(bytes.join()), ended: () => got.push('ended') });
    settle();
    end.send(Uint8Array.of(7), () => {});
    end.close();
    settle();
    expect(got).toEqual(['7', 'ended']);
  });
});

describe('the other network', () => {
  it("'s cable counts from the moment that it is told of", () => {
    const { clock, a, b } = twoNetworks();
    const cables = { a: new Cable(), b: new Cable() };
    const got: string[] = [];
    const here = a.lan.bulk.join('x', clock, { received: () => {}, ended: () => got.push('here ended') }, cables.a);
    b.lan.bulk.join('x', clock, { received: () => got.push('there'), ended: () => {} }, cables.b);
    const carry = () => {
      for (const message of a.posted.splice(0)) b.uplink.received(message);
      for (const message of b.posted.splice(0)) a.uplink.received(message);
    };
    carry();
    b.lan.changeCable(cables.b, { bitsPerSecond: 1e6, latencyNs: 50_000, isUp: true });
    carry();
    // 1000 bits at 1 Mbit/s.
    here.send(new Uint8Array(125), () => {});
    clock.advanceTo(900_000);
    carry();
    clock.advanceTo(1_000_000);
    expect(got).toEqual([]);
    clock.advanceTo(1_200_000);
    carry();
    clock.advanceTo(1_300_000);
    expect(got).toEqual(['there']);
    b.lan.changeCable(cables.b, { ...cables.b.model, isUp: false });
    clock.advanceTo(2e6);
    carry();
    clock.advanceTo(4e6);
    expect(got).toEqual(['there', 'here ended']);
  });

  it('hears bulletins, and does not send them back', () => {
    const { a, b } = twoNetworks();
    const got: string[] = [];
    for (const { lan } of [a, b]) lan.bulletins.subscribe(({ from, topic }) => got.push(`${from} ${topic}`));
    a.lan.bulletins.post({ from: 'host1', topic: 'news', body: null });
    for (const message of a.posted.splice(0)) b.uplink.received(message);
    expect(got).toEqual(['host1 news', 'host1 news']);
    expect(b.posted).toEqual([]);
  });
});
