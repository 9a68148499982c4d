/**
 * One terminal of the page: bytes in both directions over a message port, never more on their way than the page can draw.
 *
 * Output that comes while the page is behind waits here; what would not fit any more is dropped from the front, as on a
 * real line that nobody reads.
 */
import type { MessagePortLike, TerminalInput, TerminalOutput } from '../contract';

/** Bytes that may be on their way to the page. */
const WINDOW = 256 * 1024;
/** Bytes that may wait for the window. */
const ROOM = 1024 * 1024;

export interface TerminalListener {
  input(bytes: Uint8Array): void;
  resize(rows: number, cols: number): void;
  /** The page closed it, or the other side did. Called once. */
  closed(): void;
}

export class TerminalLink {
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #inFlight = 0;
  #isFlushing = false;
  #isClosed = false;
  #reason: string | undefined;
  /** What arrived before somebody listened. */
  #early: TerminalInput[] = [];
  #listener: TerminalListener | undefined;

  constructor(private readonly port: MessagePortLike) {
    port.onmessage = ({ data }) => this.#receive(data as TerminalInput);
    port.start?.();
  }

  listen(listener: TerminalListener): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) this.#receive(message);
  }

  /** Bytes for the screen. What is written in one go of the machine travels as one message. */
  write(bytes: Uint8Array): void {
    if (this.#isClosed || this.#reason !== undefined || bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    while (this.#waitingBytes - this.#waiting[0]!.length > ROOM) this.#waitingBytes -= this.#waiting.shift()!.length;
    this.#flushSoon();
  }

  /** Bytes that the page is not ready for come behind this word. */
  moved(host: string, domid: number): void {
    if (this.#isClosed || this.#reason !== undefined) return;
    this.#flush();
    this.#post({ type: 'moved', host, domid });
  }

  /** Ends it once everything is on the screen. */
  close(reason: string): void {
    if (this.#isClosed || this.#reason !== undefined) return;
    this.#reason = reason;
    this.#flushSoon();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  #receive(message: TerminalInput): void {
    if (this.#isClosed) return;
    if (message.type === 'drawn') {
      this.#inFlight = Math.max(0, this.#inFlight - message.bytes);
      this.#flush();
      return;
    }
    if (!this.#listener) {
      this.#early.push(message);
      return;
    }
    if (message.type === 'input') this.#listener.input(message.data);
    else if (message.type === 'resize') this.#listener.resize(message.rows, message.cols);
    else this.#end();
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    void Promise.resolve().then(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isClosed) return;
    const room = WINDOW - this.#inFlight;
    if (room > 0 && this.#waitingBytes > 0) this.#send(this.#take(Math.min(room, this.#waitingBytes)));
    if (this.#waitingBytes === 0 && this.#reason !== undefined) {
      this.#post({ type: 'closed', reason: this.#reason });
      this.#end();
    }
  }

  #take(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const first = this.#waiting[0]!;
      const piece = first.subarray(0, length - at);
      bytes.set(piece, at);
      at += piece.length;
      if (piece.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(piece.length);
    }
    this.#waitingBytes -= length;
    return bytes;
  }

  #send(data: Uint8Array): void {
    this.#inFlight += data.length;
    this.#post({ type: 'output', data });
  }

  #post(message: TerminalOutput): void {
    this.port.postMessage(message, message.type === 'output' ? [message.data.buffer] : []);
  }

  #end(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.port.onmessage = null;
    this.port.close();
    this.#listener?.closed();
  }
}
