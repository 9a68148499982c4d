/**
 * init: the first process. Runs what /etc/inittab says for each runlevel, starts again what ends, collects orphans, and
 * brings the system down in order. `init N` (or telinit) by another process asks it for another runlevel.
 */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../sys';

interface Entry {
  readonly id: string;
  readonly levels: string;
  readonly action: string;
  readonly command: string;
}

interface Running {
  readonly id: string;
  readonly pid: number;
  readonly startedNs: number;
}

interface InitState {
  /** `boot` runs sysinit and wait entries one by one; `run` watches; the others bring the system down. */
  phase: 'boot' | 'run' | 'term' | 'kill' | 'sync';
  level: string;
  /** The level before this one (`N`: none), and whether /var/run/runlevel says so. */
  previous: string;
  isNoted: boolean;
  entries: readonly Entry[];
  /** Entries that must end before the next one starts. */
  queue: readonly Entry[];
  waitingFor: number;
  running: readonly Running[];
  /** Entries that end right after their start: how often in a row, and when they may be tried again. */
  delayed: readonly { readonly id: string; readonly count: number; readonly untilNs: number }[];
  untilNs: number;
  requests: number;
  /** `once` entries started in this runlevel. */
  once: readonly string[];
}

const REQUESTS = '/dev/initctl';
const DEFAULT_LEVEL = '3';
const TOO_FAST_NS = 1_000_000_000;
/** So many fast ends in a row make it wait. */
const FAST_MAX = 5;
const RESPAWN_DELAY_NS = 5_000_000_000;
/** A disk that does not answer does not keep the system up for longer. */
const SYNC_NS = 30_000_000_000;
const GRACE_NS = 2_000_000_000;

export const init: Program<InitState> = {
  name: 'init',
  start(sys) {
    const state: InitState = {
      phase: 'boot',
      level: '',
      previous: 'N',
      isNoted: false,
      entries: [],
      queue: [],
      waitingFor: 0,
      running: [],
      delayed: [],
      untilNs: 0,
      requests: -1,
      once: [],
    };
    if (sys.pid === 1) begin(sys, state);
    return state;
  },
  step(sys, state) {
    if (sys.pid !== 1) return request(sys);
    collect(sys, state);
    readRequests(sys, state);
    switch (state.phase) {
      case 'boot':
        return runQueue(sys, state);
      case 'run':
        return watch(sys, state);
      case 'term':
        return terminate(sys, state);
      case 'kill':
        return killRest(sys, state);
      case 'sync':
        return finish(sys, state);
    }
  },
  signal(_sys, state, signal) {
    if (signal !== 'INT') return signal !== 'CHLD';
    state.queue = [...state.queue, ...state.entries.filter(({ action }) => action === 'ctrlaltdel')];
    if (state.phase === 'run') state.phase = 'boot';
    return true;
  },
};

/** The same program started by hand: `init 0`, `telinit 6`. */
function request(sys: Sys): Step {
  const level = sys.argv[1] ?? '';
  if (!/^[0-6sSqQ]$/.test(level)) {
    sys.eprint('Usage: init 0123456SsQq\n');
    return exit(1);
  }
  if (sys.uid !== 0) {
    sys.eprint('init: must be superuser.\n');
    return exit(1);
  }
  sys.writeFile(REQUESTS, `${level}\n`);
  return exit(0);
}

function begin(sys: Sys, state: InitState): void {
  state.entries = readInittab(sys);
  if (!sys.exists(REQUESTS)) sys.mknod(REQUESTS, 'fifo', 0o600, 0, 0);
  // Read and write, so that it never is at its end.
  state.requests = sys.open(REQUESTS, { read: true, write: true });
  const asked = sys.argv.slice(1).find((word) => /^([0-6sS]|single)$/.test(word));
  const given = state.entries.find(({ action }) => action === 'initdefault')?.levels[0];
  state.level = asked ? (asked === 'single' ? 'S' : asked.toUpperCase()) : (given ?? DEFAULT_LEVEL);
  sys.print('INIT: version 2.86 booting\n');
  state.queue = [...state.entries.filter(({ action }) => action === 'sysinit'), ...entriesToWaitFor(state)];
}

