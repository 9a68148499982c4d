/**
 * Word expansion in the shell's order: tilde, parameters, command substitution, arithmetic, splitting, globbing, quotes.
 *
 * Expansion never waits. When it meets a command substitution whose output is not known yet it throws `Pending`; the
 * executor runs the command, adds its output to the log and expands again from the beginning. Whatever was looked up or
 * computed before is taken from the log then, so that nothing happens twice.
 */
import { evaluate } from './arith';
import type { Assign, ParamSeg, Seg, Word } from './ast';
import { escapePattern, Fields } from './fields';
import { parameter } from './params';
import { compareNames, glob, hasWildcard } from './pattern';
import type { Logged, Shell } from './state';
import { arrayKey, getVar, lookup, setArray, setVar } from './variables';

export class Pending {
  constructor(readonly seg: Seg & { k: 'cmd' | 'proc' }) {}
}

export interface Expansion {
  readonly sh: Shell;
  /** Undefined when nothing in the command can make it wait. */
  readonly log: Logged[] | undefined;
  at: number;
}

/** Takes a value from the log, or finds it and notes it there. */
export function recorded<T extends Logged>(x: Expansion, find: () => T): T {
  const { log } = x;
  if (!log) return find();
  if (x.at < log.length) return log[x.at++] as T;
  const value = find();
  log.push(value);
  x.at++;
  return value;
}

/** What one expansion yields: text, the elements of a list (`$@`), or a word still to be expanded (`${x:-word}`). */
export type Result =
  | { readonly s: string }
  | { readonly list: readonly string[]; readonly star: boolean }
  | { readonly word: Word };

function value(x: Expansion, seg: Exclude<Seg, { k: 'lit' }>): Result {
  switch (seg.k) {
    case 'param':
      return parameter(x, seg);
    case 'arith': {
      const text = expandString(x, seg.e);
      return { s: recorded(x, () => String(evaluate(x.sh, text))) };
    }
    default:
      return {
        s: recorded(x, () => {
          throw new Pending(seg);
        }),
      };
  }
}

const ifsOf = (sh: Shell) => getVar(sh, 'IFS') ?? ' \t\n';

