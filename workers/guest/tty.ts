/**
 * Terminals: the line discipline between a keyboard and the processes of a session (termios(3), N_TTY).
 *
 * All of it is plain state. Input comes from the console or from the master side of a pseudo-terminal; output waits in
 * `output` until the other side takes it.
 */
import { appendTo, takeFrom } from './fs/pipe';
import type { FileOps, OpenFile } from './openFile';
import type { Process } from './process';
import { type SignalName, SysError, type Termios } from './sys';
import { WaitQueue } from './waitQueue';

/** Output that may wait for the other side before writers have to wait. */
const OUTPUT_MAX = 16384;
/** Input kept for a process that does not read. */
const INPUT_MAX = 65536;

export interface TtyState {
  readonly id: number;
  /** `/dev/console`, `/dev/pts/0`. */
  readonly name: string;
  termios: Termios;
  rows: number;
  cols: number;
  /** Foreground process group, and the session it belongs to; 0 = none. */
  foreground: number;
  session: number;
  /** The line that is being edited. */
  line: readonly number[];
  /** What may be read: lines in cooked mode (an empty one is an end of file), bytes in raw mode. */
  ready: readonly Uint8Array[];
  output: readonly Uint8Array[];
  /** The other side is gone. */
  hungUp: boolean;
}

export interface TtyHooks {
  signalGroup(pgid: number, signal: SignalName): void;
  signal(process: Process, signal: SignalName): void;
  isOrphaned(pgid: number): boolean;
  /** New output waits: take it with `takeOutput` when there is room for it. */
  outputReady(tty: Tty): void;
}

export const cookedTermios = (): Termios => ({ icanon: true, echo: true, isig: true, icrnl: true, onlcr: true });

export class Tty {
  termios = cookedTermios();
  rows = 24;
  cols = 80;
  foreground = 0;
  session = 0;
  hungUp = false;
  line: number[] = [];
  ready: Uint8Array[] = [];
  output: Uint8Array[] = [];
  outputLength = 0;
  /** For processes at the terminal, and for the master side. */
  readonly queue = new WaitQueue();
  readonly masterQueue = new WaitQueue();

  constructor(
    readonly id: number,
    readonly name: string,
    private readonly hooks: TtyHooks,
  ) {}

  // --- from the keyboard

  input(bytes: Uint8Array): void {
    if (this.hungUp) return;
    for (const byte of bytes) this.#inputByte(byte);
    this.queue.wake();
    this.#outputChanged();
  }

