/** Which blocks and inodes are free: the bitmaps, and the counters in descriptors and superblock that go with them. */
import { blocksInGroup, DESC_SIZE, type Geometry, GroupDesc, SUPERBLOCK_OFFSET, viewOf } from './layout';

/** Metadata blocks in memory; `change` gives one for changing and notes that it must be written. */
export interface MetadataBlocks {
  get(block: number): Uint8Array;
  change(block: number): Uint8Array;
}

export class Allocator {
  constructor(
    private readonly geometry: Geometry,
    private readonly metadata: MetadataBlocks,
  ) {}

  get freeBlocks(): number {
    return this.superblock().getUint32(12, true);
  }

  get freeInodes(): number {
    return this.superblock().getUint32(16, true);
  }

  /** The superblock's 1024 bytes; `forChange` notes that it must be written. */
  superblock(forChange = false): DataView {
    const block = Math.floor(SUPERBLOCK_OFFSET / this.geometry.blockSize);
    const bytes = forChange ? this.metadata.change(block) : this.metadata.get(block);
    const at = SUPERBLOCK_OFFSET % this.geometry.blockSize;
    return viewOf(bytes.subarray(at, at + 1024));
  }

  group(index: number, forChange = false): GroupDesc {
    const at = index * DESC_SIZE;
    const block = this.geometry.firstDataBlock + 1 + Math.floor(at / this.geometry.blockSize);
    const bytes = forChange ? this.metadata.change(block) : this.metadata.get(block);
    return new GroupDesc(bytes, at % this.geometry.blockSize);
  }

  /** A free block, the first one at or after `goal` if there is any; undefined when the disk is full. */
  takeBlock(goal: number): number | undefined {
    const { geometry } = this;
    const start = Math.min(Math.max(goal, geometry.firstDataBlock), geometry.blocks - 1) - geometry.firstDataBlock;
    const firstGroup = Math.floor(start / geometry.blocksPerGroup);
    for (let i = 0; i <= geometry.groups; i++) {
      const index = (firstGroup + i) % geometry.groups;
      const group = this.group(index);
      if (group.freeBlocks === 0) continue;
      const from = i === 0 ? start % geometry.blocksPerGroup : 0;
      const bit = firstZero(this.metadata.get(group.blockBitmap), from, blocksInGroup(geometry, index));
      if (bit === undefined) continue;
      setBit(this.metadata.change(group.blockBitmap), bit, true);
      this.#countBlocks(index, -1);
      return geometry.firstDataBlock + index * geometry.blocksPerGroup + bit;
    }
    return undefined;
  }

  freeBlock(block: number): void {
    const relative = block - this.geometry.firstDataBlock;
    const index = Math.floor(relative / this.geometry.blocksPerGroup);
    const bitmap = this.metadata.change(this.group(index).blockBitmap);
    if (!setBit(bitmap, relative % this.geometry.blocksPerGroup, false)) return;
    this.#countBlocks(index, 1);
  }

  /** A free inode, `wanted` itself if it is free; undefined when all are used. */
  takeInode(wanted: number, isDir: boolean): number | undefined {
    const { geometry } = this;
    const first = wanted >= geometry.firstIno && wanted <= geometry.inodes ? wanted - 1 : 0;
    const firstGroup = Math.floor(first / geometry.inodesPerGroup);
    for (let i = 0; i <= geometry.groups; i++) {
      const index = (firstGroup + i) % geometry.groups;
      const group = this.group(index);
      if (group.freeInodes === 0) continue;
      const from = i === 0 ? first % geometry.inodesPerGroup : 0;
      const bit = firstZero(this.metadata.get(group.inodeBitmap), from, geometry.inodesPerGroup);
      if (bit === undefined) continue;
      setBit(this.metadata.change(group.inodeBitmap), bit, true);
      this.#countInodes(index, -1, isDir);
      return index * geometry.inodesPerGroup + bit + 1;
    }
    return undefined;
  }

  freeInode(ino: number, isDir: boolean): void {
    const index = Math.floor((ino - 1) / this.geometry.inodesPerGroup);
    const bitmap = this.metadata.change(this.group(index).inodeBitmap);
    if (setBit(bitmap, (ino - 1) % this.geometry.inodesPerGroup, false)) this.#countInodes(index, 1, isDir);
  }

  #countBlocks(index: number, change: number): void {
    this.group(index, true).freeBlocks += change;
    this.superblock(true).setUint32(12, this.freeBlocks + change, true);
  }

  #countInodes(index: number, change: number, isDir: boolean): void {
    const group = this.group(index, true);
    group.freeInodes += change;
    if (isDir) group.usedDirs -= change;
    this.superblock(true).setUint32(16, this.freeInodes + change, true);
  }
}

function firstZero(bitmap: Uint8Array, from: number, end: number): number | undefined {
  for (let bit = from; bit < end; bit++) {
    if ((bit & 7) === 0 && bitmap[bit >> 3] === 0xff) bit += 7;
    else if ((bitmap[bit >> 3]! & (1 << (bit & 7))) === 0) return bit;
  }
  return undefined;
}

/** True when the bit was different before. */
export function setBit(bitmap: Uint8Array, bit: number, value: boolean): boolean {
  const mask = 1 << (bit & 7);
  const was = (bitmap[bit >> 3]! & mask) !== 0;
  if (value) bitmap[bit >> 3]! |= mask;
  else bitmap[bit >> 3]! &= ~mask;
  return was !== value;
}
