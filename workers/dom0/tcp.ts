/**
 * TCP as the daemons of the toolstack use it: connections of Domain-0's own network stack, read and written in order. Much
 * data may go beside it, over a pipe that lasts as long as the connection.
 */
import type { DaemonSockets } from '../guest/netStack';
import { EndOfStream } from '../lib/byteStream';
import { type ErrnoName, strerror } from '../lib/errno';
import type { BulkEnd, BulkListener } from '../net/bulk';
import type { Connection, XendNetwork } from '../xend/environment';
import { ConnectError } from '../xend/environment';

/** How long a connection may take to come about (xend's socket timeout), ms. */
const CONNECT_TIMEOUT_MS = 30_000;
const READ_BYTES = 65_536;

export interface NetworkHost {
  readonly sockets: DaemonSockets;
  openBulk(name: string, listener: BulkListener): BulkEnd;
  isPoweredOn(address: string): boolean;
  after(ms: number, action: () => void): { cancel(): void };
  /** Promises that were settled here go on before anything else happens. */
  wake(): void;
}

export function dom0Network(host: NetworkHost): XendNetwork {
  const { sockets } = host;
  return {
    connect(name, port) {
      const address = sockets.resolve(name);
      if (address === undefined) return Promise.reject(new ConnectError('Name or service not known'));
      const id = sockets.open();
      return new Promise((resolve, reject) => {
        const settle = (error: ErrnoName | undefined) => {
          timeout.cancel();
          if (error === undefined) resolve(new TcpConnection(host, id, { address, port }, 'client'));
          else {
            sockets.close(id);
            // Python's own timeout comes before the kernel's, and has its own words.
            reject(new ConnectError(error === 'ETIMEDOUT' ? 'timed out' : strerror[error]));
          }
          host.wake();
        };
        const timeout = host.after(CONNECT_TIMEOUT_MS, () => settle('ETIMEDOUT'));
        sockets.watch(id, () => {
          const error = sockets.error(id);
          if (error !== 'pending') settle(error);
        });
        try {
          sockets.connect(id, address, port);
        } catch {
          settle('ENETUNREACH');
        }
      });
    },
    listen(address, port, accepted) {
      const id = sockets.open();
      sockets.listen(id, address, port);
      sockets.watch(id, () => {
        for (let next = sockets.accept(id); next; next = sockets.accept(id))
          accepted(new TcpConnection(host, next.id, next, 'server'));
        host.wake();
      });
      return () => sockets.close(id);
    },
    resolve: (host) => sockets.resolve(host),
    isPoweredOn: (address) => host.isPoweredOn(address),
  };
}

class TcpConnection implements Connection {
  readonly peerAddress: string;
  #received: Uint8Array[] = [];
  #length = 0;
  #hasEnded = false;
  #isClosed = false;
  #reader: { readonly length: number; resolve(bytes: Uint8Array): void; reject(error: Error): void } | undefined;
  #unsent: { bytes: Uint8Array; resolve(): void; reject(error: Error): void }[] = [];
  #bulk: BulkEnd | undefined;
  /** Whether the pipe is what counts. A server is told so by what comes out of it: whoever has no pipe goes on here. */
  #isBeside = false;

  constructor(
    private readonly host: NetworkHost,
    private readonly id: number,
    private readonly peer: { readonly address: string; readonly port: number },
    private readonly side: 'client' | 'server',
  ) {
    this.peerAddress = peer.address;
    host.sockets.watch(id, () => this.#changed());
    this.#changed();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  read(length: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#reader = { length, resolve, reject };
      this.#serve();
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#hasEnded || this.#isClosed) return Promise.reject(new EndOfStream('the connection is closed'));
    return new Promise((resolve, reject) => {
      const entry = { bytes, resolve, reject };
      this.#unsent.push(entry);
      if (!this.#bulk || !this.#isBeside) {
        this.#flush();
        return;
      }
      this.#bulk.send(bytes, () => {
        this.#unsent = this.#unsent.filter((other) => other !== entry);
        resolve();
        this.host.wake();
      });
    });
  }

  hurry(): void {
    const own = this.host.sockets.localEnd(this.id);
    const [client, server] = this.side === 'client' ? [own, this.peer] : [this.peer, own];
    const name = `${client.address}:${client.port}-${server.address}:${server.port}`;
    this.#isBeside = this.side === 'client';
    this.#bulk = this.host.openBulk(name, {
      received: (bytes) => {
        this.#isBeside = true;
        this.#arrived(bytes);
      },
      ended: () => this.#end(),
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#bulk?.close();
    this.host.sockets.close(this.id);
    this.#end();
  }

  #changed(): void {
    if (this.#isClosed) return;
    try {
      this.#flush();
      for (;;) {
        const bytes = this.host.sockets.read(this.id, READ_BYTES);
        if (!bytes) break;
        if (bytes.length === 0) {
          // The pipe's own end comes behind what is still on its way there.
          if (!this.#isBeside) this.#end();
          break;
        }
        this.#arrived(bytes);
      }
    } catch {
      // Whatever the stack says: there is no connection any more.
      this.#end();
    }
    this.host.wake();
  }

  #flush(): void {
    if (this.#isBeside) return;
    for (let next = this.#unsent[0]; next; next = this.#unsent[0]) {
      const taken = this.host.sockets.write(this.id, next.bytes);
      if (taken < next.bytes.length) {
        next.bytes = next.bytes.subarray(taken);
        return;
      }
      this.#unsent.shift();
      next.resolve();
    }
  }

  #arrived(bytes: Uint8Array): void {
    this.#received.push(bytes);
    this.#length += bytes.length;
    this.#serve();
    this.host.wake();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#serve();
    const lost = this.#unsent;
    this.#unsent = [];
    for (const { reject } of lost) reject(new EndOfStream('the connection is closed'));
    this.host.wake();
  }

  #serve(): void {
    const reader = this.#reader;
    if (!reader) return;
    if (this.#length >= reader.length) {
      this.#reader = undefined;
      reader.resolve(this.#take(reader.length));
    } else if (this.#hasEnded) {
      this.#reader = undefined;
      reader.reject(new EndOfStream('the connection is closed'));
    }
  }

  #take(length: number): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (let left = length; left > 0; left -= pieces.at(-1)!.length) {
      const first = this.#received[0]!;
      pieces.push(first.subarray(0, left));
      if (left < first.length) this.#received[0] = first.subarray(left);
      else this.#received.shift();
    }
    this.#length -= length;
    this.#bulk?.take(length);
    // What arrived in one piece, as the pages of a domain do, is handed on as it is.
    return pieces.length === 1 ? pieces[0]! : joined(pieces, length);
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
