/**
 * The toolstack's hypercalls as typed calls: what libxc is to Xen's tools. Every call goes through Domain-0's privcmd
 * device as bytes in Domain-0's memory; a refusal is a XenError.
 *
 * Layouts: xen/include/public/{domctl,sysctl,memory,version,event_channel}.h, Xen 3.4. 64-bit fields of domctl and sysctl
 * are 8-byte aligned, pointers take 8 bytes.
 */
import {
  DOMAIN_INFO_SIZE,
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_getdomaininfo,
  XEN_DOMCTL_getvcpuaffinity,
  XEN_DOMCTL_getvcpuinfo,
  XEN_DOMCTL_hypercall_init,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_scheduler_op,
  XEN_DOMCTL_set_address_size,
  XEN_DOMCTL_setdomainhandle,
  XEN_DOMCTL_setvcpuaffinity,
  XEN_DOMCTL_unpausedomain,
  XEN_SCHEDULER_CREDIT,
} from '../abi/domctl';
import { EVTCHNOP_alloc_unbound } from '../abi/eventChannel';
import { XENMEM_decrease_reservation, XENMEM_populate_physmap, XENMEM_set_memory_map } from '../abi/memory';
import { XEN_SYSCTL_getdomaininfolist } from '../abi/sysctl';
import { hypercall } from '../abi/xen';
import type { ForeignMapping, HypercallBuffer, Privcmd } from '../guest/services';
import { XenError } from '../lib/errno';
import { XcState } from './xcState';

/** Offset of the union in xen_domctl. */
const D = 16;
/** Offset of the union in xen_sysctl. */
const S = 8;
/** Frames of one reservation call. */
const RESERVATION_BATCH = 1024;

/** getdomaininfo: a domain as the hypervisor sees it. */
export interface DomainInfo {
  readonly domid: number;
  readonly dying: boolean;
  readonly hvm: boolean;
  readonly shutdown: boolean;
  readonly paused: boolean;
  readonly blocked: boolean;
  readonly running: boolean;
  /** Why it shut down: 0 poweroff, 1 reboot, 2 suspend, 3 crash, 4 halt. */
  readonly shutdownReason: number;
  /** Pages. */
  readonly totalPages: number;
  readonly maxPages: number;
  readonly sharedInfoFrame: number;
  readonly cpuTimeNs: number;
  readonly onlineVcpus: number;
  readonly maxVcpuId: number;
  readonly ssidref: number;
  readonly handle: Uint8Array;
}

export interface VcpuInfo {
  readonly online: boolean;
  readonly blocked: boolean;
  readonly running: boolean;
  readonly cpuTimeNs: number;
  readonly cpu: number;
}

export class Xc extends XcState {
  // --- domains

  /** DOMCTL_createdomain; 0 lets Xen choose the id, which is returned. The domain is paused and has no memory. */
  domainCreate(handle: Uint8Array, ssidref = 0, flags = 0, domid = 0): number {
    return this.domctl(
      XEN_DOMCTL_createdomain,
      domid,
      (op) => {
        op.u32(D, ssidref);
        op.write(D + 4, handle);
        op.u32(D + 20, flags);
      },
      (op) => op.u16(8),
    );
  }

  /** Gives everything of the domain back; asks again as often as Xen wants to be asked. */
  domainDestroy(domid: number): void {
    for (;;) {
      try {
        this.domctl(XEN_DOMCTL_destroydomain, domid);
        return;
      } catch (error) {
        if (!(error instanceof XenError && error.code === 'EAGAIN')) throw error;
      }
    }
  }

  domainPause(domid: number): void {
    this.domctl(XEN_DOMCTL_pausedomain, domid);
  }

  domainUnpause(domid: number): void {
    this.domctl(XEN_DOMCTL_unpausedomain, domid);
  }

  /** Undefined when there is no such domain (any more). */
  domainInfo(domid: number): DomainInfo | undefined {
    try {
      const info = this.domctl(
        XEN_DOMCTL_getdomaininfo,
        domid,
        () => {},
        (op) => readDomainInfo(op, D),
      );
      return info.domid === domid ? info : undefined;
    } catch (error) {
      if (error instanceof XenError && error.code === 'ESRCH') return undefined;
      throw error;
    }
  }

