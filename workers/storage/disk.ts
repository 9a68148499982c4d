/**
 * A disk as bytes: what stands behind `hda`, a partition, a loop device. Sparse: chunks that were never written read as
 * zeros and take no memory.
 */
export const SECTOR_SIZE = 512;

export interface Disk {
  /** In 512-byte sectors. */
  readonly sectors: number;
  readonly readonly: boolean;
  /** `count` sectors from `sector`; RangeError outside of the disk. */
  read(sector: number, count: number): Uint8Array;
  write(sector: number, bytes: Uint8Array): void;
  /** What was written so far survives a power cut; without it, it may be lost, all of it together. */
  flush(): void;
}
