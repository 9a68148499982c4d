/** stress: keeps processors, memory or disks busy with a number of processes for a time (stress 0.18). */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';

const STEP_NS = 1_000_000;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, y: 31556952 };

const USAGE = `\`stress' imposes certain types of compute stress on your system

Usage: stress [OPTION [ARG]] ...
 -?, --help         show this help statement
     --version      show version statement
 -v, --verbose      be verbose
 -q, --quiet        be quiet
 -n, --dry-run      show what would have been done
 -t, --timeout N    timeout after N seconds
     --backoff N    wait factor of N microseconds before work starts
 -c, --cpu N        spawn N workers spinning on sqrt()
 -i, --io N         spawn N workers spinning on sync()

Example: stress --cpu 8 --io 4 --timeout 10s

Note: Numbers may be suffixed with s,m,h,d,y (time) or B,K,M,G (size).
`;

type Hog = 'cpu' | 'io';

interface StressState {
  /** What a worker does; null in the process that starts them. */
  hog: Hog | null;
  status: number;
  readonly quiet: boolean;
  /** Workers still to be started, then those that run. */
  queue: Hog[];
  workers: number[];
  /** −1: no end. */
  untilNs: number;
  readonly startNs: number;
  failed: boolean;
}

export const stress: Program<StressState> = {
  name: 'stress',
  start(sys) {
    const given = parse(sys);
    const count = (hog: Hog) => (typeof given === 'number' ? 0 : given[hog]);
    const queue = (['cpu', 'io'] as const).flatMap((hog) => new Array<Hog>(count(hog)).fill(hog));
    const status = typeof given === 'number' ? given : -1;
    const quiet = typeof given === 'number' || given.quiet;
    const seconds = typeof given === 'number' ? 0 : given.seconds;
    const untilNs = seconds > 0 ? sys.nowNs + seconds * 1e9 : -1;
    if (status < 0) info(sys, quiet, `dispatching hogs: ${count('cpu')} cpu, ${count('io')} io, 0 vm, 0 hdd`);
    return { hog: null, status, quiet, queue, workers: [], untilNs, startNs: sys.nowNs, failed: false };
  },
  step(sys, state) {
    if (state.hog !== null) return work(sys, state);
    if (state.status >= 0) return exit(state.status);
    const next = state.queue.shift();
    if (next) {
      const child: StressState = { ...state, hog: next, queue: [], workers: [] };
      state.workers.push(sys.spawn({ argv: sys.argv, fork: { program: 'stress', state: child } }));
      return again();
    }
    return collect(sys, state);
  },
};

function info(sys: Sys, quiet: boolean, text: string): void {
  if (!quiet) sys.print(`stress: info: [${sys.pid}] ${text}\n`);
}

interface Given extends Record<Hog, number> {
  readonly quiet: boolean;
  readonly seconds: number;
}

function parse(sys: Sys): Given | number {
  const args = sys.argv.slice(1);
  const given = { cpu: 0, io: 0, quiet: false, seconds: 0 };
  const fail = (text: string): number => {
    sys.eprint(`stress: FAIL: [${sys.pid}] ${text}\n`);
    return 1;
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const number = (units: Readonly<Record<string, number>>) => {
      const match = /^(\d+)([a-z]?)$/.exec(args[++i] ?? '');
      const unit = match?.[2] ? units[match[2]] : 1;
      return match && unit !== undefined ? Number(match[1]) * unit : undefined;
    };
    if (arg === '-q' || arg === '--quiet') given.quiet = true;
    else if (arg === '--version') {
      sys.print('stress 0.18.9\n');
      return 0;
    } else if (arg === '-t' || arg === '--timeout') {
      const seconds = number(UNITS);
      if (seconds === undefined)
        return fail(
          args[i] === undefined ? `missing argument to option '${arg}'` : `invalid timeout value: ${args[i]}`,
        );
      given.seconds = seconds;
    } else if (['-c', '--cpu', '-i', '--io'].includes(arg)) {
      const hog = arg.replace(/^-+/, '').startsWith('c') ? 'cpu' : 'io';
      const count = number({});
      if (count === undefined)
        return fail(
          args[i] === undefined ? `missing argument to option '${arg}'` : `invalid number of ${hog} hogs: ${args[i]}`,
        );
      given[hog] = count;
    } else if (arg === '-?' || arg === '--help') {
      sys.print(USAGE);
      return 0;
    } else if (arg !== '-v' && arg !== '--verbose') return fail(`unrecognized option: ${arg}`);
  }
  if (given.cpu + given.io > 0) return given;
  sys.print(USAGE);
  return 0;
}

function work(sys: Sys, state: StressState): Step {
  if (state.untilNs >= 0 && sys.nowNs >= state.untilNs) return exit(0);
  // A write-back that is on its way is waited for, as sync() does.
  if (state.hog === 'io' && !sys.sync()) return wait({ untilNs: sys.nowNs + STEP_NS });
  return again(STEP_NS);
}

function collect(sys: Sys, state: StressState): Step {
  const { pid } = sys;
  for (const worker of [...state.workers]) {
    const event = sys.waitChild(worker);
    if (!event || event.kind === 'stopped') continue;
    state.workers = state.workers.filter((it) => it !== worker);
    if (event.kind === 'exited' && event.status === 0) continue;
    const how = event.kind === 'exited' ? `returned error ${event.status}` : 'got signal';
    sys.eprint(
      `stress: FAIL: [${pid}] <-- worker ${worker} ${how}\nstress: WARN: [${pid}] now reaping child worker processes\n`,
    );
    state.failed = true;
    for (const other of state.workers) stop(sys, other);
  }
  if (state.workers.length > 0) return wait({ child: true });
  const seconds = Math.round((sys.nowNs - state.startNs) / 1e9);
  if (state.failed) sys.eprint(`stress: FAIL: [${pid}] failed run completed in ${seconds}s\n`);
  else info(sys, state.quiet, `successful run completed in ${seconds}s`);
  return exit(state.failed ? 1 : 0);
}

function stop(sys: Sys, pid: number): void {
  try {
    sys.kill(pid, 'TERM');
  } catch (error) {
    if (!(error instanceof SysError)) throw error; // it has ended meanwhile
  }
}
