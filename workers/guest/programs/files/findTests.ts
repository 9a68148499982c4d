/** What find's tests ask of a file, and how -printf shows one. */
import { patternRegExp } from '../../shell/pattern';
import type { Stat, Sys } from '../../sys';
import { formatDate } from '../dates';
import { modeText } from '../modes';
import { quietly } from '../options';
import { baseName, dirName } from '../paths';
import { posixRegex } from '../text/regex';
import { groupName, userName } from '../users';

/** A test with its argument, and the number that the argument stands for. */
export interface PlainTest {
  readonly name: string;
  readonly value: string;
  readonly number: number;
}

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

/** Whether a file passes a test. `number` and `value` are what the test was given; `nowSeconds`: what ages count from. */
export function check(sys: Sys, nowSeconds: number, { name, value, number }: PlainTest, path: string, stat: Stat): boolean {
  const age = (seconds: number) => Math.floor((nowSeconds - seconds) / number);
  switch (name) {
    case 'true': return true;
    case 'false': return false;
    case 'name': return patternRegExp(value).test(baseName(path));
    case 'iname': return patternRegExp(value.toLowerCase()).test(baseName(path).toLowerCase());
    case 'path': return patternRegExp(value).test(path);
    case 'ipath': return patternRegExp(value.toLowerCase()).test(path.toLowerCase());
    case 'lname': return stat.kind === 'symlink' && patternRegExp(value).test(sys.readlink(path));
    case 'regex': return emacsRegex(value).test(path);
    case 'type': return isKind(value, stat);
    case 'xtype': return isKind(value, quietly(() => sys.stat(path)) ?? stat);
    case 'samefile': return stat.ino === number && String(stat.dev) === value;
    case 'size': return compares(value, Math.ceil(stat.size / number));
    case 'empty': return stat.kind === 'dir' ? sys.readdir(path).length === 0 : stat.kind === 'file' && stat.size === 0;
    case 'newer': return stat.mtime > number;
    case 'mtime': case 'mmin': return compares(value, age(stat.mtime));
    case 'atime': case 'amin': return compares(value, age(stat.atime));
    case 'ctime': case 'cmin': return compares(value, age(stat.ctime));
    case 'user': case 'uid': return stat.uid === number;
    case 'group': case 'gid': return stat.gid === number;
    case 'nouser': return userName(sys, stat.uid) === String(stat.uid);
    case 'nogroup': return groupName(sys, stat.gid) === String(stat.gid);
    case 'links': return compares(value, stat.nlink);
    case 'inum': return compares(value, stat.ino);
    case 'perm': return value === '-' ? (stat.mode & number) === number : value === '+' ? number === 0 || (stat.mode & number) !== 0 : stat.mode === number;
    default: return false;
  }
} // biome-ignore format: a table

const isKind = (letters: string, stat: Stat) => letters.split(',').some((letter) => stat.kind === KIND_LETTERS[letter]);

/** -regex: the whole path against an expression of Emacs's kind, basic but with `+` and `?`. Throws ToolError. */
export function emacsRegex(source: string): RegExp {
  const basic = source.replace(/\\.|\[\^?\]?[^\]]*\]|[+?]/gs, (it) => (it === '+' || it === '?' ? `\\${it}` : it));
  return posixRegex(basic, { line: true });
}

/** Where a file was found: its argument, and how deep below it. */
export interface Found {
  readonly path: string;
  readonly root: string;
  readonly depth: number;
}

/** -printf: `%` and a letter for a property of the file, with a width; `%T` and a letter of strftime for its times. */
export function formatted(sys: Sys, format: string, { path, root, depth }: Found, stat: Stat): string {
  const times: Readonly<Record<string, number>> = { T: stat.mtime, A: stat.atime, C: stat.ctime };
  const fields: Readonly<Record<string, () => string>> = {
    p: () => path, f: () => baseName(path), h: () => dirName(path), s: () => String(stat.size), m: () => stat.mode.toString(8), M: () => modeText(stat),
    u: () => userName(sys, stat.uid), g: () => groupName(sys, stat.gid), U: () => String(stat.uid), G: () => String(stat.gid), i: () => String(stat.ino),
    n: () => String(stat.nlink), l: () => (stat.kind === 'symlink' ? sys.readlink(path) : ''), y: () => modeText(stat)[0]!.replace('-', 'f'), '%': () => '%',
    P: () => path.slice(root.length).replace(/^\/+/, ''), H: () => root, d: () => String(depth), k: () => String(Math.ceil(stat.blocks / 2)), b: () => String(stat.blocks),
    D: () => String(stat.dev), a: () => formatDate('%a %b %e %H:%M:%S %Y', stat.atime), c: () => formatDate('%a %b %e %H:%M:%S %Y', stat.ctime), t: () => formatDate('%a %b %e %H:%M:%S %Y', stat.mtime),
  }; // biome-ignore format: a table
  return format.replace(
    /%(-?\d*)(?:([TAC])([a-zA-Z@+])|([a-zA-Z%]))|\\(.)/g,
    (whole, width: string | undefined, which: string | undefined, how: string, letter: string, escaped: string) => {
      if (escaped) return { n: '\n', t: '\t', '0': '\0', '\\': '\\' }[escaped] ?? whole;
      const text = which ? timeText(how, times[which]!) : fields[letter]?.();
      if (text === undefined) return whole;
      return width?.startsWith('-') ? text.padEnd(Number(width.slice(1))) : text.padStart(Number(width ?? 0));
    },
  );
}

const timeText = (how: string, seconds: number) =>
  how === '@' ? String(Math.floor(seconds)) : formatDate(how === '+' ? '%Y-%m-%d+%H:%M:%S' : `%${how}`, seconds);
