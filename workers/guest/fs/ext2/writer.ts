/**
 * A mounted ext2: turns changed inodes of the volume into blocks on the disk.
 *
 * Only what changed is written: extents of files whose bytes are not those written last, directories with new names, and
 * the tables and bitmaps that follow. Until the device has confirmed them, changed blocks and inodes are remembered, so
 * that a saved and restored guest writes them again.
 */
import type { BlockDevice } from '../../services';
import { SysError } from '../../sys';
import { EXTENT_SIZE, type FileData } from '../fileData';
import type { Inode } from '../inode';
import type { Space, Volume, VolumeDriver } from '../volume';
import { Allocator } from './allocator';
import { writeBlocks } from './blockIo';
import { type BlockMap, blocksOf, buildPointers, emptyMap } from './blockMap';
import { buildDirBlocks, type DirEntry } from './dirBlocks';
import {
  encodeDevice,
  FLAG_INDEX,
  fileTypeOf,
  formatOfKind,
  type Geometry,
  RawInode,
  RO_LARGE_FILE,
  STATE_VALID,
} from './layout';
import type { Ext2Content } from './reader';

/** Plain form of a driver, for a saved guest. */
export interface Ext2State {
  readonly geometry: Geometry;
  readonly metadata: readonly (readonly [number, Uint8Array])[];
  readonly maps: readonly (readonly [number, readonly (readonly [number, number])[], readonly number[]])[];
  readonly parents: readonly (readonly [number, number])[];
  readonly numbers: readonly (readonly [number, number])[];
  /** Metadata blocks, and (by number in the volume) inodes, whose write was not confirmed. */
  readonly unwritten: readonly number[];
  readonly unwrittenInodes: readonly number[];
  readonly wasValid: boolean;
}

/** Blocks kept back from files, for the pointers and directories that come with them. */
const SLACK_BLOCKS = 8;

export class Ext2Driver implements VolumeDriver {
  readonly #geometry: Geometry;
  readonly #metadata: Map<number, Uint8Array>;
  readonly #allocator: Allocator;
  /** By inode number on the disk. */
  readonly #maps: Map<number, BlockMap>;
  /** By inode number in the volume. */
  readonly #parents: Map<number, number>;
  /** Inode number in the volume → on the disk: new inodes may have to take another number there. */
  readonly #numbers = new Map<number, number>();
  /** What each file's extents were when they were last written, by inode number in the volume. */
  readonly #written = new Map<number, Map<number, Uint8Array>>();
  /** Metadata blocks changed since the device last confirmed them. */
  readonly #changed = new Set<number>();
  /** Inodes in the write-back that is under way. */
  #inFlight = new Set<Inode>();
  /** Metadata blocks in the write that is under way. */
  #underWay: readonly number[] = [];
  /** A write is under way; what is asked for meanwhile waits, so that the disk sees everything in order. */
  #isWriting = false;
  readonly #later: (() => void)[] = [];
  #reservedBlocks = 0;
  #wasValid: boolean;

