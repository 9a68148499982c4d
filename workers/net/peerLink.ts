/**
 * The way to one machine of another computer. It carries what this machine says to its network, and nothing of other tabs; what
 * comes in is that one machine's and speaks for no other.
 */
import { cutMessage, MessageJoiner } from './peerWire';
import type { UplinkMessage } from './uplink';

/** Frames are dropped, as by a switch, when so much waits already, bytes. What goes through pipes has a limit of its own. */
export const FULL = 4 << 20;

export interface PeerWay {
  readonly number: number;
  send(piece: ArrayBuffer): void;
  received(message: UplinkMessage): void;
}

export class PeerLink {
  readonly #joiner = new MessageJoiner();
  /** Pipes that the other machine has an end of. */
  readonly #pipes = new Set<string>();
  #waiting = 0;

  constructor(private readonly way: PeerWay) {}

  /** Something that this machine says to all. */
  post(message: UplinkMessage): void {
    if (message.type === 'frame' && this.#waiting > FULL) return;
    // Between two other machines: what goes through the pipe, though not that it has ended.
    if ((message.type === 'data' || message.type === 'taken') && !this.#pipes.has(message.name)) return;
    if (message.type === 'end') this.#pipes.delete(message.name);
    for (const piece of cutMessage(message)) {
      this.#waiting += piece.byteLength;
      this.way.send(piece);
    }
  }

  /** So many bytes have left. */
  taken(bytes: number): void {
    this.#waiting -= bytes;
  }

  /** Throws PeerWireError. */
  receive(piece: ArrayBuffer): void {
    const message = this.#joiner.add(piece);
    if (!message || !this.#isItsOwn(message)) return;
    if (message.type === 'join') this.#pipes.add(message.name);
    if (message.type === 'end') this.#pipes.delete(message.name);
    this.way.received(message);
  }

  #isItsOwn(message: UplinkMessage): boolean {
    const { number } = this.way;
    switch (message.type) {
      case 'frame':
        return true;
      case 'bulletin':
        return message.bulletin.from === `host${number}`;
      case 'data':
      case 'taken':
        return message.from === String(number) && this.#pipes.has(message.name);
      case 'end':
        // Of a pipe to this machine; the ends of others are not its to close.
        return message.from === String(number) && this.#pipes.has(message.name);
      default:
        return message.from === String(number);
    }
  }
}
