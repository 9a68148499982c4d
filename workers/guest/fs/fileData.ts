/**
 * The bytes of one file: sparse 4 KiB extents that may be shared with other files until one of them is written.
 *
 * Content that comes from a constant (the default root tree, an unpacked image) stays one shared array until the first
 * write; from then on only the touched extents become the file's own. A hole takes no memory and reads as zeros.
 */
export const EXTENT_SIZE = 4096;

/** Plain form of a file's bytes: the extents that exist, by index; the last one may be short. */
export interface FileDataState {
  readonly size: number;
  readonly extents: readonly (readonly [number, Uint8Array])[];
}

export class FileData {
  #size = 0;
  /** Whole content, shared and never written; replaced by extents on the first write. */
  #base: Uint8Array | undefined;
  #extents: Map<number, Uint8Array> | undefined;
  /** Indices of extents that only this file refers to, and which may be written in place. */
  #owned: Set<number> | undefined;

  /** A file whose content is `bytes`, which must never change afterwards. */
  static of(bytes: Uint8Array): FileData {
    const data = new FileData();
    data.#base = bytes;
    data.#size = bytes.length;
    return data;
  }

  static restore(state: FileDataState): FileData {
    const data = new FileData();
    data.#size = state.size;
    data.#extents = new Map(state.extents);
    return data;
  }

  get size(): number {
    return this.#size;
  }

  /** 4 KiB extents that take memory. */
  get allocatedExtents(): number {
    if (this.#base) return Math.ceil(this.#base.length / EXTENT_SIZE);
    return this.#extents?.size ?? 0;
  }

  /** Whether the 4 KiB extent exists (is not a hole). */
  hasExtent(index: number): boolean {
    if (this.#base) return index * EXTENT_SIZE < this.#base.length;
    return this.#extents?.has(index) ?? false;
  }

  /** Up to `length` bytes from `offset`, a copy; shorter at the end of the file. */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.#size);
    if (end <= offset) return new Uint8Array(0);
    if (this.#base) return this.#base.slice(offset, end);
    const out = new Uint8Array(end - offset);
    for (let at = offset; at < end; ) {
      const index = Math.floor(at / EXTENT_SIZE);
      const within = at - index * EXTENT_SIZE;
      const count = Math.min(EXTENT_SIZE - within, end - at);
      const extent = this.#extents?.get(index);
      if (extent) out.set(extent.subarray(within, Math.min(within + count, extent.length)), at - offset);
      at += count;
    }
    return out;
  }

  /** New extents that writing this range would need. */
  extentsNeeded(offset: number, length: number): number {
    if (length === 0) return 0;
    let needed = 0;
    const last = Math.floor((offset + length - 1) / EXTENT_SIZE);
    for (let index = Math.floor(offset / EXTENT_SIZE); index <= last; index++) if (!this.hasExtent(index)) needed++;
    return needed;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#split();
    for (let done = 0; done < bytes.length; ) {
      const at = offset + done;
      const index = Math.floor(at / EXTENT_SIZE);
      const within = at - index * EXTENT_SIZE;
      const count = Math.min(EXTENT_SIZE - within, bytes.length - done);
      this.#writable(index, within + count).set(bytes.subarray(done, done + count), within);
      done += count;
    }
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  /** Cuts or extends (with a hole). */
  truncate(size: number): void {
    if (size === this.#size) return;
    this.#split();
    if (size < this.#size) {
      const keep = Math.ceil(size / EXTENT_SIZE);
      for (const index of this.#extents!.keys()) {
        if (index < keep) continue;
        this.#extents!.delete(index);
        this.#owned?.delete(index);
      }
      const within = size % EXTENT_SIZE;
      const last = this.#extents!.get(keep - 1);
      // What was beyond the end must read as zeros when the file grows again.
      if (within !== 0 && last && last.length > within) {
        this.#extents!.set(keep - 1, last.slice(0, within));
        this.#own(keep - 1);
      }
    }
    this.#size = size;
  }

  /** A copy that shares every extent until one of the two is written. */
  clone(): FileData {
    const copy = new FileData();
    copy.#size = this.#size;
    copy.#base = this.#base;
    if (this.#extents) copy.#extents = new Map(this.#extents);
    this.#owned = undefined;
    return copy;
  }

  /** Plain data that shares the extents; the file will not write into them in place any more. */
  save(): FileDataState {
    this.#owned = undefined;
    if (!this.#base) return { size: this.#size, extents: [...(this.#extents ?? [])].sort((a, b) => a[0] - b[0]) };
    const extents: [number, Uint8Array][] = [];
    for (let at = 0; at < this.#base.length; at += EXTENT_SIZE)
      extents.push([at / EXTENT_SIZE, this.#base.subarray(at, at + EXTENT_SIZE)]);
    return { size: this.#size, extents };
  }

  #split(): void {
    if (this.#extents) return;
    this.#extents = new Map(this.save().extents);
    this.#base = undefined;
  }

  /** The extent as own memory with room for `length` bytes; grows by doubling, so that small files stay small. */
  #writable(index: number, length: number): Uint8Array {
    const old = this.#extents!.get(index);
    if (old && old.length >= length && this.#owned?.has(index)) return old;
    const capacity = old ? Math.max(old.length, Math.min(EXTENT_SIZE, Math.max(length, old.length * 2))) : length;
    const own = new Uint8Array(capacity);
    if (old) own.set(old);
    this.#extents!.set(index, own);
    this.#own(index);
    return own;
  }

  #own(index: number): void {
    this.#owned ??= new Set();
    this.#owned.add(index);
  }
}
