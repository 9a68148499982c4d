/** sort: lines in order, by keys (coreutils 5.97, C locale). */
import type { Sys } from '../../sys';
import { filter } from '../adapters';
import { guarded, optionsOf, ToolError, type ToolSpec } from '../options';

interface Key {
  readonly field: number;
  readonly char: number;
  /** 0: to the end of the line. */
  readonly endField: number;
  readonly endChar: number;
  readonly flags: string;
}

interface SortState {
  readonly keys: readonly Key[];
  readonly separator: string;
  readonly flags: string;
  readonly unique: boolean;
  readonly stable: boolean;
  readonly check: boolean;
  readonly output: string;
  /** -z: what ends a line. */
  readonly end: '\n' | '\0';
  lines: string[];
}

const SPEC: ToolSpec = {
  usage: '[OPTION]... [FILE]...',
  options: 'nrufbdgihMk:t:o:sczT:S:m',
  long: {
    'numeric-sort': 'n',
    reverse: 'r',
    unique: 'u',
    'ignore-case': 'f',
    key: 'k',
    'field-separator': 't',
    output: 'o',
    stable: 's',
    check: 'c',
    'ignore-leading-blanks': 'b',
    'general-numeric-sort': 'g',
    'month-sort': 'M',
    'human-numeric-sort': 'h',
  },
  usageStatus: 2,
};

export const sort = filter<SortState>('sort', {
  failStatus: 2,
  parse(sys, args) {
    const options = optionsOf(sys, 'sort', SPEC, [...args]);
    if (typeof options === 'number') return options;
    return guarded(sys, 'sort', SPEC, () => {
      const separator = options.value('t') ?? '';
      if ([...separator].length > 1 && separator !== '\\0')
        throw new ToolError(`multi-character tab \`${separator}'`, 2);
      const state: SortState = {
        keys: options.list.filter(([name]) => name === 'k').map(([, value]) => parseKey(value)),
        separator,
        flags: options.list
          .filter(([name]) => 'nrfbdgiMh'.includes(name))
          .map(([name]) => name)
          .join(''),
        unique: options.has('u'),
        stable: options.has('s'),
        check: options.has('c'),
        output: options.value('o') ?? '',
        end: options.has('z') ? '\0' : '\n',
        lines: [],
      };
      return { files: options.words, state };
    });
  },
  line: (_, state, line) => void state.lines.push(line),
  end(sys, state, status) {
    if (status !== 0) return status;
    if (state.end === '\0') state.lines = state.lines.join('\n').replace(/\0$/, '').split('\0');
    if (state.check) return check(sys, state);
    const compare = comparator(state);
    const sorted = state.lines.sort((a, b) => compare(a, b) || lastResort(state, a, b));
    const shown = state.unique ? sorted.filter((line, i) => i === 0 || compare(sorted[i - 1]!, line) !== 0) : sorted;
    const text = shown.map((line) => `${line}${state.end}`).join('');
    if (state.output) sys.writeFile(state.output, text);
    else sys.print(text);
    return 0;
  },
});

function check(sys: Sys, state: SortState): number {
  const compare = comparator(state);
  for (let i = 1; i < state.lines.length; i++) {
    const order = compare(state.lines[i - 1]!, state.lines[i]!);
    if (order < 0 || (order === 0 && !state.unique)) continue;
    sys.eprint(`sort: -:${i + 1}: disorder: ${state.lines[i]}\n`);
    return 1;
  }
  return 0;
}

/** `2,3nr`, `1.2,1.4`. */
function parseKey(text: string): Key {
  const match = /^(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?$/.exec(text);
  if (!match) throw new ToolError(`invalid number at field start: invalid count at start of \`${text}'`, 2);
  if (Number(match[1]) === 0) throw new ToolError(`field number is zero: invalid field specification \`${text}'`, 2);
  return {
    field: Number(match[1]),
    char: Number(match[2] ?? 1),
    endField: Number(match[4] ?? 0),
    endChar: Number(match[5] ?? 0),
    flags: match[3]! + (match[6] ?? ''),
  };
}

const ordinal = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function lastResort(state: SortState, a: string, b: string): number {
  if (state.stable || state.unique) return 0;
  return state.flags.includes('r') ? ordinal(b, a) : ordinal(a, b);
}

export function comparator(state: Pick<SortState, 'keys' | 'separator' | 'flags'>): (a: string, b: string) => number {
  const keys: readonly Key[] =
    state.keys.length > 0 ? state.keys : [{ field: 0, char: 1, endField: 0, endChar: 0, flags: '' }];
  return (a, b) => {
    for (const key of keys) {
      const flags = key.flags === '' ? state.flags : key.flags;
      const order = compareKeys(keyOf(a, key, state.separator, flags), keyOf(b, key, state.separator, flags), flags);
      if (order !== 0) return flags.includes('r') ? -order : order;
    }
    return 0;
  };
}

function keyOf(line: string, key: Key, separator: string, flags: string): string {
  if (key.field === 0) return flags.includes('b') ? line.trimStart() : line;
  const starts = fieldStarts(line, separator);
  const isBlankSkipped = flags.includes('b');
  const at = (field: number) => starts[field - 1]?.[0] ?? line.length;
  const endOf = (field: number) => starts[field - 1]?.[1] ?? line.length;
  const afterBlanks = (from: number) => (isBlankSkipped ? from + /^[ \t]*/.exec(line.slice(from))![0].length : from);
  const start = Math.min(line.length, afterBlanks(at(key.field)) + key.char - 1);
  const end =
    key.endField === 0
      ? line.length
      : key.endChar === 0
        ? endOf(key.endField)
        : Math.min(endOf(key.endField), afterBlanks(at(key.endField)) + key.endChar);
  return line.slice(start, Math.max(start, end));
}

/** Start and end of every field. Without a separator a field begins with the blanks before it. */
function fieldStarts(line: string, separator: string): [number, number][] {
  const found: [number, number][] = [];
  if (separator === '') {
    for (const match of line.matchAll(/[ \t]*[^ \t]+/g)) found.push([match.index, match.index + match[0].length]);
    return found;
  }
  let from = 0;
  for (const part of line.split(separator)) {
    found.push([from, from + part.length]);
    from += part.length + separator.length;
  }
  return found;
}

const MONTH_NAMES = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

function compareKeys(a: string, b: string, flags: string): number {
  if (flags.includes('n')) return number(a) - number(b);
  if (flags.includes('g')) return general(a) - general(b);
  if (flags.includes('h')) return human(a) - human(b);
  if (flags.includes('M')) return month(a) - month(b);
  let [x, y] = [a, b];
  if (flags.includes('d')) [x, y] = [x.replace(/[^A-Za-z0-9 \t]/g, ''), y.replace(/[^A-Za-z0-9 \t]/g, '')];
  if (flags.includes('f')) [x, y] = [x.toUpperCase(), y.toUpperCase()];
  return ordinal(x, y);
}

const number = (text: string) => Number(/^\s*(-?\d*\.?\d*)/.exec(text)![1]!.replace(/^(-?)\.?$/, '0')) || 0;
const general = (text: string) => Number.parseFloat(text) || 0;
const human = (text: string) =>
  number(text) * 1024 ** (' KMGTP'.indexOf((/\d\s*([KMGTPk])/.exec(text)?.[1] ?? ' ').toUpperCase()) || 0);
const month = (text: string) => MONTH_NAMES.indexOf(text.trim().slice(0, 3).toUpperCase());
