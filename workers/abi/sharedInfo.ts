/**
 * `shared_info`: the page that a domain shares with the hypervisor (xen/include/public/xen.h; 2584 bytes for 32-bit
 * guests): per vcpu the event flags and the time record, then the event channels' pending and mask bits, the wall clock,
 * and what the guest tells about its P2M table.
 */
export const VCPU_INFO_SIZE = 64;

/** Offsets inside vcpu_info. */
export const vcpuInfo = {
  evtchn_upcall_pending: 0,
  evtchn_upcall_mask: 1,
  evtchn_pending_sel: 4,
  time: 32,
} as const;

/** Offsets inside vcpu_time_info. */
export const vcpuTimeInfo = {
  version: 0,
  tsc_timestamp: 8,
  system_time: 16,
  tsc_to_system_mul: 24,
  tsc_shift: 28,
} as const;

/** Offsets inside shared_info. */
export const sharedInfo = {
  vcpu_info: 0,
  evtchn_pending: 2048,
  evtchn_mask: 2176,
  wc_version: 2304,
  wc_sec: 2308,
  wc_nsec: 2312,
  arch_max_pfn: 2316,
  arch_pfn_to_mfn_frame_list_list: 2320,
} as const;

export const NR_EVENT_CHANNELS = 1024;

/** Bit operations on the event-channel part of a shared_info page. */
export class SharedInfoPage {
  readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  isPending(port: number): boolean {
    return this.#test(sharedInfo.evtchn_pending, port);
  }

  isMasked(port: number): boolean {
    return this.#test(sharedInfo.evtchn_mask, port);
  }

  /** Sets the pending bit; true when it was set already. */
  testAndSetPending(port: number): boolean {
    return this.#change(sharedInfo.evtchn_pending, port, true);
  }

  clearPending(port: number): void {
    this.#change(sharedInfo.evtchn_pending, port, false);
  }

  setMask(port: number): void {
    this.#change(sharedInfo.evtchn_mask, port, true);
  }

  /** Clears the mask bit; true when it was set. */
  testAndClearMask(port: number): boolean {
    return this.#change(sharedInfo.evtchn_mask, port, false);
  }

  #test(base: number, port: number): boolean {
    return ((this.view.getUint32(base + (port >>> 5) * 4, true) >>> (port & 31)) & 1) !== 0;
  }

  #change(base: number, port: number, to: boolean): boolean {
    const at = base + (port >>> 5) * 4;
    const word = this.view.getUint32(at, true);
    const bit = 1 << (port & 31);
    this.view.setUint32(at, to ? word | bit : word & ~bit, true);
    return (word & bit) !== 0;
  }
}
