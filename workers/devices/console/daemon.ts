/**
 * xenconsoled: moves bytes between the console ring of each domain and a pseudo-terminal, and keeps the last bytes of
 * output for who attaches later (tools/console/daemon/io.c in Xen 3.4).
 *
 * It runs in Domain-0 and reaches everything else through what its maker hands in.
 */
import { ByteRing, RingCorrupt } from '../../abi/io/byteRing';
import { CONSOLE_IN, CONSOLE_OUT } from '../../abi/io/console';
import { CONSOLED_BYTE_NS, CONSOLED_EVENT_NS } from '../costs';

/** Events of one domain that are handled in one period; more leave its port masked until the next. */
const RATE_LIMIT_ALLOWANCE = 30;
const RATE_LIMIT_PERIOD_NS = 200_000_000;
/** Bytes offered to the terminal at a time. */
const PTY_CHUNK = 4096;
const DEFAULT_LIMIT = 1024 * 1024;

export interface ConsoleHost {
  /** The store, as Domain-0 reads it. */
  readonly store: {
    read(path: string): string | undefined;
    write(path: string, value: string): void;
    watch(path: string, handler: (path: string) => void): () => void;
  };
  readonly time: { readonly nowNs: number; at(timeNs: number, action: () => void): { cancel(): void } };
  /** Domains that are alive, as the hypervisor lists them. */
  domains(): readonly number[];
  /** The domain stands still, and is resumed here or goes on elsewhere with what is in its memory. */
  isSuspended(domid: number): boolean;
  /** Throws XenError when the domain is gone. */
  mapForeign(domid: number, mfn: number): { readonly page: Uint8Array; unmap(): void };
  /** Throws XenError when the port is not offered. */
  bindInterdomain(domid: number, remotePort: number, handler: () => void): ConsolePort;
  /** A new pseudo-terminal; what its user types comes to `input`. */
  openPty(input: (bytes: Uint8Array) => void): ConsolePty;
  charge(ns: number): void;
}

export interface ConsolePort {
  notify(): void;
  /** Masked: events wait. */
  setMasked(masked: boolean): void;
  close(): void;
}

export interface ConsolePty {
  /** `/dev/pts/3`. */
  readonly slavePath: string;
  /** How many bytes it took; 0 while nobody reads or the reader is slow. */
  write(bytes: Uint8Array): number;
  /** Called when the reader has made room or has opened the slave. */
  onWritable(action: () => void): void;
  /** Hangs up; a reader that is there still gets what it has not read, and `rest`. */
  close(rest: Uint8Array): void;
}

export class ConsoleDaemon {
  readonly #domains = new Map<number, DomainConsole>();
  readonly #stops: (() => void)[] = [];

  constructor(private readonly host: ConsoleHost) {}

