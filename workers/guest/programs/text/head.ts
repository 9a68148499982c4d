/** head: the first lines or bytes of files (coreutils 5.97). */
import { filter } from '../adapters';
import { guarded, optionsOf, sizeOf, ToolError, type ToolSpec } from '../options';

export interface HeadState {
  readonly count: number;
  readonly isBytes: boolean;
  readonly names: 'always' | 'never' | 'several';
  /** `-n -5`: all but the last five; they are held back until more has come. */
  readonly isAllBut: boolean;
  left: number;
  held: Uint8Array;
  isFirst: boolean;
}

const SPEC: ToolSpec = {
  usage: '[OPTION]... [FILE]...',
  options: 'n:c:qv',
  long: { lines: 'n', bytes: 'c', quiet: 'q', silent: 'q', verbose: 'v' },
};

/** `-5` means `-n 5`, unless it belongs to an option before it. */
export const withLineCount = (args: readonly string[]) =>
  args.map((arg, i) => (/^-\d+$/.test(arg) && !/^-[qv]*[nc]$/.test(args[i - 1] ?? '') ? `-n${arg.slice(1)}` : arg));

export const head = filter<HeadState>('head', {
  parse(sys, args) {
    const options = optionsOf(sys, 'head', SPEC, withLineCount(args));
    if (typeof options === 'number') return options;
    return guarded(sys, 'head', SPEC, () => {
      const last = options.list.filter(([name]) => name === 'n' || name === 'c').at(-1);
      const isBytes = last?.[0] === 'c';
      const count = last ? sizeOf(last[1].replace(/^-/, '')) : 10;
      if (count === undefined) throw new ToolError(`${last![1]}: invalid number of ${isBytes ? 'bytes' : 'lines'}`);
      const names = options.has('q') ? 'never' : options.has('v') ? 'always' : 'several';
      const state: HeadState = {
        count,
        isBytes,
        names,
        isAllBut: last?.[1].startsWith('-') ?? false,
        left: 0,
        held: new Uint8Array(0),
        isFirst: true,
      };
      return { files: options.words, state };
    });
  },
  fileStart(sys, state, file, _, count) {
    state.left = state.count;
    state.held = new Uint8Array(0);
    if (state.names === 'always' || (state.names === 'several' && count > 1))
      sys.print(`${state.isFirst ? '' : '\n'}==> ${file === '-' ? 'standard input' : file} <==\n`);
    state.isFirst = false;
  },
  bytes(sys, state, bytes) {
    if (state.isAllBut) {
      const all = new Uint8Array(state.held.length + bytes.length);
      all.set(state.held);
      all.set(bytes, state.held.length);
      const end = state.isBytes ? Math.max(0, all.length - state.count) : beforeLastLines(all, state.count);
      sys.print(all.subarray(0, end));
      state.held = all.slice(end);
      return false;
    }
    let end = 0;
    if (state.isBytes) {
      end = Math.min(bytes.length, state.left);
      state.left -= end;
    } else {
      while (state.left > 0 && end < bytes.length) {
        const newline = bytes.indexOf(10, end);
        end = newline < 0 ? bytes.length : newline + 1;
        if (newline >= 0) state.left--;
      }
    }
    if (end > 0) sys.print(bytes.subarray(0, end));
    return state.left === 0;
  },
});

/** Where the last `count` lines begin; a last line without its end counts as one. */
function beforeLastLines(bytes: Uint8Array, count: number): number {
  if (count === 0) return bytes.length;
  let found = 0;
  for (let i = bytes.length - 2; i >= 0; i--) if (bytes[i] === 10 && ++found === count) return i + 1;
  return 0;
}
