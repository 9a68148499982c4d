/** The shell (sh, bash): one program for scripts, `-c` commands, standard input and the terminal. */
import { strerror } from '../../lib/errno';
import { type Program, type Sys, SysError } from '../sys';
import { setOption } from './builtins/options';
import { beginExit, pushText } from './flow';
import { startInteractive } from './interactive';
import { caught, step } from './run';
import { complain, initialState, type Shell, type ShellState } from './state';
import { isName } from './variables';

/** What is started when /bin/sh, /bin/bash or a login shell (`-bash`) is run. */
export const shell: Program<ShellState> = shellWith();

/** The shell with another limit on how many frames one step advances: tests look at it between any two of them. */
export function shellWith(budget?: number): Program<ShellState> {
  return {
    name: 'sh',
    start: (sys) => start(sys),
    step: (sys, st) => step({ sys, st }, budget),
    signal: (_sys, st, signal) => caught(st, signal),
  };
}

interface Arguments {
  command: string | undefined;
  options: [option: string, on: boolean][];
  login: boolean;
  interactive: boolean;
  stdin: boolean;
  noProfile: boolean;
  noRc: boolean;
  rest: string[];
  wrong: string | undefined;
}

function parseArguments(argv: readonly string[]): Arguments {
  const a: Arguments = {
    command: undefined,
    options: [],
    login: argv[0]?.startsWith('-') ?? false,
    interactive: false,
    stdin: false,
    noProfile: false,
    noRc: false,
    rest: [],
    wrong: undefined,
  };
  let i = 1;
  let wantsCommand = false;
  for (; i < argv.length && /^[-+]./.test(argv[i]!); i++) {
    const arg = argv[i]!;
    if (arg === '--') {
      i++;
      break;
    }
    if (arg.startsWith('--')) {
      if (arg === '--login') a.login = true;
      else if (arg === '--noprofile') a.noProfile = true;
      else if (arg === '--norc') a.noRc = true;
      else if (arg !== '--posix') a.wrong = arg;
      continue;
    }
    for (const letter of arg.slice(1)) {
      if (letter === 'c') wantsCommand = true;
      else if (letter === 'l') a.login = true;
      else if (letter === 'i') a.interactive = true;
      else if (letter === 's') a.stdin = true;
      else if (letter === 'o') a.options.push([argv[++i] ?? '', arg.startsWith('-')]);
      else a.options.push([letter, arg.startsWith('-')]);
    }
  }
  a.rest = argv.slice(i);
  if (wantsCommand) a.command = a.rest.shift();
  if (wantsCommand && a.command === undefined) a.wrong = '-c: option requires an argument';
  return a;
}

function start(sys: Sys): ShellState {
  const st = initialState();
  const sh: Shell = { sys, st };
  const a = parseArguments(sys.argv);
  st.name = sys.argv[0] ?? 'sh';
  st.pid = sys.pid;
  st.pgid = sys.pgid;
  st.startNs = sys.nowNs;
  st.login = a.login;
  importEnvironment(sh);
  if (a.wrong !== undefined) {
    complain(sh, a.wrong.startsWith('-c') ? a.wrong : `${a.wrong}: invalid option`);
    st.exiting = 2;
    return st;
  }
  for (const [option, on] of a.options) {
    if (setOption(sh, option, on)) continue;
    complain(sh, `${option.length === 1 ? `-${option}` : option}: invalid option`);
    st.exiting = 2;
    return st;
  }
  const fromTerminal = a.command === undefined && (a.rest.length === 0 || a.stdin);
  if (a.command !== undefined) {
    if (a.rest.length > 0) st.name = a.rest[0]!;
    st.args = a.rest.slice(1);
    pushText(sh, a.command, { tail: true, from: '-c' });
  } else if (fromTerminal) {
    st.args = a.rest;
    if (a.interactive || (sys.isatty(0) && sys.isatty(2))) st.interactive = true;
    else st.input = { k: 'stdin', text: '', eof: false };
  } else runFile(sh, a.rest);
  startInteractive(sh, { profile: a.login && !a.noProfile, rc: !a.noRc });
  return st;
}

function runFile(sh: Shell, rest: readonly string[]): void {
  const { st, sys } = sh;
  const [file, ...args] = rest;
  st.args = args;
  let text: string;
  try {
    text = sys.readText(file!);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const why = error.code === 'EISDIR' ? 'Is a directory' : strerror[error.code];
    st.out.push({ fd: 2, text: `${st.name}: ${file}: ${why}\n` });
    beginExit(sh, error.code === 'ENOENT' ? 127 : 126);
    return;
  }
  st.name = file!;
  if (text.includes('\0')) {
    st.out.push({ fd: 2, text: `${st.name}: ${file}: cannot execute binary file\n` });
    beginExit(sh, 126);
    return;
  }
  pushText(sh, text);
}

function importEnvironment(sh: Shell): void {
  const { st, sys } = sh;
  for (const [name, value] of Object.entries(sys.env)) if (isName(name)) st.vars[name] = { v: value, exported: true };
  const preset = (name: string, value: string, more: { readonly?: boolean; integer?: boolean } = {}) => {
    st.vars[name] = { v: value, ...more };
  };
  const defaultTo = (name: string, value: string) => {
    if (!Object.hasOwn(st.vars, name)) preset(name, value);
  };
  preset('IFS', ' \t\n');
  preset('OPTIND', '1');
  preset('UID', String(sys.uid), { readonly: true, integer: true });
  preset('EUID', String(sys.uid), { readonly: true, integer: true });
  preset('HOSTNAME', sys.uname().nodename);
  preset('BASH', '/bin/bash');
  preset('BASH_VERSION', '3.2.25(1)-release');
  preset('HOSTTYPE', 'i686');
  preset('MACHTYPE', 'i686-redhat-linux-gnu');
  preset('OSTYPE', 'linux-gnu');
  preset('PS4', '+ ');
  defaultTo('PATH', '/sbin:/usr/sbin:/bin:/usr/bin');
  const inherited = sys.env['PWD'];
  st.vars['PWD'] = {
    v: inherited !== undefined && sameDirectory(sys, inherited) ? inherited : sys.cwd,
    exported: true,
  };
  const level = Number(sys.env['SHLVL'] ?? '0');
  st.vars['SHLVL'] = { v: String((Number.isFinite(level) ? level : 0) + 1), exported: true };
}

function sameDirectory(sys: Sys, path: string): boolean {
  try {
    return path.startsWith('/') && sys.realpath(path) === sys.realpath(sys.cwd);
  } catch {
    return false; // PWD names something that is gone
  }
}
