/**
 * A table of netfilter as plain data: what the network stack decides by, and what iptables reads from the kernel and gives
 * back to it as a whole.
 *
 * Names and numbers: Linux 2.6.18, include/linux/netfilter_ipv4/ip_tables.h and the headers beside it.
 */

export type BuiltinChain = 'INPUT' | 'FORWARD' | 'OUTPUT';

/** In the order of the hooks, in which they are listed. */
export const BUILTIN_CHAINS: readonly BuiltinChain[] = ['INPUT', 'FORWARD', 'OUTPUT'];

export interface FilterTable {
  /** The built-in ones first, then the user's by name. */
  chains: FilterChain[];
}

export interface FilterChain {
  name: string;
  /** What happens to packets that no rule decides; undefined for a chain of the user's. */
  policy: 'ACCEPT' | 'DROP' | undefined;
  packets: number;
  bytes: number;
  rules: FilterRule[];
}

export interface AddressMatch {
  readonly address: number;
  readonly mask: number;
  readonly isInverted: boolean;
}

export interface DeviceMatch {
  /** Empty: any. With a + at its end: any that begins so. */
  readonly name: string;
  readonly isInverted: boolean;
}

export interface FilterRule {
  readonly source: AddressMatch;
  readonly destination: AddressMatch;
  readonly inDevice: DeviceMatch;
  readonly outDevice: DeviceMatch;
  /** 0: any. */
  readonly protocol: number;
  readonly isProtocolInverted: boolean;
  /** `further`: second and further fragments only; `first`: all but those. */
  readonly fragments: 'any' | 'further' | 'first';
  readonly matches: readonly FilterMatch[];
  readonly target: FilterTarget;
  packets: number;
  bytes: number;
}

/** First and last. */
export type PortRange = readonly [number, number];

export interface PortMatches {
  readonly sourcePorts: PortRange;
  readonly isSourceInverted: boolean;
  readonly destinationPorts: PortRange;
  readonly isDestinationInverted: boolean;
}

export interface TcpMatch extends PortMatches {
  readonly name: 'tcp';
  /** The flags that count, and which of them must be set; bits as in the segment. */
  readonly flagMask: number;
  readonly flags: number;
  readonly isFlagsInverted: boolean;
}

export interface UdpMatch extends PortMatches {
  readonly name: 'udp';
}

export interface IcmpMatch {
  readonly name: 'icmp';
  /** 255: any. */
  readonly type: number;
  readonly codes: PortRange;
  readonly isInverted: boolean;
}

/** Ports of a bridge that a frame came in by and goes out by. */
export interface PhysdevMatch {
  readonly name: 'physdev';
  readonly in?: DeviceMatch;
  readonly out?: DeviceMatch;
  /** Undefined: does not matter. */
  readonly isIn?: boolean;
  readonly isOut?: boolean;
  readonly isBridged?: boolean;
}

export type ConnectionState = 'INVALID' | 'NEW' | 'RELATED' | 'ESTABLISHED' | 'UNTRACKED';

/** In the order in which they are printed. */
export const CONNECTION_STATES: readonly ConnectionState[] = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED'];

export interface StateMatch {
  readonly name: 'state';
  readonly states: readonly ConnectionState[];
}

export type FilterMatch = TcpMatch | UdpMatch | IcmpMatch | PhysdevMatch | StateMatch;

export const REJECT_TYPES = [
  'icmp-net-unreachable',
  'icmp-host-unreachable',
  'icmp-proto-unreachable',
  'icmp-port-unreachable',
  'icmp-net-prohibited',
  'icmp-host-prohibited',
  'tcp-reset',
  'icmp-admin-prohibited',
] as const;

export type RejectType = (typeof REJECT_TYPES)[number];

export const LOG_TCP_SEQUENCE = 1;
export const LOG_TCP_OPTIONS = 2;
export const LOG_IP_OPTIONS = 4;

export type FilterTarget =
  /** ACCEPT, DROP, RETURN, a chain of the user's; empty: the rule counts and nothing else. */
  | { readonly kind: 'standard'; readonly name: string }
  | { readonly kind: 'REJECT'; readonly with: RejectType }
  | { readonly kind: 'LOG'; readonly level: number; readonly prefix: string; readonly flags: number };

export type LogTarget = Extract<FilterTarget, { kind: 'LOG' }>;

/** Accepts everything. */
export function emptyFilterTable(): FilterTable {
  return {
    chains: BUILTIN_CHAINS.map((name) => ({ name, policy: 'ACCEPT', packets: 0, bytes: 0, rules: [] })),
  };
}
