/**
 * The scheduler's framework: domains and their vcpus, why they may or may not run, run states, affinity, periodic timers.
 *
 * Who runs next is the policy's business (sched/), putting it on a pcpu the dispatcher's (dispatch.ts).
 * Source: xen/common/schedule.c, the pause and placement parts of xen/common/domain.c (Xen 3.4).
 */
import {
  TRC_SCHED_ADJDOM,
  TRC_SCHED_BLOCK,
  TRC_SCHED_DOM_ADD,
  TRC_SCHED_DOM_REM,
  TRC_SCHED_SLEEP,
  TRC_SCHED_WAKE,
  TRC_SCHED_YIELD,
} from '../abi/trace';
import { DOM0, type Domid } from '../abi/xen';
import type { EventQueue } from '../lib/clock';
import { XenError } from '../lib/errno';
import { Dispatcher, type Trace } from './dispatch';
import { PeriodicTimers } from './periodicTimer';
import { isOptionOn, numberOption } from './sched/options';
import type { PcpuTopology, SchedHost, SchedParameters, Scheduler, SchedulerKind, SchedVcpu } from './sched/scheduler';
import {
  RUNSTATE_blocked,
  RUNSTATE_offline,
  RUNSTATE_runnable,
  type RunstateInfo,
  type SchedDomain,
  SchedUnit,
  VPF_blocked,
  VPF_down,
  VPF_migrating,
} from './schedUnit';
import { enumeratePcpus, initialPcpu, type Topology } from './topology';

/** The idle vcpus' domain; its vcpu n runs when pcpu n has nothing else to do. */
export const IDLE_DOMID = 0x7fff as Domid;

/** Timers may fire up to this early (`timer_slop`, ns). */
const DEFAULT_TIMER_SLOP_NS = 50_000;

export interface ScheduleArguments {
  readonly clock: EventQueue;
  readonly topology: Topology;
  readonly kind: SchedulerKind;
  /** Xen's command line: `sched_smt_power_savings`, `vcpu_migration_delay`, `timer_slop`, `dom0_vcpus_pin`. */
  readonly options: ReadonlyMap<string, string>;
  readonly trace?: Trace;
}

export class Schedule {
  readonly pcpus: readonly PcpuTopology[];
  readonly kind: SchedulerKind;
  readonly policy: Scheduler;
  readonly #clock: EventQueue;
  readonly #options: ReadonlyMap<string, string>;
  readonly #trace: Trace | undefined;
  readonly #timers: PeriodicTimers;
  readonly #idle: readonly SchedUnit[];
  readonly #dispatcher: Dispatcher;
  readonly #domains = new Map<Domid, SchedDomain>();
  readonly #allPcpus: ReadonlySet<number>;

  constructor({ clock, topology, kind, options, trace }: ScheduleArguments) {
    this.#clock = clock;
    this.#options = options;
    this.#trace = trace;
    this.#timers = new PeriodicTimers(clock, numberOption(options, 'timer_slop', DEFAULT_TIMER_SLOP_NS));
    this.kind = kind;
    this.pcpus = enumeratePcpus(topology);
    this.#allPcpus = new Set(this.pcpus.map((p) => p.id));
    this.#idle = this.pcpus.map(({ id }) => idleUnit(id, clock.nowNs));
    this.#dispatcher = new Dispatcher(
      clock,
      this.pcpus,
      this.#idle,
      () => this.policy,
      {
        sleep: (unit) => this.#sleep(unit),
        switchedIn: (unit) => this.#switchedIn(unit),
        switchedOut: (unit) => this.#switchedOut(unit),
      },
      trace,
    );
    this.policy = kind.create(this.#host());
  }

