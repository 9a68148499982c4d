/** top: the busiest processes, refreshed until q is pressed, or in batches (procps 3.2; numbers of sys.processes and /proc). */
import { exit, type ProcessInfo, type Program, type Step, type Sys, type Termios, wait } from '../../sys';
import { optionsOf, type ToolSpec } from '../options';
import { userName } from '../users';
import { uptimeFacts, uptimeLine } from './time';

const TOP: ToolSpec = {
  usage: '-hv | -bcisS -d delay -n iterations [-u user | -U user] -p pid [,pid ...]',
  options: 'bcisShvd:n:p:u:U:',
};

interface TopState {
  /** What it ends with; negative while it runs. */
  status: number;
  readonly isBatch: boolean;
  readonly delayNs: number;
  /** Screens still to show; negative: no end. */
  left: number;
  readonly pids: readonly number[];
  nextNs: number;
  /** cpu time of each process, and of the machine by kind, at the last screen. */
  lastNs: number;
  lastCpu: readonly (readonly [number, number])[];
  lastTicks: readonly number[];
  saved: Termios | null;
}

export const top: Program<TopState> = {
  name: 'top',
  start(sys) {
    const blank: TopState = {
      status: -1,
      isBatch: false,
      delayNs: 3e9,
      left: -1,
      pids: [],
      nextNs: sys.nowNs,
      lastNs: 0,
      lastCpu: [],
      lastTicks: [],
      saved: null,
    };
    const options = optionsOf(sys, 'top', TOP);
    if (typeof options === 'number') return { ...blank, status: options };
    const delay = Number(options.value('d') ?? 3);
    const left = Number(options.value('n') ?? -1);
    if (!(delay >= 0) || !Number.isInteger(left) || left === 0) {
      sys.eprint(`top: bad ${!(delay >= 0) ? 'delay interval' : 'iterations'} argument\n`);
      return { ...blank, status: 1 };
    }
    const isBatch = options.has('b') || !sys.isatty(1);
    const pids = (options.value('p') ?? '').split(',').filter(Boolean).map(Number);
    const state = { ...blank, isBatch, delayNs: Math.max(delay, 0.1) * 1e9, left, pids };
    if (!isBatch && sys.isatty(0)) {
      state.saved = sys.getTermios(0);
      sys.setTermios(0, { ...state.saved, icanon: false, echo: false });
    }
    return state;
  },
  step(sys, state) {
    if (state.status >= 0) return leave(sys, state, state.status);
    if (!state.isBatch && takeKeys(sys, state)) return leave(sys, state, 0);
    if (sys.nowNs >= state.nextNs) {
      show(sys, state);
      state.nextNs = sys.nowNs + state.delayNs;
      if (state.left > 0 && --state.left === 0) return leave(sys, state, 0);
    }
    return wait({ untilNs: state.nextNs }, ...(state.isBatch ? [] : [{ readable: 0 }]));
  },
  signal(sys, state, signal) {
    if (signal === 'WINCH') state.nextNs = sys.nowNs;
    else if (signal === 'INT' || signal === 'TERM') state.status = 0;
    else return false;
    return true;
  },
};

function leave(sys: Sys, state: TopState, status: number): Step {
  if (state.saved) sys.setTermios(0, state.saved);
  if (!state.isBatch) sys.print(`\x1b[${sys.winsize(1).rows};1H\n`);
  return exit(status);
}

/** True: q was pressed. Space shows the next screen at once. */
function takeKeys(sys: Sys, state: TopState): boolean {
  for (let keys = sys.read(0, 64); keys; keys = sys.read(0, 64)) {
    if (keys.length === 0) return true;
    for (const key of keys) {
      if (key === 0x71 || key === 0x51) return true;
      if (key === 0x20 || key === 0x0d || key === 0x0a) state.nextNs = sys.nowNs;
    }
  }
  return false;
}