function readInittab(sys: Sys): readonly Entry[] {
  if (!sys.exists('/etc/inittab')) return [{ id: 'co', levels: '', action: 'respawn', command: '/sbin/getty console' }];
  const entries: Entry[] = [];
  for (const line of sys.readText('/etc/inittab').split('\n')) {
    const [id, levels, action, ...command] = line.split(':');
    if (line.startsWith('#') || !id || !action) continue;
    entries.push({ id, levels: levels ?? '', action, command: command.join(':') });
  }
  return entries;
}

const isForLevel = ({ levels }: Entry, level: string) => levels === '' || levels.toUpperCase().includes(level);

function entriesToWaitFor({ entries, level }: InitState): readonly Entry[] {
  return entries.filter(
    (entry) => (entry.action === 'wait' || entry.action === 'bootwait') && isForLevel(entry, level),
  );
}

/** Starts the command of an entry in a session of its own; plain words need no shell. */
function start(sys: Sys, { id, command }: Entry, { level, previous }: InitState): number {
  const isPlain = /^[\w./+\- ]+$/.test(command);
  const argv = isPlain ? command.trim().split(/ +/) : ['/bin/sh', '-c', `exec ${command}`];
  try {
    return sys.spawn({ argv, newSession: true, env: { ...sys.env, RUNLEVEL: level, PREVLEVEL: previous } });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.print(`INIT: cannot execute "${argv[0]}" (entry "${id}"): ${error.message}\n`);
    return 0;
  }
}

function collect(sys: Sys, state: InitState): void {
  try {
    for (let event = sys.waitChild(); event; event = sys.waitChild()) {
      if (event.kind === 'stopped') continue;
      const { pid } = event;
      if (pid === state.waitingFor) state.waitingFor = 0;
      const ended = state.running.find((it) => it.pid === pid);
      state.running = state.running.filter((it) => it !== ended);
      if (!ended) continue;
      if (sys.nowNs - ended.startedNs < TOO_FAST_NS) delay(sys, state, ended.id);
      else state.delayed = state.delayed.filter(({ id }) => id !== ended.id);
    }
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== 'ECHILD') throw error;
  }
}

function delay(sys: Sys, state: InitState, id: string): void {
  const count = (state.delayed.find((it) => it.id === id)?.count ?? 0) + 1;
  if (count === FAST_MAX) sys.print(`INIT: Id "${id}" respawning too fast\n`);
  const untilNs = count < FAST_MAX ? 0 : sys.nowNs + RESPAWN_DELAY_NS;
  state.delayed = [...state.delayed.filter((it) => it.id !== id), { id, count, untilNs }];
}

function readRequests(sys: Sys, state: InitState): void {
  const bytes = sys.read(state.requests, 256);
  if (!bytes || (state.phase !== 'run' && state.phase !== 'boot')) return;
  const level = new TextDecoder().decode(bytes).trim().slice(-1).toUpperCase();
  if (level === 'Q') state.entries = readInittab(sys);
  else if (/^[0-6S]$/.test(level) && level !== state.level) changeLevel(sys, state, level);
}

/** What the new level does not have is ended; what it waits for is run, then the level is entered. */
function changeLevel(sys: Sys, state: InitState, level: string): void {
  sys.print(`INIT: Switching to runlevel: ${level}\n`);
  state.previous = state.level;
  state.level = level;
  state.isNoted = false;
  state.entries = readInittab(sys);
  for (const { id, pid } of state.running) {
    const entry = state.entries.find((it) => it.id === id);
    if (!entry || !isForLevel(entry, level)) killGroup(sys, pid, 'TERM');
  }
  state.queue = entriesToWaitFor(state);
  state.once = [];
  state.phase = 'boot';
}

function killGroup(sys: Sys, pid: number, signal: 'TERM' | 'KILL'): void {
  try {
    sys.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof SysError)) throw error; // it has ended by itself
  }
}

