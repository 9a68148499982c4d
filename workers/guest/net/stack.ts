/**
 * The network stack of a guest: interfaces, IPv4 and sockets over one plain state. The kernel hands it time and drivers
 * and turns its sockets into descriptors.
 */
import type { ErrnoName } from '../../lib/errno';
import { broadcastOf, ipText, maskOf, networkOf, parseIp, parseMac } from '../../lib/packet/addresses';
import {
  decodeIcmp,
  decodeUdp,
  encodeIcmp,
  encodeUdp,
  ICMP_ECHO,
  ICMP_UNREACHABLE,
  type Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../../lib/packet/packet';
import { type InterfaceInfo, type RouteInfo, SysError } from '../sys';
import { Ip } from './ip';
import { Links } from './links';
import type { DatagramSocket, DeviceState, NetState, RouteState, SocketState, TcpSocket } from './state';
import { BUFFER_SIZE, Tcp } from './tcp';

export type SocketKind = SocketState['kind'];

export interface NetEnv {
  readonly nowNs: number;
  random(limit: number): number;
  /** The socket may have become readable or writable. */
  wakeSocket(id: number): void;
  /** `nextTimerNs` may have moved. */
  timerChanged(): void;
  /** Interfaces or their addresses changed. */
  interfacesChanged(): void;
}

/** Datagrams that wait in one socket at most. */
const QUEUE_LIMIT = 256;

export class NetStack {
  readonly links: Links;
  readonly ip: Ip;
  readonly tcp: Tcp;

  constructor(
    readonly state: NetState,
    readonly env: NetEnv,
  ) {
    this.links = new Links(state, {
      get nowNs() {
        return env.nowNs;
      },
      receive: (device, frame) => {
        this.ip.receive(device, frame);
        env.timerChanged();
      },
      tap: (device, frame) => this.#tap(device, frame),
      changed: () => env.interfacesChanged(),
      frameWaits: () => env.timerChanged(),
    });
    this.ip = new Ip(state, this.links, {
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
      send: (source, destination, payload) => this.#trySend(source, destination, PROTOCOL_TCP, payload),
      mssTo: (destination) => this.#mssTo(destination),
      wake: (socket) => env.wakeSocket(socket.id),
      newSocket: () => this.#newTcp(),
      drop: (socket) => this.#forget(socket.id),
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

  // ------------------------------------------------------------------------------------------- interfaces

  interfaces(): readonly InterfaceInfo[] {
    return this.state.devices.map((device) => this.#interfaceInfo(device));
  }

  setUp(name: string, up: boolean): void {
    this.ip.setUp(this.links.get(name), up);
    this.#changed();
  }

  /** Replaces all addresses of the interface; undefined removes them. */
  setAddress(name: string, address: string | undefined, prefixLength?: number): void {
    const device = this.links.get(name);
    const value = address === undefined ? undefined : toIp(address);
    for (const own of [...device.addresses]) this.ip.removeAddress(device, own.address);
    if (value !== undefined && value !== 0) this.ip.addAddress(device, value, prefixLength ?? classPrefix(value));
    this.#changed();
  }

  addAddress(name: string, address: string, prefixLength: number): void {
    this.ip.addAddress(this.links.get(name), toIp(address), prefixLength);
    this.#changed();
  }

  /** SysError EADDRNOTAVAIL when the interface does not have it. */
  removeAddress(name: string, address: string): void {
    const device = this.links.get(name);
    const value = toIp(address);
    if (!device.addresses.some((own) => own.address === value)) throw new SysError('EADDRNOTAVAIL');
    this.ip.removeAddress(device, value);
    this.#changed();
  }

  setMac(name: string, mac: string): void {
    const device = this.links.get(name);
    if (!parseMac(mac)) throw new SysError('EINVAL', mac);
    device.mac = mac.toLowerCase();
    this.#changed();
  }

  setMtu(name: string, mtu: number): void {
    if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65535) throw new SysError('EINVAL');
    this.links.get(name).mtu = mtu;
  }

  setArp(name: string, on: boolean): void {
    this.links.get(name).arp = on;
  }

  setPromiscuous(name: string, on: boolean): void {
    this.links.get(name).promiscuous = on;
  }

  /** SysError EBUSY while the interface is up, EEXIST when the new name is taken. */
  rename(name: string, to: string): void {
    const device = this.links.get(name);
    if (device.up) throw new SysError('EBUSY', name);
    if (this.links.find(to)) throw new SysError('EEXIST', to);
    if (to.length === 0 || to.length > 15 || /[/\s]/.test(to)) throw new SysError('EINVAL', to);
    device.name = to;
    this.#changed();
  }

  bridges(): readonly { name: string; id: string; stp: boolean; ports: readonly string[] }[] {
    return this.state.bridges.map((bridge) => ({
      name: this.links.byIndex(bridge.device)!.name,
      id: this.links.bridgeId(bridge),
      stp: bridge.stp,
      ports: bridge.ports.map((port) => this.links.byIndex(port)!.name),
    }));
  }

  #interfaceInfo(device: DeviceState): InterfaceInfo {
    const own = device.addresses[0];
    const master = device.master === undefined ? undefined : this.links.byIndex(device.master)?.name;
    return {
      name: device.name,
      index: device.index,
      mac: device.mac,
      mtu: device.mtu,
      up: device.up,
      running: this.links.isRunning(device),
      promiscuous: device.promiscuous,
      kind: device.kind,
      ...(own
        ? {
            address: ipText(own.address),
            prefixLength: own.prefixLength,
            broadcast: ipText(broadcastOf(own.address, own.prefixLength)),
          }
        : {}),
      ...(master === undefined ? {} : { master }),
      addresses: device.addresses.map((each) => ({ address: ipText(each.address), prefixLength: each.prefixLength })),
      arp: device.arp,
      rxPackets: device.rxPackets,
      rxBytes: device.rxBytes,
      rxErrors: device.rxErrors,
      rxDropped: device.rxDropped,
      txPackets: device.txPackets,
      txBytes: device.txBytes,
      txErrors: device.txErrors,
      txDropped: device.txDropped,
    };
  }

  // ------------------------------------------------------------------------------------------- routes and ARP

  routes(): readonly RouteInfo[] {
    return this.state.routes.map((route) => ({
      destination: ipText(route.destination),
      prefixLength: route.prefixLength,
      ...(route.gateway === undefined ? {} : { gateway: ipText(route.gateway) }),
      device: this.links.byIndex(route.device)!.name,
      ...(route.source === undefined ? {} : { source: ipText(route.source) }),
      metric: route.metric,
    }));
  }

  /** SysError EEXIST for a duplicate, ENETUNREACH when the gateway is not on a network of ours, EINVAL for host bits. */
  addRoute(route: RouteInfo): void {
    const destination = toIp(route.destination);
    if (networkOf(destination, route.prefixLength) !== destination) throw new SysError('EINVAL');
    const gateway = route.gateway === undefined ? undefined : toIp(route.gateway);
    let device = route.device === '' ? undefined : this.links.get(route.device);
    if (!device) {
      const via = gateway === undefined ? undefined : this.ip.routeTo(gateway);
      device = via && this.links.byIndex(via.device);
      if (!device) throw new SysError('ENETUNREACH');
    }
    if (!device.up) throw new SysError('ENETDOWN');
    if (gateway !== undefined && !this.#isOnLink(device, gateway)) throw new SysError('ENETUNREACH');
    const added: RouteState = {
      destination,
      prefixLength: route.prefixLength,
      gateway,
      device: device.index,
      source: route.source === undefined ? undefined : toIp(route.source),
      metric: route.metric,
    };
    const isKnown = this.state.routes.some(
      (other) =>
        other.destination === destination &&
        other.prefixLength === added.prefixLength &&
        other.metric === added.metric &&
        other.device === added.device &&
        other.gateway === gateway,
    );
    if (isKnown) throw new SysError('EEXIST');
    this.state.routes.push(added);
  }

  /** SysError ESRCH when no route matches. */
  deleteRoute(route: Partial<RouteInfo> & { destination: string; prefixLength: number }): void {
    const destination = toIp(route.destination);
    const index = this.state.routes.findIndex(
      (candidate) =>
        candidate.destination === destination &&
        candidate.prefixLength === route.prefixLength &&
        (route.gateway === undefined || candidate.gateway === toIp(route.gateway)) &&
        (route.device === undefined || this.links.byIndex(candidate.device)?.name === route.device),
    );
    if (index < 0) throw new SysError('ESRCH');
    this.state.routes.splice(index, 1);
  }

  arpTable(): readonly { address: string; mac: string; device: string; complete: boolean }[] {
    return this.state.arp.map((entry) => ({
      address: ipText(entry.address),
      mac: entry.mac ?? '00:00:00:00:00:00',
      device: this.links.byIndex(entry.device)?.name ?? '?',
      complete: entry.mac !== undefined,
    }));
  }

  /** SysError ENXIO when there is no such entry. */
  deleteArp(address: string): void {
    const value = toIp(address);
    const before = this.state.arp.length;
    this.state.arp = this.state.arp.filter((entry) => entry.address !== value);
    if (this.state.arp.length === before) throw new SysError('ENXIO', address);
  }

  #isOnLink(device: DeviceState, address: number): boolean {
    return (
      device.addresses.some(
        (own) => networkOf(own.address, own.prefixLength) === networkOf(address, own.prefixLength),
      ) ||
      this.state.routes.some(
        (route) =>
          route.device === device.index &&
          route.gateway === undefined &&
          ((route.destination ^ address) & maskOf(route.prefixLength)) === 0,
      )
    );
  }

  // ------------------------------------------------------------------------------------------- sockets

  /** A new socket's id. */
  socket(kind: SocketKind): number {
    if (kind === 'tcp') return this.#newTcp().id;
    const socket: DatagramSocket = {
      id: this.state.nextSocket++,
      kind,
      device: undefined,
      error: undefined,
      localAddress: 0,
      localPort: 0,
      remoteAddress: undefined,
      remotePort: undefined,
      queue: [],
    };
    this.state.sockets.push(socket);
    return socket.id;
  }

  /** SysError EADDRINUSE, EADDRNOTAVAIL, ENODEV. Port 0 chooses one. */
  bind(id: number, address: string, port: number, device?: string): void {
    const socket = this.#get(id);
    const local = toIp(address);
    if (local !== 0 && !this.ip.isLocal(local)) throw new SysError('EADDRNOTAVAIL');
    if (device !== undefined) socket.device = this.links.get(device).index;
    if (port !== 0 && this.#isPortUsed(socket.kind, port, local, socket.device)) throw new SysError('EADDRINUSE');
    socket.localAddress = local;
    socket.localPort = port === 0 ? this.#freePort(socket.kind) : port;
  }

  connect(id: number, address: string, port: number): void {
    const socket = this.#get(id);
    const remote = toIp(address);
    const device = this.#deviceOf(socket);
    if (socket.localPort === 0 && (socket.kind === 'tcp' || socket.kind === 'udp'))
      socket.localPort = this.#freePort(socket.kind);
    socket.remoteAddress = remote;
    socket.remotePort = port;
    if (socket.kind !== 'tcp') return;
    if (socket.phase !== 'closed') throw new SysError(socket.phase === 'syn-sent' ? 'EINPROGRESS' : 'EISCONN');
    socket.localAddress ||= this.ip.sourceFor(remote, device);
    socket.error = undefined;
    this.tcp.connect(socket);
    this.env.timerChanged();
  }

  listen(id: number): void {
    const socket = this.#tcp(id);
    if (socket.localPort === 0) socket.localPort = this.#freePort('tcp');
    socket.phase = 'listen';
  }

  /** The id of a connection that waits, with its peer. */
  accept(id: number): { id: number; address: string; port: number } | undefined {
    const socket = this.#tcp(id);
    if (socket.phase !== 'listen') throw new SysError('EINVAL');
    const next = socket.accepted.shift();
    if (next === undefined) return undefined;
    const connection = this.#tcp(next);
    connection.parent = undefined;
    return { id: next, address: ipText(connection.remoteAddress), port: connection.remotePort };
  }

  sendTo(id: number, bytes: Uint8Array, address: string, port: number): void {
    const socket = this.#get(id);
    if (socket.kind === 'tcp') throw new SysError('EISCONN');
    const device = this.#deviceOf(socket);
    if (socket.kind === 'packet') {
      if (!device) throw new SysError('ENODEV');
      this.links.output(device, bytes);
      return;
    }
    const destination = toIp(address);
    if (socket.kind === 'udp' && socket.localPort === 0) socket.localPort = this.#freePort('udp');
    const source = socket.localAddress || this.ip.sourceFor(destination, device);
    const options = this.ip.isBroadcast(destination) || (device && !this.ip.isLocal(destination)) ? { device } : {};
    if (socket.kind === 'udp') {
      const data = encodeUdp({ sourcePort: socket.localPort, destinationPort: port, data: bytes }, source, destination);
      this.ip.send(source, destination, PROTOCOL_UDP, data, options);
    } else {
      this.ip.send(source, destination, socket.kind === 'icmp' ? PROTOCOL_ICMP : PROTOCOL_TCP, bytes, options);
    }
    this.env.timerChanged();
  }

  receiveFrom(id: number): { bytes: Uint8Array; address: string; port: number; ttl: number } | undefined {
    const socket = this.#get(id);
    if (socket.kind === 'tcp') throw new SysError('EOPNOTSUPP');
    this.#throwError(socket);
    const next = socket.queue.shift();
    return next && { ...next, address: ipText(next.address) };
  }

  /** Undefined: connected; 'pending': still trying; otherwise why it failed. */
  socketError(id: number): ErrnoName | 'pending' | undefined {
    const socket = this.#get(id);
    if (socket.kind === 'tcp' && (socket.phase === 'syn-sent' || socket.phase === 'syn-received')) return 'pending';
    return socket.error;
  }

  shutdownWrite(id: number): void {
    this.tcp.shutdown(this.#tcp(id));
    this.env.timerChanged();
  }

  /** Up to `max` bytes; empty at the end; undefined when nothing is there yet. Pending errors are thrown once. */
  read(id: number, max: number): Uint8Array | undefined {
    const socket = this.#get(id);
    if (socket.kind !== 'tcp') return this.receiveFrom(id)?.bytes;
    if (socket.receiveBuffer.length > 0) return this.tcp.read(socket, max);
    this.#throwError(socket);
    if (socket.phase === 'listen') throw new SysError('ENOTCONN');
    if (socket.finReceived || socket.phase === 'closed') return new Uint8Array(0);
    return undefined;
  }

  /** Bytes taken; 0 when it would block. SysError EPIPE once the connection cannot send any more. */
  write(id: number, bytes: Uint8Array): number {
    const socket = this.#get(id);
    if (socket.kind !== 'tcp') {
      if (socket.remoteAddress === undefined) throw new SysError('ENOTCONN');
      this.sendTo(id, bytes, ipText(socket.remoteAddress), socket.remotePort ?? 0);
      return bytes.length;
    }
    this.#throwError(socket);
    if (socket.phase === 'syn-sent' || socket.phase === 'syn-received') return 0;
    if (socket.finQueued || (socket.phase !== 'established' && socket.phase !== 'close-wait'))
      throw new SysError('EPIPE');
    const taken = this.tcp.write(socket, bytes);
    this.env.timerChanged();
    return taken;
  }

  isReadable(id: number): boolean {
    const socket = this.#find(id);
    if (!socket || socket.error !== undefined) return true;
    if (socket.kind !== 'tcp') return socket.queue.length > 0;
    if (socket.phase === 'listen') return socket.accepted.length > 0;
    return socket.receiveBuffer.length > 0 || socket.finReceived || socket.phase === 'closed';
  }

  isWritable(id: number): boolean {
    const socket = this.#find(id);
    if (!socket || socket.error !== undefined || socket.kind !== 'tcp') return true;
    if (socket.phase === 'syn-sent' || socket.phase === 'syn-received') return false;
    return socket.sendBuffer.length < BUFFER_SIZE;
  }

  /** The descriptor is gone. */
  close(id: number): void {
    const socket = this.#find(id);
    if (!socket) return;
    if (socket.kind === 'tcp') this.tcp.close(socket);
    else this.#forget(id);
    this.env.timerChanged();
  }

  #find(id: number): SocketState | undefined {
    return this.state.sockets.find((socket) => socket.id === id);
  }

  #get(id: number): SocketState {
    const socket = this.#find(id);
    if (!socket) throw new SysError('ENOTSOCK');
    return socket;
  }

  #tcp(id: number): TcpSocket {
    const socket = this.#get(id);
    if (socket.kind !== 'tcp') throw new SysError('EOPNOTSUPP');
    return socket;
  }

  #throwError(socket: SocketState): void {
    if (socket.error === undefined) return;
    const error = socket.error;
    socket.error = undefined;
    throw new SysError(error);
  }

  #deviceOf(socket: SocketState): DeviceState | undefined {
    return socket.device === undefined ? undefined : this.links.byIndex(socket.device);
  }

  #forget(id: number): void {
    this.state.sockets = this.state.sockets.filter((socket) => socket.id !== id);
  }

  #newTcp(): TcpSocket {
    const socket: TcpSocket = {
      id: this.state.nextSocket++,
      kind: 'tcp',
      device: undefined,
      error: undefined,
      phase: 'closed',
      localAddress: 0,
      localPort: 0,
      remoteAddress: 0,
      remotePort: 0,
      accepted: [],
      parent: undefined,
      sendUna: 0,
      sendNext: 0,
      sendWindow: 0,
      sendBuffer: new Uint8Array(0),
      mss: 536,
      finQueued: false,
      finSent: false,
      receiveNext: 0,
      receiveBuffer: new Uint8Array(0),
      finReceived: false,
      advertised: BUFFER_SIZE,
      retransmitNs: undefined,
      timeoutNs: 0,
      retries: 0,
      orphaned: false,
    };
    this.state.sockets.push(socket);
    return socket;
  }

  #isPortUsed(kind: SocketKind, port: number, address: number, device: number | undefined): boolean {
    return this.state.sockets.some(
      (other) =>
        other.kind === kind &&
        other.localPort === port &&
        (other.localAddress === 0 || address === 0 || other.localAddress === address) &&
        (other.device === undefined || device === undefined || other.device === device) &&
        !(other.kind === 'tcp' && other.phase !== 'listen' && other.phase !== 'closed'),
    );
  }

  #freePort(kind: SocketKind): number {
    for (let tries = 0; tries < 28232; tries++) {
      const port = this.state.nextPort++;
      if (this.state.nextPort > 61000) this.state.nextPort = 32768;
      if (!this.state.sockets.some((socket) => socket.kind === kind && socket.localPort === port)) return port;
    }
    throw new SysError('EADDRINUSE');
  }

  // ------------------------------------------------------------------------------------------- delivery

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
    if (icmp.type === ICMP_UNREACHABLE) this.#refused(icmp.data);
  }

  /** Our datagram came back: tell the connected UDP socket that sent it. */
  #refused(original: Uint8Array): void {
    if (original.length < 28 || original[9] !== PROTOCOL_UDP) return;
    const view = new DataView(original.buffer, original.byteOffset, original.length);
    const local = view.getUint16(20);
    const remote = view.getUint32(16);
    for (const socket of this.#datagram('udp')) {
      if (socket.localPort === local && socket.remoteAddress === remote) {
        socket.error = 'ECONNREFUSED';
        this.env.wakeSocket(socket.id);
      }
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

  #trySend(source: number, destination: number, protocol: number, payload: Uint8Array): void {
    try {
      this.ip.send(source, destination, protocol, payload);
    } catch (error) {
      // The route went away under a connection: its retransmission will find it again or give up.
      if (!(error instanceof SysError)) throw error;
    }
  }

  #mssTo(destination: number): number {
    if (this.ip.isLocal(destination)) return 16396;
    const route = this.ip.routeTo(destination);
    const device = route && this.links.byIndex(route.device);
    return (device?.mtu ?? 1500) - 40;
  }

  #changed(): void {
    this.env.interfacesChanged();
    this.env.timerChanged();
  }
}

/** SysError EINVAL for text that is no address. */
function toIp(text: string): number {
  const value = parseIp(text);
  if (value === undefined) throw new SysError('EINVAL', text);
  return value;
}

/** The prefix that ifconfig assumes when none is given: by address class. */
function classPrefix(address: number): number {
  const first = address >>> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}
