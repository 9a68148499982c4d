/**
 * The shell's whole state: plain data that can be written out between any two steps and continued elsewhere.
 *
 * A frame is one construct being executed: which node of which text, and how far it has come. The frames form a stack;
 * the one on top is advanced, and leaves its exit status in `status` when it is popped.
 */
import type { SignalName, Sys, Termios } from '../sys';
import type { Node, Script } from './ast';
import type { EditorState } from './editor/state';
import { parseScript } from './parser';

export interface Variable {
  /** A string, an indexed array (keys are integers) or an associative array. */
  v?: string | { [key: string]: string };
  kind?: 'array' | 'assoc';
  exported?: boolean;
  readonly?: boolean;
  integer?: boolean;
}

/** A value that an expansion found and must find again when it is repeated after waiting for a command substitution. */
export type Logged = string | string[] | null;

/** Where in which text. */
export interface Place {
  src: number;
  at: number;
}

interface Common extends Place {
  /** The status of what runs above is tested (`if`, `&&`, `!` …): `set -e` does not apply. */
  tested?: boolean;
  /** Last thing this process does: a command may replace it. */
  tail?: boolean;
  log?: Logged[];
  /** Status of the last command substitution in this command. */
  substStatus?: number;
  /** Real descriptors of process substitutions opened for this command. */
  procFds?: number[];
}

/** Undoing a temporary change of descriptors and variables. */
export interface Scope {
  fds?: Record<string, number>;
  opened?: number[];
  saved?: Record<string, Variable | null>;
  /** A function call: the caller's positional parameters. */
  args?: string[];
  fn?: string;
  /** `source FILE`: `return` ends it. */
  sourced?: boolean;
  /** Caller's line, for messages. */
  line?: number;
}

export type Frame = Common &
  (
    | {
        k: 'node';
        i?: number;
        words?: string[];
        t0?: number;
        cpu0?: number;
        c0?: number;
        job?: number;
        word?: string;
        phase?: number;
      }
    | ({ k: 'scope' } & Scope)
    | { k: 'subst'; fd: number; pid: number; data: string; eof?: boolean }
    | { k: 'wait'; job: number; line: number }
    | { k: 'waitall'; pids: number[] | null }
    | { k: 'trap'; status: number }
    | {
        k: 'read';
        fd: number;
        data: string;
        names: string[];
        raw: boolean;
        array: boolean;
        until?: number;
        delim: string;
        count: number;
        silent?: boolean;
        escaped?: boolean;
      }
    /** A text with a syntax error ends here, with status 2. */
    | { k: 'failed'; from: string }
  );

export type FrameOf<K extends Frame['k']> = Extract<Frame, { k: K }>;

export interface Proc {
  pid: number;
  state: 'running' | 'stopped' | 'done';
  status: number;
  signal?: SignalName;
}

export interface Job {
  key: number;
  /** Number shown to the user; 0 while it has none (foreground). */
  num: number;
  pgid: number;
  procs: Proc[];
  text: string;
  background: boolean;
  /** Its end or stop has been told to the user. */
  told: boolean;
  pipestatus?: boolean;
}

export interface ShellState {
  /** `$0`, and what messages begin with. */
  name: string;
  args: string[];
  vars: Record<string, Variable>;
  funcs: Record<string, Place>;
  aliases: Record<string, string>;
  /** Options that are on, by letter or name. */
  opts: Record<string, boolean>;
  status: number;
  frames: Frame[];
  texts: Record<string, string>;
  nextText: number;
  jobs: Job[];
  nextJob: number;
  lastBg: number;
  traps: Record<string, string>;
  /** Caught signals whose traps have not run yet. */
  signals: SignalName[];
  /** The shell's descriptors: number as scripts see it → number in the process table. */
  fds: Record<string, number>;
  out: { fd: number; text: string; rest?: string }[];
  /** Descriptors to close once their output has been written. */
  closing: number[];
  input:
    | { k: 'none' }
    | { k: 'stdin'; text: string; eof: boolean }
    | { k: 'tty'; text: string; editor: EditorState | null };
  interactive: boolean;
  /** This shell, or the one it was forked from, is interactive: messages have no line numbers. */
  atPrompt: boolean;
  login: boolean;
  /** Descriptor of the terminal when this shell does job control. */
  tty: number;
  /** Own process group, to take the terminal back. */
  pgid: number;
  subshell: boolean;
  /** `set -e` is suspended because this process was forked inside a tested command. */
  tested: boolean;
  /** Set once the shell has decided to end: the EXIT trap still runs. */
  exiting: number | null;
  startNs: number;
  optpos: number;
  history: string[];
  /** How many of `history` came from the file. */
  historyLoaded: number;
  /** `complete -W/-C`: command → words, or a command that prints them. */
  completions: Record<string, { words?: string; command?: string }>;
  line: number;
  /** PID of the shell the user started (`$$` in subshells). */
  pid: number;
  /** The user has been told that there are stopped jobs. */
  warned: boolean;
  /** Terminal modes that commands find. */
  modes: Termios | null;
  pipeStatus: number[];
  /** Keys that arrived after the Enter of the last line, one character per byte. */
  typeahead: string;
  /** Texts that came from a file: its name, for messages. */
  files: Record<string, string>;
  /** The signal that this shell dies of once its EXIT trap has run. */
  fatal: SignalName | null;
  /** The next SIGINT is not caught any more. */
  dying: boolean;
}

