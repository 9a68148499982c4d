import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipText, macText, maskOf, parseIp, parseMac, prefixOf } from './addresses';
import * as packet from './packet';

const ip = fc.integer({ min: 0, max: 0xffff_ffff });
const port = fc.integer({ min: 0, max: 0xffff });
const data = fc.uint8Array({ maxLength: 200 });

describe('packet codecs', () => {
  it('decode what they encode', () => {
    fc.assert(
      fc.property(
        ip,
        ip,
        port,
        port,
        ip,
        ip,
        data,
        (source, destination, sourcePort, destinationPort, sequence, acknowledgement, bytes) => {
          const udp = { sourcePort, destinationPort, data: bytes };
          expect(packet.decodeUdp(packet.encodeUdp(udp, source, destination), source, destination)).toEqual(udp);
          const tcp = {
            sourcePort,
            destinationPort,
            sequence,
            acknowledgement,
            window: 1000,
            mss: 1460,
            data: bytes,
            flags: { syn: true, ack: false, fin: true, rst: false, psh: true },
          };
          expect(packet.decodeTcp(packet.encodeTcp(tcp, source, destination), source, destination)).toEqual(tcp);
          const v4 = {
            source,
            destination,
            protocol: 17,
            ttl: 64,
            id: 7,
            fragmentOffset: 1480,
            moreFragments: true,
            dontFragment: false,
            payload: bytes,
          };
          expect(packet.decodeIpv4(packet.encodeIpv4(v4))).toEqual(v4);
          const icmp = { type: 8, code: 0, rest: sequence, data: bytes };
          expect(packet.decodeIcmp(packet.encodeIcmp(icmp))).toEqual(icmp);
        },
      ),
    );
  });

  it('notice a flipped bit', () => {
    fc.assert(
      fc.property(ip, ip, data, fc.nat(), (source, destination, bytes, n) => {
        const encoded = packet.encodeUdp({ sourcePort: 1, destinationPort: 2, data: bytes }, source, destination);
        const at = n % encoded.length;
        fc.pre(at < 4 || at > 5); // the length field is its own check
        encoded[at] = encoded[at]! ^ (1 << (n % 8));
        fc.pre(encoded[6] !== 0 || encoded[7] !== 0); // a zero checksum means "none"
        expect(packet.decodeUdp(encoded, source, destination)).toBeUndefined();
      }),
    );
  });

  it('never throw on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        packet.decodeEthernet(bytes);
        packet.decodeArp(bytes);
        packet.decodeIpv4(bytes);
        packet.decodeIcmp(bytes);
        packet.decodeUdp(bytes, 1, 2, true);
        packet.decodeTcp(bytes, 1, 2, true);
      }),
    );
  });
});

describe('addresses', () => {
  it('print what they parse', () => {
    fc.assert(
      fc.property(ip, (value) => {
        expect(parseIp(ipText(value))).toBe(value);
      }),
    );
    expect(parseIp('1.2.3')).toBeUndefined();
    expect(parseIp('1.2.3.256')).toBeUndefined();
    expect(macText(parseMac('00:16:3E:00:00:11')!)).toBe('00:16:3e:00:00:11');
    expect(parseMac('00:16:3e:00:00')).toBeUndefined();
    for (let length = 0; length <= 32; length++) expect(prefixOf(maskOf(length))).toBe(length);
  });
});
