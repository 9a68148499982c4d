/**
 * A virtual processor of a domain: its place in shared memory, what its timers and event channels need, and its seat in
 * the scheduler.
 *
 * Source: struct vcpu, xen/include/xen/sched.h, and xen/common/domain.c, Xen 3.4.
 */
import { VCPU_INFO_SIZE, vcpuInfo } from '../abi/sharedInfo';
import { type Mfn, NR_VIRQS, type Port } from '../abi/xen';
import type { QueuedEvent } from '../lib/clock';
import type { Domain } from './domain';
import type { SchedUnit } from './schedUnit';

/** What a vcpu in SCHEDOP_poll waits for: one port, or any of several. */
export type Polling = { readonly port: Port | 'any' } | undefined;

export class Vcpu {
  /** vcpu_info: in shared_info, or where VCPUOP_register_vcpu_info put it. */
  info: DataView;
  /** The guest's own page that holds `info`; a reference is held. */
  infoMfn: Mfn | undefined;
  infoOffset = 0;
  /**
   * The registers that the toolstack or VCPUOP_initialise set: a vcpu_guest_context, of a translated domain a struct
   * hvm_hw_cpu. What they are now: registers.ts.
   */
  context: Uint8Array | undefined;
  /** Port that a virtual interrupt is bound to; 0 = none. */
  readonly virqToPort = new Uint16Array(NR_VIRQS);
  polling: Polling;
  pollTimer: QueuedEvent | undefined;
  singleshotTimer: QueuedEvent | undefined;
  /** Guest virtual address of the runstate area. */
  runstateArea: number | undefined;
  isPausedForShutdown = false;

  constructor(
    readonly domain: Domain,
    readonly id: number,
    readonly unit: SchedUnit,
    private readonly wakeUnit: (unit: SchedUnit) => void,
  ) {
    this.info = infoInSharedPage(domain, id);
    this.isUpcallMasked = true;
  }

  get isInitialised(): boolean {
    return this.context !== undefined;
  }

  get isOnline(): boolean {
    return !this.unit.isDown;
  }

  get isUpcallPending(): boolean {
    return this.info.getUint8(vcpuInfo.evtchn_upcall_pending) !== 0;
  }

  set isUpcallPending(value: boolean) {
    this.info.setUint8(vcpuInfo.evtchn_upcall_pending, value ? 1 : 0);
  }

  get isUpcallMasked(): boolean {
    return this.info.getUint8(vcpuInfo.evtchn_upcall_mask) !== 0;
  }

  set isUpcallMasked(value: boolean) {
    this.info.setUint8(vcpuInfo.evtchn_upcall_mask, value ? 1 : 0);
  }

  /** local_events_need_delivery. */
  get hasDeliverableEvent(): boolean {
    // A translated domain masks events as it masks any interrupt: with its own flag.
    return this.isUpcallPending && (this.domain.isTranslated || !this.isUpcallMasked);
  }

  /** Sets the selector bit of a port's word; true when it was set already. */
  testAndSetPendingSelector(port: number): boolean {
    const word = this.info.getUint32(vcpuInfo.evtchn_pending_sel, true);
    const bit = 1 << (port >>> 5);
    this.info.setUint32(vcpuInfo.evtchn_pending_sel, word | bit, true);
    return (word & bit) !== 0;
  }

  /** vcpu_mark_events_pending: tells the guest and ends its wait. */
  markEventsPending(): void {
    if (this.isUpcallPending) return;
    this.isUpcallPending = true;
    this.wake();
  }

  /** Ends SCHEDOP_block and SCHEDOP_poll; harmless when it does not wait. */
  wake(): void {
    this.polling = undefined;
    this.pollTimer?.cancel();
    this.pollTimer = undefined;
    this.wakeUnit(this.unit);
  }

  stopTimers(): void {
    this.singleshotTimer?.cancel();
    this.singleshotTimer = undefined;
    this.pollTimer?.cancel();
    this.pollTimer = undefined;
  }
}

/** Where `info` is, after pages have moved. */
export function locateInfo(vcpu: Vcpu, bytesOf: (mfn: Mfn) => Uint8Array): void {
  if (vcpu.infoMfn === undefined) {
    vcpu.info = infoInSharedPage(vcpu.domain, vcpu.id);
    return;
  }
  const page = bytesOf(vcpu.infoMfn);
  vcpu.info = new DataView(page.buffer, page.byteOffset + vcpu.infoOffset, VCPU_INFO_SIZE);
}

export function infoInSharedPage(domain: Domain, vcpu: number): DataView {
  const { bytes } = domain.sharedInfo;
  return new DataView(bytes.buffer, bytes.byteOffset + vcpu * VCPU_INFO_SIZE, VCPU_INFO_SIZE);
}
