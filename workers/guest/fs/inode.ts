/** An inode: a file, directory, link or device as the kernel holds it in memory, without a name of its own. */
import type { Stat } from '../sys';
import type { FileData } from './fileData';
import type { Volume } from './volume';

export type InodeKind = Stat['kind'];

/** A file of /proc or /sys: content made at the time of reading. */
export interface SyntheticNode {
  /** Directories: names, and what stands behind one. */
  list?(): readonly string[];
  lookup?(name: string): SyntheticNode | undefined;
  read?(): string;
  /** Accepts what a program wrote; throws SysError. */
  write?(text: string): void;
  readlink?(): string;
  readonly uid?: number;
  readonly mode?: number;
}

export class Inode {
  uid = 0;
  gid = 0;
  nlink = 1;
  rdevMajor = 0;
  rdevMinor = 0;
  /** Seconds since 1970. */
  atime = 0;
  mtime = 0;
  ctime = 0;
  /** Content of a regular file. */
  data: FileData | undefined;
  /** A directory's names, without `.` and `..`. */
  entries: Map<string, Inode> | undefined;
  /** Where a symbolic link points. */
  target: string | undefined;
  /** Open file descriptions that refer to it: a file without names lives as long as one does. */
  opens = 0;
  /** A named pipe's buffer, while somebody has it open. */
  pipe = 0;
  node: SyntheticNode | undefined;
  /** Path below the volume's root, for synthetic inodes only. */
  path = '';

  constructor(
    readonly volume: Volume,
    readonly ino: number,
    readonly kind: InodeKind,
    /** Permission bits, 0 … 0o7777. */
    public mode: number,
  ) {}

  get size(): number {
    if (this.data) return this.data.size;
    if (this.target !== undefined) return this.target.length;
    return this.entries ? 4096 : 0;
  }
}

/** The `stat` structure of an inode. */
export function statOf(inode: Inode): Stat {
  const blocks = inode.data ? inode.data.allocatedExtents * 8 : inode.entries ? 8 : 0;
  return {
    dev: inode.volume.id,
    ino: inode.ino,
    kind: inode.kind,
    mode: inode.mode,
    nlink: inode.nlink,
    uid: inode.uid,
    gid: inode.gid,
    size: inode.size,
    blocks,
    rdevMajor: inode.rdevMajor,
    rdevMinor: inode.rdevMinor,
    atime: inode.atime,
    mtime: inode.mtime,
    ctime: inode.ctime,
  };
}
