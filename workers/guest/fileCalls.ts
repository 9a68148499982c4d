/** The part of the system calls that is about descriptors, terminals and files. */

import type { Core } from './core';
import { costs } from './costs';
import type { NewFile } from './descriptors';
import { statOf } from './fs/inode';
import { isAllowed } from './fs/pathWalk';
import type { OpenFile } from './openFile';
import type { Process, ProcessRecord } from './process';
import { type OpenFlags, type Stat, SysError, type Termios } from './sys';
import type { Tty } from './tty';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Largest piece that one read moves when the program names no size. */
const READ_DEFAULT = 65536;

export class FileCalls {
  protected readonly record: ProcessRecord;

  constructor(
    protected readonly core: Core,
    protected readonly process: Process,
  ) {
    this.record = process.record;
  }

  protected charge(ns: number): void {
    this.core.scheduler.charge(ns);
  }

  protected requireRoot(): void {
    if (this.record.uid !== 0) throw new SysError('EPERM');
  }

  protected file(fd: number): OpenFile {
    return this.core.files.get(this.process, fd);
  }

  protected install(file: NewFile): number {
    return this.core.files.install(this.process, this.core.files.create(file));
  }

  // --- descriptors

  read(fd: number, max = READ_DEFAULT): Uint8Array | undefined {
    const file = this.file(fd);
    if (!file.canRead) throw new SysError('EBADF');
    const bytes = this.core.files.opsOf(file).read(file, max, this.process);
    this.charge(costs.syscallNs + (bytes?.length ?? 0) * costs.byteNs);
    return bytes;
  }

  write(fd: number, bytes: Uint8Array): number {
    const file = this.file(fd);
    if (!file.canWrite) throw new SysError('EBADF');
    try {
      const taken = this.core.files.opsOf(file).write(file, bytes, this.process);
      this.charge(costs.syscallNs + taken * costs.byteNs);
      return taken;
    } catch (error) {
      if (error instanceof SysError && error.code === 'EPIPE') this.core.processes.signal(this.process, 'PIPE');
      throw error;
    }
  }

  open(path: string, flags: OpenFlags): number {
    this.charge(costs.syscallNs + costs.lookupNs);
    return this.core.files.install(this.process, this.core.opening.open(this.process, path, flags));
  }

  close(fd: number): void {
    this.charge(costs.syscallNs);
    this.core.files.close(this.process, fd);
  }

  dup(fd: number, to?: number): number {
    const file = this.file(fd);
    if (to === undefined) return this.core.files.install(this.process, file);
    if (to !== fd) this.core.files.installAt(this.process, file, to);
    return to;
  }

  pipe(): readonly [number, number] {
    this.charge(costs.syscallNs);
    const object = this.core.pipes.create();
    return [
      this.install({ kind: 'pipe', object, canWrite: false }),
      this.install({ kind: 'pipe', object, canRead: false }),
    ];
  }

  seek(fd: number, offset: number, whence: 'set' | 'cur' | 'end'): number {
    const file = this.file(fd);
    const size = this.core.files.opsOf(file).sizeOf?.(file);
    if (size === undefined) throw new SysError('ESPIPE');
    const target = offset + (whence === 'set' ? 0 : whence === 'cur' ? file.offset : size);
    if (target < 0) throw new SysError('EINVAL');
    file.offset = target;
    return target;
  }

  pread(fd: number, length: number, offset: number): Uint8Array | undefined {
    const file = this.file(fd);
    const ops = this.core.files.opsOf(file);
    if (!file.canRead) throw new SysError('EBADF');
    if (!ops.pread) throw new SysError('ESPIPE');
    const bytes = ops.pread(file, length, offset);
    this.charge(costs.syscallNs + (bytes?.length ?? 0) * costs.byteNs);
    return bytes;
  }

  pwrite(fd: number, bytes: Uint8Array, offset: number): number {
    const file = this.file(fd);
    const ops = this.core.files.opsOf(file);
    if (!file.canWrite) throw new SysError('EBADF');
    if (!ops.pwrite) throw new SysError('ESPIPE');
    this.charge(costs.syscallNs + bytes.length * costs.byteNs);
    return ops.pwrite(file, bytes, offset);
  }

