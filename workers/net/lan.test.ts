import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../lib/clock';
import { ipText, parseIp } from '../lib/packet/addresses';
import { decodeDhcp, encodeDhcp } from '../lib/packet/dhcp';
import { decodeEthernet, decodeIpv4, decodeUdp, encodeEthernet, encodeIpv4, encodeUdp } from '../lib/packet/packet';
import { Gateway } from './gateway';
import { Lan } from './lan';

const frame = (destination: string, source: string) =>
  encodeEthernet({ destination, source, type: 0x88b5, payload: new Uint8Array(46) });

describe('the switch', () => {
  it('floods what it does not know and learns where answers come from', () => {
    const clock = new VirtualClock();
    const lan = new Lan();
    const got: string[] = [];
    const [a, b] = ['a', 'b', 'c'].map((name) => lan.plug(clock, () => got.push(name)));
    a!.send(frame('00:00:00:00:00:0b', '00:00:00:00:00:0a'));
    clock.advanceTo(1e6);
    expect(got.splice(0)).toEqual(['b', 'c']);
    b!.send(frame('00:00:00:00:00:0a', '00:00:00:00:00:0b'));
    clock.advanceTo(2e6);
    expect(got.splice(0)).toEqual(['a']);
  });

  it('delivers nothing to what was unplugged while the frame was on its way', () => {
    const clock = new VirtualClock();
    const lan = new Lan();
    const got: string[] = [];
    const a = lan.plug(clock, () => got.push('a'));
    const b = lan.plug(clock, () => got.push('b'));
    a.send(frame('ff:ff:ff:ff:ff:ff', '00:00:00:00:00:0a'));
    b.unplug();
    clock.advanceTo(1e6);
    expect(got).toEqual([]);
  });
});

describe('the router', () => {
  it('gives the same client the same address, and different clients different ones', () => {
    const clock = new VirtualClock();
    const lan = new Lan();
    new Gateway(lan, clock);
    const offers: string[] = [];
    const port = lan.plug(clock, (bytes) => {
      const packet = decodeIpv4(decodeEthernet(bytes)!.payload)!;
      const message = decodeDhcp(decodeUdp(packet.payload, packet.source, packet.destination)!.data)!;
      offers.push(`${message.type} ${ipText(message.yourAddress)} via ${ipText(message.router!)}`);
    });
    const ask = (mac: string) => {
      const data = encodeDhcp({ type: 'discover', transaction: 7, clientMac: mac, yourAddress: 0 });
      const everyone = parseIp('255.255.255.255')!;
      const payload = encodeIpv4({
        source: 0,
        destination: everyone,
        protocol: 17,
        ttl: 64,
        id: 1,
        fragmentOffset: 0,
        moreFragments: false,
        dontFragment: false,
        payload: encodeUdp({ sourcePort: 68, destinationPort: 67, data }, 0, everyone),
      });
      port.send(encodeEthernet({ destination: 'ff:ff:ff:ff:ff:ff', source: mac, type: 0x800, payload }));
      clock.advanceTo(clock.nowNs + 1e6);
    };
    ask('00:16:3e:00:00:01');
    ask('00:16:3e:00:00:02');
    ask('00:16:3e:00:00:01');
    expect(offers).toEqual([
      'offer 192.0.2.100 via 192.0.2.1',
      'offer 192.0.2.101 via 192.0.2.1',
      'offer 192.0.2.100 via 192.0.2.1',
    ]);
  });
});
