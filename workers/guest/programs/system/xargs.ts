/** xargs: turns its input into the arguments of commands (findutils 4.2). */
import { again, exit, type Program, type Step, type Sys, wait } from '../../sys';
import { childStatus, launch } from '../children';
import { optionsOf, type ToolSpec } from '../options';

const SPEC: ToolSpec = {
  usage: '[OPTION]... COMMAND [INITIAL-ARGS]...',
  options: '0n:I:i::rtL:l::d:s:P:xpE:e::',
  long: {
    null: '0',
    'max-args': 'n',
    replace: 'i',
    'no-run-if-empty': 'r',
    verbose: 't',
    'max-lines': 'l',
    delimiter: 'd',
    'max-procs': 'P',
  },
  stopAtWord: true,
};

interface XargsState {
  status: number;
  readonly command: readonly string[];
  readonly max: number;
  readonly replace: string;
  readonly byLine: boolean;
  readonly delimiter: string;
  readonly skipEmpty: boolean;
  readonly trace: boolean;
  input: string;
  isEnd: boolean;
  /** Arguments that wait to be used; null until the input was split. */
  items: string[] | null;
  hasRun: boolean;
  child: number;
  result: number;
}

const decoder = new TextDecoder('latin1');
const encoder = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

export const xargs: Program<XargsState> = {
  name: 'xargs',
  start(sys) {
    const options = optionsOf(sys, 'xargs', SPEC);
    const given = typeof options === 'number' ? undefined : options;
    const replace = given?.value('I') ?? (given?.has('i') ? given.value('i') || '{}' : '');
    const lines = given?.value('L') ?? (given?.has('l') ? given.value('l') || '1' : undefined);
    return {
      status: typeof options === 'number' ? options : -1,
      command: given && given.words.length > 0 ? given.words : ['/bin/echo'],
      max: replace !== '' ? 1 : Number(given?.value('n') ?? lines ?? 1000),
      replace,
      byLine: replace !== '' || lines !== undefined,
      delimiter: given?.has('0') ? '\0' : (given?.value('d')?.replace('\\n', '\n').replace('\\0', '\0') ?? ''),
      skipEmpty: given?.has('r') ?? false,
      trace: given?.has('t') ?? false,
      input: '',
      isEnd: false,
      items: null,
      hasRun: false,
      child: 0,
      result: 0,
    };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (state.child > 0) {
      const status = childStatus(sys, state.child);
      if (status === undefined) return wait({ child: true });
      state.child = 0;
      if (status === 255) {
        sys.eprint(`xargs: ${state.command[0]}: exited with status 255; aborting\n`);
        return exit(124);
      }
      if (status !== 0) state.result = status > 128 ? 125 : 123;
      if (status > 128) return exit(125);
    }
    if (!state.isEnd) return readAll(sys, state);
    state.items ??= split(sys, state);
    if (state.items.length === 0 && (state.hasRun || state.skipEmpty || state.replace !== ''))
      return exit(state.result);
    return run(sys, state, state.items);
  },
};

function readAll(sys: Sys, state: XargsState): Step {
  const bytes = sys.read(0);
  if (bytes === undefined) return wait({ readable: 0 });
  if (bytes.length === 0) state.isEnd = true;
  else state.input += decoder.decode(bytes);
  return again();
}

function run(sys: Sys, state: XargsState, items: string[]): Step {
  const taken = items.splice(0, state.max);
  const argv =
    state.replace === ''
      ? [...state.command, ...taken]
      : state.command.map((word) => word.replaceAll(state.replace, taken[0] ?? ''));
  state.hasRun = true;
  if (state.trace) sys.eprint(`${argv.join(' ')}\n`);
  const nul = sys.open('/dev/null', { read: true });
  const pid = launch(sys, 'xargs', argv, { fds: { 0: nul, 1: 1, 2: 2 } });
  sys.close(nul);
  if (pid < 0) return exit(-pid);
  state.child = pid;
  return wait({ child: true });
}

/** The input was read byte by byte; the arguments are UTF-8. */
function split(sys: Sys, state: XargsState): string[] {
  const text = new TextDecoder().decode(encoder(state.input));
  state.input = '';
  if (state.delimiter !== '') {
    const parts = text.split(state.delimiter);
    if (parts.at(-1) === '') parts.pop();
    return parts;
  }
  if (state.byLine)
    return text
      .split('\n')
      .map((line) => line.replace(/^[ \t]+/, ''))
      .filter((line) => line !== '');
  const items: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== '') {
      if (c === quote) quote = '';
      else if (c === '\n') break;
      else word = (word ?? '') + c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= '';
    } else if (c === '\\' && i + 1 < text.length) word = (word ?? '') + text[++i];
    else if (/\s/.test(c)) {
      if (word !== undefined) items.push(word);
      word = undefined;
    } else word = (word ?? '') + c;
  }
  if (quote !== '') {
    sys.eprint(
      `xargs: unmatched ${quote === '"' ? 'double' : 'single'} quote; by default quotes are special to xargs unless you use the -0 option\n`,
    );
    state.result = 1;
    return items;
  }
  if (word !== undefined) items.push(word);
  return items;
}