  /** Starts the pcpus: idle vcpus first, then the policy's timers. Domains may be added before or after. */
  start(): void {
    for (const unit of this.#idle) this.policy.addVcpu(unit);
    this.policy.start?.();
    this.#dispatcher.start();
  }

  /** Makes a domain known. Its vcpus run unless it is paused (`pauseDomain`). */
  addDomain(domid: Domid): void {
    if (this.#domains.has(domid)) throw new Error(`domain ${domid} is scheduled already`);
    const isPinned = domid === DOM0 && isOptionOn(this.#options, 'dom0_vcpus_pin');
    this.#domains.set(domid, { domid, isPinned, units: [], pauseCount: 0, isGone: false });
    this.policy.addDomain(domid);
  }

  /** Forgets a domain; vcpus it still has go with it. */
  removeDomain(domid: Domid): void {
    const domain = this.#domainOf(domid);
    domain.isGone = true;
    this.#domains.delete(domid);
    this.#trace?.(TRC_SCHED_DOM_REM, domid);
    for (const unit of domain.units.slice()) this.removeUnit(unit);
    if (domain.units.length === 0) this.policy.removeDomain(domid);
  }

  /** Adds a vcpu, down (`setUp` starts it), on the pcpu where Xen would put it unless `unit.processor` says another. */
  addUnit(unit: SchedUnit): void {
    const domain = this.#domainOf(unit.domid);
    if (unit.processor < 0) unit.processor = initialPcpu(unit.domid, unit.vcpuId, this.pcpus, this.units());
    unit.affinity = domain.isPinned ? new Set([unit.processor]) : this.#allPcpus;
    unit.domain = domain;
    unit.entryNs = this.#clock.nowNs;
    unit.lastRunNs = this.#clock.nowNs;
    domain.units.push(unit);
    this.policy.addVcpu(unit);
    this.#trace?.(TRC_SCHED_DOM_ADD, unit.domid, unit.vcpuId);
  }

  /** Takes a vcpu off for good; one that is on a pcpu is freed as soon as that pcpu has switched. */
  removeUnit(unit: SchedUnit): void {
    if (unit.isGone) return;
    unit.isGone = true;
    unit.flags |= VPF_down;
    this.#timers.stop(unit);
    this.#sleep(unit);
    if (!unit.isRunning) this.#free(unit);
  }

  /** All vcpus but the idle ones. */
  *units(): IterableIterator<SchedUnit> {
    for (const domain of this.#domains.values()) yield* domain.units;
  }

  // Reasons not to run

  /** SCHEDOP_block and _poll: the vcpu waits for an event. The caller has made sure that none is deliverable. */
  block(unit: SchedUnit): void {
    this.#trace?.(TRC_SCHED_BLOCK, unit.domid, unit.vcpuId);
    this.#setFlag(unit, VPF_blocked);
  }

  /** An event has come: ends `block`. Harmless when the vcpu is not blocked. */
  wake(unit: SchedUnit): void {
    this.#clearFlag(unit, VPF_blocked);
  }

  /** SCHEDOP_yield: others of the same or a higher priority may go first. */
  yield(unit: SchedUnit): void {
    this.#trace?.(TRC_SCHED_YIELD, unit.domid, unit.vcpuId);
    if (this.#dispatcher.inRun === unit) unit.stopsWhenPaid = true;
    else if (unit.isRunning) this.#dispatcher.reschedule(unit.processor);
  }

  /** VCPUOP_down. */
  setDown(unit: SchedUnit): void {
    this.#setFlag(unit, VPF_down);
  }

  /** VCPUOP_up, or setvcpucontext with the online flag. */
  setUp(unit: SchedUnit): void {
    if (!unit.isGone) this.#clearFlag(unit, VPF_down);
  }

  /** Pauses one vcpu; counted. It does no more work from now on. */
  pause(unit: SchedUnit): void {
    unit.pauseCount++;
    this.#sleep(unit);
  }

  unpause(unit: SchedUnit): void {
    if (unit.pauseCount === 0) throw new Error(`d${unit.domid}v${unit.vcpuId} is not paused`);
    if (--unit.pauseCount === 0) this.#wakeUp(unit);
  }

  /** Pauses all vcpus of a domain, those that are added later too; counted. */
  pauseDomain(domid: Domid): void {
    const domain = this.#domainOf(domid);
    if (domain.pauseCount++ === 0) for (const unit of domain.units) this.#sleep(unit);
  }

  unpauseDomain(domid: Domid): void {
    const domain = this.#domainOf(domid);
    if (domain.pauseCount === 0) throw new Error(`d${domid} is not paused`);
    if (--domain.pauseCount === 0) for (const unit of domain.units) this.#wakeUp(unit);
  }

  // Where and how

  /**
   * Restricts a vcpu to some pcpus (numbers without a pcpu are ignored) and moves it at once if it must.
   * EINVAL: no pcpu is left, or the domain's vcpus are pinned.
   */
  setAffinity(unit: SchedUnit, pcpus: ReadonlySet<number>): void {
    if (unit.domain?.isPinned) throw new XenError('EINVAL', `vcpus of d${unit.domid} are pinned`);
    const online = new Set([...pcpus].filter((id) => this.#allPcpus.has(id)).sort((a, b) => a - b));
    if (online.size === 0) throw new XenError('EINVAL', 'no online cpu in the affinity mask');
    unit.affinity = online;
    if (!online.has(unit.processor)) this.#beginMigration(unit);
  }

  /** domctl scheduler_op get. EINVAL when the scheduler in use is another than the caller thinks. */
  getParameters(domid: Domid, schedulerId = this.kind.id): SchedParameters {
    this.#checkId(schedulerId);
    return this.policy.getParameters(this.#domainOf(domid).domid);
  }

  /** domctl scheduler_op put. EINVAL as above, or for values out of range. */
  setParameters(domid: Domid, parameters: SchedParameters, schedulerId = this.kind.id): void {
    this.#checkId(schedulerId);
    this.policy.setParameters(this.#domainOf(domid).domid, parameters);
    this.#trace?.(TRC_SCHED_ADJDOM, domid);
  }

  /** VCPUOP_set_periodic_timer (ns; the caller checks the lower limit) and _stop_periodic_timer (0). */
  setPeriodic(unit: SchedUnit, periodNs: number): void {
    unit.periodNs = periodNs;
    this.#timers.stop(unit);
    if (unit.isRunning) this.#timers.work(unit);
  }

  /** Adds the cost of work done by the hypervisor for the vcpu whose `run` is on the stack (a hypercall), ns. */
  consume(unit: SchedUnit, ns: number): void {
    if (this.#dispatcher.inRun === unit) this.#dispatcher.consume(ns);
  }

  // Questions

  runstate(unit: SchedUnit): RunstateInfo {
    return unit.runstate(this.#clock.nowNs);
  }

  /** Time for which a pcpu had nothing to do, ns. */
  idleNs(pcpu: number): number {
    return this.#idle[pcpu]!.runningNs(this.#clock.nowNs);
  }

  /** The vcpu on a pcpu; the idle one (`isIdle`) when there is none. */
  currentOn(pcpu: number): SchedUnit {
    return this.#dispatcher.currentOn(pcpu);
  }

  /** Host time plus what the vcpu's present call of `run` has cost so far (`consume`): its time stamp counter. */
  nowInSlice(unit: SchedUnit): number {
    return this.#dispatcher.nowInSlice(unit);
  }

  /** The vcpu whose `run` is on the stack. */
  get inRun(): SchedUnit | undefined {
    return this.#dispatcher.inRun;
  }

  /** smp_processor_id of the code that runs now: which pcpu a trace record or a crash message names. */
  get executingPcpu(): number {
    return this.#dispatcher.executingPcpu;
  }

  /** Debug key `r`, line by line. */
  dumpRunq(print: (line: string) => void): void {
    const isPacking = isOptionOn(this.#options, 'sched_smt_power_savings');
    print(`Scheduler: ${this.kind.title} (${this.kind.option})`);
    this.policy.dumpSettings(print);
    print(`sched_smt_power_savings: ${isPacking ? 'enabled' : 'disabled'}`);
    print(`NOW=0x${this.#clock.nowNs.toString(16).toUpperCase().padStart(16, '0')}`);
    for (const { id } of this.pcpus) {
      let prefix = `CPU[${String(id).padStart(2, '0')}] `;
      this.policy.dumpPcpu(id, (line) => {
        print(prefix + line);
        prefix = '';
      });
    }
  }

  // Inside

  #host(): SchedHost {
    const clock = this.#clock;
    return {
      get nowNs() {
        return clock.nowNs;
      },
      pcpus: this.pcpus,
      options: this.#options,
      currentOn: (pcpu) => this.#dispatcher.currentOn(pcpu),
      reschedule: (pcpu) => this.#dispatcher.reschedule(pcpu),
      at: (timeNs, action) => clock.at(timeNs, action),
      pause: (vcpu) => this.pause(asUnit(vcpu)),
      unpause: (vcpu) => this.unpause(asUnit(vcpu)),
      migrate: (vcpu) => this.#beginMigration(asUnit(vcpu)),
    };
  }

  #domainOf(domid: Domid): SchedDomain {
    const domain = this.#domains.get(domid);
    if (!domain) throw new XenError('ESRCH', `no domain ${domid}`);
    return domain;
  }

  #checkId(schedulerId: number): void {
    if (schedulerId !== this.kind.id) throw new XenError('EINVAL', `the scheduler is ${this.kind.option}`);
  }

  #setFlag(unit: SchedUnit, flag: number): void {
    if (this.#dispatcher.inRun === unit) {
      unit.pendingFlags |= flag;
      unit.stopsWhenPaid = true;
      return;
    }
    unit.flags |= flag;
    this.#sleep(unit);
  }

  #clearFlag(unit: SchedUnit, flag: number): void {
    unit.pendingFlags &= ~flag;
    if ((unit.flags & flag) === 0) return;
    unit.flags &= ~flag;
    this.#wakeUp(unit);
  }

  /** vcpu_sleep_nosync: call after adding a reason not to run. */
  #sleep(unit: SchedUnit): void {
    if (unit.isRunnable) return;
    if (unit.state === RUNSTATE_runnable) this.#dispatcher.changeState(unit, RUNSTATE_offline);
    this.#trace?.(TRC_SCHED_SLEEP, unit.domid, unit.vcpuId);
    this.policy.sleep(unit);
  }

  /** vcpu_wake: call after taking a reason away. */
  #wakeUp(unit: SchedUnit): void {
    if (unit.isRunnable) {
      if (unit.state >= RUNSTATE_blocked) this.#dispatcher.changeState(unit, RUNSTATE_runnable);
      this.policy.wake(unit);
    } else if ((unit.flags & VPF_blocked) === 0 && unit.state === RUNSTATE_blocked) {
      this.#dispatcher.changeState(unit, RUNSTATE_offline);
    }
    this.#trace?.(TRC_SCHED_WAKE, unit.domid, unit.vcpuId);
  }

  #beginMigration(unit: SchedUnit): void {
    unit.flags |= VPF_migrating;
    this.#sleep(unit);
    if (!unit.isRunning) this.#finishMigration(unit);
  }

  #finishMigration(unit: SchedUnit): void {
    unit.processor = this.policy.pickCpu(unit);
    unit.flags &= ~VPF_migrating;
    this.#wakeUp(unit);
  }

  #switchedOut(unit: SchedUnit): void {
    this.#timers.stop(unit);
    unit.callbacks.onSwitchOut?.();
    if (unit.isGone) this.#free(unit);
    else if ((unit.flags & VPF_migrating) !== 0) this.#finishMigration(unit);
  }

  #switchedIn(unit: SchedUnit): void {
    unit.callbacks.onSwitchIn();
    this.#timers.work(unit);
  }

  #free(unit: SchedUnit): void {
    const domain = unit.domain!;
    domain.units.splice(domain.units.indexOf(unit), 1);
    this.policy.removeVcpu(unit);
    if (domain.isGone && domain.units.length === 0) this.policy.removeDomain(domain.domid);
  }
}

function idleUnit(pcpu: number, nowNs: number): SchedUnit {
  const never = () => {
    throw new Error('the idle vcpu has nothing to run');
  };
  const unit = new SchedUnit(IDLE_DOMID, pcpu, { run: never, onSwitchIn: () => {}, onPeriodicTimer: () => {} }, true);
  unit.processor = pcpu;
  unit.affinity = new Set([pcpu]);
  unit.isRunning = true;
  unit.entryNs = nowNs;
  unit.state = 0;
  return unit;
}

function asUnit(vcpu: SchedVcpu): SchedUnit {
  if (vcpu instanceof SchedUnit) return vcpu;
  throw new Error('a policy handed back a vcpu that is not ours');
}
