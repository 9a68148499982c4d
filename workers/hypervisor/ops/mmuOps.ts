/**
 * Page-table operations, as far as they mean something where page tables are not bytes: mapping a frame at a virtual
 * address, and keeping the machine-to-physical table right.
 *
 * Source: xen/arch/x86/mm.c, Xen 3.4; what differs is said in abi/cpu.ts (the guest's address space).
 */
import { MAP_WINDOW_START, VIRT_BASE } from '../../abi/cpu';
import {
  MMU_MACHPHYS_UPDATE,
  MMU_UPDATE_SIZE,
  MMUEXT_CLEAR_PAGE,
  MMUEXT_COPY_PAGE,
  MMUEXT_FLUSH_CACHE,
  MMUEXT_INVLPG_ALL,
  MMUEXT_OP_SIZE,
  MMUEXT_TLB_FLUSH_LOCAL,
  PAGE_PRESENT,
  PAGE_RW,
  pteFrame,
} from '../../abi/mmu';
import { DOMID_SELF, DOMID_XEN, type Domid, type Mfn, PAGE_SIZE } from '../../abi/xen';
import { XenError } from '../../lib/errno';
import type { Domain } from '../domain';
import type { Call } from '../hypercalls';
import { clearPhysmap, setPhysmap } from '../memory/physmap';
import { gmfnToMfn } from '../memory/translated';

export function updateVaMapping(call: Call, [va, low, high]: readonly number[]): number {
  return mapFrame(call, va!, low!, high!, call.domain.domid);
}

/** For Domain-0: a frame of another domain, or (DOMID_XEN) a trace buffer. */
export function updateVaMappingOtherdomain(call: Call, [va, low, high, , domid]: readonly number[]): number {
  const { hv, domain: caller } = call;
  if (domid === DOMID_XEN) {
    if (!caller.isPrivileged) throw new XenError('EPERM', 'DOMID_XEN');
    return mapFrame(call, va!, low!, high!, DOMID_XEN);
  }
  const owner = pageOwner(call, domid! as Domid);
  // A dying domain's frames are on their way back; only what is mapped already stays.
  if (owner !== caller && owner.isDying && (low! & PAGE_PRESENT) !== 0)
    throw new XenError('ESRCH', `d${domid} is dying`);
  return mapFrame({ hv, domain: caller, vcpu: call.vcpu }, va!, low!, high!, owner.domid);
}

function mapFrame({ hv, domain }: Call, address: number, low: number, high: number, owner: Domid): number {
  const va = address - (address % PAGE_SIZE);
  if (va < MAP_WINDOW_START) throw new XenError('EINVAL', 'nothing can be mapped there');
  const { space } = domain;
  const old = space.mappingAt(va);
  if (old?.kind === 'grant') throw new XenError('EINVAL', 'a grant is mapped there');
  const isPresent = (low & PAGE_PRESENT) !== 0;
  const mfn = frameNamed(hv.findDomain(owner), pteFrame(low, high));
  if (va >= VIRT_BASE) {
    const pfn = (va - VIRT_BASE) / PAGE_SIZE;
    if (!isPresent) clearPhysmap(domain, pfn);
    else if (owner !== domain.domid || mfn === undefined || !setPhysmap(domain, pfn, mfn))
      throw new XenError('EINVAL', 'direct map');
    return 0;
  }
  if (isPresent) {
    if (mfn === undefined || !hv.memory.getPage(mfn, owner))
      throw new XenError('EINVAL', `frame ${mfn} is not d${owner}'s`);
    space.map(va, { mfn, isWritable: (low & PAGE_RW) !== 0, kind: 'frame' });
    if (owner !== domain.domid) hv.findDomain(owner)?.dirtyLog?.mapped(mfn);
  } else space.unmap(va);
  if (old) hv.memory.putPage(old.mfn);
  return 0;
}

/** Frames of a translated domain are called by their guest numbers. */
function frameNamed(owner: Domain | undefined, frame: number): Mfn | undefined {
  return owner ? gmfnToMfn(owner, frame) : (frame as Mfn);
}

export function mmuUpdate(call: Call, [list, count, successCount, foreign]: readonly number[]): number {
  const { hv, domain: caller } = call;
  const owner = pageOwner(call, (foreign! & 0xffff) as Domid);
  const one = (i: number) => {
    const entry = caller.space.struct(list! + MMU_UPDATE_SIZE * i, MMU_UPDATE_SIZE);
    const pointer = entry.getBigUint64(0, true);
    if (Number(pointer & 3n) !== MMU_MACHPHYS_UPDATE) throw new XenError('EINVAL', 'page tables are not bytes here');
    const mfn = Number(pointer >> 12n) as Mfn;
    const pfn = entry.getBigUint64(8, true);
    if (owner.isTranslated || !hv.memory.isAllocatedTo(mfn, owner.domid)) throw new XenError('EINVAL', `frame ${mfn}`);
    if (!setPhysmap(owner, pfn > 0xffff_ffffn ? 0xffff_ffff : Number(pfn), mfn)) throw new XenError('EINVAL', 'pfn');
  };
  return forEach(call, count!, successCount!, one);
}

export function mmuextOp(call: Call, [list, count, successCount, foreign]: readonly number[]): number {
  const { hv, domain: caller } = call;
  const owner = pageOwner(call, foreign! as Domid);
  const frame = (number: number) => {
    const mfn = gmfnToMfn(owner, number) ?? -1;
    if (!hv.memory.isAllocatedTo(mfn, owner.domid) || hv.memory.isXenheap(mfn))
      throw new XenError('EINVAL', `frame ${mfn}`);
    return mfn;
  };
  const one = (i: number) => {
    const entry = caller.space.struct(list! + MMUEXT_OP_SIZE * i, MMUEXT_OP_SIZE);
    const command = entry.getUint32(0, true);
    const mfn = entry.getUint32(4, true);
    if (command >= MMUEXT_TLB_FLUSH_LOCAL && command <= MMUEXT_INVLPG_ALL) return; // there is no TLB to flush
    if (command === MMUEXT_FLUSH_CACHE) return; // nor a cache
    if (command === MMUEXT_CLEAR_PAGE) hv.memory.bytes(frame(mfn)).fill(0);
    else if (command === MMUEXT_COPY_PAGE) {
      hv.memory.bytes(frame(mfn)).set(hv.memory.bytes(frame(entry.getUint32(8, true))));
    } else throw new XenError('ENOSYS', `mmuext_op ${command}`);
  };
  return forEach(call, count!, successCount!, one);
}

/** Runs a batch up to the first failure and reports how many were done. */
function forEach({ domain }: Call, count: number, successCount: number, one: (index: number) => void): number {
  if (successCount !== 0) domain.space.checkWritable(successCount, 4);
  let done = 0;
  try {
    for (; done < count; done++) one(done);
  } finally {
    if (successCount !== 0 && domain.space.mfnAt(successCount) !== undefined) domain.space.putU32(successCount, done);
  }
  return 0;
}

function pageOwner({ hv, domain: caller }: Call, domid: Domid): Domain {
  if (domid === DOMID_SELF || domid === caller.domid) return caller;
  const owner = hv.domain(domid);
  if (!caller.isPrivilegedFor(owner)) throw new XenError('EPERM', `frames of d${domid}`);
  return owner;
}
