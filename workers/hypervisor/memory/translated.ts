/**
 * Memory of translated domains: whoever executes them brings the memory, Xen keeps the map from guest frames to machine
 * frames, and every frame number that such a domain utters is a guest frame.
 *
 * Source: paging_mode_translate and its users in xen/arch/x86/mm.c, xen/include/asm-x86/p2m.h (gmfn_to_mfn), Xen 3.4.
 */
import type { TranslateAddress } from '../../abi/cpu';
import { SharedInfoPage } from '../../abi/sharedInfo';
import { type Mfn, PAGE_SIZE } from '../../abi/xen';
import type { Domain } from '../domain';
import { locateInfo } from '../vcpu';
import { placeXenheap } from './physmap';

/** The machine frame that a domain means by a frame number. */
export function gmfnToMfn(domain: Domain, gmfn: number): Mfn | undefined {
  return domain.isTranslated ? domain.space.p2m.get(gmfn) : (gmfn as Mfn);
}

/** DOMCTL_shadow_op: the domain gets page tables of its own. It must not have memory yet. */
export function enableTranslation(domain: Domain): void {
  domain.isTranslated = true;
  domain.grants.mfnOf = (frame) => gmfnToMfn(domain, frame);
  // Unmapped until something executes it.
  domain.space.translate = () => undefined;
}

/** See TranslatedCpu.attachMemory. */
export function attachMemory(domain: Domain, memory: Uint8Array, translate: TranslateAddress): void {
  const { space } = domain;
  space.translate = translate;
  space.backing = memory;
  for (let pfn = 0; pfn < space.p2m.length; pfn++) {
    const mfn = space.p2m.get(pfn);
    if (mfn !== undefined) space.memory.setBacking([mfn], memory.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE));
  }
  refreshViews(domain);
}

/** Shows one of Xen's own pages (shared_info, grant table) at a guest frame, in the place of what stood there. */
export function showAt(domain: Domain, gpfn: number, mfn: Mfn): boolean {
  if (!placeXenheap(domain, gpfn, mfn)) return false;
  refreshViews(domain);
  return true;
}

/** Somebody else than the domain itself has written to one of its frames: its processor may keep code of it. */
export function noteWritten(domain: Domain, mfn: Mfn): void {
  if (domain.isTranslated) domain.runner?.written?.(domain.space.memory.m2p[mfn]!);
}

/** Pages that Xen looks at all the time have moved. */
function refreshViews(domain: Domain): void {
  const { memory } = domain.space;
  domain.sharedInfo = new SharedInfoPage(memory.bytes(domain.sharedInfoMfn));
  domain.grants.refreshViews();
  for (const vcpu of domain.vcpus) locateInfo(vcpu, (mfn) => memory.bytes(mfn));
}
