import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../lib/clock';
import { ipText, parseIp } from '../lib/packet/addresses';
import { decodeDhcp, encodeDhcp } from '../lib/packet/dhcp';
import {
  decodeArp,
  decodeEthernet,
  decodeIcmp,
  decodeIpv4,
  decodeTcp,
  decodeUdp,
  ETHERTYPE_ARP,
  encodeArp,
  encodeEthernet,
  encodeIpv4,
  encodeTcp,
  encodeUdp,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../lib/packet/packet';
import { Cable } from './cable';
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

  it('takes addresses back from those who are gone when all are given out', () => {
    const clock = new VirtualClock();
    const lan = new Lan();
    new Gateway(lan, clock);
    const everyone = parseIp('255.255.255.255')!;
    const alive = parseIp('192.0.2.100')!;
    let offered: string | undefined;
    const port = lan.plug(clock, (bytes) => {
      const { type, payload } = decodeEthernet(bytes)!;
      const arp = type === ETHERTYPE_ARP ? decodeArp(payload) : undefined;
      if (arp?.operation === 'request' && arp.targetIp === alive) {
        const [mac, router] = ['00:16:3e:00:00:00', arp.senderMac];
        const reply = encodeArp({
          operation: 'reply',
          senderMac: mac,
          senderIp: alive,
          targetMac: router,
          targetIp: arp.senderIp,
        });
        port.send(encodeEthernet({ destination: router, source: mac, type: ETHERTYPE_ARP, payload: reply }));
      }
      if (arp) return;
      const packet = decodeIpv4(payload)!;
      offered = ipText(decodeDhcp(decodeUdp(packet.payload, packet.source, packet.destination)!.data)!.yourAddress);
    });
    const ask = (client: number) => {
      const mac = `00:16:3e:00:00:${client.toString(16).padStart(2, '0')}`;
      const data = encodeDhcp({ type: 'discover', transaction: 7, clientMac: mac, yourAddress: 0 });
      const payload = encodeIpv4({
        source: 0, destination: everyone, protocol: 17, ttl: 64, id: 1, fragmentOffset: 0, moreFragments: false,
        dontFragment: false, payload: encodeUdp({ sourcePort: 68, destinationPort: 67, data }, 0, everyone),
      }); // biome-ignore format: one packet
      offered = undefined;
      port.send(encodeEthernet({ destination: 'ff:ff:ff:ff:ff:ff', source: mac, type: 0x800, payload }));
      clock.advanceTo(clock.nowNs + 1e6);
      return offered;
    };
    for (let client = 0; client < 155; client++) expect(ask(client)).toBe(`192.0.2.${100 + client}`);
    expect(ask(200)).toBeUndefined();
    expect(ask(200)).toBe('192.0.2.101');
    expect(ask(0)).toBe('192.0.2.100');
  });

  it('refuses connections and says that nobody listens for datagrams', () => {
    const clock = new VirtualClock();
    const lan = new Lan();
    new Gateway(lan, clock);
    const [own, router] = [parseIp('192.0.2.50')!, parseIp('192.0.2.1')!];
    const answers: string[] = [];
    const port = lan.plug(clock, (bytes) => {
      const { protocol, payload, source } = decodeIpv4(decodeEthernet(bytes)!.payload)!;
      const tcp = protocol === PROTOCOL_TCP ? decodeTcp(payload, source, own) : undefined;
      const icmp = protocol === PROTOCOL_ICMP ? decodeIcmp(payload) : undefined;
      answers.push(tcp ? `rst ${tcp.flags.rst} ack ${tcp.acknowledgement}` : `icmp ${icmp!.type}.${icmp!.code}`);
    });
    const send = (protocol: number, payload: Uint8Array) => {
      const packet = encodeIpv4({
        source: own, destination: router, protocol, ttl: 64, id: 1, fragmentOffset: 0,
        moreFragments: false, dontFragment: false, payload,
      }); // biome-ignore format: one packet
      port.send(
        encodeEthernet({ destination: '00:0c:29:00:00:01', source: '00:16:3e:00:00:01', type: 0x800, payload: packet }),
      );
      clock.advanceTo(clock.nowNs + 1e6);
    };
    const syn = {
      sourcePort: 1024,
      destinationPort: 80,
      sequence: 7,
      acknowledgement: 0,
      window: 512,
      data: new Uint8Array(0),
    };
    send(PROTOCOL_TCP, encodeTcp({ ...syn, flags: { syn: true } }, own, router));
    send(PROTOCOL_UDP, encodeUdp({ sourcePort: 1024, destinationPort: 53, data: new Uint8Array(4) }, own, router));
    expect(answers).toEqual(['rst true ack 8', 'icmp 3.3']);
  });
});

describe('a cable', () => {
  /** Two machines and a pipe between them, behind a cable each. */
  function joined() {
    const clock = new VirtualClock();
    const lan = new Lan();
    const cables = [new Cable(), new Cable()] as const;
    const got: string[] = [];
    const listen = (name: string) => ({
      received: () => got.push(`${name} ${clock.nowNs}`),
      ended: () => got.push(`${name} ended`),
    });
    const ports = cables.map((cable, i) => lan.plug(clock, () => got.push(`frame ${i}`), cable));
    const ends = ports.map((port, i) => port.bulk('x', listen(String(i))));
    return { clock, lan, cables, got, ports, ends };
  }
  const megabit = (mbit: number, ms: number) => ({ bitsPerSecond: mbit * 1e6, latencyNs: ms * 1e6, isUp: true });

  it('makes bulk data take the time of the slower of two, and of both latencies', () => {
    const { clock, lan, cables, got, ends } = joined();
    lan.changeCable(cables[0], megabit(100, 2));
    lan.changeCable(cables[1], megabit(1000, 3));
    // 12500 bytes are 100,000 bits.
    for (const end of ends) end.send(new Uint8Array(12_500), () => {});
    clock.advanceTo(10e6);
    expect(got).toEqual(['1 6000000', '0 6000000']);
  });

  it('that is pulled out ends its own pipes only, and no frame passes', () => {
    const { clock, lan, cables, got, ports, ends } = joined();
    const others = ['c', 'd'].map((name) =>
      lan.plug(clock, () => {}).bulk('y', { received: () => got.push(name), ended: () => got.push(`${name} ended`) }),
    );
    lan.changeCable(cables[0], { ...cables[0].model, isUp: false });
    for (const port of ports) port.send(frame('ff:ff:ff:ff:ff:ff', '00:00:00:00:00:0a'));
    ends[1]!.send(new Uint8Array(1), () => got.push('sent'));
    others[0]!.send(new Uint8Array(1), () => {});
    clock.advanceTo(10e6);
    expect(got).toEqual(['1 ended', '0 ended', 'd']);
    lan.changeCable(cables[0], { ...cables[0].model, isUp: true });
    ports[1]!.send(frame('ff:ff:ff:ff:ff:ff', '00:00:00:00:00:0b'));
    clock.advanceTo(20e6);
    expect(got.slice(3)).toEqual(['frame 0']);
  });
});
