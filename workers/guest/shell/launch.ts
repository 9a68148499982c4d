/** Starting processes: children for commands, pipelines, subshells and command substitutions. */
import { again, type Step, type Sys, SysError, wait } from '../sys';
import type { Seg } from './ast';
import { newJob } from './jobs';
import { addText, complain, type Frame, type FrameOf, forkState, type Place, type Shell, scriptOf } from './state';
import { environment, lookup } from './variables';

/** Child's descriptor table for a spawn: the shell's own, with some replaced. */
export type Fds = Record<string, number>;

/** Starts a copy of this shell that runs the given nodes. */
export function fork(sh: Shell, places: readonly Place[], fds: Fds, pgid: number | undefined): number {
  const state = forkState(sh.st, places, Object.keys(fds));
  return sh.sys.spawn({
    argv: sh.sys.argv.length > 0 ? sh.sys.argv : ['sh'],
    fork: { program: 'sh', state },
    env: environment(sh.st),
    fds,
    ...(pgid === undefined ? {} : { pgid }),
  });
}

/** Where a command is: its path, or why it cannot be run. */
export function findCommand(sh: Shell, name: string): { path: string } | { status: number; message: string } {
  const { sys } = sh;
  const notFound = { status: 127, message: `${name}: command not found` };
  if (name === '') return notFound;
  if (name.includes('/')) {
    if (!sys.exists(name)) return { status: 127, message: `${name}: No such file or directory` };
    if (sys.stat(name).kind === 'dir') return { status: 126, message: `${name}: is a directory` };
    return sys.access(name, 'x') ? { path: name } : { status: 126, message: `${name}: Permission denied` };
  }
  const path = lookup(sh.st, 'PATH')?.v;
  let denied: string | undefined;
  for (const dir of (typeof path === 'string' ? path : '').split(':')) {
    const file = dir === '' ? name : `${dir.replace(/\/$/, '')}/${name}`;
    if (!sys.exists(file) || sys.stat(file).kind === 'dir') continue;
    if (sys.access(file, 'x')) return { path: file };
    denied ??= file;
  }
  return denied ? { status: 126, message: `${denied}: Permission denied` } : notFound;
}

/** Starts a program file; the message is printed and the status returned when it cannot be started. */
export function spawnFile(
  sh: Shell,
  argv: readonly string[],
  env: Record<string, string>,
  fds: Fds,
  pgid: number | undefined,
): { pid: number } | { status: number } {
  const found = findCommand(sh, argv[0]!);
  if ('status' in found) {
    complain(sh, found.message);
    return found;
  }
  const options = { env, fds, ...(pgid === undefined ? {} : { pgid }) };
  try {
    return { pid: sh.sys.spawn({ argv, ...options }) };
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.code === 'ENOEXEC')
      return { pid: sh.sys.spawn({ argv: ['sh', found.path, ...argv.slice(1)], ...options }) };
    complain(sh, `${argv[0]}: ${error.message.replace(/^.*: /, '')}`);
    return { status: error.code === 'ENOENT' ? 127 : 126 };
  }
}

/** Makes the process's real descriptors what the script's table says; used before the process is replaced. */
export function settleFds(sys: Sys, fds: Fds): void {
  const wanted = Object.entries(fds).map(([fd, real]) => [Number(fd), real] as const);
  if (wanted.every(([fd, real]) => fd === real)) return;
  const high = wanted.map(([fd, real]) => [fd, sys.dup(real, 200 + fd)] as const);
  for (const fd of new Set([0, 1, 2, ...wanted.flat()])) tryClose(sys, fd);
  for (const [fd, copy] of high) {
    sys.dup(copy, fd);
    sys.close(copy);
  }
}

function tryClose(sys: Sys, fd: number): void {
  try {
    sys.close(fd);
  } catch (error) {
    if (!(error instanceof SysError)) throw error; // was not open: nothing to close
  }
}

/** Starts `$(…)`; its output goes into the log of the frame below. */
export function startSubstitution(sh: Shell, f: Frame, seg: Seg & { k: 'cmd' | 'proc' }): void {
  const { st, sys } = sh;
  const src = addText(st, seg.src);
  const place = { src, at: scriptOf(st, src).root };
  const [readEnd, writeEnd] = sys.pipe();
  if (seg.k === 'proc') {
    const [mine, theirs, fd] = seg.dir === '<' ? [readEnd, writeEnd, 1] : [writeEnd, readEnd, 0];
    fork(sh, [place], { ...st.fds, [fd]: theirs }, undefined);
    sys.close(theirs);
    const name = 60 + (f.procFds?.length ?? 0);
    st.fds[name] = mine;
    f.procFds = [...(f.procFds ?? []), mine];
    f.log?.push(`/dev/fd/${name}`);
    return;
  }
  const pid = fork(sh, [place], { ...st.fds, 1: writeEnd }, undefined);
  sys.close(writeEnd);
  st.frames.push({ k: 'subst', src, at: 0, fd: readEnd, pid, data: '' });
  newJob(sh, [pid], '', 0);
}

const decoder = new TextDecoder();

/** Reads what a command substitution prints until it ends. */
export function collect(sh: Shell, f: FrameOf<'subst'>): Step | undefined {
  const { st, sys } = sh;
  if (!f.eof) {
    const bytes = sys.read(f.fd, 65536);
    if (!bytes) return wait({ readable: f.fd });
    if (bytes.length > 0) {
      for (let i = 0; i < bytes.length; i += 8192) f.data += String.fromCharCode(...bytes.subarray(i, i + 8192));
      return undefined;
    }
    sys.close(f.fd);
    f.eof = true;
  }
  const job = st.jobs.find((j) => j.procs[0]?.pid === f.pid);
  const proc = job?.procs[0];
  if (job && proc?.state !== 'done') return wait({ child: true });
  st.jobs = st.jobs.filter((j) => j !== job);
  st.frames.pop();
  const below = st.frames[st.frames.length - 1];
  if (!below) return undefined;
  const text = decoder.decode(Uint8Array.from(f.data, (c) => c.charCodeAt(0)));
  below.log?.push(text.replace(/\0/g, '').replace(/\n+$/, ''));
  below.substStatus = proc?.status ?? 0;
  st.status = below.substStatus;
  return undefined;
}

/** Replaces this process by a program; undefined (status set, message printed) when there is no such program. */
export function replaceProcess(
  sh: Shell,
  argv: readonly string[],
  env: Record<string, string>,
  fds: Fds,
  builtin = false,
): Step | undefined {
  const { sys } = sh;
  const found = findCommand(sh, argv[0]!);
  if ('status' in found) {
    complain(sh, builtin ? `exec: ${found.message.replace('command not found', 'not found')}` : found.message);
    sh.st.status = found.status;
    return undefined;
  }
  const previous = sh.st.tty;
  try {
    settleFds(sys, fds);
    if (previous >= 0) tryClose(sys, previous);
    sys.exec(argv, env);
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== 'ENOEXEC') throw error;
    sys.exec(['sh', found.path, ...argv.slice(1)], env);
  }
  return again();
}
