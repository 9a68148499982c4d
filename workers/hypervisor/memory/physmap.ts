/**
 * Keeps a domain's pseudo-physical map and the machine's inverse of it in step: each frame stands at one guest frame
 * number at most, so that a page given back can never be reached through another one.
 */
import { INVALID_P2M_ENTRY, type Mfn, PAGE_SIZE } from '../../abi/xen';
import type { Domain } from '../domain';
import { MAX_PFNS } from './p2m';

/** Puts one of the domain's own frames at `pfn`; false when it may not stand there. */
export function setPhysmap(domain: Domain, pfn: number, mfn: Mfn): boolean {
  const { memory, p2m } = domain.space;
  if (pfn >= MAX_PFNS || !memory.isAllocatedTo(mfn, domain.domid) || memory.isXenheap(mfn)) return false;
  if (!hasRoomFor(domain, pfn)) return false;
  const before = p2m.get(pfn);
  if (before !== undefined) forget(domain, before);
  forget(domain, mfn);
  stand(domain, pfn, mfn);
  return true;
}

/** A translated domain sees a page of Xen's heap that is shared with it at `pfn`; its own page there is given back. */
export function placeXenheap(domain: Domain, pfn: number, mfn: Mfn): boolean {
  const { memory, p2m } = domain.space;
  if (pfn >= MAX_PFNS || !hasRoomFor(domain, pfn) || memory.ownerOf(mfn) !== domain.domid) return false;
  const before = p2m.get(pfn);
  if (before === mfn) return true;
  if (before !== undefined && !removePage(domain, before)) forget(domain, before);
  forget(domain, mfn);
  stand(domain, pfn, mfn);
  return true;
}

function stand(domain: Domain, pfn: number, mfn: Mfn): void {
  const { memory, p2m, backing } = domain.space;
  p2m.set(pfn, mfn);
  memory.m2p[mfn] = pfn;
  if (!backing) return;
  memory.setBacking([mfn], backing.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE));
  domain.runner?.written?.(pfn);
}

/** The memory of a domain that is executed elsewhere does not grow. */
function hasRoomFor(domain: Domain, pfn: number): boolean {
  const { backing } = domain.space;
  return !backing || (pfn + 1) * PAGE_SIZE <= backing.length;
}

/** Nothing stands at `pfn` any more; the frame stays the domain's. */
export function clearPhysmap(domain: Domain, pfn: number): void {
  const mfn = domain.space.p2m.get(pfn);
  if (mfn !== undefined) forget(domain, mfn);
}

/** Gives a frame back to the machine. False when it is not an ordinary frame of this domain. */
export function removePage(domain: Domain, mfn: Mfn): boolean {
  const { memory } = domain.space;
  if (!memory.isAllocatedTo(mfn, domain.domid) || memory.isXenheap(mfn)) return false;
  forget(domain, mfn);
  memory.deallocate(mfn);
  return true;
}

function forget(domain: Domain, mfn: Mfn): void {
  const { memory, p2m, backing } = domain.space;
  const pfn = memory.m2p[mfn]!;
  if (p2m.get(pfn) === mfn) {
    p2m.clear(pfn);
    if (backing) memory.endBacking(mfn);
  }
  memory.m2p[mfn] = INVALID_P2M_ENTRY;
}
