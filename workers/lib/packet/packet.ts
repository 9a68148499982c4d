/**
 * Network packets as bytes: Ethernet II, ARP, IPv4, ICMP, UDP, TCP (RFC 826, 791, 792, 768, 793).
 *
 * Decoders return undefined for anything too short or wrong; they never throw on bytes from outside. Addresses are
 * unsigned 32-bit numbers, MACs text.
 */
import { macText, parseMac } from './addresses';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const ETHERNET_HEADER = 14;

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// ------------------------------------------------------------------------------------------------------- Ethernet

export interface EthernetFrame {
  readonly destination: string;
  readonly source: string;
  readonly type: number;
  readonly payload: Uint8Array;
}

export function encodeEthernet(frame: EthernetFrame): Uint8Array {
  const bytes = new Uint8Array(ETHERNET_HEADER + frame.payload.length);
  bytes.set(parseMac(frame.destination)!, 0);
  bytes.set(parseMac(frame.source)!, 6);
  bytes[12] = frame.type >> 8;
  bytes[13] = frame.type & 255;
  bytes.set(frame.payload, ETHERNET_HEADER);
  return bytes;
}

export function decodeEthernet(bytes: Uint8Array): EthernetFrame | undefined {
  if (bytes.length < ETHERNET_HEADER) return undefined;
  return {
    destination: macText(bytes, 0),
    source: macText(bytes, 6),
    type: (bytes[12]! << 8) | bytes[13]!,
    payload: bytes.subarray(ETHERNET_HEADER),
  };
}

// ------------------------------------------------------------------------------------------------------------ ARP

export interface ArpPacket {
  readonly operation: 'request' | 'reply';
  readonly senderMac: string;
  readonly senderIp: number;
  readonly targetMac: string;
  readonly targetIp: number;
}

export function encodeArp(packet: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(28);
  const v = view(bytes);
  v.setUint16(0, 1);
  v.setUint16(2, ETHERTYPE_IPV4);
  bytes[4] = 6;
  bytes[5] = 4;
  v.setUint16(6, packet.operation === 'request' ? 1 : 2);
  bytes.set(parseMac(packet.senderMac)!, 8);
  v.setUint32(14, packet.senderIp);
  bytes.set(parseMac(packet.targetMac)!, 18);
  v.setUint32(24, packet.targetIp);
  return bytes;
}

export function decodeArp(bytes: Uint8Array): ArpPacket | undefined {
  if (bytes.length < 28) return undefined;
  const v = view(bytes);
  const operation = v.getUint16(6);
  if (v.getUint16(0) !== 1 || v.getUint16(2) !== ETHERTYPE_IPV4 || (operation !== 1 && operation !== 2))
    return undefined;
  return {
    operation: operation === 1 ? 'request' : 'reply',
    senderMac: macText(bytes, 8),
    senderIp: v.getUint32(14),
    targetMac: macText(bytes, 18),
    targetIp: v.getUint32(24),
  };
}

// ----------------------------------------------------------------------------------------------------------- IPv4

export interface Ipv4Packet {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly ttl: number;
  readonly id: number;
  /** In bytes. */
  readonly fragmentOffset: number;
  readonly moreFragments: boolean;
  readonly dontFragment: boolean;
  readonly payload: Uint8Array;
}

