/** Where awk's records come from: the operands in ARGV one after the other, or standard input; and other files by getline. */
import { strerror } from '../../../../lib/errno';
import { type Sys, SysError } from '../../../sys';
import { type Line, type LineReader, lineReader, nextLine } from '../lines';
import { slotOf } from './code';
import { unescapeAwk } from './lexer';
import { AwkFatal, type AwkState, awkRegex, FNR, NR, special, storeTarget, tableOf, textOf } from './state';
import { fromInput, toNumber } from './values';

const RS = slotOf('RS');
const FILENAME = slotOf('FILENAME');
const ARGC = slotOf('ARGC');
const ARGV = slotOf('ARGV');

/** The next record of the main input, counted in NR and FNR; null at the end; undefined: wait until `state.reader.fd` is readable. */
export function nextRecord(sys: Sys, state: AwkState): string | null | undefined {
  for (;;) {
    if (!state.reader && !openNext(sys, state)) return null;
    const text = readRecord(sys, state.reader!, special(state, RS));
    if (text === undefined) return undefined;
    if (text !== null) {
      count(state, NR);
      count(state, FNR);
      return text;
    }
    leaveFile(sys, state);
  }
}

/** `nextfile`, and the end of a file. */
export function leaveFile(sys: Sys, state: AwkState): void {
  if (state.reader && state.reader.fd > 0) sys.close(state.reader.fd);
  state.reader = null;
}

export function count(state: AwkState, slot: number): void {
  state.globals[slot] = toNumber(state.globals[slot]) + 1;
}

/** False: no further operand. Assignments among them are done when their turn comes. */
function openNext(sys: Sys, state: AwkState): boolean {
  if (state.isInputOver) return false;
  while (++state.argument < toNumber(state.globals[ARGC])) {
    const operand = textOf(state, tableOf(state, 'g', ARGV)[`.${state.argument}`]);
    if (operand === '') continue;
    if (assign(state, operand)) continue;
    open(sys, state, operand);
    return true;
  }
  state.isInputOver = true;
  if (state.hasReadFile) return false;
  open(sys, state, '-');
  return true;
}

function open(sys: Sys, state: AwkState, file: string): void {
  try {
    state.reader = lineReader(file === '-' ? 0 : sys.open(file, { read: true }));
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new AwkFatal(`cannot open file \`${file}' for reading (${strerror[error.code]})`);
  }
  state.hasReadFile = true;
  state.globals[FILENAME] = file === '-' ? '' : file;
  state.globals[FNR] = 0;
}

/** `name=value`; false when it is none. */
export function assign(state: AwkState, text: string): boolean {
  const match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(text);
  if (!match) return false;
  const slot = state.program!.globals.indexOf(match[1]!);
  if (slot < 0) return true;
  if (state.program!.arrays.includes(slot)) throw new AwkFatal(`cannot use array \`${match[1]}' as a scalar`);
  storeTarget(state, 'g', slot, null, fromInput(unescapeAwk(match[2]!)));
  return true;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** One record up to the separator `rs`: a character, nothing (paragraphs), or an expression. Null at the end. */
export function readRecord(sys: Sys, reader: LineReader, rs: string): string | null | undefined {
  if (rs === '\n') return textOfLine(nextLine(sys, reader));
  const isByte = rs.length === 1 && rs.charCodeAt(0) < 128;
  // Anything but a single byte is looked for in the whole input.
  while (!reader.isEnd && !(isByte && reader.bytes.includes(rs.charCodeAt(0), reader.at))) {
    const more = sys.read(reader.fd);
    if (more === undefined) return undefined;
    if (more.length === 0) reader.isEnd = true;
    else append(reader, more);
  }
  if (rs === '') while (reader.bytes[reader.at] === 10) reader.at++;
  if (reader.at >= reader.bytes.length) return null;
  if (isByte) {
    const end = reader.bytes.indexOf(rs.charCodeAt(0), reader.at);
    return takeBytes(reader, end < 0 ? reader.bytes.length : end, end < 0 ? 0 : 1);
  }
  const separator = rs === '' ? /\n\n+/ : awkRegex(rs);
  for (const size of [65536, Infinity]) {
    const rest = decoder.decode(reader.bytes.subarray(reader.at, reader.at + size));
    const found = separator.exec(rest);
    if (!found || found[0] === '' || found.index + found[0].length >= rest.length - 3) continue;
    const text = rest.slice(0, found.index);
    reader.at += encoder.encode(text + found[0]).length;
    return text;
  }
  const last = takeBytes(reader, reader.bytes.length, 0);
  return last.replace(rs === '' ? /\n+$/ : new RegExp(`(?:${separator.source})$`, separator.flags), '');
}

const textOfLine = (line: Line | null | undefined) => (line ? line.text : (line as null | undefined));

function takeBytes(reader: LineReader, end: number, skip: number): string {
  const text = decoder.decode(reader.bytes.subarray(reader.at, end));
  reader.at = end + skip;
  return text;
}

function append(reader: LineReader, more: Uint8Array): void {
  const rest = reader.bytes.subarray(reader.at);
  const joined = new Uint8Array(rest.length + more.length);
  joined.set(rest);
  joined.set(more, rest.length);
  reader.bytes = joined;
  reader.at = 0;
}