  constructor(
    private readonly volume: Volume,
    private readonly device: BlockDevice,
    content: Ext2Content,
    state?: Ext2State,
  ) {
    this.#geometry = content.geometry;
    this.#metadata = content.metadata;
    this.#maps = content.maps;
    this.#parents = content.parents;
    this.#allocator = new Allocator(content.geometry, {
      get: (block) => this.#metadata.get(block)!,
      change: (block) => {
        this.#changed.add(block);
        return this.#metadata.get(block)!;
      },
    });
    this.#wasValid = state?.wasValid ?? (this.#allocator.superblock().getUint16(58, true) & STATE_VALID) !== 0;
    for (const [own, disk] of state?.numbers ?? [...content.maps.keys()].map((ino) => [ino, ino] as const))
      this.#numbers.set(own, disk);
    for (const block of state?.unwritten ?? []) this.#changed.add(block);
    this.#adopt(state ? new Set(state.unwrittenInodes) : new Set());
  }

  static restore(volume: Volume, device: BlockDevice, state: Ext2State): Ext2Driver {
    const content: Ext2Content = {
      geometry: state.geometry,
      metadata: new Map(state.metadata.map(([block, bytes]) => [block, bytes.slice()])),
      maps: new Map(state.maps.map(([ino, data, indirect]) => [ino, { data: new Map(data), indirect: [...indirect] }])),
      parents: new Map(state.parents),
    };
    return new Ext2Driver(volume, device, content, state);
  }

  space(): Space {
    this.#reservedBlocks = this.#unwrittenBlocks();
    return {
      blockSize: this.#geometry.blockSize,
      blocks: this.#geometry.blocks,
      free: Math.max(0, this.#availableBlocks()),
      inodes: this.#geometry.inodes,
      freeInodes: Math.max(0, this.#availableInodes()),
    };
  }

  reserve(bytes: number): void {
    const perBlock = this.#geometry.blockSize / 4;
    const data = Math.ceil(bytes / this.#geometry.blockSize);
    const needed = data + Math.ceil(data / perBlock);
    if (bytes === 0 && this.#availableInodes() < 1) throw new SysError('ENOSPC');
    if (!this.#hasRoomFor(needed)) {
      // What was written twice, or written and removed again, has been counted too often.
      this.#reservedBlocks = this.#unwrittenBlocks();
      if (!this.#hasRoomFor(needed)) throw new SysError('ENOSPC');
    }
    if (bytes > 0) this.#reservedBlocks += needed;
  }

  writeBack(done: (ok: boolean) => void): void {
    if (this.#isWriting) {
      this.#later.push(() => this.writeBack(done));
      return;
    }
    const dirty = new Set(this.volume.dirty);
    const freed = [...this.volume.freed];
    if (dirty.size === 0 && freed.length === 0 && this.#changed.size === 0) {
      this.device.flush(done);
      return;
    }
    const writes = new Map<number, Uint8Array>();
    try {
      this.#setState(false);
      for (const ino of freed) this.#release(ino);
      this.volume.freed.clear();
      this.#plan(dirty, writes);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      // The disk is full. What was planned is not written: next time, everything is.
      for (const inode of dirty) this.#written.delete(inode.ino);
      done(false);
      return;
    }
    this.volume.dirty.clear();
    this.#reservedBlocks = 0;
    this.#inFlight = dirty;
    this.#write(writes, (ok) => {
      // Whose write failed is dirty again, and what was written of it does not count.
      if (!ok) {
        for (const inode of dirty) {
          this.volume.dirty.add(inode);
          this.#written.delete(inode.ino);
        }
      }
      this.#inFlight = new Set();
      done(ok);
    });
  }

  umount(done: (ok: boolean) => void): void {
    if (this.#isWriting) {
      this.#later.push(() => this.umount(done));
      return;
    }
    this.remounted();
    this.#write(new Map(), done);
  }

  /** A file system that nobody may change any more is clean again, if it was before. */
  remounted(): void {
    if (this.#wasValid && this.#geometry.isWritable && !this.device.readonly) this.#setState(true);
  }

  save(): Ext2State {
    return {
      geometry: this.#geometry,
      metadata: [...this.#metadata].map(([block, bytes]) => [block, bytes.slice()]),
      maps: [...this.#maps].map(([ino, map]) => [ino, [...map.data], [...map.indirect]]),
      parents: [...this.#parents],
      numbers: [...this.#numbers],
      unwritten: [...new Set([...this.#changed, ...this.#underWay])],
      unwrittenInodes: [...this.#inFlight, ...this.volume.dirty].map((inode) => inode.ino),
      wasValid: this.#wasValid,
    };
  }

  // -------------------------------------------------------------------------------------------------------- accounts

  #hasRoomFor(blocks: number): boolean {
    return this.#availableBlocks() - blocks >= SLACK_BLOCKS + this.volume.dirty.size;
  }

  /** Blocks that the files which are not on the disk yet will need there, beyond those they have. */
  #unwrittenBlocks(): number {
    const { blockSize } = this.#geometry;
    let sum = 0;
    for (const { ino, data } of this.volume.dirty) {
      if (!data) continue;
      const blocks = Math.min(Math.ceil(data.size / blockSize), data.allocatedExtents * (EXTENT_SIZE / blockSize));
      const has = this.#maps.get(this.#numbers.get(ino) ?? 0)?.data.size ?? 0;
      const more = Math.max(0, blocks - has);
      sum += more + Math.ceil(more / (blockSize / 4));
    }
    return sum;
  }

  #availableBlocks(): number {
    let free = this.#allocator.freeBlocks - this.#reservedBlocks;
    for (const ino of this.volume.freed) {
      const map = this.#maps.get(this.#numbers.get(ino) ?? 0);
      if (map) free += blocksOf(map);
    }
    return free;
  }

  #availableInodes(): number {
    return this.#allocator.freeInodes + this.#numbers.size - this.volume.inodeCount;
  }

  /** Takes what the files hold as what the disk holds, but for the inodes in `unwritten`, which become dirty. */
  #adopt(unwritten: ReadonlySet<number>): void {
    const seen = new Set<Inode>();
    const visit = (inode: Inode) => {
      if (seen.has(inode)) return;
      seen.add(inode);
      if (unwritten.has(inode.ino)) this.volume.dirty.add(inode);
      else if (inode.data) this.#remember(inode, inode.data);
      for (const child of inode.entries?.values() ?? []) visit(child);
    };
    visit(this.volume.root);
  }

  #remember(inode: Inode, data: FileData): void {
    this.#written.set(inode.ino, new Map(data.save().extents));
  }

  #setState(isValid: boolean): void {
    const state = this.#allocator.superblock().getUint16(58, true);
    const wanted = isValid ? state | STATE_VALID : state & ~STATE_VALID;
    if (wanted !== state) this.#allocator.superblock(true).setUint16(58, wanted, true);
  }

  // -------------------------------------------------------------------------------------------------------- planning

  /** Puts into `writes` what the inodes need, and changes maps, bitmaps and tables accordingly. Throws ENOSPC. */
  #plan(dirty: Set<Inode>, writes: Map<number, Uint8Array>): void {
    this.#adoptChildren(dirty);
    for (const inode of dirty) {
      if (inode.nlink > 0) this.#numberOf(inode);
      else this.#release(inode.ino); // still open, but nameless: on the disk it is gone
    }
    let newest = 0;
    for (const inode of dirty) {
      if (inode.nlink === 0) continue;
      this.#planInode(inode, writes);
      newest = Math.max(newest, inode.ctime);
    }
    const written = this.#allocator.superblock().getUint32(48, true);
    if (newest > written) this.#allocator.superblock(true).setUint32(48, newest, true);
  }

  /** Directories that have moved must be written too: their `..` is another one now. */
  #adoptChildren(dirty: Set<Inode>): void {
    for (const inode of dirty) {
      for (const child of inode.entries?.values() ?? []) {
        if (!this.#numbers.has(child.ino)) dirty.add(child);
        if (child.kind !== 'dir' || this.#parents.get(child.ino) === inode.ino) continue;
        this.#parents.set(child.ino, inode.ino);
        dirty.add(child);
      }
    }
  }

  #numberOf(inode: Inode): number {
    const known = this.#numbers.get(inode.ino);
    if (known !== undefined) return known;
    const number = this.#allocator.takeInode(inode.ino, inode.kind === 'dir');
    if (number === undefined) throw new SysError('ENOSPC');
    this.#numbers.set(inode.ino, number);
    this.#maps.set(number, emptyMap());
    this.#raw(number, true).bytes.fill(0);
    return number;
  }

  #release(ino: number): void {
    const number = this.#numbers.get(ino);
    if (number === undefined) return;
    const raw = this.#raw(number, true);
    const isDir = (raw.mode & 0xf000) === formatOfKind('dir');
    const map = this.#maps.get(number)!;
    for (const block of [...map.data.values(), ...map.indirect]) this.#allocator.freeBlock(block);
    if (raw.fileAcl !== 0 && !this.#isAclShared(number, raw.fileAcl)) this.#allocator.freeBlock(raw.fileAcl);
    raw.bytes.fill(0);
    this.#allocator.freeInode(number, isDir);
    this.#maps.delete(number);
    this.#numbers.delete(ino);
    this.#parents.delete(ino);
    this.#written.delete(ino);
  }

  /** Does another inode use the same block of extended attributes? */
  #isAclShared(number: number, block: number): boolean {
    return [...this.#maps.keys()].some((other) => other !== number && this.#raw(other).fileAcl === block);
  }

  #planInode(inode: Inode, writes: Map<number, Uint8Array>): void {
    const number = this.#numberOf(inode);
    const raw = this.#raw(number, true);
    const { view } = raw;
    let { size } = inode;
    let words: readonly number[] | undefined;
    if (inode.data) {
      words = this.#planFile(inode, inode.data, number, writes);
    } else if (inode.entries) {
      const blocks = this.#dirBlocks(inode, number);
      size = blocks.length * this.#geometry.blockSize;
      words = this.#planBlocks(number, new Map(blocks.map((bytes, at) => [at, bytes])), writes);
      view.setUint32(32, raw.flags & ~FLAG_INDEX, true);
    } else if (inode.target !== undefined) {
      const target = new TextEncoder().encode(inode.target);
      size = target.length;
      if (size < 60) {
        this.#planBlocks(number, new Map(), writes);
        raw.blockArea.fill(0);
        raw.blockArea.set(target);
      } else {
        const block = new Uint8Array(this.#geometry.blockSize);
        block.set(target.subarray(0, block.length));
        words = this.#planBlocks(number, new Map([[0, block]]), writes);
      }
    } else {
      words = encodeDevice(inode.rdevMajor, inode.rdevMinor);
    }
    words?.forEach((word, i) => {
      view.setUint32(40 + 4 * i, word, true);
    });
    this.#putFields(inode, raw, size, blocksOf(this.#maps.get(number)!));
  }

  #putFields(inode: Inode, raw: RawInode, size: number, blocks: number): void {
    const { view } = raw;
    view.setUint16(0, formatOfKind(inode.kind) | inode.mode, true);
    view.setUint16(2, inode.uid & 0xffff, true);
    view.setUint16(120, inode.uid >>> 16, true);
    view.setUint16(24, inode.gid & 0xffff, true);
    view.setUint16(122, inode.gid >>> 16, true);
    view.setUint16(26, inode.nlink, true);
    view.setUint32(4, size, true);
    if (inode.kind === 'file') {
      view.setUint32(108, Math.floor(size / 2 ** 32), true);
      if (size >= 2 ** 31) this.#needLargeFile();
    }
    for (const [at, time] of [
      [8, inode.atime],
      [12, inode.ctime],
      [16, inode.mtime],
    ] as const)
      view.setUint32(at, Math.floor(time), true);
    view.setUint32(28, ((blocks + (raw.fileAcl === 0 ? 0 : 1)) * this.#geometry.blockSize) / 512, true);
    if (raw.bytes.length < 160) return;
    // Inodes of 256 bytes: no parts of a second, and 32 bytes in use beyond the first 128.
    if (view.getUint16(128, true) === 0) view.setUint16(128, 32, true);
    for (const at of [132, 136, 140]) view.setUint32(at, 0, true);
  }

  #needLargeFile(): void {
    const features = this.#allocator.superblock().getUint32(100, true);
    if ((features & RO_LARGE_FILE) === 0)
      this.#allocator.superblock(true).setUint32(100, features | RO_LARGE_FILE, true);
  }

  /** Extents that are the same memory as at the last write are the same bytes: FileData never writes into shared ones. */
  #planFile(inode: Inode, data: FileData, number: number, writes: Map<number, Uint8Array>): readonly number[] {
    const { blockSize } = this.#geometry;
    const before = this.#written.get(inode.ino);
    const wanted = new Map<number, Uint8Array | undefined>();
    const perExtent = EXTENT_SIZE / blockSize;
    for (const [index, extent] of data.save().extents) {
      const isSame = isSameMemory(extent, before?.get(index));
      for (let i = 0; i < perExtent; i++) {
        const at = index * perExtent + i;
        if (at * blockSize >= data.size) break;
        wanted.set(at, isSame ? undefined : padded(extent.subarray(i * blockSize, (i + 1) * blockSize), blockSize));
      }
    }
    const words = this.#planBlocks(number, wanted, writes, (at) => {
      const offset = at * blockSize;
      return padded(data.read(offset, blockSize), blockSize);
    });
    this.#remember(inode, data);
    return words;
  }

  #dirBlocks(inode: Inode, number: number): Uint8Array[] {
    const parent = this.#numbers.get(this.#parents.get(inode.ino) ?? inode.ino)!;
    const fileType = fileTypeOf('dir');
    const entries: DirEntry[] = [
      { ino: number, name: '.', fileType },
      { ino: parent, name: '..', fileType },
    ];
    for (const [name, child] of inode.entries!)
      entries.push({ ino: this.#numberOf(child), name, fileType: fileTypeOf(child.kind) });
    const { blockSize, hasFileType } = this.#geometry;
    return buildDirBlocks(entries, blockSize, hasFileType, this.#maps.get(number)!.data.size);
  }

  /**
   * Gives an inode exactly these blocks, queues those with bytes, and returns its i_block. A block without bytes stays as
   * it is on the disk; if it is not there yet, `bytesOf` provides them. Throws ENOSPC.
   */
  #planBlocks(
    number: number,
    wanted: ReadonlyMap<number, Uint8Array | undefined>,
    writes: Map<number, Uint8Array>,
    bytesOf?: (at: number) => Uint8Array,
  ): readonly number[] {
    const map = this.#maps.get(number)!;
    for (const [at, block] of map.data) {
      if (wanted.has(at)) continue;
      this.#allocator.freeBlock(block);
      writes.delete(block);
      map.data.delete(at);
    }
    let goal = this.#goalOf(number);
    for (const [at, bytes] of wanted) {
      let block = map.data.get(at);
      const isNew = block === undefined;
      if (block === undefined) {
        block = this.#take(goal);
        map.data.set(at, block);
      }
      goal = block + 1;
      const content = bytes ?? (isNew ? bytesOf?.(at) : undefined);
      if (content) writes.set(block, content);
    }
    const spare = map.indirect;
    map.indirect = [];
    const built = buildPointers(map.data, this.#geometry.blockSize, () => {
      const block = spare.pop() ?? this.#take(goal);
      map.indirect.push(block);
      return block;
    });
    for (const block of spare) {
      this.#allocator.freeBlock(block);
      writes.delete(block);
    }
    for (const { block, bytes } of built.indirect) writes.set(block, bytes);
    return built.words;
  }

  #take(goal: number): number {
    const block = this.#allocator.takeBlock(goal);
    if (block === undefined) throw new SysError('ENOSPC');
    return block;
  }

  /** New blocks of an inode come from its own group, if they can. */
  #goalOf(number: number): number {
    const group = Math.floor((number - 1) / this.#geometry.inodesPerGroup);
    return this.#geometry.firstDataBlock + group * this.#geometry.blocksPerGroup;
  }

  #raw(number: number, forChange = false): RawInode {
    const { blockSize, inodeSize, inodesPerGroup } = this.#geometry;
    const group = this.#allocator.group(Math.floor((number - 1) / inodesPerGroup));
    const at = ((number - 1) % inodesPerGroup) * inodeSize;
    const block = group.inodeTable + Math.floor(at / blockSize);
    // A block of the table that was not read holds no used inode.
    if (!this.#metadata.has(block)) this.#metadata.set(block, new Uint8Array(blockSize));
    if (forChange) this.#changed.add(block);
    return new RawInode(this.#metadata.get(block)!, at % blockSize, inodeSize);
  }

  /** Writes data first, then the metadata that refers to it. */
  #write(writes: ReadonlyMap<number, Uint8Array>, done: (ok: boolean) => void): void {
    if (writes.size === 0 && this.#changed.size === 0) {
      done(true);
      return;
    }
    const changed = [...this.#changed];
    const metadata = new Map(changed.map((block) => [block, this.#metadata.get(block)!.slice()]));
    this.#changed.clear();
    this.#underWay = changed;
    this.#isWriting = true;
    const finish = (ok: boolean) => {
      if (!ok) for (const block of changed) this.#changed.add(block);
      this.#underWay = [];
      this.#isWriting = false;
      done(ok);
      this.#later.shift()?.();
    };
    writeBlocks(this.device, this.#geometry.blockSize, writes, (ok) => {
      if (!ok) return finish(false);
      writeBlocks(this.device, this.#geometry.blockSize, metadata, finish);
    });
  }
}

function isSameMemory(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length;
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  const full = new Uint8Array(length);
  full.set(bytes);
  return full;
}
