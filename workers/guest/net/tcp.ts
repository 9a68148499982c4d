/**
 * TCP, as much as tools over one connection need: in-order data, a send window, retransmission with growing timeouts,
 * orderly close and reset. Out-of-order segments are dropped and come again.
 *
 * Behaviour: RFC 793 and 1122; times as Linux 2.6.18 (first retransmission after 200 ms, SYN after 3 s, 5 SYN retries).
 */
import type { ErrnoName } from '../../lib/errno';
import { decodeTcp, encodeTcp, type Ipv4Packet, type TcpFlags, type TcpSegment } from '../../lib/packet/packet';
import type { NetState, TcpSocket } from './state';
import { resetFor } from './tcpReset';

export const BUFFER_SIZE = 65535;
const SYN_TIMEOUT_NS = 3e9;
const SYN_RETRIES = 5;
const MIN_TIMEOUT_NS = 200e6;
const MAX_TIMEOUT_NS = 120e9;
const RETRIES = 15;
const TIME_WAIT_NS = 60e9;
/** A silent peer is asked after this long, so often, and is then given up: much sooner than Linux does (2 h). */
const KEEPALIVE_NS = 15e9;
const KEEPALIVE_PROBES = 9;
const MAX_BACKLOG = 128;

export interface TcpEnv {
  readonly nowNs: number;
  random(limit: number): number;
  send(source: number, destination: number, payload: Uint8Array): void;
  mssTo(destination: number): number;
  /** Readiness of the socket may have changed. */
  wake(socket: TcpSocket): void;
  newSocket(): TcpSocket;
  drop(socket: TcpSocket): void;
}

const add = (sequence: number, n: number) => (sequence + n) >>> 0;
/** a − b as a signed distance. */
const distance = (a: number, b: number) => (a - b) | 0;

export class Tcp {
  constructor(
    readonly state: NetState,
    readonly env: TcpEnv,
  ) {}

  // ------------------------------------------------------------------------------------- what programs do

  connect(socket: TcpSocket): void {
    const iss = this.env.random(0x1_0000_0000);
    socket.sendUna = iss;
    socket.sendNext = iss;
    socket.mss = this.env.mssTo(socket.remoteAddress);
    socket.phase = 'syn-sent';
    socket.timeoutNs = SYN_TIMEOUT_NS;
    this.#sendSyn(socket);
  }

  /** Bytes taken from `data`; 0 when the buffer is full. */
  write(socket: TcpSocket, data: Uint8Array): number {
    const room = BUFFER_SIZE - socket.sendBuffer.length;
    const taken = data.subarray(0, Math.max(0, room));
    if (taken.length > 0) {
      socket.sendBuffer = concat(socket.sendBuffer, taken);
      this.#output(socket);
    }
    return taken.length;
  }