  #inputByte(given: number): void {
    const { termios } = this;
    const byte = termios.icrnl && given === 13 ? 10 : given;
    if (termios.isig) {
      const signal = byte === 3 ? 'INT' : byte === 28 ? 'QUIT' : byte === 26 ? 'TSTP' : undefined;
      if (signal) {
        this.line = [];
        this.ready = [];
        this.#echo(byte);
        if (this.foreground > 0) this.hooks.signalGroup(this.foreground, signal);
        return;
      }
    }
    if (termios.icanon) this.#edit(byte);
    else {
      appendTo(this.ready, Uint8Array.of(byte));
      this.#echo(byte);
    }
  }

  /** Cooked mode: erase (DEL, BS), kill line (Ctrl-U), erase word (Ctrl-W), end of file (Ctrl-D). */
  #edit(byte: number): void {
    switch (byte) {
      case 127:
      case 8:
        this.#erase();
        return;
      case 21:
        while (this.line.length > 0) this.#erase();
        return;
      case 23:
        while (this.line.length > 0 && this.line[this.line.length - 1] === 32) this.#erase();
        while (this.line.length > 0 && this.line[this.line.length - 1] !== 32) this.#erase();
        return;
      case 4:
        this.#commit();
        return;
      case 10:
        this.line.push(byte);
        this.#echo(byte);
        this.#commit();
        return;
      default:
        if (this.line.length >= 4095) return;
        this.line.push(byte);
        this.#echo(byte);
    }
  }

  #commit(): void {
    const waiting = this.ready.reduce((sum, chunk) => sum + chunk.length, 0);
    if (waiting < INPUT_MAX) this.ready.push(Uint8Array.from(this.line));
    this.line = [];
  }

  #erase(): void {
    let byte = this.line.pop();
    // The continuation bytes of a character in UTF-8 go with it.
    while (byte !== undefined && (byte & 0xc0) === 0x80) byte = this.line.pop();
    if (byte === undefined || !this.termios.echo) return;
    this.#emit(byte < 32 ? [8, 32, 8, 8, 32, 8] : [8, 32, 8]);
  }

  #echo(byte: number): void {
    if (!this.termios.echo) return;
    if (byte === 10) this.#emit(this.termios.onlcr ? [13, 10] : [10]);
    else if (byte < 32 && byte !== 9) this.#emit([94, byte + 64]);
    else this.#emit([byte]);
  }

  #emit(bytes: readonly number[]): void {
    appendTo(this.output, Uint8Array.from(bytes));
    this.outputLength += bytes.length;
  }

  // --- for processes

  /** A line (cooked) or what there is (raw). A background process that reads is stopped by TTIN. */
  read(max: number, by: Process | undefined): Uint8Array | undefined {
    if (this.hungUp) return new Uint8Array(0);
    if (by && this.#isBackground(by)) {
      if (by.record.ignored.includes('TTIN') || this.hooks.isOrphaned(by.record.pgid)) throw new SysError('EIO');
      this.hooks.signal(by, 'TTIN');
      return undefined;
    }
    const first = this.ready[0];
    if (!first) return undefined;
    const taken = this.#take(first, max);
    this.masterQueue.wake();
    return taken;
  }

  #take(first: Uint8Array, max: number): Uint8Array {
    if (!this.termios.icanon) return takeFrom(this.ready, max);
    if (first.length <= max) return this.ready.shift()!;
    this.ready[0] = first.subarray(max);
    return first.slice(0, max);
  }

  #isBackground({ record }: Process): boolean {
    return record.tty === this.id && this.foreground > 0 && record.pgid !== this.foreground;
  }

  get isReadable(): boolean {
    return this.hungUp || this.ready.length > 0;
  }

  /** Bytes that wait to be read. */
  get readyLength(): number {
    return this.ready.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  get isWritable(): boolean {
    return this.hungUp || this.outputLength < OUTPUT_MAX;
  }

  /** Bytes taken; NL becomes CR NL. EIO after a hang-up. */
  write(bytes: Uint8Array): number {
    if (this.hungUp) throw new SysError('EIO');
    const room = OUTPUT_MAX - this.outputLength;
    if (room <= 0) return 0;
    const taken = bytes.slice(0, room);
    this.#put(taken);
    return taken.length;
  }

  /** Kernel messages: never refused. */
  writeAlways(bytes: Uint8Array): void {
    if (!this.hungUp) this.#put(bytes.slice());
  }

  #put(bytes: Uint8Array): void {
    const processed = this.termios.onlcr ? addCarriageReturns(bytes) : bytes;
    appendTo(this.output, processed);
    this.outputLength += processed.length;
    this.#outputChanged();
  }

  #outputChanged(): void {
    if (this.outputLength === 0) return;
    this.masterQueue.wake();
    this.hooks.outputReady(this);
  }

  setTermios(termios: Termios): void {
    // What was typed ahead stays: a half line becomes readable as bytes, bytes become a line.
    if (this.termios.icanon && !termios.icanon && this.line.length > 0) this.#commit();
    this.termios = { ...termios };
    this.ready = this.ready.filter((chunk) => chunk.length > 0 || termios.icanon);
    this.queue.wake();
  }

  resize(rows: number, cols: number): void {
    if (rows === this.rows && cols === this.cols) return;
    this.rows = rows;
    this.cols = cols;
    if (this.foreground > 0) this.hooks.signalGroup(this.foreground, 'WINCH');
  }

  // --- for the other side

  takeOutput(max: number): Uint8Array {
    const out = takeFrom(this.output, max);
    this.outputLength -= out.length;
    this.queue.wake();
    return out;
  }

  /** Puts back what the other side did not take. */
  returnOutput(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.output.unshift(bytes);
    this.outputLength += bytes.length;
  }

  /** The other side went away: HUP and CONT to the foreground group and the session's leader. */
  hangUp(): void {
    if (this.hungUp) return;
    this.hungUp = true;
    this.output = [];
    this.outputLength = 0;
    if (this.session > 0) this.hooks.signalGroup(this.session, 'HUP');
    if (this.foreground > 0 && this.foreground !== this.session) this.hooks.signalGroup(this.foreground, 'HUP');
    for (const pgid of new Set([this.session, this.foreground])) if (pgid > 0) this.hooks.signalGroup(pgid, 'CONT');
    this.queue.wake();
  }

  save(): TtyState {
    const { id, name, termios, rows, cols, foreground, session, hungUp } = this;
    const [line, ready, output] = [[...this.line], [...this.ready], [...this.output]];
    return { id, name, termios: { ...termios }, rows, cols, foreground, session, hungUp, line, ready, output };
  }

  restore(state: TtyState): void {
    this.termios = { ...state.termios };
    this.rows = state.rows;
    this.cols = state.cols;
    this.foreground = state.foreground;
    this.session = state.session;
    this.hungUp = state.hungUp;
    this.line = [...state.line];
    this.ready = [...state.ready];
    this.output = [...state.output];
    this.outputLength = this.output.reduce((sum, chunk) => sum + chunk.length, 0);
  }
}

function addCarriageReturns(bytes: Uint8Array): Uint8Array {
  let count = 0;
  for (const byte of bytes) if (byte === 10) count++;
  if (count === 0) return bytes;
  const out = new Uint8Array(bytes.length + count);
  let at = 0;
  for (const byte of bytes) {
    if (byte === 10) out[at++] = 13;
    out[at++] = byte;
  }
  return out;
}

/** Open files on a terminal's process side; `object` is the terminal's number. */
export class TtyFiles implements FileOps {
  readonly kind = 'tty';

  constructor(private readonly ttyOf: (id: number) => Tty) {}

  read(file: OpenFile, max: number, by: Process | undefined): Uint8Array | undefined {
    return this.ttyOf(file.object).read(max, by);
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    return this.ttyOf(file.object).write(bytes);
  }

  isReadable(file: OpenFile): boolean {
    return this.ttyOf(file.object).isReadable;
  }

  isWritable(file: OpenFile): boolean {
    return this.ttyOf(file.object).isWritable;
  }

  queue(file: OpenFile): WaitQueue {
    return this.ttyOf(file.object).queue;
  }
}
