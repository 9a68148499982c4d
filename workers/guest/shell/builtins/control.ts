/** Builtins that steer execution: break, return, exit, eval, source, exec, trap, command, let, shift … */
import { strerror } from '../../../lib/errno';
import { parseSignal, signalList } from '../../signals';
import { SysError } from '../../sys';
import { evaluate } from '../arith';
import { beginExit, leaveFunction, leaveLoops, pushText } from '../flow';
import { jobState } from '../jobs';
import { findCommand, replaceProcess, spawnFile } from '../launch';
import { foreground, groupOf } from '../pipeline';
import { callBuiltin } from '../simple';
import { complain, out, type Shell, scriptOf } from '../state';
import { environment, quoted } from '../variables';
import { type Builtin, flags } from './call';
import { isBuiltin } from './names';

function numeric(sh: Shell, argv: readonly string[], otherwise: number): number | undefined {
  const text = argv[1];
  if (text === undefined) return otherwise;
  if (/^[-+]?\d+$/.test(text)) return Number(text);
  complain(sh, `${argv[0]}: ${text}: numeric argument required`);
  return undefined;
}

const loopControl: Builtin = ({ sh, argv }) => {
  const count = numeric(sh, argv, 1);
  if (count === undefined) return 128;
  if (count < 1) {
    complain(sh, `${argv[0]}: ${count}: loop count out of range`);
    return 1;
  }
  if (leaveLoops(sh, count, argv[0] === 'continue')) return undefined;
  complain(sh, `${argv[0]}: only meaningful in a \`for', \`while', or \`until' loop`);
  return 0;
};

const return_: Builtin = ({ sh, argv }) => {
  const status = numeric(sh, argv, sh.st.status) ?? 2;
  if (leaveFunction(sh, status)) return undefined;
  complain(sh, "return: can only `return' from a function or sourced script");
  return 2;
};

const exit: Builtin = ({ sh, argv }) => {
  const { st } = sh;
  if (argv[0] === 'logout' && !st.login) {
    complain(sh, "logout: not login shell: use `exit'");
    return 1;
  }
  const trap = st.frames.find((f) => f.k === 'trap');
  const status = numeric(sh, argv, trap?.k === 'trap' && st.exiting !== null ? trap.status : st.status) ?? 2;
  if (st.interactive) {
    out(sh, st.login ? 'logout\n' : 'exit\n', 2);
    if (!st.warned && st.jobs.some((j) => j.num > 0 && jobState(j) === 'stopped')) {
      out(sh, 'There are stopped jobs.\n', 2);
      st.warned = true;
      return 1;
    }
  }
  beginExit(sh, status);
  return undefined;
};

const eval_: Builtin = ({ sh, argv }) => {
  const args = argv[1] === '--' ? argv.slice(2) : argv.slice(1);
  const text = args.join(' ');
  if (text.trim() === '') return 0;
  pushText(sh, text, { from: 'eval' });
  return undefined;
};

const source: Builtin = ({ sh, argv, scope }) => {
  const { st, sys } = sh;
  const name = argv[1];
  if (name === undefined) {
    complain(sh, `${argv[0]}: filename argument required`);
    return 2;
  }
  let path = name;
  if (!name.includes('/')) {
    const dirs = String(environment(st)['PATH'] ?? '').split(':');
    path = dirs.map((d) => `${d || '.'}/${name}`).find((p) => sys.exists(p)) ?? name;
  }
  let text: string;
  try {
    text = sys.readText(path);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    complain(sh, `${name}: ${error.code === 'EISDIR' ? 'is a directory' : strerror[error.code]}`);
    return 1;
  }
  scope.sourced = true;
  if (argv.length > 2) {
    scope.args = st.args;
    st.args = argv.slice(2);
  }
  st.status = 0;
  pushText(sh, text, { from: path.includes('/') ? path : `./${path}` });
  return undefined;
};

const exec: Builtin = ({ sh, argv, scope }) => {
  const { st } = sh;
  let args = argv.slice(1);
  if (args[0] === '--') args = args.slice(1);
  // Redirections of `exec` stay: the scope forgets the table it would bring back.
  delete scope.fds;
  const opened = scope.opened;
  delete scope.opened;
  if (args.length === 0) return 0;
  const step = replaceProcess(sh, args, environment(st), st.fds, true);
  if (step) return step;
  for (const fd of opened ?? []) sh.sys.close(fd);
  if (!st.interactive) beginExit(sh, st.status);
  return st.interactive ? st.status : undefined;
};

const trap: Builtin = ({ sh, argv }) => {
  const { st, sys } = sh;
  let args = argv.slice(1);
  if (args[0] === '-l') {
    out(sh, `${signalList.map(([n, i]) => `${String(i).padStart(2)}) SIG${n}`).join('\n')}\n`);
    return 0;
  }
  if (args[0] === '--') args = args.slice(1);
  if (args.length === 0 || args[0] === '-p') {
    for (const [name, action] of Object.entries(st.traps))
      out(sh, `trap -- ${quoted(action)} ${['EXIT', 'ERR', 'DEBUG', 'RETURN'].includes(name) ? name : `SIG${name}`}\n`);
    return 0;
  }
  const reset = args.length === 1 || args[0] === '-' || /^\d+$/.test(args[0]!);
  const action = reset ? '-' : args[0]!;
  let status = 0;
  for (const spec of reset && args[0] !== '-' ? args : args.slice(1)) {
    const pseudo = spec === '0' ? 'EXIT' : spec.toUpperCase();
    const name = ['EXIT', 'ERR', 'DEBUG', 'RETURN'].includes(pseudo) ? pseudo : parseSignal(spec);
    if (!name) {
      complain(sh, `trap: ${spec}: invalid signal specification`);
      status = 1;
      continue;
    }
    if (action === '-') delete st.traps[name];
    else st.traps[name] = action;
    const signal = parseSignal(name);
    if (signal && signal !== 'KILL' && signal !== 'STOP') sys.ignoreSignal(signal, action === '');
  }
  return status;
};

