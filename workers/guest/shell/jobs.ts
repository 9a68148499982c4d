/** Jobs: the children of a shell, grouped as the user sees them; foreground, background, stopped, done. */
import { signalNumber } from '../signals';
import { type ChildEvent, type SignalName, type Step, SysError, wait } from '../sys';
import { abort, finish } from './flow';
import { complain, type FrameOf, type Job, out, type Proc, type Shell } from './state';

export const SIGNAL_TEXT: Readonly<Partial<Record<SignalName, string>>> = {
  HUP: 'Hangup',
  INT: 'Interrupt',
  QUIT: 'Quit',
  ILL: 'Illegal instruction',
  TRAP: 'Trace/breakpoint trap',
  ABRT: 'Aborted',
  BUS: 'Bus error',
  FPE: 'Floating point exception',
  KILL: 'Killed',
  USR1: 'User defined signal 1',
  SEGV: 'Segmentation fault',
  USR2: 'User defined signal 2',
  ALRM: 'Alarm clock',
  TERM: 'Terminated',
};

export function newJob(sh: Shell, pids: readonly number[], text: string, pgid: number, background = false): Job {
  const { st } = sh;
  const job: Job = {
    key: st.nextJob++,
    num: 0,
    pgid,
    procs: pids.map((pid) => ({ pid, state: 'running', status: 0 })),
    text,
    background,
    told: true,
  };
  st.jobs.push(job);
  return job;
}

export function numberJob(sh: Shell, job: Job): void {
  if (job.num === 0) job.num = 1 + Math.max(0, ...sh.st.jobs.map((j) => j.num));
}

/** Takes in whatever has happened to children. */
export function reap(sh: Shell): void {
  for (;;) {
    let event: ChildEvent | undefined;
    try {
      event = sh.sys.waitChild();
    } catch (error) {
      if (error instanceof SysError) return; // ECHILD: there are none left
      throw error;
    }
    if (!event) return;
    for (const job of sh.st.jobs) {
      const proc = job.procs.find((p) => p.pid === event.pid);
      if (!proc) continue;
      note(proc, event);
      if (job.background || event.kind === 'stopped') job.told = false;
    }
  }
}

function note(proc: Proc, event: ChildEvent): void {
  if (event.kind === 'exited') {
    proc.state = 'done';
    proc.status = event.status;
  } else {
    proc.state = event.kind === 'stopped' ? 'stopped' : 'done';
    proc.signal = event.signal;
    proc.status = 128 + signalNumber[event.signal];
  }
}

export function jobState(job: Job): 'running' | 'stopped' | 'done' {
  if (job.procs.some((p) => p.state === 'running')) return 'running';
  return job.procs.some((p) => p.state === 'stopped') ? 'stopped' : 'done';
}

export function jobStatus(sh: Shell, job: Job): number {
  const failed = sh.st.opts['pipefail'] ? [...job.procs].reverse().find((p) => p.status !== 0) : undefined;
  return (failed ?? job.procs[job.procs.length - 1])?.status ?? 0;
}

/** Runs a foreground job to its end (or until it stops). */
export function waitForeground(sh: Shell, f: FrameOf<'wait'>): Step | undefined {
  const { st, sys } = sh;
  const job = st.jobs.find((j) => j.key === f.job);
  if (!job) {
    finish(sh, st.status);
    return undefined;
  }
  const state = jobState(job);
  if (state === 'running') return wait({ child: true });
  if (st.tty >= 0) takeTerminal(sh, job);
  const last = job.procs[job.procs.length - 1]!;
  if (state === 'stopped') {
    numberJob(sh, job);
    job.background = true;
    job.told = true;
    out(sh, `\n${jobLine(sh, job)}\n`, 2);
    finish(sh, 128 + signalNumber[last.signal ?? 'TSTP'], true);
    return undefined;
  }
  st.jobs = st.jobs.filter((j) => j !== job);
  st.pipeStatus = job.procs.map((p) => p.status);
  const status = jobStatus(sh, job);
  if (last.signal === 'INT' && st.interactive) {
    out(sh, '\n', 2);
    abort(sh, 130);
    return undefined;
  }
  if (last.signal === 'INT' && st.signals.includes('INT') && !st.traps['INT']) {
    // The terminal's Ctrl-C went to the whole group and the child died of it: so does the script.
    st.dying = true;
    sys.kill(sys.pid, 'INT');
    return wait({ child: true });
  }
  st.signals = st.signals.filter((s) => s !== 'INT' || st.traps['INT'] !== undefined);
  const told = last.signal && SIGNAL_TEXT[last.signal];
  if (told && last.signal !== 'INT' && !st.subshell) {
    if (st.interactive) out(sh, `${told}\n`, 2);
    else complain(sh, `${String(last.pid).padStart(5)} ${told.padEnd(23)} ${job.text}`);
  }
  finish(sh, status);
  return undefined;
}

