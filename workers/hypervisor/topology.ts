/**
 * The host's physical cpus: how they share cores and sockets, what sharing a core costs, and where a new vcpu starts.
 *
 * Placement: default_vcpu0_location in xen/common/domctl.c and alloc_vcpu's callers in Xen 3.4.
 */
import { DOM0, type Domid } from '../abi/xen';
import type { PcpuTopology } from './sched/scheduler';

/** Cores per socket and threads per core. */
export interface Topology {
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
}

/** Numbers the pcpus depth first: the threads of a core stand beside each other, then the cores of a socket. */
export function enumeratePcpus({ sockets, cores, threads }: Topology): readonly PcpuTopology[] {
  return Array.from({ length: sockets * cores * threads }, (_, id) => {
    const core = Math.floor(id / threads);
    return { id, core, socket: Math.floor(core / cores) };
  });
}

/**
 * How much work a core with several busy threads does, compared with one thread that has the core to itself. 1.2 is what
 * hyperthreading of the machines of the time gave on mixed loads.
 */
export const SMT_CORE_THROUGHPUT = 1.2;

/** Speed of each of `busyThreads` threads that share a core: 1 alone, 0.6 for each of two. */
export function threadSpeed(busyThreads: number): number {
  return busyThreads <= 1 ? 1 : SMT_CORE_THROUGHPUT / busyThreads;
}

/** A vcpu that exists already, as far as the choice of a place for the next one depends on it. */
export interface PlacedVcpu {
  readonly domid: Domid;
  readonly vcpuId: number;
  readonly processor: number;
  readonly isDown: boolean;
}

/**
 * The pcpu on which vcpu `vcpuId` of `domid` starts. Domain-0's are dealt out in turn; vcpu 0 of any other domain goes to
 * the pcpu with the fewest vcpus that are up (pcpu 0's first thread and the first threads of cores that have two come
 * last); the following ones each to the next pcpu.
 */
export function initialPcpu(
  domid: Domid,
  vcpuId: number,
  pcpus: readonly PcpuTopology[],
  vcpus: Iterable<PlacedVcpu>,
): number {
  if (domid === DOM0) return vcpuId % pcpus.length;
  if (vcpuId === 0) return leastLoaded(pcpus, vcpus);
  for (const vcpu of vcpus) {
    if (vcpu.domid === domid && vcpu.vcpuId === vcpuId - 1) return (vcpu.processor + 1) % pcpus.length;
  }
  return vcpuId % pcpus.length;
}

function leastLoaded(pcpus: readonly PcpuTopology[], vcpus: Iterable<PlacedVcpu>): number {
  const upOn = pcpus.map(() => 0);
  for (const vcpu of vcpus) if (!vcpu.isDown) upOn[vcpu.processor]!++;
  const threadsOf = (core: number) => pcpus.filter((p) => p.core === core);
  const first = threadsOf(pcpus[0]!.core);
  let best = (first[1] ?? first[0]!).id;
  const coresSeen = new Set([pcpus[0]!.core]);
  for (const { id, core } of pcpus) {
    if (coresSeen.has(core)) continue;
    const threads = threadsOf(core);
    if (threads.length > 1 && threads[0]!.id === id) continue;
    coresSeen.add(core);
    if (upOn[id]! <= upOn[best]!) best = id;
  }
  return best;
}