/** All fields of several words, globbed: the arguments of a command. */
export function expandWords(x: Expansion, words: readonly Word[]): string[] {
  const out: string[] = [];
  for (const word of words) {
    const only = word.length === 1 ? word[0]! : undefined;
    if (only?.k === 'lit' && (only.q || !/[~*?[(]/.test(only.s))) out.push(only.s);
    else expandWord(x, word, out);
  }
  return out;
}

function expandWord(x: Expansion, word: Word, out: string[]): void {
  const { sh } = x;
  const fields = new Fields(ifsOf(sh));
  addWord(x, fields, withTilde(sh, word, false), false);
  for (const field of fields.finish()) {
    if (!field.wild || sh.st.opts['f'] || !hasWildcard(field.pat)) {
      out.push(field.val);
      continue;
    }
    const found = recorded(x, () => glob(sh.sys, field.pat));
    if (found.length > 0) out.push(...found);
    else if (!sh.st.opts['nullglob']) out.push(field.val);
  }
}

function addWord(x: Expansion, fields: Fields, word: Word, splitLiterals: boolean): void {
  for (const seg of word) {
    if (seg.k === 'lit') {
      if (seg.q) fields.quoted(seg.s);
      else if (splitLiterals) fields.split(seg.s);
      else fields.literal(seg.s);
      continue;
    }
    addResult(x, fields, value(x, seg), seg.q === true);
  }
}

function addResult(x: Expansion, fields: Fields, result: Result, q: boolean): void {
  if ('word' in result) {
    if (q && result.word.length === 0) fields.quoted('');
    addWord(x, fields, q ? result.word : withTilde(x.sh, result.word, false), !q);
    return;
  }
  if ('s' in result) {
    if (q) fields.quoted(result.s);
    else fields.split(result.s);
    return;
  }
  if (q && result.star) {
    fields.quoted(result.list.join(fields.ifs.slice(0, 1)));
    return;
  }
  result.list.forEach((item, i) => {
    if (i > 0) fields.next();
    if (q) fields.quoted(item);
    else fields.split(item);
  });
}

/** One string, neither split nor globbed: assignments, here-documents, `case` words. */
export function expandString(x: Expansion, word: Word): string {
  return joined(x, word, (s) => s);
}

/** A pattern: quoted characters are escaped. */
export function expandPattern(x: Expansion, word: Word): string {
  return joined(x, word, escapePattern);
}

/** A value, with tilde expansion at the start (and, in assignments, after colons). */
export function expandValue(x: Expansion, word: Word, assign = false): string {
  return expandString(x, withTilde(x.sh, word, assign));
}

function joined(x: Expansion, word: Word, quote: (s: string) => string): string {
  let out = '';
  for (const seg of word) {
    if (seg.k === 'lit') {
      out += seg.q ? quote(seg.s) : seg.s;
      continue;
    }
    const result = value(x, seg);
    if ('word' in result) out += joined(x, result.word, seg.q ? quote : quote);
    else {
      const separator = 'list' in result && result.star ? ifsOf(x.sh).slice(0, 1) : ' ';
      const text = 's' in result ? result.s : result.list.join(separator);
      out += seg.q ? quote(text) : text;
    }
  }
  return out;
}

function withTilde(sh: Shell, word: Word, assign: boolean): Word {
  const first = word[0];
  if (first?.k !== 'lit' || first.q) return word;
  if (!first.s.startsWith('~') && !(assign && first.s.includes(':~'))) return word;
  const isWhole = word.length === 1;
  const parts = assign ? first.s.split(/(?<=:)/) : [first.s];
  const segs: Seg[] = [];
  parts.forEach((part, i) => {
    const match = /^~([^/:]*)(?=[/:]|$)/.exec(part);
    const reachesEnd = match?.[0].length === part.length && i === parts.length - 1;
    const home = match && (isWhole || !reachesEnd) ? homeOf(sh, match[1]!) : undefined;
    if (home === undefined) segs.push({ k: 'lit', s: part });
    else segs.push({ k: 'lit', s: home, q: true }, { k: 'lit', s: part.slice(match![0].length) });
  });
  return [...segs, ...word.slice(1)];
}

export function homeOf(sh: Shell, user: string): string | undefined {
  if (user === '+') return getVar(sh, 'PWD');
  if (user === '-') return getVar(sh, 'OLDPWD');
  if (user === '') return getVar(sh, 'HOME') ?? passwdField(sh, (f) => Number(f[2]) === sh.sys.uid);
  return passwdField(sh, (f) => f[0] === user);
}

function passwdField(sh: Shell, wanted: (fields: string[]) => boolean): string | undefined {
  if (!sh.sys.exists('/etc/passwd')) return undefined;
  const line = sh.sys
    .readText('/etc/passwd')
    .split('\n')
    .map((l) => l.split(':'))
    .find(wanted);
  return line?.[5];
}

/** Performs an assignment; returns "name=value" for `set -x`. */
export function assign(x: Expansion, a: Assign): string {
  const { sh } = x;
  if ('elements' in a.value) {
    const items = a.value.elements.flatMap((element) => {
      if (!element.key) return expandWords(x, element.words).map((v) => ({ value: v }));
      return [{ key: expandString(x, element.key), value: expandValue(x, element.words[0] ?? []) }];
    });
    setArray(sh, a.name, items, a.append === true);
    return `${a.name}=(${items.map((i) => i.value).join(' ')})`;
  }
  const text = expandValue(x, a.value, true);
  const index = a.index ? expandString(x, a.index) : undefined;
  const key = index === undefined ? undefined : recorded(x, () => arrayKey(sh, a.name, index));
  // What it was before is noted too: an append repeated after a wait must not append twice.
  const before = a.append ? recorded(x, () => oldValue(sh, a.name, key)) : undefined;
  const integer = lookup(sh.st, a.name)?.integer;
  const full = before === undefined ? text : integer ? `(${before || 0})+(${text || 0})` : before + text;
  setVar(sh, a.name, full, key === undefined ? {} : { key });
  return `${a.name}=${text}`;
}

function oldValue(sh: Shell, name: string, key: string | undefined): string {
  const variable = lookup(sh.st, name);
  if (variable?.v === undefined) return '';
  if (typeof variable.v === 'string') return key === undefined || key === '0' ? variable.v : '';
  return variable.v[key ?? '0'] ?? '';
}

/** Names of variables that begin so, sorted. */
export function namesWithPrefix(sh: Shell, prefix: string): string[] {
  return Object.keys(sh.st.vars)
    .filter((n) => n.startsWith(prefix) && sh.st.vars[n]!.v !== undefined)
    .sort(compareNames);
}

export type { ParamSeg };
