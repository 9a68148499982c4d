/**
 * The last 16 KiB (or what `conring_size` says) that the hypervisor printed: `xm dmesg`.
 *
 * Positions are counters that run freely modulo 2^32: `conringc` the oldest byte kept, `conringp` one past the newest.
 * Behaviour: putchar_console_ring and read_console_ring in xen/drivers/char/console.c, Xen 3.4.
 */
export const DEFAULT_CONRING_SIZE = 16384;

export interface ConsoleRead {
  readonly bytes: Uint8Array;
  /** Where the next incremental read goes on. */
  readonly index: number;
}

export class ConsoleRing {
  readonly #bytes: Uint8Array;
  #consumer = 0;
  #producer = 0;

  /** @param size rounded down to a power of two, 16384 at least. */
  constructor(size = DEFAULT_CONRING_SIZE) {
    this.#bytes = new Uint8Array(2 ** Math.floor(Math.log2(Math.max(size, DEFAULT_CONRING_SIZE))));
  }

  get size(): number {
    return this.#bytes.length;
  }

  write(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.#bytes[this.#producer & (this.size - 1)] = byte;
      this.#producer = (this.#producer + 1) >>> 0;
    }
    if ((this.#producer - this.#consumer) >>> 0 > this.size) this.#consumer = (this.#producer - this.size) >>> 0;
  }

  /** From the oldest byte on, or from `fromIndex` when that is newer (incremental); at most `limit` bytes. */
  read(limit: number, fromIndex?: number): ConsoleRead {
    let at = this.#consumer;
    if (fromIndex !== undefined && (fromIndex - at) >>> 0 <= (this.#producer - at) >>> 0) at = fromIndex >>> 0;
    const count = Math.min(limit, (this.#producer - at) >>> 0);
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.#bytes[(at + i) & (this.size - 1)]!;
    return { bytes, index: (at + count) >>> 0 };
  }

  /** Forgets what lies before `index`; a position that is gone already, or not yet there, changes nothing. */
  clear(index: number): void {
    if ((index - this.#consumer) >>> 0 <= (this.#producer - this.#consumer) >>> 0) this.#consumer = index >>> 0;
  }
}
