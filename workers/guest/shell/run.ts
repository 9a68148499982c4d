/** The shell's step machine: flushes output, runs traps, advances the top frame, and fetches more input when there is none. */

import { signalNumber } from '../signals';
import { again, exit, type SignalName, type Step, SysError, wait } from '../sys';
import { waitAll } from './builtins/jobControl';
import { advanceRead } from './builtins/read';
import { advanceNode } from './compound';
import { saveHistory } from './editor/history';
import { abort, beginExit, finish, popFrame, runTrap, syntaxError } from './flow';
import { nextInput } from './input';
import { reap, waitForeground } from './jobs';
import { collect } from './launch';
import { complain, type FrameOf, nodeAt, out, type Shell, type ShellState } from './state';

/** Frames advanced in one step at most. */
const BUDGET = 400;
/** cpu time that advancing one frame costs, ns. */
const ADVANCE_NS = 1_500;

export function step(sh: Shell, budget = BUDGET): Step {
  const { st } = sh;
  if (st.jobs.length > 0) reap(sh);
  let work = 0;
  for (; work < budget; work++) {
    const blocked = flush(sh) ?? advance(sh);
    if (!blocked) continue;
    if (work === 0) return blocked;
    // An exit carries no cost: what was done before it is charged first.
    if (blocked.do === 'exit') return again(work * ADVANCE_NS);
    return { ...blocked, costNs: (blocked.costNs ?? 0) + work * ADVANCE_NS };
  }
  return again(work * ADVANCE_NS);
}

const encoder = new TextEncoder();

/** Writes what builtins have printed. A Step when it cannot go on. */
function flush(sh: Shell): Step | undefined {
  const { st, sys } = sh;
  while (st.out.length > 0) {
    const piece = st.out[0]!;
    const bytes = pendingBytes(piece);
    let taken = 0;
    try {
      while (taken < bytes.length) {
        const n = sys.write(piece.fd, taken === 0 ? bytes : bytes.subarray(taken));
        if (n === 0) break;
        taken += n;
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      st.out.shift();
      if (error.code === 'EPIPE' && !st.interactive) return brokenPipe(sh);
      st.status = 1;
      if (piece.fd !== st.fds[2]) complain(sh, `write error: ${error.message}`);
      continue;
    }
    if (taken < bytes.length) {
      piece.rest = binary(bytes.subarray(taken));
      piece.text = '';
      return wait({ writable: piece.fd });
    }
    st.out.shift();
  }
  for (const fd of st.closing.splice(0)) if (!Object.values(st.fds).includes(fd)) sys.close(fd);
  return undefined;
}

/** Nobody reads any more: this process ends at once, as if SIGPIPE had ended it. */
function brokenPipe({ st }: Shell): Step {
  st.out = [];
  st.frames = [];
  st.exiting = 128 + signalNumber.PIPE;
  return exit(st.exiting);
}

/** Bytes left over from an earlier write (kept as one character per byte), then the text. */
function pendingBytes(piece: { text: string; rest?: string }): Uint8Array {
  const text = encoder.encode(piece.text);
  if (!piece.rest) return text;
  const all = new Uint8Array(piece.rest.length + text.length);
  all.set(Uint8Array.from(piece.rest, (c) => c.charCodeAt(0)));
  all.set(text, piece.rest.length);
  return all;
}

function binary(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}

function advance(sh: Shell): Step | undefined {
  const { st } = sh;
  if (st.signals.length > 0 && takeSignal(sh)) return undefined;
  const f = st.frames[st.frames.length - 1];
  if (!f) {
    if (st.exiting === null) return nextInput(sh);
    if (st.interactive) saveHistory(sh);
    return st.fatal ? dieOf(sh, st.fatal) : exit(st.exiting);
  }
  switch (f.k) {
    case 'node':
      return advanceNode(sh, f);
    case 'scope': {
      // A redirected compound command has been checked inside; a call counts as a command of its own.
      finish(sh, st.status, nodeAt(st, f)?.k === 'redir');
      return undefined;
    }
    case 'wait':
      reap(sh);
      return waitForeground(sh, f);
    case 'waitall':
      reap(sh);
      return waitAll(sh, f);
    case 'subst':
      reap(sh);
      return collect(sh, f);
    case 'trap':
      st.status = f.status;
      popFrame(sh);
      return undefined;
    case 'read':
      return advanceRead(sh, f);
    case 'failed':
      popFrame(sh);
      syntaxErrorIn(sh, f);
      st.status = 2;
      if (!st.interactive && st.frames.length === 0) beginExit(sh, 2);
      return undefined;
  }
}

/** A sourced file is named instead of the shell in a script, after it at the prompt. */
function syntaxErrorIn(sh: Shell, f: FrameOf<'failed'>): void {
  const { st } = sh;
  const { name } = st;
  const isFile = f.from.includes('/') && !st.interactive;
  if (isFile) st.name = f.from;
  syntaxError(sh, st.texts[f.src] ?? '', isFile ? '' : f.from);
  st.name = name;
}

/** Ends by the signal, as whoever waits for this process should see. */
function dieOf(sh: Shell, name: SignalName): Step {
  sh.st.dying = true;
  sh.sys.kill(sh.sys.pid, name);
  return wait({ child: true });
}

/** Runs the trap of a caught signal, unless a foreground command must end first. True when something was done. */
function takeSignal(sh: Shell): boolean {
  const { st } = sh;
  const top = st.frames[st.frames.length - 1];
  const name = st.signals[0]!;
  const action = st.traps[name];
  if (action === undefined) {
    if (name === 'HUP') {
      st.signals.shift();
      beginExit(sh, 129);
      return true;
    }
    if (!st.interactive && st.traps['EXIT'] !== undefined && name !== 'INT') {
      st.signals.shift();
      st.fatal = name;
      beginExit(sh, 128 + signalNumber[name]);
      return true;
    }
    if (top?.k === 'wait') return false;
    st.signals.shift();
    if (!st.interactive || st.frames.length === 0) return true;
    out(sh, '\n', 2);
    abort(sh, 130);
    return true;
  }
  if (top?.k === 'wait' || top?.k === 'subst') return false;
  st.signals.shift();
  if (top?.k === 'waitall') {
    popFrame(sh);
    st.status = 128 + signalNumber[name];
  }
  runTrap(sh, action);
  return true;
}

const IGNORED_AT_PROMPT: ReadonlySet<SignalName> = new Set(['TERM', 'QUIT', 'TSTP', 'TTIN', 'TTOU']);

const FATAL: ReadonlySet<SignalName> = new Set(['HUP', 'TERM', 'USR1', 'USR2', 'ALRM', 'QUIT']);

/** Decides about a signal as it arrives; false lets the kernel take the default action. */
export function caught(st: ShellState, name: SignalName): boolean {
  if (st.dying) return false;
  if (st.traps[name] !== undefined) {
    st.signals.push(name);
    return true;
  }
  if (st.interactive) {
    if (name === 'WINCH') {
      if (st.input.k === 'tty' && st.input.editor) st.input.editor.resized = true;
      return true;
    }
    if (name === 'INT' || name === 'HUP') {
      st.signals.push(name);
      return true;
    }
    return IGNORED_AT_PROMPT.has(name);
  }
  // The EXIT trap runs before a fatal signal takes effect.
  if (FATAL.has(name) && st.traps['EXIT'] !== undefined) {
    st.signals.push(name);
    return true;
  }
  if (name === 'INT' && st.frames.some((f) => f.k === 'wait')) {
    st.signals.push(name);
    return true;
  }
  return false;
}
