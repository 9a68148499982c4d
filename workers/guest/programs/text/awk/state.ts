/** What a running awk knows, as plain data, and how its variables, fields and arrays are read and changed. */
import type { LineReader } from '../lines';
import { posixRegex } from '../regex';
import { type Compiled, type Place, slotOf, type Target } from './code';
import { AwkFatal, fromInput, toNumber, toText, type Value } from './values';

export { AwkFatal };

/** Keys carry a mark in front, so that no name means anything to JavaScript. */
export type Table = Record<string, Value>;

export interface Frame {
  readonly returnTo: number;
  /** Where this call's parameters start on the stack. */
  readonly base: number;
  readonly fn: number;
  readonly iterators: number;
  /** Arrays that live as long as the call. */
  readonly owned: number[];
}

/** A file or command that is written to or read from by name. */
export interface Stream {
  readonly name: string;
  readonly kind: '>' | '|' | 'file' | 'command';
  reader: LineReader;
  fd: number;
  /** 0: no child. */
  readonly pid: number;
  pending: Uint8Array[];
}

export interface AwkState {
  /** What it ends with before anything is run; −1: run. */
  readonly earlyStatus: number;
  readonly program: Compiled | null;
  phase: 'begin' | 'main' | 'end' | 'closing';
  pc: number;
  stack: Value[];
  frames: Frame[];
  iterators: { keys: string[]; at: number }[];
  globals: Value[];
  tables: Record<number, Table>;
  nextTable: number;
  openRanges: boolean[];
  record: string;
  /** Undefined… null: not split yet. */
  fields: Value[] | null;
  isRecordStale: boolean;
  /** The operand that is being read, as an index into ARGV. */
  argument: number;
  reader: LineReader | null;
  hasReadFile: boolean;
  isInputOver: boolean;
  streams: Stream[];
  /** A child whose end is waited for (system, close). */
  child: number;
  status: number;
  seed: number;
  previousSeed: number;
}

export const NF = slotOf('NF');
export const NR = slotOf('NR');
export const FNR = slotOf('FNR');
const FS = slotOf('FS');
const OFS = slotOf('OFS');
const CONVFMT = slotOf('CONVFMT');

export const convfmt = (state: AwkState) => toText(state.globals[CONVFMT], '%.6g');
export const textOf = (state: AwkState, value: Value | undefined) => toText(value, convfmt(state));
export const special = (state: AwkState, slot: number) => textOf(state, state.globals[slot]);

// --- fields

export function setRecord(state: AwkState, text: string): void {
  state.record = text;
  state.fields = null;
  state.isRecordStale = false;
}

export function fieldsOf(state: AwkState): Value[] {
  if (!state.fields) {
    state.fields = splitText(state.record, special(state, FS)).map(fromInput);
    state.globals[NF] = state.fields.length;
  }
  return state.fields;
}

function recordOf(state: AwkState): string {
  if (state.isRecordStale) {
    state.record = fieldsOf(state)
      .map((field) => textOf(state, field))
      .join(special(state, OFS));
    state.isRecordStale = false;
  }
  return state.record;
}

const MOST_FIELDS = 100_000;

function fieldNumber(index: number): number {
  const number = Math.trunc(index);
  if (number < 0 || Number.isNaN(number)) throw new AwkFatal(`attempt to access field ${number}`);
  if (number > MOST_FIELDS) throw new AwkFatal(`field ${number} is too large`);
  return number;
}

function getField(state: AwkState, index: number): Value {
  const number = fieldNumber(index);
  if (number === 0) return fromInput(recordOf(state));
  return fieldsOf(state)[number - 1] ?? null;
}

function setField(state: AwkState, index: number, value: Value): void {
  const number = fieldNumber(index);
  if (number === 0) {
    setRecord(state, textOf(state, value));
    return;
  }
  const fields = fieldsOf(state);
  while (fields.length < number - 1) fields.push('');
  fields[number - 1] = value;
  state.globals[NF] = fields.length;
  state.isRecordStale = true;
}

