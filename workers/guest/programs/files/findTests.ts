/** What find's tests ask of a file, and how -printf shows one. */
import { patternRegExp } from '../../shell/pattern';
import type { Stat, Sys } from '../../sys';
import { modeText } from '../modes';
import { baseName, dirName } from '../paths';
import { groupName, userName } from '../users';

const KIND_LETTERS: Readonly<Record<string, Stat['kind']>> = {
  f: 'file',
  d: 'dir',
  l: 'symlink',
  c: 'char',
  b: 'block',
  p: 'fifo',
  s: 'socket',
};

/** `+5` more than, `-5` less than, `5` exactly. */
function compares(value: string, actual: number): boolean {
  const number = Number.parseInt(value.replace(/^[-+]/, ''), 10);
  return value.startsWith('+') ? actual > number : value.startsWith('-') ? actual < number : actual === number;
}

export function check(sys: Sys, state: FindState, name: string, value: string, number: number, path: string, stat: Stat): boolean {
  const age = (seconds: number) => Math.floor((state.nowSeconds - seconds) / number);
  switch (name) {
    case 'true': return true;
    case 'false': return false;
    case 'name': return patternRegExp(value).test(baseName(path));
    case 'iname': return patternRegExp(value.toLowerCase()).test(baseName(path).toLowerCase());
    case 'path': return patternRegExp(value).test(path);
    case 'ipath': return patternRegExp(value.toLowerCase()).test(path.toLowerCase());
    case 'lname': return stat.kind === 'symlink' && patternRegExp(value).test(sys.readlink(path));
    case 'regex': return new RegExp(`^(?:${value})$`).test(path);
    case 'type': return value.split(',').some((letter) => stat.kind === KIND_LETTERS[letter]);
    case 'size': return compares(value, Math.ceil(stat.size / number));
    case 'empty': return stat.kind === 'dir' ? sys.readdir(path).length === 0 : stat.kind === 'file' && stat.size === 0;
    case 'newer': return stat.mtime > number;
    case 'mtime': case 'mmin': return compares(value, age(stat.mtime));
    case 'atime': case 'amin': return compares(value, age(stat.atime));
    case 'ctime': case 'cmin': return compares(value, age(stat.ctime));
    case 'user': case 'uid': return stat.uid === number;
    case 'group': case 'gid': return stat.gid === number;
    case 'links': return compares(value, stat.nlink);
    case 'inum': return compares(value, stat.ino);
    case 'perm': return value === '-' ? (stat.mode & number) === number : value === '+' ? number === 0 || (stat.mode & number) !== 0 : stat.mode === number;
    default: return false;
  }
} // biome-ignore format: a table

export function formatted(sys: Sys, format: string, path: string, stat: Stat): string {
  const fields: Record<string, () => string> = {
    p: () => path, f: () => baseName(path), h: () => dirName(path), s: () => String(stat.size), m: () => stat.mode.toString(8), M: () => modeText(stat),
    u: () => userName(sys, stat.uid), g: () => groupName(sys, stat.gid), U: () => String(stat.uid), G: () => String(stat.gid), i: () => String(stat.ino),
    n: () => String(stat.nlink), l: () => (stat.kind === 'symlink' ? sys.readlink(path) : ''), y: () => modeText(stat)[0]!.replace('-', 'f'), '%': () => '%',
  }; // biome-ignore format: a table
  return format.replace(/%([a-zA-Z%])|\\(.)/g, (whole, letter: string | undefined, escaped: string | undefined) =>
    letter ? (fields[letter]?.() ?? whole) : ({ n: '\n', t: '\t', '0': '\0', '\\': '\\' }[escaped!] ?? whole),
  );
}
