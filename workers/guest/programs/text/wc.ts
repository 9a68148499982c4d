/** wc: counts lines, words, characters and bytes (coreutils 5.97). */
import type { Sys } from '../../sys';
import { filter } from '../adapters';
import { optionsOf, quietly, type ToolSpec } from '../options';

interface WcState {
  /** Letters of the columns that are shown. */
  readonly show: string;
  readonly width: number;
  isInWord: boolean;
  column: number;
  /** l, w, m, c, L of the current file and of all. */
  now: number[];
  total: number[];
  files: number;
}

const SPEC: ToolSpec = {
  usage: '[OPTION]... [FILE]...',
  options: 'lwmcL',
  long: { lines: 'l', words: 'w', chars: 'm', bytes: 'c', 'max-line-length': 'L' },
};
const ORDER = 'lwmcL';

export const wc = filter<WcState>('wc', {
  parse(sys, args) {
    const options = optionsOf(sys, 'wc', SPEC, [...args]);
    if (typeof options === 'number') return options;
    const show = [...ORDER].filter((letter) => options.has(letter)).join('') || 'lwc';
    const state: WcState = {
      show,
      width: widthFor(sys, options.words, show),
      isInWord: false,
      column: 0,
      now: [0, 0, 0, 0, 0],
      total: [0, 0, 0, 0, 0],
      files: 0,
    };
    return { files: options.words, state };
  },
  bytes(_, state, bytes) {
    let [lines = 0, words = 0, chars = 0, count = 0, longest = 0] = state.now;
    count += bytes.length;
    for (const byte of bytes) {
      if (byte === 10) {
        lines++;
        longest = Math.max(longest, state.column);
        state.column = 0;
      } else if ((byte & 0xc0) !== 0x80) state.column += byte === 9 ? 8 - (state.column % 8) : 1;
      if ((byte & 0xc0) !== 0x80) chars++;
      const isSpace = byte === 32 || (byte >= 9 && byte <= 13);
      if (!isSpace && !state.isInWord) words++;
      state.isInWord = !isSpace;
    }
    state.now = [lines, words, chars, count, longest];
  },
  fileEnd(sys, state, file) {
    state.now[4] = Math.max(state.now[4]!, state.column);
    // Without names on the command line the input goes without one too.
    print(
      sys,
      state,
      state.now,
      file === '-' && sys.argv.slice(1).every((arg) => arg.startsWith('-') && arg !== '-') ? '' : file,
    );
    state.total = state.total.map((sum, i) => (i === 4 ? Math.max(sum, state.now[i]!) : sum + state.now[i]!));
    state.now = [0, 0, 0, 0, 0];
    state.isInWord = false;
    state.column = 0;
    state.files++;
  },
  end(sys, state) {
    if (sys.argv.slice(1).filter((arg) => !arg.startsWith('-') || arg === '-').length > 1)
      print(sys, state, state.total, 'total');
  },
});

/** One file and one number: no padding; otherwise as wide as the sum of the sizes, 7 when a size is not known. */
function widthFor(sys: Sys, files: readonly string[], show: string): number {
  if (files.length <= 1 && show.length === 1) return 1;
  let total = 0;
  for (const file of files.length > 0 ? files : ['-']) {
    const stat = quietly(() => (file === '-' ? sys.fstat(0) : sys.stat(file)));
    if (!stat) continue;
    if (stat.kind !== 'file') return 7;
    total += stat.size;
  }
  return String(total).length;
}

function print(sys: Sys, state: WcState, counts: readonly number[], name: string): void {
  const cells = [...state.show].map((letter) => String(counts[ORDER.indexOf(letter)]).padStart(state.width));
  sys.print(`${cells.join(' ')}${name === '' ? '' : ` ${name}`}\n`);
}
