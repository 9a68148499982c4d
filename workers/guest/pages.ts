/**
 * The mini kernel's page allocator: which of the guest's own frames (pfns) are free, used or ballooned out.
 *
 * The bottom of memory holds what the domain builder put there; everything above the boot stack is free. Pages are
 * found by their pfn, so that the state survives a restore, after which the same pfns have other machine frames.
 */
import type { GuestCpu } from '../abi/cpu';
import { VIRT_BASE } from '../abi/cpu';
import { PAGE_SIZE, type Pfn } from '../abi/xen';
import type { KernelPage, PageServices } from './services';
import { SysError } from './sys';

const FREE = 0;
const USED = 1;
const BALLOONED = 2;

export const vaOf = (pfn: number): number => VIRT_BASE + pfn * PAGE_SIZE;
export const pfnOf = (va: number): Pfn => Math.floor((va - VIRT_BASE) / PAGE_SIZE) as Pfn;

/** Plain state: one byte a frame, as above. */
export interface PageState {
  readonly use: Uint8Array;
}

export class PageAllocator implements PageServices {
  #freePages = 0;
  #ballooned = 0;
  /** No free frame stands below it. */
  #lowestFree = 0;

  constructor(
    private readonly cpu: GuestCpu,
    private readonly state: PageState,
  ) {
    for (const use of state.use) {
      if (use === FREE) this.#freePages++;
      else if (use === BALLOONED) this.#ballooned++;
    }
  }

  /** Frames below `firstFree` are the builder's, those from `populated` on have no memory behind them yet. */
  static initialState(firstFree: number, populated: number, maxPfn: number): PageState {
    const use = new Uint8Array(maxPfn);
    use.fill(USED, 0, firstFree);
    use.fill(BALLOONED, populated, maxPfn);
    return { use };
  }

  /** The same for a kernel that has moved: what has no memory now is ballooned out, the rest is free but for `used`. */
  static movedState(
    firstFree: number,
    maxPfn: number,
    isPopulated: (pfn: number) => boolean,
    used: readonly number[],
  ): PageState {
    const use = new Uint8Array(maxPfn);
    for (let pfn = 0; pfn < maxPfn; pfn++) use[pfn] = pfn < firstFree ? USED : isPopulated(pfn) ? FREE : BALLOONED;
    for (const pfn of used) if (isPopulated(pfn)) use[pfn] = USED;
    return { use };
  }

  get freePages(): number {
    return this.#freePages;
  }

  get balloonedPages(): number {
    return this.#ballooned;
  }

  /** Frames with memory behind them. */
  get populatedPages(): number {
    return this.state.use.length - this.#ballooned;
  }

  get maxPfn(): number {
    return this.state.use.length;
  }

  alloc(): KernelPage {
    const page = this.at(this.#find(1));
    this.#take(page.pfn, 1);
    page.bytes.fill(0);
    return page;
  }

  /** `count` frames in a row, zeroed; returns the first pfn. SysError ENOMEM. */
  allocContiguous(count: number): Pfn {
    const pfn = this.#find(count);
    this.#take(pfn, count);
    for (let i = 0; i < count; i++) this.at((pfn + i) as Pfn).bytes.fill(0);
    return pfn;
  }

  free(page: { readonly pfn: Pfn }): void {
    this.freeContiguous(page.pfn, 1);
  }

  freeContiguous(pfn: Pfn, count: number): void {
    for (let i = pfn; i < pfn + count; i++) {
      if (this.state.use[i] !== USED) throw new Error(`frame ${i} is freed but was not in use`);
      this.state.use[i] = FREE;
    }
    this.#freePages += count;
    this.#lowestFree = Math.min(this.#lowestFree, pfn);
  }

  at(pfn: Pfn): KernelPage {
    const mfn = this.cpu.mfnOf(pfn);
    if (mfn === undefined) throw new SysError('ENOMEM', `frame ${pfn} is not populated`);
    const va = vaOf(pfn);
    return { pfn, mfn, va, bytes: this.cpu.page(va) };
  }

  /** Takes up to `count` free frames from the top for the balloon; they must be given back to Xen next. */
  takeForBalloon(count: number): Pfn[] {
    const taken: Pfn[] = [];
    for (let pfn = this.state.use.length - 1; pfn >= 0 && taken.length < count; pfn--) {
      if (this.state.use[pfn] !== FREE) continue;
      this.state.use[pfn] = BALLOONED;
      taken.push(pfn as Pfn);
    }
    this.#freePages -= taken.length;
    this.#ballooned += taken.length;
    return taken;
  }

  /** Frames without memory, lowest first: where the balloon puts what it gets back. */
  balloonedFrames(count: number): Pfn[] {
    const found: Pfn[] = [];
    for (let pfn = 0; pfn < this.state.use.length && found.length < count; pfn++)
      if (this.state.use[pfn] === BALLOONED) found.push(pfn as Pfn);
    return found;
  }

  /** Xen has put memory behind a ballooned frame: it is free for use. */
  populated(pfn: Pfn): void {
    if (this.state.use[pfn] !== BALLOONED) throw new Error(`frame ${pfn} was not ballooned out`);
    this.state.use[pfn] = FREE;
    this.#ballooned--;
    this.#freePages++;
    this.#lowestFree = Math.min(this.#lowestFree, pfn);
  }

  save(): PageState {
    return { use: this.state.use.slice() };
  }

  #find(count: number): Pfn {
    const use = this.state.use;
    let run = 0;
    for (let pfn = this.#lowestFree; pfn < use.length; pfn++) {
      run = use[pfn] === FREE ? run + 1 : 0;
      if (run === count) return (pfn - count + 1) as Pfn;
    }
    throw new SysError('ENOMEM');
  }

  #take(pfn: number, count: number): void {
    this.state.use.fill(USED, pfn, pfn + count);
    this.#freePages -= count;
    if (pfn === this.#lowestFree) {
      while (this.state.use[this.#lowestFree] !== FREE && this.#lowestFree < this.state.use.length) this.#lowestFree++;
    }
  }
}
