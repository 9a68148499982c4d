/** cat, tac, rev and nl: files as they are, backwards, mirrored, numbered. */
import type { Sys } from '../../sys';
import { filter } from '../adapters';
import { optionsOf, type ToolSpec } from '../options';

interface CatState {
  readonly number: boolean;
  readonly numberNonBlank: boolean;
  readonly squeeze: boolean;
  readonly ends: boolean;
  readonly tabs: boolean;
  readonly visible: boolean;
  lineNumber: number;
  isLineStart: boolean;
  blankLines: number;
}

const SPEC: ToolSpec = {
  usage: '[OPTION] [FILE]...',
  options: 'nbsEvTAetu',
  long: {
    number: 'n',
    'number-nonblank': 'b',
    'squeeze-blank': 's',
    'show-ends': 'E',
    'show-all': 'A',
    'show-tabs': 'T',
    'show-nonprinting': 'v',
  },
};

export const cat = filter<CatState>('cat', {
  parse(sys, args) {
    const options = optionsOf(sys, 'cat', SPEC, [...args]);
    if (typeof options === 'number') return options;
    const state: CatState = {
      number: options.has('n'),
      numberNonBlank: options.has('b'),
      squeeze: options.has('s'),
      ends: options.has('E', 'A', 'e'),
      tabs: options.has('T', 'A', 't'),
      visible: options.has('v', 'A', 'e', 't'),
      lineNumber: 0,
      isLineStart: true,
      blankLines: 0,
    };
    return { files: options.words, state };
  },
  bytes(sys, state, bytes) {
    const isPlain = !(
      state.number ||
      state.numberNonBlank ||
      state.squeeze ||
      state.ends ||
      state.tabs ||
      state.visible
    );
    sys.print(isPlain ? bytes : decorated(state, bytes));
  },
});

function decorated(state: CatState, bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  const put = (text: string) => {
    for (let i = 0; i < text.length; i++) out.push(text.charCodeAt(i));
  };
  for (const byte of bytes) {
    const isNewline = byte === 10;
    if (state.isLineStart) {
      if (isNewline) {
        state.blankLines++;
        if (state.squeeze && state.blankLines > 1) continue;
      } else state.blankLines = 0;
      if (state.numberNonBlank ? !isNewline : state.number) put(`${String(++state.lineNumber).padStart(6)}\t`);
    }
    state.isLineStart = isNewline;
    if (isNewline) put(state.ends ? '$\n' : '\n');
    else if (byte === 9) put(state.tabs ? '^I' : '\t');
    else if (!state.visible) out.push(byte);
    else put(visible(byte));
  }
  return Uint8Array.from(out);
}

/** `^A`, `M-a`, `M-^A`: a byte that can always be seen. */
export function visible(byte: number): string {
  const low = byte & 0x7f;
  const shown = low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low);
  return byte >= 128 ? `M-${shown}` : shown;
}

const FILES: ToolSpec = { usage: '[OPTION]... [FILE]...' };

const named = (sys: Sys, name: string, args: readonly string[]) => {
  const options = optionsOf(sys, name, FILES, [...args]);
  return typeof options === 'number' ? options : options.words;
};

export const tac = filter<{ lines: string[] }>('tac', {
  parse(sys, args) {
    const files = named(sys, 'tac', args);
    return typeof files === 'number' ? files : { files, state: { lines: [] } };
  },
  line: (_, state, line, isTerminated) => void state.lines.push(isTerminated ? `${line}\n` : line),
  fileEnd(sys, state) {
    sys.print(state.lines.reverse().join(''));
    state.lines = [];
  },
});

export const rev = filter<null>('rev', {
  parse(sys, args) {
    const files = named(sys, 'rev', args);
    return typeof files === 'number' ? files : { files, state: null };
  },
  line: (sys, _, line, isTerminated) => sys.print([...line].reverse().join('') + (isTerminated ? '\n' : '')),
});

interface NlState {
  readonly body: string;
  readonly width: number;
  readonly separator: string;
  readonly step: number;
  readonly format: string;
  next: number;
}

export const nl = filter<NlState>('nl', {
  parse(sys, args) {
    const options = optionsOf(sys, 'nl', { usage: '[OPTION]... [FILE]...', options: 'b:w:s:v:i:n:' }, [...args]);
    if (typeof options === 'number') return options;
    const state = {
      body: options.value('b') ?? 't',
      width: Number(options.value('w') ?? 6),
      separator: options.value('s') ?? '\t',
      step: Number(options.value('i') ?? 1),
      format: options.value('n') ?? 'rn',
      next: Number(options.value('v') ?? 1),
    };
    return { files: options.words, state };
  },
  line(sys, state, line) {
    if (state.body === 'n' || (state.body === 't' && line === '')) {
      sys.print(`${' '.repeat(state.width + state.separator.length)}${line}\n`);
      return;
    }
    const number = String(state.next);
    const shown =
      state.format === 'ln'
        ? number.padEnd(state.width)
        : number.padStart(state.width, state.format === 'rz' ? '0' : ' ');
    sys.print(`${shown}${state.separator}${line}\n`);
    state.next += state.step;
  },
});
