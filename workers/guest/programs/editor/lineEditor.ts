/**
 * The text editor for terminals without a page: ed's commands on a buffer of lines (POSIX ed, the part that one needs to
 * change a configuration file). A leading colon is accepted, so that `:wq` means what a user of vi expects.
 */
import { ToolError } from '../options';
import { posixRegex } from '../text/regex';

/** Plain: what is being edited. */
export interface Buffer {
  lines: string[];
  /** 1-based; 0 in an empty buffer. */
  current: number;
  isChanged: boolean;
  /** Lines that are typed now go behind this one; undefined: commands are expected. */
  insertAt: number | undefined;
  /** `q` with changes was refused once. */
  hasWarned: boolean;
  /** The last pattern searched for. */
  pattern: string;
}

export interface Outcome {
  readonly output: string;
  readonly save?: boolean;
  /** Where to save it instead of its own file. */
  readonly saveAs?: string;
  readonly quit?: boolean;
}

/** The line that a user reads behind a question mark. */
class EditError extends Error {
  override readonly name = 'EditError';
}

export function bufferOf(text: string): Buffer {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  return { lines, current: lines.length, isChanged: false, insertAt: undefined, hasWarned: false, pattern: '' };
}

export function textOf(buffer: Buffer): string {
  return buffer.lines.map((line) => `${line}\n`).join('');
}

/** One line as typed: a command, or text while text is being inserted. */
export function enter(buffer: Buffer, line: string): Outcome {
  if (buffer.insertAt !== undefined) {
    insertLine(buffer, line);
    return { output: '' };
  }
  try {
    return runCommand(buffer, line.trim().replace(/^:/, ''));
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    return { output: `?${error.message}\n` };
  }
}

function insertLine(buffer: Buffer, line: string): void {
  if (line === '.') {
    buffer.insertAt = undefined;
    return;
  }
  buffer.lines.splice(buffer.insertAt!, 0, line);
  buffer.insertAt!++;
  buffer.current = buffer.insertAt!;
  buffer.isChanged = true;
}

/** A line: its number, the current one, the last one, or the next or previous that matches; and so many lines from there. */
const ADDRESS = String.raw`(?:\d+|[.$]|/(?:\\.|[^/\\])*/?|\?(?:\\.|[^?\\])*\??)?(?:[-+]\d*)*`;
const COMMAND = new RegExp(`^(?<range>%|(?<first>${ADDRESS})(?<comma>,)?(?<last>${ADDRESS}))(?<rest>.*)$`, 's');

function runCommand(buffer: Buffer, text: string): Outcome {
  const { range, first, comma, last, rest } = COMMAND.exec(text)!.groups!;
  const isWhole = range === '%' || range === ',';
  const from = isWhole ? Math.min(1, buffer.lines.length) : address(buffer, first, buffer.current);
  const to = isWhole ? buffer.lines.length : address(buffer, last, comma && !last ? buffer.lines.length : from);
  const hasRange = range !== '';
  switch (rest) {
    case '':
      return print(buffer, hasRange ? to : buffer.current + 1, hasRange ? to : buffer.current + 1, false);
    case 'p':
      return print(buffer, from, to, false);
    case 'n':
      return print(buffer, from, to, true);
    case '=':
      return { output: `${hasRange ? to : buffer.lines.length}\n` };
    case 'd':
      remove(buffer, from, to);
      return { output: '' };
    case 'a':
      buffer.insertAt = to;
      return { output: '' };
    case 'i':
      buffer.insertAt = Math.max(0, to - 1);
      return { output: '' };
    case 'c':
      remove(buffer, from, to);
      buffer.insertAt = from - 1;
      return { output: '' };
    case 'w':
      return { output: '', save: true };
    case 'wq':
    case 'x':
      return { output: '', save: true, quit: true };
    case 'q!':
    case 'Q':
      return { output: '', quit: true };
    case 'q':
      if (!buffer.isChanged || buffer.hasWarned) return { output: '', quit: true };
      buffer.hasWarned = true;
      throw new EditError(' not saved: w saves, q again discards');
    default:
      if (/^w\s+\S/.test(rest!)) return { output: '', save: true, saveAs: rest!.slice(1).trim() };
      if (rest?.startsWith('s')) return substitute(buffer, from, to, rest.slice(1));
      throw new EditError(' commands: [N,M]p n d a i c s/OLD/NEW/[g], /RE/, w, q, wq, q!; a line with . ends a c i');
  }
}

