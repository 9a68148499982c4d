/**
 * A domain's pseudo-physical memory: which machine frame stands behind each of its own frame numbers.
 *
 * A paravirtual guest of Xen keeps this table itself and Xen keeps only the inverse; here page tables are not modelled as
 * bytes, so the direct map of the guest needs it on this side of the border as well.
 */

import { VIRT_BASE } from '../../abi/cpu';
import { HYPERVISOR_VIRT_START } from '../../abi/mmu';
import { INVALID_P2M_ENTRY, type Mfn } from '../../abi/xen';

/** The direct map must end below Xen's hole. */
export const MAX_PFNS = (HYPERVISOR_VIRT_START - VIRT_BASE) >>> 12;

export class P2m {
  #frames = new Uint32Array(0);
  #length = 0;

  /** One more than the highest guest frame number that was ever used. */
  get length(): number {
    return this.#length;
  }

  get(pfn: number): Mfn | undefined {
    const mfn = pfn < this.#length ? this.#frames[pfn]! : INVALID_P2M_ENTRY;
    return mfn === INVALID_P2M_ENTRY ? undefined : (mfn as Mfn);
  }

  set(pfn: number, mfn: Mfn): void {
    if (pfn >= this.#frames.length) {
      const grown = new Uint32Array(Math.min(MAX_PFNS, Math.max(256, pfn + 1, this.#frames.length * 2)));
      grown.fill(INVALID_P2M_ENTRY);
      grown.set(this.#frames);
      this.#frames = grown;
    }
    this.#frames[pfn] = mfn;
    if (pfn >= this.#length) this.#length = pfn + 1;
  }

  clear(pfn: number): void {
    if (pfn < this.#length) this.#frames[pfn] = INVALID_P2M_ENTRY;
  }

  /** Lets go of everything. */
  reset(): void {
    this.#frames = new Uint32Array(0);
    this.#length = 0;
  }
}
