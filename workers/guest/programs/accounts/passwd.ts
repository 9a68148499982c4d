/** passwd: changes a password, or locks, unlocks and removes it (passwd 0.73 of Red Hat). */
import { again, exit, type Program, type Step, type Sys, wait } from '../../sys';
import { type Options, optionsOf, type ToolSpec } from '../options';
import { hashPassword, isPasswordRight, type PasswdEntry, passwdEntries, storedPassword } from '../password';
import { userName } from '../users';
import { askSecret, newQuestion, type SecretQuestion, setEcho } from './secret';
import { storePassword } from './tables';

const SPEC: ToolSpec = {
  usage: '[OPTION...] <accountName>',
  options: 'kdlufSx:n:w:i:',
  long: { delete: 'd', lock: 'l', unlock: 'u', force: 'f', status: 'S', stdin: 'stdin' },
};
const TRIES = 3;
const LENGTH_MIN = 6;

interface PasswdState {
  phase: 'begin' | 'current' | 'new' | 'again' | 'stdin';
  readonly question: SecretQuestion;
  candidate: string;
  tries: number;
}

export const passwd: Program<PasswdState> = {
  name: 'passwd',
  start: () => ({ phase: 'begin', question: newQuestion(), candidate: '', tries: 0 }),
  step(sys, state) {
    const options = optionsOf(sys, 'passwd', SPEC);
    if (typeof options === 'number') return exit(options);
    const own = userName(sys, sys.realUid);
    const name = options.words[0] ?? own;
    const user = passwdEntries(sys).find((it) => it.name === name);
    if (!user || (sys.realUid !== 0 && user.name !== own)) {
      const isUnknown = sys.realUid === 0;
      sys.eprint(isUnknown ? `passwd: Unknown user name '${name}'.\n` : 'passwd: Only root can specify a user name.\n');
      return exit(1);
    }
    if (state.phase !== 'begin') return ask(sys, state, user);
    if (options.has('d', 'l', 'u', 'S', 'stdin') && sys.realUid !== 0) {
      sys.eprint('passwd: Only root can do that.\n');
      return exit(1);
    }
    const status = administer(sys, options, user);
    if (status !== undefined) return exit(status);
    sys.print(`Changing password for user ${name}.\n`);
    const asksCurrent = sys.realUid !== 0 && storedPassword(sys, user) !== '';
    if (asksCurrent) sys.print(`Changing password for ${name}\n`);
    state.phase = options.has('stdin') ? 'stdin' : asksCurrent ? 'current' : 'new';
    return again();
  },
  signal(sys, state, signal) {
    if (state.question.isAsked && (signal === 'INT' || signal === 'TERM' || signal === 'QUIT')) setEcho(sys, true);
    return false;
  },
};

/** The options that need no new password; undefined when none of them was given. */
function administer(sys: Sys, options: Options, user: PasswdEntry): number | undefined {
  const stored = storedPassword(sys, user);
  if (options.has('S')) {
    const kind = stored === '' ? 'NP' : /^[!*]/.test(stored) ? 'LK' : 'PS';
    const text = { NP: 'Empty password.', LK: 'Password locked.', PS: 'Password set, SHA256 encryption.' }[kind];
    sys.print(`${user.name} ${kind} (${text})\n`);
    return 0;
  }
  const change = (text: string, next: string) => {
    sys.print(`${text} password for user ${user.name}.\n`);
    storePassword(sys, user.name, next);
    sys.print('passwd: Success\n');
    return 0;
  };
  if (options.has('d')) return change('Removing', '');
  if (options.has('l')) return change('Locking', stored.startsWith('!!') ? stored : `!!${stored}`);
  if (!options.has('u')) return undefined;
  const unlocked = stored.replace(/^!+/, '');
  if (unlocked !== '' || options.has('f')) return change('Unlocking', unlocked);
  sys.print(`Unlocking password for user ${user.name}.\n`);
  sys.eprint('passwd: Warning: unlocked password would be empty.\npasswd: Unsafe operation (use -f to force)\n');
  return 254;
}

function ask(sys: Sys, state: PasswdState, user: PasswdEntry): Step {
  const prompts = {
    current: '(current) UNIX password: ',
    new: 'New UNIX password: ',
    again: 'Retype new UNIX password: ',
  };
  const prompt = state.phase === 'stdin' || state.phase === 'begin' ? '' : prompts[state.phase];
  const text = askSecret(sys, state.question, prompt);
  if (text === undefined) return wait({ readable: 0 });
  switch (state.phase) {
    case 'current':
      if (!isPasswordRight(storedPassword(sys, user), text)) return refuse(sys);
      state.phase = 'new';
      return again();
    case 'new':
      return takeNew(sys, state, text);
    case 'again':
      if (text === state.candidate) return store(sys, user, text);
      sys.eprint('Sorry, passwords do not match.\n');
      state.phase = 'new';
      return ++state.tries >= TRIES ? refuse(sys) : again();
    default:
      return store(sys, user, text);
  }
}

/** Root may choose a bad password, and is told so. */
function takeNew(sys: Sys, state: PasswdState, text: string): Step {
  if (text === '') {
    sys.eprint('No password supplied\n');
    return ++state.tries >= TRIES || !sys.isatty(0) ? refuse(sys) : again();
  }
  if (text.length < LENGTH_MIN) {
    sys.eprint("BAD PASSWORD: it's too short\n");
    if (sys.realUid !== 0) return ++state.tries >= TRIES ? refuse(sys) : again();
  }
  state.candidate = text;
  state.phase = 'again';
  return again();
}

function refuse(sys: Sys): Step {
  sys.eprint('passwd: Authentication token manipulation error\n');
  return exit(1);
}

function store(sys: Sys, user: PasswdEntry, text: string): Step {
  const letters = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const salt = Array.from({ length: 8 }, () => letters[sys.random(letters.length)]).join('');
  storePassword(sys, user.name, hashPassword(text, salt));
  sys.print('passwd: all authentication tokens updated successfully.\n');
  return exit(0);
}
