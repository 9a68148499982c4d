/** Bringing the system down: shutdown, halt, poweroff, reboot, and runlevel, which says where it is (sysvinit 2.86). */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { formatDate } from '../dates';
import { guarded, type Options, optionsOf, quietly, ToolError, type ToolSpec, tool } from '../options';
import { userName } from '../users';

/** Where init writes the level before and the level now: `N 3`. */
const RUNLEVEL = '/var/run/runlevel';
const REQUESTS = '/dev/initctl';
const PID_FILE = '/var/run/shutdown.pid';
const MINUTE_NS = 60_000_000_000;

/** The runlevels before and now; undefined when init has not come to one yet. */
export function runlevels(sys: Sys): { readonly previous: string; readonly current: string } | undefined {
  const [previous, current] = (quietly(() => sys.readText(RUNLEVEL)) ?? '').trim().split(' ');
  return previous && current ? { previous, current } : undefined;
}

export const runlevel = tool('runlevel', { usage: '' }, (sys) => {
  const levels = runlevels(sys);
  sys.print(levels ? `${levels.previous} ${levels.current}\n` : 'unknown\n');
  return levels ? 0 : 1;
});

/** Asks init for a runlevel, as telinit does. */
function askInit(sys: Sys, level: string): void {
  const isThere = sys.exists(REQUESTS) && sys.processes().some(({ pid, state }) => pid === 1 && state !== 'Z');
  if (!isThere) throw new ToolError(`timeout opening/writing control channel ${REQUESTS}`);
  sys.writeFile(REQUESTS, `${level}\n`);
}

/** Writes to every terminal that somebody is logged in on; one that takes nothing is left out. */
function broadcast(sys: Sys, text: string): void {
  const from = sys.ttyName(0)?.replace('/dev/', '') ?? 'console';
  const head = `Broadcast message from ${userName(sys, sys.realUid)} (${from}) (${formatDate('%c', sys.wallClock)}):`;
  const bytes = new TextEncoder().encode(`\u0007\r\n${head}\r\n\r\n${text}\r\n`);
  for (const tty of new Set(sys.processes().map((process) => process.tty))) {
    const fd = tty === undefined ? undefined : quietly(() => sys.open(`/dev/${tty}`, { write: true }));
    if (fd === undefined) continue;
    quietly(() => sys.write(fd, bytes));
    sys.close(fd);
  }
}

interface Goal {
  readonly level: '0' | '1' | '6';
  readonly text: string;
}

const GOALS = {
  halt: { level: '0', text: 'system halt' },
  reboot: { level: '6', text: 'reboot' },
  single: { level: '1', text: 'maintenance mode' },
} as const satisfies Record<string, Goal>;

const SHUTDOWN: ToolSpec = { usage: '[-akrhHPfFnc] [-t sec] time [warning message]', options: 'akrhHPfFnct:y' };
const USAGE = `Usage:\t  shutdown [-akrhHPfnc] [-t secs] time [warning message]
\t\t  -a:      use /etc/shutdown.allow
\t\t  -k:      don't really shutdown, only warn.
\t\t  -r:      reboot after shutdown.
\t\t  -h:      halt after shutdown.
\t\t  -P:      halt action is to turn off power.
\t\t  -H:      halt action is to just halt.
\t\t  -f:      do a 'fast' reboot (skip fsck).
\t\t  -F:      Force fsck on reboot.
\t\t  -n:      do not go through "init" but go down real fast.
\t\t  -c:      cancel a running shutdown.
\t\t  -t secs: delay between warning and kill signal.
\t\t  ** the "time" argument is mandatory! (try "now") **
`;

interface ShutdownState {
  status: number;
  goal: Goal;
  readonly warning: string;
  readonly warnOnly: boolean;
  readonly atOnce: boolean;
  /** Minutes left. */
  minutes: number;
  untilNs: number;
}

export const shutdown: Program<ShutdownState> = {
  name: 'shutdown',
  start(sys) {
    const options = optionsOf(sys, 'shutdown', SHUTDOWN);
    const begun = typeof options === 'number' ? options : guarded(sys, 'shutdown', {}, () => begin(sys, options));
    if (typeof begun !== 'number') return begun;
    return { status: begun, goal: GOALS.single, warning: '', warnOnly: false, atOnce: false, minutes: 0, untilNs: 0 };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (sys.nowNs < state.untilNs) return wait({ untilNs: state.untilNs });
    if (state.minutes > 0) return countDown(sys, state);
    quietly(() => sys.unlink(PID_FILE));
    broadcast(sys, `${state.warning}The system is going down for ${state.goal.text} NOW!`);
    if (state.warnOnly) return exit(0);
    const ended = guarded(sys, 'shutdown', {}, () => {
      if (state.atOnce) sys.shutdownSystem(state.goal.level === '6' ? 'reboot' : 'poweroff');
      else askInit(sys, state.goal.level);
      return 0;
    });
    return exit(ended);
  },
  signal(sys, _state, signal) {
    if (signal !== 'INT' && signal !== 'TERM') return signal === 'WINCH' || signal === 'CHLD';
    quietly(() => sys.unlink(PID_FILE));
    sys.print('\r\nShutdown cancelled.\r\n');
    return false;
  },
};

