/** od, hexdump and hd: bytes as numbers (coreutils 5.97, util-linux 2.13). */
import { filter } from '../adapters';
import { guarded, type Options, optionsOf, sizeOf, ToolError, type ToolSpec } from '../options';

/** How one line of bytes is shown; a line of the input may be shown in several ways, one below the other. */
interface Shape {
  /** c: characters; a: named characters; o, x, d, u: numbers; C: hexdump's canonical form. */
  readonly kind: 'c' | 'a' | 'o' | 'x' | 'd' | 'u' | 'C';
  /** Bytes a number. */
  readonly size: 1 | 2 | 4 | 8;
  /** Columns a number takes, with the blanks before it. */
  readonly width: number;
  /** Digits are filled up with zeros to so many. */
  readonly digits: number;
  /** The characters behind the line (od's `z`). */
  readonly hasText: boolean;
}

interface DumpState {
  readonly shapes: readonly Shape[];
  /** 0: no addresses. */
  readonly addressBase: number;
  readonly addressWidth: number;
  readonly lineBytes: number;
  /** A short last line is filled up with blanks (hexdump). */
  readonly isFilled: boolean;
  readonly all: boolean;
  /** Bytes still to be passed over, and to be shown. */
  skip: number;
  left: number;
  rest: Uint8Array;
  offset: number;
  last: string;
  isStarred: boolean;
}

const NAMES =
  'nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp'.split(
    ' ',
  );
const ESCAPES: Readonly<Record<number, string>> = {
  0: '\\0', 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r',
}; // biome-ignore format: a table

const printable = (byte: number) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.');
const padded = (value: number, base: number, width: number) => value.toString(base).padStart(width, '0');

/** Digits of the largest number: octal, hexadecimal and decimal ones of 1, 2, 4 and 8 bytes. */
const DIGITS: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  o: { 1: 3, 2: 6, 4: 11, 8: 22 }, x: { 1: 2, 2: 4, 4: 8, 8: 16 }, d: { 1: 4, 2: 6, 4: 11, 8: 20 }, u: { 1: 3, 2: 5, 4: 10, 8: 20 },
}; // biome-ignore format: a table

function shape(kind: Shape['kind'], size: Shape['size'], hasText = false): Shape {
  if (kind === 'c' || kind === 'a') return { kind, size: 1, width: 4, digits: 0, hasText };
  const digits = DIGITS[kind]![size]!;
  return { kind, size, width: digits + 1, digits: kind === 'o' || kind === 'x' ? digits : 0, hasText };
}

const OD_LETTERS: Readonly<Record<string, Shape>> = {
  a: shape('a', 1), b: shape('o', 1), c: shape('c', 1), d: shape('u', 2), i: shape('d', 4), l: shape('d', 8), o: shape('o', 2), s: shape('d', 2), x: shape('x', 2), h: shape('x', 2),
}; // biome-ignore format: a table

/** od -t: one letter and a size, several one after the other, `z` for the characters. */
function types(text: string): Shape[] {
  const found: Shape[] = [];
  const pattern = /([acdoux])([1248CSIL]?)(z?)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) throw new ToolError(`invalid type string \`${text}'`);
    const size = { C: 1, S: 2, I: 4, L: 8, '': 4, 1: 1, 2: 2, 4: 4, 8: 8 }[match[2]!] as Shape['size'];
    found.push(shape(match[1] as Shape['kind'], size, match[3] === 'z'));
  }
  return found;
}

const hex = (kind: Shape['kind'], size: Shape['size'], width: number, digits: number): Shape => ({
  kind,
  size,
  width,
  digits,
  hasText: false,
});
const HEXDUMP_LETTERS: Readonly<Record<string, Shape>> = {
  b: hex('o', 1, 4, 3), c: hex('c', 1, 4, 0), C: hex('C', 1, 3, 2), d: hex('u', 2, 8, 5), o: hex('o', 2, 8, 6), x: hex('x', 2, 8, 4),
}; // biome-ignore format: a table

const OD: ToolSpec = {
  usage: '[OPTION]... [FILE]...',
  options: 'A:t:N:j:w::vabcdhilosx',
  long: {
    'address-radix': 'A',
    format: 't',
    'read-bytes': 'N',
    'skip-bytes': 'j',
    width: 'w',
    'output-duplicates': 'v',
  },
};
const HEXDUMP: ToolSpec = { usage: '[-bcCdovx] [-n length] [-s skip] [file ...]', options: 'bcCdon:s:vx' };

/** A count in decimal, octal (0…) or hexadecimal (0x…), with a multiplier. */
function count(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const number = /^0x[0-9a-f]+$/i.test(text)
    ? Number(text)
    : /^0[0-7]+$/.test(text)
      ? Number.parseInt(text, 8)
      : sizeOf(text);
  if (number === undefined) throw new ToolError(`invalid number \`${text}'`);
  return number;
}

