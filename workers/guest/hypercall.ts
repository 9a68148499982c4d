/**
 * The one way out of a kernel: hypercalls with their structures, marshalled into a page of the guest's own memory.
 *
 * Every wrapper throws XenError for a negative result. Structures: the comments in abi/.
 */

import { CONSOLEIO_read, CONSOLEIO_write } from '../abi/consoleIo';
import type { GuestCpu } from '../abi/cpu';
import * as evtchn from '../abi/eventChannel';
import * as gnttab from '../abi/grantTable';
import * as memory from '../abi/memory';
import * as sched from '../abi/sched';
import { DOMID_SELF, type Domid, type Gref, hypercall, type Mfn, PAGE_SIZE, type Port } from '../abi/xen';
import { errnoName, XenError } from '../lib/errno';

const UVMF_INVLPG = 2;
const PTE_PRESENT_RW = 0x63;
const PTE_PRESENT = 0x61;

export class Hypercalls {
  /** The vcpu whose code is running now. */
  vcpu = 0;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;

  /** `scratchVa`: a page of the kernel's own memory that holds the structures. */
  constructor(
    readonly cpu: GuestCpu,
    private readonly scratchVa: number,
  ) {
    this.#bytes = cpu.page(scratchVa);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, PAGE_SIZE);
  }

  /** Any hypercall on the running vcpu. */
  call(op: number, ...args: readonly number[]): number {
    const result = this.cpu.hypercall(this.vcpu, op, ...args);
    if (result < 0) throw new XenError(errnoName(-result) ?? 'EINVAL', `hypercall ${op}(${args.join(', ')})`);
    return result;
  }

  // --- event channels

  allocUnbound(remote: Domid, owner: Domid = DOMID_SELF): Port {
    this.#struct(8);
    this.#view.setUint16(0, owner, true);
    this.#view.setUint16(2, remote, true);
    this.#evtchnOp(evtchn.EVTCHNOP_alloc_unbound);
    return this.#view.getUint32(4, true) as Port;
  }

  bindInterdomain(remote: Domid, remotePort: Port): Port {
    this.#struct(12);
    this.#view.setUint16(0, remote, true);
    this.#view.setUint32(4, remotePort, true);
    this.#evtchnOp(evtchn.EVTCHNOP_bind_interdomain);
    return this.#view.getUint32(8, true) as Port;
  }

  bindVirq(virq: number, vcpu: number): Port {
    this.#struct(12);
    this.#view.setUint32(0, virq, true);
    this.#view.setUint32(4, vcpu, true);
    this.#evtchnOp(evtchn.EVTCHNOP_bind_virq);
    return this.#view.getUint32(8, true) as Port;
  }

  bindIpi(vcpu: number): Port {
    this.#struct(8);
    this.#view.setUint32(0, vcpu, true);
    this.#evtchnOp(evtchn.EVTCHNOP_bind_ipi);
    return this.#view.getUint32(4, true) as Port;
  }

  sendEvent(port: Port): void {
    this.#portOp(evtchn.EVTCHNOP_send, port);
  }

  unmaskEvent(port: Port): void {
    this.#portOp(evtchn.EVTCHNOP_unmask, port);
  }

  closePort(port: Port): void {
    this.#portOp(evtchn.EVTCHNOP_close, port);
  }

  // --- scheduling and time

  /** The vcpu sleeps until an event is deliverable; the caller must return from its slice. */
  block(): void {
    this.call(hypercall.sched_op, sched.SCHEDOP_block, 0);
  }

  yield(): void {
    this.call(hypercall.sched_op, sched.SCHEDOP_yield, 0);
  }

  /** `startInfoMfn`: for a suspend, which leaves it in EDX for the toolstack. */
  shutdown(reason: number, startInfoMfn = 0): void {
    this.#struct(4);
    this.#view.setUint32(0, reason, true);
    this.call(hypercall.sched_op, sched.SCHEDOP_shutdown, this.scratchVa, startInfoMfn);
  }

  /** One-shot timer of the running vcpu at an absolute system time, ns; 0 stops it. */
  setTimer(systemTimeNs: number): void {
    const low = systemTimeNs % 0x1_0000_0000;
    this.call(hypercall.set_timer_op, low, (systemTimeNs - low) / 0x1_0000_0000);
  }

