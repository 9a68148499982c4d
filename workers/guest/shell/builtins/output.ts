/** echo, printf, test, true, false. */

import { testArguments } from '../condition';
import { complain, out, type Shell } from '../state';
import { ShellError, setVar } from '../variables';
import type { Builtin } from './call';
import { format } from './format';

const echo: Builtin = ({ sh, argv }) => {
  let newline = true;
  let escapes = sh.st.opts['xpg_echo'] === true;
  let i = 1;
  for (; i < argv.length && /^-[neE]+$/.test(argv[i]!); i++) {
    for (const c of argv[i]!.slice(1)) {
      if (c === 'n') newline = false;
      else escapes = c === 'e';
    }
  }
  const text = argv.slice(i).join(' ');
  if (!escapes) return print(sh, text + (newline ? '\n' : ''));
  const { text: done, stopped } = unescapeText(text);
  return print(sh, done + (newline && !stopped ? '\n' : ''));
};

function print(sh: Shell, text: string): number {
  if (sh.st.fds[1] === undefined) {
    complain(sh, 'echo: write error: Bad file descriptor');
    return 1;
  }
  out(sh, text);
  return 0;
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** Backslash escapes as `echo -e` and printf's `%b` know them; `\c` ends the output. */
export function unescapeText(text: string): { text: string; stopped: boolean } {
  let stopped = false;
  const re = /\\(?:0([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|(c)|(.))/gsu;
  const cut = /^((?:[^\\]|\\[^c])*)\\c/s.exec(text);
  if (cut) stopped = true;
  const done = (cut ? cut[1]! : text).replace(re, (whole, octal, hex, u, long, _c, other: string | undefined) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const code = hex ?? u ?? long;
    if (code !== undefined) return String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10ffff));
    if (other === '0') return '\0';
    return (other !== undefined && SIMPLE[other]) || whole;
  });
  return { text: done, stopped };
}

const printf: Builtin = ({ sh, argv }) => {
  let args = argv.slice(1);
  let variable: string | undefined;
  if (args[0] === '-v' && args.length > 1) {
    variable = args[1];
    args = args.slice(2);
  }
  if (args[0] === '--') args = args.slice(1);
  if (args.length === 0) {
    complain(sh, 'printf: usage: printf [-v var] format [arguments]');
    return 2;
  }
  const result = format(args[0]!, args.slice(1), (message) => complain(sh, `printf: ${message}`));
  if (variable !== undefined) setVar(sh, variable, result.text);
  else out(sh, result.text);
  return result.failed ? 1 : 0;
};

const test: Builtin = ({ sh, argv }) => {
  let args = argv.slice(1);
  if (argv[0] === '[') {
    if (args[args.length - 1] !== ']') {
      complain(sh, "[: missing `]'");
      return 2;
    }
    args = args.slice(0, -1);
  }
  try {
    return testArguments(sh, args) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    complain(sh, `${argv[0]}: ${error.message}`);
    return 2;
  }
};

export const output = {
  echo,
  printf,
  test,
  '[': test,
  ':': () => 0,
  true: () => 0,
  false: () => 1,
} satisfies Record<string, Builtin>;
