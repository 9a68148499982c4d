/**
 * A mounted file system: its inodes in memory, how much room there is, and, for one that lives on a block device, the
 * driver that writes changes back.
 *
 * A file system type (ext2, cpio …) fills an empty Volume at mount with `createInode`, `FileData` and `entries`, and
 * returns a driver. From then on the kernel works on the inodes alone and collects in `dirty` and `freed` what the driver
 * has to write back.
 */
import type { ErrnoName } from '../../lib/errno';
import type { BlockDevice } from '../services';
import { SysError } from '../sys';
import { EXTENT_SIZE, FileData } from './fileData';
import { Inode, type InodeKind, type SyntheticNode } from './inode';

export interface Space {
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  readonly inodes: number;
  readonly freeInodes: number;
}

/** What a type does for one mounted volume. Its own state (block maps and the like) is plain, for `save`. */
export interface VolumeDriver {
  /** Room on the device now, counting what is dirty. */
  space(): Space;
  /** Throws SysError ENOSPC when `bytes` more cannot be taken; called before a write needs new extents. */
  reserve?(bytes: number): void;
  /** Writes everything in `volume.dirty` and `volume.freed` and empties them. `done(false)`: the device failed. */
  writeBack(done: (ok: boolean) => void): void;
  /** Last words (superblock state) after the final write-back. */
  umount(done: (ok: boolean) => void): void;
  /** A remount changed `volume.readonly`. */
  remounted?(): void;
  save(): unknown;
}

export interface MountRequest {
  /** Empty but for its root directory, whose mode and owner the type may change. */
  readonly volume: Volume;
  /** Undefined for types without a device. */
  readonly device: BlockDevice | undefined;
  readonly options: readonly string[];
}

export interface FileSystemType {
  readonly name: string;
  readonly needsDevice: boolean;
  /** Reads the device into the volume; `done` once, at once or later. EINVAL: not this type. */
  mount(request: MountRequest, done: (result: VolumeDriver | ErrnoName) => void): void;
  /** The driver again after a restore: the inodes are back in the volume, `saved` is what `save` returned. */
  restore(request: MountRequest, saved: unknown): VolumeDriver;
}

export class Volume {
  readonly root: Inode;
  nextIno: number;
  driver: VolumeDriver | undefined;
  /** Inodes changed since the last write-back; only kept for volumes with a driver. */
  readonly dirty = new Set<Inode>();
  /** Numbers of inodes that are gone since the last write-back. */
  readonly freed = new Set<number>();
  /** When the next write-back begins by itself (guest time); undefined while nothing is dirty. */
  writeBackAtNs: number | undefined;
  /** Told of the first change after a write-back. */
  onDirty: (() => void) | undefined;
  inodeCount = 0;
  /** When it was mounted, seconds since 1970: the time of computed files. */
  madeAt = 0;
  /** Memory that the files' extents take. */
  extents = 0;
  /** Upper limit in extents of a volume in memory (tmpfs, rootfs); asked at each growth. */
  capacityExtents: () => number = () => Number.POSITIVE_INFINITY;
  /** Mounted read-only: every change is refused with EROFS. */
  readonly = false;

  constructor(
    /** Device number of `stat`, and its name in a saved state. */
    readonly id: number,
    readonly type: string,
    /** What was mounted: `/dev/sda1`, `proc`, `none`. */
    readonly source: string,
    rootIno = 2,
    rootNode?: SyntheticNode,
  ) {
    this.nextIno = rootIno;
    this.root = rootNode ? this.synthetic(rootNode, '') : this.createInode('dir', 0o755);
    if (!rootNode) this.root.nlink = 2;
  }

  /** A new inode without a name. `ino` only while a driver reads its device. */
  createInode(kind: InodeKind, mode: number, ino?: number): Inode {
    const inode = new Inode(this, ino ?? this.nextIno++, kind, mode);
    if (ino !== undefined && ino >= this.nextIno) this.nextIno = ino + 1;
    if (kind === 'file') inode.data = new FileData();
    if (kind === 'dir') inode.entries = new Map();
    this.inodeCount++;
    return inode;
  }

  /** An inode whose content is computed; its number depends on its path below the volume's root only. */
  synthetic(node: SyntheticNode, path: string): Inode {
    const kind = node.list ? 'dir' : node.readlink ? 'symlink' : 'file';
    const fallback = kind === 'dir' ? 0o555 : kind === 'symlink' ? 0o777 : node.write ? 0o644 : 0o444;
    const inode = new Inode(this, hashOf(path), kind, node.mode ?? fallback);
    inode.uid = node.uid ?? 0;
    inode.atime = inode.mtime = inode.ctime = this.madeAt;
    inode.node = node;
    inode.path = path;
    if (kind === 'symlink') inode.target = node.readlink!();
    return inode;
  }

  /** Gives a regular file its content as it was read from a device or an image. */
  fill(inode: Inode, data: FileData): void {
    this.extents += data.allocatedExtents - (inode.data?.allocatedExtents ?? 0);
    inode.data = data;
  }

  /** Writes into a file and keeps the account of room. Throws ENOSPC. */
  write(inode: Inode, offset: number, bytes: Uint8Array): void {
    const data = inode.data!;
    const needed = data.extentsNeeded(offset, bytes.length);
    if (needed > 0) {
      this.driver?.reserve?.(needed * EXTENT_SIZE);
      if (this.extents + needed > this.capacityExtents()) throw new SysError('ENOSPC');
    }
    data.write(offset, bytes);
    this.extents += needed;
    this.touch(inode);
  }

  truncate(inode: Inode, size: number): void {
    const before = inode.data!.allocatedExtents;
    inode.data!.truncate(size);
    this.extents += inode.data!.allocatedExtents - before;
    this.touch(inode);
  }

  /** Notes a change for the next write-back. */
  touch(inode: Inode): void {
    if (!this.driver) return;
    this.dirty.add(inode);
    if (this.writeBackAtNs === undefined) this.onDirty?.();
  }

  /** Called when an inode lost a name or an opener: without any of either it is gone. */
  drop(inode: Inode): void {
    if (inode.nlink > 0 || inode.opens > 0) return;
    this.extents -= inode.data?.allocatedExtents ?? 0;
    this.inodeCount--;
    this.dirty.delete(inode);
    if (!this.driver) return;
    this.freed.add(inode.ino);
    if (this.writeBackAtNs === undefined) this.onDirty?.();
  }

  /** Gives the volume and its root directory their time. */
  dated(nowSeconds: number): this {
    this.madeAt = nowSeconds;
    this.root.atime = this.root.mtime = this.root.ctime = nowSeconds;
    return this;
  }

  space(): Space {
    if (this.driver) return this.driver.space();
    const capacity = this.capacityExtents();
    if (!Number.isFinite(capacity)) return { blockSize: EXTENT_SIZE, blocks: 0, free: 0, inodes: 0, freeInodes: 0 };
    return {
      blockSize: EXTENT_SIZE,
      blocks: capacity,
      free: Math.max(0, capacity - this.extents),
      inodes: capacity,
      freeInodes: Math.max(0, capacity - this.inodeCount),
    };
  }
}

/** FNV-1a of a path: a stable inode number for what has no inode. */
function hashOf(path: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193);
  return hash >>> 0 || 1;
}