  /** `fill` writes the argument; returns the (non-negative) result. */
  vcpuOp(command: number, vcpu: number, size = 0, fill?: (view: DataView) => void): number {
    if (size > PAGE_SIZE) throw new Error('structure larger than a page');
    if (size === 0) return this.call(hypercall.vcpu_op, command, vcpu, 0);
    this.#struct(size);
    fill?.(this.#view);
    return this.call(hypercall.vcpu_op, command, vcpu, this.scratchVa);
  }

  // --- mappings

  /** Maps a machine frame of this domain (or its shared_info, grant frames) at a page of the map window. */
  mapFrame(va: number, mfn: Mfn): void {
    this.call(hypercall.update_va_mapping, va, ...pte(mfn, PTE_PRESENT_RW), UVMF_INVLPG);
  }

  unmapFrame(va: number): void {
    this.call(hypercall.update_va_mapping, va, 0, 0, UVMF_INVLPG);
  }

  /** Privileged domains: another domain's frame. */
  mapForeignFrame(va: number, domid: Domid, mfn: number, readonly = false): void {
    const flags = readonly ? PTE_PRESENT : PTE_PRESENT_RW;
    this.call(hypercall.update_va_mapping_otherdomain, va, ...pte(mfn, flags), UVMF_INVLPG, domid);
  }

  // --- grant tables

  /** Machine frames of the first `frames` pages of this domain's grant table; grows it. */
  setupGrantTable(frames: number): Mfn[] {
    this.#struct(16 + 4 * frames);
    this.#view.setUint16(0, DOMID_SELF, true);
    this.#view.setUint32(4, frames, true);
    this.#view.setUint32(12, this.scratchVa + 16, true);
    this.#grantOp(gnttab.GNTTABOP_setup_table, 8);
    return Array.from({ length: frames }, (_, i) => this.#view.getUint32(16 + 4 * i, true) as Mfn);
  }

  grantTableSize(): { frames: number; maxFrames: number } {
    this.#struct(16);
    this.#view.setUint16(0, DOMID_SELF, true);
    this.#grantOp(gnttab.GNTTABOP_query_size, 12);
    return { frames: this.#view.getUint32(4, true), maxFrames: this.#view.getUint32(8, true) };
  }

  /** Maps a granted page at a virtual address; the handle. */
  mapGrant(va: number, domid: Domid, gref: Gref, readonly: boolean): number {
    this.#struct(32);
    this.#view.setBigUint64(0, BigInt(va), true);
    this.#view.setUint32(8, gnttab.GNTMAP_host_map | (readonly ? gnttab.GNTMAP_readonly : 0), true);
    this.#view.setUint32(12, gref, true);
    this.#view.setUint16(16, domid, true);
    this.#grantOp(gnttab.GNTTABOP_map_grant_ref, 18);
    return this.#view.getUint32(20, true);
  }

  unmapGrant(va: number, handle: number): void {
    this.#struct(24);
    this.#view.setBigUint64(0, BigInt(va), true);
    this.#view.setUint32(16, handle, true);
    this.#grantOp(gnttab.GNTTABOP_unmap_grant_ref, 20);
  }

  /** Copies between a granted page and a frame of this domain. */
  copyGrant(
    direction: 'from' | 'to',
    domid: Domid,
    gref: Gref,
    offset: number,
    own: { readonly mfn: Mfn; readonly offset: number },
    length: number,
  ): void {
    this.#struct(24);
    const granted = direction === 'from' ? 0 : 8;
    const mine = 8 - granted;
    this.#view.setUint32(granted, gref, true);
    this.#view.setUint16(granted + 4, domid, true);
    this.#view.setUint16(granted + 6, offset, true);
    this.#view.setUint32(mine, own.mfn, true);
    this.#view.setUint16(mine + 4, DOMID_SELF, true);
    this.#view.setUint16(mine + 6, own.offset, true);
    this.#view.setUint16(16, length, true);
    this.#view.setUint16(18, direction === 'from' ? gnttab.GNTCOPY_source_gref : gnttab.GNTCOPY_dest_gref, true);
    this.#grantOp(gnttab.GNTTABOP_copy, 20);
  }

  // --- memory

  /** Gives machine frames back to Xen; how many it took. At most 1000 a call. */
  decreaseReservation(mfns: readonly Mfn[]): number {
    return this.#reservation(memory.XENMEM_decrease_reservation, mfns);
  }

  /** Asks for memory at these pfns; their new machine frames (fewer when Xen had no more). At most 1000 a call. */
  populatePhysmap(pfns: readonly number[]): Mfn[] {
    const done = this.#reservation(memory.XENMEM_populate_physmap, pfns);
    return Array.from({ length: done }, (_, i) => this.#view.getUint32(RESERVATION_LIST + 4 * i, true) as Mfn);
  }

  /** End of the guest-physical map that the toolstack set, in pages; undefined when it set none. */
  memoryMapEnd(): number | undefined {
    const entries = 8;
    this.#struct(16 + 20 * entries);
    this.#view.setUint32(0, entries, true);
    this.#view.setUint32(4, this.scratchVa + 16, true);
    try {
      this.call(hypercall.memory_op, memory.XENMEM_memory_map, this.scratchVa);
    } catch (error) {
      if (error instanceof XenError && (error.code === 'ENOSYS' || error.code === 'EPERM')) return undefined;
      throw error;
    }
    let end = 0;
    for (let i = 0; i < Math.min(this.#view.getUint32(0, true), entries); i++) {
      const at = 16 + 20 * i;
      const stop = this.#view.getBigUint64(at, true) + this.#view.getBigUint64(at + 8, true);
      if (this.#view.getUint32(at + 16, true) === 1) end = Math.max(end, Number(stop / 4096n));
    }
    return end > 0 ? end : undefined;
  }

  // --- Xen's console (Domain-0)

  consoleWrite(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
      const part = bytes.subarray(at, at + PAGE_SIZE);
      this.#bytes.set(part);
      this.call(hypercall.console_io, CONSOLEIO_write, part.length, this.scratchVa);
    }
  }

  consoleRead(): Uint8Array {
    const count = this.call(hypercall.console_io, CONSOLEIO_read, PAGE_SIZE, this.scratchVa);
    return this.#bytes.slice(0, count);
  }

  // --- facts

  version(): { major: number; minor: number; extra: string } {
    const version = this.call(hypercall.xen_version, 0, 0);
    this.#struct(16);
    this.call(hypercall.xen_version, 1, this.scratchVa);
    return { major: version >>> 16, minor: version & 0xffff, extra: this.#text(0, 16) };
  }

  /** xen_version commands that fill a text: 3 capabilities, 4 changeset. */
  versionText(command: number, size: number): string {
    this.#struct(size);
    this.call(hypercall.xen_version, command, this.scratchVa);
    return this.#text(0, size);
  }

  #text(at: number, limit: number): string {
    const end = this.#bytes.indexOf(0, at);
    const stop = end < 0 || end > at + limit ? at + limit : end;
    return new TextDecoder().decode(this.#bytes.slice(at, stop));
  }

  #struct(size: number): void {
    this.#bytes.fill(0, 0, size);
  }

  #evtchnOp(command: number): void {
    this.call(hypercall.event_channel_op, command, this.scratchVa);
  }

  #portOp(command: number, port: Port): void {
    this.#view.setUint32(0, port, true);
    this.#evtchnOp(command);
  }

  #grantOp(command: number, statusAt: number): void {
    this.call(hypercall.grant_table_op, command, this.scratchVa, 1);
    const status = this.#view.getInt16(statusAt, true);
    if (status < 0) throw new XenError('EINVAL', gnttab.grantStatusText[-status] ?? `grant status ${status}`);
  }

  #reservation(command: number, frames: readonly number[]): number {
    this.#struct(RESERVATION_LIST);
    this.#view.setUint32(memory.memoryReservation.extent_start, this.scratchVa + RESERVATION_LIST, true);
    this.#view.setUint32(memory.memoryReservation.nr_extents, frames.length, true);
    this.#view.setUint16(memory.memoryReservation.domid, DOMID_SELF, true);
    frames.forEach((frame, i) => {
      this.#view.setUint32(RESERVATION_LIST + 4 * i, frame, true);
    });
    return this.call(hypercall.memory_op, command, this.scratchVa);
  }
}

const RESERVATION_LIST = 32;

/** A PAE page table entry in two halves. */
function pte(mfn: number, flags: number): [number, number] {
  return [((mfn << 12) | flags) >>> 0, mfn >>> 20];
}
