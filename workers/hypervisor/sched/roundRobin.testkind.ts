/** A policy without weights, each vcpu in its turn for 30 ms: what the tests of the other policies are measured against. */
import type { Decision, SchedHost, Scheduler, SchedulerKind, SchedVcpu } from './scheduler';

const SLICE_NS = 30_000_000;

class RoundRobin implements Scheduler {
  readonly #host: SchedHost;
  readonly #idle = new Map<number, SchedVcpu>();
  readonly #waiting: SchedVcpu[] = [];

  constructor(host: SchedHost) {
    this.#host = host;
  }

  addDomain(): void {}
  removeDomain(): void {}

  addVcpu(vcpu: SchedVcpu): void {
    if (vcpu.isIdle) this.#idle.set(vcpu.processor, vcpu);
  }

  removeVcpu(vcpu: SchedVcpu): void {
    this.#unlink(vcpu);
  }

  wake(vcpu: SchedVcpu): void {
    if (vcpu.isRunning || this.#waiting.includes(vcpu)) return;
    this.#waiting.push(vcpu);
    this.#askIdlers(vcpu);
  }

  sleep(vcpu: SchedVcpu): void {
    if (vcpu.isRunning) this.#host.reschedule(vcpu.processor);
    else this.#unlink(vcpu);
  }

  pickCpu(vcpu: SchedVcpu): number {
    return vcpu.affinity.has(vcpu.processor) ? vcpu.processor : Math.min(...vcpu.affinity);
  }

  schedule(pcpu: number): Decision {
    const current = this.#host.currentOn(pcpu);
    if (!current.isIdle && current.isRunnable) this.#waiting.push(current);
    const at = this.#waiting.findIndex((v) => v.affinity.has(pcpu) && (!v.isRunning || v === current));
    const next = this.#waiting[at];
    if (!next) return { vcpu: this.#idle.get(pcpu)!, sliceNs: -1 };
    this.#waiting.splice(at, 1);
    next.processor = pcpu;
    for (const vcpu of this.#waiting) this.#askIdlers(vcpu);
    return { vcpu: next, sliceNs: SLICE_NS };
  }

  getParameters(): { readonly kind: 'none' } {
    return { kind: 'none' };
  }

  setParameters(): void {}
  dumpSettings(): void {}
  dumpPcpu(): void {}

  #askIdlers(vcpu: SchedVcpu): void {
    for (const { id } of this.#host.pcpus)
      if (this.#host.currentOn(id).isIdle && vcpu.affinity.has(id)) this.#host.reschedule(id);
  }

  #unlink(vcpu: SchedVcpu): void {
    const at = this.#waiting.indexOf(vcpu);
    if (at >= 0) this.#waiting.splice(at, 1);
  }
}

export const roundRobin: SchedulerKind = {
  option: 'rr',
  title: 'Round Robin',
  id: 99,
  create: (host) => new RoundRobin(host),
};
