/**
 * /dev/nbdN: a block device whose requests go to a server over a TCP connection (linux-2.6.18 drivers/block/nbd.c). The
 * connection is made by a program, nbd-client, which hands the socket over and then only waits for its end.
 */
import { type ErrnoName, errno, errnoName } from '../../lib/errno';
import type { DaemonSockets } from '../netStack';
import type { BlockDevice } from '../services';
import { SysError } from '../sys';
import { ByteQueue } from './byteQueue';
import {
  answersData,
  decodeReply,
  encodeRequest,
  NBD_CMD_DISC,
  NBD_CMD_FLUSH,
  NBD_CMD_READ,
  NBD_CMD_REPORT,
  NBD_CMD_RESERVE,
  NBD_CMD_WRITE,
  NBD_REPLY_BYTES,
  RESERVE_MODES,
  type ReserveMode,
} from './nbdWire';

export const NBD_MAJOR = 43;
const SECTOR = 512;
/** Larger requests are sent in pieces. */
const PIECE_SECTORS = 256;
const READ_BYTES = 65536;
const REPORT_BYTES = 4096;

/** What nbd-client has learnt and been told before it hands the connection over. */
export interface NbdSettings {
  readonly sectors: number;
  readonly readonly: boolean;
  /** The server wants to hear of flushes. */
  readonly canFlush: boolean;
  /** A request that takes longer ends the connection; 0: never. */
  readonly timeoutNs: number;
  readonly server: { readonly address: string; readonly port: number };
}

/** A request that has not been answered. */
interface Pending {
  readonly handle: number;
  readonly type: number;
  readonly length: number;
  readonly startNs: number;
}

/** Plain part: what a kernel needs to go on with the connection after a restore. */
export interface NbdState extends NbdSettings {
  readonly minor: number;
  /** The open file that is the socket; undefined: the connection is lost. */
  readonly file: number | undefined;
  readonly socket: number;
  readonly unsent: readonly Uint8Array[];
  readonly received: readonly Uint8Array[];
  readonly pending: readonly Pending[];
  readonly nextHandle: number;
  readonly reservations: readonly KnownReservation[];
}

/** What the server was told of this host's use: told again over a new connection. */
interface KnownReservation {
  readonly key: Uint8Array;
  readonly mode: ReserveMode;
}

type Done = (error: ErrnoName | undefined, data: Uint8Array) => void;

export interface NbdHost {
  readonly nowNs: number;
  at(timeNs: number, action: () => void): { cancel(): void };
  charge(): void;
  printk(line: string): void;
  readonly sockets: DaemonSockets;
}

const NOTHING = new Uint8Array(0);

export class NbdDevice implements BlockDevice {
  readonly name: string;
  readonly major = NBD_MAJOR;
  #settings: NbdSettings;
  #socket: number | undefined;
  #unsent = new ByteQueue();
  #received = new ByteQueue();
  #pending = new Map<number, Pending>();
  /** Not state: whoever asked asks again after a restore, and the answer to the first question is dropped. */
  readonly #askers = new Map<number, Done>();
  #nextHandle = 1;
  #timer: { cancel(): void } | undefined;
  #reservations: readonly KnownReservation[] = [];
  /** Told once when the connection is over, and why if it was lost. */
  onEnd: (reason: ErrnoName | undefined) => void = () => {};

  constructor(
    private readonly host: NbdHost,
    readonly minor: number,
    settings: NbdSettings,
  ) {
    this.name = `nbd${minor}`;
    this.#settings = settings;
  }

  get sectors(): number {
    return this.#settings.sectors;
  }

  get readonly(): boolean {
    return this.#settings.readonly;
  }

