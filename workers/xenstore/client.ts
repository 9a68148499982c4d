/**
 * The store as daemons of Domain-0 use it: over a socket connection, each call answered before it returns
 * (libxenstore's xs_read and friends). Kernels use guest/xenbus.ts and the ring instead.
 */
import {
  encode,
  latin1,
  latin1Bytes,
  payloadStrings,
  stringsPayload,
  XENSTORE_PAYLOAD_MAX,
  XS_DIRECTORY,
  XS_ERROR,
  XS_GET_DOMAIN_PATH,
  XS_GET_PERMS,
  XS_INTRODUCE,
  XS_IS_DOMAIN_INTRODUCED,
  XS_MKDIR,
  XS_READ,
  XS_RELEASE,
  XS_RESUME,
  XS_RM,
  XS_SET_PERMS,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
  type XsMessage,
  XsMessageReader,
} from '../abi/io/xsWire';
import { type ErrnoName, errno } from '../lib/errno';
import type { SocketOptions, StoreSocket, Xenstored } from './daemon';

/** A refusal by the store, with the error name that came over the wire. */
export class XenstoreError extends Error {
  override readonly name = 'XenstoreError';
  constructor(
    readonly code: ErrnoName,
    readonly path: string,
  ) {
    super(`${code}: ${path}`);
  }
}

export interface XenstoreReader {
  /** Value as text; undefined when the node does not exist. Other refusals throw XenstoreError. */
  read(path: string): string | undefined;
  /** Child names; undefined when the node does not exist. */
  list(path: string): readonly string[] | undefined;
  getPermissions(path: string): readonly string[] | undefined;
}

export interface XenstoreWriter extends XenstoreReader {
  write(path: string, value: string): void;
  mkdir(path: string): void;
  /** Removing what does not exist is fine. */
  remove(path: string): void;
  /** e.g. ['n0', 'r3']. */
  setPermissions(path: string, permissions: readonly string[]): void;
}

export interface XenstoreClient extends XenstoreWriter {
  /** Runs the body against a transaction and commits; runs it again when the store answers EAGAIN. */
  transaction<T>(body: (store: XenstoreWriter) => T): T;
  /**
   * The handler is called with each changed path, and once at first with the watched path itself; never inside another
   * call of this client, but soon afterwards. Returns the function that removes the watch.
   */
  watch(path: string, handler: (path: string) => void): () => void;
  introduce(domid: number, mfn: number, port: number): void;
  release(domid: number): void;
  resume(domid: number): void;
  isIntroduced(domid: number): boolean;
  domainPath(domid: number): string;
  close(): void;
}

export interface ClientOptions extends SocketOptions {
  /** Runs an action soon, when no call of this client is in progress; watch handlers are called from there. */
  readonly defer: (action: () => void) => void;
}

/** A connection of a program in Domain-0 to the daemon. */
export function connectClient(daemon: Pick<Xenstored, 'connectSocket'>, options: ClientOptions): XenstoreClient {
  return new SocketClient(daemon.connectSocket(options), options.defer);
}

/** A transaction that has lost against others this often is being fed by its own body: it will never succeed. */
const MAX_TRIES = 1000;

class SocketClient implements XenstoreClient {
  readonly #reader = new XsMessageReader();
  readonly #handlers = new Map<string, (path: string) => void>();
  #events: { readonly path: string; readonly token: string }[] = [];
  #isDeferred = false;
  #lastRequest = 0;
  #lastToken = 0;
  readonly #nodes = new NodeRequests(this, 0);

  constructor(
    private readonly socket: StoreSocket,
    private readonly defer: (action: () => void) => void,
  ) {
    socket.onReadable = () => this.#deferEvents();
  }

  /** Sends one request and returns the reply's payload. Throws XenstoreError. */
  request(type: number, txId: number, payload: Uint8Array, subject: string): Uint8Array {
    if (payload.length > XENSTORE_PAYLOAD_MAX) throw new XenstoreError('E2BIG', subject);
    const reqId = ++this.#lastRequest;
    this.socket.write(encode({ type, reqId, txId, payload }));
    this.#reader.push(this.socket.read());
    let reply: XsMessage | undefined;
    for (let message = this.#reader.next(); message; message = this.#reader.next()) {
      if (message.type === XS_WATCH_EVENT) this.#queueEvent(message.payload);
      else reply = message;
    }
    if (!reply) throw new XenstoreError('EIO', subject);
    if (reply.type === XS_ERROR) throw new XenstoreError(errorName(reply.payload), subject);
    return reply.payload;
  }

  read = (path: string) => this.#nodes.read(path);
  list = (path: string) => this.#nodes.list(path);
  getPermissions = (path: string) => this.#nodes.getPermissions(path);
  write = (path: string, value: string) => this.#nodes.write(path, value);
  mkdir = (path: string) => this.#nodes.mkdir(path);
  remove = (path: string) => this.#nodes.remove(path);
  setPermissions = (path: string, permissions: readonly string[]) => this.#nodes.setPermissions(path, permissions);

