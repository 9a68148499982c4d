/**
 * The text editor for terminals without a page: ed's commands on a buffer of lines (POSIX ed, the part that one needs to
 * change a configuration file). A leading colon is accepted, so that `:wq` means what a user of vi expects.
 */

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
}

export interface Outcome {
  readonly output: string;
  readonly save?: boolean;
  readonly quit?: boolean;
}

class EditError extends Error {
  override readonly name = 'EditError';
}

export function bufferOf(text: string): Buffer {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  return { lines, current: lines.length, isChanged: false, insertAt: undefined, hasWarned: false };
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

const COMMAND = /^(?<range>%|,|(?<first>\d+|[.$])?(?:,(?<last>\d+|[.$]))?)(?<rest>.*)$/;

function runCommand(buffer: Buffer, text: string): Outcome {
  const { range, first, last, rest } = COMMAND.exec(text)!.groups!;
  const isWhole = range === '%' || range === ',';
  const from = isWhole ? Math.min(1, buffer.lines.length) : address(buffer, first, buffer.current);
  const to = isWhole ? buffer.lines.length : address(buffer, last, first === undefined ? buffer.current : from);
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
      if (rest?.startsWith('s')) return substitute(buffer, from, to, rest.slice(1));
      throw new EditError(' commands: [N,M]p n d a i c s/OLD/NEW/[g], w, q, wq, q!; a line with . ends a c i');
  }
}

function address(buffer: Buffer, text: string | undefined, fallback: number): number {
  const line =
    text === undefined ? fallback : text === '$' ? buffer.lines.length : text === '.' ? buffer.current : Number(text);
  if (line < 0 || line > buffer.lines.length) throw new EditError(' no such line');
  return line;
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

/** `/OLD/NEW/` or `/OLD/NEW/g`, with any delimiter; OLD is plain text. */
function substitute(buffer: Buffer, from: number, to: number, rest: string): Outcome {
  const [, old, replacement, flags] = rest.split(rest[0] ?? '/');
  if (!old || replacement === undefined) throw new EditError(' s/OLD/NEW/');
  requireLines(buffer, from, to);
  let isFound = false;
  for (let line = from; line <= to; line++) {
    const before = buffer.lines[line - 1]!;
    const after = flags === 'g' ? before.replaceAll(old, () => replacement) : before.replace(old, () => replacement);
    if (after === before) continue;
    buffer.lines[line - 1] = after;
    buffer.current = line;
    buffer.isChanged = true;
    isFound = true;
  }
  if (!isFound) throw new EditError(` no ${old}`);
  return { output: `${buffer.lines[buffer.current - 1]}\n` };
}
