/**
 * Shell patterns (`*`, `?`, `[…]`, `@(…)`): matching strings, trimming prefixes and suffixes, finding files.
 *
 * A pattern is text in which a backslash takes the meaning from the next character; quoted parts arrive that way.
 */
import type { Sys } from '../sys';

const cache = new Map<string, RegExp>();

/** A pattern for the whole string. `slash`: wildcards do not match `/`. */
export function patternRegExp(pattern: string, slash = false): RegExp {
  const key = (slash ? '/' : ' ') + pattern;
  let re = cache.get(key);
  if (!re) {
    re = new RegExp(`^(?:${source(pattern, slash)})$`, 'su');
    if (cache.size > 500) cache.clear();
    cache.set(key, re);
  }
  return re;
}

export function matches(pattern: string, text: string): boolean {
  return patternRegExp(pattern).test(text);
}

const escapeRegExp = (c: string) => c.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');

export function source(pattern: string, slash = false): string {
  const any = slash ? '[^/]' : '.';
  let re = '';
  const groups: string[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i]!;
    if (/[?*+@!]/.test(c) && chars[i + 1] === '(' && chars.indexOf(')', i) > 0) {
      groups.push(c);
      re += c === '!' ? '(?:(?!(?:' : '(?:';
      i++;
    } else if (groups.length > 0 && c === '|') re += '|';
    else if (groups.length > 0 && c === ')') {
      const kind = groups.pop()!;
      re += kind === '!' ? `)$)${any}*)` : `)${kind === '@' ? '' : kind}`;
    } else if (c === '\\' && i + 1 < chars.length) re += escapeRegExp(chars[++i]!);
    else if (c === '*') re += `${any}*`;
    else if (c === '?') re += any;
    else if (c === '[') {
      const bracket = bracketAt(chars, i);
      if (bracket) {
        re += bracket.source;
        i = bracket.end;
      } else re += '\\[';
    } else re += escapeRegExp(c);
  }
  return re;
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  cntrl: '\\x00-\\x1f\\x7f',
  print: ' -~',
  graph: '!-~',
  word: 'A-Za-z0-9_',
};

function bracketAt(chars: readonly string[], start: number): { source: string; end: number } | undefined {
  let i = start + 1;
  let body = '';
  const negated = chars[i] === '!' || chars[i] === '^';
  if (negated) i++;
  for (let first = true; i < chars.length; i++, first = false) {
    const c = chars[i]!;
    if (c === ']' && !first) return { source: validClass(`[${negated ? '^' : ''}${body}]`), end: i };
    if (c === '[' && chars[i + 1] === ':') {
      const close = chars.join('').indexOf(':]', i);
      const name = chars.slice(i + 2, close).join('');
      if (close > 0 && CLASSES[name]) {
        body += CLASSES[name];
        i = close + 1;
        continue;
      }
    }
    if (c === '\\' && i + 1 < chars.length) body += escapeInClass(chars[++i]!);
    else if (c === '-' && !first && chars[i + 1] !== ']') body += '-';
    else body += escapeInClass(c);
  }
  return undefined;
}

const escapeInClass = (c: string) => c.replace(/[\\\]^[-]/, '\\$&');

/** A range that runs backwards matches nothing. */
function validClass(text: string): string {
  try {
    new RegExp(text, 'u');
    return text;
  } catch {
    return '(?!)';
  }
}

export const hasWildcard = (pattern: string) => /(^|[^\\])(\\\\)*([*?[]|[@+!]\()/.test(pattern);

export const withoutEscapes = (pattern: string) => pattern.replace(/\\(.)/gsu, '$1');

/** Names that match, sorted; a leading dot must be matched by a dot. Empty: nothing matches. */
export function glob(sys: Sys, pattern: string): string[] {
  const absolute = pattern.startsWith('/');
  const parts = pattern.split('/').filter((p, i, all) => p !== '' || i === all.length - 1);
  let found = [absolute ? '/' : ''];
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    if (part === '') found = found.filter((base) => isDirectory(sys, base || '.'));
    else if (!hasWildcard(part)) {
      const name = withoutEscapes(part);
      found = found.map((base) => base + name + (last ? '' : '/')).filter((path) => present(sys, path, !last));
    } else found = found.flatMap((base) => inDirectory(sys, base, part, last));
  }
  return found.sort(compareNames);
}

function inDirectory(sys: Sys, base: string, part: string, last: boolean): string[] {
  const re = patternRegExp(part, true);
  const dots = part.startsWith('.') || part.startsWith('\\.');
  let names: readonly string[];
  try {
    names = sys.readdir(base || '.');
  } catch {
    return []; // not a directory, or unreadable: matches nothing
  }
  if (dots) names = [...names.filter((n) => n !== '.' && n !== '..'), '.', '..'];
  const out = names.filter((n) => (dots || !n.startsWith('.')) && re.test(n)).map((n) => base + n);
  return last ? out : out.filter((path) => isDirectory(sys, path)).map((path) => `${path}/`);
}

function present(sys: Sys, path: string, directory: boolean): boolean {
  if (directory) return isDirectory(sys, path);
  try {
    sys.lstat(path);
    return true;
  } catch {
    return false;
  }
}

export function isDirectory(sys: Sys, path: string): boolean {
  try {
    return sys.stat(path).kind === 'dir';
  } catch {
    return false;
  }
}

/** Order of the C locale. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
