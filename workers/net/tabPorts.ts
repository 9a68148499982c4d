/**
 * Ports between the workers of tabs, beside the channel that all of them hear: the bytes of pipes go over them without being
 * copied into the message, which takes a third of the time. On the channel a message without its bytes holds their place,
 * so that everything keeps its order.
 */
import type { MessagePortLike } from '../contract';
import type { UplinkMessage } from './uplink';

type PipeMessage = Extract<UplinkMessage, { readonly name: string }>;
type DataMessage = Extract<UplinkMessage, { readonly type: 'data' }>;
/** Its bytes come over the port. */
type Placeholder = Omit<DataMessage, 'type' | 'bytes'> & { readonly type: 'data by port' };
/** What is said on the channel of all tabs. */
export type TabMessage = UplinkMessage | Placeholder;

/** First word on a port: whoever hears it knows that the other end listens. */
const HERE = 'here';

/**
 * The most that goes in one message of the channel, bytes. A BroadcastChannel of Chromium carries 64 MiB in pieces of this
 * size in half the time that it takes in the 4 MiB of a migration's batches (0.3 s, 0.6 s).
 */
const PIECE = 1 << 20;
/** Less is copied and not moved, bytes: whoever has sent it may send it again. */
const WORTH_MOVING = 1 << 16;

interface Line {
  readonly port: MessagePortLike;
  hasAnswered: boolean;
  /** Come over the port, and their placeholders not yet over the channel. */
  readonly bytes: Uint8Array[];
  /** Placeholders whose bytes have not come yet, and what the same machine has said since. */
  readonly held: (PipeMessage | Placeholder)[];
}

export class TabPorts {
  readonly #lines = new Map<string, Line>();

  constructor(
    /** This machine's name among the networks (net/uplink.ts). */
    private readonly own: string,
    private readonly deliver: (message: UplinkMessage) => void,
  ) {}

  /** A way to the worker of another tab; it takes the place of an earlier one. */
  connect(other: string, port: MessagePortLike): void {
    this.forget(other);
    const line: Line = { port, hasAnswered: false, bytes: [], held: [] };
    this.#lines.set(other, line);
    port.onmessage = ({ data }) => {
      if (data === HERE) {
        line.hasAnswered = true;
        return;
      }
      line.bytes.push(data as Uint8Array);
      this.#drain(line);
    };
    port.start?.();
    port.postMessage(HERE);
  }

  /** The machine is off, or has another worker now: what was held is lost with it. */
  forget(other: string): void {
    this.#lines.get(other)?.port.close();
    this.#lines.delete(other);
  }

  /**
   * Sends the bytes of a message over the port to where they go. Answers what goes on the channel in its place; undefined: there
   * is no such port, or the message has no bytes.
   */
  send(message: UplinkMessage): TabMessage | undefined {
    const line = message.type === 'data' ? this.#lines.get(message.to) : undefined;
    if (message.type !== 'data' || !line?.hasAnswered) return undefined;
    const { bytes, ...rest } = message;
    // A message that holds a view takes all of its buffer along.
    const isWhole = bytes.byteLength === bytes.buffer.byteLength;
    const moved = isWhole && bytes.length >= WORTH_MOVING ? bytes : bytes.slice();
    line.port.postMessage(moved, [moved.buffer as ArrayBuffer]);
    return { ...rest, type: 'data by port' };
  }

  /** A message of the channel: it is delivered now, or when the bytes before it have come. */
  receive(message: TabMessage): void {
    if (!('name' in message)) {
      this.deliver(message);
      return;
    }
    if (message.type === 'data by port' && message.to !== this.own) return;
    const line = this.#lines.get(message.from);
    if (line) {
      line.held.push(message);
      this.#drain(line);
    } else if (message.type !== 'data by port') this.deliver(message);
  }

  #drain({ held, bytes }: Line): void {
    for (let next = held[0]; next; next = held[0]) {
      if (next.type !== 'data by port') this.deliver(next);
      else {
        const its = bytes.shift();
        if (!its) return;
        this.deliver({ ...next, type: 'data', bytes: its });
      }
      held.shift();
    }
  }
}

/** A message as the channel carries it fastest; none of the pieces takes the rest of a buffer along. */
export function* inPieces(message: UplinkMessage): Generator<UplinkMessage> {
  if (message.type !== 'data') {
    yield message;
    return;
  }
  const { bytes } = message;
  for (let at = 0; at < bytes.length; at += PIECE) yield { ...message, bytes: bytes.slice(at, at + PIECE) };
}
