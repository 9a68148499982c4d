/** The line that target LOG writes to the kernel's log (Linux 2.6.18, ipt_LOG.c). */
import { ipText } from '../../../lib/packet/addresses';
import {
  ETHERNET_HEADER,
  type Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../../../lib/packet/packet';
import { LOG_TCP_SEQUENCE, type LogTarget } from '../../netfilter';
import { lengthOf, type Passing } from './traverse';

export function logLine(target: LogTarget, passing: Passing): string {
  const { packet, portIn, portOut, frame } = passing;
  const isBridged = portIn !== '' && portOut !== '';
  const ports = `${portIn && passing.in !== portIn ? `PHYSIN=${portIn} ` : ''}${isBridged ? `PHYSOUT=${portOut} ` : ''}`;
  const header = frame ? [...frame.subarray(0, ETHERNET_HEADER)].map((byte) => hex(byte)).join(':') : '';
  const mac = passing.in !== '' && passing.out === '' ? `MAC=${header} ` : '';
  return `${target.prefix}IN=${passing.in} OUT=${passing.out} ${ports}${mac}${ipv4(packet, target.flags)}`;
}

const hex = (byte: number, digits = 2) => byte.toString(16).padStart(digits, '0');

function ipv4(packet: Ipv4Packet, flags: number): string {
  const fragment = `${packet.dontFragment ? 'DF ' : ''}${packet.moreFragments ? 'MF ' : ''}`;
  const offset = packet.fragmentOffset > 0 ? `FRAG:${packet.fragmentOffset >> 3} ` : '';
  return (
    `SRC=${ipText(packet.source)} DST=${ipText(packet.destination)} LEN=${lengthOf(packet)} TOS=0x00 PREC=0x00 ` +
    `TTL=${packet.ttl} ID=${packet.id} ${fragment}${offset}${transport(packet, flags)}`
  );
}

function transport({ protocol, payload, fragmentOffset }: Ipv4Packet, flags: number): string {
  const name = { [PROTOCOL_TCP]: 'TCP', [PROTOCOL_UDP]: 'UDP', [PROTOCOL_ICMP]: 'ICMP' }[protocol];
  if (name === undefined) return `PROTO=${protocol} `;
  if (fragmentOffset > 0) return `PROTO=${name} `;
  const needed = protocol === PROTOCOL_TCP ? 20 : 8;
  if (payload.length < needed) return `PROTO=${name} INCOMPLETE [${payload.length} bytes] `;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  if (protocol === PROTOCOL_ICMP) return `PROTO=ICMP ${icmp(view)}`;
  const ports = `PROTO=${name} SPT=${view.getUint16(0)} DPT=${view.getUint16(2)} `;
  if (protocol === PROTOCOL_UDP) return `${ports}LEN=${view.getUint16(4)} `;
  const sequence = flags & LOG_TCP_SEQUENCE ? `SEQ=${view.getUint32(4)} ACK=${view.getUint32(8)} ` : '';
  const bits = view.getUint8(13);
  const set = FLAGS.filter(([bit]) => bits & bit).map(([, flag]) => `${flag} `);
  const reserved = hex(view.getUint8(12) & 15);
  return `${ports}${sequence}WINDOW=${view.getUint16(14)} RES=0x${reserved} ${set.join('')}URGP=${view.getUint16(18)} `;
}

const FLAGS: readonly (readonly [number, string])[] = [
  [0x20, 'URG'],
  [0x10, 'ACK'],
  [0x08, 'PSH'],
  [0x04, 'RST'],
  [0x02, 'SYN'],
  [0x01, 'FIN'],
];

function icmp(view: DataView): string {
  const type = view.getUint8(0);
  const echo = type === 0 || type === 8 ? `ID=${view.getUint16(4)} SEQ=${view.getUint16(6)} ` : '';
  return `TYPE=${type} CODE=${view.getUint8(1)} ${echo}`;
}
