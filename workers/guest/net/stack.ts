/**
 * The network stack of a guest: interfaces, IPv4 and sockets over one plain state. The kernel hands it time and drivers
 * and turns its sockets into descriptors.
 */
import type { ErrnoName } from '../../lib/errno';
import {
  decodeIcmp,
  decodeUdp,
  encodeIcmp,
  ICMP_ECHO,
  ICMP_UNREACHABLE,
  type Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../../lib/packet/packet';
import { NetConfiguration } from './configuration';
import { Ip } from './ip';
import { Links } from './links';
import { Netfilter } from './netfilter/netfilter';
import { answerRejected, type RejectEnv } from './netfilter/reject';
import { Sockets } from './sockets';
import type { DatagramSocket, DeviceState, NetState } from './state';
import { Tcp } from './tcp';

export interface NetEnv {
  readonly nowNs: number;
  random(limit: number): number;
  /** The socket may have become readable or writable. */
  wakeSocket(id: number): void;
  /** `nextTimerNs` may have moved. */
  timerChanged(): void;
  /** Interfaces or their addresses changed. */
  interfacesChanged(): void;
  /** A line for the kernel's log. */
  printk(line: string): void;
}

/** Datagrams that wait in one socket at most. */
const QUEUE_LIMIT = 256;

/** What the codes of "destination unreachable" mean to a socket (Linux 2.6.18, icmp_err_convert). */
const UNREACHABLE_ERRORS: Readonly<Record<number, { readonly name: ErrnoName; readonly isFatal: boolean }>> = {
  0: { name: 'ENETUNREACH', isFatal: false },
  1: { name: 'EHOSTUNREACH', isFatal: false },
  2: { name: 'ENOPROTOOPT', isFatal: true },
  3: { name: 'ECONNREFUSED', isFatal: true },
  9: { name: 'ENETUNREACH', isFatal: true },
  10: { name: 'EHOSTUNREACH', isFatal: true },
  13: { name: 'EHOSTUNREACH', isFatal: true },
};

export class NetStack {
  readonly links: Links;
  readonly netfilter: Netfilter;
  readonly ip: Ip;
  readonly tcp: Tcp;
  readonly sockets: Sockets;
  readonly config: NetConfiguration;

  constructor(
    readonly state: NetState,
    readonly env: NetEnv,
  ) {
    this.links = new Links(state, {
      get nowNs() {
        return env.nowNs;
      },
      receive: (device, frame, port) => {
        this.ip.receive(device, frame, port);
        env.timerChanged();
      },
      mayBridge: (frame, bridge, from, to) =>
        !this.netfilter.isLoaded || this.netfilter.passesBridge(frame, bridge, from, to),
      tap: (device, frame) => this.#tap(device, frame),
      changed: () => env.interfacesChanged(),
      moved: (device) => this.ip.announceAll(device),
      frameWaits: () => env.timerChanged(),
    });
    this.netfilter = new Netfilter(state, {
      get nowNs() {
        return env.nowNs;
      },
      printk: (line) => env.printk(line),
      reject: (packet, how) => answerRejected(this.#rejectEnv, packet, how),
    });
    this.ip = new Ip(state, this.links, this.netfilter, {
      get nowNs() {
        return env.nowNs;
      },
      deliver: (packet, device) => this.#deliver(packet, device),
      unreachable: (packet) => this.#unreachable(packet),
    });
    this.tcp = new Tcp(state, {
      get nowNs() {
        return env.nowNs;
      },
      random: (limit) => env.random(limit),
      // Without a way, or against a rule: its retransmission will try again or give up.
      send: (source, destination, payload) => this.ip.trySend(source, destination, PROTOCOL_TCP, payload),
      mssTo: (destination) => this.#mssTo(destination),
      wake: (socket) => env.wakeSocket(socket.id),
      newSocket: () => this.sockets.newTcp(),
      drop: (socket) => this.sockets.forget(socket.id),
    });
    this.sockets = new Sockets(state, this.links, this.ip, this.tcp, env);
    this.config = new NetConfiguration(state, this.links, this.ip, () => {
      env.interfacesChanged();
      env.timerChanged();
    });
  }

  // ------------------------------------------------------------------------------------------- time

  get nextTimerNs(): number | undefined {
    if (this.state.inside.length > 0) return this.env.nowNs;
    const a = this.ip.nextTimerNs;
    const b = this.tcp.nextTimerNs;
    return a === undefined ? b : b === undefined ? a : Math.min(a, b);
  }

  runTimers(): void {
    this.links.deliverInside();
    this.ip.runTimers();
    this.tcp.runTimers();
    this.env.timerChanged();
  }

  // ------------------------------------------------------------------------------------------- delivery

  get #rejectEnv(): RejectEnv {
    return {
      isBroadcast: (address) => this.ip.isBroadcast(address),
      sendError: (about, type, code) => this.ip.sendError(about, type, code),
      send: (source, destination, protocol, payload) => this.ip.trySend(source, destination, protocol, payload),
    };
  }

  #deliver(packet: Ipv4Packet, device: DeviceState): boolean {
    switch (packet.protocol) {
      case PROTOCOL_ICMP:
        this.#deliverIcmp(packet);
        return true;
      case PROTOCOL_UDP:
        return this.#deliverUdp(packet, device);
      case PROTOCOL_TCP:
        for (const socket of this.#datagram('raw-tcp')) this.#queue(socket, packet.payload, packet, 0);
        this.tcp.receive(packet);
        return true;
      default:
        return false;
    }
  }

  #deliverIcmp(packet: Ipv4Packet): void {
    const icmp = decodeIcmp(packet.payload);
    if (!icmp) return;
    for (const socket of this.#datagram('icmp')) this.#queue(socket, packet.payload, packet, 0);
    if (icmp.type === ICMP_UNREACHABLE) this.#refused(icmp.data, icmp.code);
  }

  /** Our packet came back: tell the TCP connection or the connected UDP socket that sent it. */
  #refused(original: Uint8Array, code: number): void {
    const error = UNREACHABLE_ERRORS[code];
    if (original.length < 28 || !error) return;
    const view = new DataView(original.buffer, original.byteOffset, original.length);
    const at = (original[0]! & 15) * 4;
    if (original.length < at + 8) return;
    const about = { local: view.getUint16(at), address: view.getUint32(16), port: view.getUint16(at + 2) };
    if (original[9] === PROTOCOL_TCP) this.tcp.refused(about, view.getUint32(at + 4), error.name);
    if (original[9] !== PROTOCOL_UDP || !error.isFatal) return;
    for (const socket of this.#datagram('udp')) {
      const isOurs = socket.localPort === about.local && socket.remoteAddress === about.address;
      if (!isOurs || socket.remotePort !== about.port) continue;
      socket.error = error.name;
      this.env.wakeSocket(socket.id);
    }
  }

  #deliverUdp(packet: Ipv4Packet, device: DeviceState): boolean {
    const datagram = decodeUdp(packet.payload, packet.source, packet.destination);
    if (!datagram) return true;
    const isGroup = this.ip.isBroadcast(packet.destination);
    let wanted = false;
    for (const socket of this.#datagram('udp')) {
      if (socket.localPort !== datagram.destinationPort) continue;
      if (socket.device !== undefined && socket.device !== device.index) continue;
      if (socket.localAddress !== 0 && socket.localAddress !== packet.destination && !isGroup) continue;
      if (socket.remoteAddress !== undefined && socket.remoteAddress !== packet.source) continue;
      this.#queue(socket, datagram.data, packet, datagram.sourcePort);
      wanted = true;
      if (!isGroup) break;
    }
    return wanted;
  }

  #tap(device: DeviceState, frame: Uint8Array): void {
    for (const socket of this.#datagram('packet')) {
      if (socket.device !== undefined && socket.device !== device.index) continue;
      if (socket.queue.length >= QUEUE_LIMIT) continue;
      socket.queue.push({ bytes: frame.slice(), address: 0, port: device.index, ttl: 0 });
      this.env.wakeSocket(socket.id);
    }
  }

  #datagram(kind: DatagramSocket['kind']): DatagramSocket[] {
    return this.state.sockets.filter((socket): socket is DatagramSocket => socket.kind === kind);
  }

  #queue(socket: DatagramSocket, bytes: Uint8Array, packet: Ipv4Packet, port: number): void {
    if (socket.queue.length >= QUEUE_LIMIT) return;
    socket.queue.push({ bytes: bytes.slice(), address: packet.source, port, ttl: packet.ttl });
    this.env.wakeSocket(socket.id);
  }

  #unreachable(packet: Ipv4Packet): void {
    if (packet.protocol === PROTOCOL_TCP) this.tcp.unreachable(packet);
    if (packet.protocol !== PROTOCOL_ICMP || decodeIcmp(packet.payload)?.type !== ICMP_ECHO) return;
    // The sender learns it the way ping shows it: "Destination Host Unreachable", from its own address.
    const original = new Uint8Array(28);
    new DataView(original.buffer).setUint32(16, packet.destination);
    original[9] = PROTOCOL_ICMP;
    original.set(packet.payload.subarray(0, 8), 20);
    const notice = encodeIcmp({ type: ICMP_UNREACHABLE, code: 1, rest: 0, data: original });
    for (const socket of this.#datagram('icmp')) this.#queue(socket, notice, { ...packet, source: packet.source }, 0);
  }

  #mssTo(destination: number): number {
    if (this.ip.isLocal(destination)) return 16396;
    const route = this.ip.routeTo(destination);
    const device = route && this.links.byIndex(route.device);
    return (device?.mtu ?? 1500) - 40;
  }
}
