/** cut: chosen fields, characters or bytes of each line (coreutils 5.97). */
import { filter } from '../adapters';
import { guarded, optionsOf, ToolError, type ToolSpec, UsageError } from '../options';

interface CutState {
  readonly kind: 'f' | 'c' | 'b';
  /** First and last, from 1; last 0 = to the end. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly delimiter: string;
  readonly output: string;
  readonly onlyDelimited: boolean;
  readonly complement: boolean;
}

const SPEC: ToolSpec = {
  usage: '[OPTION]... [FILE]...',
  options: 'f:c:b:d:sn',
  long: {
    fields: 'f',
    characters: 'c',
    bytes: 'b',
    delimiter: 'd',
    'only-delimited': 's',
    'output-delimiter': 'output-delimiter:',
    complement: 'complement',
  },
};

export const cut = filter<CutState>('cut', {
  parse(sys, args) {
    const options = optionsOf(sys, 'cut', SPEC, [...args]);
    if (typeof options === 'number') return options;
    return guarded(sys, 'cut', SPEC, () => {
      const lists = options.list.filter(([name]) => 'fcb'.includes(name) && name.length === 1);
      if (lists.length === 0) throw new UsageError('you must specify a list of bytes, characters, or fields');
      if (lists.length > 1) throw new UsageError('only one type of list may be specified');
      const [kind, list] = lists[0]!;
      const delimiter = options.value('d') ?? '\t';
      if ([...delimiter].length !== 1) throw new UsageError('the delimiter must be a single character');
      if (options.has('d') && kind !== 'f')
        throw new UsageError('an input delimiter may be specified only when operating on fields');
      const state: CutState = {
        kind: kind as 'f' | 'c' | 'b',
        ranges: parseRanges(list),
        delimiter,
        output: options.value('output-delimiter') ?? (kind === 'f' ? delimiter : ''),
        onlyDelimited: options.has('s'),
        complement: options.has('complement'),
      };
      return { files: options.words, state };
    });
  },
  line(sys, state, line) {
    if (state.kind !== 'f') {
      sys.print(`${chosen(state, [...line]).join(state.output)}\n`);
      return;
    }
    if (!line.includes(state.delimiter)) {
      if (!state.onlyDelimited) sys.print(`${line}\n`);
      return;
    }
    sys.print(`${chosen(state, line.split(state.delimiter)).join(state.output)}\n`);
  },
});

function chosen(state: CutState, parts: readonly string[]): string[] {
  return parts.filter(
    (_, i) => state.ranges.some(([from, to]) => i + 1 >= from && (to === 0 || i + 1 <= to)) !== state.complement,
  );
}

function parseRanges(list: string): (readonly [number, number])[] {
  return list.split(/[, ]/).map((part) => {
    const match = /^(\d*)(-?)(\d*)$/.exec(part);
    if (!match || part === '' || part === '-') throw new ToolError('invalid byte or field list');
    const from = Number(match[1] || 1);
    const to = match[2] === '' ? from : Number(match[3] || 0);
    if (from === 0) throw new UsageError('fields and positions are numbered from 1');
    if (to !== 0 && to < from) throw new ToolError('invalid byte or field list');
    return [from, to] as const;
  });
}
