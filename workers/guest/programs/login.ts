/** login: asks for name and password on a terminal and becomes the user's shell. */
import { again, exit, type Program, type Step, type Sys, wait } from '../sys';
import { isPasswordRight, type PasswdEntry, passwdEntries, storedPassword } from './password';

interface LoginState {
  phase: 'name' | 'password' | 'refused';
  name: string;
  attempts: number;
  prompted: boolean;
  untilNs: number;
}

const ATTEMPTS_MAX = 3;
const REFUSAL_NS = 2_000_000_000;

export const login: Program<LoginState> = {
  name: 'login',
  start: (sys) => {
    const name = sys.argv.slice(1).find((word) => !word.startsWith('-')) ?? '';
    return { phase: 'name', name, attempts: 0, prompted: false, untilNs: 0 };
  },
  step(sys, state) {
    switch (state.phase) {
      case 'name':
        return askName(sys, state);
      case 'password':
        return askPassword(sys, state);
      case 'refused':
        return refuse(sys, state);
    }
  },
};

/** A line from the terminal; undefined while it is not complete. Null at end of file. */
function readLine(sys: Sys): string | null | undefined {
  const bytes = sys.read(0, 256);
  if (!bytes) return undefined;
  return bytes.length === 0 ? null : new TextDecoder().decode(bytes).replace(/\n$/, '');
}

function askName(sys: Sys, state: LoginState): Step {
  if (state.name === '') {
    if (!state.prompted) {
      state.prompted = true;
      sys.print(`${sys.uname().nodename} login: `);
    }
    const line = readLine(sys);
    if (line === undefined) return wait({ readable: 0 });
    if (line === null) return exit(1);
    state.name = line.trim();
    state.prompted = false;
    return again();
  }
  const entry = passwdEntries(sys).find(({ name }) => name === state.name);
  if (entry && storedPassword(sys, entry) === '') return enter(sys, entry);
  state.phase = 'password';
  state.prompted = false;
  return again();
}

function askPassword(sys: Sys, state: LoginState): Step {
  if (!state.prompted) {
    state.prompted = true;
    setEcho(sys, false);
    sys.print('Password: ');
    return again();
  }
  const line = readLine(sys);
  if (line === undefined) return wait({ readable: 0 });
  setEcho(sys, true);
  sys.print('\n');
  if (line === null) return exit(1);
  const entry = passwdEntries(sys).find(({ name }) => name === state.name);
  if (entry && isPasswordRight(storedPassword(sys, entry), line)) return enter(sys, entry);
  state.phase = 'refused';
  state.untilNs = sys.nowNs + REFUSAL_NS;
  return wait({ untilNs: state.untilNs });
}

function refuse(sys: Sys, state: LoginState): Step {
  if (sys.nowNs < state.untilNs) return wait({ untilNs: state.untilNs });
  sys.print('Login incorrect\n');
  if (++state.attempts >= ATTEMPTS_MAX) return exit(1);
  state.phase = 'name';
  state.name = '';
  state.prompted = false;
  return again();
}

function setEcho(sys: Sys, echo: boolean): void {
  if (sys.isatty(0)) sys.setTermios(0, { ...sys.getTermios(0), echo });
}

function enter(sys: Sys, entry: PasswdEntry): Step {
  if (sys.exists('/etc/nologin') && entry.uid !== 0) {
    sys.print(sys.readText('/etc/nologin'));
    return exit(1);
  }
  if (sys.exists('/etc/motd')) sys.print(sys.readText('/etc/motd'));
  const tty = sys.ttyName(0);
  if (tty && tty !== '/dev/console') sys.chown(tty, entry.uid, 5);
  sys.chdir(sys.exists(entry.home) ? entry.home : '/');
  const { TERM = 'linux' } = sys.env;
  const path = entry.uid === 0 ? '/sbin:/bin:/usr/sbin:/usr/bin' : '/bin:/usr/bin';
  const env = { HOME: entry.home, SHELL: entry.shell, USER: entry.name, LOGNAME: entry.name, PATH: path, TERM };
  const shell = entry.shell.replace(/^.*\//, '');
  sys.setIds(entry.uid, entry.gid);
  sys.exec([`-${shell}`], env, entry.shell);
  return again();
}
