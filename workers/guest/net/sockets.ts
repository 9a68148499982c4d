/** The sockets of a guest: made, bound, connected, read and written. What arrives for them is stack.ts's business. */
import type { ErrnoName } from '../../lib/errno';
import { ipText } from '../../lib/packet/addresses';
import { encodeUdp, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../lib/packet/packet';
import { SysError } from '../sys';
import { toIp } from './addressText';
import type { Ip } from './ip';
import type { Links } from './links';
import type { DatagramSocket, DeviceState, NetState, SocketState, TcpSocket } from './state';
import { BUFFER_SIZE, type Tcp } from './tcp';

export type SocketKind = SocketState['kind'];

export class Sockets {
  constructor(
    readonly state: NetState,
    readonly links: Links,
    readonly ip: Ip,
    readonly tcp: Tcp,
    readonly env: { timerChanged(): void },
  ) {}

  /** A new socket's id. */
  socket(kind: SocketKind): number {
    if (kind === 'tcp') return this.newTcp().id;
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

  localEnd(id: number): { address: string; port: number } {
    const { localAddress, localPort } = this.#get(id);
    return { address: ipText(localAddress), port: localPort };
  }

  keepAlive(id: number): void {
    this.tcp.keepAlive(this.#tcp(id));
    this.env.timerChanged();
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
    else this.forget(id);
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

  forget(id: number): void {
    this.state.sockets = this.state.sockets.filter((socket) => socket.id !== id);
  }

  newTcp(): TcpSocket {
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
}