function runQueue(sys: Sys, state: InitState): Step {
  if (state.waitingFor !== 0) return wait({ child: true }, { readable: state.requests });
  const next = state.queue[0];
  if (next?.action !== 'sysinit') noteLevel(sys, state);
  if (next) {
    state.queue = state.queue.slice(1);
    state.waitingFor = start(sys, next, state);
    return again();
  }
  if (state.level === '0' || state.level === '6') {
    state.phase = 'term';
    sys.print('Sending all processes the TERM signal...\n');
    killAll(sys, 'TERM');
    state.untilNs = sys.nowNs + GRACE_NS;
    return again();
  }
  state.phase = 'run';
  return again();
}

/** For runlevel, halt and reboot; the file system can be written once `sysinit` is through. */
function noteLevel(sys: Sys, state: InitState): void {
  if (state.isNoted) return;
  state.isNoted = true;
  try {
    sys.writeFile('/var/run/runlevel', `${state.previous} ${state.level}\n`);
  } catch (error) {
    if (!(error instanceof SysError)) throw error; // a read-only root: nobody knows the level then
  }
}

function watch(sys: Sys, state: InitState): Step {
  for (const entry of state.entries) {
    if (entry.action !== 'once' || !isForLevel(entry, state.level) || state.once.includes(entry.id)) continue;
    state.once = [...state.once, entry.id];
    start(sys, entry, state);
  }
  let nextNs = Number.POSITIVE_INFINITY;
  for (const entry of state.entries) {
    if (entry.action !== 'respawn' || !isForLevel(entry, state.level)) continue;
    if (state.running.some(({ id }) => id === entry.id)) continue;
    const delayed = state.delayed.find(({ id }) => id === entry.id);
    if (delayed && delayed.untilNs > sys.nowNs) {
      nextNs = Math.min(nextNs, delayed.untilNs);
      continue;
    }
    const pid = start(sys, entry, state);
    if (pid === 0) {
      delay(sys, state, entry.id);
      nextNs = sys.nowNs;
    } else state.running = [...state.running, { id: entry.id, pid, startedNs: sys.nowNs }];
  }
  const timer = Number.isFinite(nextNs) ? [{ untilNs: nextNs }] : [];
  return wait({ child: true }, { readable: state.requests }, ...timer);
}

function killAll(sys: Sys, signal: 'TERM' | 'KILL'): void {
  try {
    sys.kill(-1, signal);
  } catch (error) {
    if (!(error instanceof SysError)) throw error; // nobody is left
  }
}

const isAlone = (sys: Sys) => sys.processes().every(({ pid, state }) => pid === 1 || state === 'Z');

function terminate(sys: Sys, state: InitState): Step {
  if (!isAlone(sys) && sys.nowNs < state.untilNs) return wait({ child: true }, { untilNs: state.untilNs });
  if (!isAlone(sys)) {
    sys.print('Sending all processes the KILL signal...\n');
    killAll(sys, 'KILL');
  }
  state.phase = 'kill';
  state.untilNs = sys.nowNs + GRACE_NS;
  return again();
}

function killRest(sys: Sys, state: InitState): Step {
  if (!isAlone(sys) && sys.nowNs < state.untilNs) return wait({ child: true }, { untilNs: state.untilNs });
  state.phase = 'sync';
  sys.print(state.level === '6' ? 'Please stand by while rebooting the system...\n' : 'Halting system...\n');
  state.untilNs = sys.nowNs + SYNC_NS;
  return again();
}

/** File systems on disks are written back before the power goes. */
function finish(sys: Sys, state: InitState): Step {
  if (!sys.sync() && sys.nowNs < state.untilNs) return wait({ untilNs: sys.nowNs + 1_000_000 });
  for (const { target } of [...sys.mounts()].reverse()) {
    if (target === '/' || /^\/(proc|sys|dev)(\/|$)/.test(target)) continue;
    try {
      sys.umount(target);
    } catch (error) {
      if (!(error instanceof SysError)) throw error; // still in use: it has been written back
    }
  }
  const root = sys.mounts()[0];
  if (root?.source.startsWith('/dev/')) {
    try {
      sys.mount(root.source, '/', root.type, 'remount,ro');
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.print(`INIT: ${error.message}\n`);
    }
  }
  sys.shutdownSystem(state.level === '6' ? 'reboot' : 'poweroff');
  return wait();
}
