/**
 * What a scheduling policy is to the rest of the hypervisor (xen/include/xen/sched-if.h).
 *
 * The framework (../schedule.ts) owns run states, timers and context switches; the policy owns the run queues and says
 * which vcpu runs next on a pcpu and for how long.
 */
import type { Domid } from '../../abi/xen';

/** A vcpu as a policy sees it. The policy keeps its own data beside it, keyed by the object. */
export interface SchedVcpu {
  readonly domid: Domid;
  readonly vcpuId: number;
  readonly isIdle: boolean;
  /** The pcpu it runs on, or ran on last. Policies assign it when they migrate a vcpu. */
  processor: number;
  /** The pcpus it may run on. */
  readonly affinity: ReadonlySet<number>;
  /** Pause flags, pause counts of the vcpu and of its domain are all clear. */
  readonly isRunnable: boolean;
  /** It is the current vcpu of `processor`. */
  readonly isRunning: boolean;
  /** When it last stopped running, ns; for cache-hot decisions. */
  readonly lastRunNs: number;
}

/** What the framework offers a policy. */
export interface SchedHost {
  readonly nowNs: number;
  readonly pcpus: readonly PcpuTopology[];
  currentOn(pcpu: number): SchedVcpu;
  /** Raises the schedule softirq on that pcpu. */
  reschedule(pcpu: number): void;
  /** Calls back at the given time; cancellable. */
  at(timeNs: number, action: () => void): { cancel(): void };
  /** The extra pause count with which credit parks a capped vcpu, and its release (which wakes it). */
  pause(vcpu: SchedVcpu): void;
  unpause(vcpu: SchedVcpu): void;
  /** Sets the migrating flag and reschedules: after the switch the framework asks `pickCpu` and wakes it there. */
  migrate(vcpu: SchedVcpu): void;
  /** Boot options that policies read (`sched_smt_power_savings`, `vcpu_migration_delay`). */
  readonly options: ReadonlyMap<string, string>;
}

export interface PcpuTopology {
  readonly id: number;
  readonly socket: number;
  /** Core number, unique on the host. */
  readonly core: number;
}

export interface Decision {
  readonly vcpu: SchedVcpu;
  /** Slice in ns; negative: until something happens. */
  readonly sliceNs: number;
}

export interface Scheduler {
  /** Starts the policy's own timers; called once, when all pcpus are up and have their idle vcpu. */
  start?(): void;
  addVcpu(vcpu: SchedVcpu): void;
  removeVcpu(vcpu: SchedVcpu): void;
  addDomain(domid: Domid): void;
  removeDomain(domid: Domid): void;
  wake(vcpu: SchedVcpu): void;
  sleep(vcpu: SchedVcpu): void;
  pickCpu(vcpu: SchedVcpu): number;
  schedule(pcpu: number): Decision;
  /** domctl scheduler_op: get or put of this policy's parameters. Throws XenError EINVAL. */
  getParameters(domid: Domid): SchedParameters;
  setParameters(domid: Domid, parameters: SchedParameters): void;
  /** Debug key `r`: what follows the line that names the scheduler. */
  dumpSettings(print: (line: string) => void): void;
  /** Debug key `r`: the state of one pcpu; its first line goes on after the framework's `CPU[00] `. */
  dumpPcpu(pcpu: number, print: (line: string) => void): void;
}

export type SchedParameters =
  | { readonly kind: 'credit'; readonly weight: number; readonly cap: number }
  | {
      readonly kind: 'sedf';
      readonly periodNs: number;
      readonly sliceNs: number;
      readonly latencyNs: number;
      readonly extratime: boolean;
      readonly weight: number;
    }
  | { readonly kind: 'none' };

/** A registry entry: what `sched=` names. */
export interface SchedulerKind {
  /** Word on Xen's command line. */
  readonly option: string;
  /** `SMP Credit Scheduler`, as printed at boot. */
  readonly title: string;
  /** sysctl sched_id: 4 sedf, 5 credit. */
  readonly id: number;
  create(host: SchedHost): Scheduler;
}
