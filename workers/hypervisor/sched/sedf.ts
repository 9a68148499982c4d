/**
 * sEDF, earliest deadline first: a vcpu is promised a slice of cpu time in every period; the one whose period ends first
 * runs first, and time that nobody was promised goes to those who take extra time.
 *
 * There is no admission control and no load balancing: a vcpu stays where it was placed.
 * Source: xen/common/sched_sedf.c (Xen 3.4).
 */
import { DOM0, type Domid } from '../../abi/xen';
import { XenError } from '../../lib/errno';
import type { Decision, SchedHost, SchedParameters, Scheduler, SchedulerKind, SchedVcpu } from './scheduler';
import { adjustWeights, applySedfParameters, checkSedfParameters, WEIGHT_PERIOD_NS } from './sedfParameters';
import {
  addExtra,
  addRunnable,
  addWaiting,
  EXTRA_PEN_Q,
  EXTRA_UTIL_Q,
  type ExtraQueue,
  periodBeginNs,
  removeExtra,
  removeFromAll,
  type SedfPcpu,
  type SedfVcpu,
  unqueue,
  updateQueues,
} from './sedfQueues';

const EXTRA_QUANTUM_NS = 500_000;
const IDLE_NS = 1_000_000_000;
const DOM0_PERIOD_NS = 20_000_000;
const DOM0_SLICE_NS = 15_000_000;

class SedfScheduler implements Scheduler {
  readonly #host: SchedHost;
  readonly #pcpus: readonly SedfPcpu[];
  readonly #vcpus = new Map<SchedVcpu, SedfVcpu>();
  readonly #idle: SchedVcpu[] = [];

  constructor(host: SchedHost) {
    this.#host = host;
    this.#pcpus = host.pcpus.map(() => ({ runnable: [], waiting: [], extra: [[], []], sliceEndNs: 0 }));
  }

  addDomain(): void {}
  removeDomain(): void {}

  addVcpu(vcpu: SchedVcpu): void {
    if (vcpu.isIdle) this.#idle[vcpu.processor] = vcpu;
    else this.#vcpus.set(vcpu, newSedfVcpu(vcpu));
  }

