/**
 * The physical cpus at work: which vcpu each one executes, until when, and the switch from one vcpu to the next.
 *
 * Discrete events: the current vcpu does a burst of work at once, and its pcpu is then busy for as long as the work costs.
 * A vcpu that is preempted meanwhile keeps the rest of that cost as debt and pays it, by running, before it does anything
 * new. All pcpus share one event in the host's queue, due when the first of them has something to do.
 * Source of the switch itself: schedule() and context_saved() in xen/common/schedule.c (Xen 3.4).
 */
import {
  TRC_SCHED_CONTINUE_RUNNING,
  TRC_SCHED_RUNSTATE_CHANGE,
  TRC_SCHED_SWITCH,
  TRC_SCHED_SWITCH_INFNEXT,
  TRC_SCHED_SWITCH_INFPREV,
} from '../abi/trace';
import type { EventQueue, QueuedEvent } from '../lib/clock';
import type { PcpuTopology, Scheduler } from './sched/scheduler';
import type { RunState, SchedUnit } from './schedUnit';
import { RUNSTATE_blocked, RUNSTATE_offline, RUNSTATE_runnable, RUNSTATE_running, VPF_blocked } from './schedUnit';
import { threadSpeed } from './topology';

/** A burst is never longer, so that a vcpu sees what others sent it soon. */
export const MAX_BURST_NS = 1_000_000;
/** A burst is not shorter either, lest an event queue full of near events starves the guest. */
export const MIN_BURST_NS = 10_000;
/** What entering a vcpu costs at least: time passes whatever a guest does. */
export const MIN_COST_NS = 1_000;

/** Takes a trace record: event number and up to seven 32-bit words. */
export type Trace = (event: number, ...words: readonly number[]) => void;

/** What the framework does around a switch. */
export interface DispatchHooks {
  /** The vcpu is no longer runnable: tell the policy. */
  sleep(unit: SchedUnit): void;
  switchedIn(unit: SchedUnit): void;
  /** Its context is saved: it may be migrated or freed now. */
  switchedOut(unit: SchedUnit): void;
}

interface Pcpu {
  readonly id: number;
  readonly siblings: Pcpu[];
  current: SchedUnit;
  sliceEndNs: number;
  /** Up to when the current vcpu's debt has been reckoned. */
  settledNs: number;
  /** When its debt is paid, if nothing changes. */
  paidNs: number;
  /** When this pcpu has something to do. */
  stepNs: number;
  speed: number;
  /** The schedule softirq is pending. */
  isRaised: boolean;
}

export class Dispatcher {
  readonly #pcpus: readonly Pcpu[];
  #raised = 0;
  #isStarted = false;
  #isDispatching = false;
  #executing = 0;
  #inRun: SchedUnit | undefined;
  #consumedNs = 0;
  #armed: QueuedEvent | undefined;
  #armedNs = Number.POSITIVE_INFINITY;
  readonly #onEvent = () => this.#dispatch();

