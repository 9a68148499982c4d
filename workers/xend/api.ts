/**
 * What xm may ask of xend: the XML-RPC methods of Xen 3.4 (tools/python/xen/xend/server/XMLRPCServer.py) as a typed
 * interface. Arguments and results are plain data; s-expressions are nested arrays of strings (lib/sxp.ts).
 * Every method rejects with XendError or a subclass; its `message` is what the operator reads after `Error: `.
 */
import type { Sxp } from '../lib/sxp';
import type { XendSecurityApi } from './securityApi';

/** A domain as `xm list` and friends need it. */
export interface DomainSummary {
  readonly name: string;
  readonly uuid: string;
  /** undefined: managed and not running. */
  readonly domid: number | undefined;
  /** Configured memory (dynamic max), MiB. */
  readonly memoryMiB: number;
  readonly maxmemMiB: number;
  /** Online vcpus if running, else configured. */
  readonly vcpus: number;
  /** Six letters or dashes `rbpscd`; undefined when not running. */
  readonly state: string | undefined;
  readonly powerState: 'halted' | 'paused' | 'running' | 'suspended' | 'shutting down' | 'crashed' | 'unknown';
  readonly cpuTimeNs: number;
  /** Seconds since 1970. */
  readonly startTime: number;
  readonly weight: number;
  readonly cap: number;
  readonly label: string | undefined;
  readonly restartCount: number;
}

export interface VcpuSummary {
  readonly number: number;
  readonly online: boolean;
  readonly blocked: boolean;
  readonly running: boolean;
  readonly cpuTimeNs: number;
  /** pcpu it is on; -1 when offline. */
  readonly cpu: number;
  /** Allowed pcpus. */
  readonly affinity: readonly number[];
}

export interface DeviceSummary {
  readonly devid: number;
  /** Frontend directory's keys and values, in store order. */
  readonly entries: readonly (readonly [string, string])[];
}

export interface DumpRequest {
  /** Undefined: xend chooses. */
  readonly path: string | undefined;
  /** The domain runs on meanwhile. */
  readonly isLive: boolean;
  /** What becomes of it when its core is written. */
  readonly after: 'destroy' | 'reset' | undefined;
}

export type ShutdownWord = 'poweroff' | 'reboot' | 'halt' | 'suspend';

export interface MigrateOptions {
  readonly isLive: boolean;
  /** The other xend's; undefined: the one of this host's configuration. */
  readonly port?: number | undefined;
  /** Of the link, Mbit/s. */
  readonly rateMbps?: number | undefined;
}

export interface XendApi {
  /** Policies and labels. */
  readonly security: XendSecurityApi;
  domains(): Promise<readonly DomainSummary[]>;
  /** By name, id or uuid in xend's lookup order; rejects with XendInvalidDomain. */
  domain(key: string): Promise<DomainSummary>;
  /** `(domain …)` as `xm list --long` prints it. */
  domainSxp(key: string): Promise<Sxp>;

  /** Builds a domain from `(vm …)` or `(domain …)`; it is left paused. */
  create(config: Sxp): Promise<DomainSummary>;
  /** Keeps a domain's configuration without starting it. */
  newDomain(config: Sxp): Promise<DomainSummary>;
  /** Builds a dormant domain; it is left paused. */
  startDomain(key: string): Promise<DomainSummary>;
  /** Forgets a dormant domain. */
  deleteDomain(key: string): Promise<void>;
  rename(key: string, name: string): Promise<void>;
  waitForDevices(key: string): Promise<void>;
  unpause(key: string): Promise<void>;
  pause(key: string): Promise<void>;
  shutdown(key: string, reason: ShutdownWord): Promise<void>;
  destroy(key: string): Promise<void>;

  /** Writes the domain's state to a file and ends it, or lets it go on when it is a checkpoint. */
  save(key: string, path: string, isCheckpoint: boolean): Promise<void>;
  /** Writes a domain's processors and memory into a core file. */
  dump(key: string, request: DumpRequest): Promise<void>;
  /** Destroys the domain and builds it anew. */
  reset(key: string): Promise<void>;
  /** Makes a domain from a state file; it is left paused. */
  restore(path: string): Promise<DomainSummary>;
  /** Saves a managed domain beside its configuration. */
  suspend(key: string): Promise<void>;
  /** Continues a suspended domain; it is left paused. */
  resume(key: string): Promise<DomainSummary>;

  /** Sends a domain to another host's xend. */
  migrate(key: string, host: string, options: MigrateOptions): Promise<void>;
  /**
   * Ends a migration that leaves from here; resolves when the domain goes on. Differs from Xen 3.4, which has no such method:
   * there Ctrl-C ends xm and xend goes on.
   */
  cancelMigration(key: string): Promise<void>;

  setMemoryTarget(key: string, mebibytes: number): Promise<void>;
  setMaxMemory(key: string, mebibytes: number): Promise<void>;
  setVcpuCount(key: string, vcpus: number): Promise<void>;
  vcpus(key: string): Promise<readonly VcpuSummary[]>;
  pinVcpu(key: string, vcpu: number | 'all', cpus: readonly number[]): Promise<void>;
  schedCreditGet(key: string): Promise<{ weight: number; cap: number }>;
  schedCreditSet(key: string, parameters: { weight?: number; cap?: number }): Promise<void>;

  deviceCreate(key: string, device: Sxp): Promise<void>;
  /** devid as number or as the name in the guest (`sda1`, `/dev/sda1`, a MAC). */
  deviceDestroy(key: string, className: string, devid: string, force: boolean): Promise<void>;
  devices(key: string, className: string): Promise<readonly DeviceSummary[]>;

  nodeInfo(): Promise<readonly (readonly [string, string])[]>;
  /** xend's own options, for `xm info -c`. */
  nodeConfig(): Promise<readonly (readonly [string, string])[]>;
  nodeDmesg(clear: boolean): Promise<string>;
  nodeDebugKeys(keys: string): Promise<void>;
  /** `credit` or `sedf`: the scheduler Xen runs. */
  schedulerName(): Promise<string>;
  log(): Promise<string>;
  sendSysrq(key: string, letter: string): Promise<void>;
}
