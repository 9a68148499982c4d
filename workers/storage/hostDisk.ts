/**
 * The host's hard disks: sparse bytes in 64 KiB chunks, partitions as windows on them, and a record of which chunks
 * changed, so that a platform can keep them over a reload by writing only those.
 */
import { isZero } from '../lib/zeroes';
import { type Disk, SECTOR_SIZE } from './disk';

export const CHUNK_SIZE = 65536;
const SECTORS_PER_CHUNK = CHUNK_SIZE / SECTOR_SIZE;

/** Where a platform keeps a disk's chunks: OPFS or IndexedDB in the page, memory or files in Node. */
export interface ChunkStorage {
  /** Everything stored for this disk: chunk number → its bytes. */
  load(disk: string): Promise<ReadonlyMap<number, Uint8Array>>;
  /** Stores the given chunks as one unit: either all of them are there afterwards or none. */
  save(disk: string, chunks: ReadonlyMap<number, Uint8Array>): Promise<void>;
  /** Forgets everything stored for this disk. */
  erase(disk: string): Promise<void>;
}

export class HostDisk implements Disk {
  readonly readonly = false;
  readonly #chunks = new Map<number, Uint8Array>();
  /** Chunks whose durable content differs from what is stored. */
  readonly #dirty = new Set<number>();
  /**
   * The write cache: chunks written since their last flush, with what they held before (undefined: a hole). A power cut
   * brings that back, so that a file system never finds half of what it wrote in one go.
   */
  readonly #unflushed = new Map<number, Uint8Array | undefined>();
  /** Writes since the disk was made, for who waits until it is quiet. */
  writeCount = 0;

  /** @param sectors size in 512-byte sectors */
  constructor(
    readonly name: string,
    readonly sectors: number,
  ) {}

  read(sector: number, count: number): Uint8Array {
    this.#check(sector, count);
    const out = new Uint8Array(count * SECTOR_SIZE);
    this.#eachPiece(sector, count, (chunk, offset, length, at) => {
      const bytes = this.#chunks.get(chunk);
      if (bytes) out.set(bytes.subarray(offset, offset + length), at);
    });
    return out;
  }

  write(sector: number, data: Uint8Array): void {
    const count = data.length / SECTOR_SIZE;
    if (!Number.isInteger(count)) throw new RangeError(`${data.length} bytes are not whole sectors`);
    this.#check(sector, count);
    this.writeCount++;
    this.#eachPiece(sector, count, (chunk, offset, length, at) => {
      let bytes = this.#chunks.get(chunk);
      const piece = data.subarray(at, at + length);
      if (!bytes && isZero(piece)) return; // a hole stays a hole
      if (!this.#unflushed.has(chunk)) this.#unflushed.set(chunk, bytes?.slice());
      if (!bytes) {
        bytes = new Uint8Array(CHUNK_SIZE);
        this.#chunks.set(chunk, bytes);
      }
      bytes.set(piece, offset);
    });
  }

  /** Makes what was written between the two sectors durable. */
  flush(sector = 0, count = this.sectors): void {
    const first = Math.floor(sector / SECTORS_PER_CHUNK);
    const last = Math.floor((sector + count - 1) / SECTORS_PER_CHUNK);
    for (const chunk of this.#unflushed.keys()) {
      if (chunk < first || chunk > last) continue;
      this.#unflushed.delete(chunk);
      this.#dirty.add(chunk);
    }
  }

  /** The power is cut: what was not flushed is gone. */
  loseCache(): void {
    for (const [chunk, before] of this.#unflushed) {
      if (before) this.#chunks.set(chunk, before);
      else this.#chunks.delete(chunk);
    }
    this.#unflushed.clear();
  }

  /** Bytes really held, for memory figures. */
  get allocatedBytes(): number {
    return this.#chunks.size * CHUNK_SIZE;
  }

  /** Chunks that were flushed and not taken since. */
  get dirtyChunks(): number {
    return this.#dirty.size;
  }

  /** Chunks that were taken and could not be stored count as changed again. */
  untake(chunks: Iterable<number>): void {
    for (const chunk of chunks) this.#dirty.add(chunk);
  }

  /** Copies of the chunks that were flushed since the last call, as they were then. */
  takeDirty(): ReadonlyMap<number, Uint8Array> {
    const dirty = new Map<number, Uint8Array>();
    for (const chunk of this.#dirty) {
      const durable = this.#unflushed.get(chunk) ?? this.#chunks.get(chunk)!;
      dirty.set(chunk, durable.slice());
    }
    this.#dirty.clear();
    return dirty;
  }

  /** Puts stored chunks in place, when the machine is switched on. */
  fill(chunks: ReadonlyMap<number, Uint8Array>): void {
    for (const [chunk, bytes] of chunks) this.#chunks.set(chunk, bytes.slice());
  }

  #check(sector: number, count: number): void {
    if (sector < 0 || count < 0 || sector + count > this.sectors) {
      throw new RangeError(`sectors ${sector} to ${sector + count} are outside of ${this.name} (${this.sectors})`);
    }
  }

  #eachPiece(
    sector: number,
    count: number,
    visit: (chunk: number, offset: number, length: number, at: number) => void,
  ): void {
    for (let done = 0; done < count; ) {
      const chunk = Math.floor((sector + done) / SECTORS_PER_CHUNK);
      const first = (sector + done) % SECTORS_PER_CHUNK;
      const sectors = Math.min(count - done, SECTORS_PER_CHUNK - first);
      visit(chunk, first * SECTOR_SIZE, sectors * SECTOR_SIZE, done * SECTOR_SIZE);
      done += sectors;
    }
  }
}

/** A partition: `sectors` sectors of `disk` from `start`. */
export class Partition implements Disk {
  readonly readonly: boolean;

  constructor(
    readonly disk: HostDisk,
    readonly start: number,
    readonly sectors: number,
  ) {
    if (start + sectors > disk.sectors) throw new RangeError('the partition does not fit on its disk');
    this.readonly = disk.readonly;
  }

  read(sector: number, count: number): Uint8Array {
    this.#check(sector, count);
    return this.disk.read(this.start + sector, count);
  }

  write(sector: number, bytes: Uint8Array): void {
    this.#check(sector, bytes.length / SECTOR_SIZE);
    this.disk.write(this.start + sector, bytes);
  }

  flush(): void {
    this.disk.flush(this.start, this.sectors);
  }

  #check(sector: number, count: number): void {
    if (sector < 0 || sector + count > this.sectors) throw new RangeError('outside of the partition');
  }
}
