import type { PageServices } from './services';

/**
 * What the kernel's core (processes, files, terminals) needs from the machine below it. `startup.ts` implements it on
 * Xen; tests of the core implement it in a few lines.
 */
export interface KernelMachine {
  /** Monotonic time of this guest, ns; moves while a step is being charged. */
  readonly nowNs: number;
  /** Seconds since 1970 at `nowNs` = 0. */
  readonly wallClockAtZero: number;
  readonly vcpus: number;
  /** Which vcpus are online now (cpu hot plug); vcpu 0 always is. */
  isOnline(vcpu: number): boolean;
  /** A process became runnable on an idle vcpu: interrupt it (an IPI). */
  kick(vcpu: number): void;
  /** Ask to be run at this time even if nothing else happens; undefined: no timer needed. */
  setTimer(timeNs: number | undefined): void;
  /** Console output; returns how many bytes were taken. `consoleWritable` on the core is called when there is room again. */
  consoleWrite(bytes: Uint8Array): number;
  /** Does not return in spirit: no step is run afterwards. */
  shutdown(reason: 'poweroff' | 'reboot' | 'crash'): void;
  /** Seeded per guest. */
  random(limit: number): number;
  readonly memoryKiB: number;
  /** The guest's own frames, for programs that want memory of their own; absent: there is none to have. */
  readonly pages?: PageServices;
  /** What /proc/cpuinfo says; a 2.4 GHz Xeon when absent. */
  readonly cpu?: { readonly mhz: number; readonly model: string };
  /** Rows of /proc/interrupts: `16`, `Dynamic-irq  timer0`, counts by vcpu. */
  interruptCounts?(): readonly { readonly name: string; readonly kind: string; readonly perVcpu: readonly number[] }[];
  /**
   * Hypervisor facts: absolute path (`/proc/xen/capabilities`, `/sys/hypervisor/uuid`) → content at the time of reading;
   * `xen/…` stands for /proc/xen/…, `hypervisor/…` for /sys/hypervisor/….
   */
  extraFiles(): ReadonlyMap<string, () => string>;
}
