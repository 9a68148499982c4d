/**
 * What sEDF remembers of each vcpu, and the four queues of a pcpu in which vcpus wait.
 *
 * Runnable: its period has begun, sorted by deadline. Waiting: its period is yet to begin, sorted by that time. Extra 0
 * (penalty) and extra 1 (utilisation): wants time that is left over, sorted by score; beside one of the others.
 * Source: xen/common/sched_sedf.c (Xen 3.4).
 */
import type { SchedVcpu } from './scheduler';

/** Extra queue for those who lost time by blocking for a short while. */
export const EXTRA_PEN_Q = 0;
/** Extra queue for everybody who takes left-over time. */
export const EXTRA_UTIL_Q = 1;
export type ExtraQueue = typeof EXTRA_PEN_Q | typeof EXTRA_UTIL_Q;

export interface SedfVcpu {
  readonly vcpu: SchedVcpu;
  periodNs: number;
  sliceNs: number;
  periodOrigNs: number;
  sliceOrigNs: number;
  latencyNs: number;
  weight: number;
  extraweight: number;
  /** End of its present period; 0: it never ran. */
  deadlineNs: number;
  /** Used in this period. */
  cputimeNs: number;
  startNs: number;
  /** When it blocked; 0: it has not yet. */
  blockedNs: number;
  shortBlockLostNs: number;
  extraTimeNs: number;
  /** Per extra queue; the lowest goes first. */
  readonly score: [number, number];
  isExtraAware: boolean;
  isAsleep: boolean;
  wantsPenalty: boolean;
  /** The extra queue at whose expense it runs; undefined: it runs in its own slice. */
  runsExtra: ExtraQueue | undefined;
  /** The runnable or wait queue that it is on. */
  queue: SedfVcpu[] | undefined;
  readonly extraQueues: [SedfVcpu[] | undefined, SedfVcpu[] | undefined];
}

export interface SedfPcpu {
  readonly runnable: SedfVcpu[];
  readonly waiting: SedfVcpu[];
  readonly extra: readonly [SedfVcpu[], SedfVcpu[]];
  sliceEndNs: number;
}

export function periodBeginNs(own: SedfVcpu): number {
  return own.deadlineNs - own.periodNs;
}

export function addRunnable(pcpu: SedfPcpu, own: SedfVcpu): void {
  insertBy(pcpu.runnable, own, (v) => v.deadlineNs);
  own.queue = pcpu.runnable;
}

export function addWaiting(pcpu: SedfPcpu, own: SedfVcpu): void {
  insertBy(pcpu.waiting, own, periodBeginNs);
  own.queue = pcpu.waiting;
}

/** Off the runnable or wait queue. */
export function unqueue(own: SedfVcpu): void {
  if (own.queue) remove(own.queue, own);
  own.queue = undefined;
}

/**
 * Puts a vcpu on an extra queue. `passedScore` is the score with which it has just run there: taken off everybody else's,
 * so that all come to their turn in proportion (weighted round robin).
 */
export function addExtra(pcpu: SedfPcpu, own: SedfVcpu, which: ExtraQueue, passedScore = 0): void {
  if (own.extraQueues[which]) return;
  const queue = pcpu.extra[which];
  for (const other of queue) other.score[which] -= passedScore;
  insertBy(queue, own, (v) => v.score[which]);
  own.extraQueues[which] = queue;
}

export function removeExtra(own: SedfVcpu, which: ExtraQueue): void {
  const queue = own.extraQueues[which];
  if (queue) remove(queue, own);
  own.extraQueues[which] = undefined;
}

export function removeFromAll(own: SedfVcpu): void {
  unqueue(own);
  removeExtra(own, EXTRA_PEN_Q);
  removeExtra(own, EXTRA_UTIL_Q);
}

/** Moves those whose period has begun to the runnable queue, and those there that have no claim now to their next period. */
export function updateQueues(pcpu: SedfPcpu, nowNs: number): void {
  for (let head = pcpu.waiting[0]; head && periodBeginNs(head) <= nowNs; head = pcpu.waiting[0]) {
    unqueue(head);
    addRunnable(pcpu, head);
  }
  for (let head = pcpu.runnable[0]; head; head = pcpu.runnable[0]) {
    if (head.sliceNs === 0) {
      unqueue(head);
      nextPeriod(head, nowNs);
      addWaiting(pcpu, head);
    } else if (head.deadlineNs < nowNs || head.cputimeNs > head.sliceNs) {
      unqueue(head);
      nextPeriod(head, nowNs);
      head.cputimeNs = 0;
      if (periodBeginNs(head) > nowNs) addWaiting(pcpu, head);
      else addRunnable(pcpu, head);
    } else {
      return;
    }
  }
}

/** The next period, or if that began in the past too, the first that does not. */
function nextPeriod(own: SedfVcpu, nowNs: number): void {
  own.deadlineNs += own.periodNs;
  const behindNs = nowNs - periodBeginNs(own);
  if (behindNs > 0) own.deadlineNs += Math.ceil(behindNs / own.periodNs) * own.periodNs;
}

function insertBy(queue: SedfVcpu[], own: SedfVcpu, key: (own: SedfVcpu) => number): void {
  let at = 0;
  while (at < queue.length && key(queue[at]!) <= key(own)) at++;
  queue.splice(at, 0, own);
}

function remove(queue: SedfVcpu[], own: SedfVcpu): void {
  const at = queue.indexOf(own);
  if (at >= 0) queue.splice(at, 1);
}
