/**
 * xenstored: the small database through which the toolstack, backends and guests find each other.
 *
 * Messages come in from domains (shared rings) and from sockets in Domain-0, go through the operation table, and the
 * replies go out; changes fire watches. Everything happens inside the call that brings the bytes.
 */
import { latin1, latin1Bytes, XS_ERROR, type XsMessage, XsProtocolError } from '../abi/io/xsWire';
import { type ErrnoName, XenError } from '../lib/errno';
import { Connection, type ConnectionOptions } from './connection';
import { type DomainAccess, Domains } from './domains';
import { type OperationHost, operations, type Reply } from './operations';
import { defaultQuotas, type Quotas } from './quota';
import { findNode, freshTree } from './store';
import { type Change, Database } from './transactions';
import { eventPath, type Watch, WatchTable } from './watches';

/** Where the daemon runs. */
export interface XenstoredEnvironment extends DomainAccess {
  /** The daemon has used this much cpu time of Domain-0. */
  charge(ns: number): void;
  /** A line for the daemon's log (DEBUG print). */
  log?(line: string): void;
}

export interface SocketOptions {
  /** /var/run/xenstored/socket_ro: may look, may not touch. */
  readonly readonly?: boolean;
  /** Where relative paths start, e.g. /local/domain/0 for Domain-0's kernel. Sockets of tools have none. */
  readonly directory?: string;
}

/** One end of a byte-stream connection inside Domain-0. */
export interface StoreSocket {
  /** Request bytes, cut anywhere. Complete requests are answered before this returns. Throws EPIPE after a close. */
  write(bytes: Uint8Array): void;
  /** All that has arrived; empty when nothing has. */
  read(): Uint8Array;
  /** Called when something arrives that no request of this socket brought: it must not call the store at once. */
  onReadable: (() => void) | undefined;
  close(): void;
}

/** Errors that have a name on the wire; what is not among them goes out as EINVAL. */
const WIRE_ERRORS: ReadonlySet<ErrnoName> = new Set<ErrnoName>([
  'EINVAL',
  'EACCES',
  'EEXIST',
  'EISDIR',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'EIO',
  'ENOTEMPTY',
  'ENOSYS',
  'EROFS',
  'EBUSY',
  'EAGAIN',
  'EISCONN',
]);

/** Virtual cpu time of one request and of one watch event, ns. */
const REQUEST_COST_NS = 12_000;
const EVENT_COST_NS = 3_000;

export class Xenstored {
  readonly #database = new Database(freshTree());
  readonly #watches = new WatchTable<Connection>();
  readonly #domains: Domains;
  readonly #operationHost: OperationHost;
  /** How to hand over what is queued for a connection. */
  readonly #flushOf = new Map<Connection, () => void>();
  /** Connections that have something queued. */
  readonly #pending = new Set<Connection>();
  #nextSequence = 0;

  constructor(
    private readonly environment: XenstoredEnvironment,
    quotas: Quotas = defaultQuotas,
  ) {
    this.#domains = new Domains(environment, {
      openConnection: (options, flush) => this.#open(options, flush),
      resetConnection: (connection) => this.#reset(connection),
      closeConnection: (connection) => this.#close(connection),
      handleMessages: (connection) => this.#handleMessages(connection),
      settle: () => this.#settle(),
      fireSpecial: (path) => this.#publish([{ path, removed: false }]),
    });
    this.#operationHost = {
      database: this.#database,
      quotas,
      publish: (changes) => this.#publish(changes),
      addWatch: (watch) => this.#watches.add(watch),
      removeWatch: (watch) => this.#watches.remove(watch),
      deliver: (watch, path) => this.#deliver(watch, path),
      domains: this.#domains,
      log: (line) => environment.log?.(line),
    };
  }

  /** A connection of a program in Domain-0. */
  connectSocket(options: SocketOptions = {}): StoreSocket {
    let isOpen = true;
    const close = () => {
      if (isOpen) this.#close(connection);
      isOpen = false;
    };
    const socket: StoreSocket = {
      write: (bytes) => {
        if (!isOpen) throw new XenError('EPIPE', 'xenstored');
        connection.reader.push(bytes);
        try {
          this.#handleMessages(connection);
        } catch (error) {
          if (!(error instanceof XsProtocolError)) throw error;
          close();
        }
        this.#pending.delete(connection); // the writer looks for itself
        this.#settle();
      },
      read: () => takeAll(connection),
      onReadable: undefined,
      close,
    };
    const connection = this.#open({ domid: 0, canWrite: !options.readonly, directory: options.directory }, () =>
      socket.onReadable?.(),
    );
    return socket;
  }

  /** A node's value as text, for views from outside the machine: no request, so it costs Domain-0 no time. */
  peek(path: string): string | undefined {
    const node = findNode(this.#database.tree(undefined), path);
    return node && latin1(node.value);
  }

  /** Call on VIRQ_DOM_EXC: a domain has shut down, crashed or died. */
  domainEvent(): void {
    this.#domains.check();
    this.#settle();
  }

  #open(options: ConnectionOptions, flush: () => void): Connection {
    const connection = new Connection(this.#nextSequence++, options);
    this.#flushOf.set(connection, flush);
    return connection;
  }

  #close(connection: Connection): void {
    this.#reset(connection);
    this.#flushOf.delete(connection);
  }

  #reset(connection: Connection): void {
    for (const watch of connection.watches) this.#watches.remove(watch);
    connection.watches.length = 0;
    connection.reset();
    this.#pending.delete(connection);
  }

  #handleMessages(connection: Connection): void {
    for (let message = connection.reader.next(); message; message = connection.reader.next()) {
      this.environment.charge(REQUEST_COST_NS);
      this.#handle(connection, message);
    }
  }

  #handle(connection: Connection, { type, reqId, txId, payload }: XsMessage): void {
    try {
      const transaction = connection.transaction(txId);
      const operation = operations.get(type);
      if (!operation) throw new XenError('ENOSYS', `type ${type}`);
      const result = operation({ host: this.#operationHost, connection, transaction, txId, payload });
      const reply: Reply = result instanceof Uint8Array ? { payload: result } : result;
      connection.send({ type, reqId, txId, payload: reply.payload });
      reply.afterwards?.();
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      const name = WIRE_ERRORS.has(error.code) ? error.code : 'EINVAL';
      connection.send({ type: XS_ERROR, reqId, txId, payload: latin1Bytes(`${name}\0`) });
    }
  }

  #publish(changes: readonly Change[]): void {
    for (const { path, removed } of changes) {
      for (const hit of this.#watches.firedBy(path, { subtreeRemoved: removed })) this.#send(hit.watch, hit.path);
    }
  }

  /** One event for one watch; `path` is absolute. */
  #deliver(watch: Watch<Connection>, path: string): void {
    this.#send(watch, eventPath(watch, path));
  }

  #send({ owner, token }: Watch<Connection>, path: string): void {
    this.environment.charge(EVENT_COST_NS);
    owner.sendEvent(path, token);
    this.#pending.add(owner);
  }

  /** Hands over what is queued. Handing over may end a connection, which queues more for others. */
  #settle(): void {
    for (const connection of this.#pending) {
      this.#pending.delete(connection);
      this.#flushOf.get(connection)?.();
    }
  }
}

function takeAll(connection: Connection): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  connection.drain((bytes) => {
    parts.push(bytes);
    length += bytes.length;
    return bytes.length;
  });
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
