/**
 * ext2 on disk: superblock, group descriptors, inodes and directory entries as bytes, all little-endian.
 *
 * Offsets and feature bits: Linux include/linux/ext2_fs.h (the ext3 and ext4 additions from Documentation/filesystems/ext4).
 */
import type { InodeKind } from '../inode';

export const SUPERBLOCK_OFFSET = 1024;
export const EXT2_MAGIC = 0xef53;
export const ROOT_INO = 2;
export const FIRST_INO = 11;
export const DESC_SIZE = 32;
export const N_DIRECT = 12;

export const COMPAT_HAS_JOURNAL = 0x4;
export const INCOMPAT_FILETYPE = 0x2;
export const INCOMPAT_EXTENTS = 0x40;
export const INCOMPAT_64BIT = 0x80;
export const INCOMPAT_FLEX_BG = 0x200;
export const RO_SPARSE_SUPER = 0x1;
export const RO_LARGE_FILE = 0x2;
export const RO_EXTRA_ISIZE = 0x40;

/** Incompatible features that this reader understands; any other and the file system must not be touched at all. */
export const KNOWN_INCOMPAT = INCOMPAT_FILETYPE | INCOMPAT_EXTENTS | INCOMPAT_64BIT | INCOMPAT_FLEX_BG;
/** With any feature outside of these two sets it can be read only. */
export const WRITABLE_INCOMPAT = INCOMPAT_FILETYPE | INCOMPAT_FLEX_BG;
export const WRITABLE_RO_COMPAT = RO_SPARSE_SUPER | RO_LARGE_FILE | RO_EXTRA_ISIZE;

export const STATE_VALID = 1;
export const FLAG_INDEX = 0x1000;
export const FLAG_EXTENTS = 0x8_0000;

