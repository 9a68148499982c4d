/**
 * The words of joined networks as bytes, for a way between two computers: CBOR, cut into pieces that a data channel takes. What
 * comes in was written by somebody else's computer and is looked at before it is believed.
 */
import { decode, encode } from 'cborg';
import type { LinkModel } from './cable';
import type { UplinkMessage } from './uplink';

/** Every browser takes messages of 64 KiB; above 256 KiB they end the channel. */
export const PIECE = 64 * 1024;
/** Longer than anything that is ever said: a map of the memory of the largest guest has a byte a page. */
export const LONGEST = 16 << 20;

/** First byte of a piece. */
const MORE = 0;
const LAST = 1;

/** The other computer has said something that nobody here would say. */
export class PeerWireError extends Error {
  override readonly name = 'PeerWireError';
}

/** Each piece has a buffer of its own. */
export function cutMessage(message: UplinkMessage): readonly ArrayBuffer[] {
  const bytes = encode(message);
  const pieces: ArrayBuffer[] = [];
  for (let at = 0; at < bytes.length; at += PIECE - 1) {
    const part = bytes.subarray(at, at + PIECE - 1);
    const piece = new Uint8Array(part.length + 1);
    piece[0] = at + part.length < bytes.length ? MORE : LAST;
    piece.set(part, 1);
    pieces.push(piece.buffer);
  }
  return pieces;
}

/** Joins pieces to messages again. */
export class MessageJoiner {
  #parts: Uint8Array[] = [];
  #length = 0;

  /** The message that this piece ends. Throws PeerWireError. */
  add(buffer: ArrayBuffer): UplinkMessage | undefined {
    const piece = new Uint8Array(buffer);
    const [kind] = piece;
    if (kind !== MORE && kind !== LAST) throw new PeerWireError('a piece of no known kind');
    this.#parts.push(piece.subarray(1));
    this.#length += piece.length - 1;
    if (this.#length > LONGEST) throw new PeerWireError('a message without an end');
    if (kind === MORE) return undefined;
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    return checked(read(bytes));
  }
}

function read(bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch (error) {
    throw new PeerWireError(`not CBOR: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Built anew from what is known, so that nothing else comes along. */
function checked(value: unknown): UplinkMessage {
  const fields = record(value);
  const type = text(fields['type']);
  const named = () => ({ name: text(fields['name']), from: text(fields['from']) });
  switch (type) {
    case 'frame':
      return { type, frame: bytesOf(fields['frame']) };
    case 'join':
      return { type, ...named(), link: linkOf(fields['link']) };
    case 'link':
      return { type, from: text(fields['from']), link: linkOf(fields['link']) };
    case 'bulletin': {
      const { from, topic, body } = record(fields['bulletin']);
      return { type, bulletin: { from: text(from), topic: text(topic), body } };
    }
    case 'data':
      return { type, ...named(), to: text(fields['to']), bytes: bytesOf(fields['bytes']) };
    case 'taken':
      return { type, ...named(), bytes: count(fields['bytes']) };
    case 'end':
      return { type, ...named() };
    default:
      throw new PeerWireError(`no such word: ${type}`);
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new PeerWireError('no fields');
  return value as Readonly<Record<string, unknown>>;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new PeerWireError('no text where one belongs');
  return value;
}

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new PeerWireError('no bytes where some belong');
  return value;
}

/** Zero or more; infinite for a cable without limit. */
function count(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0)) throw new PeerWireError('no number where one belongs');
  return value;
}

function linkOf(value: unknown): LinkModel {
  const { bitsPerSecond, latencyNs, isUp } = record(value);
  if (typeof isUp !== 'boolean' || !(count(bitsPerSecond) > 0)) throw new PeerWireError('no such cable');
  return { bitsPerSecond: count(bitsPerSecond), latencyNs: Math.min(count(latencyNs), 60e9), isUp };
}
