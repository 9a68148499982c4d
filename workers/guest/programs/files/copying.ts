/** Copying of files and trees piece by piece: the work that cp, mv (between file systems) and install share. */

import { strerror } from '../../../lib/errno';
import { type Stat, type Sys, SysError } from '../../sys';
import { quietly } from '../options';
import { joinPath } from '../paths';

export interface CopyOptions {
  readonly name: string;
  readonly recursive: boolean;
  /** Keep owner, mode and times. */
  readonly preserve: boolean;
  /** Copy symbolic links as links. */
  readonly keepLinks: boolean;
  readonly force: boolean;
  readonly interactive: boolean;
  readonly oneFileSystem: boolean;
  readonly verbose: boolean;
  readonly update: boolean;
  /** What is overwritten is kept under its name with `~`. */
  readonly backup: boolean;
  /** Links instead of copies. */
  readonly makes: 'copies' | 'links' | 'symlinks';
}

export interface CopyTask {
  readonly from: string;
  readonly to: string;
  /** Device of the argument it belongs to (`-x`); −1: the argument itself. */
  readonly dev: number;
  /** An answered question: overwrite. */
  readonly confirmed?: boolean;
  /** A directory whose content is done: set its mode and times. */
  readonly finish?: Stat;
}

export interface CopyState {
  status: number;
  /** A stack. */
  todo: CopyTask[];
  /** The file that is being copied. */
  open: {
    readonly task: CopyTask;
    readonly input: number;
    readonly output: number;
    readonly stat: Stat;
    size: number;
  } | null;
  /** Inodes with several names that were copied, `dev:ino` → the copy. */
  links: Record<string, string>;
  asked: CopyTask | null;
}

export const startCopy = (todo: CopyTask[]): CopyState => ({
  status: 0,
  todo: [...todo].reverse(),
  open: null,
  links: {},
  asked: null,
});

const CHUNK = 65536;

/** One piece of work. Returns what to wait for, if anything; copying is over when `todo` is empty and nothing is open. */
export function copyStep(
  sys: Sys,
  options: CopyOptions,
  state: CopyState,
): { readable: number } | { writable: number } | undefined {
  if (state.open) return copyChunk(sys, options, state);
  const task = state.todo.pop();
  if (!task) return undefined;
  try {
    begin(sys, options, state, task);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    fail(sys, options, state, `cannot stat \`${task.from}'`, error);
  }
  return undefined;
}

function fail(sys: Sys, options: CopyOptions, state: CopyState, text: string, error?: SysError): void {
  sys.eprint(`${options.name}: ${text}${error ? `: ${strerror[error.code]}` : ''}\n`);
  state.status = 1;
}

function begin(sys: Sys, options: CopyOptions, state: CopyState, task: CopyTask): void {
  const { from, to } = task;
  if (task.finish) {
    finishDirectory(sys, options, task.finish, to);
    return;
  }
  const isArgument = task.dev < 0;
  const follow = !options.keepLinks && (isArgument || !options.recursive);
  const stat = follow ? sys.stat(from) : sys.lstat(from);
  if (stat.kind === 'dir') {
    beginDirectory(sys, options, state, task, stat);
    return;
  }
  const target = quietly(() => sys.lstat(to));
  const followed = quietly(() => sys.stat(to));
  if (followed && followed.dev === stat.dev && followed.ino === stat.ino) {
    fail(sys, options, state, `\`${from}' and \`${to}' are the same file`);
    return;
  }
  if (followed?.kind === 'dir') {
    fail(sys, options, state, `cannot overwrite directory \`${to}' with non-directory`);
    return;
  }
  if (target && options.update && target.mtime >= stat.mtime) return;
  if (target && options.interactive && !task.confirmed) {
    sys.eprint(`${options.name}: overwrite \`${to}'? `);
    state.asked = task;
    return;
  }
  const key = `${stat.dev}:${stat.ino}`;
  const earlier = options.preserve && stat.nlink > 1 ? state.links[key] : undefined;
  if (options.verbose) sys.print(`\`${from}' -> \`${to}'\n`);
  try {
    if (target && options.backup) sys.rename(to, `${to}~`);
    if (options.makes !== 'copies') {
      if (options.force && sys.exists(to)) sys.unlink(to);
      if (options.makes === 'links') sys.link(from, to);
      else sys.symlink(from, to);
      return;
    }
    if (earlier !== undefined) {
      if (target && !options.backup) sys.unlink(to);
      sys.link(earlier, to);
      return;
    }
    if (stat.kind === 'symlink') {
      if (target && !options.backup) sys.unlink(to);
      sys.symlink(sys.readlink(from), to);
    } else if (stat.kind !== 'file' && options.recursive) {
      if (target && !options.backup) sys.unlink(to);
      sys.mknod(to, stat.kind as 'char' | 'block' | 'fifo', stat.mode, stat.rdevMajor, stat.rdevMinor);
      preserve(sys, options, stat, to);
    } else openBoth(sys, options, state, task, stat, target !== undefined && !options.backup);
    if (stat.nlink > 1) state.links[key] = to;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    fail(
      sys,
      options,
      state,
      `cannot create ${stat.kind === 'symlink' ? 'symbolic link' : 'regular file'} \`${to}'`,
      error,
    );
  }
}