  fsync(fd: number): boolean {
    this.charge(costs.syscallNs);
    const file = this.file(fd);
    const ops = this.core.files.opsOf(file);
    return ops.fsync ? ops.fsync(file) : this.core.mounting.sync();
  }

  fstat(fd: number): Stat {
    const file = this.file(fd);
    if (file.inode) return statOf(file.inode);
    const kind = file.kind === 'socket' ? 'socket' : file.kind === 'tty' || file.kind === 'ptmx' ? 'char' : 'fifo';
    const now = this.core.wallClock();
    const owner = { uid: this.record.uid, gid: this.record.gid };
    const none = { nlink: 1, size: 0, blocks: 0, rdevMajor: 0, rdevMinor: 0, atime: now, mtime: now, ctime: now };
    return { dev: 0, ino: file.id, kind, mode: 0o600, ...owner, ...none };
  }

  // --- terminals

  isatty(fd: number): boolean {
    return this.process.fds.get(fd)?.kind === 'tty';
  }

  ttyName(fd: number): string | undefined {
    const file = this.process.fds.get(fd);
    return file?.kind === 'tty' ? this.core.terminals.find(file.object)?.name : undefined;
  }

  #tty(fd: number): Tty {
    const file = this.file(fd);
    if (file.kind !== 'tty' && file.kind !== 'ptmx') throw new SysError('ENOTTY');
    return this.core.terminals.get(file.object);
  }

  getTermios(fd: number): Termios {
    return { ...this.#tty(fd).termios };
  }

  setTermios(fd: number, termios: Termios): void {
    this.#tty(fd).setTermios(termios);
  }

  winsize(fd: number): { rows: number; cols: number } {
    const { rows, cols } = this.#tty(fd);
    return { rows, cols };
  }

  setWinsize(fd: number, rows: number, cols: number): void {
    this.#tty(fd).resize(rows, cols);
  }

  getForeground(fd: number): number {
    return this.#tty(fd).foreground;
  }

  setForeground(fd: number, pgid: number): void {
    const tty = this.#tty(fd);
    if (tty.session !== this.record.sid) throw new SysError('ENOTTY');
    tty.foreground = pgid;
    // Members that already wait for input may read now.
    tty.queue.wake();
  }

  openpty(): { master: number; slavePath: string } {
    const tty = this.core.terminals.createPty(this.record.uid);
    return { master: this.install({ kind: 'ptmx', object: tty.id }), slavePath: tty.name };
  }

  // --- files by name

  get cwd(): string {
    return this.record.cwd;
  }

  get umask(): number {
    return this.record.umask;
  }

  set umask(mask: number) {
    this.record.umask = mask & 0o777;
  }

  chdir(path: string): void {
    const { inode, path: real } = this.#vfs().locate(this.record.cwd, path, this.record);
    if (!inode) throw new SysError('ENOENT', path);
    if (inode.kind !== 'dir') throw new SysError('ENOTDIR', path);
    if (!isAllowed(inode, this.record, 'x')) throw new SysError('EACCES', path);
    this.record.cwd = real;
  }

  /** The file system, with the price of one path walk charged. */
  #vfs() {
    this.charge(costs.syscallNs + costs.lookupNs);
    return this.core.vfs;
  }

  stat(path: string): Stat {
    return this.#vfs().stat(this.record.cwd, path, this.record);
  }

  lstat(path: string): Stat {
    return this.#vfs().stat(this.record.cwd, path, this.record, false);
  }

  exists(path: string): boolean {
    return this.#quietly(() => this.stat(path)) !== undefined;
  }

  access(path: string, how: 'r' | 'w' | 'x'): boolean {
    const inode = this.#quietly(() => this.#vfs().find(this.record.cwd, path, this.record));
    if (!inode || !isAllowed(inode, this.record, how)) return false;
    return how !== 'w' || !inode.volume.readonly || (inode.kind !== 'file' && inode.kind !== 'dir');
  }

  #quietly<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      if (error instanceof SysError) return undefined;
      throw error;
    }
  }

  readdir(path: string): readonly string[] {
    const names = this.#vfs().readdir(this.record.cwd, path, this.record);
    this.charge(names.length * 20 * costs.byteNs);
    return names;
  }

  readFile(path: string): Uint8Array {
    const file = this.core.opening.open(this.process, path, { read: true });
    this.core.files.hold(file);
    try {
      if (file.inode?.kind === 'dir') throw new SysError('EISDIR', path);
      const ops = this.core.files.opsOf(file);
      if (ops.sizeOf === undefined || !ops.pread) throw new SysError('EINVAL', path);
      const bytes = ops.pread(file, ops.sizeOf(file), 0) ?? new Uint8Array(0);
      this.charge(3 * costs.syscallNs + costs.lookupNs + bytes.length * costs.byteNs);
      return bytes;
    } finally {
      this.core.files.release(file);
    }
  }

  readText(path: string): string {
    return decoder.decode(this.readFile(path));
  }

  writeFile(path: string, data: string | Uint8Array, options: { mode?: number; append?: boolean } = {}): void {
    const append = options.append ?? false;
    const mode = options.mode ?? 0o666;
    const file = this.core.opening.open(this.process, path, {
      write: true,
      create: true,
      truncate: !append,
      append,
      mode,
    });
    this.core.files.hold(file);
    try {
      const bytes = typeof data === 'string' ? encoder.encode(data) : data;
      const ops = this.core.files.opsOf(file);
      this.charge(3 * costs.syscallNs + costs.lookupNs + bytes.length * costs.byteNs);
      if (bytes.length > 0) ops.write(file, bytes, this.process);
    } catch (error) {
      if (error instanceof SysError && error.subject === '') throw new SysError(error.code, path);
      throw error;
    } finally {
      this.core.files.release(file);
    }
  }

  mkdir(path: string, mode = 0o777): void {
    this.#vfs().mkdir(this.record.cwd, path, mode & ~this.record.umask, this.record);
  }

  rmdir(path: string): void {
    this.#vfs().rmdir(this.record.cwd, path, this.record);
  }

  unlink(path: string): void {
    this.#vfs().unlink(this.record.cwd, path, this.record);
  }

  rename(from: string, to: string): void {
    this.#vfs().rename(this.record.cwd, from, to, this.record);
  }

  link(target: string, path: string): void {
    this.#vfs().link(this.record.cwd, target, path, this.record);
  }

  symlink(target: string, path: string): void {
    this.#vfs().symlink(this.record.cwd, target, path, this.record);
  }

  readlink(path: string): string {
    const { target } = this.#vfs().find(this.record.cwd, path, this.record, false);
    if (target === undefined) throw new SysError('EINVAL', path);
    return target;
  }

  realpath(path: string): string {
    const location = this.#vfs().locate(this.record.cwd, path, this.record);
    if (!location.inode) throw new SysError('ENOENT', path);
    return location.path;
  }

  chmod(path: string, mode: number): void {
    this.#vfs().chmod(this.record.cwd, path, mode, this.record);
  }

  chown(path: string, uid: number, gid: number): void {
    this.#vfs().chown(this.record.cwd, path, uid, gid, this.record);
  }

  utime(path: string, atime: number, mtime: number): void {
    this.#vfs().utime(this.record.cwd, path, atime, mtime, this.record);
  }

  truncate(path: string, size: number): void {
    const vfs = this.#vfs();
    const location = vfs.locate(this.record.cwd, path, this.record);
    if (!location.inode) throw new SysError('ENOENT', path);
    vfs.requireWritable(location.inode, path, this.record);
    vfs.truncate(location.inode, size, location.path);
  }

  mknod(path: string, kind: 'char' | 'block' | 'fifo', mode: number, major: number, minor: number): void {
    if (kind !== 'fifo' && this.record.uid !== 0) throw new SysError('EPERM', path);
    const inode = this.#vfs().create(this.record.cwd, path, kind, mode & ~this.record.umask, this.record);
    inode.rdevMajor = major;
    inode.rdevMinor = minor;
  }

  mounts(): readonly { source: string; target: string; type: string; options: string }[] {
    return this.core.vfs.mounts
      .list()
      .map(({ volume, target, options }) => ({ source: volume.source, target, type: volume.type, options }));
  }

  statfs(path: string) {
    return this.#vfs().find(this.record.cwd, path, this.record).volume.space();
  }
}
