/** Parameter expansion: `$x`, `${x:-word}`, `${x#pattern}`, `${x/a/b}`, `${#x}`, `${x:o:l}`, `${!x}`, arrays, `$@`. */
import { evaluate } from './arith';
import type { ParamSeg, Word } from './ast';
import {
  type Expansion,
  expandPattern,
  expandString,
  expandValue,
  namesWithPrefix,
  type Result,
  recorded,
} from './expand';
import { patternRegExp, source } from './pattern';
import type { Shell } from './state';
import { arrayKey, elements, getElement, getVar, isName, lookup, quoted, ShellError, setVar } from './variables';

interface Found {
  /** undefined: unset. */
  values: string[] | undefined;
  isList: boolean;
  star: boolean;
}

export function parameter(x: Expansion, seg: ParamSeg): Result {
  const { sh } = x;
  const op = seg.op;
  if (op === 'bad') throw new ShellError(`${seg.text}: bad substitution`, true);
  if (seg.prefix === '!') {
    if (op === '@' || op === '*') {
      const list = recorded(x, () => namesWithPrefix(sh, seg.name));
      return { list, star: op === '*' };
    }
    if (seg.index && isAll(seg.index)) {
      const list = recorded(x, () => elements(sh, seg.name).map(([k]) => k));
      return { list, star: isAll(seg.index) === '*' };
    }
  }
  const found = find(x, seg);
  if (seg.prefix === '#') return { s: lengthOf(sh, seg, found) };
  if (op && /^:?[-=+?]$/.test(op)) return withDefault(x, seg, found, op);
  if (!found.values && !found.isList && sh.st.opts['u'])
    throw new ShellError(`${seg.index ? seg.text.replace(/^\$\{|\}$/g, '') : seg.name}: unbound variable`, true, 127);
  if (op === ':') return slice(x, seg, found);
  if (!op) return result(found, found.values ?? []);
  const change = changer(x, seg, op);
  return result(found, (found.values ?? []).map(change));
}

function result(found: Found, values: string[]): Result {
  return found.isList ? { list: values, star: found.star } : { s: values[0] ?? '' };
}

function isAll(index: Word): '@' | '*' | undefined {
  const only = index.length === 1 ? index[0] : undefined;
  return only?.k === 'lit' && (only.s === '@' || only.s === '*') ? only.s : undefined;
}

