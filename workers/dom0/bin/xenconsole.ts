/**
 * xenconsole: connects a terminal of Domain-0 to a domain's console (tools/console/client/main.c in Xen 3.4). `xm console`
 * becomes this program.
 */
import { exit, type Program, type Step, type Sys, SysError, type Termios, wait } from '../../guest/sys';
import type { ConnectStore } from './xenstore';

/** Ctrl-]. */
const ESCAPE = 0x1d;
const TTY_TIMEOUT_NS = 5e9;
const POLL_NS = 100e6;

interface ConsoleState {
  phase: 'failed' | 'waiting' | 'open';
  readonly status: number;
  readonly domid: number;
  readonly deadlineNs: number;
  tty: number;
  /** Settings of our own terminal, to be put back. */
  saved: Termios | null;
  inputEnded: boolean;
}

const failed = (status: number): ConsoleState => ({
  phase: 'failed',
  status,
  domid: 0,
  deadlineNs: 0,
  tty: -1,
  saved: null,
  inputEnded: false,
});

export function xenconsole(connect: ConnectStore): Program<ConsoleState> {
  return {
    name: 'xenconsole',
    start(sys) {
      const words = sys.argv.slice(1);
      if (words.includes('-h') || words.includes('--help')) {
        sys.print(
          `Usage: ${sys.argv[0]} [OPTION] DOMID\nAttaches to a virtual domain console\n\n  -h, --help       display this help and exit\n`,
        );
        return failed(0);
      }
      if (words.length !== 1) return complain(sys, 'Invalid number of arguments');
      if (!/^\d+$/.test(words[0]!)) return complain(sys, `Invalid DOMID \`${words[0]}'`);
      const domid = Number(words[0]);
      if (domid === 0) {
        sys.eprint("Can't specify Domain-0\n");
        return failed(22);
      }
      return { ...failed(0), phase: 'waiting', domid, deadlineNs: sys.nowNs + TTY_TIMEOUT_NS };
    },
    step(sys, state) {
      switch (state.phase) {
        case 'failed':
          return exit(state.status);
        case 'waiting':
          return open(sys, state, connect);
        case 'open':
          return copy(sys, state);
      }
    },
    signal(sys, state, signal) {
      if (signal === 'TERM' || signal === 'HUP' || signal === 'INT') restore(sys, state);
      return false;
    },
  };
}

function complain(sys: Sys, text: string): ConsoleState {
  sys.eprint(`${text}\nTry \`${sys.argv[0]} --help' for more information.\n`);
  return failed(22);
}

function open(sys: Sys, state: ConsoleState, connect: ConnectStore): Step {
  const path = connect()?.read(`/local/domain/${state.domid}/console/tty`);
  if (path === undefined || path === '') {
    if (sys.nowNs < state.deadlineNs) return wait({ untilNs: sys.nowNs + POLL_NS });
    sys.eprint('xenconsole: Could not read tty from store: No such file or directory\n');
    return exit(2);
  }
  try {
    state.tty = sys.open(path, { read: true, write: true });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`xenconsole: Could not open tty \`${path}': ${error.message.replace(/^.*: /, '')}\n`);
    return exit(2);
  }
  if (sys.isatty(0)) {
    state.saved = sys.getTermios(0);
    sys.setTermios(0, { icanon: false, echo: false, isig: false, icrnl: false, onlcr: false });
  }
  state.phase = 'open';
  return copy(sys, state);
}

function copy(sys: Sys, state: ConsoleState): Step {
  const shown = read(sys, state.tty);
  if (shown?.length === 0) return finish(sys, state);
  if (shown) sys.print(shown);
  const typed = state.inputEnded ? undefined : sys.read(0, 1024);
  if (typed?.length === 0) state.inputEnded = true;
  else if (typed) {
    // A single keystroke, also from a pipe; among other bytes only a terminal's.
    const end = state.saved || typed.length === 1 ? typed.indexOf(ESCAPE) : -1;
    const bytes = end < 0 ? typed : typed.subarray(0, end);
    for (let at = 0; at < bytes.length; ) {
      const taken = sys.write(state.tty, bytes.subarray(at));
      if (taken === 0) break;
      at += taken;
    }
    if (end >= 0) return finish(sys, state);
  }
  if (shown || (typed && typed.length > 0)) return { do: 'again' };
  return wait({ readable: state.tty }, ...(state.inputEnded ? [] : [{ readable: 0 }]));
}

/** A terminal whose other side has gone is at its end. */
function read(sys: Sys, fd: number): Uint8Array | undefined {
  try {
    return sys.read(fd, 4096);
  } catch (error) {
    if (error instanceof SysError) return new Uint8Array(0);
    throw error;
  }
}

function restore(sys: Sys, state: ConsoleState): void {
  if (state.saved) sys.setTermios(0, state.saved);
}

function finish(sys: Sys, state: ConsoleState): Step {
  restore(sys, state);
  return exit(0);
}
