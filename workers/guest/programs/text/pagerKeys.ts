/** What more and less show, and what their keys do: functions over a plain page. */
import type { Sys } from '../../sys';
import { ToolError } from '../options';
import { visible } from './cat';
import { posixRegex } from './regex';

export interface Page {
  readonly name: 'less' | 'more';
  /** What was read so far, cut to the width of the screen. */
  rows: string[];
  /** The whole input was read. */
  isComplete: boolean;
  /** First row on the screen. */
  top: number;
  screen: { rows: number; cols: number };
  /** The screen shows `top` already. */
  isShown: boolean;
  /** Shown once instead of the prompt. */
  message: string;
  /** The file's name, in the first prompt. */
  label: string;
  /** A search that needs the rest of the input. */
  goal: { pattern: string; count: number; isForward: boolean } | null;
  /** A row to go to once it was read; −1: none, Infinity: the end. */
  target: number;
  /** Of the last search. */
  pattern: string;
  isForward: boolean;
  readonly numbers: boolean;
  readonly raw: boolean;
  readonly chop: boolean;
  readonly ignoreCase: boolean;
  readonly squeeze: boolean;
  readonly quitsIfShort: boolean;
  quitsAtEnd: boolean;
  lines: number;
  /** What the program has to do next. */
  action: '' | 'quit' | 'next' | 'previous';
}

/** Takes a line of input in: tabs become blanks, control characters visible, long lines several rows. */
export function addLine(page: Page, line: string): void {
  if (page.squeeze && line === '' && page.rows.at(-1) === '') return;
  page.lines++;
  let text = page.numbers ? `${String(page.lines).padStart(7)} ` : '';
  for (const c of overstruck(line)) {
    if (c === '\t') text += ' '.repeat(8 - (text.length % 8));
    else if (c < ' ' && !(c === '\x1b' && page.raw) && c !== '\r') text += visible(c.charCodeAt(0));
    else if (c !== '\r') text += c;
  }
  const { cols } = page.screen;
  if (page.chop || text.length <= cols || page.raw) {
    page.rows.push(page.chop ? text.slice(0, cols) : text);
    return;
  }
  for (let at = 0; at < text.length; at += cols) page.rows.push(text.slice(at, at + cols));
}

/** What manual pages write over each other (bold, underlined) is written once. */
const overstruck = (line: string) => line.replace(/.\x08/g, '');

const height = (page: Page) => Math.max(1, page.screen.rows - 1);
const lastTop = (page: Page) => Math.max(0, page.rows.length - height(page));
export const isAtEnd = (page: Page) => page.isComplete && page.top + height(page) >= page.rows.length;

/** How far the last row on the screen is, in the rows that are known. */
function percent(page: Page): number {
  return Math.min(100, Math.floor((100 * (page.top + height(page))) / Math.max(1, page.rows.length)));
}

/** Brings the screen up to date, once what is needed was read. */
export function show(sys: Sys, page: Page): void {
  settle(page);
  if (page.isShown) return;
  const shown = page.rows.slice(page.top, page.top + height(page));
  const fill = page.name === 'less' ? Array.from({ length: height(page) - shown.length }, () => '~') : [];
  sys.print(`\x1b[H\x1b[2J${[...shown, ...fill].map((row) => `${row}\n`).join('')}`);
  prompt(sys, page);
  page.isShown = true;
}

function prompt(sys: Sys, page: Page): void {
  const inverse = (text: string) => `\x1b[7m${text}\x1b[0m`;
  if (page.message !== '') sys.print(inverse(page.message));
  else if (page.name === 'more') sys.print(inverse(page.isComplete ? `--More--(${percent(page)}%)` : '--More--'));
  else if (isAtEnd(page)) sys.print(inverse(page.label !== '' ? `${page.label} (END)` : '(END)'));
  else if (page.label !== '') sys.print(inverse(page.label));
  else sys.print(':');
  page.message = '';
  page.label = '';
}

/** Carries out a jump or search that waited for the input. */
function settle(page: Page): void {
  if (page.target >= 0) {
    moveTo(page, Math.min(page.target, lastTop(page)));
    page.target = -1;
  }
  if (!page.goal) return;
  const { pattern, count, isForward } = page.goal;
  page.goal = null;
  page.isShown = false;
  try {
    const regex = posixRegex(pattern, {
      extended: true,
      ignoreCase: page.ignoreCase && pattern === pattern.toLowerCase(),
    });
    let left = count;
    for (let row = page.top + (isForward ? 1 : -1); row >= 0 && row < page.rows.length; row += isForward ? 1 : -1)
      if (regex.test(page.rows[row]!) && --left === 0) {
        page.top = row;
        return;
      }
    page.message = 'Pattern not found';
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    page.message = error.message;
  }
}

function moveTo(page: Page, top: number): void {
  page.top = Math.max(0, top);
  page.isShown = false;
}

