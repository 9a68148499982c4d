/**
 * A vcpu's periodic timer: the heartbeat that its kernel gets while it has a pcpu.
 *
 * Source: vcpu_periodic_timer_work in xen/common/schedule.c (Xen 3.4).
 */
import type { EventQueue } from '../lib/clock';
import type { SchedUnit } from './schedUnit';

export class PeriodicTimers {
  constructor(
    readonly clock: EventQueue,
    /** A tick may come up to this early (`timer_slop`, ns), rather than be missed by a hair. */
    readonly slopNs: number,
  ) {}

  /** Ticks if it is time and arms the next tick; call when the vcpu gets a pcpu. Ticks missed meanwhile come as one. */
  work(unit: SchedUnit): void {
    if (unit.periodNs <= 0) return;
    const { nowNs } = this.clock;
    if (nowNs + Math.max(1, this.slopNs) > unit.periodicLastNs + unit.periodNs) {
      unit.periodicLastNs = nowNs;
      unit.callbacks.onPeriodicTimer();
    }
    unit.periodicTimer = this.clock.at(unit.periodicLastNs + unit.periodNs, () => this.work(unit));
  }

  /** No ticks without a pcpu. */
  stop(unit: SchedUnit): void {
    unit.periodicTimer?.cancel();
    unit.periodicTimer = undefined;
  }
}
