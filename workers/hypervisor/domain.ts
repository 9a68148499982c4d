/**
 * A domain: a virtual machine with its vcpus, its pages, its event channels and its grant table.
 *
 * This is the record; what happens to it stands in lifecycle.ts. Source: struct domain, xen/include/xen/sched.h, Xen 3.4.
 */
import type { GuestCpu, VcpuRunner } from '../abi/cpu';
import { SharedInfoPage } from '../abi/sharedInfo';
import type { Domid, Mfn, Port } from '../abi/xen';
import { EvtchnTable } from './evtchn';
import { GrantTable } from './grantTable';
import { HypercallLog } from './hypercallLog';
import { AddressSpace } from './memory/addressSpace';
import type { DirtyLog } from './memory/dirtyLog';
import type { MachineMemory, PageOwner } from './memory/frames';
import type { Vcpu } from './vcpu';

/** alive → dying (its resources are being taken back) → dead (all taken back that nobody else holds). */
export type DyingState = 'alive' | 'dying' | 'dead';

export interface E820Entry {
  readonly addr: bigint;
  readonly size: bigint;
  readonly type: number;
}

export interface DomainPlan {
  readonly domid: Domid;
  readonly handle: Uint8Array;
  readonly isPrivileged: boolean;
  readonly sharedInfoMfn: Mfn;
  readonly grantFrames: readonly Mfn[];
  readonly maxGrantFrames: number;
}

export class Domain implements PageOwner {
  readonly domid: Domid;
  handle: Uint8Array;
  /** May call domctl and sysctl and act on other domains. */
  readonly isPrivileged: boolean;
  /** A domain over which this one is privileged (device models). */
  target: Domid | undefined;

  /** Index = vcpu id; Domain-0's and xend's `max_vcpus` call fill it. */
  readonly vcpus: Vcpu[] = [];
  readonly space: AddressSpace;
  readonly sharedInfoMfn: Mfn;
  sharedInfo: SharedInfoPage;
  readonly evtchns = new EvtchnTable();
  readonly grants: GrantTable;

  totPages = 0;
  maxPages = 0;
  xenheapPages = 0;

  dying: DyingState = 'alive';
  isPausedByController = false;
  isShuttingDown = false;
  isShutDown = false;
  shutdownCode = 0;
  /** Fired instead of VIRQ_DOM_EXC when it suspends. */
  suspendPort: Port | undefined;

  isDebugged = false;
  /** It has page tables of its own, and Xen keeps its pseudo-physical map: its frame numbers are always guest frames. */
  isTranslated = false;
  /** Interrupt vector by which a translated domain hears of events (HVM_PARAM_CALLBACK_IRQ). */
  callbackVector: number | undefined;
  /** While log-dirty mode is on. */
  dirtyLog: DirtyLog | undefined;
  vmAssist = 0;
  timeOffsetSeconds = 0;
  memoryMap: readonly E820Entry[] = [];
  readonly hvmParams = new Map<number, bigint>();
  readonly hypercalls = new HypercallLog();

  /** What executes its instructions; known once vcpu 0 has run. */
  runner: VcpuRunner | undefined;
  cpu: GuestCpu | undefined;

  /** Set by lifecycle.ts: looks whether a dead domain can go for good. */
  onPageFreed: () => void = () => {};

  constructor(plan: DomainPlan, memory: MachineMemory) {
    this.domid = plan.domid;
    this.handle = plan.handle;
    this.isPrivileged = plan.isPrivileged;
    this.space = new AddressSpace(memory);
    this.sharedInfoMfn = plan.sharedInfoMfn;
    this.sharedInfo = new SharedInfoPage(memory.bytes(plan.sharedInfoMfn));
    this.grants = new GrantTable(memory, plan.grantFrames, plan.maxGrantFrames);
  }

  get isDying(): boolean {
    return this.dying !== 'alive';
  }

  /** IS_PRIV_FOR: may act on `other` as the toolstack does. */
  isPrivilegedFor(other: Domain): boolean {
    return this.isPrivileged || this.target === other.domid;
  }
}
