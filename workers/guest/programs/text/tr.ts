/** tr: translates, squeezes and deletes bytes (coreutils 5.97). */
import { filter } from '../adapters';
import { guarded, optionsOf, ToolError, type ToolSpec, UsageError } from '../options';

interface TrState {
  /** For every byte what it becomes. */
  readonly map: readonly number[];
  readonly deleted: readonly number[];
  readonly squeezed: readonly number[];
  last: number;
}

const SPEC: ToolSpec = {
  usage: '[OPTION]... SET1 [SET2]',
  options: 'dscCt',
  long: { delete: 'd', 'squeeze-repeats': 's', complement: 'c', 'truncate-set1': 't' },
  stopAtWord: true,
};

export const tr = filter<TrState>('tr', {
  parse(sys, args) {
    const options = optionsOf(sys, 'tr', SPEC, [...args]);
    if (typeof options === 'number') return options;
    return guarded(sys, 'tr', SPEC, () => {
      const [first, second, extra] = options.words;
      const [isDelete, isSqueeze] = [options.has('d'), options.has('s')];
      if (first === undefined) throw new UsageError('missing operand');
      if (second === undefined && !isDelete && !isSqueeze)
        throw new UsageError(`missing operand after \`${first}'\nTwo strings must be given when translating.`);
      if (second === undefined && isDelete && isSqueeze)
        throw new UsageError(
          `missing operand after \`${first}'\nTwo strings must be given when both deleting and squeezing repeats.`,
        );
      if (extra !== undefined) throw new UsageError(`extra operand \`${extra}'`);
      if (second !== undefined && isDelete && !isSqueeze)
        throw new UsageError(
          `extra operand \`${second}'\nOnly one string may be given when deleting without squeezing repeats.`,
        );
      let set1 = expandSet(first);
      if (options.has('c', 'C'))
        set1 = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !set1.includes(byte));
      const set2 = second === undefined ? undefined : expandSet(second, set1.length);
      const map = Array.from({ length: 256 }, (_, byte) => byte);
      if (set2 && !isDelete) {
        if (set2.length === 0 && !options.has('t'))
          throw new ToolError('when not truncating set1, string2 must be non-empty');
        set1.forEach((byte, i) => {
          if (i < set2.length || !options.has('t')) map[byte] = set2[i] ?? set2.at(-1)!;
        });
      }
      const state: TrState = {
        map,
        deleted: isDelete ? set1 : [],
        squeezed: isSqueeze ? (set2 ?? set1) : [],
        last: -1,
      };
      return { files: [], state };
    });
  },
  bytes(sys, state, bytes) {
    const deleted = flags(state.deleted);
    const squeezed = flags(state.squeezed);
    const out = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      if (deleted[byte]) continue;
      const mapped = state.map[byte]!;
      if (mapped === state.last && squeezed[mapped]) continue;
      state.last = mapped;
      out[length++] = mapped;
    }
    sys.print(out.subarray(0, length));
  },
});

function flags(set: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of set) table[byte] = 1;
  return table;
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

const CLASS_BYTES: Readonly<Record<string, readonly number[]>> = {
  upper: range(65, 90),
  lower: range(97, 122),
  digit: range(48, 57),
  alpha: [...range(65, 90), ...range(97, 122)],
  alnum: [...range(48, 57), ...range(65, 90), ...range(97, 122)],
  blank: [9, 32],
  space: [9, 10, 11, 12, 13, 32],
  punct: [...range(33, 47), ...range(58, 64), ...range(91, 96), ...range(123, 126)],
  print: range(32, 126),
  graph: range(33, 126),
  cntrl: [...range(0, 31), 127],
  xdigit: [...range(48, 57), ...range(65, 70), ...range(97, 102)],
};

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11, '\\': 92 };

/** The bytes of a set: ranges, classes, escapes, `[x*]` and `[x*n]` (filled up to `length`). */
function expandSet(text: string, length = 0): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  const out: number[] = [];
  let at = 0;
  const one = (): number => {
    const byte = bytes[at++]!;
    if (byte !== 92 || at >= bytes.length) return byte;
    const octal = /^[0-7]{1,3}/.exec(String.fromCharCode(...bytes.slice(at, at + 3)));
    if (octal) {
      at += octal[0].length;
      return Number.parseInt(octal[0], 8) & 255;
    }
    const letter = String.fromCharCode(bytes[at++]!);
    return ESCAPES[letter] ?? letter.charCodeAt(0);
  };
  while (at < bytes.length) {
    const rest = String.fromCharCode(...bytes.slice(at, at + 24));
    const named = /^\[:(\w+):\]/.exec(rest);
    if (named) {
      const members = CLASS_BYTES[named[1]!];
      if (!members) throw new ToolError(`invalid character class \`${named[1]}'`);
      out.push(...members);
      at += named[0].length;
      continue;
    }
    const repeated = /^\[(\\?.)\*(\d*)\]/s.exec(rest);
    if (repeated) {
      at++;
      const byte = one();
      at += repeated[2]!.length + 2;
      const count =
        repeated[2] === ''
          ? Math.max(0, length - out.length)
          : Number.parseInt(repeated[2]!, repeated[2]!.startsWith('0') ? 8 : 10);
      out.push(...Array.from({ length: count }, () => byte));
      continue;
    }
    const from = one();
    if (bytes[at] === 45 && at + 1 < bytes.length) {
      at++;
      const to = one();
      if (to < from)
        throw new ToolError(
          `range-endpoints of \`${String.fromCharCode(from)}-${String.fromCharCode(to)}' are in reverse collating sequence order`,
        );
      out.push(...range(from, to));
    } else out.push(from);
  }
  return out;
}
