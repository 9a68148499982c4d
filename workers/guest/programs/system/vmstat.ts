/**
 * vmstat: processes, memory, interrupts and cpu time, once or every few seconds (procps 3.2). What this kernel does not
 * count (swapping, blocks moved) is 0. The first line is about the time since boot.
 */
import { exit, type Program, type Sys, wait } from '../../sys';
import { quietly } from '../options';

interface VmstatState {
  status: number;
  readonly delayNs: number;
  /** Lines still to print; negative: no end. */
  left: number;
  nextNs: number;
  lines: number;
  last: Counters;
}

interface Counters {
  readonly cpu: readonly number[];
  readonly switches: number;
  readonly interrupts: number;
  readonly atNs: number;
}

const TITLE = `procs -----------memory---------- ---swap-- -----io---- --system-- -----cpu------
 r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st
`;
/** The title is repeated so often. */
const TITLE_EVERY = 21;

export const vmstat: Program<VmstatState> = {
  name: 'vmstat',
  start(sys) {
    const words = sys.argv.slice(1).filter((word) => word !== '-n');
    const isUsage = words.length > 2 || words.some((word) => !/^\d+$/.test(word)) || words[0] === '0';
    if (isUsage) sys.eprint('usage: vmstat [-V] [-n] [delay [count]]\n');
    const [delay, count] = words.map(Number);
    const left = delay === undefined ? 1 : (count ?? -1);
    const last: Counters = { cpu: [], switches: 0, interrupts: 0, atNs: 0 };
    return { status: isUsage ? 1 : -1, delayNs: (delay ?? 1) * 1e9, left, nextNs: sys.nowNs, lines: 0, last };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (sys.nowNs < state.nextNs) return wait({ untilNs: state.nextNs });
    if (state.left === 0) return exit(0);
    if (state.lines++ % TITLE_EVERY === 0) sys.print(TITLE);
    const now = counters(sys);
    sys.print(line(sys, state.last, now));
    state.last = now;
    state.left--;
    if (state.left === 0) return exit(0);
    state.nextNs += state.delayNs;
    return wait({ untilNs: state.nextNs });
  },
};

function counters(sys: Sys): Counters {
  const stat = sys.readText('/proc/stat');
  const cpu = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(/\s+/).map(Number);
  const switches = Number(/^ctxt (\d+)/m.exec(stat)?.[1] ?? 0);
  // The first line names the cpus; each other one is a name, a count for each cpu, and what it is.
  const table = (quietly(() => sys.readText('/proc/interrupts')) ?? '').split('\n').slice(1);
  const counts = table.flatMap(
    (row) =>
      row
        .replace(/^[^:]*:/, '')
        .match(/^(\s+\d+)+/)?.[0]
        .trim()
        .split(/\s+/) ?? [],
  );
  return { cpu, switches, interrupts: counts.reduce((sum, it) => sum + Number(it), 0), atNs: sys.nowNs };
}

function line(sys: Sys, last: Counters, now: Counters): string {
  const meminfo = sys.readText('/proc/meminfo');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0);
  // The process that looks does not count itself.
  const running = sys.processes().filter(({ state, pid }) => state === 'R' && pid !== sys.pid).length;
  const seconds = Math.max((now.atNs - last.atNs) / 1e9, 1e-9);
  const rate = (value: number, before: number) => Math.round((value - before) / seconds);
  const ticks = now.cpu.map((value, i) => Math.max(0, value - (last.cpu[i] ?? 0)));
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const [user = 0, niced = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0, stolen = 0] = ticks;
  const percent = (value: number) => (total === 0 ? 0 : Math.round((100 * value) / total));
  const shares = [user + niced, system + hard + soft, idle, waiting, stolen];
  const cells: readonly (readonly [number, number])[] = [
    [2, running],
    [2, 0],
    [6, kib('SwapTotal') - kib('SwapFree')],
    [6, kib('MemFree')],
    [6, kib('Buffers')],
    [6, kib('Cached')],
    ...[4, 4, 5, 5].map((width) => [width, 0] as const),
    [4, rate(now.interrupts, last.interrupts)],
    [4, rate(now.switches, last.switches)],
    ...shares.map((share, i) => [2, total === 0 ? (i === 2 ? 100 : 0) : percent(share)] as const),
  ];
  return `${cells.map(([width, value]) => String(value).padStart(width)).join(' ')}\n`;
}