function show(sys: Sys, state: TopState): void {
  const all = sys.processes();
  const elapsed = Math.max(1, sys.nowNs - state.lastNs);
  const before = new Map(state.lastCpu);
  const share = (it: ProcessInfo) => Math.max(0, (100 * (it.cpuNs - (before.get(it.pid) ?? 0))) / elapsed);
  const chosen = state.pids.length > 0 ? all.filter(({ pid }) => state.pids.includes(pid)) : all;
  const rows = chosen
    .map((it) => ({ it, percent: share(it) }))
    .sort((a, b) => b.percent - a.percent || a.it.pid - b.it.pid);
  const lines = [...summary(sys, state, all), '', TITLE, ...rows.map(({ it, percent }) => row(sys, it, percent))];
  if (state.isBatch) sys.print(`${lines.join('\n')}\n\n`);
  else {
    const { rows: height, cols } = sys.winsize(1);
    const visible = lines.slice(0, Math.max(1, height - 1)).map((line, n) => {
      const cut = line.slice(0, cols);
      return n === TITLE_LINE ? `\x1b[7m${cut.padEnd(cols)}\x1b[0m` : `${cut}\x1b[K`;
    });
    sys.print(`\x1b[H${visible.join('\r\n')}\x1b[J`);
  }
  state.lastNs = sys.nowNs;
  state.lastCpu = all.map(({ pid, cpuNs }) => [pid, cpuNs] as const);
}

const TITLE = '  PID USER      PR  NI  VIRT  RES  SHR S %CPU %MEM    TIME+  COMMAND';
const TITLE_LINE = 6;

function summary(sys: Sys, state: TopState, all: readonly ProcessInfo[]): string[] {
  const count = (letter: ProcessInfo['state']) => String(all.filter((it) => it.state === letter).length).padStart(3);
  const kib = memory(sys);
  const figure = (value: number) => `${String(value).padStart(8)}k`;
  return [
    `top -${uptimeLine(...uptimeFacts(sys))}`,
    `Tasks: ${String(all.length).padStart(3)} total, ${count('R')} running, ${count('S')} sleeping, ${count('T')} stopped, ${count('Z')} zombie`,
    cpuLine(sys, state),
    `Mem: ${figure(kib('MemTotal'))} total, ${figure(kib('MemTotal') - kib('MemFree'))} used, ${figure(kib('MemFree'))} free, ${figure(kib('Buffers'))} buffers`,
    `Swap:${figure(kib('SwapTotal'))} total, ${figure(kib('SwapTotal') - kib('SwapFree'))} used, ${figure(kib('SwapFree'))} free, ${figure(kib('Cached'))} cached`,
  ];
}

function memory(sys: Sys): (name: string) => number {
  const text = sys.readText('/proc/meminfo');
  return (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}

/** Shares of cpu time since the last screen, from /proc/stat. */
function cpuLine(sys: Sys, state: TopState): string {
  const ticks = /^cpu +(.*)$/m.exec(sys.readText('/proc/stat'))?.[1]?.split(/\s+/).map(Number) ?? [];
  const delta = ticks.map((value, n) => Math.max(0, value - (state.lastTicks[n] ?? 0)));
  const total = delta.reduce((sum, value) => sum + value, 0);
  const percent = (n: number) =>
    `${(total === 0 ? (n === 3 ? 100 : 0) : (100 * (delta[n] ?? 0)) / total).toFixed(1).padStart(5)}%`;
  state.lastTicks = ticks;
  return `Cpu(s):${percent(0)}us,${percent(2)}sy,${percent(1)}ni,${percent(3)}id,${percent(4)}wa,${percent(5)}hi,${percent(6)}si,${percent(7)}st`;
}

function row(sys: Sys, it: ProcessInfo, percent: number): string {
  const total = memory(sys)('MemTotal');
  const centiseconds = Math.floor(it.cpuNs / 1e7);
  const time = `${Math.floor(centiseconds / 6000)}:${String(Math.floor(centiseconds / 100) % 60).padStart(2, '0')}.${String(centiseconds % 100).padStart(2, '0')}`;
  const kib = String(it.rssKiB);
  return [
    String(it.pid).padStart(5),
    userName(sys, it.uid).slice(0, 8).padEnd(8),
    String(15 + it.nice).padStart(3),
    String(it.nice).padStart(3),
    kib.padStart(5),
    kib.padStart(4),
    '   0',
    it.state,
    percent.toFixed(0).padStart(4),
    ((100 * it.rssKiB) / Math.max(1, total)).toFixed(1).padStart(4),
    time.padStart(8),
    ` ${it.comm}`,
  ].join(' ');
}
