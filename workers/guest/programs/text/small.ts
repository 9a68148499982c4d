/** Small text tools: echo, printf, yes, seq, tee, uniq, fold, strings, true, false, expr, test. */

import { strerror } from '../../../lib/errno';
import { format } from '../../shell/builtins/format';
import { unescapeText } from '../../shell/builtins/output';
import { testArguments } from '../../shell/condition';
import type { Shell } from '../../shell/state';
import { ShellError } from '../../shell/variables';
import { again, type Program, type Sys, SysError } from '../../sys';
import { command, filter } from '../adapters';
import { guarded, optionsOf, ToolError, type ToolSpec, UsageError } from '../options';
import { posixRegex } from './regex';

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

interface SeqState {
  readonly from: number;
  readonly step: number;
  readonly count: number;
  readonly digits: number;
  readonly width: number;
  readonly separator: string;
  readonly template: string;
  at: number;
  readonly status: number;
}

const SEQ: ToolSpec = {
  usage: '[OPTION]... [FIRST [INCREMENT]] LAST',
  options: 'f:s:w',
  long: { format: 'f', separator: 's', 'equal-width': 'w' },
  stopAtWord: true,
};

export const seq: Program<SeqState> = {
  name: 'seq',
  start(sys) {
    const none = (status: number): SeqState => ({
      from: 0,
      step: 1,
      count: 0,
      digits: 0,
      width: 0,
      separator: '\n',
      template: '',
      at: 0,
      status,
    });
    // Negative numbers are not options.
    const args = sys.argv.slice(1);
    const firstNumber = args.findIndex((arg) => /^-\.?\d/.test(arg));
    const options = optionsOf(
      sys,
      'seq',
      SEQ,
      firstNumber < 0 ? args : [...args.slice(0, firstNumber), '--', ...args.slice(firstNumber)],
    );
    if (typeof options === 'number') return none(options);
    const made = guarded(sys, 'seq', SEQ, (): SeqState => {
      const words = options.words.filter((word) => word !== '--');
      if (words.length === 0) throw new UsageError('missing operand');
      if (words.length > 3) throw new UsageError(`extra operand \`${words[3]}'`);
      const wrong = words.find((word) => !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word));
      if (wrong !== undefined) throw new UsageError(`invalid floating point argument: ${wrong}`);
      const [first, increment, last] =
        words.length === 1
          ? ['1', '1', words[0]!]
          : words.length === 2
            ? [words[0]!, '1', words[1]!]
            : [words[0]!, words[1]!, words[2]!];
      const step = Number(increment);
      if (step === 0) throw new UsageError(`invalid Zero increment value: \`${increment}'`);
      const digits = Math.max(...[first, increment].map((word) => word.split('.')[1]?.length ?? 0));
      const count = Math.max(0, Math.floor((Number(last) - Number(first)) / step + 1e-10) + 1);
      const widest = Math.max(
        Number(first).toFixed(digits).length,
        (Number(first) + step * (count - 1)).toFixed(digits).length,
      );
      return {
        from: Number(first),
        step,
        count,
        digits,
        width: options.has('w') ? widest : 0,
        separator: options.value('s') ?? '\n',
        template: options.value('f') ?? '',
        at: 0,
        status: -1,
      };
    });
    return typeof made === 'number' ? none(made) : made;
  },
  step(sys, state) {
    if (state.status >= 0) return { do: 'exit', status: state.status };
    let text = '';
    const end = Math.min(state.count, state.at + 1000);
    for (; state.at < end; state.at++) {
      const number = (state.from + state.at * state.step).toFixed(state.digits);
      const padded = number.startsWith('-')
        ? `-${number.slice(1).padStart(state.width - 1, '0')}`
        : number.padStart(state.width, '0');
      const shown = state.template === '' ? padded : format(state.template, [number], () => undefined).text;
      text += shown + (state.at === state.count - 1 ? '\n' : state.separator);
    }
    sys.print(text);
    return state.at < state.count ? again() : { do: 'exit', status: 0 };
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

export const expr = command('expr', (sys, args) => {
  if (args.length === 0) {
    sys.eprint("expr: missing operand\nTry `expr --help' for more information.\n");
    return 2;
  }
  try {
    const value = new ExprParser(args).parse();
    sys.print(`${value}\n`);
    return value === '' || /^-?0+$/.test(value) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    sys.eprint(`expr: ${error.message}\n`);
    return error.status;
  }
});

const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['&'],
  ['<', '<=', '=', '==', '!=', '>=', '>'],
  ['+', '-'],
  ['*', '/', '%'],
  [':'],
];

class ExprParser {
  #at = 0;
  constructor(private readonly words: readonly string[]) {}

  parse(): string {
    const value = this.#level(0);
    if (this.#at < this.words.length) throw new ToolError('syntax error', 2);
    return value;
  }

  #level(level: number): string {
    const operators = LEVELS[level];
    if (!operators) return this.#primary();
    let left = this.#level(level + 1);
    while (operators.includes(this.words[this.#at] ?? '')) {
      const operator = this.words[this.#at++]!;
      left = this.#apply(operator, left, this.#level(level + 1));
    }
    return left;
  }

  #primary(): string {
    const word = this.words[this.#at++];
    if (word === undefined) throw new ToolError('syntax error', 2);
    if (word === '(') {
      const value = this.#level(0);
      if (this.words[this.#at++] !== ')') throw new ToolError('syntax error', 2);
      return value;
    }
    if (this.#at < this.words.length) {
      if (word === 'length') return String([...this.#primary()].length);
      if (word === 'match') return match(this.#primary(), this.#primary());
      if (word === 'index') {
        const text = this.#primary();
        const set = this.#primary();
        return String([...text].findIndex((c) => set.includes(c)) + 1);
      }
      if (word === 'substr') {
        const [text, from, length] = [this.#primary(), Number(this.#primary()), Number(this.#primary())];
        return from < 1 || length < 1 ? '' : text.slice(from - 1, from - 1 + length);
      }
    }
    return word;
  }

  #apply(operator: string, a: string, b: string): string {
    const isZero = (text: string) => text === '' || text === '0';
    switch (operator) {
      case '|':
        return isZero(a) ? (b === '' ? '0' : b) : a;
      case '&':
        return isZero(a) || isZero(b) ? '0' : a;
      case ':':
        return match(a, b);
    }
    const isNumber = /^-?\d+$/;
    const numeric = isNumber.test(a) && isNumber.test(b);
    if (LEVELS[2]!.includes(operator)) {
      const order = numeric ? (BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0) : a < b ? -1 : a > b ? 1 : 0;
      const holds = {
        '<': order < 0,
        '<=': order <= 0,
        '=': order === 0,
        '==': order === 0,
        '!=': order !== 0,
        '>=': order >= 0,
        '>': order > 0,
      }[operator];
      return holds ? '1' : '0';
    }
    if (!numeric) throw new ToolError('non-numeric argument', 2);
    const [x, y] = [BigInt(a), BigInt(b)];
    if ((operator === '/' || operator === '%') && y === 0n) throw new ToolError('division by zero', 2);
    return String(
      operator === '+' ? x + y : operator === '-' ? x - y : operator === '*' ? x * y : operator === '/' ? x / y : x % y,
    );
  }
}

/** Anchored at the start; the first group, or the number of characters. */
function match(text: string, pattern: string): string {
  const found = posixRegex(`^${pattern.replace(/^\^/, '')}`).exec(text);
  const hasGroup = /\\\(/.test(pattern);
  return hasGroup ? (found?.[1] ?? '') : String(found?.[0].length ?? 0);
}