  read(socket: TcpSocket, max: number): Uint8Array {
    const data = socket.receiveBuffer.slice(0, max);
    socket.receiveBuffer = socket.receiveBuffer.slice(max);
    // Tell the peer when a closed window opens again.
    if (socket.advertised < socket.mss && this.#window(socket) >= socket.mss && isSynchronised(socket))
      this.#ack(socket);
    return data;
  }

  /** SO_KEEPALIVE. */
  keepAlive(socket: TcpSocket): void {
    socket.keepalive = { heardNs: this.env.nowNs, probes: 0 };
  }

  /** No more data from this side. */
  shutdown(socket: TcpSocket): void {
    if (socket.finQueued) return;
    if (socket.phase === 'syn-sent' || socket.phase === 'listen') {
      this.#end(socket);
      return;
    }
    socket.finQueued = true;
    if (socket.phase === 'established' || socket.phase === 'syn-received') socket.phase = 'fin-wait-1';
    else if (socket.phase === 'close-wait') socket.phase = 'last-ack';
    this.#output(socket);
  }

  /** The descriptor is closed: close politely, or reset when data was left unread. */
  close(socket: TcpSocket): void {
    socket.orphaned = true;
    for (const id of socket.accepted.splice(0)) {
      const child = this.state.sockets.find((candidate) => candidate.id === id);
      if (child?.kind === 'tcp') this.#reset(child);
    }
    if (socket.phase === 'closed' || socket.phase === 'listen' || socket.phase === 'syn-sent') this.#end(socket);
    else if (socket.receiveBuffer.length > 0) this.#reset(socket);
    else this.shutdown(socket);
  }

  // ------------------------------------------------------------------------------------- what arrives

  receive(packet: Ipv4Packet): void {
    const segment = decodeTcp(packet.payload, packet.source, packet.destination);
    if (!segment) return;
    const socket = this.#find(packet, segment);
    if (!socket) {
      this.#refuse(packet, segment);
      return;
    }
    if (socket.keepalive) socket.keepalive = { heardNs: this.env.nowNs, probes: 0 };
    if (socket.phase === 'listen') this.#receiveSyn(socket, packet, segment);
    else if (socket.phase === 'syn-sent') this.#receiveSynAck(socket, packet, segment);
    else this.#receiveData(socket, segment);
  }

  #find(packet: Ipv4Packet, segment: TcpSegment): TcpSocket | undefined {
    let listener: TcpSocket | undefined;
    for (const socket of this.state.sockets) {
      if (socket.kind !== 'tcp' || socket.localPort !== segment.destinationPort || socket.phase === 'closed') continue;
      if (socket.phase === 'listen') {
        if (socket.localAddress === 0 || socket.localAddress === packet.destination) listener ??= socket;
      } else if (socket.remotePort === segment.sourcePort && socket.remoteAddress === packet.source) return socket;
    }
    return listener;
  }

