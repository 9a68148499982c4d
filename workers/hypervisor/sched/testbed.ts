/**
 * A host with pcpus and vcpus but without guests: what the schedulers' tests and the benchmark run on.
 */
import type { Domid } from '../../abi/xen';
import { VirtualClock } from '../../lib/clock';
import { SchedUnit } from '../schedUnit';
import { Schedule } from '../schedule';
import type { Topology } from '../topology';
import type { SchedulerKind } from './scheduler';

/** A vcpu with the amount of work it has done, in ns of cpu time, counted where the work is done. */
export interface Worker {
  readonly unit: SchedUnit;
  workNs: number;
  periodicTicks: number;
  switchesIn: number;
}

export class Testbed {
  readonly clock = new VirtualClock();
  readonly schedule: Schedule;
  readonly #domains = new Set<number>();

  constructor(
    kind: SchedulerKind,
    topology: Topology = { sockets: 1, cores: 1, threads: 1 },
    options: Readonly<Record<string, string>> = {},
    trace?: (event: number, ...words: readonly number[]) => void,
  ) {
    this.schedule = new Schedule({
      clock: this.clock,
      topology,
      kind,
      options: new Map(Object.entries(options)),
      trace,
    });
    this.schedule.start();
  }

  /** Adds a vcpu (and its domain) that does `work` whenever it runs; it is up at once. */
  add(domid: number, vcpuId: number, work: (worker: Worker, budgetNs: number) => number, processor = -1): Worker {
    if (!this.#domains.has(domid)) this.schedule.addDomain(domid as Domid);
    this.#domains.add(domid);
    const worker: Worker = {
      workNs: 0,
      periodicTicks: 0,
      switchesIn: 0,
      unit: new SchedUnit(domid as Domid, vcpuId, {
        run: (budgetNs) => {
          const costNs = work(worker, budgetNs);
          worker.workNs += costNs;
          return costNs;
        },
        onSwitchIn: () => {
          worker.switchesIn++;
        },
        onPeriodicTimer: () => {
          worker.periodicTicks++;
        },
      }),
    };
    worker.unit.processor = processor;
    this.schedule.addUnit(worker.unit);
    this.schedule.setUp(worker.unit);
    return worker;
  }

  /** A vcpu that never waits. */
  spinner(domid: number, vcpuId = 0, processor = -1): Worker {
    return this.add(domid, vcpuId, (_, budgetNs) => budgetNs, processor);
  }

  /** A vcpu that works for `workNs`, waits for `waitNs`, and so on; `onStart` hears how long it waited for a pcpu. */
  periodic(domid: number, workNs: number, waitNs: number, onStart?: (latencyNs: number) => void): Worker {
    let leftNs = workNs;
    let wokenNs = this.clock.nowNs;
    return this.add(domid, 0, ({ unit }, budgetNs) => {
      if (leftNs === workNs) onStart?.(this.clock.nowNs - wokenNs);
      const costNs = Math.min(leftNs, budgetNs);
      leftNs -= costNs;
      if (leftNs === 0) {
        leftNs = workNs;
        this.schedule.block(unit);
        wokenNs = this.clock.nowNs + costNs + waitNs;
        this.clock.at(wokenNs, () => this.schedule.wake(unit));
      }
      return costNs;
    });
  }

  /** Lets the host run for a while. */
  runFor(ns: number): void {
    this.clock.advanceTo(this.clock.nowNs + ns);
  }

  /** Sets the share of a domain under the credit scheduler. */
  setCredit(domid: number, weight: number, cap = 0): void {
    this.schedule.setParameters(domid as Domid, { kind: 'credit', weight, cap });
  }

  /** Time that a vcpu was on a pcpu, by its run states. */
  ranNs(worker: Worker): number {
    return this.schedule.runstate(worker.unit).timesNs[0];
  }
}
