/** su: a shell, or one command, as another user (coreutils 5.97). */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { type Options, optionsOf, type ToolSpec } from '../options';
import { isPasswordRight, type PasswdEntry, passwdEntries, storedPassword } from '../password';
import { baseName } from '../paths';
import { askSecret, newQuestion, type SecretQuestion, setEcho } from './secret';

const SPEC: ToolSpec = {
  usage: '[OPTION]... [-] [USER [ARG]...]',
  options: 'c:flmps:',
  long: { command: 'c', fast: 'f', login: 'l', 'preserve-environment': 'm', shell: 's' },
};
/** What a password that is wrong costs. */
const REFUSAL_NS = 2_000_000_000;

interface SuState {
  readonly question: SecretQuestion;
  refusedUntilNs: number;
}

export const su: Program<SuState> = {
  name: 'su',
  start: () => ({ question: newQuestion(), refusedUntilNs: 0 }),
  step(sys, state) {
    if (state.refusedUntilNs > 0) {
      if (sys.nowNs < state.refusedUntilNs) return wait({ untilNs: state.refusedUntilNs });
      sys.eprint('su: incorrect password\n');
      return exit(1);
    }
    const options = optionsOf(sys, 'su', SPEC);
    if (typeof options === 'number') return exit(options);
    const words = [...options.words];
    const isLogin = words[0] === '-' || options.has('l');
    if (words[0] === '-') words.shift();
    const name = words.shift() ?? 'root';
    const user = passwdEntries(sys).find((it) => it.name === name);
    if (!user) {
      sys.eprint(`su: user ${name} does not exist\n`);
      return exit(1);
    }
    const stored = storedPassword(sys, user);
    if (sys.realUid !== 0 && stored !== '') {
      const password = askSecret(sys, state.question, 'Password: ');
      if (password === undefined) return wait({ readable: 0 });
      if (!isPasswordRight(stored, password)) {
        state.refusedUntilNs = sys.nowNs + REFUSAL_NS;
        return again();
      }
    }
    return become(sys, user, options, words, isLogin);
  },
  /** A password that is given up leaves the terminal as it was. */
  signal(sys, state, signal) {
    if (state.question.isAsked && (signal === 'INT' || signal === 'TERM' || signal === 'QUIT')) setEcho(sys, true);
    return false;
  },
};

function become(sys: Sys, user: PasswdEntry, options: Options, rest: readonly string[], isLogin: boolean): Step {
  const keeps = options.has('m', 'p') && !isLogin;
  const shell = options.value('s') ?? (keeps ? (sys.env['SHELL'] ?? user.shell) : user.shell);
  const command = options.value('c');
  const words = [...(options.has('f') ? ['-f'] : []), ...(command === undefined ? [] : ['-c', command]), ...rest];
  const argv0 = isLogin ? `-${baseName(shell)}` : baseName(shell);
  sys.setIds(user.uid, user.gid);
  try {
    if (isLogin) sys.chdir(user.home);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`su: warning: cannot change directory to ${error.message}\n`);
  }
  try {
    sys.exec([argv0, ...words], environment(sys, user, shell, { isLogin, keeps }), shell);
    return again();
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`su: ${new SysError(error.code, shell).message}\n`);
    return exit(error.code === 'ENOENT' ? 127 : 126);
  }
}

function environment(
  sys: Sys,
  user: PasswdEntry,
  shell: string,
  { isLogin, keeps }: { isLogin: boolean; keeps: boolean },
): Record<string, string> {
  if (keeps) return sys.env;
  const who: Record<string, string> = user.uid === 0 && !isLogin ? {} : { USER: user.name, LOGNAME: user.name };
  const own = { HOME: user.home, SHELL: shell, ...who };
  if (!isLogin) return { ...sys.env, ...own };
  const { TERM } = sys.env;
  const path = user.uid === 0 ? '/sbin:/bin:/usr/sbin:/usr/bin' : '/bin:/usr/bin';
  return { ...(TERM === undefined ? {} : { TERM }), ...own, PATH: path };
}