function address(buffer: Buffer, text: string | undefined, fallback: number): number {
  if (!text) return fallback;
  const [, base, offsets] = /^(.*?)((?:[-+]\d*)*)$/s.exec(text)!;
  let line = buffer.current;
  if (base === '$') line = buffer.lines.length;
  else if (/^\d/.test(base!)) line = Number(base);
  else if (/^[/?]/.test(base!)) line = find(buffer, base!);
  for (const [, sign, count] of offsets!.matchAll(/([-+])(\d*)/g))
    line += (sign === '-' ? -1 : 1) * (count === '' ? 1 : Number(count));
  if (line < 0 || line > buffer.lines.length) throw new EditError(' no such line');
  return line;
}

/** The next (`/`) or previous (`?`) line that matches, around the ends; an empty pattern is the last one again. */
function find(buffer: Buffer, text: string): number {
  const mark = text[0]!;
  const given = text.slice(1, text.length > 1 && text.endsWith(mark) ? -1 : undefined);
  const regex = expression(buffer, given);
  const count = buffer.lines.length;
  for (let i = 1; i <= count; i++) {
    const index = (((buffer.current - 1 + (mark === '/' ? i : -i)) % count) + count) % count;
    if (regex.test(buffer.lines[index]!)) return index + 1;
  }
  throw new EditError(` no ${buffer.pattern}`);
}

function expression(buffer: Buffer, given: string, flags = ''): RegExp {
  if (given !== '') buffer.pattern = given;
  if (buffer.pattern === '') throw new EditError(' no previous pattern');
  try {
    return posixRegex(buffer.pattern, {}, flags);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new EditError(` ${error.message}`);
  }
}

function requireLines(buffer: Buffer, from: number, to: number): void {
  if (from < 1 || to < from || to > buffer.lines.length) throw new EditError(' no such line');
}

function print(buffer: Buffer, from: number, to: number, isNumbered: boolean): Outcome {
  requireLines(buffer, from, to);
  buffer.current = to;
  const shown = buffer.lines.slice(from - 1, to).map((line, index) => (isNumbered ? `${from + index}\t${line}` : line));
  return { output: shown.map((line) => `${line}\n`).join('') };
}

function remove(buffer: Buffer, from: number, to: number): void {
  requireLines(buffer, from, to);
  buffer.lines.splice(from - 1, to - from + 1);
  buffer.current = Math.min(from, buffer.lines.length);
  buffer.isChanged = true;
}

/** `/OLD/NEW/`, `g` behind it for all of a line: OLD is a basic expression, in NEW `&` and `\\1` are what it matched. */
function substitute(buffer: Buffer, from: number, to: number, rest: string): Outcome {
  const mark = rest[0] ?? '';
  if (!/[^\w\s\\]/.test(mark)) throw new EditError(' s/OLD/NEW/');
  const parts = [''];
  for (let i = 1; i < rest.length; i++) {
    if (rest[i] === '\\' && rest[i + 1] !== undefined)
      parts[parts.length - 1] += rest[i + 1] === mark ? rest[++i]! : rest[i]! + rest[++i]!;
    else if (rest[i] === mark && parts.length < 3) parts.push('');
    else parts[parts.length - 1] += rest[i]!;
  }
  const [old = '', replacement, flags = ''] = parts;
  if (replacement === undefined || !/^[gp]*$/.test(flags)) throw new EditError(' s/OLD/NEW/');
  requireLines(buffer, from, to);
  const regex = expression(buffer, old, flags.includes('g') ? 'g' : '');
  let isFound = false;
  for (let line = from; line <= to; line++) {
    const before = buffer.lines[line - 1]!;
    regex.lastIndex = 0;
    if (!regex.test(before)) continue;
    regex.lastIndex = 0;
    buffer.lines[line - 1] = before.replace(regex, (...found: readonly unknown[]) =>
      replacement.replace(/\\(.)|&/gs, (it, escaped: string | undefined) =>
        it === '&' ? String(found[0]) : /\d/.test(escaped!) ? group(found, Number(escaped)) : escaped!,
      ),
    );
    buffer.current = line;
    buffer.isChanged = true;
    isFound = true;
  }
  if (!isFound) throw new EditError(` no ${buffer.pattern}`);
  return { output: `${buffer.lines[buffer.current - 1]}\n` };
}

/** What the n-th group of a match took; behind the groups stand the place and the whole text. */
function group(found: readonly unknown[], number: number): string {
  const value = number < found.length - 2 ? found[number] : '';
  return typeof value === 'string' ? value : '';
}
