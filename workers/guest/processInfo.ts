/** What ps, top and /proc say about a process. */
import type { Core } from './core';
import type { Process } from './process';
import type { ProcessInfo } from './sys';

/** Text, stack and libraries that every process has, KiB. */
const BASE_RSS_KIB = 232;
const PAGE_KIB = 4;

/** Resident memory: a base, the frames it has asked for, and what its state and waiting output hold. */
export function rssKiB({ record }: Process): number {
  if (record.runState === 'zombie') return 0;
  const output = record.output.reduce((sum, piece) => sum + piece.bytes.length, 0);
  return BASE_RSS_KIB + PAGE_KIB * record.memory.length + Math.ceil((sizeOf(record.state, 8) + output) / 1024);
}

/** Rough size of plain data in bytes; looks `depth` levels deep. */
function sizeOf(value: unknown, depth: number): number {
  if (typeof value === 'string') return 16 + value.length;
  if (value instanceof Uint8Array) return 16 + value.length;
  if (typeof value !== 'object' || value === null || depth === 0) return 8;
  let total = 32;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) total += 16 + sizeOf(inner, depth - 1);
  return total;
}

export function processInfo(core: Core, process: Process): ProcessInfo {
  const { record } = process;
  const tty = record.tty === 0 ? undefined : core.terminals.find(record.tty)?.name.replace('/dev/', '');
  const { pid, ppid, pgid, sid, uid, argv, startNs, vcpu } = record;
  const states = { runnable: 'R', waiting: 'S', stopped: 'T', zombie: 'Z' } as const;
  return {
    pid,
    ppid,
    pgid,
    sid,
    uid,
    comm: process.comm,
    argv,
    state: states[record.runState],
    tty,
    cpuNs: record.userNs + record.systemNs,
    startNs,
    vcpu,
    rssKiB: rssKiB(process),
    nice: record.nice,
  };
}