function find(x: Expansion, seg: ParamSeg): Found {
  const { sh } = x;
  if (seg.prefix === '!') {
    const target = recorded(x, () => (seg.index ? null : (special(sh, seg.name) ?? null)));
    const m = /^(\w+|[@*#?$!-])(?:\[(.*)\])?$/.exec(target ?? '');
    if (!m) {
      if (target) throw new ShellError(`${target}: invalid variable name`, true);
      if (sh.st.opts['u']) throw new ShellError(`${seg.name}: unbound variable`, true, 127);
      throw new ShellError(`${seg.name}: invalid indirect expansion`, true);
    }
    const index: Word | undefined = m[2] === undefined ? undefined : [{ k: 'lit', s: m[2] }];
    return find(x, { k: 'param', name: m[1]!, text: seg.text, ...(index ? { index } : {}) });
  }
  if (seg.name === '@' || seg.name === '*') {
    const values = recorded(x, () => [...sh.st.args]);
    return { values: values.length > 0 ? values : undefined, isList: true, star: seg.name === '*' };
  }
  if (seg.index) {
    const all = isAll(seg.index);
    if (all) {
      const values = recorded(x, () => elements(sh, seg.name).map(([, v]) => v));
      return { values: values.length > 0 ? values : undefined, isList: true, star: all === '*' };
    }
    const index = expandString(x, seg.index);
    const one = recorded(x, () => getElement(sh, seg.name, index) ?? null);
    return { values: one === null ? undefined : [one], isList: false, star: false };
  }
  const one = recorded(x, () => special(sh, seg.name) ?? null);
  return { values: one === null ? undefined : [one], isList: false, star: false };
}

/** `$?`, `$1` … and ordinary variables. */
export function special(sh: Shell, name: string): string | undefined {
  const { st } = sh;
  if (/^\d+$/.test(name)) return name === '0' ? st.name : st.args[Number(name) - 1];
  switch (name) {
    case '#':
      return String(st.args.length);
    case '?':
      return String(st.status);
    case '$':
      return String(st.pid);
    case '!':
      return st.lastBg ? String(st.lastBg) : undefined;
    case '-':
      return `${['a', 'e', 'f', 'n', 'u', 'v', 'x', 'C'].filter((o) => st.opts[o]).join('')}h${st.interactive ? 'im' : ''}B`;
    case '@':
    case '*':
      return st.args.join(' ');
    default:
      return getVar(sh, name);
  }
}

function lengthOf(sh: Shell, seg: ParamSeg, found: Found): string {
  if (found.isList) return String(found.values?.length ?? 0);
  if (!found.values && sh.st.opts['u']) throw new ShellError(`${seg.name}: unbound variable`, true, 127);
  return String(Array.from(found.values?.[0] ?? '').length);
}

function withDefault(x: Expansion, seg: ParamSeg, found: Found, op: string): Result {
  const { sh } = x;
  const values = found.values;
  const isEmpty = !values || (op.startsWith(':') && (found.isList ? values.join('') === '' : values[0] === ''));
  const word = seg.a ?? [];
  switch (op[op.length - 1]) {
    case '+':
      return isEmpty ? result({ ...found, isList: found.isList && seg.q === true }, []) : { word };
    case '-':
      return isEmpty ? { word } : result(found, values);
    case '=': {
      if (!isEmpty) return result(found, values);
      if (!isName(seg.name)) throw new ShellError(`$${seg.name}: cannot assign in this way`, true);
      const text = expandValue(x, word);
      const index = seg.index ? expandString(x, seg.index) : undefined;
      setVar(sh, seg.name, text, index === undefined ? {} : { key: arrayKey(sh, seg.name, index) });
      return { s: text };
    }
    default: {
      if (!isEmpty) return result(found, values);
      const text = expandString(x, word);
      const standard = op === ':?' ? 'parameter null or not set' : 'parameter not set';
      throw new ShellError(`${seg.name}: ${text || standard}`, true, 127);
    }
  }
}

function slice(x: Expansion, seg: ParamSeg, found: Found): Result {
  const { sh } = x;
  const number = (word: Word) => {
    const text = expandString(x, word);
    return Number(recorded(x, () => String(evaluate(sh, text))));
  };
  let start = number(seg.a ?? []);
  const length = seg.b ? number(seg.b) : undefined;
  const isPositional = seg.name === '@' || seg.name === '*';
  if (found.isList) {
    // ${@:0} begins with $0
    const values = isPositional ? [sh.st.name, ...(found.values ?? [])] : (found.values ?? []);
    if (start < 0) start += values.length;
    if (start < 0) return result(found, []);
    if (length !== undefined && length < 0) throw new ShellError(`${length}: substring expression < 0`);
    return result(found, values.slice(start, length === undefined ? undefined : start + length));
  }
  const chars = Array.from(found.values?.[0] ?? '');
  if (start < 0) start += chars.length;
  if (start < 0) return { s: '' };
  let end = length === undefined ? chars.length : length < 0 ? chars.length + length : start + length;
  if (end < start && length !== undefined && length < 0) {
    throw new ShellError(`${length}: substring expression < 0`);
  }
  end = Math.max(end, start);
  return { s: chars.slice(start, end).join('') };
}

/** The function that an operator applies to each value. */
function changer(x: Expansion, seg: ParamSeg, op: string): (value: string) => string {
  switch (op) {
    case '#':
    case '##':
    case '%':
    case '%%': {
      const pattern = expandPattern(x, seg.a ?? []);
      return (value) => trim(value, pattern, op);
    }
    case '/':
    case '//':
    case '/#':
    case '/%': {
      const pattern = expandPattern(x, seg.a ?? []);
      const replacement = expandValue(x, seg.b ?? []);
      return (value) => replace(value, pattern, replacement, op);
    }
    case '^':
    case '^^':
    case ',':
    case ',,': {
      const pattern = seg.a ? expandPattern(x, seg.a) : '?';
      const re = patternRegExp(pattern || '?');
      const up = op.startsWith('^');
      const convert = (c: string) => (re.test(c) ? (up ? c.toUpperCase() : c.toLowerCase()) : c);
      return (value) => {
        const chars = Array.from(value);
        return op.length === 2 ? chars.map(convert).join('') : chars.map((c, i) => (i === 0 ? convert(c) : c)).join('');
      };
    }
    case '@': {
      const kind = expandString(x, seg.a ?? []);
      if (kind === 'Q') return quoted;
      if (kind === 'U') return (v) => v.toUpperCase();
      if (kind === 'L') return (v) => v.toLowerCase();
      throw new ShellError(`${seg.text}: bad substitution`, true);
    }
    default:
      throw new ShellError(`${seg.text}: bad substitution`, true);
  }
}

/** Shortest or longest match cut from the beginning or end. */
function trim(value: string, pattern: string, op: string): string {
  if (value === '' || pattern === '') return value;
  const re = patternRegExp(pattern);
  const n = value.length;
  if (op === '#') for (let i = 0; i <= n; i++) if (re.test(value.slice(0, i))) return value.slice(i);
  if (op === '##') for (let i = n; i >= 0; i--) if (re.test(value.slice(0, i))) return value.slice(i);
  if (op === '%') for (let i = n; i >= 0; i--) if (re.test(value.slice(i))) return value.slice(0, i);
  if (op === '%%') for (let i = 0; i <= n; i++) if (re.test(value.slice(i))) return value.slice(0, i);
  return value;
}

function replace(value: string, pattern: string, replacement: string, op: string): string {
  if (pattern === '') return op === '/#' ? replacement + value : op === '/%' ? value + replacement : value;
  const body = source(pattern);
  const re = new RegExp(op === '/#' ? `^(?:${body})` : op === '/%' ? `(?:${body})$` : body, op === '//' ? 'gsu' : 'su');
  return value.replace(re, (match) => (match === '' && op === '//' && value !== '' ? '' : replacement));
}

export { lookup };
