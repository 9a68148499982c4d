/**
 * One client of the store: who it is, its watches and open transactions, and the bytes that go to and fro.
 *
 * How the bytes travel is the transport's business: the ring of a domain (domains.ts) or a socket in Domain-0
 * (daemon.ts).
 */
import { encode, latin1Bytes, XS_WATCH_EVENT, type XsMessage, XsMessageReader } from '../abi/io/xsWire';
import { XenError } from '../lib/errno';
import type { Transaction } from './transactions';
import type { Watch } from './watches';

/** More than this waiting to be taken: no further request of this client is read until it has taken some. */
const OUTPUT_LIMIT_BYTES = 16384;
/** More events than this waiting: one that says the same as a waiting one is not queued again. */
const EVENT_LIMIT = 256;

export interface ConnectionOptions {
  readonly domid: number;
  readonly canWrite: boolean;
  /** Where the client's relative paths start; undefined: it must name absolute ones. */
  readonly directory: string | undefined;
}

export class Connection {
  /** Whose rights this connection has besides its own (SET_TARGET). */
  target: number | undefined;
  readonly reader = new XsMessageReader();
  readonly watches: Watch<Connection>[] = [];
  readonly transactions = new Map<number, Transaction>();
  #nextTransactionId = 1;
  #nextWatch = 0;
  /** Encoded messages that the client has not taken yet; the first may be half taken. */
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  /** Events in #output since it was last empty, by path and token. */
  readonly #waitingEvents = new Set<string>();

  constructor(
    /** Position in the order in which connections were made; never reused. */
    readonly sequence: number,
    private readonly options: ConnectionOptions,
  ) {}

  get domid(): number {
    return this.options.domid;
  }

  get canWrite(): boolean {
    return this.options.canWrite;
  }

  get directory(): string | undefined {
    return this.options.directory;
  }

  /** Domains other than Domain-0 are limited by quotas. */
  get isUnprivileged(): boolean {
    return this.options.domid !== 0;
  }

  send(message: XsMessage): void {
    this.#push(encode(message));
  }

  sendEvent(path: string, token: string): void {
    if (this.#output.length >= EVENT_LIMIT) {
      const key = `${path}\0${token}`;
      if (this.#waitingEvents.has(key)) return;
      this.#waitingEvents.add(key);
    }
    this.send({ type: XS_WATCH_EVENT, reqId: 0, txId: 0, payload: latin1Bytes(`${path}\0${token}\0`) });
  }

  get hasOutput(): boolean {
    return this.#output.length > 0;
  }

  /** The client does not take what it asked for: leave its next requests where they are. */
  get isCongested(): boolean {
    return this.#outputBytes > OUTPUT_LIMIT_BYTES;
  }

  /** Hands the oldest bytes to `take`, which says how many it took, until it takes no more. Returns how many in all. */
  drain(take: (bytes: Uint8Array) => number): number {
    let taken = 0;
    let done = 0;
    while (done < this.#output.length) {
      const first = this.#output[done]!;
      const count = take(first);
      taken += count;
      if (count < first.length) {
        this.#output[done] = first.subarray(count);
        break;
      }
      done++;
    }
    this.#output.splice(0, done);
    this.#outputBytes -= taken;
    if (this.#output.length === 0) this.#waitingEvents.clear();
    return taken;
  }

  newWatchOrder(): readonly [number, number] {
    return [this.sequence, this.#nextWatch++];
  }

  addTransaction(transaction: Transaction): number {
    const id = this.#nextTransactionId;
    this.#nextTransactionId = id === 0xffff_ffff ? 1 : id + 1;
    this.transactions.set(id, transaction);
    return id;
  }

  /** The open transaction with this number; undefined for 0, "none". Throws ENOENT. */
  transaction(id: number): Transaction | undefined {
    if (id === 0) return undefined;
    const found = this.transactions.get(id);
    if (!found) throw new XenError('ENOENT', `transaction ${id}`);
    return found;
  }

  /** Half-received requests, open transactions and everything not yet taken are forgotten. Watches: the daemon's part. */
  reset(): void {
    this.reader.reset();
    this.transactions.clear();
    this.#output = [];
    this.#outputBytes = 0;
    this.#waitingEvents.clear();
  }

  #push(bytes: Uint8Array): void {
    this.#output.push(bytes);
    this.#outputBytes += bytes.length;
  }
}
