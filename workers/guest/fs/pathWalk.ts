/**
 * From a path to an inode: components, symbolic links, `..`, mount points and search permission.
 *
 * The walk keeps the chain of directories it came through, so inodes need no pointer to their parent.
 */
import { SysError } from '../sys';
import type { Inode } from './inode';
import type { MountTable } from './mounts';

export interface Credentials {
  readonly uid: number;
  readonly gid: number;
}

export const PATH_MAX = 4096;
export const NAME_MAX = 255;
const SYMLINKS_MAX = 40;

/** Where a path leads. `inode` is undefined when only the last component does not exist. */
export interface Location {
  /** Directory that holds the name; undefined for `/` and paths that end in `.` or `..`. */
  readonly parent: Inode | undefined;
  readonly name: string;
  readonly inode: Inode | undefined;
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** The path ended in a slash: what it names must be a directory. */
  readonly mustBeDir: boolean;
}

interface Link {
  readonly inode: Inode;
  readonly name: string;
}

const needed = { r: 4, w: 2, x: 1 } as const;

/** Whether the permission bits let this user read, write or execute (search). Root may all, but executes only with an x bit. */
export function isAllowed(inode: Inode, who: Credentials, how: 'r' | 'w' | 'x'): boolean {
  if (who.uid === 0) return how !== 'x' || inode.kind === 'dir' || (inode.mode & 0o111) !== 0;
  const shift = who.uid === inode.uid ? 6 : who.gid === inode.gid ? 3 : 0;
  return ((inode.mode >> shift) & needed[how]) !== 0;
}

/** The inode a directory holds under a name, mounts not considered. */
export function childOf(dir: Inode, name: string): Inode | undefined {
  if (dir.entries) return dir.entries.get(name);
  const node = dir.node?.lookup?.(name);
  return node && dir.volume.synthetic(node, `${dir.path}/${name}`);
}

/**
 * Walks `path` from `cwd` (absolute). Throws ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG with the path as it was given.
 * `follow`: a symbolic link in last place is followed.
 */
export function walk(mounts: MountTable, cwd: string, path: string, who: Credentials, follow: boolean): Location {
  if (path === '') throw new SysError('ENOENT', path);
  if (path.length > PATH_MAX) throw new SysError('ENAMETOOLONG', path);
  const root: Link = { inode: mounts.root, name: '' };
  let chain: Link[] = path.startsWith('/') ? [root] : chainOf(mounts, root, cwd, path);
  const rest = componentsOf(path);
  let links = 0;
  while (rest.length > 0) {
    const name = rest.pop()!;
    const dir = chain[chain.length - 1]!.inode;
    if (dir.kind !== 'dir') throw new SysError('ENOTDIR', path);
    if (!isAllowed(dir, who, 'x')) throw new SysError('EACCES', path);
    if (name === '.') continue;
    if (name === '..') {
      if (chain.length > 1) chain.pop();
      continue;
    }
    if (name.length > NAME_MAX) throw new SysError('ENAMETOOLONG', path);
    const found = childOf(dir, name);
    const isLast = rest.length === 0;
    if (!found) {
      if (!isLast) throw new SysError('ENOENT', path);
      return { parent: dir, name, inode: undefined, path: textOf(chain, name), mustBeDir: path.endsWith('/') };
    }
    if (found.kind === 'symlink' && (follow || !isLast || path.endsWith('/'))) {
      if (++links > SYMLINKS_MAX) throw new SysError('ELOOP', path);
      if (found.target!.startsWith('/')) chain = [root];
      rest.push(...componentsOf(found.target!));
      continue;
    }
    chain.push({ inode: mounts.cover(found), name });
  }
  const last = chain[chain.length - 1]!;
  if (path.endsWith('/') && last.inode.kind !== 'dir') throw new SysError('ENOTDIR', path);
  const lastName = lastComponent(path);
  const isNamed = chain.length > 1 && lastName !== '.' && lastName !== '..';
  return {
    parent: isNamed ? chain[chain.length - 2]!.inode : undefined,
    name: last.name,
    inode: last.inode,
    path: chain.length === 1 ? '/' : textOf(chain.slice(0, -1), last.name),
    mustBeDir: path.endsWith('/'),
  };
}

/** The components in reverse, so that the next one can be popped. */
function componentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '')
    .reverse();
}

function lastComponent(path: string): string {
  return path.slice(path.replace(/\/+$/, '').lastIndexOf('/') + 1).replace(/\/+$/, '');
}

/** The chain down to the working directory, which is held as an absolute path without links. */
function chainOf(mounts: MountTable, root: Link, cwd: string, path: string): Link[] {
  const chain = [root];
  for (const name of cwd.split('/')) {
    if (name === '') continue;
    const found = childOf(chain[chain.length - 1]!.inode, name);
    if (!found) throw new SysError('ENOENT', path);
    chain.push({ inode: mounts.cover(found), name });
  }
  return chain;
}

function textOf(chain: readonly Link[], name: string): string {
  let text = '';
  for (let i = 1; i < chain.length; i++) text += `/${chain[i]!.name}`;
  return `${text}/${name}`;
}
