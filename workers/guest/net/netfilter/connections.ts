/**
 * The connections that a guest has seen: what `-m state` decides by. Nothing is followed until a rule asks for a state.
 *
 * Behaviour and times: Linux 2.6.18, ip_conntrack_core.c, ip_conntrack_proto_tcp.c (loose: a connection is also picked up
 * in its middle), _udp.c, _icmp.c, _generic.c. Differs from it: fragments that are only passed on are not put together, so
 * that the second and further ones are INVALID.
 */
import { type Ipv4Packet, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../lib/packet/packet';
import type { ConnectionState } from '../../netfilter';

/** Who speaks to whom; of an echo the ports are its identifier and its type. */
interface Tuple {
  readonly protocol: number;
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface Connection {
  /** An answer has been seen. */
  isReplied: boolean;
  /** TCP: a reset or the end of one side has been seen. */
  isClosing: boolean;
  /** Echoes that have not been answered. */
  waiting: number;
  untilNs: number;
}

export interface Connections {
  count: number;
  /** By the tuple of the first packet. */
  readonly byTuple: Record<string, Connection>;
}

export const noConnections = (): Connections => ({ count: 0, byTuple: {} });

/** What is known about a packet before the rules have spoken; it counts once they have let it through. */
export interface Tracked {
  readonly state: ConnectionState;
  /** Entry to make or to go on with; undefined for what belongs to none. */
  readonly key?: string;
  readonly change?: Connection;
}

const LIMIT = 4096;
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const ECHO = 8;
const ECHO_REPLY = 0;
const ICMP_ERRORS: readonly number[] = [3, 4, 5, 11, 12];

const SYN_NS = 120e9;
const TCP_NS = 432_000e9;
const FIN_NS = 120e9;
const CLOSE_NS = 10e9;
const UDP_NS = 30e9;
const UDP_STREAM_NS = 180e9;
const ICMP_NS = 30e9;
const GENERIC_NS = 600e9;

const keyOf = (tuple: Tuple) =>
  `${tuple.protocol} ${tuple.source}:${tuple.sourcePort} ${tuple.destination}:${tuple.destinationPort}`;

const reversed = (tuple: Tuple): Tuple => ({
  protocol: tuple.protocol,
  source: tuple.destination,
  destination: tuple.source,
  ...(tuple.protocol === PROTOCOL_ICMP
    ? { sourcePort: tuple.sourcePort, destinationPort: ECHO - tuple.destinationPort }
    : { sourcePort: tuple.destinationPort, destinationPort: tuple.sourcePort }),
});

/** Looks a packet up; changes nothing but to forget what is over. */
export function track(connections: Connections, packet: Ipv4Packet, nowNs: number): Tracked {
  const { payload } = packet;
  if (packet.fragmentOffset > 0) return { state: 'INVALID' };
  if (packet.protocol === PROTOCOL_ICMP && payload.length >= 8 && ICMP_ERRORS.includes(payload[0]!))
    return { state: isRelated(connections, payload, nowNs) ? 'RELATED' : 'INVALID' };
  const tuple = tupleOf(packet);
  if (!tuple) return { state: 'INVALID' };
  const flags = packet.protocol === PROTOCOL_TCP ? payload[13]! : 0;
  const key = keyOf(tuple);
  const own = live(connections, key, nowNs);
  const isFresh = own?.isClosing === true && (flags & (SYN | ACK | RST)) === SYN;
  if (own && !isFresh) {
    const state = own.isReplied ? 'ESTABLISHED' : 'NEW';
    return { state, key, change: next(own, tuple.protocol, flags, false, nowNs) };
  }
  const answered = keyOf(reversed(tuple));
  const first = isFresh ? undefined : live(connections, answered, nowNs);
  if (first) return { state: 'ESTABLISHED', key: answered, change: next(first, tuple.protocol, flags, true, nowNs) };
  if (!mayBegin(packet, flags)) return { state: 'INVALID' };
  const blank: Connection = { isReplied: false, isClosing: false, waiting: 0, untilNs: 0 };
  return { state: 'NEW', key, change: next(blank, tuple.protocol, flags, false, nowNs) };
}

/** The packet was let through. False: there is no room for another connection, the packet is dropped after all. */
export function confirm(connections: Connections, tracked: Tracked, nowNs: number): boolean {
  if (tracked.key === undefined || !tracked.change) return true;
  if (!(tracked.key in connections.byTuple)) {
    if (connections.count >= LIMIT && !makeRoom(connections, nowNs)) return false;
    connections.count++;
  }
  connections.byTuple[tracked.key] = tracked.change;
  return true;
}

function live(connections: Connections, key: string, nowNs: number): Connection | undefined {
  const connection = connections.byTuple[key];
  if (!connection || connection.untilNs > nowNs) return connection;
  forget(connections, key);
  return undefined;
}

function forget(connections: Connections, key: string): void {
  delete connections.byTuple[key];
  connections.count--;
}

/** One goes that is over or that nobody has answered; the oldest first. */
function makeRoom(connections: Connections, nowNs: number): boolean {
  for (const [key, { isReplied, untilNs }] of Object.entries(connections.byTuple)) {
    if (isReplied && untilNs > nowNs) continue;
    forget(connections, key);
    return true;
  }
  return false;
}

function next(of: Connection, protocol: number, flags: number, isAnswer: boolean, nowNs: number): Connection {
  const isReplied = of.isReplied || isAnswer;
  const isClosing = of.isClosing || (flags & (FIN | RST)) !== 0;
  const waiting = protocol === PROTOCOL_ICMP ? of.waiting + (isAnswer ? -1 : 1) : 0;
  // An echo is over with its answer.
  const isOver = protocol === PROTOCOL_ICMP && waiting <= 0;
  const untilNs = isOver ? nowNs : nowNs + lifeNs(protocol, flags, isReplied, isClosing);
  return { isReplied, isClosing, waiting, untilNs };
}

function lifeNs(protocol: number, flags: number, isReplied: boolean, isClosing: boolean): number {
  switch (protocol) {
    case PROTOCOL_TCP:
      if (flags & RST) return CLOSE_NS;
      if (isClosing) return FIN_NS;
      return isReplied || !(flags & SYN) ? TCP_NS : SYN_NS;
    case PROTOCOL_UDP:
      return isReplied ? UDP_STREAM_NS : UDP_NS;
    case PROTOCOL_ICMP:
      return ICMP_NS;
    default:
      return GENERIC_NS;
  }
}

/** A connection begins with a SYN, in its middle with an ACK; an echo with the request. */
function mayBegin({ protocol, payload }: Ipv4Packet, flags: number): boolean {
  if (protocol === PROTOCOL_ICMP) return payload[0] === ECHO;
  if (protocol !== PROTOCOL_TCP) return true;
  const kind = flags & (SYN | ACK | FIN | RST);
  return kind === SYN || kind === ACK;
}

function tupleOf(packet: Ipv4Packet): Tuple | undefined {
  const { protocol, source, destination, payload } = packet;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  if (protocol === PROTOCOL_ICMP) {
    if (payload.length < 8 || (payload[0] !== ECHO && payload[0] !== ECHO_REPLY)) return undefined;
    return { protocol, source, destination, sourcePort: view.getUint16(4), destinationPort: payload[0]! };
  }
  const hasPorts = protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP;
  if (!hasPorts) return { protocol, source, destination, sourcePort: 0, destinationPort: 0 };
  if (payload.length < (protocol === PROTOCOL_TCP ? 20 : 8)) return undefined;
  return { protocol, source, destination, sourcePort: view.getUint16(0), destinationPort: view.getUint16(2) };
}

/** An ICMP error quotes the packet that it is about: does that belong to a connection? */
function isRelated(connections: Connections, icmp: Uint8Array, nowNs: number): boolean {
  const quoted = icmp.subarray(8);
  const header = ((quoted[0] ?? 0) & 15) * 4;
  if (header < 20 || quoted.length < header + 8) return false;
  const view = new DataView(quoted.buffer, quoted.byteOffset, quoted.length);
  const protocol = quoted[9]!;
  const isEcho = protocol === PROTOCOL_ICMP;
  const hasPorts = isEcho || protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP;
  const tuple: Tuple = {
    protocol,
    source: view.getUint32(12),
    destination: view.getUint32(16),
    sourcePort: hasPorts ? view.getUint16(header + (isEcho ? 4 : 0)) : 0,
    destinationPort: isEcho ? quoted[header]! : hasPorts ? view.getUint16(header + 2) : 0,
  };
  return [tuple, reversed(tuple)].some((each) => live(connections, keyOf(each), nowNs) !== undefined);
}
