/** cd, pwd, umask. */
import { strerror } from '../../../lib/errno';
import { SysError } from '../../sys';
import { complain, out, type Shell } from '../state';
import { getVar, setVar } from '../variables';
import type { Builtin } from './call';
import { flags } from './call';

/** The path with `.` and `..` taken out by text, as `cd` does (so that `..` leaves a symbolic link the way it came). */
export function logicalPath(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

export const workingDirectory = (sh: Shell): string => getVar(sh, 'PWD') ?? sh.sys.cwd;

const cd: Builtin = ({ sh, argv }) => {
  const { on, rest } = flags(argv.slice(1), 'LP');
  if (rest.length > 1) {
    complain(sh, 'cd: too many arguments');
    return 1;
  }
  let target = rest[0] ?? getVar(sh, 'HOME');
  if (target === undefined) {
    complain(sh, 'cd: HOME not set');
    return 1;
  }
  let tell = false;
  if (target === '-') {
    const old = getVar(sh, 'OLDPWD');
    if (old === undefined) {
      complain(sh, 'cd: OLDPWD not set');
      return 1;
    }
    target = old;
    tell = true;
  }
  if (target === '') return 0;
  const here = workingDirectory(sh);
  let path = logicalPath(here, target);
  if (!/^\.{0,2}\//.test(target) && target !== '.' && target !== '..') {
    for (const dir of (getVar(sh, 'CDPATH') ?? '').split(':')) {
      const candidate = logicalPath(here, `${dir}/${target}`);
      if (dir === '' || dir === '.' || !sh.sys.exists(candidate)) continue;
      path = candidate;
      tell = true;
      break;
    }
  }
  try {
    sh.sys.chdir(path);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    complain(sh, `cd: ${target}: ${strerror[error.code]}`);
    return 1;
  }
  setVar(sh, 'OLDPWD', here);
  setVar(sh, 'PWD', on.has('P') ? sh.sys.realpath(path) : path);
  if (tell) out(sh, `${path}\n`);
  return 0;
};

const pwd: Builtin = ({ sh, argv }) => {
  out(sh, `${argv[1] === '-P' ? sh.sys.realpath('.') : workingDirectory(sh)}\n`);
  return 0;
};

const WHO = { u: 6, g: 3, o: 0 } as const;

const umask: Builtin = ({ sh, argv }) => {
  const { sys } = sh;
  const { on, rest } = flags(argv.slice(1), 'Sp');
  const spec = rest[0];
  if (spec === undefined) {
    const symbolic = (['u', 'g', 'o'] as const).map((who) => {
      const bits = (~sys.umask >> WHO[who]) & 7;
      return `${who}=${bits & 4 ? 'r' : ''}${bits & 2 ? 'w' : ''}${bits & 1 ? 'x' : ''}`;
    });
    out(sh, on.has('S') ? `${symbolic.join(',')}\n` : `${sys.umask.toString(8).padStart(4, '0')}\n`);
    return 0;
  }
  if (/^[0-7]{1,4}$/.test(spec)) {
    sys.umask = Number.parseInt(spec, 8) & 0o777;
    return 0;
  }
  let allowed = ~sys.umask & 0o777;
  for (const clause of spec.split(',')) {
    const m = /^([ugoa]*)([-+=])([rwx]*)$/.exec(clause);
    if (!m) {
      complain(sh, `umask: ${spec}: invalid symbolic mode operator`);
      return 1;
    }
    const bits = (m[3]!.includes('r') ? 4 : 0) | (m[3]!.includes('w') ? 2 : 0) | (m[3]!.includes('x') ? 1 : 0);
    const who = m[1] === '' || m[1]!.includes('a') ? 'ugo' : m[1]!;
    for (const w of who as Iterable<'u' | 'g' | 'o'>) {
      const shifted = bits << WHO[w];
      if (m[2] === '+') allowed |= shifted;
      else if (m[2] === '-') allowed &= ~shifted;
      else allowed = (allowed & ~(7 << WHO[w])) | shifted;
    }
  }
  sys.umask = ~allowed & 0o777;
  return 0;
};

export const files = { cd, pwd, umask } satisfies Record<string, Builtin>;
