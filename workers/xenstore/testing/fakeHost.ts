/** A daemon with domains whose rings and event channels are ordinary objects: for the tests of this folder. */
import { XsRing } from '../../abi/io/xsRing';
import {
  encode,
  latin1,
  latin1Bytes,
  stringsPayload,
  XS_ERROR,
  XS_INTRODUCE,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_WATCH_EVENT,
  XS_WRITE,
  type XsMessage,
  XsMessageReader,
} from '../../abi/io/xsWire';
import { XenError } from '../../lib/errno';
import { type SocketOptions, type StoreSocket, Xenstored } from '../daemon';
import type { DomainState } from '../domains';

/** Speaks the protocol and keeps events apart from replies. */
export abstract class TestClient {
  readonly #reader = new XsMessageReader();
  #events: string[] = [];

  protected abstract transmit(bytes: Uint8Array): void;
  protected abstract receive(): Uint8Array;
  abstract readonly socket: StoreSocket;

  send(message: XsMessage): void {
    this.transmit(encode(message));
  }

  sendStrings(type: number, ...strings: readonly string[]): void {
    this.send({ type, reqId: 1, txId: 0, payload: stringsPayload(strings) });
  }

  /** Everything that has arrived, events included. */
  messages(): XsMessage[] {
    this.#reader.push(this.receive());
    const messages: XsMessage[] = [];
    for (let m = this.#reader.next(); m; m = this.#reader.next()) messages.push(m);
    return messages;
  }

  /** `path token` of the events that have arrived since the last call. */
  events(): string[] {
    this.#sortOut();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** The payload of the one reply that has arrived; of an error, its name. */
  reply(): string {
    const replies = this.#sortOut();
    if (replies.length !== 1) throw new Error(`${replies.length} replies`);
    const text = latin1(replies[0]!.payload);
    return replies[0]!.type === XS_ERROR ? text.slice(0, -1) : text;
  }

  text(type: number, path: string, txId = 0): string {
    this.send({ type, reqId: 1, txId, payload: stringsPayload([path]) });
    const replies = this.#sortOut();
    if (replies.length !== 1 || replies[0]!.type !== type)
      throw new Error(`${type} ${path}: ${replies.map((m) => latin1(m.payload)).join()}`);
    return latin1(replies[0]!.payload);
  }

  ok(type: number, ...strings: readonly string[]): void {
    this.sendStrings(type, ...strings);
    const reply = this.reply();
    if (reply !== 'OK\0') throw new Error(`${type} ${strings.join(' ')}: ${reply}`);
  }

  error(type: number, ...strings: readonly string[]): string {
    return this.errorRaw(type, stringsPayload(strings));
  }

  errorRaw(type: number, payload: Uint8Array): string {
    this.send({ type, reqId: 1, txId: 0, payload });
    return this.reply();
  }

  write(path: string, value: string, txId = 0): void {
    this.send({ type: XS_WRITE, reqId: 1, txId, payload: latin1Bytes(`${path}\0${value}`) });
    const reply = this.reply();
    if (reply !== 'OK\0') throw new Error(`write ${path}: ${reply}`);
  }

  begin(): number {
    this.sendStrings(XS_TRANSACTION_START, '');
    return Number(this.reply().slice(0, -1));
  }

  end(txId: number, verdict: 'T' | 'F'): void {
    const reply = this.endError(txId, verdict);
    if (reply !== 'OK\0') throw new Error(reply);
  }

  endError(txId: number, verdict: string): string {
    this.send({ type: XS_TRANSACTION_END, reqId: 1, txId, payload: stringsPayload([verdict]) });
    return this.reply();
  }

  #sortOut(): XsMessage[] {
    const replies: XsMessage[] = [];
    for (const message of this.messages()) {
      if (message.type === XS_WATCH_EVENT) this.#events.push(latin1(message.payload).slice(0, -1).replace('\0', ' '));
      else replies.push(message);
    }
    return replies;
  }
}

class SocketTestClient extends TestClient {
  constructor(readonly socket: StoreSocket) {
    super();
  }
  protected transmit(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }
  protected receive(): Uint8Array {
    return this.socket.read();
  }
}

/** A guest's end of the ring. */
export class FakeDomain extends TestClient {
  readonly page = new Uint8Array(4096);
  readonly ring = new XsRing(this.page, 'req');
  readonly #responses = new XsRing(this.page, 'rsp');
  state: DomainState = 'alive';
  isMapped = false;
  isBound = false;
  onEvent: () => void = () => {};
  /** Events that the daemon has sent to this domain. */
  notifications = 0;

  constructor(
    readonly domid: number,
    readonly mfn: number,
    public port: number,
  ) {
    super();
  }

  get socket(): never {
    throw new Error('a domain has no socket');
  }

  notify(): void {
    if (this.isBound) this.onEvent();
  }

  protected transmit(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      const count = this.ring.write(rest);
      if (count === 0) throw new Error('the daemon does not read');
      rest = rest.subarray(count);
      this.notify();
    }
  }

  protected receive(): Uint8Array {
    const bytes: number[] = [];
    for (let part = this.#responses.read(); part.length > 0; part = this.#responses.read()) {
      bytes.push(...part);
      this.notify();
    }
    return Uint8Array.from(bytes);
  }

  drain(): XsMessage[] {
    return this.messages();
  }
}

export class FakeHost {
  readonly domains = new Map<number, FakeDomain>();
  readonly logged: string[] = [];
  chargedNs = 0;

  readonly daemon = new Xenstored({
    mapRing: (domid, mfn) => {
      const domain = this.domains.get(domid);
      if (!domain || domain.mfn !== mfn) throw new XenError('EINVAL', `no page ${mfn}`);
      domain.isMapped = true;
      return {
        page: domain.page,
        unmap: () => {
          domain.isMapped = false;
        },
      };
    },
    bindInterdomain: (domid, port, onEvent) => {
      const domain = this.domains.get(domid)!;
      domain.isBound = true;
      domain.port = port;
      domain.onEvent = onEvent;
      return {
        notify: () => {
          domain.notifications++;
        },
        close: () => {
          domain.isBound = false;
        },
      };
    },
    domainState: (domid) => this.domains.get(domid)?.state ?? 'gone',
    charge: (ns) => {
      this.chargedNs += ns;
    },
    log: (line) => this.logged.push(line),
  });

  socket(options?: SocketOptions): TestClient {
    return new SocketTestClient(this.daemon.connectSocket(options));
  }

  introduce(client: TestClient, domid: number): FakeDomain {
    const domain = new FakeDomain(domid, 1000 + domid, 3);
    this.domains.set(domid, domain);
    client.ok(XS_INTRODUCE, `${domid}`, `${domain.mfn}`, '3');
    return domain;
  }
}
