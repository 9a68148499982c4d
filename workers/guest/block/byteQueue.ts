/** Bytes on their way through a stream, in pieces as they came. The pieces are plain data. */
export class ByteQueue {
  #length: number;

  constructor(readonly pieces: Uint8Array[] = []) {
    this.#length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.pieces.push(bytes);
    this.#length += bytes.length;
  }

  /** The first `count` bytes as one piece, without taking them. There must be so many. */
  peek(count: number): Uint8Array {
    const [first] = this.pieces;
    if (first && first.length >= count) return first.subarray(0, count);
    const out = new Uint8Array(count);
    let at = 0;
    for (const piece of this.pieces) {
      if (at === count) break;
      const part = piece.subarray(0, count - at);
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  take(count: number): Uint8Array {
    const out = this.peek(count);
    this.drop(count);
    return out;
  }

  drop(count: number): void {
    this.#length -= count;
    for (let left = count; left > 0; ) {
      const first = this.pieces[0]!;
      if (first.length > left) {
        this.pieces[0] = first.subarray(left);
        return;
      }
      left -= first.length;
      this.pieces.shift();
    }
  }

  clear(): void {
    this.pieces.length = 0;
    this.#length = 0;
  }
}
