/**
 * What guest work costs in cpu time, in nanoseconds. One table for all programs; a program adds what its own work is
 * worth by `costNs` of its step. The reasons are in docs/costs.md.
 */
export const costs = {
  /** Entering and leaving a process for one step (a context switch on a cpu of 2007). */
  stepNs: 2_000,
  /** A system call: entry, lookup, exit. */
  syscallNs: 500,
  /** Copying one byte between kernel and process. */
  byteNs: 0.5,
  /** One byte of /dev/urandom: SHA-1 over a pool. */
  randomByteNs: 150,
  /** One path walk. */
  lookupNs: 1_000,
  /** fork and exec of a small program, page tables and all. */
  spawnNs: 400_000,
  execNs: 250_000,
  /** Tearing a process down. */
  exitNs: 60_000,
  /** Delivering a signal. */
  signalNs: 1_500,
  /** Handling one interrupt (timer, event channel). */
  interruptNs: 1_500,
  /** A request to a block device: the part of it that the submitting kernel spends. */
  blockRequestNs: 8_000,
} as const;

/** How long a process of niceness 0 keeps a vcpu while others wait for it. */
const QUANTUM_NS = 10_000_000;
const QUANTUM_MIN_NS = 500_000;
const QUANTUM_MAX_NS = 100_000_000;

/** The same for any niceness: each step of it is a quarter more or less, within limits. */
export function quantumNs(nice: number): number {
  return Math.min(QUANTUM_MAX_NS, Math.max(QUANTUM_MIN_NS, Math.round(QUANTUM_NS * 1.25 ** -nice)));
}