  get server(): NbdSettings['server'] {
    return this.#settings.server;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  connect(socket: number, settings: NbdSettings): void {
    this.#settings = settings;
    this.#attach(socket);
    for (const { key, mode } of this.#reservations)
      this.#askReserve(key, mode, (error) => {
        // Somebody else has it now.
        if (error) this.lose(error);
      });
  }

  #attach(socket: number): void {
    this.#socket = socket;
    this.host.sockets.watch(socket, () => this.#changed());
    this.#changed();
  }

  // --- requests

  read(sector: number, count: number, done: (bytes: Uint8Array | undefined) => void): void {
    const out = new Uint8Array(Math.max(0, count) * SECTOR);
    const readPiece = (at: number, length: number, finish: (ok: boolean) => void) =>
      this.#ask(NBD_CMD_READ, at * SECTOR, length * SECTOR, NOTHING, (error, data) => {
        if (!error) out.set(data, (at - sector) * SECTOR);
        finish(!error);
      });
    this.#inPieces(sector, count, readPiece, (ok) => done(ok ? out : undefined));
  }

  write(sector: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    if (this.readonly) {
      done(false);
      return;
    }
    const copy = bytes.slice();
    const writePiece = (at: number, length: number, finish: (ok: boolean) => void) => {
      const data = copy.subarray((at - sector) * SECTOR, (at - sector + length) * SECTOR);
      this.#ask(NBD_CMD_WRITE, at * SECTOR, data.length, data, (error) => finish(!error));
    };
    this.#inPieces(sector, bytes.length / SECTOR, writePiece, done);
  }

  flush(done: (ok: boolean) => void): void {
    if (this.isConnected && !this.#settings.canFlush) done(true);
    else this.#ask(NBD_CMD_FLUSH, 0, 0, NOTHING, (error) => done(!error));
  }

  /** Says at the server what somebody is going to do with the volume, or that it is over. EBUSY, EINVAL, EIO. */
  reserve(key: Uint8Array, mode: ReserveMode, done: (error: ErrnoName | undefined) => void): void {
    this.#askReserve(key, mode, (error) => {
      const at = this.#reservations.findIndex((each) => isEqual(each.key, key));
      if (!error && mode !== 'release') this.#reservations = [...this.#reservations, { key, mode }];
      else if (!error) this.#reservations = this.#reservations.filter((_, i) => i !== at);
      done(error);
    });
  }

  #askReserve(key: Uint8Array, mode: ReserveMode, done: (error: ErrnoName | undefined) => void): void {
    this.#ask(NBD_CMD_RESERVE, RESERVE_MODES.indexOf(mode), key.length, key, (error) => done(error));
  }

  report(done: (error: ErrnoName | undefined, text: string) => void): void {
    this.#ask(NBD_CMD_REPORT, 0, REPORT_BYTES, NOTHING, (error, data) =>
      done(error, new TextDecoder().decode(data).replace(/\0+$/, '')),
    );
  }

  #inPieces(
    sector: number,
    count: number,
    start: (at: number, length: number, finish: (ok: boolean) => void) => void,
    done: (ok: boolean) => void,
  ): void {
    const isInside = Number.isInteger(count) && sector >= 0 && count >= 0 && sector + count <= this.sectors;
    let missing = Math.ceil(count / PIECE_SECTORS);
    if (!isInside || missing === 0) {
      done(isInside);
      return;
    }
    let isFine = true;
    const finish = (ok: boolean) => {
      isFine &&= ok;
      if (--missing === 0) done(isFine);
    };
    for (let at = sector; at < sector + count; at += PIECE_SECTORS)
      start(at, Math.min(PIECE_SECTORS, sector + count - at), finish);
  }

  #ask(type: number, from: number, length: number, data: Uint8Array, done: Done): void {
    if (!this.isConnected) {
      done('EIO', NOTHING);
      return;
    }
    this.host.charge();
    const handle = this.#nextHandle++;
    this.#pending.set(handle, { handle, type, length, startNs: this.host.nowNs });
    this.#askers.set(handle, done);
    this.#unsent.push(encodeRequest({ type, handle: BigInt(handle), from, length }));
    this.#unsent.push(data);
    this.#arm();
    this.#changed();
  }

  // --- the connection

  /** Says goodbye and closes in order; what has not been answered fails. */
  disconnect(): void {
    if (!this.isConnected) return;
    this.#unsent.push(encodeRequest({ type: NBD_CMD_DISC, handle: 0n, from: 0, length: 0 }));
    this.#changed();
    this.#end(undefined);
  }

  /** The connection is no more, or shall be no more. */
  lose(reason: ErrnoName): void {
    if (!this.isConnected) return;
    this.host.printk(`${this.name}: Receive control failed (result -${errno[reason]})`);
    if (this.#pending.size > 0) this.host.printk(`${this.name}: queue cleared`);
    this.#end(reason);
  }

  #end(reason: ErrnoName | undefined): void {
    const socket = this.#socket!;
    this.#socket = undefined;
    this.host.sockets.watch(socket, () => {});
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#unsent.clear();
    this.#received.clear();
    this.#pending.clear();
    const askers = [...this.#askers.values()];
    this.#askers.clear();
    this.onEnd(reason);
    for (const done of askers) done('EIO', NOTHING);
  }

  /** Something happened to the socket: sends what waits, takes what has come. */
  #changed(): void {
    try {
      this.#send();
      while (this.#socket !== undefined) {
        const bytes = this.host.sockets.read(this.#socket, READ_BYTES);
        if (!bytes) break;
        if (bytes.length === 0) {
          this.lose('EPIPE');
          return;
        }
        this.#received.push(bytes);
        this.#takeReplies();
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.lose(error.code);
    }
  }

  #send(): void {
    while (this.#unsent.length > 0 && this.#socket !== undefined) {
      const taken = this.host.sockets.write(this.#socket, this.#unsent.pieces[0]!);
      if (taken === 0) return;
      this.#unsent.drop(taken);
    }
  }

  #takeReplies(): void {
    while (this.#received.length >= NBD_REPLY_BYTES && this.isConnected) {
      const reply = decodeReply(this.#received.peek(NBD_REPLY_BYTES));
      const pending = reply && this.#pending.get(Number(reply.handle));
      // The stream makes no sense any more.
      if (!pending) {
        this.lose('EINVAL');
        return;
      }
      const length = reply.error === 0 && answersData(pending.type) ? pending.length : 0;
      if (this.#received.length < NBD_REPLY_BYTES + length) return;
      this.#received.drop(NBD_REPLY_BYTES);
      const data = this.#received.take(length);
      this.#pending.delete(pending.handle);
      const done = this.#askers.get(pending.handle);
      this.#askers.delete(pending.handle);
      this.#arm();
      done?.(reply.error === 0 ? undefined : (errnoName(reply.error) ?? 'EIO'), data);
    }
  }

  /** Looks again when the oldest request would be too late. */
  #arm(): void {
    const { timeoutNs } = this.#settings;
    if (timeoutNs === 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const [oldest] = this.#pending.values();
    if (oldest) this.#timer = this.host.at(oldest.startNs + timeoutNs, () => this.lose('ETIMEDOUT'));
  }

  // --- over a save

  save(file: number | undefined): NbdState {
    return {
      ...this.#settings,
      minor: this.minor,
      file,
      socket: this.#socket ?? 0,
      unsent: this.#unsent.pieces.map((piece) => piece.slice()),
      received: this.#received.pieces.map((piece) => piece.slice()),
      pending: [...this.#pending.values()],
      nextHandle: this.#nextHandle,
      reservations: this.#reservations,
    };
  }

  /** Goes on with the connection that was saved. */
  restore(state: NbdState): void {
    this.#unsent = new ByteQueue(state.unsent.map((piece) => piece.slice()));
    this.#received = new ByteQueue(state.received.map((piece) => piece.slice()));
    this.#pending = new Map(state.pending.map((pending) => [pending.handle, pending]));
    this.#nextHandle = state.nextHandle;
    this.#reservations = state.reservations;
    this.#arm();
    if (state.file !== undefined) this.#attach(state.socket);
  }
}

const isEqual = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);
