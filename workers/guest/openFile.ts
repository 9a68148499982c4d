/**
 * An open file description: what descriptors of one or several processes refer to. It is plain data but for the inode;
 * how it behaves is looked up by `kind` in a table of operations, as Linux's `struct file` and `file_operations`.
 */
import type { Inode } from './fs/inode';
import type { Process } from './process';
import type { WaitQueue } from './waitQueue';

export interface OpenFile {
  readonly id: number;
  /** Names the FileOps, e.g. `regular`, `pipe`, `tty`, `socket`. */
  readonly kind: string;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  readonly append: boolean;
  /** Descriptors, over all processes, that refer to it. */
  refs: number;
  offset: number;
  /** Where it was opened; empty for what has no name. */
  readonly path: string;
  readonly inode: Inode | undefined;
  /** Number of the pipe, terminal, socket … behind it. */
  readonly object: number;
  /** Further plain state of this kind. */
  data: unknown;
}

/** Behaviour of one kind of open file. Calls never wait; a reader waits on `queue` until `isReadable`. */
export interface FileOps {
  readonly kind: string;
  /** Up to `max` bytes; empty at end of file; undefined when nothing is there yet. Throws SysError. */
  read(file: OpenFile, max: number, by: Process | undefined): Uint8Array | undefined;
  /** Bytes taken, 0 when it would block. Throws SysError; EPIPE also raises SIGPIPE. */
  write(file: OpenFile, bytes: Uint8Array, by: Process | undefined): number;
  /** Whether `read` would give something (data, end or error) now. */
  isReadable(file: OpenFile): boolean;
  isWritable(file: OpenFile): boolean;
  /** Woken when readiness may have changed; undefined: always ready. */
  queue(file: OpenFile): WaitQueue | undefined;
  /** A description was made (also after a restore, when `restored` is true). */
  opened?(file: OpenFile, restored: boolean): void;
  /** The last descriptor was closed. */
  release?(file: OpenFile): void;
  /** Size for `seek` from the end; undefined: cannot seek (ESPIPE). */
  sizeOf?(file: OpenFile): number;
  /** Positioned I/O; undefined = not there yet. */
  pread?(file: OpenFile, length: number, offset: number): Uint8Array | undefined;
  pwrite?(file: OpenFile, bytes: Uint8Array, offset: number): number;
  /** Sees to it that what was written survives a power cut; true once it does. EIO when it does not. */
  fsync?(file: OpenFile): boolean;
}
