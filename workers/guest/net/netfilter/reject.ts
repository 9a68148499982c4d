/** The answer of target REJECT to a packet that it turns away (Linux 2.6.18, ipt_REJECT.c). */
import {
  decodeIcmp,
  decodeTcp,
  ICMP_UNREACHABLE,
  type Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
} from '../../../lib/packet/packet';
import type { RejectType } from '../../netfilter';
import { resetFor } from '../tcpReset';

export interface RejectEnv {
  isBroadcast(address: number): boolean;
  /** An ICMP error about a packet goes back to its sender. */
  sendError(about: Ipv4Packet, type: number, code: number): void;
  /** A packet that this guest makes; one that cannot be sent is lost. */
  send(source: number, destination: number, protocol: number, payload: Uint8Array): void;
}

const CODES: Readonly<Record<Exclude<RejectType, 'tcp-reset'>, number>> = {
  'icmp-net-unreachable': 0,
  'icmp-host-unreachable': 1,
  'icmp-proto-unreachable': 2,
  'icmp-port-unreachable': 3,
  'icmp-net-prohibited': 9,
  'icmp-host-prohibited': 10,
  'icmp-admin-prohibited': 13,
};

/** ICMP types that are answers to a packet themselves: nothing is said to them (RFC 1122). */
const ERRORS: readonly number[] = [3, 4, 5, 11, 12];

export function answerRejected(env: RejectEnv, packet: Ipv4Packet, how: RejectType): void {
  const isGroup = env.isBroadcast(packet.destination) || packet.destination >>> 28 === 14;
  if (packet.fragmentOffset > 0 || isGroup) return;
  if (how === 'tcp-reset') {
    reset(env, packet);
    return;
  }
  if (packet.protocol === PROTOCOL_ICMP) {
    const icmp = decodeIcmp(packet.payload);
    if (!icmp || ERRORS.includes(icmp.type)) return;
  }
  env.sendError(packet, ICMP_UNREACHABLE, CODES[how]);
}

/** A reset in the name of the other end; none for a reset. */
function reset(env: RejectEnv, packet: Ipv4Packet): void {
  if (packet.protocol !== PROTOCOL_TCP) return;
  const segment = decodeTcp(packet.payload, packet.source, packet.destination);
  if (!segment || segment.flags.rst) return;
  env.send(packet.destination, packet.source, PROTOCOL_TCP, resetFor(packet, segment));
}
