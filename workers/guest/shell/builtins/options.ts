/** set, shopt, history, complete. */
import { complain, out, type Shell } from '../state';
import { lookup, quotedIfNeeded } from '../variables';
import { type Builtin, flags } from './call';

/** Long names of `set -o`, and the letters of those that have one. */
const LONG: Readonly<Record<string, string>> = {
  allexport: 'a',
  errexit: 'e',
  noexec: 'n',
  noglob: 'f',
  nounset: 'u',
  verbose: 'v',
  xtrace: 'x',
  noclobber: 'C',
  monitor: 'm',
  notify: 'b',
  hashall: 'h',
  pipefail: 'pipefail',
  emacs: 'emacs',
  vi: 'vi',
  ignoreeof: 'ignoreeof',
  posix: 'posix',
  braceexpand: 'B',
  errtrace: 'E',
  functrace: 'T',
  physical: 'P',
  histexpand: 'H',
  keyword: 'k',
  history: 'history',
};
const LETTERS = new Set(Object.values(LONG).filter((l) => l.length === 1));

/** Turns one option on or off; false when there is no such option. */
export function setOption(sh: Shell, option: string, on: boolean): boolean {
  const key = option.length === 1 ? (LETTERS.has(option) ? option : undefined) : LONG[option];
  if (!key) return false;
  sh.st.opts[key] = on;
  return true;
}

const set: Builtin = ({ sh, argv }) => {
  const { st } = sh;
  if (argv.length === 1) {
    for (const name of Object.keys(st.vars).sort()) {
      const value = lookup(st, name)?.v;
      if (typeof value === 'string') out(sh, `${name}=${value === '' ? '' : quotedIfNeeded(value)}\n`);
      else if (value)
        out(
          sh,
          `${name}=(${Object.entries(value)
            .map(([k, v]) => `[${k}]="${v}"`)
            .join(' ')})\n`,
        );
    }
    return 0;
  }
  let i = 1;
  for (; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--') {
      st.args = argv.slice(i + 1);
      return 0;
    }
    if (arg === '-') {
      st.opts['x'] = st.opts['v'] = false;
      st.args = argv.slice(i + 1);
      return 0;
    }
    if (!/^[-+]./.test(arg)) break;
    const on = arg.startsWith('-');
    for (const letter of arg.slice(1)) {
      if (letter === 'o') {
        const name = argv[++i];
        if (name === undefined) showOptions(sh);
        else if (!setOption(sh, name, on)) {
          complain(sh, `set: ${name}: invalid option name`);
          return 2;
        }
      } else if (!setOption(sh, letter, on)) {
        complain(sh, `set: ${arg[0]}${letter}: invalid option`);
        out(sh, 'set: usage: set [--abefhkmnptuvxBCEHPT] [-o option] [arg ...]\n', 2);
        return 2;
      }
    }
  }
  if (i < argv.length) st.args = argv.slice(i);
  return 0;
};

function showOptions(sh: Shell): void {
  for (const name of Object.keys(LONG).sort())
    out(sh, `${name.padEnd(15)}\t${sh.st.opts[LONG[name]!] ? 'on' : 'off'}\n`);
}

const SHOPTS = new Set([
  'nullglob',
  'extglob',
  'dotglob',
  'expand_aliases',
  'checkwinsize',
  'histappend',
  'cmdhist',
  'nocasematch',
  'nocaseglob',
  'globstar',
  'xpg_echo',
  'login_shell',
  'cdspell',
  'failglob',
  'sourcepath',
  'hostcomplete',
]);

const shopt: Builtin = ({ sh, argv }) => {
  const { on, rest } = flags(argv.slice(1), 'suqpo');
  let status = 0;
  for (const name of rest) {
    if (!SHOPTS.has(name)) {
      complain(sh, `shopt: ${name}: invalid shell option name`);
      status = 1;
    } else if (on.has('s') || on.has('u')) sh.st.opts[name] = on.has('s');
    else {
      if (!on.has('q')) out(sh, `${name.padEnd(15)}\t${sh.st.opts[name] ? 'on' : 'off'}\n`);
      if (!sh.st.opts[name]) status = 1;
    }
  }
  return status;
};

const history: Builtin = ({ sh, argv }) => {
  const { st } = sh;
  if (argv[1] === '-c') {
    st.history = [];
    st.historyLoaded = 0;
    return 0;
  }
  const count = argv[1] === undefined ? st.history.length : Number(argv[1]);
  if (!Number.isInteger(count) || count < 0) {
    complain(sh, `history: ${argv[1]}: numeric argument required`);
    return 1;
  }
  const from = Math.max(0, st.history.length - count);
  for (const [i, line] of st.history.slice(from).entries()) out(sh, `${String(from + i + 1).padStart(5)}  ${line}\n`);
  return 0;
};

/** `complete -W "words" name`, `complete -C command name`, `complete -p`, `complete -r name`. */
const complete: Builtin = ({ sh, argv }) => {
  const { completions } = sh.st;
  let words: string | undefined;
  let command: string | undefined;
  let remove = false;
  let i = 1;
  for (; i < argv.length && argv[i]!.startsWith('-'); i++) {
    if (argv[i] === '-W') words = argv[++i] ?? '';
    else if (argv[i] === '-C') command = argv[++i] ?? '';
    else if (argv[i] === '-r') remove = true;
    else if (argv[i] === '-o') i++;
    else if (argv[i] !== '-p') {
      complain(sh, `complete: ${argv[i]}: invalid option`);
      return 2;
    }
  }
  const names = argv.slice(i);
  if (remove) {
    for (const name of names.length > 0 ? names : Object.keys(completions)) delete completions[name];
    return 0;
  }
  if (words === undefined && command === undefined) {
    for (const [name, c] of Object.entries(completions))
      out(
        sh,
        `complete ${c.words === undefined ? `-C ${quotedIfNeeded(c.command ?? '')}` : `-W ${quotedIfNeeded(c.words)}`} ${name}\n`,
      );
    return 0;
  }
  for (const name of names)
    completions[name] = { ...(words === undefined ? {} : { words }), ...(command === undefined ? {} : { command }) };
  return 0;
};

export const options = { set, shopt, history, complete } satisfies Record<string, Builtin>;