  /** SYSCTL_getdomaininfolist: all domains from `first` up, in the order of their ids. */
  domainInfoList(first = 0): readonly DomainInfo[] {
    const BATCH = 256;
    const found: DomainInfo[] = [];
    this.withBuffer(BATCH * DOMAIN_INFO_SIZE, (buffer) => {
      for (let from = first; ; from = found.at(-1)!.domid + 1) {
        const count = this.sysctl(
          XEN_SYSCTL_getdomaininfolist,
          (op) => {
            op.u16(S, from);
            op.u32(S + 4, BATCH);
            op.u64(S + 8, BigInt(buffer.va));
          },
          (op) => op.u32(S + 16),
        );
        for (let i = 0; i < count; i++) found.push(readDomainInfo(buffer, i * DOMAIN_INFO_SIZE));
        if (count < BATCH) return;
      }
    });
    return found;
  }

  setMaxMem(domid: number, kib: number): void {
    this.domctl(XEN_DOMCTL_max_mem, domid, (op) => op.u64(D, BigInt(kib)));
  }

  maxVcpus(domid: number, count: number): void {
    this.domctl(XEN_DOMCTL_max_vcpus, domid, (op) => op.u32(D, count));
  }

  setAddressSize(domid: number, bits: 32 | 64): void {
    this.domctl(XEN_DOMCTL_set_address_size, domid, (op) => op.u32(D, bits));
  }

  setHandle(domid: number, handle: Uint8Array): void {
    this.domctl(XEN_DOMCTL_setdomainhandle, domid, (op) => op.write(D, handle));
  }

  /** Fills the frame with hypercall stubs. */
  hypercallInit(domid: number, mfn: number): void {
    this.domctl(XEN_DOMCTL_hypercall_init, domid, (op) => op.u64(D, BigInt(mfn)));
  }

  // --- vcpus and scheduling

  /** `cpus`: physical cpus it may run on. EINVAL when none of them exists. */
  setVcpuAffinity(domid: number, vcpu: number, cpus: readonly number[]): void {
    this.withBuffer(8, (bitmap) => {
      let bits = 0n;
      for (const cpu of cpus) if (cpu < 64) bits |= 1n << BigInt(cpu);
      bitmap.u64(0, bits);
      this.domctl(XEN_DOMCTL_setvcpuaffinity, domid, (op) => {
        op.u32(D, vcpu);
        op.u64(D + 8, BigInt(bitmap.va));
        op.u32(D + 16, 64);
      });
    });
  }

  vcpuAffinity(domid: number, vcpu: number): readonly number[] {
    return this.withBuffer(8, (bitmap) => {
      this.domctl(XEN_DOMCTL_getvcpuaffinity, domid, (op) => {
        op.u32(D, vcpu);
        op.u64(D + 8, BigInt(bitmap.va));
        op.u32(D + 16, 64);
      });
      const bits = bitmap.u64(0);
      return Array.from({ length: 64 }, (_, cpu) => cpu).filter((cpu) => (bits >> BigInt(cpu)) & 1n);
    });
  }

  /** Undefined when the domain has no such vcpu. */
  vcpuInfo(domid: number, vcpu: number): VcpuInfo | undefined {
    try {
      return this.domctl(
        XEN_DOMCTL_getvcpuinfo,
        domid,
        (op) => op.u32(D, vcpu),
        (op) => ({
          online: op.u8(D + 4) !== 0,
          blocked: op.u8(D + 5) !== 0,
          running: op.u8(D + 6) !== 0,
          cpuTimeNs: Number(op.u64(D + 8)),
          cpu: op.u32(D + 16),
        }),
      );
    } catch (error) {
      if (error instanceof XenError && (error.code === 'ESRCH' || error.code === 'EINVAL')) return undefined;
      throw error;
    }
  }