/** Down, but no further than the end; at the end, a pager that ends there does. */
function forward(sys: Sys, page: Page, rows: number): void {
  if (isAtEnd(page)) {
    if (page.quitsAtEnd) page.action = 'next';
    else sys.print('\x07');
    return;
  }
  const top = page.isComplete && page.name === 'less' ? Math.min(page.top + rows, lastTop(page)) : page.top + rows;
  const shown = page.rows.slice(page.top + height(page), top + height(page));
  if (rows > 1 || shown.length === 0) {
    // What is to come may not have been read yet.
    page.target = top;
    if (page.isComplete) page.target = Math.min(top, lastTop(page));
    page.isShown = false;
    return;
  }
  page.top = top;
  sys.print(`\r\x1b[K${shown.map((row) => `${row}\n`).join('')}`);
  prompt(sys, page);
}

function backward(sys: Sys, page: Page, rows: number): void {
  if (page.top === 0) sys.print('\x07');
  else moveTo(page, page.top - rows);
}

const HELP =
  'space f: forward  b: back  enter j, k: line  g G: start, end  /?: search, n N: again  :n :p: file  q: quit';
const ARROWS: Readonly<Record<string, string>> = {
  A: 'k',
  B: 'j',
  '5~': 'b',
  '6~': ' ',
  H: 'g',
  F: 'G',
  '1~': 'g',
  '4~': 'G',
};

/** One more byte was typed: what is left of an incomplete command (a count, a pattern, an escape sequence). */
export function runKey(sys: Sys, page: Page, typed: string): string {
  const sequence = /^\x1b(?:[[O](\d*[A-Z~])?)?$/.exec(typed);
  if (sequence) {
    const key = sequence[1] === undefined ? undefined : ARROWS[sequence[1]];
    if (key !== undefined) runKey(sys, page, key);
    return sequence[1] === undefined ? typed : '';
  }
  if (/^\x1b[[O]\d+$/.test(typed)) return typed;
  if (/^[/?]/.test(typed)) return searchLine(sys, page, typed);
  if (typed === ':') {
    sys.print('\r\x1b[K :');
    return typed;
  }
  if (/^\d+$/.test(typed)) {
    sys.print(`\r\x1b[K:${typed}`);
    return typed;
  }
  const [, digits, key] = /^(\d*)([\s\S]+)$/.exec(typed)!;
  command(sys, page, key!, digits === '' ? undefined : Number(digits));
  return '';
}

/** A pattern as it is typed, up to Enter; an empty one repeats the last. */
function searchLine(sys: Sys, page: Page, typed: string): string {
  const last = typed.at(-1)!;
  const isForward = typed[0] === '/';
  let line = typed;
  if (last === '\x7f' || last === '\b') {
    line = typed.slice(0, -2);
    if (line === '') page.isShown = false;
    else sys.print(`\r\x1b[K${line}`);
    return line;
  }
  if (last !== '\n' && last !== '\r') {
    sys.print(typed.length === 1 ? `\r\x1b[K${typed}` : last);
    return typed;
  }
  line = typed.slice(1, -1);
  if (line !== '') page.pattern = line;
  page.isForward = isForward;
  search(page, isForward, 1);
  return '';
}

function search(page: Page, isForward: boolean, count: number): void {
  page.isShown = false;
  if (page.pattern === '') page.message = 'No previous regular expression';
  else page.goal = { pattern: page.pattern, count, isForward };
}

function command(sys: Sys, page: Page, key: string, count: number | undefined): void {
  switch (key) {
    case ' ':
    case 'f':
    case '\x06':
    case '\x16':
      forward(sys, page, count ?? height(page));
      return;
    case '\n':
    case '\r':
    case 'j':
    case 'e':
    case '\x0e':
      forward(sys, page, count ?? 1);
      return;
    case 'd':
    case '\x04':
      forward(sys, page, count ?? (page.name === 'more' ? 11 : Math.ceil(height(page) / 2)));
      return;
    case 'b':
    case '\x02':
      backward(sys, page, count ?? height(page));
      return;
    case 'k':
    case 'y':
    case '\x10':
      backward(sys, page, count ?? 1);
      return;
    case 'u':
    case '\x15':
      backward(sys, page, count ?? Math.ceil(height(page) / 2));
      return;
    case 'g':
    case '<':
      page.target = (count ?? 1) - 1;
      page.isShown = false;
      return;
    case 'G':
    case '>':
      page.target = count === undefined ? Infinity : count - 1;
      page.isShown = false;
      return;
    case 'n':
      search(page, page.isForward, count ?? 1);
      return;
    case 'N':
      search(page, !page.isForward, count ?? 1);
      return;
    case 'r':
    case '\x0c':
      page.isShown = false;
      return;
    case '=':
    case '\x07':
      page.message = `lines ${page.top + 1}-${Math.min(page.rows.length, page.top + height(page))}${page.isComplete ? `/${page.rows.length}` : ''}`;
      page.isShown = false;
      return;
    case 'h':
    case 'H':
      page.message = HELP.slice(0, page.screen.cols - 1);
      page.isShown = false;
      return;
    case ':n':
      page.action = 'next';
      return;
    case ':p':
      page.action = 'previous';
      return;
    case 'q':
    case 'Q':
    case ':q':
      page.action = 'quit';
      return;
    default:
      sys.print('\x07');
  }
}
