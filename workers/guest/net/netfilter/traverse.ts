/** A packet's way through a chain: rule after rule, until one decides (Linux 2.6.18, ip_tables.c and the matches beside it). */
import { type Ipv4Packet, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../lib/packet/packet';
import type {
  AddressMatch,
  BuiltinChain,
  ConnectionState,
  DeviceMatch,
  FilterChain,
  FilterMatch,
  FilterRule,
  FilterTable,
  IcmpMatch,
  LogTarget,
  PhysdevMatch,
  PortMatches,
  PortRange,
  RejectType,
  TcpMatch,
} from '../../netfilter';

/** A packet at a hook. Names of devices are empty where there is none. */
export interface Passing {
  readonly packet: Ipv4Packet;
  readonly in: string;
  readonly out: string;
  /** Ports of the bridge that it passes through. */
  readonly portIn: string;
  readonly portOut: string;
  readonly state: ConnectionState;
  /** With its Ethernet header, if it came in with one. */
  readonly frame?: Uint8Array | undefined;
}

export type Verdict = 'ACCEPT' | 'DROP' | RejectType;

export function lengthOf(packet: Ipv4Packet): number {
  return 20 + packet.payload.length;
}

/** `log` is called for each rule with target LOG that matches. */
export function traverse(
  table: FilterTable,
  name: BuiltinChain,
  passing: Passing,
  log: (target: LogTarget, passing: Passing) => void,
): Verdict {
  const chain = table.chains.find((candidate) => candidate.name === name)!;
  const verdict = walk(table, chain, passing, log);
  if (verdict !== undefined) return verdict;
  chain.packets++;
  chain.bytes += lengthOf(passing.packet);
  return chain.policy!;
}

/** Undefined: the chain has come to its end, or a rule said RETURN. */
function walk(
  table: FilterTable,
  chain: FilterChain,
  passing: Passing,
  log: (target: LogTarget, passing: Passing) => void,
): Verdict | undefined {
  for (const rule of chain.rules) {
    if (!isMatch(rule, passing)) continue;
    rule.packets++;
    rule.bytes += lengthOf(passing.packet);
    const { target } = rule;
    if (target.kind === 'REJECT') return target.with;
    if (target.kind === 'LOG') {
      log(target, passing);
      continue;
    }
    if (target.name === 'ACCEPT' || target.name === 'DROP') return target.name;
    if (target.name === 'RETURN') return undefined;
    const next = table.chains.find((candidate) => candidate.name === target.name);
    const verdict = next && walk(table, next, passing, log);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

function isMatch(rule: FilterRule, passing: Passing): boolean {
  const { packet } = passing;
  if (rule.protocol !== 0 && (packet.protocol === rule.protocol) === rule.isProtocolInverted) return false;
  if (!isAddress(rule.source, packet.source) || !isAddress(rule.destination, packet.destination)) return false;
  if (!isDevice(rule.inDevice, passing.in) || !isDevice(rule.outDevice, passing.out)) return false;
  if (rule.fragments !== 'any' && (rule.fragments === 'further') !== packet.fragmentOffset > 0) return false;
  return rule.matches.every((match) => isExtension(match, passing));
}

function isAddress(match: AddressMatch, address: number): boolean {
  return (((address ^ match.address) & match.mask) === 0) !== match.isInverted;
}

/** A `+` at the end stands for anything. */
function isDevice({ name, isInverted }: DeviceMatch, device: string): boolean {
  if (name === '') return true;
  const isSame = name.endsWith('+') ? device.startsWith(name.slice(0, -1)) : device === name;
  return isSame !== isInverted;
}

function isExtension(match: FilterMatch, passing: Passing): boolean {
  switch (match.name) {
    case 'tcp':
      return isTcp(match, passing.packet);
    case 'udp':
      return isPorts(match, passing.packet, PROTOCOL_UDP, 8);
    case 'icmp':
      return isIcmp(match, passing.packet);
    case 'physdev':
      return isPhysdev(match, passing);
    case 'state':
      return match.states.includes(passing.state);
  }
}

const within = (value: number, [first, last]: PortRange) => value >= first && value <= last;

/** Further fragments have no ports: they match no rule that asks for the protocol's header. */
function isPorts(match: PortMatches, packet: Ipv4Packet, protocol: number, header: number): boolean {
  const { payload } = packet;
  if (packet.protocol !== protocol || packet.fragmentOffset > 0 || payload.length < header) return false;
  const source = (payload[0]! << 8) | payload[1]!;
  const destination = (payload[2]! << 8) | payload[3]!;
  return (
    within(source, match.sourcePorts) !== match.isSourceInverted &&
    within(destination, match.destinationPorts) !== match.isDestinationInverted
  );
}

function isTcp(match: TcpMatch, packet: Ipv4Packet): boolean {
  if (!isPorts(match, packet, PROTOCOL_TCP, 20)) return false;
  return ((packet.payload[13]! & match.flagMask) === match.flags) !== match.isFlagsInverted;
}

function isIcmp(match: IcmpMatch, { protocol, payload, fragmentOffset }: Ipv4Packet): boolean {
  if (protocol !== PROTOCOL_ICMP || fragmentOffset > 0 || payload.length < 2) return false;
  if (match.type === 255) return !match.isInverted;
  return (payload[0] === match.type && within(payload[1]!, match.codes)) !== match.isInverted;
}

function isPhysdev(match: PhysdevMatch, { portIn, portOut }: Passing): boolean {
  const isBridged = portIn !== '' && portOut !== '';
  if (match.isIn !== undefined && match.isIn !== (portIn !== '')) return false;
  if (match.isOut !== undefined && match.isOut !== (portOut !== '')) return false;
  if (match.isBridged !== undefined && match.isBridged !== isBridged) return false;
  return (!match.in || isDevice(match.in, portIn)) && (!match.out || isDevice(match.out, portOut));
}
