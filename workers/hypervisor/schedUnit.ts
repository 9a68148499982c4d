/**
 * One virtual cpu as the scheduler knows it: why it may not run, which run state it is in, and for how long it was in each.
 *
 * Source: struct vcpu in xen/include/xen/sched.h, vcpu_runstate_change in xen/common/schedule.c (Xen 3.4).
 */
import type { Domid } from '../abi/xen';
import type { QueuedEvent } from '../lib/clock';
import type { SchedVcpu } from './sched/scheduler';

/** Pause flags: each a reason why a vcpu is not runnable. */
export const VPF_blocked = 1;
export const VPF_down = 2;
export const VPF_blocked_in_xen = 4;
export const VPF_migrating = 8;

export const RUNSTATE_running = 0;
export const RUNSTATE_runnable = 1;
export const RUNSTATE_blocked = 2;
export const RUNSTATE_offline = 3;
export type RunState = 0 | 1 | 2 | 3;

/** Every paravirtual vcpu starts with a 100 Hz timer. */
export const DEFAULT_PERIOD_NS = 10_000_000;

/** The domain as its vcpus see it; made by `Schedule.addDomain`. */
export interface SchedDomain {
  readonly domid: Domid;
  /** Each vcpu stays on the pcpu where it started (`dom0_vcpus_pin`). */
  readonly isPinned: boolean;
  readonly units: SchedUnit[];
  pauseCount: number;
  isGone: boolean;
}

/** What runs when the vcpu gets a pcpu. */
export interface UnitCallbacks {
  /**
   * Does up to about `budgetNs` worth of work now and returns its cost in ns, without what was reported through
   * `Schedule.consume` meanwhile. Must not throw: a guest's crash is the caller's to handle.
   */
  run(budgetNs: number): number;
  /** The vcpu was put on a pcpu: refresh its time record and runstate area. */
  onSwitchIn(): void;
  onSwitchOut?(): void;
  /** Its periodic timer fired: raise VIRQ_TIMER. */
  onPeriodicTimer(): void;
}

export interface RunstateInfo {
  readonly state: RunState;
  readonly entryNs: number;
  /** Time in running, runnable, blocked, offline; up to now. */
  readonly timesNs: readonly [number, number, number, number];
}

export class SchedUnit implements SchedVcpu {
  /** −1 until `Schedule.addUnit` has placed it. A value set before that is kept. */
  processor = -1;
  affinity: ReadonlySet<number> = new Set();
  lastRunNs = 0;
  /** When it first ran; undefined: it has not yet. */
  firstRunNs: number | undefined;
  isRunning = false;

  /** Reasons in force. */
  flags = VPF_down;
  /** Reasons that come into force when the cost of the work already done is paid. */
  pendingFlags = 0;
  pauseCount = 0;
  domain: SchedDomain | undefined;
  /** Cost of work whose effects have happened but whose time has not passed yet, ns. */
  debtNs = 0;
  /** It asked to stop (block, yield, pause of itself) and does so when its debt is paid. */
  stopsWhenPaid = false;
  isGone = false;

  periodNs: number;
  periodicLastNs = 0;
  periodicTimer: QueuedEvent | undefined;

  state: RunState = RUNSTATE_offline;
  entryNs = 0;
  readonly #timesNs: [number, number, number, number] = [0, 0, 0, 0];

  constructor(
    readonly domid: Domid,
    readonly vcpuId: number,
    readonly callbacks: UnitCallbacks,
    readonly isIdle = false,
  ) {
    this.periodNs = isIdle ? 0 : DEFAULT_PERIOD_NS;
    if (isIdle) this.flags = 0;
  }

  get isRunnable(): boolean {
    return this.flags === 0 && this.pauseCount === 0 && (this.domain === undefined || this.domain.pauseCount === 0);
  }

  /** Waits for an event (also when it is still paying for the work it did before it blocked). */
  get isBlocked(): boolean {
    return ((this.flags | this.pendingFlags) & VPF_blocked) !== 0;
  }

  get isDown(): boolean {
    return ((this.flags | this.pendingFlags) & VPF_down) !== 0;
  }

  /** Cannot leave its pcpu: VCPUOP_get_physid answers only then. */
  get isPinned(): boolean {
    return this.affinity.size === 1 || this.domain?.isPinned === true;
  }

  changeState(state: RunState, nowNs: number): void {
    this.#timesNs[this.state] += nowNs - this.entryNs;
    if (state === RUNSTATE_running) this.firstRunNs ??= nowNs;
    this.state = state;
    this.entryNs = nowNs;
  }

  runstate(nowNs: number): RunstateInfo {
    const timesNs: [number, number, number, number] = [...this.#timesNs];
    timesNs[this.state] += nowNs - this.entryNs;
    return { state: this.state, entryNs: this.entryNs, timesNs };
  }

  /** Time spent running, ns: `cpu_time` of the tools. */
  runningNs(nowNs: number): number {
    return this.#timesNs[RUNSTATE_running] + (this.state === RUNSTATE_running ? nowNs - this.entryNs : 0);
  }
}
