/** From an argument vector to the program it starts: PATH, executable files, `#!` scripts. */

import { type Credentials, isAllowed } from './fs/pathWalk';
import type { Vfs } from './fs/vfs';
import { interpreterOf, programOf } from './image';
import type { ExecImage } from './process';
import { type Program, SysError } from './sys';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin';
/** Bytes of arguments and environment together (ARG_MAX). */
const ARG_MAX = 131072;
const INTERPRETERS_MAX = 4;

export interface ImageLookup {
  readonly vfs: Vfs;
  readonly programs: ReadonlyMap<string, Program>;
}

/**
 * Finds what `path` (or argv[0]) runs. Throws ENOENT, EACCES (not executable, or a directory), ENOEXEC (neither an
 * executable nor a script with an interpreter line: a shell runs such a file itself), E2BIG.
 */
export function findImage(
  lookup: ImageLookup,
  cwd: string,
  who: Credentials,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  path = argv[0] ?? '',
): ExecImage {
  const size = argv.reduce((sum, word) => sum + word.length + 1, 0);
  if (size > ARG_MAX) throw new SysError('E2BIG', path);
  const file = path.includes('/') ? path : searchPath(lookup.vfs, cwd, who, path, env['PATH'] ?? DEFAULT_PATH);
  return load(lookup, cwd, who, file, argv, env, 0);
}

function searchPath(vfs: Vfs, cwd: string, who: Credentials, name: string, path: string): string {
  let isForbidden = false;
  for (const dir of path.split(':')) {
    const candidate = `${dir || '.'}/${name}`;
    const inode = locateQuietly(vfs, cwd, candidate, who);
    if (!inode || inode.kind === 'dir') continue;
    if (isAllowed(inode, who, 'x')) return candidate;
    isForbidden = true;
  }
  throw new SysError(isForbidden ? 'EACCES' : 'ENOENT', name);
}

function locateQuietly(vfs: Vfs, cwd: string, path: string, who: Credentials) {
  try {
    return vfs.locate(cwd, path, who).inode;
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

function load(
  lookup: ImageLookup,
  cwd: string,
  who: Credentials,
  file: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  depth: number,
): ExecImage {
  const inode = lookup.vfs.find(cwd, file, who);
  if (inode.kind !== 'file' || !isAllowed(inode, who, 'x')) throw new SysError('EACCES', file);
  const head = inode.data?.read(0, 512) ?? new Uint8Array(0);
  const program = programOf(head);
  if (program !== undefined) {
    if (!lookup.programs.has(program)) throw new SysError('ENOEXEC', file);
    return { program, argv, env, setUid: (inode.mode & 0o4000) !== 0 ? inode.uid : undefined };
  }
  const interpreter = interpreterOf(head);
  if (!interpreter) throw new SysError('ENOEXEC', file);
  if (depth >= INTERPRETERS_MAX) throw new SysError('ELOOP', file);
  return load(lookup, cwd, who, interpreter[0]!, [...interpreter, file, ...argv.slice(1)], env, depth + 1);
}
