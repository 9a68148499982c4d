/**
 * A kernel's connection to xenstore: messages over a ring in a page that it shares with the daemon.
 *
 * Everything is asynchronous: a request goes into the ring when there is room, its reply comes with a later event.
 */
import { XsRing } from '../abi/io/xsRing';
import {
  decode,
  encode,
  XENSTORE_PAYLOAD_MAX,
  XS_DIRECTORY,
  XS_ERROR,
  XS_HEADER_SIZE,
  XS_READ,
  XS_RM,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
} from '../abi/io/xsWire';
import type { Port } from '../abi/xen';
import type { EventChannels } from './evtchn';
import type { XenbusServices } from './services';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text of the reply, or the name of the error. */
type Reply = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string };
type OnReply = (reply: Reply) => void;

/** Plain state: bytes on their way and the next numbers. */
export interface XenbusState {
  nextRequestId: number;
  nextToken: number;
  outgoing: Uint8Array;
  incoming: Uint8Array;
}

export class Xenbus implements XenbusServices {
  readonly #requests: XsRing;
  readonly #replies: XsRing;
  readonly #waiting = new Map<number, OnReply>();
  readonly #watches = new Map<string, { path: string; handler: (path: string) => void }>();

  constructor(
    page: Uint8Array,
    private readonly port: Port,
    private readonly events: EventChannels,
    private readonly state: XenbusState = {
      nextRequestId: 1,
      nextToken: 1,
      outgoing: new Uint8Array(0),
      incoming: new Uint8Array(0),
    },
  ) {
    this.#requests = new XsRing(page, 'req');
    this.#replies = new XsRing(page, 'rsp');
    events.handle(port, () => this.#onEvent());
  }

  /** Nothing is under way: no request without a reply, no half message. */
  get isQuiet(): boolean {
    return this.#waiting.size === 0 && this.state.outgoing.length === 0 && this.state.incoming.length === 0;
  }

  read(path: string, done: (value: string | undefined) => void): void {
    this.#request(XS_READ, 0, `${path}\0`, (reply) => done(reply.ok ? reply.text : undefined));
  }

  list(path: string, done: (names: readonly string[]) => void): void {
    this.#request(XS_DIRECTORY, 0, `${path}\0`, (reply) =>
      done(reply.ok ? reply.text.split('\0').filter((name) => name !== '') : []),
    );
  }

  write(pairs: Readonly<Record<string, string>>, done?: (ok: boolean) => void): void {
    const entries = Object.entries(pairs);
    if (entries.length === 1) {
      const [path, value] = entries[0]!;
      this.#request(XS_WRITE, 0, `${path}\0${value}`, (reply) => done?.(reply.ok));
      return;
    }
    this.#transaction(
      (tx, failed) => {
        for (const [path, value] of entries)
          this.#request(XS_WRITE, tx, `${path}\0${value}`, (reply) => reply.ok || failed());
      },
      (ok) => done?.(ok),
    );
  }

  remove(path: string, done?: (ok: boolean) => void): void {
    this.#request(XS_RM, 0, `${path}\0`, (reply) => done?.(reply.ok));
  }

  watch(path: string, handler: (path: string) => void): string {
    const token = (this.state.nextToken++).toString(16).toUpperCase().padStart(8, '0');
    this.#watches.set(token, { path, handler });
    this.#request(XS_WATCH, 0, `${path}\0${token}\0`, () => {});
    return token;
  }

  unwatch(token: string): void {
    const watch = this.#watches.get(token);
    if (!watch) return;
    this.#watches.delete(token);
    this.#request(XS_UNWATCH, 0, `${watch.path}\0${token}\0`, () => {});
  }

  save(): XenbusState {
    return { ...this.state, outgoing: this.state.outgoing.slice(), incoming: this.state.incoming.slice() };
  }

  /** Runs the body's requests in a transaction; again when somebody else changed the store meanwhile. */
  #transaction(body: (tx: number, failed: () => void) => void, done: (ok: boolean) => void): void {
    this.#request(XS_TRANSACTION_START, 0, '\0', (started) => {
      if (!started.ok) {
        done(false);
        return;
      }
      const tx = Number.parseInt(started.text, 10);
      let hasFailed = false;
      body(tx, () => {
        hasFailed = true;
      });
      // Replies come in order: at this point those of the body may be outstanding, and a failed write inside a
      // transaction leaves the others to be committed, as in XenLinux's printf-style helpers.
      this.#request(XS_TRANSACTION_END, tx, 'T\0', (ended) => {
        if (!ended.ok && ended.error === 'EAGAIN') this.#transaction(body, done);
        else done(ended.ok && !hasFailed);
      });
    });
  }

  #request(type: number, tx: number, payload: string, onReply: OnReply): void {
    const bytes = encoder.encode(payload);
    if (bytes.length > XENSTORE_PAYLOAD_MAX) {
      onReply({ ok: false, error: 'E2BIG' });
      return;
    }
    const id = this.state.nextRequestId;
    this.state.nextRequestId = (id + 1) >>> 0 || 1;
    const message = encode({ type, reqId: id, txId: tx, payload: bytes });
    this.#waiting.set(id, onReply);
    this.state.outgoing = concat(this.state.outgoing, message);
    this.#flush();
  }

  #flush(): void {
    if (this.state.outgoing.length === 0) return;
    const taken = this.#requests.write(this.state.outgoing);
    if (taken === 0) return;
    this.state.outgoing = this.state.outgoing.slice(taken);
    this.events.notify(this.port);
  }

  #onEvent(): void {
    this.#flush();
    for (;;) {
      const bytes = this.#replies.read();
      if (bytes.length === 0) return;
      this.events.notify(this.port);
      this.state.incoming = concat(this.state.incoming, bytes);
      this.#deliver();
    }
  }

  #deliver(): void {
    for (;;) {
      const message = decode(this.state.incoming);
      if (!message) return;
      this.state.incoming = this.state.incoming.slice(XS_HEADER_SIZE + message.payload.length);
      const text = decoder.decode(message.payload);
      if (message.type === XS_WATCH_EVENT) this.#onWatchEvent(text);
      else this.#onReply(message.reqId, message.type, text);
    }
  }

  #onReply(id: number, type: number, text: string): void {
    const onReply = this.#waiting.get(id);
    // A reply to a request made before a restore: whoever asked has started anew.
    if (!onReply) return;
    this.#waiting.delete(id);
    if (type === XS_ERROR) onReply({ ok: false, error: text.replace(/\0$/, '') });
    else onReply({ ok: true, text: type === XS_TRANSACTION_START ? text.replace(/\0$/, '') : text });
  }

  #onWatchEvent(text: string): void {
    const [path, token] = text.split('\0');
    this.#watches.get(token ?? '')?.handler(path ?? '');
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
