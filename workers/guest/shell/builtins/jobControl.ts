/** jobs, fg, bg, wait, kill, times. */
import { strerror } from '../../../lib/errno';
import { parseSignal, signalList } from '../../signals';
import { again, type Step, SysError, wait } from '../../sys';
import { finish } from '../flow';
import { continueJob, findJob, jobLine, jobState, jobStatus, reap } from '../jobs';
import { minutes } from '../pipeline';
import { complain, type FrameOf, type Job, out, type Shell } from '../state';
import type { Builtin } from './call';
import { flags } from './call';

const jobs: Builtin = ({ sh, argv }) => {
  const { st } = sh;
  reap(sh);
  const { on, rest } = flags(argv.slice(1), 'lprsn');
  for (const job of [...st.jobs].sort((a, b) => a.num - b.num)) {
    if (job.num === 0 || (rest.length > 0 && !rest.some((spec) => findJob(sh, spec) === job))) continue;
    const state = jobState(job);
    if ((on.has('r') && state !== 'running') || (on.has('s') && state !== 'stopped')) continue;
    out(sh, on.has('p') ? `${job.procs[0]!.pid}\n` : `${jobLine(sh, job, on.has('l'))}\n`);
    job.told = true;
    if (state === 'done' && st.interactive) st.jobs = st.jobs.filter((j) => j !== job);
  }
  return 0;
};

const resume: Builtin = ({ sh, argv, frame }) => {
  const { st } = sh;
  const toFront = argv[0] === 'fg';
  if (st.tty < 0) {
    complain(sh, `${argv[0]}: no job control`);
    return 1;
  }
  reap(sh);
  const job = findJob(sh, argv[1]);
  if (!job) {
    complain(sh, `${argv[0]}: ${argv[1] ?? 'current'}: no such job`);
    return 1;
  }
  if (toFront) out(sh, `${job.text}\n`);
  else out(sh, `[${job.num}]+ ${job.text} &\n`);
  continueJob(sh, job, toFront);
  if (!toFront) return 0;
  st.frames.push({ k: 'wait', src: frame.src, at: frame.at, job: job.key, line: st.line });
  return undefined;
};

const waitFor: Builtin = ({ sh, argv, frame }) => {
  const { st } = sh;
  const pids: number[] = [];
  for (const spec of argv.slice(1)) {
    const job = spec.startsWith('%')
      ? findJob(sh, spec)
      : st.jobs.find((j) => j.procs.some((p) => p.pid === Number(spec)));
    if (!job) {
      const missing = spec.startsWith('%') ? `${spec}: no such job` : `pid ${spec} is not a child of this shell`;
      complain(sh, `wait: ${/^(%.*|\d+)$/.test(spec) ? missing : `\`${spec}': not a pid or valid job spec`}`);
      if (argv.length === 2) return spec.match(/^(%.*|\d+)$/) ? 127 : 1;
      continue;
    }
    pids.push(job.procs[job.procs.length - 1]!.pid);
  }
  st.frames.push({ k: 'waitall', src: frame.src, at: frame.at, pids: argv.length > 1 ? pids : null });
  return undefined;
};

/** Advances `wait`: done when all the jobs it waits for have ended. */
export function waitAll(sh: Shell, f: FrameOf<'waitall'>): Step | undefined {
  const { st } = sh;
  const wanted = (job: Job) => job.background && (!f.pids || job.procs.some((p) => f.pids!.includes(p.pid)));
  const mine = st.jobs.filter(wanted);
  if (mine.some((job) => jobState(job) === 'running')) return wait({ child: true });
  const last = f.pids && mine.find((job) => job.procs.some((p) => p.pid === f.pids![f.pids!.length - 1]));
  if (!st.interactive) st.jobs = st.jobs.filter((job) => !mine.includes(job));
  finish(sh, last ? jobStatus(sh, last) : f.pids ? 127 : 0, true);
  return undefined;
}

const kill: Builtin = ({ sh, argv }) => {
  const { sys } = sh;
  let args = argv.slice(1);
  let name = 'TERM';
  const first = args[0];
  if (first === '-l' || first === '-L') {
    if (args[1] !== undefined) {
      const number = Number(args[1]);
      const found = /^\d+$/.test(args[1])
        ? parseSignal(String(number > 128 ? number - 128 : number))
        : signalList.find(([n]) => n === parseSignal(args[1]!))?.[1];
      if (found === undefined) {
        complain(sh, `kill: ${args[1]}: invalid signal specification`);
        return 1;
      }
      out(sh, `${found}\n`);
      return 0;
    }
    out(sh, `${signalList.map(([n, i]) => `${String(i).padStart(2)}) SIG${n}`).join('\t')}\n`);
    return 0;
  }
  if ((first === '-s' || first === '-n') && args.length > 1) {
    name = args[1]!;
    args = args.slice(2);
  } else if (first !== undefined && /^-[A-Za-z0-9]+$/.test(first)) {
    name = first.slice(1);
    args = args.slice(1);
  }
  if (args[0] === '--') args = args.slice(1);
  if (args.length === 0) {
    out(sh, 'kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n', 2);
    return 1;
  }
  const signal = parseSignal(name);
  if (!signal && name !== '0') {
    complain(sh, `kill: ${name}: invalid signal specification`);
    return 1;
  }
  let status = 0;
  let own = false;
  for (const spec of args) {
    const job = spec.startsWith('%') ? findJob(sh, spec) : undefined;
    const pid = job ? (sh.st.tty >= 0 ? -job.pgid : job.procs[0]!.pid) : Number(spec);
    if (spec.startsWith('%') && !job) {
      complain(sh, `kill: ${spec}: no such job`);
      status = 1;
    } else if (!Number.isInteger(pid)) {
      complain(sh, `kill: ${spec}: arguments must be process or job IDs`);
      status = 1;
    } else status = send(sh, pid, signal, spec) ? status : 1;
    if (job && signal && signal !== 'CONT' && jobState(job) === 'stopped') sys.kill(pid, 'CONT');
    if (pid === sys.pid || pid === 0 || pid === -sys.pgid) own = true;
  }
  if (!own) return status;
  // A signal to itself arrives before the next command.
  finish(sh, status);
  return again();
};

function send(sh: Shell, pid: number, signal: ReturnType<typeof parseSignal>, spec: string): boolean {
  const { sys } = sh;
  try {
    if (signal) sys.kill(pid, signal);
    else if (!sys.processes().some((p) => p.pid === pid || p.pgid === -pid)) throw new SysError('ESRCH');
    return true;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    complain(sh, `kill: (${spec}) - ${strerror[error.code]}`);
    return false;
  }
}

const times: Builtin = ({ sh }) => {
  const line = (ns: number) => `${minutes(ns / 1e9)} ${minutes(0)}\n`;
  out(sh, line(sh.sys.cpuNs) + line(sh.sys.childrenCpuNs));
  return 0;
};

export const jobControl = { jobs, fg: resume, bg: resume, wait: waitFor, kill, times } satisfies Record<
  string,
  Builtin
>;