  #receiveSyn(listener: TcpSocket, packet: Ipv4Packet, segment: TcpSegment): void {
    if (segment.flags.rst) return;
    if (segment.flags.ack || !segment.flags.syn) {
      this.#refuse(packet, segment);
      return;
    }
    if (listener.accepted.length >= MAX_BACKLOG) return;
    const socket = this.env.newSocket();
    socket.localAddress = packet.destination;
    socket.localPort = segment.destinationPort;
    socket.remoteAddress = packet.source;
    socket.remotePort = segment.sourcePort;
    socket.parent = listener.id;
    socket.phase = 'syn-received';
    socket.mss = Math.min(segment.mss ?? 536, this.env.mssTo(packet.source));
    socket.receiveNext = add(segment.sequence, 1);
    socket.sendWindow = segment.window;
    const iss = this.env.random(0x1_0000_0000);
    socket.sendUna = iss;
    socket.sendNext = iss;
    socket.timeoutNs = SYN_TIMEOUT_NS;
    this.#sendSyn(socket);
  }

  #receiveSynAck(socket: TcpSocket, packet: Ipv4Packet, segment: TcpSegment): void {
    const { syn, ack, rst } = segment.flags;
    if (ack && segment.acknowledgement !== add(socket.sendUna, 1)) {
      // The peer still has a connection of these ports with somebody who is no more (RFC 793, half-open connections).
      this.#refuse(packet, segment);
      return;
    }
    if (rst) {
      if (ack) this.#fail(socket, 'ECONNREFUSED');
      return;
    }
    if (!syn || !ack) return;
    socket.receiveNext = add(segment.sequence, 1);
    socket.sendUna = segment.acknowledgement;
    socket.sendNext = segment.acknowledgement;
    socket.sendWindow = segment.window;
    socket.mss = Math.min(socket.mss, segment.mss ?? 536);
    this.#established(socket);
    this.#ack(socket);
    this.#output(socket);
    this.env.wake(socket);
  }

  #established(socket: TcpSocket): void {
    socket.phase = socket.finQueued ? 'fin-wait-1' : 'established';
    socket.retransmitNs = undefined;
    socket.retries = 0;
    socket.timeoutNs = MIN_TIMEOUT_NS;
  }

  #receiveData(socket: TcpSocket, segment: TcpSegment): void {
    const { flags } = segment;
    if (flags.rst) {
      // Only a reset inside of the window counts.
      if (distance(segment.sequence, socket.receiveNext) >= 0) this.#fail(socket, 'ECONNRESET');
      return;
    }
    if (flags.syn) {
      if (socket.phase === 'syn-received') this.#sendSyn(socket);
      else this.#ack(socket);
      return;
    }
    if (!flags.ack) return;
    if (socket.phase === 'syn-received') {
      if (segment.acknowledgement !== add(socket.sendUna, 1)) return;
      this.#acceptConnection(socket, segment);
    }
    this.#acknowledged(socket, segment);
    if (socket.phase === 'closed') return;
    this.#takeData(socket, segment);
  }

  #acceptConnection(socket: TcpSocket, segment: TcpSegment): void {
    socket.sendUna = segment.acknowledgement;
    socket.sendNext = segment.acknowledgement;
    this.#established(socket);
    const listener = this.state.sockets.find((candidate) => candidate.id === socket.parent);
    if (listener?.kind !== 'tcp' || listener.phase !== 'listen') {
      this.#reset(socket);
      return;
    }
    listener.accepted.push(socket.id);
    this.env.wake(listener);
  }

  #acknowledged(socket: TcpSocket, segment: TcpSegment): void {
    const acked = distance(segment.acknowledgement, socket.sendUna);
    const outstanding = distance(socket.sendNext, socket.sendUna);
    if (acked < 0 || acked > outstanding) return;
    socket.sendWindow = segment.window;
    if (acked > 0) {
      const finAcked = socket.finSent && acked === outstanding;
      socket.sendBuffer = socket.sendBuffer.slice(Math.min(acked, socket.sendBuffer.length));
      socket.sendUna = segment.acknowledgement;
      socket.retries = 0;
      socket.timeoutNs = MIN_TIMEOUT_NS;
      socket.retransmitNs = socket.sendUna === socket.sendNext ? undefined : this.env.nowNs + socket.timeoutNs;
      if (finAcked) this.#finAcknowledged(socket);
      this.env.wake(socket);
    }
    if (socket.phase !== 'closed') this.#output(socket);
  }

  #finAcknowledged(socket: TcpSocket): void {
    if (socket.phase === 'fin-wait-1') socket.phase = 'fin-wait-2';
    else if (socket.phase === 'closing') this.#timeWait(socket);
    else if (socket.phase === 'last-ack') this.#end(socket);
  }

  #takeData(socket: TcpSocket, segment: TcpSegment): void {
    const offset = distance(socket.receiveNext, segment.sequence);
    const carries = segment.data.length > 0 || segment.flags.fin;
    if (!carries) {
      // One byte back, without data: somebody asks whether this end is still there.
      if (offset === 1) this.#ack(socket);
      return;
    }
    if (offset < 0 || offset > segment.data.length) {
      this.#ack(socket);
      return;
    }
    const room = BUFFER_SIZE - socket.receiveBuffer.length;
    const data = segment.data.subarray(offset, offset + room);
    if (data.length > 0 && !socket.finReceived) {
      if (!socket.orphaned) socket.receiveBuffer = concat(socket.receiveBuffer, data);
      socket.receiveNext = add(socket.receiveNext, data.length);
    }
    const isComplete = offset + data.length === segment.data.length;
    if (segment.flags.fin && isComplete && !socket.finReceived) {
      socket.finReceived = true;
      socket.receiveNext = add(socket.receiveNext, 1);
      if (socket.phase === 'established') socket.phase = 'close-wait';
      else if (socket.phase === 'fin-wait-1') socket.phase = 'closing';
      else if (socket.phase === 'fin-wait-2') this.#timeWait(socket);
    }
    this.#ack(socket);
    this.env.wake(socket);
  }

  // ------------------------------------------------------------------------------------- what is sent

  #output(socket: TcpSocket): void {
    if (!isSynchronised(socket) || socket.phase === 'time-wait') return;
    for (;;) {
      const sent = distance(socket.sendNext, socket.sendUna);
      if (socket.finSent) return;
      const unsent = socket.sendBuffer.length - sent;
      const allowed = Math.max(0, socket.sendWindow - sent);
      const length = Math.min(unsent, allowed, socket.mss);
      const isLast = length === unsent;
      const fin = socket.finQueued && isLast && allowed >= length;
      if (length === 0 && !fin) {
        if (unsent > 0 && socket.retransmitNs === undefined) socket.retransmitNs = this.env.nowNs + socket.timeoutNs;
        return;
      }
      const data = socket.sendBuffer.slice(sent, sent + length);
      this.#send(socket, { ack: true, psh: isLast && length > 0, fin }, data, socket.sendNext);
      socket.sendNext = add(socket.sendNext, length + (fin ? 1 : 0));
      if (fin) socket.finSent = true;
      socket.retransmitNs ??= this.env.nowNs + socket.timeoutNs;
    }
  }

  #sendSyn(socket: TcpSocket): void {
    const isAnswer = socket.phase === 'syn-received';
    this.#send(
      socket,
      { syn: true, ack: isAnswer },
      new Uint8Array(0),
      socket.sendUna,
      this.env.mssTo(socket.remoteAddress),
    );
    socket.sendNext = add(socket.sendUna, 1);
    socket.retransmitNs = this.env.nowNs + socket.timeoutNs;
  }

  #ack(socket: TcpSocket): void {
    this.#send(socket, { ack: true }, new Uint8Array(0), socket.sendNext);
  }

  #reset(socket: TcpSocket): void {
    this.#send(socket, { rst: true, ack: true }, new Uint8Array(0), socket.sendNext);
    this.#end(socket);
  }

  #send(socket: TcpSocket, flags: TcpFlags, data: Uint8Array, sequence: number, mss?: number): void {
    socket.advertised = this.#window(socket);
    const segment: TcpSegment = {
      sourcePort: socket.localPort,
      destinationPort: socket.remotePort,
      sequence,
      acknowledgement: flags.ack ? socket.receiveNext : 0,
      flags,
      window: socket.advertised,
      ...(mss === undefined ? {} : { mss }),
      data,
    };
    this.env.send(
      socket.localAddress,
      socket.remoteAddress,
      encodeTcp(segment, socket.localAddress, socket.remoteAddress),
    );
  }

  #refuse(packet: Ipv4Packet, segment: TcpSegment): void {
    if (segment.flags.rst) return;
    this.env.send(packet.destination, packet.source, resetFor(packet, segment));
  }

  #window(socket: TcpSocket): number {
    return Math.max(0, BUFFER_SIZE - socket.receiveBuffer.length);
  }

  // ------------------------------------------------------------------------------------- ends and timers

  /** The destination cannot be reached (no answer to ARP): fails a connection that is still being made. */
  unreachable(packet: Ipv4Packet): void {
    const segment = decodeTcp(packet.payload, packet.source, packet.destination);
    if (!segment) return;
    const about = { local: segment.sourcePort, address: packet.destination, port: segment.destinationPort };
    this.refused(about, segment.sequence, 'EHOSTUNREACH');
  }

  /**
   * An ICMP error says that a segment of ours was turned away. It fails a connection that is still being made; one that
   * stands tries on (RFC 1122, soft errors).
   */
  refused(about: { local: number; address: number; port: number }, sequence: number, error: ErrnoName): void {
    for (const socket of [...this.state.sockets]) {
      if (socket.kind !== 'tcp' || socket.localPort !== about.local || socket.remotePort !== about.port) continue;
      if (socket.remoteAddress !== about.address || sequence !== socket.sendUna) continue;
      if (socket.phase === 'syn-sent') this.#fail(socket, error);
      else if (socket.phase === 'syn-received') this.#end(socket);
    }
  }

  #timeWait(socket: TcpSocket): void {
    socket.phase = 'time-wait';
    socket.retransmitNs = this.env.nowNs + TIME_WAIT_NS;
  }

  #fail(socket: TcpSocket, error: ErrnoName): void {
    socket.error = error;
    this.#end(socket);
  }

  #end(socket: TcpSocket): void {
    socket.phase = 'closed';
    socket.retransmitNs = undefined;
    socket.sendBuffer = new Uint8Array(0);
    this.env.wake(socket);
    if (socket.orphaned || this.#isUnborn(socket)) this.env.drop(socket);
  }

  /** A connection that its listener has not got to know yet: no descriptor will ever refer to it. */
  #isUnborn(socket: TcpSocket): boolean {
    const listener = this.state.sockets.find((candidate) => candidate.id === socket.parent);
    return socket.parent !== undefined && !(listener?.kind === 'tcp' && listener.accepted.includes(socket.id));
  }

  get nextTimerNs(): number | undefined {
    let next: number | undefined;
    for (const socket of this.state.sockets) {
      if (socket.kind !== 'tcp') continue;
      for (const dueNs of [socket.retransmitNs, keepaliveDueNs(socket)])
        if (dueNs !== undefined) next = Math.min(next ?? dueNs, dueNs);
    }
    return next;
  }

  runTimers(): void {
    for (const socket of [...this.state.sockets]) {
      if (socket.kind !== 'tcp') continue;
      if (socket.retransmitNs !== undefined && socket.retransmitNs <= this.env.nowNs) this.#timeout(socket);
      const dueNs = keepaliveDueNs(socket);
      if (dueNs !== undefined && dueNs <= this.env.nowNs) this.#askWhetherAlive(socket, socket.keepalive!);
    }
  }

  /** A segment that the peer has had already: it can only acknowledge it, or say that it knows no such connection. */
  #askWhetherAlive(socket: TcpSocket, keepalive: { probes: number }): void {
    if (keepalive.probes++ >= KEEPALIVE_PROBES) {
      this.#fail(socket, 'ETIMEDOUT');
      return;
    }
    this.#send(socket, { ack: true }, new Uint8Array(0), add(socket.sendUna, 0xffff_ffff));
  }

  #timeout(socket: TcpSocket): void {
    if (socket.phase === 'time-wait') {
      this.#end(socket);
      return;
    }
    const isOpening = socket.phase === 'syn-sent' || socket.phase === 'syn-received';
    if (socket.retries >= (isOpening ? SYN_RETRIES : RETRIES)) {
      this.#fail(socket, 'ETIMEDOUT');
      return;
    }
    socket.retries++;
    socket.timeoutNs = Math.min(socket.timeoutNs * 2, MAX_TIMEOUT_NS);
    if (isOpening) {
      this.#sendSyn(socket);
      return;
    }
    // Go back to the first unacknowledged byte; against a closed window, probe it with one byte.
    socket.sendNext = socket.sendUna;
    socket.finSent = false;
    socket.retransmitNs = this.env.nowNs + socket.timeoutNs;
    if (socket.sendWindow === 0 && socket.sendBuffer.length > 0) {
      this.#send(socket, { ack: true, psh: true }, socket.sendBuffer.slice(0, 1), socket.sendUna);
      socket.sendNext = add(socket.sendUna, 1);
    } else this.#output(socket);
  }
}

export function isSynchronised(socket: TcpSocket): boolean {
  return !['closed', 'listen', 'syn-sent', 'syn-received'].includes(socket.phase);
}

/** When to ask whether the peer is still there; undefined: not at all. */
function keepaliveDueNs(socket: TcpSocket): number | undefined {
  if (!socket.keepalive || !isSynchronised(socket) || socket.phase === 'time-wait') return undefined;
  return socket.keepalive.heardNs + KEEPALIVE_NS * (socket.keepalive.probes + 1);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a, 0);
  out.set(b, a.length);
  return out;
}
