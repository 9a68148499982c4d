/**
 * Log-dirty mode: which of a domain's frames have been written since somebody last asked and wiped the slate.
 *
 * Xen write-protects pages and notes the first fault on each. Here nothing faults: guests' processors, backends and Xen
 * itself write through plain views, so the log keeps a copy of every frame and compares. Differs from Xen: a page that was
 * written with what it held already counts as clean, which no copier of pages can tell apart.
 *
 * Source: xen/arch/x86/mm/paging.c, Xen 3.4 (paging_log_dirty_op); algorithms of its users in migration/save.ts.
 */
import { type Mfn, PAGE_SIZE } from '../../abi/xen';
import type { AddressSpace } from './addressSpace';

const WORDS = PAGE_SIZE / 4;

/** What a guest frame held when the slate was clean. */
interface Copy {
  readonly mfn: Mfn;
  /** Undefined: the frame had never been written to. */
  readonly words: Int32Array | undefined;
}

export class DirtyLog {
  readonly #copies: (Copy | undefined)[] = [];
  /** Distinct pages found dirty since the last clean. */
  #dirty = new Set<number>();
  #comparedAt = Number.NaN;

  /** Everything is clean from now on. `isLogged`: frames that are part of the pseudo-physical memory. */
  constructor(
    private readonly space: AddressSpace,
    private readonly isLogged: (mfn: Mfn) => boolean,
  ) {
    for (let pfn = 0; pfn < space.p2m.length; pfn++) this.#copies[pfn] = this.#copyOf(pfn);
  }

  get dirtyCount(): number {
    return this.#dirty.size;
  }

  /** A bit for each guest frame, lowest first. `now`: any number that differs whenever something may have been written. */
  peek(now: number): Uint8Array {
    if (now !== this.#comparedAt) {
      for (let pfn = 0; pfn < this.space.p2m.length; pfn++)
        if (!this.#dirty.has(pfn) && this.#isDirty(pfn)) this.#dirty.add(pfn);
      this.#comparedAt = now;
    }
    const bitmap = new Uint8Array(Math.ceil(this.space.p2m.length / 8));
    for (const pfn of this.#dirty) bitmap[pfn >>> 3]! |= 1 << (pfn & 7);
    return bitmap;
  }

  /** The same, and what was dirty is clean again as it stands now. */
  clean(now: number): Uint8Array {
    const bitmap = this.peek(now);
    for (const pfn of this.#dirty) this.#copies[pfn] = this.#copyOf(pfn);
    this.#dirty = new Set();
    return bitmap;
  }

  #frame(pfn: number): Mfn | undefined {
    const mfn = this.space.p2m.get(pfn);
    return mfn !== undefined && this.isLogged(mfn) ? mfn : undefined;
  }

  #copyOf(pfn: number): Copy | undefined {
    const mfn = this.#frame(pfn);
    if (mfn === undefined) return undefined;
    const bytes = this.space.memory.peek(mfn);
    return { mfn, words: bytes && wordsOf(bytes).slice() };
  }

  #isDirty(pfn: number): boolean {
    const mfn = this.#frame(pfn);
    const copy = this.#copies[pfn];
    if (mfn === undefined || copy === undefined) return mfn !== copy?.mfn;
    if (mfn !== copy.mfn) return true;
    const bytes = this.space.memory.peek(mfn);
    if (!bytes) return false;
    return !isEqual(wordsOf(bytes), copy.words);
  }
}

function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, WORDS);
}

/** `before` undefined: zeroes. */
function isEqual(now: Int32Array, before: Int32Array | undefined): boolean {
  for (let i = 0; i < WORDS; i++) if (now[i] !== (before ? before[i] : 0)) return false;
  return true;
}