  start(): void {
    this.#stops.push(this.host.store.watch('@introduceDomain', () => this.#enumerate()));
    this.#stops.push(this.host.store.watch('@releaseDomain', () => this.#enumerate()));
    this.#enumerate();
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const domid of [...this.#domains.keys()]) this.#drop(domid);
  }

  /**
   * Output of a domain for the page: all that is kept, then what comes. Any number of readers, beside the terminal's own.
   * Undefined when the daemon serves no such domain. Returns how to write to it and how to stop.
   */
  attach(
    domid: number,
    reader: { data(bytes: Uint8Array): void; closed(): void },
  ): { write(bytes: Uint8Array): void; detach(): void } | undefined {
    return this.#domains.get(domid)?.attach(reader);
  }

  has(domid: number): boolean {
    return this.#domains.has(domid);
  }

  #enumerate(): void {
    const present = new Set(this.host.domains());
    for (const domid of [...this.#domains.keys()]) if (!present.has(domid)) this.#drop(domid);
    for (const domid of present) if (domid !== 0) this.#look(domid);
  }

  /** Takes the domain up once the store names its console; watches until then. */
  #look(domid: number): void {
    if (this.#domains.has(domid)) return;
    const console = new DomainConsole(this.host, domid, () => this.#drop(domid));
    this.#domains.set(domid, console);
    console.start();
  }

  #drop(domid: number): void {
    const console = this.#domains.get(domid);
    this.#domains.delete(domid);
    console?.close();
  }
}

interface Reader {
  data(bytes: Uint8Array): void;
  closed(): void;
}

class DomainConsole {
  #connection: { readonly ref: number; in: ByteRing; out: ByteRing; port: ConsolePort; unmap(): void } | undefined;
  #pty: ConsolePty | undefined;
  readonly #backlog: Backlog;
  readonly #readers = new Set<Reader>();
  #toGuest: Uint8Array[] = [];
  #stopWatch: (() => void) | undefined;
  #events = 0;
  #periodEndNs = 0;
  #isLimited = false;
  #isWaiting = false;
  #isClosed = false;

  constructor(
    private readonly host: ConsoleHost,
    private readonly domid: number,
    private readonly gone: () => void,
  ) {
    const limit = Number(host.store.read(`${this.#path}/limit`) ?? DEFAULT_LIMIT);
    this.#backlog = new Backlog(Number.isFinite(limit) && limit > 0 ? limit : DEFAULT_LIMIT);
  }

  get #path(): string {
    return `/local/domain/${this.domid}/console`;
  }

  start(): void {
    this.#stopWatch = this.host.store.watch(this.#path, () => this.#connect());
    this.#connect();
  }

  attach(reader: Reader): { write(bytes: Uint8Array): void; detach(): void } {
    const kept = this.#backlog.all();
    if (kept.length > 0) reader.data(kept);
    this.#readers.add(reader);
    return { write: (bytes) => this.#input(bytes), detach: () => void this.#readers.delete(reader) };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#drain();
    this.#isClosed = true;
    this.#stopWatch?.();
    this.#disconnect();
    this.#pty?.close(this.#backlog.unread(Number.POSITIVE_INFINITY));
    for (const reader of this.#readers) reader.closed();
    this.#readers.clear();
  }

  /** (Re)connects when ring and port stand in the store and the daemon is the one to serve them. */
  #connect(): void {
    const { store } = this.host;
    const type = store.read(`${this.#path}/type`);
    const ref = Number(store.read(`${this.#path}/ring-ref`) ?? Number.NaN);
    const remotePort = Number(store.read(`${this.#path}/port`) ?? Number.NaN);
    if (this.#isClosed || (type !== undefined && type !== 'xenconsoled')) return;
    if (!Number.isInteger(ref) || !Number.isInteger(remotePort) || this.#connection?.ref === ref) return;
    this.#disconnect();
    try {
      const mapping = this.host.mapForeign(this.domid, ref);
      try {
        const port = this.host.bindInterdomain(this.domid, remotePort, () => this.#onEvent());
        this.#connection = {
          ref,
          in: new ByteRing(mapping.page, CONSOLE_IN),
          out: new ByteRing(mapping.page, CONSOLE_OUT),
          port,
          unmap: () => mapping.unmap(),
        };
      } catch (error) {
        mapping.unmap();
        throw error;
      }
    } catch (error) {
      if (error instanceof Error && error.name === 'XenError') return;
      throw error;
    }
    this.#openPty();
    this.#drain();
  }

  #openPty(): void {
    if (this.#pty) return;
    this.#pty = this.host.openPty((bytes) => this.#input(bytes));
    this.#pty.onWritable(() => this.#flushPty());
    this.host.store.write(`${this.#path}/tty`, this.#pty.slavePath);
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return;
    connection.port.close();
    connection.unmap();
  }

  #onEvent(): void {
    const { time } = this.host;
    if (time.nowNs >= this.#periodEndNs) {
      this.#events = 0;
      this.#periodEndNs = time.nowNs + RATE_LIMIT_PERIOD_NS;
    }
    this.#drain();
    if (++this.#events < RATE_LIMIT_ALLOWANCE || this.#isLimited) return;
    this.#isLimited = true;
    this.#connection?.port.setMasked(true);
    time.at(this.#periodEndNs, () => {
      this.#isLimited = false;
      this.#events = 0;
      this.#drain();
      this.#connection?.port.setMasked(false);
    });
  }

  /**
   * Takes all output out of the ring, and puts in what was typed. The ring of a suspended domain is left alone: it may have
   * been copied already, and where the domain goes on this output would be shown a second time.
   * Differs from Xen: 3.4 reads it.
   */
  #drain(): void {
    const connection = this.#connection;
    if (!connection || this.#isClosed) return;
    try {
      if ((connection.out.used > 0 || this.#toGuest.length > 0) && this.host.isSuspended(this.domid)) {
        this.#drainLater();
        return;
      }
      const bytes = connection.out.read();
      const hasTyped = this.#feed();
      if (bytes.length > 0 || hasTyped) connection.port.notify();
      this.host.charge(CONSOLED_EVENT_NS + bytes.length * CONSOLED_BYTE_NS);
      if (bytes.length > 0) this.#output(bytes);
    } catch (error) {
      // The guest wrote nonsense over its own indices: nobody serves that ring any longer.
      if (!(error instanceof RingCorrupt)) throw error;
      this.#disconnect();
      this.gone();
    }
  }

  /** The domain may be resumed here, and would wait for room. */
  #drainLater(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.host.time.at(this.host.time.nowNs + RATE_LIMIT_PERIOD_NS, () => {
      this.#isWaiting = false;
      this.#drain();
    });
  }

  #output(bytes: Uint8Array): void {
    this.#backlog.add(bytes);
    for (const reader of this.#readers) reader.data(bytes);
    this.#flushPty();
  }

  #flushPty(): void {
    if (!this.#pty) return;
    for (;;) {
      const waiting = this.#backlog.unread(PTY_CHUNK);
      if (waiting.length === 0) return;
      const taken = this.#pty.write(waiting);
      this.#backlog.advance(taken);
      if (taken === 0) return;
    }
  }

  #input(bytes: Uint8Array): void {
    if (this.#isClosed || bytes.length === 0) return;
    this.#toGuest.push(bytes.slice());
    this.#drain();
  }

  #feed(): boolean {
    let hasFed = false;
    while (this.#toGuest.length > 0) {
      const first = this.#toGuest[0]!;
      const taken = this.#connection!.in.write(first);
      hasFed ||= taken > 0;
      if (taken < first.length) {
        this.#toGuest[0] = first.subarray(taken);
        break;
      }
      this.#toGuest.shift();
    }
    return hasFed;
  }
}

/** The last `limit` bytes of output, and how far the terminal has read. */
class Backlog {
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** Bytes at the end that the terminal has not read. */
  #unread = 0;

  constructor(private readonly limit: number) {}

  add(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    this.#unread += bytes.length;
    while (this.#length > this.limit) {
      const first = this.#chunks[0]!;
      const over = this.#length - this.limit;
      if (first.length <= over) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(over);
      this.#length -= Math.min(first.length, over);
    }
    this.#unread = Math.min(this.#unread, this.#length);
  }

  all(): Uint8Array {
    return this.#from(0, this.#length);
  }

  /** The first `limit` bytes that the terminal has not read. */
  unread(limit: number): Uint8Array {
    return this.#from(this.#length - this.#unread, Math.min(limit, this.#unread));
  }

  advance(count: number): void {
    this.#unread -= count;
  }

  #from(start: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    let skip = start;
    let at = 0;
    for (const chunk of this.#chunks) {
      if (at === count) break;
      const part = chunk.subarray(Math.min(skip, chunk.length), Math.min(skip + count - at, chunk.length));
      skip = Math.max(0, skip - chunk.length);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}
