/** The system's table of open files, and the descriptors by which processes refer to them. */
import type { Inode } from './fs/inode';
import type { FileOps, OpenFile } from './openFile';
import type { Process } from './process';
import { SysError } from './sys';

/** Descriptors a process may have (RLIMIT_NOFILE). */
export const DESCRIPTORS_MAX = 1024;

export interface OpenFileRecord extends Omit<OpenFile, 'refs' | 'inode'> {
  readonly inode: readonly [number, number | string] | undefined;
}

export type NewFile = Pick<OpenFile, 'kind'> & Partial<Omit<OpenFile, 'id' | 'refs'>>;

export class OpenFiles {
  readonly #ops = new Map<string, FileOps>();
  readonly files = new Map<number, OpenFile>();
  nextId = 1;

  register(ops: FileOps): void {
    this.#ops.set(ops.kind, ops);
  }

  opsOf(file: OpenFile): FileOps {
    const ops = this.#ops.get(file.kind);
    if (!ops) throw new Error(`no operations for open files of kind ${file.kind}`);
    return ops;
  }

  /** A new description without a descriptor yet: give it to a process with `install`, or `hold` it. */
  create(given: NewFile): OpenFile {
    return this.#add({
      id: this.nextId++,
      refs: 0,
      canRead: true,
      canWrite: true,
      append: false,
      offset: 0,
      path: '',
      inode: undefined,
      object: 0,
      data: undefined,
      ...given,
    });
  }

  /** The description again, after a restore. */
  restore(record: OpenFileRecord, inode: Inode | undefined): OpenFile {
    return this.#add({ ...record, inode, refs: 0 }, true);
  }

  #add(file: OpenFile, restored = false): OpenFile {
    this.files.set(file.id, file);
    if (file.inode) file.inode.opens++;
    this.opsOf(file).opened?.(file, restored);
    return file;
  }

  /** Puts the file into the lowest free descriptor from `from` on. EMFILE. */
  install(process: Process, file: OpenFile, from = 0): number {
    let fd = from;
    while (process.fds.has(fd)) fd++;
    if (fd >= DESCRIPTORS_MAX) throw new SysError('EMFILE');
    this.installAt(process, file, fd);
    return fd;
  }

  installAt(process: Process, file: OpenFile, fd: number): void {
    file.refs++;
    if (process.fds.has(fd)) this.close(process, fd);
    process.fds.set(fd, file);
  }

  get(process: Process, fd: number): OpenFile {
    const file = process.fds.get(fd);
    if (!file) throw new SysError('EBADF');
    return file;
  }

  close(process: Process, fd: number): void {
    const file = this.get(process, fd);
    process.fds.delete(fd);
    this.release(file);
  }

  closeAll(process: Process): void {
    for (const fd of [...process.fds.keys()].sort((a, b) => a - b)) this.close(process, fd);
  }

  hold(file: OpenFile): void {
    file.refs++;
  }

  /** One reference less; the last one ends the description. */
  release(file: OpenFile): void {
    if (--file.refs > 0) return;
    this.files.delete(file.id);
    this.opsOf(file).release?.(file);
    if (file.inode) {
      file.inode.opens--;
      file.inode.volume.drop(file.inode);
    }
  }
}
