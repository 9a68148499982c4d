/** The virtual file system: every operation on names and inodes, with its permission rules and error numbers. */
import { type Stat, SysError } from '../sys';
import { type Inode, statOf } from './inode';
import { MountTable } from './mounts';
import { type Credentials, childOf, isAllowed, type Location, walk } from './pathWalk';
import type { Volume } from './volume';

const ROOT: Credentials = { uid: 0, gid: 0 };

export class Vfs {
  readonly mounts: MountTable;
  /** Told the absolute path of whatever was made, changed or removed (the editor pane, `tail`). */
  onFileChanged: ((path: string) => void) | undefined;

  constructor(
    root: Volume,
    options: string,
    /** Seconds since 1970. */
    private readonly now: () => number,
  ) {
    this.mounts = new MountTable(root, options);
  }

  locate(cwd: string, path: string, who: Credentials, follow = true): Location {
    return walk(this.mounts, cwd, path, who, follow);
  }

  /** The inode at a path; throws ENOENT when there is none. */
  find(cwd: string, path: string, who: Credentials = ROOT, follow = true): Inode {
    const { inode } = this.locate(cwd, path, who, follow);
    if (!inode) throw new SysError('ENOENT', path);
    return inode;
  }

  stat(cwd: string, path: string, who: Credentials, follow = true): Stat {
    return statOf(this.find(cwd, path, who, follow));
  }

  readdir(cwd: string, path: string, who: Credentials): readonly string[] {
    const inode = this.find(cwd, path, who);
    if (inode.kind !== 'dir') throw new SysError('ENOTDIR', path);
    if (!isAllowed(inode, who, 'r')) throw new SysError('EACCES', path);
    return inode.entries ? [...inode.entries.keys()] : inode.node!.list!();
  }

  /** Throws EACCES or EROFS unless this user may change what the inode holds. */
  requireWritable(inode: Inode, path: string, who: Credentials): void {
    if (!isAllowed(inode, who, 'w')) throw new SysError('EACCES', path);
    const isStored = inode.kind === 'file' || inode.kind === 'dir' || inode.kind === 'symlink';
    if (inode.volume.readonly && isStored) throw new SysError('EROFS', path);
  }

  /** Makes a new inode under a free name. `mode` has the umask applied. */
  create(cwd: string, path: string, kind: Stat['kind'], mode: number, who: Credentials, follow = false): Inode {
    const location = this.locate(cwd, path, who, follow);
    if (location.inode) throw new SysError('EEXIST', path);
    if (location.mustBeDir && kind !== 'dir') throw new SysError('EISDIR', path);
    return this.createAt(location, path, kind, mode, who);
  }

  /** As `create`, for a location that was looked up before. */
  createAt(location: Location, path: string, kind: Stat['kind'], mode: number, who: Credentials): Inode {
    const parent = location.parent!;
    this.#requireEntryWritable(parent, path, who);
    parent.volume.driver?.reserve?.(0);
    const inode = parent.volume.createInode(kind, mode);
    inode.uid = who.uid;
    inode.gid = (parent.mode & 0o2000) !== 0 ? parent.gid : who.gid;
    inode.atime = inode.mtime = inode.ctime = this.now();
    if (kind === 'dir') {
      inode.nlink = 2;
      parent.nlink++;
    }
    this.#enter(parent, location.name, inode);
    this.#changed(location.path);
    return inode;
  }

  mkdir(cwd: string, path: string, mode: number, who: Credentials): void {
    this.create(cwd, path, 'dir', mode, who);
  }

  symlink(cwd: string, target: string, path: string, who: Credentials): void {
    if (target === '') throw new SysError('ENOENT', path);
    const inode = this.create(cwd, path, 'symlink', 0o777, who);
    inode.target = target;
  }

  link(cwd: string, target: string, path: string, who: Credentials): void {
    const inode = this.find(cwd, target, who, false);
    if (inode.kind === 'dir') throw new SysError('EPERM', target);
    const location = this.locate(cwd, path, who, false);
    if (location.inode) throw new SysError('EEXIST', path);
    if (location.parent!.volume !== inode.volume) throw new SysError('EXDEV', path);
    this.#requireEntryWritable(location.parent!, path, who);
    inode.nlink++;
    this.#enter(location.parent!, location.name, inode);
    this.#touchMeta(inode);
    this.#changed(location.path);
  }

  unlink(cwd: string, path: string, who: Credentials): void {
    const location = this.#existing(cwd, path, who);
    if (location.inode.kind === 'dir') throw new SysError('EISDIR', path);
    this.#requireRemovable(location.parent, location.inode, path, who);
    this.#remove(location.parent, location.name, location.inode);
    this.#changed(location.path);
  }

  rmdir(cwd: string, path: string, who: Credentials): void {
    const location = this.#existing(cwd, path, who);
    if (location.inode.kind !== 'dir') throw new SysError('ENOTDIR', path);
    if (!location.inode.entries || location.inode === location.inode.volume.root) throw new SysError('EBUSY', path);
    if (location.inode.entries.size > 0) throw new SysError('ENOTEMPTY', path);
    this.#requireRemovable(location.parent, location.inode, path, who);
    this.#remove(location.parent, location.name, location.inode);
    this.#changed(location.path);
  }

