/** Small text tools: echo, printf, yes, tee, fold, strings, true, false, test. */
import { strerror } from '../../../lib/errno';
import { format } from '../../shell/builtins/format';
import { unescapeText } from '../../shell/builtins/output';
import { testArguments } from '../../shell/condition';
import type { Shell } from '../../shell/state';
import { ShellError } from '../../shell/variables';
import { again, type Program, SysError } from '../../sys';
import { command, filter } from '../adapters';
import { guarded, optionsOf, ToolError } from '../options';

export const isTrue = command('true', () => 0);
export const isFalse = command('false', () => 1);

export const echo = command('echo', (sys, args) => {
  let at = 0;
  let [newline, escapes] = [true, false];
  for (; at < args.length && /^-[neE]+$/.test(args[at]!); at++)
    for (const letter of args[at]!.slice(1)) {
      if (letter === 'n') newline = false;
      else escapes = letter === 'e';
    }
  const text = args.slice(at).join(' ');
  const { text: shown, stopped } = escapes ? unescapeText(text) : { text, stopped: false };
  sys.print(shown + (newline && !stopped ? '\n' : ''));
});

export const printf = command('printf', (sys, args) => {
  const words = args[0] === '--' ? args.slice(1) : args;
  if (words.length === 0) {
    sys.eprint("printf: missing operand\nTry `printf --help' for more information.\n");
    return 1;
  }
  const result = format(words[0]!, words.slice(1), (message) => sys.eprint(`printf: ${message}\n`));
  sys.print(result.text);
  return result.failed ? 1 : 0;
});

export const yes: Program<null> = {
  name: 'yes',
  start: () => null,
  step(sys) {
    const line = `${sys.argv.slice(1).join(' ') || 'y'}\n`;
    sys.print(line.repeat(Math.max(1, Math.floor(4096 / line.length))));
    return again();
  },
};

interface TeeState {
  readonly fds: readonly { fd: number; file: string }[];
  failed: boolean;
}

export const tee = filter<TeeState>('tee', {
  parse(sys, args) {
    const options = optionsOf(
      sys,
      'tee',
      { usage: '[OPTION]... [FILE]...', options: 'ai', long: { append: 'a', 'ignore-interrupts': 'i' } },
      [...args],
    );
    if (typeof options === 'number') return options;
    if (options.has('i')) sys.ignoreSignal('INT', true);
    let failed = false;
    const fds = options.words.flatMap((file) => {
      try {
        return [
          {
            fd: sys.open(file, { write: true, create: true, append: options.has('a'), truncate: !options.has('a') }),
            file,
          },
        ];
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        sys.eprint(`tee: ${file}: ${strerror[error.code]}\n`);
        failed = true;
        return [];
      }
    });
    return { files: [], state: { fds, failed } };
  },
  bytes(sys, state, bytes) {
    sys.print(bytes);
    for (const { fd, file } of state.fds) {
      try {
        for (let at = 0; at < bytes.length; ) {
          const taken = sys.write(fd, bytes.subarray(at));
          if (taken === 0) break; // a pipe or terminal that is full: the rest is lost to it
          at += taken;
        }
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        sys.eprint(`tee: ${file}: ${strerror[error.code]}\n`);
        state.failed = true;
      }
    }
  },
  end: (_, state) => (state.failed ? 1 : 0),
});

export const fold = filter<{ readonly width: number; readonly atSpaces: boolean }>('fold', {
  parse(sys, args) {
    const given = args.map((arg) => (/^-\d+$/.test(arg) ? `-w${arg.slice(1)}` : arg));
    const options = optionsOf(
      sys,
      'fold',
      { usage: '[OPTION]... [FILE]...', options: 'w:sb', long: { width: 'w', spaces: 's' } },
      given,
    );
    if (typeof options === 'number') return options;
    return guarded(sys, 'fold', {}, () => {
      const width = Number(options.value('w') ?? 80);
      if (!(width > 0)) throw new ToolError(`invalid number of columns: \`${options.value('w')}'`);
      return { files: options.words, state: { width, atSpaces: options.has('s') } };
    });
  },
  line(sys, { width, atSpaces }, line) {
    let rest = line;
    while (rest.length > width) {
      const space = atSpaces ? rest.lastIndexOf(' ', width - 1) : -1;
      const cut = space >= 0 ? space + 1 : width;
      sys.print(`${rest.slice(0, cut)}\n`);
      rest = rest.slice(cut);
    }
    sys.print(`${rest}\n`);
  },
});

export const strings = filter<{ readonly least: number; run: string }>('strings', {
  parse(sys, args) {
    const given = args.map((arg) => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg));
    const options = optionsOf(sys, 'strings', { usage: '[option(s)] [file(s)]', options: 'an:' }, given);
    return typeof options === 'number'
      ? options
      : { files: options.words, state: { least: Number(options.value('n') ?? 4), run: '' } };
  },
  bytes(sys, state, bytes) {
    for (const byte of bytes) {
      if ((byte >= 32 && byte < 127) || byte === 9) state.run += String.fromCharCode(byte);
      else {
        if (state.run.length >= state.least) sys.print(`${state.run}\n`);
        state.run = '';
      }
    }
  },
  fileEnd(sys, state) {
    if (state.run.length >= state.least) sys.print(`${state.run}\n`);
    state.run = '';
  },
});

const tester = (name: 'test' | '[') =>
  command(name, (sys, args) => {
    if (name === '[' && args.at(-1) !== ']') {
      sys.eprint("[: missing `]'\n");
      return 2;
    }
    // Of a shell the conditions ask for files and descriptors only.
    const shell = { sys, st: { fds: { 0: 0, 1: 1, 2: 2 }, opts: {} } } as unknown as Shell;
    try {
      return testArguments(shell, name === '[' ? args.slice(0, -1) : args) ? 0 : 1;
    } catch (error) {
      if (!(error instanceof ShellError)) throw error;
      sys.eprint(`${name}: ${error.message}\n`);
      return 2;
    }
  });

export const test = tester('test');
export const bracket = tester('[');