/** After a job ended or stopped: the terminal is ours again, with the modes it had unless the job ended well. */
function takeTerminal(sh: Shell, job: Job): void {
  const { st, sys } = sh;
  sys.setForeground(st.tty, st.pgid);
  const clean = jobState(job) === 'done' && job.procs.every((p) => !p.signal);
  if (clean) st.modes = { ...sys.getTermios(st.tty) };
  else if (st.modes) sys.setTermios(st.tty, st.modes);
}

/** Current (`+`) and previous (`-`) job. */
function currentJobs(sh: Shell): Job[] {
  const shown = sh.st.jobs.filter((j) => j.num > 0);
  const stopped = shown.filter((j) => jobState(j) === 'stopped');
  const others = shown.filter((j) => jobState(j) !== 'stopped');
  return [...stopped.reverse(), ...others.reverse()];
}

export function jobLine(sh: Shell, job: Job, withPid = false): string {
  const [current, previous] = currentJobs(sh);
  const mark = job === current ? '+' : job === previous ? '-' : ' ';
  const state = jobState(job);
  const last = job.procs[job.procs.length - 1]!;
  const signal = last.signal && SIGNAL_TEXT[last.signal];
  const word =
    state === 'running'
      ? 'Running'
      : state === 'stopped'
        ? 'Stopped'
        : (signal ?? (last.status ? `Exit ${last.status}` : 'Done'));
  const pid = withPid ? `${String(job.procs[0]!.pid).padStart(5)} ` : '';
  return `[${job.num}]${mark}  ${pid}${word.padEnd(24)}${job.text}${state === 'running' ? ' &' : ''}`;
}

/** Before a prompt: what background jobs have done since the last one. */
export function tellJobs(sh: Shell): void {
  const { st } = sh;
  reap(sh);
  for (const job of st.jobs) {
    const state = jobState(job);
    if (job.num > 0 && !job.told && state !== 'running') {
      out(sh, `${jobLine(sh, job)}\n`, 2);
      job.told = true;
    }
    if (state === 'done') st.jobs = st.jobs.filter((j) => j !== job);
  }
}

/** `%1`, `%+`, `%-`, `%name`, `%?text`, or nothing for the current job. */
export function findJob(sh: Shell, spec: string | undefined): Job | undefined {
  const [current, previous] = currentJobs(sh);
  if (spec === undefined || spec === '%' || spec === '%+' || spec === '%%') return current;
  if (spec === '%-') return previous;
  const text = spec.replace(/^%/, '');
  if (/^\d+$/.test(text)) return sh.st.jobs.find((j) => j.num > 0 && j.num === Number(text));
  if (text.startsWith('?')) return sh.st.jobs.find((j) => j.num > 0 && j.text.includes(text.slice(1)));
  return sh.st.jobs.find((j) => j.num > 0 && j.text.startsWith(text));
}

/** `fg` and `bg`. */
export function continueJob(sh: Shell, job: Job, foreground: boolean): void {
  const { st, sys } = sh;
  for (const p of job.procs)
    if (p.state === 'stopped') Object.assign(p, { state: 'running', signal: undefined, status: 0 });
  job.background = !foreground;
  job.told = true;
  if (foreground && st.tty >= 0) sys.setForeground(st.tty, job.pgid);
  sys.kill(-job.pgid, 'CONT');
}