function setFieldCount(state: AwkState, value: Value): void {
  const count = fieldNumber(toNumber(value));
  const fields = fieldsOf(state);
  while (fields.length < count) fields.push('');
  fields.length = count;
  state.isRecordStale = true;
}

/** Pieces of a text by a field separator: a blank means any run of white space, one character itself, else an expression. */
export function splitText(text: string, separator: string, isRegex = false): string[] {
  if (separator === ' ' && !isRegex) {
    const trimmed = text.replace(/^[ \t\n]+|[ \t\n]+$/g, '');
    return trimmed === '' ? [] : trimmed.split(/[ \t\n]+/);
  }
  if (text === '') return [];
  if (separator === '') return [...text];
  if (separator.length === 1 && separator !== '\\' && !isRegex) return text.split(separator);
  const regex = awkRegex(separator, 'g');
  const pieces: string[] = [];
  let from = 0;
  for (const match of text.matchAll(regex)) {
    if (match[0] === '') continue;
    pieces.push(text.slice(from, match.index));
    from = match.index + match[0].length;
  }
  pieces.push(text.slice(from));
  return pieces;
}

/** awk's expressions are POSIX extended ones with the escapes of its strings. */
export function awkRegex(source: string, flags = ''): RegExp {
  return posixRegex(portable(source), { extended: true }, flags);
}

function portable(source: string): string {
  if (!/[\n\\]/.test(source)) return source;
  let out = '';
  let isInBrackets = false;
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!;
    const next = source[i + 1];
    if (c === '\n') out += '\\n';
    else if (c === '\\' && next !== undefined) {
      i++;
      if (next === '/' || next === '"' || next === '&') out += next;
      else if (next === 'y') out += '\\b';
      else if (isInBrackets && next !== 'n' && next !== 't' && next !== '\\') out += next;
      else out += `\\${next}`;
    } else {
      if (c === '[' && !isInBrackets) isInBrackets = true;
      else if (c === ']' && isInBrackets && !/\[\^?$/.test(source.slice(0, i))) isInBrackets = false;
      out += c;
    }
  }
  return out;
}

// --- variables and arrays

const keyOf = (key: string) => `.${key}`;
export const nameOfKey = (key: string) => key.slice(1);

export function tableOf(state: AwkState, place: Place, slot: number): Table {
  const id = place === 'g' ? state.globals[slot] : state.stack[state.frames.at(-1)!.base + slot];
  state.tables[id as number] ??= {};
  return state.tables[id as number]!;
}

export const hasKey = (table: Table, key: string) => Object.hasOwn(table, keyOf(key));
export const setKey = (table: Table, key: string, value: Value) => {
  table[keyOf(key)] = value;
};
export const removeKey = (table: Table, key: string) => {
  delete table[keyOf(key)];
};

function getElement(table: Table, key: string): Value {
  const marked = keyOf(key);
  if (!Object.hasOwn(table, marked)) table[marked] = null;
  return table[marked]!;
}

/** Reads a target; `operand` is its field number or key. */
export function loadTarget(state: AwkState, target: Target, slot: number, operand: Value): Value {
  switch (target) {
    case 'g':
      if (slot === NF) fieldsOf(state);
      return state.globals[slot] ?? null;
    case 'l':
      return state.stack[state.frames.at(-1)!.base + slot] ?? null;
    case 'f':
      return getField(state, toNumber(operand));
    case 'ga':
    case 'la':
      return getElement(tableOf(state, target === 'ga' ? 'g' : 'l', slot), textOf(state, operand));
  }
}

export function storeTarget(state: AwkState, target: Target, slot: number, operand: Value, value: Value): void {
  switch (target) {
    case 'g':
      // A changed FS is for the next record: this one is split before.
      if (slot === FS) fieldsOf(state);
      state.globals[slot] = value;
      if (slot === NF) setFieldCount(state, value);
      return;
    case 'l':
      state.stack[state.frames.at(-1)!.base + slot] = value;
      return;
    case 'f':
      setField(state, toNumber(operand), value);
      return;
    case 'ga':
    case 'la':
      setKey(tableOf(state, target === 'ga' ? 'g' : 'l', slot), textOf(state, operand), value);
  }
}
