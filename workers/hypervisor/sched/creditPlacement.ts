/**
 * Where the credit scheduler would like a vcpu to run: on an idle pcpu whose core and socket are the emptiest.
 *
 * Source: csched_cpu_pick in xen/common/sched_credit.c (Xen 3.4).
 */
import type { PcpuTopology } from './scheduler';

export class CreditPlacement {
  constructor(
    readonly pcpus: readonly PcpuTopology[],
    /** `sched_smt_power_savings`: fill sockets and cores instead of spreading over them. */
    readonly isPacking: boolean,
  ) {}

  /**
   * The best pcpu for a vcpu that is on `current`: that one unless an idle pcpu is in a socket (or, in the same socket, in
   * a core) with more idle threads.
   */
  pick(current: number, affinity: ReadonlySet<number>, idlers: readonly boolean[]): number {
    let best = this.#nextIn(current, (id) => affinity.has(id), true) ?? current;
    const start = best;
    const isIdle = (id: number) => idlers[id]! || id === start;
    const candidates = new Set<number>();
    for (let id = 0; id < this.pcpus.length; id++)
      if (id !== best && idlers[id]! && affinity.has(id)) candidates.add(id);
    while (candidates.size > 0) {
      const next = this.#nextIn(best, (id) => candidates.has(id), false)!;
      const key = this.pcpus[next]!.socket === this.pcpus[best]!.socket ? 'core' : 'socket';
      const idleIn = (id: number) => this.pcpus.filter((p) => p[key] === this.pcpus[id]![key] && isIdle(p.id));
      const here = idleIn(best).length;
      const there = idleIn(next);
      if (here !== there.length && here < there.length !== this.isPacking) {
        best = next;
        candidates.delete(next);
      } else {
        for (const { id } of there) candidates.delete(id);
      }
    }
    return best;
  }

  /** The next pcpu, cyclically, that passes the test; with `includesFrom` the first looked at is `from` itself. */
  #nextIn(from: number, test: (id: number) => boolean, includesFrom: boolean): number | undefined {
    const count = this.pcpus.length;
    for (let step = includesFrom ? 0 : 1; step <= count; step++) {
      const id = (from + step) % count;
      if (test(id)) return id;
    }
    return undefined;
  }
}
