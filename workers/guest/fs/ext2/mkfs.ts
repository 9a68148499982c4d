/**
 * Makes an empty ext2: what `mke2fs` writes for revision 1 with sparse_super, filetype and large_file.
 *
 * Only blocks with content are written; a disk that is not blank needs its inode tables zeroed as well.
 */

import { setBit } from './allocator';
import { buildDirBlocks } from './dirBlocks';
import {
  blocksInGroup,
  DESC_SIZE,
  descriptorBlocks,
  EXT2_MAGIC,
  FIRST_INO,
  formatOfKind,
  type Geometry,
  GroupDesc,
  hasSuperblock,
  INCOMPAT_FILETYPE,
  RawInode,
  RO_LARGE_FILE,
  RO_SPARSE_SUPER,
  ROOT_INO,
  STATE_VALID,
  SUPERBLOCK_OFFSET,
  viewOf,
} from './layout';

export interface MkfsOptions {
  /** 1024, 2048 or 4096; default 1024 below 512 MiB, else 4096 (mke2fs.conf). */
  readonly blockSize?: number;
  /** One inode for so many bytes; default 4096 below 512 MiB, else 16384. */
  readonly bytesPerInode?: number;
  /** Up to 16 bytes. */
  readonly label?: string;
  /** 16 bytes. */
  readonly uuid?: Uint8Array;
  /** Seconds since 1970. */
  readonly time?: number;
  /** The disk is known to hold only zeros: leave the inode tables as they are. */
  readonly isBlank?: boolean;
}

export interface MkfsResult {
  readonly blockSize: number;
  readonly blocks: number;
  readonly inodes: number;
  readonly writes: ReadonlyMap<number, Uint8Array>;
}

const SMALL_BYTES = 512 * 1024 * 1024;
const LOST_FOUND_BYTES = 16 * 1024;

/** Undefined: the device (in 512-byte sectors) is too small. */
export function mkfs(sectors: number, options: MkfsOptions = {}): MkfsResult | undefined {
  const isSmall = sectors * 512 < SMALL_BYTES;
  const blockSize = options.blockSize ?? (isSmall ? 1024 : 4096);
  const geometry = layOut(sectors, blockSize, options.bytesPerInode ?? (isSmall ? 4096 : 16384));
  return geometry && new Maker(geometry, options).make();
}

function layOut(sectors: number, blockSize: number, bytesPerInode: number): Geometry | undefined {
  const firstDataBlock = blockSize === 1024 ? 1 : 0;
  const blocksPerGroup = 8 * blockSize;
  let blocks = Math.floor((sectors * 512) / blockSize);
  for (;;) {
    const groups = Math.ceil((blocks - firstDataBlock) / blocksPerGroup);
    if (groups < 1) return undefined;
    const perBlock = blockSize / 128;
    const wanted = Math.max(FIRST_INO + 1, Math.floor((blocks * blockSize) / bytesPerInode));
    const inodesPerGroup = Math.min(8 * blockSize, Math.ceil(wanted / groups / perBlock) * perBlock);
    const geometry: Geometry = {
      blockSize,
      blocks,
      inodes: groups * inodesPerGroup,
      firstDataBlock,
      blocksPerGroup,
      inodesPerGroup,
      groups,
      inodeSize: 128,
      firstIno: FIRST_INO,
      descSize: DESC_SIZE,
      hasFileType: true,
      isWritable: true,
    };
    const last = groups - 1;
    // A last group with hardly more room than its own tables is left unused, as mke2fs does.
    if (blocksInGroup(geometry, last) >= overhead(geometry, last) + (last === 0 ? 20 : 50)) return geometry;
    if (last === 0) return undefined;
    blocks = firstDataBlock + last * blocksPerGroup;
  }
}

function tableBlocks(g: Geometry): number {
  return (g.inodesPerGroup * g.inodeSize) / g.blockSize;
}

/** Blocks of a group that its own management takes. */
function overhead(g: Geometry, group: number): number {
  return (hasSuperblock(group) ? 1 + descriptorBlocks(g) : 0) + 2 + tableBlocks(g);
}

class Maker {
  readonly #writes = new Map<number, Uint8Array>();
  readonly #table: Uint8Array;
  #freeBlocks = 0;

  constructor(
    private readonly geometry: Geometry,
    private readonly options: MkfsOptions,
  ) {
    this.#table = new Uint8Array(descriptorBlocks(geometry) * geometry.blockSize);
  }

  make(): MkfsResult {
    const { geometry } = this;
    const used = this.#makeRoot();
    for (let group = 0; group < geometry.groups; group++) this.#makeGroup(group, group === 0 ? used : 0);
    for (let group = 0; group < geometry.groups; group++) if (hasSuperblock(group)) this.#putSuperblock(group);
    return { blockSize: geometry.blockSize, blocks: geometry.blocks, inodes: geometry.inodes, writes: this.#writes };
  }

  #startOf(group: number): number {
    return this.geometry.firstDataBlock + group * this.geometry.blocksPerGroup;
  }