/** The shell at work: its state and the kernel it runs on. Built anew for every step. */
export interface Shell {
  readonly sys: Sys;
  readonly st: ShellState;
}

export function initialState(): ShellState {
  return {
    name: 'sh',
    args: [],
    vars: {},
    funcs: {},
    aliases: {},
    opts: {},
    status: 0,
    frames: [],
    texts: {},
    nextText: 1,
    jobs: [],
    nextJob: 1,
    lastBg: 0,
    traps: {},
    signals: [],
    fds: { 0: 0, 1: 1, 2: 2 },
    out: [],
    closing: [],
    input: { k: 'none' },
    interactive: false,
    atPrompt: false,
    login: false,
    tty: -1,
    pgid: 0,
    subshell: false,
    tested: false,
    exiting: null,
    startNs: 0,
    optpos: 0,
    history: [],
    historyLoaded: 0,
    completions: {},
    line: 0,
    pid: 0,
    warned: false,
    modes: null,
    pipeStatus: [],
    typeahead: '',
    files: {},
    fatal: null,
    dying: false,
  };
}

/** Gives a script text a number that frames can refer to. */
export function addText(st: ShellState, text: string): number {
  if (st.nextText % 64 === 0) forgetTexts(st);
  const id = st.nextText++;
  st.texts[id] = text;
  return id;
}

/** Drops texts that no frame and no function refers to. */
function forgetTexts(st: ShellState): void {
  const used = new Set([...st.frames, ...Object.values(st.funcs)].map((f) => String(f.src)));
  for (const id of Object.keys(st.texts)) {
    if (used.has(id)) continue;
    delete st.texts[id];
    delete st.files[id];
  }
}

export function scriptOf(st: ShellState, src: number): Script {
  return parseScript(st.texts[src] ?? '');
}

export function nodeAt(st: ShellState, place: Place): Node {
  return scriptOf(st, place.src).nodes[place.at]!;
}

export function pushNode(
  st: ShellState,
  src: number,
  at: number,
  more: { tail?: boolean; tested?: boolean } = {},
): void {
  const frame: Frame = { k: 'node', src, at };
  if (more.tail) frame.tail = true;
  if (more.tested) frame.tested = true;
  st.frames.push(frame);
}

/** The state of a child process that runs `node` of this shell and nothing else. */
export function forkState(st: ShellState, places: readonly Place[], fds: readonly string[]): ShellState {
  const texts: Record<string, string> = {};
  for (const p of [...places, ...Object.values(st.funcs)]) texts[p.src] = st.texts[p.src] ?? '';
  return {
    ...st,
    texts,
    frames: places.map((p) => ({ k: 'node', src: p.src, at: p.at, tail: true }) satisfies Frame),
    jobs: [],
    traps: Object.fromEntries(Object.entries(st.traps).filter(([, action]) => action === '')),
    signals: [],
    out: [],
    closing: [],
    fds: Object.fromEntries(fds.map((fd) => [fd, Number(fd)])),
    input: { k: 'none' },
    interactive: false,
    login: false,
    tty: -1,
    subshell: true,
    tested: st.tested || st.frames.some((f) => f.tested),
    exiting: null,
    history: [],
  };
}

/** Writes through the shell's descriptor table; sent before anything else happens. */
export function out(sh: Shell, text: string, fd = 1): void {
  if (text === '') return;
  const real = sh.st.fds[fd];
  if (real === undefined) return;
  const last = sh.st.out[sh.st.out.length - 1];
  if (last && last.fd === real) last.text += text;
  else sh.st.out.push({ fd: real, text });
}

/** "NAME: line N: " (a script) or "-bash: " (at the prompt), as bash begins its messages. */
export function complain(sh: Shell, message: string): void {
  const { st } = sh;
  const top = st.frames[st.frames.length - 1];
  const name = (!st.atPrompt && top && st.files[top.src]) || st.name;
  out(sh, `${name}: ${st.atPrompt ? '' : `line ${st.line}: `}${message}\n`, 2);
}
