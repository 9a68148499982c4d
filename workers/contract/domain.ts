import type { LinkState } from './migration';

/** Domains as the page shows them: the numbers of `xm list`, `xm vcpu-list` and `xm top`. */
export interface DomainState {
  readonly domid: number;
  readonly name: string;
  /** Current allocation, KiB. */
  readonly memoryKiB: number;
  readonly maxMemoryKiB: number;
  readonly onlineVcpus: number;
  /** Six letters or dashes, as in `xm list`. */
  readonly state: string;
  readonly cpuTimeMs: number;
  /** Percent of one physical cpu over the last reporting period (virtual time). */
  readonly cpuPercent: number;
  /** True when its console may be opened (it has a PV console). */
  readonly hasConsole: boolean;
}

export interface HostState {
  readonly name: string;
  /** Virtual time since switch-on, ms. */
  readonly nowMs: number;
  /** Requested speed: 1 = wall time, 0 = paused, Infinity = as fast as possible. */
  readonly speed: number;
  /** How far virtual time has fallen behind wall time × speed, ms. */
  readonly lagMs: number;
  readonly pcpus: number;
  readonly totalMemoryKiB: number;
  readonly freeMemoryKiB: number;
  /** Per physical cpu, percent busy over the last reporting period. */
  readonly pcpuPercent: readonly number[];
  /** What is on the machine's disks and not yet in the storage that outlives the page, KiB. */
  readonly unsavedKiB: number;
  /** Name of the security policy that the hypervisor enforces; null: it was built without ACM, or is off. */
  readonly policy: string | null;
  /** The cable of eth0. */
  readonly link: LinkState;
  readonly phase: 'off' | 'booting' | 'running' | 'rebooting' | 'halted';
}