function begin(sys: Sys, options: Options): ShutdownState | number {
  if (sys.uid !== 0) throw new ToolError('you must be root to do that!');
  if (options.has('c')) return cancel(sys);
  const [when, ...warning] = options.words;
  if (when === undefined) {
    sys.eprint(USAGE);
    return 1;
  }
  const minutes = minutesUntil(sys, when);
  if (minutes === undefined) {
    sys.eprint(USAGE);
    return 1;
  }
  if (runningShutdown(sys) !== undefined) throw new ToolError('already running.');
  sys.writeFile(PID_FILE, `${sys.pid}\n`);
  const goal = options.has('r') ? GOALS.reboot : options.has('h', 'H', 'P') ? GOALS.halt : GOALS.single;
  const text = warning.length > 0 ? `${warning.join(' ')}\r\n` : '';
  const flags = { warnOnly: options.has('k'), atOnce: options.has('n') };
  return { status: -1, goal, warning: text, ...flags, minutes, untilNs: 0 };
}

/** `now`, `+5`, `5` or `hh:mm`. */
function minutesUntil(sys: Sys, when: string): number | undefined {
  if (when === 'now') return 0;
  const relative = /^\+?(\d+)$/.exec(when);
  if (relative) return Number(relative[1]);
  const clock = /^(\d{1,2}):(\d\d)$/.exec(when);
  if (!clock || Number(clock[1]) > 23 || Number(clock[2]) > 59) return undefined;
  const wanted = Number(clock[1]) * 60 + Number(clock[2]);
  return (wanted - (Math.floor(sys.wallClock / 60) % 1440) + 1440) % 1440;
}

function runningShutdown(sys: Sys): number | undefined {
  const pid = Number(quietly(() => sys.readText(PID_FILE)) ?? '');
  return sys.processes().find((it) => it.pid === pid && it.pid !== sys.pid && it.comm === 'shutdown')?.pid;
}

function cancel(sys: Sys): number {
  const pid = runningShutdown(sys);
  if (pid === undefined) throw new ToolError('cannot find pid of running shutdown.');
  sys.kill(pid, 'INT');
  return 0;
}

/** Warns every quarter of an hour, and in the last minutes every minute. */
function countDown(sys: Sys, state: ShutdownState): Step {
  const { minutes, goal, warning } = state;
  if (minutes < 10 || minutes % 15 === 0) {
    const left = `${minutes} minute${minutes === 1 ? '' : 's'}`;
    broadcast(sys, `${warning}The system is going DOWN for ${goal.text} in ${left}!`);
  }
  state.minutes--;
  state.untilNs = Math.max(state.untilNs, sys.nowNs) + MINUTE_NS;
  return again();
}

const HALT: ToolSpec = { usage: '[-n] [-w] [-d] [-f] [-i] [-p]', options: 'nwdfiph' };

/**
 * halt, poweroff and reboot: through init and the services' stop scripts, unless with -f or when init is bringing the
 * system down already. -w writes the record of it only.
 */
const halter = (name: 'halt' | 'poweroff' | 'reboot'): Program<null> =>
  tool(name, HALT, (sys, options) => {
    if (sys.uid !== 0) throw new ToolError('must be superuser.');
    if (options.has('w')) return;
    const level = runlevels(sys)?.current;
    if (!options.has('f') && level !== '0' && level !== '6') {
      const goal = name === 'reboot' ? GOALS.reboot : GOALS.halt;
      broadcast(sys, `The system is going down for ${goal.text} NOW!`);
      askInit(sys, goal.level);
      return;
    }
    if (!options.has('n')) sys.sync();
    try {
      sys.shutdownSystem(options.has('p') && name === 'halt' ? 'poweroff' : name);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      throw new ToolError(error.message);
    }
  });

export const halt = halter('halt');
export const poweroff = halter('poweroff');
export const reboot = halter('reboot');
