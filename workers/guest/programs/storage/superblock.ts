/** The first superblock of an ext2 file system, as fsck and blkid read it from a device. */
import { EXT2_MAGIC, STATE_VALID, SUPERBLOCK_OFFSET, viewOf } from '../../fs/ext2/layout';
import type { Sys } from '../../sys';

export interface Superblock {
  readonly inodes: number;
  readonly freeInodes: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  /** Unmounted in order and without known errors. */
  readonly isClean: boolean;
  readonly hasJournal: boolean;
}

const SIZE = 1024;

/** Null: there is none. Undefined: the device has not answered yet, wait until it is readable. */
export function readSuperblock(sys: Sys, fd: number): Superblock | null | undefined {
  const bytes = sys.pread(fd, SIZE, SUPERBLOCK_OFFSET);
  if (bytes === undefined) return undefined;
  if (bytes.length < SIZE) return null;
  const view = viewOf(bytes);
  const u32 = (at: number) => view.getUint32(at, true);
  if (view.getUint16(56, true) !== EXT2_MAGIC) return null;
  const counts = { inodes: u32(0), blocks: u32(4), freeBlocks: u32(12), freeInodes: u32(16) };
  return { ...counts, isClean: (view.getUint16(58, true) & 3) === STATE_VALID, hasJournal: (u32(92) & 4) !== 0 };
}