/** The disk holds something that no ext2 could have written, or none at all. */
export class Ext2Error extends Error {
  override readonly name = 'Ext2Error';
  constructor(
    readonly code: 'EINVAL' | 'EIO',
    detail: string,
  ) {
    super(detail);
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What never changes while a file system exists. */
export interface Geometry {
  readonly blockSize: number;
  readonly blocks: number;
  readonly inodes: number;
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly inodesPerGroup: number;
  readonly groups: number;
  readonly inodeSize: number;
  readonly firstIno: number;
  readonly descSize: number;
  readonly hasFileType: boolean;
  /** Nothing on it forbids this driver to write. */
  readonly isWritable: boolean;
}

/** Reads the 1024 bytes of a superblock. Throws Ext2Error EINVAL when this is no ext2, or one with unknown features. */
export function parseSuperblock(bytes: Uint8Array): Geometry {
  const view = viewOf(bytes);
  const u32 = (at: number) => view.getUint32(at, true);
  if (view.getUint16(56, true) !== EXT2_MAGIC) throw new Ext2Error('EINVAL', 'no ext2 superblock');
  const logBlockSize = u32(24);
  if (logBlockSize > 2) throw new Ext2Error('EINVAL', `block size 2^${10 + logBlockSize}`);
  const blockSize = 1024 << logBlockSize;
  const isDynamic = u32(76) >= 1;
  const incompat = isDynamic ? u32(96) : 0;
  const roCompat = isDynamic ? u32(100) : 0;
  const unknown = incompat & ~KNOWN_INCOMPAT;
  if (unknown !== 0) throw new Ext2Error('EINVAL', `unsupported incompatible features 0x${unknown.toString(16)}`);
  const geometry: Geometry = {
    blockSize,
    blocks: u32(4),
    inodes: u32(0),
    firstDataBlock: u32(20),
    blocksPerGroup: u32(32),
    inodesPerGroup: u32(40),
    groups: Math.ceil((u32(4) - u32(20)) / u32(32)),
    inodeSize: isDynamic ? view.getUint16(88, true) : 128,
    firstIno: isDynamic ? u32(84) : FIRST_INO,
    descSize: (incompat & INCOMPAT_64BIT) !== 0 ? Math.max(DESC_SIZE, view.getUint16(254, true)) : DESC_SIZE,
    hasFileType: (incompat & INCOMPAT_FILETYPE) !== 0,
    isWritable: (incompat & ~WRITABLE_INCOMPAT) === 0 && (roCompat & ~WRITABLE_RO_COMPAT) === 0,
  };
  checkGeometry(geometry);
  return geometry;
}

function checkGeometry(g: Geometry): void {
  const bits = 8 * g.blockSize;
  const isSane =
    g.blocks > g.firstDataBlock &&
    g.firstDataBlock === (g.blockSize === 1024 ? 1 : 0) &&
    g.blocksPerGroup >= 1 &&
    g.blocksPerGroup <= bits &&
    g.inodesPerGroup >= 1 &&
    g.inodesPerGroup <= bits &&
    g.inodes === g.groups * g.inodesPerGroup &&
    [128, 256, 512, 1024].includes(g.inodeSize) &&
    g.inodeSize <= g.blockSize &&
    g.inodes >= FIRST_INO &&
    g.descSize <= 1024;
  if (!isSane) throw new Ext2Error('EINVAL', 'the superblock contradicts itself');
}

/** Blocks that the group descriptors take, behind the superblock's. */
export function descriptorBlocks(g: Geometry): number {
  return Math.ceil((g.groups * g.descSize) / g.blockSize);
}

/** Does this group begin with a copy of superblock and descriptors (sparse_super: 0, 1 and powers of 3, 5, 7)? */
export function hasSuperblock(group: number): boolean {
  if (group <= 1) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}

/** Blocks of a group; the last one may be short. */
export function blocksInGroup(g: Geometry, group: number): number {
  return Math.min(g.blocksPerGroup, g.blocks - g.firstDataBlock - group * g.blocksPerGroup);
}

/** One entry of the group descriptor table, in place. */
export class GroupDesc {
  readonly #view: DataView;
  constructor(table: Uint8Array, at: number) {
    this.#view = new DataView(table.buffer, table.byteOffset + at, DESC_SIZE);
  }
  get blockBitmap(): number {
    return this.#view.getUint32(0, true);
  }
  set blockBitmap(block: number) {
    this.#view.setUint32(0, block, true);
  }
  get inodeBitmap(): number {
    return this.#view.getUint32(4, true);
  }
  set inodeBitmap(block: number) {
    this.#view.setUint32(4, block, true);
  }
  get inodeTable(): number {
    return this.#view.getUint32(8, true);
  }
  set inodeTable(block: number) {
    this.#view.setUint32(8, block, true);
  }
  get freeBlocks(): number {
    return this.#view.getUint16(12, true);
  }
  set freeBlocks(count: number) {
    this.#view.setUint16(12, count, true);
  }
  get freeInodes(): number {
    return this.#view.getUint16(14, true);
  }
  set freeInodes(count: number) {
    this.#view.setUint16(14, count, true);
  }
  get usedDirs(): number {
    return this.#view.getUint16(16, true);
  }
  set usedDirs(count: number) {
    this.#view.setUint16(16, count, true);
  }
}

const FORMATS: readonly (readonly [InodeKind, format: number, fileType: number])[] = [
  ['file', 0x8000, 1],
  ['dir', 0x4000, 2],
  ['char', 0x2000, 3],
  ['block', 0x6000, 4],
  ['fifo', 0x1000, 5],
  ['socket', 0xc000, 6],
  ['symlink', 0xa000, 7],
];

/** Kind in the upper four bits of i_mode; undefined for what is none. */
export function kindOfMode(mode: number): InodeKind | undefined {
  return FORMATS.find(([, format]) => format === (mode & 0xf000))?.[0];
}

export function formatOfKind(kind: InodeKind): number {
  return FORMATS.find(([name]) => name === kind)![1];
}

/** What a directory entry says about the inode it names. */
export function fileTypeOf(kind: InodeKind): number {
  return FORMATS.find(([name]) => name === kind)![2];
}

/** One inode in its table block, in place. */
export class RawInode {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  constructor(tableBlock: Uint8Array, at: number, size: number) {
    this.bytes = tableBlock.subarray(at, at + size);
    this.view = viewOf(this.bytes);
  }
  u16(at: number): number {
    return this.view.getUint16(at, true);
  }
  u32(at: number): number {
    return this.view.getUint32(at, true);
  }
  get mode(): number {
    return this.u16(0);
  }
  get uid(): number {
    return this.u16(2) | (this.u16(120) << 16);
  }
  get gid(): number {
    return this.u16(24) | (this.u16(122) << 16);
  }
  /** Bytes; for anything but regular files only the low word counts. */
  get size(): number {
    return kindOfMode(this.mode) === 'file' ? this.u32(4) + this.u32(108) * 2 ** 32 : this.u32(4);
  }
  get links(): number {
    return this.u16(26);
  }
  get flags(): number {
    return this.u32(32);
  }
  /** The block of extended attributes; 0: none. */
  get fileAcl(): number {
    return this.u32(104);
  }
  get sectors(): number {
    return this.u32(28);
  }
  block(index: number): number {
    return this.u32(40 + 4 * index);
  }
  /** The 60 bytes of i_block: pointers, a short symbolic link, a device number or the root of the extents. */
  get blockArea(): Uint8Array {
    return this.bytes.subarray(40, 100);
  }
}

/** Device number as i_block keeps it: the old 8:8 form in word 0 when it fits, else the new one in word 1. */
export function encodeDevice(major: number, minor: number): readonly [number, number] {
  if (major < 256 && minor < 256) return [(major << 8) | minor, 0];
  return [0, ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0];
}

export function decodeDevice(old: number, large: number): readonly [major: number, minor: number] {
  if (old !== 0) return [(old >>> 8) & 0xff, old & 0xff];
  return [(large >>> 8) & 0xfff, (large & 0xff) | ((large >>> 12) & 0xfff00)];
}
