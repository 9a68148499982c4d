/** uniq: of equal lines one after the other only one (coreutils 5.97). */
import type { Sys } from '../../sys';
import { filter } from '../adapters';
import { optionsOf, type ToolSpec } from '../options';

interface UniqState {
  readonly count: boolean;
  readonly show: 'all' | 'repeated' | 'unique' | 'copies';
  readonly ignoreCase: boolean;
  readonly skipFields: number;
  readonly skipChars: number;
  readonly width: number;
  readonly output: string;
  line: string;
  seen: number;
  out: string;
}

export const uniq = filter<UniqState>('uniq', {
  parse(sys, args) {
    const spec: ToolSpec = {
      usage: '[OPTION]... [INPUT [OUTPUT]]',
      options: 'cduif:s:w:D',
      long: {
        count: 'c',
        repeated: 'd',
        unique: 'u',
        'ignore-case': 'i',
        'skip-fields': 'f',
        'skip-chars': 's',
        'check-chars': 'w',
        'all-repeated': 'D',
      },
    };
    const options = optionsOf(sys, 'uniq', spec, [...args]);
    if (typeof options === 'number') return options;
    const state: UniqState = {
      count: options.has('c'),
      show: options.has('D') ? 'copies' : options.has('d') ? 'repeated' : options.has('u') ? 'unique' : 'all',
      ignoreCase: options.has('i'),
      skipFields: Number(options.value('f') ?? 0),
      skipChars: Number(options.value('s') ?? 0),
      width: Number(options.value('w') ?? Number.MAX_SAFE_INTEGER),
      output: options.words[1] ?? '',
      line: '',
      seen: 0,
      out: '',
    };
    return { files: options.words.slice(0, 1), state };
  },
  line(sys, state, line) {
    if (state.seen > 0 && uniqKey(state, line) === uniqKey(state, state.line)) {
      if (state.show === 'copies') emitUniq(sys, state, `${state.seen === 1 ? `${state.line}\n` : ''}${line}\n`);
      state.seen++;
      return;
    }
    putUniq(sys, state);
    state.line = line;
    state.seen = 1;
  },
  end(sys, state) {
    putUniq(sys, state);
    if (state.output !== '') sys.writeFile(state.output, state.out);
  },
});

function uniqKey(state: UniqState, line: string): string {
  let text = line;
  for (let i = 0; i < state.skipFields; i++) text = text.replace(/^[ \t]*[^ \t]*/, '');
  text = text.slice(state.skipChars, state.skipChars + state.width);
  return state.ignoreCase ? text.toLowerCase() : text;
}

function putUniq(sys: Sys, state: UniqState): void {
  if (
    state.seen === 0 ||
    state.show === 'copies' ||
    (state.show === 'repeated' && state.seen === 1) ||
    (state.show === 'unique' && state.seen > 1)
  )
    return;
  const text = `${state.count ? `${String(state.seen).padStart(7)} ` : ''}${state.line}\n`;
  emitUniq(sys, state, text);
}

function emitUniq(sys: Sys, state: UniqState, text: string): void {
  if (state.output === '') sys.print(text);
  else state.out += text;
}
