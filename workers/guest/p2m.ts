/**
 * The kernel's own list of machine frames, one u32 per pfn, in its own pages; and the tree that tells the toolstack where
 * these pages are when it saves the domain (shared_info.arch: root → pages of mfns → P2M pages).
 */
import { sharedInfo } from '../abi/sharedInfo';
import { INVALID_P2M_ENTRY, type Mfn, PAGE_SIZE, type Pfn } from '../abi/xen';
import { type PageAllocator, pfnOf } from './pages';

const ENTRIES = PAGE_SIZE / 4;

export class P2m {
  /** The pfn of each page of the list. */
  readonly #listPages: Pfn[] = [];

  /** `mfnList`: virtual address of the builder's list, which covers `populated` frames; pages are added up to `maxPfn`. */
  constructor(
    private readonly pages: PageAllocator,
    mfnList: number,
    populated: number,
    private readonly maxPfn: number,
  ) {
    const first = pfnOf(mfnList);
    const given = Math.ceil(populated / ENTRIES);
    for (let i = 0; i < Math.ceil(maxPfn / ENTRIES); i++) {
      if (i < given) this.#listPages.push((first + i) as Pfn);
      else this.#listPages.push(pages.alloc().pfn);
    }
    for (let pfn = populated; pfn < Math.min(this.#listPages.length * ENTRIES, maxPfn); pfn++) this.set(pfn, undefined);
  }

  /** Writes every entry anew. */
  fill(mfnOf: (pfn: number) => Mfn | undefined): void {
    for (let pfn = 0; pfn < this.maxPfn; pfn++) this.set(pfn, mfnOf(pfn));
  }

  get(pfn: number): Mfn | undefined {
    const entry = this.#view(pfn).getUint32((pfn % ENTRIES) * 4, true);
    return entry === INVALID_P2M_ENTRY ? undefined : (entry as Mfn);
  }

  set(pfn: number, mfn: Mfn | undefined): void {
    this.#view(pfn).setUint32((pfn % ENTRIES) * 4, mfn ?? INVALID_P2M_ENTRY, true);
  }

  /** Publishes the tree; the toolstack cannot save the domain before. */
  publish(shared: Uint8Array): void {
    const root = this.pages.alloc();
    const rootView = new DataView(root.bytes.buffer, root.bytes.byteOffset, PAGE_SIZE);
    for (let i = 0; i < this.#listPages.length; i += ENTRIES) {
      const list = this.pages.alloc();
      const view = new DataView(list.bytes.buffer, list.bytes.byteOffset, PAGE_SIZE);
      this.#listPages.slice(i, i + ENTRIES).forEach((pfn, k) => {
        view.setUint32(4 * k, this.pages.at(pfn).mfn, true);
      });
      rootView.setUint32((i / ENTRIES) * 4, list.mfn, true);
    }
    const view = new DataView(shared.buffer, shared.byteOffset, shared.byteLength);
    view.setUint32(sharedInfo.arch_pfn_to_mfn_frame_list_list, root.mfn, true);
    view.setUint32(sharedInfo.arch_max_pfn, this.maxPfn, true);
  }

  #view(pfn: number): DataView {
    const page = this.pages.at(this.#listPages[Math.floor(pfn / ENTRIES)]!);
    return new DataView(page.bytes.buffer, page.bytes.byteOffset, PAGE_SIZE);
  }
}