/** `command [-vV] name` and `builtin name`: functions are passed over. */
const command: Builtin = (call) => {
  const { sh, argv } = call;
  const { on, rest, unknown } = flags(argv.slice(1), 'vVp');
  if (unknown) {
    complain(sh, `command: ${unknown}: invalid option`);
    return 2;
  }
  if (on.has('v') || on.has('V')) {
    let found = 0;
    for (const name of rest) if (!describe(sh, name, on.has('V') ? 'long' : 'short', 'command')) found = 1;
    return rest.length === 0 ? 0 : found;
  }
  const name = rest[0];
  if (name === undefined) return 0;
  if (isBuiltin(name)) return callBuiltin(sh, { ...call, argv: rest });
  if (argv[0] === 'builtin') {
    complain(sh, `builtin: ${name}: not a shell builtin`);
    return 1;
  }
  const started = spawnFile(sh, rest, environment(sh.st), sh.st.fds, groupOf(sh));
  if ('status' in started) return started.status;
  foreground(sh, call.frame, [started.pid], rest.join(' '), sh.st.line);
  return undefined;
};

const KEYWORDS = new Set([
  'if',
  'then',
  'else',
  'elif',
  'fi',
  'case',
  'esac',
  'for',
  'select',
  'while',
  'until',
  'do',
  'done',
  'in',
  'function',
  'time',
  '{',
  '}',
  '!',
  '[[',
  ']]',
]);

type Style = 'short' | 'long' | 'kind' | 'path';

/** One line (or several) about what a name means; false when it means nothing. */
function describe(sh: Shell, name: string, style: Style, complainAs: string): boolean {
  const { st } = sh;
  const say = (kind: string, short: string, long: string) => {
    if (style === 'path') {
      if (kind === 'file') out(sh, `${short}\n`);
    } else out(sh, `${style === 'kind' ? kind : style === 'short' ? short : long}\n`);
    return true;
  };
  const alias = Object.hasOwn(st.aliases, name) ? st.aliases[name] : undefined;
  if (alias !== undefined) return say('alias', `alias ${name}=${quoted(alias)}`, `${name} is aliased to \`${alias}'`);
  if (KEYWORDS.has(name)) return say('keyword', name, `${name} is a shell keyword`);
  if (Object.hasOwn(st.funcs, name)) return say('function', name, `${name} is a function\n${functionText(sh, name)}`);
  if (isBuiltin(name)) return say('builtin', name, `${name} is a shell builtin`);
  const found = findCommand(sh, name);
  if ('path' in found) return say('file', found.path, `${name} is ${found.path}`);
  if (style === 'long') complain(sh, `${complainAs}: ${name}: not found`);
  return false;
}

/** A function as it was written. */
export function functionText(sh: Shell, name: string): string {
  const place = sh.st.funcs[name]!;
  const script = scriptOf(sh.st, place.src);
  const node = script.nodes[place.at]!;
  return `${name} () \n${script.text.slice(node.pos, node.end)}`;
}

const type: Builtin = ({ sh, argv }) => {
  const { on, rest } = flags(argv.slice(1), 'tapfP');
  const style = on.has('t') ? 'kind' : on.has('p') || on.has('P') ? 'path' : 'long';
  let status = 0;
  for (const name of rest) if (!describe(sh, name, style, 'type')) status = 1;
  return status;
};

const let_: Builtin = ({ sh, argv }) => {
  if (argv.length < 2) {
    complain(sh, 'let: expression expected');
    return 1;
  }
  let value = 0n;
  for (const text of argv.slice(1)) value = evaluate(sh, text);
  return value === 0n ? 1 : 0;
};

const shift: Builtin = ({ sh, argv }) => {
  const count = numeric(sh, argv, 1);
  if (count === undefined) return 1;
  if (count < 0) {
    complain(sh, `shift: ${count}: shift count out of range`);
    return 1;
  }
  if (count > sh.st.args.length) return 1;
  sh.st.args = sh.st.args.slice(count);
  return 0;
};

const alias: Builtin = ({ sh, argv }) => {
  const { aliases } = sh.st;
  const show = (name: string) => out(sh, `alias ${name}=${quoted(aliases[name]!)}\n`);
  if (argv.length === 1) Object.keys(aliases).sort().forEach(show);
  let status = 0;
  for (const arg of argv.slice(1)) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (name !== undefined) aliases[name] = value!;
    else if (Object.hasOwn(aliases, arg)) show(arg);
    else {
      complain(sh, `alias: ${arg}: not found`);
      status = 1;
    }
  }
  return status;
};

const unalias: Builtin = ({ sh, argv }) => {
  let status = 0;
  for (const name of argv.slice(1)) {
    if (name === '-a') sh.st.aliases = {};
    else if (Object.hasOwn(sh.st.aliases, name)) delete sh.st.aliases[name];
    else {
      complain(sh, `unalias: ${name}: not found`);
      status = 1;
    }
  }
  return status;
};

export const control = {
  break: loopControl,
  continue: loopControl,
  return: return_,
  exit,
  logout: exit,
  eval: eval_,
  source,
  '.': source,
  exec,
  trap,
  command,
  builtin: command,
  type,
  let: let_,
  shift,
  alias,
  unalias,
  hash: () => 0,
} satisfies Record<string, Builtin>;
