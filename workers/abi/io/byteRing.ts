/**
 * A stream of bytes through a shared page: one side owns `prod`, the other `cons`, both run freely modulo 2^32. The
 * console and the xenstore channel are two such streams in one page each (public/io/console.h, xs_wire.h).
 */
export interface ByteRingLayout {
  /** Where the bytes start. */
  readonly data: number;
  /** A power of two. */
  readonly size: number;
  readonly cons: number;
  readonly prod: number;
}

/** More bytes than fit are claimed to be in the ring: the other side broke the protocol. */
export class RingCorrupt extends Error {
  override readonly name = 'RingCorrupt';
}

export class ByteRing {
  readonly #view: DataView;

  constructor(
    private readonly page: Uint8Array,
    private readonly layout: ByteRingLayout,
  ) {
    this.#view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  }

  /** Bytes in the ring; throws RingCorrupt. */
  get used(): number {
    const used = (this.#view.getUint32(this.layout.prod, true) - this.#view.getUint32(this.layout.cons, true)) >>> 0;
    if (used > this.layout.size) throw new RingCorrupt(`${used} bytes in a ring of ${this.layout.size}`);
    return used;
  }

  get free(): number {
    return this.layout.size - this.used;
  }

  /** Puts in what fits and returns how much that was. */
  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.free);
    const prod = this.#view.getUint32(this.layout.prod, true);
    const at = prod & (this.layout.size - 1);
    const first = Math.min(count, this.layout.size - at);
    this.page.set(bytes.subarray(0, first), this.layout.data + at);
    this.page.set(bytes.subarray(first, count), this.layout.data);
    this.#view.setUint32(this.layout.prod, (prod + count) >>> 0, true);
    return count;
  }

  /** Takes out up to `limit` bytes (a copy). */
  read(limit = this.layout.size): Uint8Array {
    const count = Math.min(this.used, limit);
    const cons = this.#view.getUint32(this.layout.cons, true);
    const at = cons & (this.layout.size - 1);
    const first = Math.min(count, this.layout.size - at);
    const bytes = new Uint8Array(count);
    bytes.set(this.page.subarray(this.layout.data + at, this.layout.data + at + first));
    bytes.set(this.page.subarray(this.layout.data, this.layout.data + count - first), first);
    this.#view.setUint32(this.layout.cons, (cons + count) >>> 0, true);
    return bytes;
  }
}