  constructor(
    readonly clock: EventQueue,
    topology: readonly PcpuTopology[],
    idle: readonly SchedUnit[],
    readonly policy: () => Scheduler,
    readonly hooks: DispatchHooks,
    readonly trace: Trace | undefined,
  ) {
    this.#pcpus = topology.map(({ id }) => ({
      id,
      siblings: [],
      current: idle[id]!,
      sliceEndNs: Number.POSITIVE_INFINITY,
      settledNs: 0,
      paidNs: 0,
      stepNs: Number.POSITIVE_INFINITY,
      speed: 1,
      isRaised: false,
    }));
    for (const { id, core } of topology)
      for (const other of topology)
        if (other.id !== id && other.core === core) this.#pcpus[id]!.siblings.push(this.#pcpus[other.id]!);
  }

  /** The vcpu whose `run` is on the stack. */
  get inRun(): SchedUnit | undefined {
    return this.#inRun;
  }

  /** The pcpu on which the code that runs now would run: the one of the vcpu being executed or switched, else 0. */
  get executingPcpu(): number {
    return this.#executing;
  }

  start(): void {
    this.#isStarted = true;
    if (this.#raised > 0) this.#armAt(this.clock.nowNs);
  }

  currentOn(pcpu: number): SchedUnit {
    return this.#pcpus[pcpu]!.current;
  }

  /** Adds to the cost of the burst that is being executed. */
  consume(ns: number): void {
    this.#consumedNs += ns;
  }

  /** Host time plus what the present burst of `unit` has cost so far. */
  nowInSlice(unit: SchedUnit): number {
    if (this.#inRun !== unit || this.#consumedNs === 0) return this.clock.nowNs;
    return this.clock.nowNs + Math.floor(this.#consumedNs / this.#pcpus[unit.processor]!.speed);
  }

  /** Raises the schedule softirq; served after the current event, or, when a vcpu stops itself, when it has paid. */
  reschedule(id: number): void {
    const pcpu = this.#pcpus[id]!;
    const running = this.#inRun;
    if (running !== undefined && pcpu.current === running && !running.isRunnable) {
      running.stopsWhenPaid = true;
      return;
    }
    if (!pcpu.isRaised) {
      pcpu.isRaised = true;
      this.#raised++;
    }
    if (!this.#isDispatching && this.#isStarted) this.#armAt(this.clock.nowNs);
  }

  changeState(unit: SchedUnit, state: RunState): void {
    if (unit.state === state) return;
    this.trace?.(
      TRC_SCHED_RUNSTATE_CHANGE + (unit.state << 8) + (state << 4),
      ((unit.domid << 16) | unit.vcpuId) >>> 0,
    );
    unit.changeState(state, this.clock.nowNs);
  }

  #armAt(timeNs: number): void {
    if (this.#armed !== undefined) {
      if (this.#armedNs <= timeNs) return;
      this.#armed.cancel();
    }
    this.#armedNs = timeNs;
    this.#armed = this.clock.at(timeNs, this.#onEvent);
  }

  #dispatch(): void {
    // Out of the queue while vcpus run, so that the queue's next time is that of somebody else's event.
    this.#armed = undefined;
    this.#isDispatching = true;
    const nowNs = this.clock.nowNs;
    try {
      for (const pcpu of this.#pcpus) if (pcpu.stepNs <= nowNs && !pcpu.isRaised) this.#step(pcpu);
      while (this.#raised > 0) {
        for (const pcpu of this.#pcpus) if (pcpu.isRaised) this.#schedule(pcpu);
      }
    } finally {
      this.#isDispatching = false;
      this.#executing = 0;
    }
    let nextNs = Number.POSITIVE_INFINITY;
    for (const pcpu of this.#pcpus) if (pcpu.stepNs < nextNs) nextNs = pcpu.stepNs;
    if (nextNs < Number.POSITIVE_INFINITY) this.#armAt(nextNs);
  }

  #step(pcpu: Pcpu): void {
    this.#settle(pcpu);
    if (this.clock.nowNs >= pcpu.sliceEndNs) this.reschedule(pcpu.id);
    else this.#continue(pcpu);
  }

  /** Takes off the debt what has been worked off since the last time. */
  #settle(pcpu: Pcpu): void {
    const nowNs = this.clock.nowNs;
    const unit = pcpu.current;
    if (nowNs >= pcpu.paidNs) unit.debtNs = 0;
    else unit.debtNs = Math.max(0, unit.debtNs - Math.floor((nowNs - pcpu.settledNs) * pcpu.speed));
    pcpu.settledNs = nowNs;
  }

  #continue(pcpu: Pcpu): void {
    const unit = pcpu.current;
    if (unit.isIdle) {
      pcpu.stepNs = pcpu.sliceEndNs;
      return;
    }
    if (unit.debtNs === 0) {
      if (unit.stopsWhenPaid) {
        this.#stop(pcpu);
        return;
      }
      this.#run(pcpu, unit);
    }
    this.#reckon(pcpu);
  }

  #reckon(pcpu: Pcpu): void {
    pcpu.settledNs = this.clock.nowNs;
    pcpu.paidNs = this.clock.nowNs + Math.ceil(pcpu.current.debtNs / pcpu.speed);
    pcpu.stepNs = Math.min(pcpu.paidNs, pcpu.sliceEndNs);
  }

  #run(pcpu: Pcpu, unit: SchedUnit): void {
    const { nowNs, nextNs } = this.clock;
    const wallNs = Math.min(pcpu.sliceEndNs - nowNs, nextNs - nowNs, MAX_BURST_NS);
    const budgetNs = Math.floor(Math.max(wallNs, MIN_BURST_NS) * pcpu.speed);
    this.#executing = pcpu.id;
    this.#consumedNs = 0;
    this.#inRun = unit;
    try {
      const usedNs = unit.callbacks.run(budgetNs);
      this.#consumedNs += usedNs;
    } finally {
      this.#inRun = undefined;
      unit.debtNs = this.#consumedNs > MIN_COST_NS ? Math.ceil(this.#consumedNs) : MIN_COST_NS;
      this.#consumedNs = 0;
    }
  }

  /** The current vcpu has paid and does now what it asked for: block, go down, yield. */
  #stop(pcpu: Pcpu): void {
    this.#applyPending(pcpu.current);
    pcpu.stepNs = Number.POSITIVE_INFINITY;
    this.reschedule(pcpu.id);
  }

  #applyPending(unit: SchedUnit): void {
    unit.stopsWhenPaid = false;
    unit.flags |= unit.pendingFlags;
    unit.pendingFlags = 0;
    if (!unit.isRunnable) this.hooks.sleep(unit);
  }

  /** The schedule step on one pcpu. */
  #schedule(pcpu: Pcpu): void {
    this.#executing = pcpu.id;
    const nowNs = this.clock.nowNs;
    const previous = pcpu.current;
    this.#settle(pcpu);
    if (previous.debtNs === 0 && previous.pendingFlags !== 0) this.#applyPending(previous);
    pcpu.isRaised = false;
    this.#raised--;

    const { vcpu, sliceNs } = this.policy().schedule(pcpu.id);
    const next = vcpu as SchedUnit;
    pcpu.sliceEndNs = sliceNs < 0 ? Number.POSITIVE_INFINITY : nowNs + sliceNs;
    if (next === previous) this.trace?.(TRC_SCHED_CONTINUE_RUNNING, ((next.domid << 16) | next.vcpuId) >>> 0);
    else this.#switch(pcpu, previous, next, sliceNs);
    // Saving or restoring a context may have asked for another look.
    if (!pcpu.isRaised) this.#continue(pcpu);
  }

  #switch(pcpu: Pcpu, previous: SchedUnit, next: SchedUnit, sliceNs: number): void {
    const nowNs = this.clock.nowNs;
    if (this.trace) {
      const waitedNs = next.state === RUNSTATE_runnable ? nowNs - next.entryNs : 0;
      this.trace(TRC_SCHED_SWITCH_INFPREV, previous.domid, nowNs - previous.entryNs);
      this.trace(TRC_SCHED_SWITCH_INFNEXT, next.domid, waitedNs, sliceNs);
      this.trace(TRC_SCHED_SWITCH, previous.domid, previous.vcpuId, next.domid, next.vcpuId);
    }
    this.changeState(previous, stateWhenStopped(previous));
    previous.lastRunNs = nowNs;
    previous.isRunning = false;
    if (previous.pendingFlags === 0) previous.stopsWhenPaid = false;
    pcpu.current = next;
    next.isRunning = true;
    this.changeState(next, RUNSTATE_running);
    if (previous.isIdle !== next.isIdle) this.#shareCore(pcpu);
    this.#reckon(pcpu);
    this.hooks.switchedOut(previous);
    this.hooks.switchedIn(next);
  }

  /** A thread became busy or idle: every busy thread of its core goes on at another speed. */
  #shareCore(pcpu: Pcpu): void {
    if (pcpu.siblings.length === 0) return;
    let busy = pcpu.current.isIdle ? 0 : 1;
    for (const sibling of pcpu.siblings) if (!sibling.current.isIdle) busy++;
    pcpu.speed = threadSpeed(busy);
    for (const sibling of pcpu.siblings) {
      if (sibling.current.isIdle) continue;
      this.#settle(sibling);
      sibling.speed = pcpu.speed;
      if (sibling.current.debtNs > 0) this.#reckon(sibling);
    }
  }
}

function stateWhenStopped(unit: SchedUnit): RunState {
  if ((unit.flags & VPF_blocked) !== 0) return RUNSTATE_blocked;
  return unit.isRunnable ? RUNSTATE_runnable : RUNSTATE_offline;
}