  /** rename(2): replaces an existing target of the same sort; refuses to move a directory into itself. */
  rename(cwd: string, from: string, to: string, who: Credentials): void {
    const source = this.#existing(cwd, from, who);
    const target = this.locate(cwd, to, who, false);
    if (!target.parent) throw new SysError('EBUSY', to);
    if (target.parent.volume !== source.inode.volume) throw new SysError('EXDEV', to);
    if (source.inode === target.inode) return;
    if (`${target.path}/`.startsWith(`${source.path}/`)) throw new SysError('EINVAL', to);
    this.#requireRemovable(source.parent, source.inode, from, who);
    this.#requireEntryWritable(target.parent, to, who);
    const isDir = source.inode.kind === 'dir';
    if (target.mustBeDir && !isDir) throw new SysError('ENOTDIR', to);
    if (target.inode) {
      if (isDir && target.inode.kind !== 'dir') throw new SysError('ENOTDIR', to);
      if (!isDir && target.inode.kind === 'dir') throw new SysError('EISDIR', to);
      if (target.inode.entries && target.inode.entries.size > 0) throw new SysError('ENOTEMPTY', to);
      this.#requireRemovable(target.parent, target.inode, to, who);
      this.#remove(target.parent, target.name, target.inode);
    }
    source.parent.entries!.delete(source.name);
    if (isDir) {
      source.parent.nlink--;
      target.parent.nlink++;
    }
    this.#modified(source.parent);
    this.#enter(target.parent, target.name, source.inode);
    this.#touchMeta(source.inode);
    this.#changed(source.path);
    this.#changed(target.path);
  }

  chmod(cwd: string, path: string, mode: number, who: Credentials): void {
    const inode = this.#owned(cwd, path, who);
    inode.mode = mode & 0o7777;
    this.#touchMeta(inode);
  }

  chown(cwd: string, path: string, uid: number, gid: number, who: Credentials): void {
    const inode = this.#owned(cwd, path, who);
    if (who.uid !== 0 && (uid !== inode.uid || gid !== who.gid)) throw new SysError('EPERM', path);
    inode.uid = uid;
    inode.gid = gid;
    if (inode.kind === 'file') inode.mode &= ~0o6000;
    this.#touchMeta(inode);
  }

  utime(cwd: string, path: string, atime: number, mtime: number, who: Credentials): void {
    const inode = this.find(cwd, path, who);
    if (who.uid !== inode.uid && !isAllowed(inode, who, 'w')) throw new SysError('EACCES', path);
    if (inode.volume.readonly) throw new SysError('EROFS', path);
    inode.atime = atime;
    inode.mtime = mtime;
    this.#touchMeta(inode);
  }

  truncate(inode: Inode, size: number, path: string): void {
    if (inode.kind === 'dir') throw new SysError('EISDIR', path);
    if (!inode.data) return;
    inode.volume.truncate(inode, size);
    inode.mtime = inode.ctime = this.now();
    this.#changed(path);
  }

  /** Bytes into a regular file; `path` is where it was opened. Throws ENOSPC. */
  write(inode: Inode, offset: number, bytes: Uint8Array, path: string): void {
    inode.volume.write(inode, offset, bytes);
    inode.mtime = inode.ctime = this.now();
    this.#changed(path);
  }

  /** A file description on this inode was closed. */
  release(inode: Inode): void {
    inode.opens--;
    inode.volume.drop(inode);
  }

  #existing(cwd: string, path: string, who: Credentials): Location & { parent: Inode; inode: Inode } {
    const location = this.locate(cwd, path, who, false);
    const { inode, parent } = location;
    if (!inode) throw new SysError('ENOENT', path);
    if (!parent) throw new SysError(path.endsWith('..') ? 'ENOTEMPTY' : path.endsWith('.') ? 'EINVAL' : 'EBUSY', path);
    if (childOf(parent, location.name) !== inode && inode === inode.volume.root) throw new SysError('EBUSY', path);
    return { ...location, inode, parent };
  }

  #owned(cwd: string, path: string, who: Credentials): Inode {
    const inode = this.find(cwd, path, who);
    if (who.uid !== 0 && who.uid !== inode.uid) throw new SysError('EPERM', path);
    if (inode.volume.readonly) throw new SysError('EROFS', path);
    if (inode.node) throw new SysError('EPERM', path);
    return inode;
  }

  #requireEntryWritable(dir: Inode, path: string, who: Credentials): void {
    if (dir.kind !== 'dir') throw new SysError('ENOTDIR', path);
    if (!dir.entries) throw new SysError(dir.nlink > 0 ? 'EPERM' : 'ENOENT', path);
    if (dir.nlink === 0) throw new SysError('ENOENT', path);
    this.requireWritable(dir, path, who);
    if (!isAllowed(dir, who, 'x')) throw new SysError('EACCES', path);
  }

  /** In a sticky directory only the owner of the file or of the directory may remove or rename. */
  #requireRemovable(dir: Inode, inode: Inode, path: string, who: Credentials): void {
    this.#requireEntryWritable(dir, path, who);
    const isSticky = (dir.mode & 0o1000) !== 0;
    if (isSticky && who.uid !== 0 && who.uid !== inode.uid && who.uid !== dir.uid) throw new SysError('EPERM', path);
  }

  #enter(dir: Inode, name: string, inode: Inode): void {
    dir.entries!.set(name, inode);
    this.#modified(dir);
    inode.volume.touch(inode);
  }

  #remove(dir: Inode, name: string, inode: Inode): void {
    dir.entries!.delete(name);
    this.#modified(dir);
    inode.nlink--;
    if (inode.kind === 'dir') {
      inode.nlink--;
      dir.nlink--;
    }
    inode.ctime = this.now();
    inode.volume.touch(inode);
    inode.volume.drop(inode);
  }

  #modified(dir: Inode): void {
    dir.mtime = dir.ctime = this.now();
    dir.volume.touch(dir);
  }

  #touchMeta(inode: Inode): void {
    inode.ctime = this.now();
    inode.volume.touch(inode);
  }

  #changed(path: string): void {
    this.onFileChanged?.(path);
  }
}