  removeVcpu(vcpu: SchedVcpu): void {
    removeFromAll(this.#of(vcpu));
    this.#vcpus.delete(vcpu);
  }

  wake(vcpu: SchedVcpu): void {
    const own = this.#of(vcpu);
    own.isAsleep = false;
    if (own.queue) return;
    const pcpu = this.#pcpus[vcpu.processor]!;
    const nowNs = this.#host.nowNs;
    if (own.deadlineNs === 0) own.deadlineNs = nowNs + own.sliceNs;
    if (nowNs < periodBeginNs(own)) {
      if (own.wantsPenalty) addExtra(pcpu, own, EXTRA_PEN_Q);
    } else if (nowNs < own.deadlineNs) {
      unblockShort(pcpu, own);
    } else {
      own.deadlineNs = nowNs + own.periodNs;
      own.cputimeNs = 0;
    }
    if (own.isExtraAware) addExtra(pcpu, own, EXTRA_UTIL_Q);
    if (periodBeginNs(own) > nowNs) addWaiting(pcpu, own);
    else addRunnable(pcpu, own);
    if (this.#preempts(own, pcpu)) this.#host.reschedule(vcpu.processor);
  }

  sleep(vcpu: SchedVcpu): void {
    const own = this.#of(vcpu);
    own.isAsleep = true;
    if (vcpu.isRunning) this.#host.reschedule(vcpu.processor);
    else removeFromAll(own);
  }

  pickCpu(vcpu: SchedVcpu): number {
    for (const { id } of this.#host.pcpus) if (vcpu.affinity.has(id)) return id;
    return vcpu.processor;
  }

  schedule(id: number): Decision {
    const pcpu = this.#pcpus[id]!;
    const nowNs = this.#host.nowNs;
    const current = this.#host.currentOn(id);
    if (!current.isIdle) this.#deschedule(this.#of(current), pcpu);
    updateQueues(pcpu, nowNs);
    const { next, ns } = choose(pcpu, nowNs);
    const sliceNs = ns < 0 ? EXTRA_QUANTUM_NS : ns;
    pcpu.sliceEndNs = nowNs + sliceNs;
    if (next) next.startNs = nowNs;
    return { vcpu: next?.vcpu ?? this.#idle[id]!, sliceNs };
  }

  /** Those of vcpu 0. EINVAL while the domain has none. */
  getParameters(domid: Domid): SchedParameters {
    const own = this.#vcpusOf(domid).find(({ vcpu }) => vcpu.vcpuId === 0);
    if (!own) throw new XenError('EINVAL', `d${domid} has no vcpu 0`);
    const { periodNs, sliceNs, latencyNs, isExtraAware, weight } = own;
    return { kind: 'sedf', periodNs, sliceNs, latencyNs, extratime: isExtraAware, weight };
  }

  /** EINVAL for neither period nor weight, values out of range, or another scheduler's parameters. */
  setParameters(domid: Domid, parameters: SchedParameters): void {
    if (parameters.kind !== 'sedf') throw new XenError('EINVAL', `${parameters.kind} parameters`);
    checkSedfParameters(parameters);
    const vcpus = this.#vcpusOf(domid);
    for (const own of vcpus) applySedfParameters(own, parameters);
    adjustWeights(this.#vcpus.values());
    for (const own of vcpus) {
      own.isExtraAware = parameters.extratime;
      own.latencyNs = parameters.latencyNs;
      if (!own.isExtraAware) removeExtra(own, EXTRA_UTIL_Q);
      else if (own.queue) addExtra(this.#pcpus[own.vcpu.processor]!, own, EXTRA_UTIL_Q);
    }
  }

  dumpSettings(): void {}

  dumpPcpu(id: number, print: (line: string) => void): void {
    const { runnable, waiting, extra } = this.#pcpus[id]!;
    const section = (title: string, list: readonly SedfVcpu[]) => {
      print(title);
      list.forEach((own, at) => {
        print(`${String(at).padStart(3)}: ${describe(own)}`);
      });
    };
    print(`now=${this.#host.nowNs}`);
    section('RUNQ', runnable);
    section('WAITQ', waiting);
    section('EXTRAQ (penalty)', extra[EXTRA_PEN_Q]);
    section('EXTRAQ (utilization)', extra[EXTRA_UTIL_Q]);
    section(
      'not on Q',
      [...this.#vcpus.values()].filter((own) => own.vcpu.processor === id && !own.queue),
    );
  }

  #deschedule(own: SedfVcpu, pcpu: SedfPcpu): void {
    const nowNs = this.#host.nowNs;
    own.isAsleep = !own.vcpu.isRunnable;
    if (own.isAsleep) own.blockedNs = nowNs;
    if (own.runsExtra !== undefined) descheduleExtra(own, pcpu, own.runsExtra, nowNs);
    else descheduleEdf(own, pcpu, nowNs);
  }

  /** Must the pcpu look again, now that `own` has woken up? One that runs in its own slice is left alone otherwise. */
  #preempts(own: SedfVcpu, pcpu: SedfPcpu): boolean {
    const current = this.#host.currentOn(own.vcpu.processor);
    if (periodBeginNs(own) < pcpu.sliceEndNs || current.isIdle) return true;
    const running = this.#of(current);
    if (running.runsExtra === EXTRA_UTIL_Q) return own.wantsPenalty;
    if (running.runsExtra === EXTRA_PEN_Q)
      return own.wantsPenalty && own.score[EXTRA_PEN_Q] < running.score[EXTRA_PEN_Q];
    return false;
  }

  #vcpusOf(domid: Domid): SedfVcpu[] {
    return [...this.#vcpus.values()].filter(({ vcpu }) => vcpu.domid === domid);
  }

  #of(vcpu: SchedVcpu): SedfVcpu {
    const own = this.#vcpus.get(vcpu);
    if (!own) throw new Error(`d${vcpu.domid}v${vcpu.vcpuId} is not ours`);
    return own;
  }
}

function newSedfVcpu(vcpu: SchedVcpu): SedfVcpu {
  const periodNs = vcpu.domid === DOM0 ? DOM0_PERIOD_NS : WEIGHT_PERIOD_NS;
  const sliceNs = vcpu.domid === DOM0 ? DOM0_SLICE_NS : 0;
  return {
    vcpu,
    periodNs,
    sliceNs,
    periodOrigNs: periodNs,
    sliceOrigNs: sliceNs,
    latencyNs: 0,
    weight: 0,
    extraweight: 1,
    deadlineNs: 0,
    cputimeNs: 0,
    startNs: 0,
    blockedNs: 0,
    shortBlockLostNs: 0,
    extraTimeNs: 0,
    score: [0, 0],
    isExtraAware: true,
    isAsleep: true,
    wantsPenalty: false,
    runsExtra: undefined,
    queue: undefined,
    extraQueues: [undefined, undefined],
  };
}

/** Who runs and for how long; nobody: the idle vcpu. */
function choose(pcpu: SedfPcpu, nowNs: number): { next: SedfVcpu | undefined; ns: number } {
  const head = pcpu.runnable[0];
  const waiter = pcpu.waiting[0];
  const untilNextNs = waiter ? periodBeginNs(waiter) - nowNs : Number.POSITIVE_INFINITY;
  if (head) return { next: head, ns: Math.min(head.sliceNs - head.cputimeNs, untilNextNs) };
  if (!waiter) return { next: undefined, ns: IDLE_NS };
  if (untilNextNs < EXTRA_QUANTUM_NS) return { next: undefined, ns: untilNextNs };
  for (const which of [EXTRA_PEN_Q, EXTRA_UTIL_Q] as const) {
    const next = pcpu.extra[which][0];
    if (!next) continue;
    next.runsExtra = which;
    return { next, ns: EXTRA_QUANTUM_NS };
  }
  return { next: undefined, ns: untilNextNs };
}

/** It ran in its own slice. */
function descheduleEdf(own: SedfVcpu, pcpu: SedfPcpu, nowNs: number): void {
  own.cputimeNs += nowNs - own.startNs;
  if (own.cputimeNs < own.sliceNs && !own.isAsleep) return;
  unqueue(own);
  if (own.cputimeNs >= own.sliceNs) {
    own.cputimeNs -= own.sliceNs;
    if (own.periodNs < own.periodOrigNs) doublePeriod(own);
    own.deadlineNs += own.periodNs;
  }
  if (own.isAsleep) removeFromAll(own);
  else addWaiting(pcpu, own);
}

/** Latency scaling: a period that was shortened grows back to what was asked for. */
function doublePeriod(own: SedfVcpu): void {
  own.periodNs *= 2;
  own.sliceNs *= 2;
  if (own.periodNs <= own.periodOrigNs && own.sliceNs <= own.sliceOrigNs) return;
  own.periodNs = own.periodOrigNs;
  own.sliceNs = own.sliceOrigNs;
}

/** It ran in time that was left over. */
function descheduleExtra(own: SedfVcpu, pcpu: SedfPcpu, which: ExtraQueue, nowNs: number): void {
  const passedScore = own.score[which];
  own.runsExtra = undefined;
  own.cputimeNs = 0;
  own.extraTimeNs += nowNs - own.startNs;
  removeExtra(own, which);
  if (which === EXTRA_PEN_Q) {
    own.shortBlockLostNs = 0;
    own.wantsPenalty = false;
  } else {
    own.score[EXTRA_UTIL_Q] =
      own.extraweight === 0
        ? Math.floor((own.periodNs * 1024) / Math.max(own.sliceNs, 1))
        : Math.floor(2 ** 17 / own.extraweight);
  }
  if (own.isAsleep) removeFromAll(own);
  else if (which === EXTRA_UTIL_Q && own.isExtraAware) addExtra(pcpu, own, which, passedScore);
}

/** It blocked and woke up in the same period: the rest of its slice is lost, and it may ask for as much extra time first. */
function unblockShort(pcpu: SedfPcpu, own: SedfVcpu): void {
  if (own.blockedNs !== 0) {
    own.deadlineNs += own.periodNs;
    const lostNs = Math.max(0, own.sliceNs - own.cputimeNs);
    if (lostNs > 0) {
      own.shortBlockLostNs = lostNs;
      own.score[EXTRA_PEN_Q] = Math.floor((own.periodNs * 1024) / lostNs);
      own.wantsPenalty = true;
      addExtra(pcpu, own, EXTRA_PEN_Q);
    }
  }
  own.cputimeNs = 0;
}

function describe(own: SedfVcpu): string {
  const { vcpu, periodNs, sliceNs, deadlineNs, weight, score, isExtraAware, extraTimeNs, extraweight } = own;
  const has = vcpu.isRunning ? 'T' : 'F';
  const extra = `xtr(${isExtraAware ? 'yes' : 'no'})=${extraTimeNs} ew=${extraweight}`;
  return `${vcpu.domid}.${vcpu.vcpuId} has=${has} p=${periodNs} sl=${sliceNs} ddl=${deadlineNs} w=${weight} sc=${score[EXTRA_UTIL_Q]} ${extra}`;
}

export const sedf: SchedulerKind = {
  option: 'sedf',
  title: 'Simple EDF Scheduler',
  id: 4,
  create: (host) => new SedfScheduler(host),
};
