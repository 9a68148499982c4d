/**
 * Keeps a domain's pseudo-physical map and the machine's inverse of it in step: each frame stands at one guest frame
 * number at most, so that a page given back can never be reached through another one.
 */
import { INVALID_P2M_ENTRY, type Mfn } from '../../abi/xen';
import type { Domain } from '../domain';
import { MAX_PFNS } from './p2m';

/** Puts one of the domain's own frames at `pfn`; false when it may not stand there. */
export function setPhysmap(domain: Domain, pfn: number, mfn: Mfn): boolean {
  const { memory, p2m } = domain.space;
  if (pfn >= MAX_PFNS || !memory.isAllocatedTo(mfn, domain.domid) || memory.isXenheap(mfn)) return false;
  const before = p2m.get(pfn);
  if (before !== undefined) memory.m2p[before] = INVALID_P2M_ENTRY;
  forget(domain, mfn);
  p2m.set(pfn, mfn);
  memory.m2p[mfn] = pfn;
  return true;
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
  const { memory, p2m } = domain.space;
  const pfn = memory.m2p[mfn]!;
  if (p2m.get(pfn) === mfn) p2m.clear(pfn);
  memory.m2p[mfn] = INVALID_P2M_ENTRY;
}