  #makeGroup(group: number, dataBlocks: number): void {
    const { geometry } = this;
    const { blockSize } = geometry;
    const start = this.#startOf(group);
    const bitmapAt = start + (hasSuperblock(group) ? 1 + descriptorBlocks(geometry) : 0);
    const used = overhead(geometry, group) + dataBlocks;
    const usedInodes = group === 0 ? FIRST_INO : 0;
    const size = blocksInGroup(geometry, group);
    const blockBitmap = new Uint8Array(blockSize);
    for (let bit = 0; bit < 8 * blockSize; bit++) if (bit < used || bit >= size) setBit(blockBitmap, bit, true);
    const inodeBitmap = new Uint8Array(blockSize);
    for (let bit = 0; bit < 8 * blockSize; bit++)
      if (bit < usedInodes || bit >= geometry.inodesPerGroup) setBit(inodeBitmap, bit, true);
    this.#writes.set(bitmapAt, blockBitmap);
    this.#writes.set(bitmapAt + 1, inodeBitmap);
    const desc = new GroupDesc(this.#table, group * DESC_SIZE);
    desc.blockBitmap = bitmapAt;
    desc.inodeBitmap = bitmapAt + 1;
    desc.inodeTable = bitmapAt + 2;
    desc.freeBlocks = size - used;
    desc.freeInodes = geometry.inodesPerGroup - usedInodes;
    desc.usedDirs = group === 0 ? 2 : 0;
    this.#freeBlocks += size - used;
    if (this.options.isBlank) return;
    const zeros = new Uint8Array(blockSize);
    for (let i = 0; i < tableBlocks(geometry); i++)
      if (!this.#writes.has(desc.inodeTable + i)) this.#writes.set(desc.inodeTable + i, zeros);
  }

  /** The root directory and lost+found; returns how many blocks they take. */
  #makeRoot(): number {
    const { geometry } = this;
    const { blockSize } = geometry;
    const tableAt = this.#startOf(0) + overhead(geometry, 0) - tableBlocks(geometry);
    const data = tableAt + tableBlocks(geometry);
    const dir = 2;
    const rootBlocks = buildDirBlocks(
      [
        { ino: ROOT_INO, name: '.', fileType: dir },
        { ino: ROOT_INO, name: '..', fileType: dir },
        { ino: FIRST_INO, name: 'lost+found', fileType: dir },
      ],
      blockSize,
      true,
      1,
    );
    const lostBlocks = buildDirBlocks(
      [
        { ino: FIRST_INO, name: '.', fileType: dir },
        { ino: ROOT_INO, name: '..', fileType: dir },
      ],
      blockSize,
      true,
      Math.min(12, LOST_FOUND_BYTES / blockSize),
    );
    [...rootBlocks, ...lostBlocks].forEach((bytes, i) => {
      this.#writes.set(data + i, bytes);
    });
    this.#putDir(tableAt, ROOT_INO, 0o755, 3, data, rootBlocks.length);
    this.#putDir(tableAt, FIRST_INO, 0o700, 2, data + rootBlocks.length, lostBlocks.length);
    return rootBlocks.length + lostBlocks.length;
  }

  #putDir(tableAt: number, ino: number, mode: number, links: number, block: number, count: number): void {
    const { blockSize, inodeSize } = this.geometry;
    const at = (ino - 1) * inodeSize;
    const tableBlock = tableAt + Math.floor(at / blockSize);
    const bytes = this.#writes.get(tableBlock) ?? new Uint8Array(blockSize);
    this.#writes.set(tableBlock, bytes);
    const { view } = new RawInode(bytes, at % blockSize, inodeSize);
    view.setUint16(0, formatOfKind('dir') | mode, true);
    view.setUint32(4, count * blockSize, true);
    for (const time of [8, 12, 16]) view.setUint32(time, this.options.time ?? 0, true);
    view.setUint16(26, links, true);
    view.setUint32(28, (count * blockSize) / 512, true);
    for (let i = 0; i < count; i++) view.setUint32(40 + 4 * i, block + i, true);
  }

  #putSuperblock(group: number): void {
    const { geometry, options } = this;
    const bytes = new Uint8Array(1024);
    const view = viewOf(bytes);
    const u32 = (at: number, value: number) => view.setUint32(at, value, true);
    const u16 = (at: number, value: number) => view.setUint16(at, value, true);
    const time = options.time ?? 0;
    const logSize = Math.log2(geometry.blockSize / 1024);
    u32(0, geometry.inodes);
    u32(4, geometry.blocks);
    u32(8, Math.floor(geometry.blocks / 20)); // for root only: 5 %
    u32(12, this.#freeBlocks);
    u32(16, geometry.inodes - FIRST_INO);
    u32(20, geometry.firstDataBlock);
    u32(24, logSize);
    u32(28, logSize);
    u32(32, geometry.blocksPerGroup);
    u32(36, geometry.blocksPerGroup);
    u32(40, geometry.inodesPerGroup);
    u32(48, time);
    u16(54, 0xffff); // no check after a number of mounts
    u16(56, EXT2_MAGIC);
    u16(58, STATE_VALID);
    u16(60, 1); // errors: continue
    u32(64, time);
    u32(76, 1); // revision
    u32(84, FIRST_INO);
    u16(88, geometry.inodeSize);
    u16(90, group);
    u32(96, INCOMPAT_FILETYPE);
    u32(100, RO_SPARSE_SUPER | RO_LARGE_FILE);
    bytes.set((options.uuid ?? defaultUuid(geometry)).subarray(0, 16), 104);
    bytes.set(new TextEncoder().encode(options.label ?? '').subarray(0, 16), 120);
    u32(264, time);
    const { blockSize } = geometry;
    const start = this.#startOf(group);
    const block = new Uint8Array(blockSize);
    block.set(bytes, group === 0 ? SUPERBLOCK_OFFSET % blockSize : 0);
    this.#writes.set(start, block);
    for (let at = 0; at < this.#table.length; at += blockSize)
      this.#writes.set(start + 1 + at / blockSize, this.#table.subarray(at, at + blockSize));
  }
}

/** Same disk, same number: a version-4 UUID made of the size. */
function defaultUuid(geometry: Geometry): Uint8Array {
  const uuid = new Uint8Array(16).fill(0x5a);
  viewOf(uuid).setUint32(0, geometry.blocks, true);
  viewOf(uuid).setUint16(4, geometry.blockSize, true);
  uuid[6] = 0x4a;
  uuid[8] = 0x9a;
  return uuid;
}