function openBoth(sys: Sys, options: CopyOptions, state: CopyState, task: CopyTask, stat: Stat, exists: boolean): void {
  let input: number;
  try {
    input = sys.open(task.from, { read: true });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    fail(sys, options, state, `cannot open \`${task.from}' for reading`, error);
    return;
  }
  const flags = { write: true, create: true, truncate: true, mode: stat.mode & 0o777 };
  let output: number;
  try {
    output = sys.open(task.to, flags);
  } catch (error) {
    if (!(error instanceof SysError) || !exists || !options.force) {
      sys.close(input);
      throw error;
    }
    sys.unlink(task.to);
    output = sys.open(task.to, flags);
  }
  state.open = { task, input, output, stat, size: 0 };
}

function copyChunk(
  sys: Sys,
  options: CopyOptions,
  state: CopyState,
): { readable: number } | { writable: number } | undefined {
  const { input, output, task, stat } = state.open!;
  try {
    // Sparse stays sparse: a run of zeros is skipped, the length is set at the end.
    const isRegular = sys.fstat(output).kind === 'file';
    if (!isRegular) return copyToDevice(sys, state);
    for (let pieces = 0; pieces < 16; pieces++) {
      const bytes = sys.read(input, CHUNK);
      if (bytes === undefined) return { readable: input };
      if (bytes.length === 0) {
        sys.close(input);
        sys.close(output);
        if (sys.stat(task.to).size !== state.open!.size) sys.truncate(task.to, state.open!.size);
        state.open = null;
        preserve(sys, options, stat, task.to);
        return undefined;
      }
      if (bytes.some((byte) => byte !== 0)) sys.pwrite(output, bytes, state.open!.size);
      state.open!.size += bytes.length;
    }
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.close(input);
    sys.close(output);
    state.open = null;
    fail(sys, options, state, `writing \`${task.to}'`, error);
  }
  return undefined;
}

function copyToDevice(sys: Sys, state: CopyState): { readable: number } | { writable: number } | undefined {
  const open = state.open!;
  const isSeekable = sys.fstat(open.input).kind === 'file' || sys.fstat(open.input).kind === 'block';
  const bytes = isSeekable ? sys.pread(open.input, CHUNK, open.size) : sys.read(open.input, 1);
  if (bytes === undefined) return { readable: open.input };
  if (bytes.length === 0) {
    sys.close(open.input);
    sys.close(open.output);
    state.open = null;
    return undefined;
  }
  const taken = sys.write(open.output, bytes);
  open.size += taken;
  return taken === 0 ? { writable: open.output } : undefined;
}

function beginDirectory(sys: Sys, options: CopyOptions, state: CopyState, task: CopyTask, stat: Stat): void {
  const { from, to } = task;
  if (!options.recursive) {
    fail(sys, options, state, `omitting directory \`${from}'`);
    return;
  }
  if (options.oneFileSystem && task.dev >= 0 && stat.dev !== task.dev) {
    if (!sys.exists(to)) sys.mkdir(to, stat.mode);
    return;
  }
  const target = quietly(() => sys.stat(to));
  if (target && target.kind !== 'dir') {
    fail(sys, options, state, `cannot overwrite non-directory \`${to}' with directory \`${from}'`);
    return;
  }
  try {
    if (!target) {
      if (isInside(sys, from, to)) {
        fail(sys, options, state, `cannot copy a directory, \`${from}', into itself, \`${to}'`);
        return;
      }
      sys.mkdir(to, stat.mode | 0o700);
    }
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    fail(sys, options, state, `cannot create directory \`${to}'`, error);
    return;
  }
  if (options.verbose) sys.print(`\`${from}' -> \`${to}'\n`);
  const dev = task.dev < 0 ? stat.dev : task.dev;
  let names: readonly string[];
  try {
    names = sys.readdir(from);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    fail(sys, options, state, `cannot access \`${from}'`, error);
    return;
  }
  if (!target || options.preserve) state.todo.push({ from, to, dev, finish: stat });
  for (const name of [...names].reverse()) state.todo.push({ from: joinPath(from, name), to: joinPath(to, name), dev });
}

/** Whether the directory `to` would come to lie inside `from`. */
function isInside(sys: Sys, from: string, to: string): boolean {
  const parent = to.replace(/\/+$/, '').replace(/\/?[^/]*$/, '') || (to.startsWith('/') ? '/' : '.');
  const target = quietly(() => sys.realpath(parent));
  const source = sys.realpath(from);
  return target !== undefined && `${target}/`.startsWith(source === '/' ? '/' : `${source}/`);
}

function finishDirectory(sys: Sys, options: CopyOptions, stat: Stat, to: string): void {
  if (options.preserve) preserve(sys, options, stat, to);
  else sys.chmod(to, stat.mode & ~sys.umask & 0o777);
}

function preserve(sys: Sys, options: CopyOptions, stat: Stat, to: string): void {
  if (!options.preserve) return;
  quietly(() => sys.chown(to, stat.uid, stat.gid));
  sys.chmod(to, stat.mode);
  sys.utime(to, stat.atime, stat.mtime);
}
