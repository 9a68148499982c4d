/** Commands that run others: nohup, time, watch. */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { childStatus, launch } from '../children';
import { formatDate } from '../dates';
import { optionsOf, type ToolSpec } from '../options';
import { joinPath } from '../paths';
import { runInstead } from './identity';

/** nohup: a hang-up does not end the command; output that would go to the terminal goes to nohup.out. */
export const nohup: Program<null> = {
  name: 'nohup',
  start: () => null,
  step(sys) {
    const words = sys.argv.slice(1);
    if (words[0] === '--') words.shift();
    if (words[0] === undefined) {
      sys.eprint("nohup: missing operand\nTry `nohup --help' for more information.\n");
      return exit(127);
    }
    if (sys.isatty(1)) {
      const fd = openNohupOut(sys);
      if (fd === undefined) return exit(127);
      sys.dup(fd, 1);
      sys.close(fd);
    }
    if (sys.isatty(2)) sys.dup(1, 2);
    sys.ignoreSignal('HUP', true);
    return runInstead(sys, 'nohup', words) ?? again();
  },
};

/** In the working directory, or else at home; the message goes to the terminal before it is left. */
function openNohupOut(sys: Sys): number | undefined {
  const home = sys.env['HOME'];
  const places = ['nohup.out', ...(home === undefined ? [] : [joinPath(home, 'nohup.out')])];
  for (const path of places) {
    try {
      const fd = sys.open(path, { write: true, create: true, append: true, mode: 0o600 });
      // Directly: what is printed would be written when descriptor 2 is another file already.
      sys.write(2, new TextEncoder().encode(`nohup: appending output to \`${path}'\n`));
      return fd;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`nohup: failed to open \`${path}': ${new SysError(error.code).message}\n`);
    }
  }
  return undefined;
}

interface TimeState {
  status: number;
  readonly command: readonly string[];
  readonly isPosix: boolean;
  pid: number;
  startNs: number;
}

const TIME: ToolSpec = { usage: '[-apvV] [-f format] command [arg...]', options: 'p', stopAtWord: true };

/** time: how long a command takes, in GNU time's form or POSIX's (-p). Shells have their own. */
export const time: Program<TimeState> = {
  name: 'time',
  start(sys) {
    const options = optionsOf(sys, 'time', TIME);
    if (typeof options === 'number') return { status: options, command: [], isPosix: false, pid: 0, startNs: 0 };
    const { words } = options;
    if (words.length === 0) sys.eprint(`Usage: time ${TIME.usage}\n`);
    return { status: words.length === 0 ? 1 : -1, command: words, isPosix: options.has('p'), pid: 0, startNs: 0 };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (state.pid === 0) {
      state.startNs = sys.nowNs;
      const pid = launch(sys, 'time', state.command);
      if (pid < 0) return exit(-pid);
      state.pid = pid;
    }
    const status = childStatus(sys, state.pid);
    if (status === undefined) return wait({ child: true });
    report(sys, state);
    return exit(status);
  },
  /** Ctrl-C is for the command. */
  signal: (_sys, _state, signal) => signal === 'INT' || signal === 'QUIT',
};

function report(sys: Sys, { isPosix, startNs }: TimeState): void {
  const real = (sys.nowNs - startNs) / 1e9;
  const user = sys.childrenCpuNs / 1e9;
  if (isPosix) {
    sys.eprint(`real ${real.toFixed(2)}\nuser ${user.toFixed(2)}\nsys 0.00\n`);
    return;
  }
  const elapsed = `${Math.floor(real / 60)}:${(real % 60).toFixed(2).padStart(5, '0')}`;
  const share = Math.floor((100 * user) / Math.max(real, 1e-9));
  sys.eprint(
    `${user.toFixed(2)}user 0.00system ${elapsed}elapsed ${share}%CPU (0avgtext+0avgdata 0maxresident)k\n` +
      '0inputs+0outputs (0major+0minor)pagefaults 0swaps\n',
  );
}

interface WatchState {
  status: number;
  readonly command: string;
  readonly intervalNs: number;
  readonly hasTitle: boolean;
  pid: number;
  /** Reading end of the command's output; −1 between two runs. */
  fd: number;
  output: Uint8Array[];
  untilNs: number;
}

const WATCH: ToolSpec = {
  usage: '[-dhntv] [--differences[=cumulative]] [--help] [--interval=<n>] [--no-title] [--version] <command>',
  options: 'dn:tv',
  long: { interval: 'n', 'no-title': 't', differences: 'differences::', version: 'v' },
  stopAtWord: true,
};

/** watch: runs a command again and again and shows its first screenful. Ctrl-C ends it. */
export const watch: Program<WatchState> = {
  name: 'watch',
  start(sys) {
    const blank = { command: '', intervalNs: 2e9, hasTitle: true, pid: 0, fd: -1, output: [], untilNs: 0 };
    const options = optionsOf(sys, 'watch', WATCH);
    if (typeof options === 'number') return { ...blank, status: options };
    const seconds = Number(options.value('n') ?? 2);
    if (options.words.length === 0 || !(seconds > 0)) {
      sys.eprint(`Usage: watch ${WATCH.usage}\n`);
      return { ...blank, status: 1 };
    }
    const intervalNs = Math.round(Math.max(seconds, 0.1) * 1e9);
    return { ...blank, status: -1, command: options.words.join(' '), intervalNs, hasTitle: !options.has('t') };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (state.fd >= 0) return collect(sys, state);
    if (state.pid !== 0 && childStatus(sys, state.pid) === undefined) return wait({ child: true });
    state.pid = 0;
    if (sys.nowNs < state.untilNs) return wait({ untilNs: state.untilNs });
    const [from, to] = sys.pipe();
    state.pid = sys.spawn({ argv: ['/bin/sh', '-c', state.command], fds: { 0: 0, 1: to, 2: to } });
    sys.close(to);
    state.fd = from;
    return again();
  },
  signal(sys, state, signal) {
    if (signal !== 'INT' && signal !== 'TERM') return signal === 'WINCH';
    if (sys.isatty(1)) sys.print(`\x1b[${sys.winsize(1).rows};1H\n`);
    state.status = 0;
    return true;
  },
};

function collect(sys: Sys, state: WatchState): Step {
  const bytes = sys.read(state.fd);
  if (bytes === undefined) return wait({ readable: state.fd });
  if (bytes.length > 0) {
    state.output.push(bytes.slice());
    return again();
  }
  sys.close(state.fd);
  state.fd = -1;
  const decoder = new TextDecoder();
  const text = state.output.map((piece) => decoder.decode(piece, { stream: true })).join('');
  state.output = [];
  draw(sys, state, text.split('\n'));
  state.untilNs = sys.nowNs + state.intervalNs;
  return again();
}

function draw(sys: Sys, state: WatchState, lines: readonly string[]): void {
  const { rows, cols } = sys.isatty(1) ? sys.winsize(1) : { rows: 24, cols: 80 };
  const left = `Every ${(state.intervalNs / 1e9).toFixed(1)}s: ${state.command}`;
  const right = formatDate('%c', sys.wallClock);
  const room = Math.max(0, cols - right.length - 1);
  const title = state.hasTitle ? [`${left.slice(0, room).padEnd(room)} ${right}`, ''] : [];
  const shown = [...title, ...lines].slice(0, rows).map((line) => line.slice(0, cols));
  sys.print(`\x1b[H\x1b[2J${shown.join('\n')}`);
}