  transaction<T>(body: (store: XenstoreWriter) => T): T {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const [id] = payloadStrings(this.request(XS_TRANSACTION_START, 0, latin1Bytes('\0'), ''));
      const txId = Number(id);
      let result: T;
      try {
        result = body(new NodeRequests(this, txId));
      } catch (error) {
        this.request(XS_TRANSACTION_END, txId, latin1Bytes('F\0'), '');
        throw error;
      }
      try {
        this.request(XS_TRANSACTION_END, txId, latin1Bytes('T\0'), '');
        return result;
      } catch (error) {
        if (!(error instanceof XenstoreError && error.code === 'EAGAIN')) throw error;
      }
    }
    throw new XenstoreError('EAGAIN', '');
  }

  watch(path: string, handler: (path: string) => void): () => void {
    const token = `${++this.#lastToken}`;
    this.#handlers.set(token, handler);
    try {
      this.request(XS_WATCH, 0, stringsPayload([path, token]), path);
    } catch (error) {
      this.#handlers.delete(token);
      throw error;
    }
    return () => {
      if (this.#handlers.delete(token)) this.request(XS_UNWATCH, 0, stringsPayload([path, token]), path);
    };
  }

  introduce(domid: number, mfn: number, port: number): void {
    this.request(XS_INTRODUCE, 0, stringsPayload([`${domid}`, `${mfn}`, `${port}`]), `domain ${domid}`);
  }

  release(domid: number): void {
    this.request(XS_RELEASE, 0, stringsPayload([`${domid}`]), `domain ${domid}`);
  }

  resume(domid: number): void {
    this.request(XS_RESUME, 0, stringsPayload([`${domid}`]), `domain ${domid}`);
  }

  isIntroduced(domid: number): boolean {
    return payloadStrings(this.request(XS_IS_DOMAIN_INTRODUCED, 0, stringsPayload([`${domid}`]), ''))[0] === 'T';
  }

  domainPath(domid: number): string {
    return payloadStrings(this.request(XS_GET_DOMAIN_PATH, 0, stringsPayload([`${domid}`]), ''))[0]!;
  }

  close(): void {
    this.#handlers.clear();
    this.#events = [];
    this.socket.onReadable = undefined;
    this.socket.close();
  }

  #queueEvent(payload: Uint8Array): void {
    const [path, token] = payloadStrings(payload);
    this.#events.push({ path: path!, token: token! });
    this.#deferEvents();
  }

  #deferEvents(): void {
    if (this.#isDeferred || this.#handlers.size === 0) return;
    this.#isDeferred = true;
    this.defer(() => {
      this.#isDeferred = false;
      this.#reader.push(this.socket.read());
      for (let message = this.#reader.next(); message; message = this.#reader.next()) this.#queueEvent(message.payload);
      const events = this.#events;
      this.#events = [];
      // A handler may make requests: events that these bring come in a later run.
      for (const { path, token } of events) this.#handlers.get(token)?.(path);
    });
  }
}

/** The requests about nodes, inside one transaction or (txId 0) outside any. */
class NodeRequests implements XenstoreWriter {
  constructor(
    private readonly client: SocketClient,
    private readonly txId: number,
  ) {}

  read(path: string): string | undefined {
    const value = this.#unlessMissing(XS_READ, path);
    return value && new TextDecoder().decode(value);
  }

  list(path: string): readonly string[] | undefined {
    const names = this.#unlessMissing(XS_DIRECTORY, path);
    return names && payloadStrings(names);
  }

  getPermissions(path: string): readonly string[] | undefined {
    const permissions = this.#unlessMissing(XS_GET_PERMS, path);
    return permissions && payloadStrings(permissions);
  }

  write(path: string, value: string): void {
    const name = latin1Bytes(`${path}\0`);
    const bytes = new TextEncoder().encode(value);
    const payload = new Uint8Array(name.length + bytes.length);
    payload.set(name);
    payload.set(bytes, name.length);
    this.client.request(XS_WRITE, this.txId, payload, path);
  }

  mkdir(path: string): void {
    this.client.request(XS_MKDIR, this.txId, stringsPayload([path]), path);
  }

  remove(path: string): void {
    this.#unlessMissing(XS_RM, path);
  }

  setPermissions(path: string, permissions: readonly string[]): void {
    this.client.request(XS_SET_PERMS, this.txId, stringsPayload([path, ...permissions]), path);
  }

  #unlessMissing(type: number, path: string): Uint8Array | undefined {
    try {
      return this.client.request(type, this.txId, stringsPayload([path]), path);
    } catch (error) {
      if (error instanceof XenstoreError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

function errorName(payload: Uint8Array): ErrnoName {
  const name = latin1(payload).replace(/\0$/, '');
  return Object.hasOwn(errno, name) ? (name as ErrnoName) : 'EIO';
}
