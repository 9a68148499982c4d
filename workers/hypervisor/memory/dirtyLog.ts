/**
 * Log-dirty mode: which of a domain's frames have been written since somebody last asked and wiped the slate.
 *
 * Xen write-protects pages and notes the first fault on each. Here nothing faults: guests' processors, backends and Xen
 * itself write through plain views, so the log keeps a copy of every frame and compares. Differs from Xen: a page that holds
 * again what it held when the slate was wiped counts as clean, which no copier of pages can tell apart, unless it was mapped
 * while it held something else.
 *
 * Source: xen/arch/x86/mm/paging.c, Xen 3.4 (paging_log_dirty_op); algorithms of its users in migration/save.ts.
 */
import { INVALID_P2M_ENTRY, type Mfn, PAGE_SIZE } from '../../abi/xen';
import type { AddressSpace } from './addressSpace';

const WORDS = PAGE_SIZE / 4;

export class DirtyLog {
  /** What each guest frame held when the slate was clean, and which machine frame it was. */
  readonly #words: Int32Array;
  readonly #mfns: Uint32Array;
  /** 1: it had bytes of its own; 0: nothing but zeroes, and so it is in `#words`. */
  readonly #hadBytes: Uint8Array;
  /** Pages found dirty since the last clean. */
  #dirty = new Set<number>();
  #comparedAt = Number.NaN;

  /** Everything is clean from now on. `isLogged`: frames that are part of the pseudo-physical memory. */
  constructor(
    private readonly space: AddressSpace,
    private readonly isLogged: (mfn: Mfn) => boolean,
  ) {
    const frames = space.p2m.length;
    // One stretch: what was never written to costs nothing in it either.
    this.#words = new Int32Array(frames * WORDS);
    this.#mfns = new Uint32Array(frames);
    this.#hadBytes = new Uint8Array(frames);
    for (let pfn = 0; pfn < frames; pfn++) this.#keep(pfn);
  }

  get dirtyCount(): number {
    return this.#dirty.size;
  }

  /**
   * A bit for each guest frame, lowest first. `now`: any number that differs when it is worth while to look again; a page may
   * be dirty that this does not know of yet.
   */
  peek(now: number): Uint8Array {
    if (now !== this.#comparedAt) this.#compare();
    this.#comparedAt = now;
    const bitmap = new Uint8Array(Math.ceil(this.#mfns.length / 8));
    for (const pfn of this.#dirty) bitmap[pfn >>> 3]! |= 1 << (pfn & 7);
    return bitmap;
  }

  /** The same, complete, and what was dirty is clean again as it stands now. */
  clean(now: number): Uint8Array {
    this.#comparedAt = Number.NaN;
    const bitmap = this.peek(now);
    for (const pfn of this.#dirty) this.#keep(pfn);
    this.#dirty = new Set();
    return bitmap;
  }

  /** Somebody else is about to look at a frame, and may take what it holds now for what it will hold. */
  mapped(mfn: Mfn): void {
    const pfn = this.space.memory.m2p[mfn]!;
    if (pfn >= this.#mfns.length || this.#dirty.has(pfn)) return;
    if (this.#isChanged(pfn, mfn)) this.#dirty.add(pfn);
  }

  #frame(pfn: number): Mfn | undefined {
    const mfn = this.space.p2m.get(pfn);
    return mfn !== undefined && this.isLogged(mfn) ? mfn : undefined;
  }

  #compare(): void {
    // Frames that came later than the log are not in it; nobody can have sent them.
    for (let pfn = 0; pfn < this.#mfns.length; pfn++)
      if (!this.#dirty.has(pfn) && this.#isChanged(pfn, this.space.p2m.get(pfn))) this.#dirty.add(pfn);
  }

  /** `mfn` is what stands at this frame number now. */
  #isChanged(pfn: number, mfn: Mfn | undefined): boolean {
    const known = this.#mfns[pfn]!;
    if (mfn !== known && (this.#frame(pfn) ?? INVALID_P2M_ENTRY) !== known) return true;
    if (known === INVALID_P2M_ENTRY) return false;
    const bytes = this.space.memory.peek(known);
    // The machine may have taken the frame back and given it to the domain again.
    return bytes ? !this.#isEqual(bytes, pfn * WORDS) : this.#hadBytes[pfn] === 1;
  }

  #keep(pfn: number): void {
    const mfn = this.#frame(pfn);
    this.#mfns[pfn] = mfn ?? INVALID_P2M_ENTRY;
    const bytes = mfn === undefined ? undefined : this.space.memory.peek(mfn);
    if (bytes) this.#words.set(wordsOf(bytes), pfn * WORDS);
    else if (this.#hadBytes[pfn] === 1) this.#words.fill(0, pfn * WORDS, (pfn + 1) * WORDS);
    this.#hadBytes[pfn] = bytes ? 1 : 0;
  }

  #isEqual(bytes: Uint8Array, at: number): boolean {
    const now = wordsOf(bytes);
    const before = this.#words;
    for (let i = 0; i < WORDS; i++) if (now[i] !== before[at + i]) return false;
    return true;
  }
}

function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, WORDS);
}