function initial(name: string, options: Options): DumpState {
  const isOd = name === 'od';
  const chosen = isOd
    ? options.list.flatMap(([letter, value]) => (letter === 't' ? types(value) : (OD_LETTERS[letter] ?? [])))
    : options.list.flatMap(([letter]) => HEXDUMP_LETTERS[letter] ?? []);
  if (name === 'hd') chosen.push(HEXDUMP_LETTERS['C']!);
  const shapes = chosen.length > 0 ? chosen : [isOd ? OD_LETTERS['o']! : hex('x', 2, 5, 4)];
  const radix = options.value('A') ?? 'o';
  const addressBase = isOd ? ({ o: 8, x: 16, d: 10, n: 0 }[radix] ?? -1) : 16;
  if (addressBase < 0)
    throw new ToolError(`invalid output address radix \`${radix}'; it must be one character from [doxn]`);
  return {
    shapes,
    addressBase,
    addressWidth: shapes[0]!.kind === 'C' ? 8 : addressBase === 16 && isOd ? 6 : 7,
    lineBytes: isOd && options.has('w') ? count(options.value('w') || '32', 32) || 16 : 16,
    isFilled: !isOd,
    all: options.has('v'),
    skip: count(options.value(isOd ? 'j' : 's'), 0),
    left: count(options.value(isOd ? 'N' : 'n'), Number.MAX_SAFE_INTEGER),
    rest: new Uint8Array(0),
    offset: 0,
    last: '',
    isStarred: false,
  };
}

const dumper = (name: 'od' | 'hexdump' | 'hd') =>
  filter<DumpState>(name, {
    parse(sys, args) {
      const spec = name === 'od' ? OD : HEXDUMP;
      const options = optionsOf(sys, name, spec, [...args]);
      if (typeof options === 'number') return options;
      return guarded(sys, name, spec, () => ({ files: options.words, state: initial(name, options) }));
    },
    bytes(sys, state, bytes) {
      const skipped = Math.min(state.skip, bytes.length);
      state.skip -= skipped;
      state.offset += skipped;
      const fresh = bytes.subarray(skipped, skipped + state.left);
      state.left -= fresh.length;
      const all = new Uint8Array(state.rest.length + fresh.length);
      all.set(state.rest);
      all.set(fresh, state.rest.length);
      let at = 0;
      for (; at + state.lineBytes <= all.length; at += state.lineBytes)
        sys.print(lines(state, all.subarray(at, at + state.lineBytes)));
      state.rest = all.slice(at);
      return state.left === 0;
    },
    isDone: (state) => state.left === 0,
    end(sys, state) {
      if (state.rest.length > 0) sys.print(lines(state, state.rest));
      const isEmpty = state.offset === 0 && name !== 'od';
      if (!isEmpty && state.addressBase > 0)
        sys.print(`${padded(state.offset, state.addressBase, state.addressWidth)}\n`);
    },
  });

/** One line for each shape, or `*` for a run of equal ones. */
function lines(state: DumpState, bytes: Uint8Array): string {
  const texts = state.shapes.map((it) => row(state, it, bytes));
  const address = state.addressBase === 0 ? '' : padded(state.offset, state.addressBase, state.addressWidth);
  state.offset += bytes.length;
  const key = texts.join('\n');
  if (!state.all && bytes.length === state.lineBytes && key === state.last) {
    const star = state.isStarred ? '' : '*\n';
    state.isStarred = true;
    return star;
  }
  state.last = key;
  state.isStarred = false;
  return texts.map((text, i) => `${i === 0 ? address : ' '.repeat(address.length)}${text}\n`).join('');
}

function row(state: DumpState, it: Shape, bytes: Uint8Array): string {
  if (it.kind === 'C') {
    const shown = [...bytes].map((byte, i) => `${i === 8 ? ' ' : ''} ${padded(byte, 16, 2)}`).join('');
    return ` ${shown.padEnd(49)}  |${[...bytes].map(printable).join('')}|`;
  }
  const count = Math.ceil(bytes.length / it.size);
  let text = '';
  for (let i = 0; i < count; i++) text += cell(it, bytes.subarray(i * it.size, (i + 1) * it.size)).padStart(it.width);
  const full = (state.lineBytes / it.size) * it.width;
  if (it.hasText) return `${text.padEnd(full)}  >${[...bytes].map(printable).join('')}<`;
  return state.isFilled ? text.padEnd(full) : text;
}

/** One number, least significant byte first; what is missing at the end of the input counts as zero. */
function cell({ kind, size, digits }: Shape, bytes: Uint8Array): string {
  const byte = bytes[0]!;
  if (kind === 'c') return ESCAPES[byte] ?? (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : padded(byte, 8, 3));
  if (kind === 'a') return (byte & 127) === 127 ? 'del' : (NAMES[byte & 127] ?? String.fromCharCode(byte & 127));
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  if (kind === 'd') value = BigInt.asIntN(8 * size, value);
  return value.toString(kind === 'o' ? 8 : kind === 'x' ? 16 : 10).padStart(digits, '0');
}

export const od = dumper('od');
export const hexdump = dumper('hexdump');
export const hd = dumper('hd');