  schedCreditGet(domid: number): { weight: number; cap: number } {
    return this.domctl(
      XEN_DOMCTL_scheduler_op,
      domid,
      (op) => {
        op.u32(D, XEN_SCHEDULER_CREDIT);
        op.u32(D + 4, 1);
      },
      (op) => ({ weight: op.u16(D + 8), cap: op.u16(D + 10) }),
    );
  }

  schedCreditSet(domid: number, weight: number, cap: number): void {
    this.domctl(XEN_DOMCTL_scheduler_op, domid, (op) => {
      op.u32(D, XEN_SCHEDULER_CREDIT);
      op.u32(D + 4, 0);
      op.u16(D + 8, weight);
      op.u16(D + 10, cap);
    });
  }

  // --- memory

  /**
   * Gives the domain a machine frame for each guest frame, in order; answers the machine frames. Shorter than `pfns` when
   * the host's memory or the domain's limit ended.
   */
  populatePhysmap(domid: number, pfns: readonly number[]): readonly number[] {
    return this.#reservation(domid, XENMEM_populate_physmap, pfns);
  }

  #reservation(domid: number, command: number, frames: readonly number[]): readonly number[] {
    const answered: number[] = [];
    this.withBuffer(20, (op) =>
      this.withBuffer(RESERVATION_BATCH * 4, (list) => {
        for (let start = 0; start < frames.length; start += RESERVATION_BATCH) {
          const count = Math.min(RESERVATION_BATCH, frames.length - start);
          list.writeWords(frames.slice(start, start + count));
          op.u32(0, list.va);
          op.u32(4, count);
          op.u32(8, 0);
          op.u32(12, 0);
          op.u16(16, domid);
          const done = this.privcmd.hypercall(hypercall.memory_op, command, op.va);
          answered.push(...list.readWords(done));
          if (done < count) return;
        }
      }),
    );
    return answered;
  }

  /** XENMEM_set_memory_map: one RAM entry [0, kib), which tells a guest how far it may balloon up. */
  setMemoryMap(domid: number, kib: number): void {
    this.withBuffer(20, (entry) =>
      this.withBuffer(12, (op) => {
        entry.u64(0, 0n);
        entry.u64(8, BigInt(kib) * 1024n);
        entry.u32(16, 1);
        op.u16(0, domid);
        op.u32(4, 1);
        op.u32(8, entry.va);
        this.privcmd.hypercall(hypercall.memory_op, XENMEM_set_memory_map, op.va);
      }),
    );
  }

  /** Gives frames back to Xen. */
  decreaseReservation(domid: number, frames: readonly number[]): void {
    this.#reservation(domid, XENMEM_decrease_reservation, frames);
  }

  mapForeign(domid: number, mfns: readonly number[]): ForeignMapping {
    return this.privcmd.mapForeign(domid as Parameters<Privcmd['mapForeign']>[0], mfns);
  }

  /** EVTCHNOP_alloc_unbound in `domid` for `remote` to bind. */
  evtchnAllocUnbound(domid: number, remote: number): number {
    return this.withBuffer(8, (op) => {
      op.u16(0, domid);
      op.u16(2, remote);
      this.privcmd.hypercall(hypercall.event_channel_op, EVTCHNOP_alloc_unbound, op.va);
      return op.u32(4);
    });
  }
}

function readDomainInfo(from: HypercallBuffer, at: number): DomainInfo {
  const flags = from.u32(at + 4);
  const bit = (n: number) => ((flags >>> n) & 1) !== 0;
  return {
    domid: from.u16(at),
    dying: bit(0),
    hvm: bit(1),
    shutdown: bit(2),
    paused: bit(3),
    blocked: bit(4),
    running: bit(5),
    shutdownReason: (flags >>> 16) & 0xff,
    totalPages: Number(from.u64(at + 8)),
    maxPages: Number(from.u64(at + 16)),
    sharedInfoFrame: Number(from.u64(at + 24)),
    cpuTimeNs: Number(from.u64(at + 32)),
    onlineVcpus: from.u32(at + 40),
    maxVcpuId: from.u32(at + 44),
    ssidref: from.u32(at + 48),
    handle: from.read(at + 52, 16).slice(),
  };
}
