/** Everything that a guest's network stack remembers, as plain data: it is serialised with the guest. */
import type { ErrnoName } from '../../lib/errno';
import type { FilterTable } from '../netfilter';
import type { Connections } from './netfilter/connections';

export interface DeviceState {
  name: string;
  /** Name under which its driver registered it; a restored driver finds its state by it. */
  readonly driverName: string;
  readonly index: number;
  readonly kind: 'loopback' | 'ethernet' | 'bridge' | 'vif';
  mac: string;
  mtu: number;
  up: boolean;
  carrier: boolean;
  promiscuous: boolean;
  arp: boolean;
  addresses: { address: number; prefixLength: number }[];
  /** Index of the bridge it is a port of. */
  master: number | undefined;
  /** netloop: what leaves here arrives at the device with this index. */
  peer: number | undefined;
  rxPackets: number;
  rxBytes: number;
  rxErrors: number;
  rxDropped: number;
  txPackets: number;
  txBytes: number;
  txErrors: number;
  txDropped: number;
}

export interface BridgeState {
  /** Index of the bridge's own device. */
  readonly device: number;
  stp: boolean;
  forwardDelay: number;
  ports: number[];
  /** Learned addresses: which port, and when last seen. */
  table: { mac: string; port: number; seenNs: number }[];
}

export interface RouteState {
  readonly destination: number;
  readonly prefixLength: number;
  readonly gateway: number | undefined;
  readonly device: number;
  readonly source: number | undefined;
  readonly metric: number;
}

export interface ArpEntry {
  readonly address: number;
  readonly device: number;
  mac: string | undefined;
  /** Requests sent without an answer so far. */
  tries: number;
  /** When to ask again or, resolved, when the entry goes stale. */
  untilNs: number;
  /** IPv4 packets that wait for the answer. */
  waiting: Uint8Array[];
}

export interface Fragments {
  readonly key: string;
  readonly expiresNs: number;
  readonly parts: { offset: number; data: Uint8Array }[];
  total: number | undefined;
}

export interface Received {
  readonly bytes: Uint8Array;
  readonly address: number;
  readonly port: number;
  readonly ttl: number;
}

interface SocketBase {
  readonly id: number;
  /** Interface it is bound to, by index. */
  device: number | undefined;
  error: ErrnoName | undefined;
}

export interface DatagramSocket extends SocketBase {
  readonly kind: 'udp' | 'icmp' | 'packet' | 'raw-tcp';
  localAddress: number;
  localPort: number;
  remoteAddress: number | undefined;
  remotePort: number | undefined;
  queue: Received[];
}

export type TcpPhase =
  | 'closed'
  | 'listen'
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait';

export interface TcpSocket extends SocketBase {
  readonly kind: 'tcp';
  phase: TcpPhase;
  localAddress: number;
  localPort: number;
  remoteAddress: number;
  remotePort: number;
  /** Connections of a listener that are ready for accept. */
  accepted: number[];
  /** The listener that this connection came from, until accepted. */
  parent: number | undefined;
  /** First unacknowledged, next to send, and what the peer lets us send. */
  sendUna: number;
  sendNext: number;
  sendWindow: number;
  /** Bytes from sendUna on (unacknowledged, then unsent). */
  sendBuffer: Uint8Array;
  mss: number;
  finQueued: boolean;
  finSent: boolean;
  receiveNext: number;
  receiveBuffer: Uint8Array;
  finReceived: boolean;
  /** Advertised last; a reader that frees much room announces it. */
  advertised: number;
  retransmitNs: number | undefined;
  timeoutNs: number;
  retries: number;
  /** SO_KEEPALIVE: when the peer was last heard of, and the questions since. */
  keepalive?: { heardNs: number; probes: number };
  /** The descriptor is gone; the connection lives on until it has closed properly. */
  orphaned: boolean;
}

export type SocketState = DatagramSocket | TcpSocket;

export interface NetState {
  devices: DeviceState[];
  bridges: BridgeState[];
  routes: RouteState[];
  arp: ArpEntry[];
  fragments: Fragments[];
  sockets: SocketState[];
  /** Frames between devices of this guest (loopback, pairs) that have not arrived yet. */
  inside: { device: number; frame: Uint8Array }[];
  forwarding: boolean;
  /** netfilter's table `filter`, once somebody has asked for it. */
  filter: FilterTable | undefined;
  /** Connections that are followed, once a rule has asked for their states. */
  connections: Connections | undefined;
  /** What bridges pass on goes through chain FORWARD (net.bridge.bridge-nf-call-iptables). */
  bridgeCallsIptables: boolean;
  nextIndex: number;
  nextSocket: number;
  nextPort: number;
  nextIpId: number;
}

export function emptyNetState(): NetState {
  return {
    devices: [],
    bridges: [],
    routes: [],
    arp: [],
    fragments: [],
    sockets: [],
    inside: [],
    forwarding: false,
    filter: undefined,
    connections: undefined,
    bridgeCallsIptables: true,
    nextIndex: 1,
    nextSocket: 1,
    nextPort: 32768,
    nextIpId: 1,
  };
}
