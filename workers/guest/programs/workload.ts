/**
 * workload: a program that writes to memory as real ones do, for experiments with live migration.
 *
 * What it does stands in the store as `KIND PAGES-PER-SECOND` below the domain's own directory, in data/workload; whoever
 * writes there (the guest itself, or Domain-0) changes it while it runs. The kinds are those of "Live Migration of Virtual
 * Machines" (Clark et al., NSDI 2005): an idle machine, a web server (SPECweb99: writes all over its memory), a game server
 * (Quake 3: few pages, often), and a program made to defeat the rounds (MMuncher: writes to all memory in turn).
 */
import { exit, type Program, type Sys } from '../sys';
import { AWAIT_OPERATION, type AwaitRequest } from './xenstoreTools';

export const WORKLOAD_KEY = 'data/workload';

/** Of each kind: pages written in a second unless told otherwise, and the part of its memory that it writes to. */
const kinds = {
  idle: { rate: 0, part: 0 },
  web: { rate: 800, part: 1 },
  game: { rate: 2000, part: 1 / 32 },
  memory: { rate: 60_000, part: 1 },
} as const;

type Kind = keyof typeof kinds;

/** More than any machine's memory takes. */
const MOST_PAGES_PER_SECOND = 1_000_000;
const TICK_NS = 10_000_000;
/** What was missed in a longer time without the cpu is not made up for. */
const LONGEST_NS = 2 * TICK_NS;
/** A write to a page that is in no cache. */
const WRITE_NS = 200;
const PAGES_PER_MIB = 256;
/** Between two attempts to tell the store. */
const RETRY_NS = 1_000_000_000;
const USAGE = `Usage: workload [${Object.keys(kinds).join('|')}] [PAGES-PER-SECOND] [MIB]\n`;

interface Work {
  readonly kind: Kind;
  readonly rate: number;
}

interface WorkloadState {
  work: Work;
  /** Parts of a page that ticks have left over. */
  owed: number;
  /** Where a sweep goes on. */
  next: number;
  /** Pages written so far; goes into each, so that no write leaves a page as it was. */
  count: number;
  /** Of what stands in the pages, modulo 2^32. */
  sum: number;
  readonly pages: number;
  lastNs: number;
  /** Of the operation that tells the store, or waits for news from it; 0: none is on its way. */
  operation: number;
  isAwaiting: boolean;
  /** Not before then. */
  retryNs: number;
}

export const workload: Program<WorkloadState | null> = {
  name: 'workload',
  start(sys) {
    const [kind = 'idle', rate = '', mib] = sys.argv.slice(1);
    const work = parse(`${kind} ${rate}`);
    const pages = mib === undefined ? defaultPages(sys) : Number(mib) * PAGES_PER_MIB;
    if (!work || !(Number.isInteger(pages) && pages > 0) || sys.argv.length > 4) {
      sys.eprint(USAGE);
      return null;
    }
    sys.setMemory(pages);
    const nothingYet = { owed: 0, next: 0, count: 0, sum: 0, operation: 0, isAwaiting: false, retryNs: 0 };
    return { work, pages, lastNs: sys.nowNs, ...nothingYet };
  },
  step(sys, state) {
    if (!state) return exit(2);
    listen(sys, state);
    const costNs = work(sys, state) * WRITE_NS;
    const untilNs = state.work.rate > 0 ? sys.nowNs + costNs + TICK_NS : state.operation ? 0 : state.retryNs;
    const on = [...(state.operation ? [{ operation: state.operation }] : []), ...(untilNs > 0 ? [{ untilNs }] : [])];
    return { do: 'wait', on, costNs };
  },
  /** USR1 prints how many pages it has written, and whether its memory holds what it wrote. */
  signal(sys, state, signal) {
    if (signal !== 'USR1' || !state) return false;
    let sum = 0;
    for (let page = 0; page < state.pages; page++) sum = (sum + wordOf(sys.memoryPage(page)).getUint32(0, true)) >>> 0;
    sys.print(`${state.count} pages written, memory ${sum === state.sum ? 'intact' : 'DAMAGED'}\n`);
    return true;
  },
};

const wordOf = (page: Uint8Array) => new DataView(page.buffer, page.byteOffset, 4);

/** Undefined: not the words for one. */
function parse(text: string): Work | undefined {
  const [kind = '', rate] = text.trim().split(/\s+/);
  if (!isKind(kind)) return undefined;
  const pages = rate === undefined ? kinds[kind].rate : Number(rate);
  return Number.isInteger(pages) && pages >= 0 && pages <= MOST_PAGES_PER_SECOND ? { kind, rate: pages } : undefined;
}

const isKind = (word: string): word is Kind => Object.hasOwn(kinds, word);
const textOf = ({ kind, rate }: Work) => `${kind} ${rate}`;

/** Half of what is free. */
function defaultPages(sys: Sys): number {
  const free = /^MemFree:\s+(\d+) kB/m.exec(sys.readText('/proc/meminfo'));
  return Math.max(1, Math.floor(Number(free?.[1] ?? 0) / 8));
}

/** Writes what is due by now; answers to how many pages. */
function work(sys: Sys, state: WorkloadState): number {
  const passedNs = Math.min(sys.nowNs - state.lastNs, LONGEST_NS);
  state.lastNs = sys.nowNs;
  const { kind, rate } = state.work;
  const reach = Math.floor(state.pages * kinds[kind].part);
  state.owed += reach > 0 ? (rate * passedNs) / 1e9 : 0;
  const due = Math.floor(state.owed);
  state.owed -= due;
  for (let i = 0; i < due; i++) {
    if (kind === 'memory') state.next = (state.next + 1) % reach;
    else state.next = sys.random(reach);
    const word = wordOf(sys.memoryPage(state.next));
    const written = ++state.count >>> 0;
    state.sum = (state.sum - word.getUint32(0, true) + written) >>> 0;
    word.setUint32(0, written, true);
  }
  return due;
}

/** Tells the store what is being done, and hears from it when somebody wants something else. */
function listen(sys: Sys, state: WorkloadState): void {
  if (state.operation) {
    const result = sys.operationResult(state.operation);
    if (!result) return;
    state.operation = 0;
    // Not told, or no key any more: the domain has moved, for example.
    if (result.status !== 0) {
      state.isAwaiting = false;
      state.retryNs = sys.nowNs + RETRY_NS;
    } else if (state.isAwaiting) {
      const asked = parse(String(result.value));
      if (asked) state.work = asked;
      else sys.eprint(`workload: no such work: ${String(result.value)}\n`);
      state.isAwaiting = asked !== undefined && textOf(asked) === result.value;
    } else state.isAwaiting = true;
  }
  if (sys.nowNs < state.retryNs) return;
  state.operation = state.isAwaiting
    ? sys.startOperation(AWAIT_OPERATION, { key: WORKLOAD_KEY, known: textOf(state.work) } satisfies AwaitRequest)
    : sys.startOperation('xenstore', { mode: 'write', words: [WORKLOAD_KEY, textOf(state.work)] });
}