/** The Internet checksum of the bytes, added to `initial`. */
export function checksum(bytes: Uint8Array, initial = 0): number {
  let sum = initial;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  if (bytes.length & 1) sum += bytes[bytes.length - 1]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export function encodeIpv4(packet: Ipv4Packet): Uint8Array {
  const bytes = new Uint8Array(20 + packet.payload.length);
  const v = view(bytes);
  bytes[0] = 0x45;
  v.setUint16(2, bytes.length);
  v.setUint16(4, packet.id);
  v.setUint16(
    6,
    (packet.dontFragment ? 0x4000 : 0) | (packet.moreFragments ? 0x2000 : 0) | (packet.fragmentOffset >> 3),
  );
  bytes[8] = packet.ttl;
  bytes[9] = packet.protocol;
  v.setUint32(12, packet.source);
  v.setUint32(16, packet.destination);
  v.setUint16(10, checksum(bytes.subarray(0, 20)));
  bytes.set(packet.payload, 20);
  return bytes;
}

export function decodeIpv4(bytes: Uint8Array): Ipv4Packet | undefined {
  if (bytes.length < 20 || bytes[0]! >> 4 !== 4) return undefined;
  const v = view(bytes);
  const header = (bytes[0]! & 15) * 4;
  const total = v.getUint16(2);
  if (header < 20 || total < header || total > bytes.length) return undefined;
  if (checksum(bytes.subarray(0, header)) !== 0) return undefined;
  const flags = v.getUint16(6);
  return {
    source: v.getUint32(12),
    destination: v.getUint32(16),
    protocol: bytes[9]!,
    ttl: bytes[8]!,
    id: v.getUint16(4),
    fragmentOffset: (flags & 0x1fff) * 8,
    moreFragments: (flags & 0x2000) !== 0,
    dontFragment: (flags & 0x4000) !== 0,
    payload: bytes.subarray(header, total),
  };
}

function pseudoHeaderSum(source: number, destination: number, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
}

// ----------------------------------------------------------------------------------------------------------- ICMP

export interface IcmpPacket {
  readonly type: number;
  readonly code: number;
  /** The four bytes after the checksum: identifier and sequence of an echo, unused elsewhere. */
  readonly rest: number;
  readonly data: Uint8Array;
}

export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_ECHO = 8;
export const ICMP_TIME_EXCEEDED = 11;

export function encodeIcmp(packet: IcmpPacket): Uint8Array {
  const bytes = new Uint8Array(8 + packet.data.length);
  bytes[0] = packet.type;
  bytes[1] = packet.code;
  view(bytes).setUint32(4, packet.rest);
  bytes.set(packet.data, 8);
  view(bytes).setUint16(2, checksum(bytes));
  return bytes;
}

export function decodeIcmp(bytes: Uint8Array): IcmpPacket | undefined {
  if (bytes.length < 8 || checksum(bytes) !== 0) return undefined;
  return { type: bytes[0]!, code: bytes[1]!, rest: view(bytes).getUint32(4), data: bytes.subarray(8) };
}

// ------------------------------------------------------------------------------------------------------------ UDP

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

export function encodeUdp(datagram: UdpDatagram, source: number, destination: number): Uint8Array {
  const bytes = new Uint8Array(8 + datagram.data.length);
  const v = view(bytes);
  v.setUint16(0, datagram.sourcePort);
  v.setUint16(2, datagram.destinationPort);
  v.setUint16(4, bytes.length);
  bytes.set(datagram.data, 8);
  v.setUint16(6, checksum(bytes, pseudoHeaderSum(source, destination, PROTOCOL_UDP, bytes.length)) || 0xffff);
  return bytes;
}

/** `isVerified`: the sender left the checksum to its network card, as virtual interfaces may. */
export function decodeUdp(
  bytes: Uint8Array,
  source: number,
  destination: number,
  isVerified = false,
): UdpDatagram | undefined {
  if (bytes.length < 8) return undefined;
  const v = view(bytes);
  const length = v.getUint16(4);
  if (length < 8 || length > bytes.length) return undefined;
  const body = bytes.subarray(0, length);
  if (!isVerified && v.getUint16(6) !== 0) {
    if (checksum(body, pseudoHeaderSum(source, destination, PROTOCOL_UDP, length)) !== 0) return undefined;
  }
  return { sourcePort: v.getUint16(0), destinationPort: v.getUint16(2), data: body.subarray(8) };
}

// ------------------------------------------------------------------------------------------------------------ TCP

export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: TcpFlags;
  readonly window: number;
  /** Maximum segment size option of a SYN. */
  readonly mss?: number;
  readonly data: Uint8Array;
}

export interface TcpFlags {
  readonly syn?: boolean;
  readonly ack?: boolean;
  readonly fin?: boolean;
  readonly rst?: boolean;
  readonly psh?: boolean;
}

export function encodeTcp(segment: TcpSegment, source: number, destination: number): Uint8Array {
  const header = segment.mss === undefined ? 20 : 24;
  const bytes = new Uint8Array(header + segment.data.length);
  const v = view(bytes);
  v.setUint16(0, segment.sourcePort);
  v.setUint16(2, segment.destinationPort);
  v.setUint32(4, segment.sequence);
  v.setUint32(8, segment.acknowledgement);
  const { fin, syn, rst, psh, ack } = segment.flags;
  bytes[12] = (header / 4) << 4;
  bytes[13] = (fin ? 1 : 0) | (syn ? 2 : 0) | (rst ? 4 : 0) | (psh ? 8 : 0) | (ack ? 16 : 0);
  v.setUint16(14, segment.window);
  if (segment.mss !== undefined) {
    bytes[20] = 2;
    bytes[21] = 4;
    v.setUint16(22, segment.mss);
  }
  bytes.set(segment.data, header);
  v.setUint16(16, checksum(bytes, pseudoHeaderSum(source, destination, PROTOCOL_TCP, bytes.length)));
  return bytes;
}

export function decodeTcp(
  bytes: Uint8Array,
  source: number,
  destination: number,
  isVerified = false,
): TcpSegment | undefined {
  if (bytes.length < 20) return undefined;
  const v = view(bytes);
  const header = (bytes[12]! >> 4) * 4;
  if (header < 20 || header > bytes.length) return undefined;
  if (!isVerified && checksum(bytes, pseudoHeaderSum(source, destination, PROTOCOL_TCP, bytes.length)) !== 0) {
    return undefined;
  }
  const bits = bytes[13]!;
  const mss = mssOption(bytes.subarray(20, header));
  return {
    sourcePort: v.getUint16(0),
    destinationPort: v.getUint16(2),
    sequence: v.getUint32(4),
    acknowledgement: v.getUint32(8),
    flags: {
      fin: (bits & 1) !== 0,
      syn: (bits & 2) !== 0,
      rst: (bits & 4) !== 0,
      psh: (bits & 8) !== 0,
      ack: (bits & 16) !== 0,
    },
    window: v.getUint16(14),
    ...(mss === undefined ? {} : { mss }),
    data: bytes.subarray(header),
  };
}

function mssOption(options: Uint8Array): number | undefined {
  for (let at = 0; at < options.length; ) {
    const kind = options[at]!;
    if (kind === 0) return undefined;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2) return undefined;
    if (kind === 2 && length === 4 && at + 4 <= options.length) return (options[at + 2]! << 8) | options[at + 3]!;
    at += length;
  }
  return undefined;
}
