/** open(2): from a path and flags to an open file, with the permission rules, for every kind of inode. */
import { BlockFiles } from './block/blockFiles';
import type { BlockDevices } from './block/registry';
import type { NewFile, OpenFiles } from './descriptors';
import { isMemoryDevice, MEM_MAJOR } from './fs/devices';
import type { Inode } from './fs/inode';
import { type Credentials, isAllowed, type Location } from './fs/pathWalk';
import type { Pipes } from './fs/pipe';
import type { Vfs } from './fs/vfs';
import type { OpenFile } from './openFile';
import type { Process } from './process';
import { type OpenFlags, SysError } from './sys';
import { CONSOLE_TTY, PTS_BASE, type Terminals } from './terminals';

/** Character device numbers of terminals: /dev/tty, console, ptmx (5:0, 5:1, 5:2), tty1 … (4), xvc0 and hvc0, pts (136). */
const TTYAUX_MAJOR = 5;
const CONSOLE_MAJORS = [4, 204, 229];
const PTS_MAJOR = 136;

export interface OpeningDeps {
  readonly vfs: Vfs;
  readonly files: OpenFiles;
  readonly pipes: Pipes;
  readonly terminals: Terminals;
  readonly block: BlockDevices;
  /** A character device of a driver outside of the core; undefined: none. */
  charDevice(major: number, minor: number): (Partial<NewFile> & { kind: string }) | undefined;
}

export class Opening {
  constructor(private readonly deps: OpeningDeps) {}

  /** An open file that has no descriptor yet (except for /dev/fd/N). */
  open(process: Process, path: string, flags: OpenFlags): OpenFile {
    const { vfs } = this.deps;
    const { record } = process;
    const own = this.#ownDescriptor(process, path);
    if (own) return own;
    const location = vfs.locate(record.cwd, path, record);
    const inode = location.inode ?? this.#create(process, location, path, flags);
    const isNew = location.inode === undefined;
    if (!isNew && flags.create && flags.exclusive) throw new SysError('EEXIST', path);
    if (!isNew) this.#check(inode, path, record, flags);
    if (flags.truncate && flags.write && inode.kind === 'file' && inode.data && inode.size > 0)
      vfs.truncate(inode, 0, location.path);
    const access = {
      canRead: flags.read ?? !flags.write,
      canWrite: flags.write ?? false,
      append: flags.append ?? false,
      path: location.path,
    };
    const target = this.#target(process, inode, path, (flags.exclusive ?? false) && !flags.create);
    return this.deps.files.create({ ...access, ...target });
  }

  /** /dev/stdin, /dev/fd/3 and the like are the descriptor itself, whatever it is. */
  #ownDescriptor(process: Process, path: string): OpenFile | undefined {
    const [, name, number] = /^(?:\/dev\/(stdin|stdout|stderr)|(?:\/dev|\/proc\/self)\/fd\/(\d+))$/.exec(path) ?? [];
    if (name === undefined && number === undefined) return undefined;
    const fd = number === undefined ? ['stdin', 'stdout', 'stderr'].indexOf(name!) : Number(number);
    const file = process.fds.get(fd);
    if (!file) throw new SysError('ENOENT', path);
    return file;
  }

  #create(process: Process, location: Location, path: string, flags: OpenFlags): Inode {
    if (!flags.create) throw new SysError('ENOENT', path);
    const mode = (flags.mode ?? 0o666) & ~process.record.umask;
    if (location.mustBeDir) throw new SysError('EISDIR', path);
    return this.deps.vfs.createAt(location, path, 'file', mode, process.record);
  }

  #check(inode: Inode, path: string, who: Credentials, flags: OpenFlags): void {
    if (inode.kind === 'symlink') throw new SysError('ELOOP', path);
    if (inode.kind === 'socket') throw new SysError('ENXIO', path);
    if (inode.kind === 'dir' && flags.write) throw new SysError('EISDIR', path);
    if (flags.write) this.deps.vfs.requireWritable(inode, path, who);
    if ((flags.read ?? !flags.write) && !isAllowed(inode, who, 'r')) throw new SysError('EACCES', path);
  }

  #target(process: Process, inode: Inode, path: string, isExclusive: boolean): NewFile {
    switch (inode.kind) {
      case 'fifo':
        if (inode.pipe === 0) inode.pipe = this.deps.pipes.create();
        return { kind: 'pipe', object: inode.pipe, inode };
      case 'char':
        return { ...this.#charTarget(process, inode, path), inode };
      case 'block': {
        const { rdevMajor: major, rdevMinor: minor } = inode;
        const device = this.deps.block.find({ major, minor });
        if (!device) throw new SysError('ENXIO', path);
        const holder = isExclusive ? `${process.comm}[${process.pid}]` : undefined;
        if (holder !== undefined) this.#requireUnused(device.name, holder, path);
        return { kind: 'block', inode, data: BlockFiles.dataFor(major, minor, holder) };
      }
      default:
        return { kind: inode.node ? 'synthetic' : 'regular', inode };
    }
  }

  /** Neither mounted, nor a guest's disk, nor another process's. */
  #requireUnused(name: string, holder: string, path: string): void {
    const { block } = this.deps;
    const isUsed =
      block.usersOf(name).some((user) => !user.startsWith('open ')) ||
      block.holdersOf(name).some((other) => other !== holder);
    if (isUsed) throw new SysError('EBUSY', path);
  }

  #charTarget(process: Process, inode: Inode, path: string): NewFile {
    const { rdevMajor: major, rdevMinor: minor } = inode;
    if (major === MEM_MAJOR && isMemoryDevice(minor)) return { kind: 'mem', object: minor };
    const { record } = process;
    if (major === TTYAUX_MAJOR && minor === 0) {
      if (record.tty === 0 || !this.deps.terminals.find(record.tty)) throw new SysError('ENXIO', path);
      return { kind: 'tty', object: record.tty };
    }
    if (major === TTYAUX_MAJOR && minor === 2)
      return { kind: 'ptmx', object: this.deps.terminals.createPty(record.uid).id };
    const isConsole = (major === TTYAUX_MAJOR && minor === 1) || CONSOLE_MAJORS.includes(major);
    if (isConsole || major === PTS_MAJOR) {
      const id = isConsole ? CONSOLE_TTY : PTS_BASE + minor;
      this.#acquire(process, id, path);
      return { kind: 'tty', object: id };
    }
    const other = this.deps.charDevice(major, minor);
    if (!other) throw new SysError('ENXIO', path);
    return other;
  }

  /** A session leader without a terminal gets the one it opens as its controlling terminal. */
  #acquire(process: Process, id: number, path: string): void {
    const tty = this.deps.terminals.find(id);
    if (!tty) throw new SysError('ENXIO', path);
    const { record } = process;
    if (record.sid !== record.pid || record.tty !== 0 || tty.session !== 0 || record.pid === 1) return;
    record.tty = id;
    tty.session = record.sid;
    tty.foreground = record.pgid;
  }
}
