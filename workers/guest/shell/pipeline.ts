/** Pipelines, subshells, background lists and `time`: everything that needs processes of its own. */
import type { Node, NodeOf } from './ast';
import { isBuiltin } from './builtins/names';
import { expandWords } from './expand';
import { finish } from './flow';
import { newJob, numberJob } from './jobs';
import { type Fds, findCommand, fork, spawnFile } from './launch';
import { type FrameOf, nodeAt, out, type Shell, scriptOf } from './state';
import { environment } from './variables';

type NodeFrame = FrameOf<'node'>;

/** Source text of a node, as `jobs` shows it. */
export function nodeText(sh: Shell, src: number, at: number): string {
  const script = scriptOf(sh.st, src);
  const node = script.nodes[at]!;
  return script.text
    .slice(node.pos, node.end)
    .replace(/[\s;&]+$/, '')
    .replace(/\s*\n\s*/g, '; ');
}

/** Process group of a new job: its own when this shell controls a terminal. */
export const groupOf = (sh: Shell): number | undefined => (sh.st.tty >= 0 ? 0 : undefined);

/** Gives the terminal to a job and waits for it. */
export function foreground(sh: Shell, f: NodeFrame, pids: readonly number[], text: string, line: number): void {
  const { st } = sh;
  const pgid = pids[0]!;
  const job = newJob(sh, pids, text, pgid);
  if (st.tty >= 0) sh.sys.setForeground(st.tty, pgid);
  st.frames.push({ k: 'wait', src: f.src, at: f.at, job: job.key, line });
}

export function startSubshell(sh: Shell, f: NodeFrame): undefined {
  const text = nodeText(sh, f.src, f.at);
  const { line } = nodeAt(sh.st, f);
  sh.st.frames.pop();
  const pid = fork(sh, [{ src: f.src, at: f.at }], { ...sh.st.fds }, groupOf(sh));
  foreground(sh, f, [pid], text, line);
}

/** `cmd &` */
export function background(sh: Shell, src: number, at: number): undefined {
  const { st, sys } = sh;
  const fds: Fds = { ...st.fds };
  let nothing: number | undefined;
  if (st.tty < 0 && sys.exists('/dev/null')) {
    nothing = sys.open('/dev/null', { read: true });
    fds[0] = nothing;
  }
  const pid = startStage(sh, src, at, fds, groupOf(sh));
  if (nothing !== undefined) sys.close(nothing);
  const job = newJob(sh, [pid], nodeText(sh, src, at), pid, true);
  numberJob(sh, job);
  st.lastBg = pid;
  st.status = 0;
  if (st.interactive) out(sh, `[${job.num}] ${pid}\n`, 2);
}

/** Starts every stage, connected by pipes; the frame then waits for the job. */
export function pipeline(sh: Shell, f: NodeFrame, node: NodeOf<'pipe'>): undefined {
  const { st, sys } = sh;
  if (f.phase === 1) {
    if (node.time) timeReport(sh, f, node.time);
    return finish(sh, node.neg ? (st.status === 0 ? 1 : 0) : st.status, node.neg);
  }
  f.phase = 1;
  f.t0 = sys.nowNs;
  f.cpu0 = sys.cpuNs;
  f.c0 = sys.childrenCpuNs;
  const pids: number[] = [];
  let input: number | undefined;
  for (const [i, at] of node.cmds.entries()) {
    const fds: Fds = { ...st.fds };
    if (input !== undefined) fds[0] = input;
    const pipe = i < node.cmds.length - 1 ? sys.pipe() : undefined;
    if (pipe) fds[1] = pipe[1];
    if (pipe && node.both[i]) fds[2] = pipe[1];
    pids.push(startStage(sh, f.src, at, fds, st.tty >= 0 ? (pids[0] ?? 0) : undefined));
    if (pipe) sys.close(pipe[1]);
    if (input !== undefined) sys.close(input);
    input = pipe?.[0];
  }
  // Until `!` and `pipefail` have been looked at, the status means nothing to `set -e`.
  f.tested = true;
  foreground(sh, f, pids, nodeText(sh, f.src, f.at), node.line);
}

/** A stage that is just a program is started at once; anything else is a copy of this shell that runs the node. */
function startStage(sh: Shell, src: number, at: number, fds: Fds, pgid: number | undefined): number {
  const node = scriptOf(sh.st, src).nodes[at]!;
  const argv = plainProgram(sh, node);
  if (argv) {
    const started = spawnFile(sh, argv, environment(sh.st), fds, pgid);
    if ('pid' in started) return started.pid;
  }
  return fork(sh, [{ src, at }], fds, pgid);
}

/** The arguments, when the node runs a program file and expanding it here has no effect on this shell. */
function plainProgram(sh: Shell, node: Node): string[] | undefined {
  if (node.k !== 'simple' || node.hasCmd || node.assigns.length > 0 || node.redirs.length > 0 || sh.st.opts['x'])
    return undefined;
  const words = [];
  for (const word of node.words) {
    if ('assign' in word) return undefined;
    if (!word.every((s) => s.k === 'lit' || (s.k === 'param' && !s.op && !s.index && !sh.st.opts['u'])))
      return undefined;
    words.push(word);
  }
  const argv = expandWords({ sh, log: undefined, at: 0 }, words);
  const name = argv[0];
  if (name === undefined || Object.hasOwn(sh.st.funcs, name) || isBuiltin(name)) return undefined;
  return 'path' in findCommand(sh, name) ? argv : undefined;
}

/** What `time` prints to standard error. */
export function timeReport(sh: Shell, f: NodeFrame, style: 'bash' | 'posix'): void {
  const real = (sh.sys.nowNs - (f.t0 ?? 0)) / 1e9;
  const user = (sh.sys.cpuNs - (f.cpu0 ?? 0) + sh.sys.childrenCpuNs - (f.c0 ?? 0)) / 1e9;
  if (style === 'posix') {
    out(sh, `real ${real.toFixed(2)}\nuser ${user.toFixed(2)}\nsys 0.00\n`, 2);
    return;
  }
  out(sh, `\nreal\t${minutes(real)}\nuser\t${minutes(user)}\nsys\t${minutes(0)}\n`, 2);
}

export function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)}m${(seconds % 60).toFixed(3)}s`;
}
