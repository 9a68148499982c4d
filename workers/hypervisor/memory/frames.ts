/**
 * The machine's memory, frame by frame: bytes, owner, reference counts and the machine-to-physical table.
 *
 * A frame costs its 4 KiB only once somebody writes to it; until then it reads as zeroes. A frame that belongs to a
 * domain holds one reference for the allocation itself and one for each foreign or granted mapping, and is freed when
 * the last goes, so that a page outlives its domain for as long as another one looks at it.
 * Behaviour: xen/common/page_alloc.c and get_page/put_page in xen/arch/x86/mm.c, Xen 3.4.
 */
import { type Domid, INVALID_P2M_ENTRY, type Mfn, PAGE_SIZE } from '../../abi/xen';
import { isZero } from '../../lib/zeroes';

/** Owner of free frames and of the hypervisor's own. */
export const NO_OWNER = 0xffff;
const FREE = 0;
const SCRUB = 1;
const USED = 2;
const XENHEAP_FREE = 3;
const XENHEAP_USED = 4;
const XEN = 5;

const MIB_FRAMES = 256;
/** Where Xen's heap ends on a 32-bit host, and how much of the memory below is Xen itself, MiB and frames. */
const XENHEAP_END = 12 * MIB_FRAMES;
const XEN_IMAGE_FRAMES = 714;
/** Bytes that Xen keeps for each frame: page_info 24, machine-to-physical entry 4. */
const FRAME_TABLE_BYTES = 28;
/** 0x9fc00 … 0x100000 is not memory but the video adapter and the BIOS. */
export const BIOS_HOLE_FRAMES = 97;

/** A domain as far as the accounting of its pages goes. */
export interface PageOwner {
  readonly domid: Domid;
  /** Ordinary pages assigned. */
  totPages: number;
  maxPages: number;
  /** Pages of Xen's heap that the domain shares (shared_info, grant table). */
  xenheapPages: number;
  readonly isDying: boolean;
  /** A page was given back; the domain may be gone for good now. */
  onPageFreed(): void;
}

export type AllocationFailure = 'dying' | 'limit' | 'no memory';

export class MachineMemory {
  readonly m2p: Uint32Array;
  readonly #owner: Uint16Array;
  readonly #refs: Uint32Array;
  readonly #isAllocated: Uint8Array;
  readonly #state: Uint8Array;
  readonly #bytes: (Uint8Array | undefined)[];
  readonly #owners = new Map<number, PageOwner>();
  readonly #scrub: number[] = [];
  #free: number[] = [];
  #freeXenheap: number[] = [];
  #freeCount = 0;

  /** @param frames all frames of the machine, 12 MiB at least. */
  constructor(readonly frames: number) {
    if (frames < XENHEAP_END + MIB_FRAMES) throw new Error(`a machine of ${frames} frames is too small for Xen`);
    this.m2p = new Uint32Array(frames).fill(INVALID_P2M_ENTRY);
    this.#owner = new Uint16Array(frames).fill(NO_OWNER);
    this.#refs = new Uint32Array(frames);
    this.#isAllocated = new Uint8Array(frames);
    this.#state = new Uint8Array(frames).fill(XEN);
    this.#bytes = Array.from({ length: frames }, () => undefined);
    for (let mfn = XENHEAP_END - 1; mfn >= XEN_IMAGE_FRAMES; mfn--) {
      this.#state[mfn] = XENHEAP_FREE;
      this.#freeXenheap.push(mfn);
    }
    const first = XENHEAP_END + Math.ceil((frames * FRAME_TABLE_BYTES) / PAGE_SIZE);
    for (let mfn = first; mfn < frames; mfn++) {
      this.#state[mfn] = FREE;
      this.#free.push(mfn);
    }
    this.#freeCount = frames - first;
  }

  /** Frames of memory that the machine reported at boot. */
  get totalPages(): number {
    return this.frames - BIOS_HOLE_FRAMES;
  }

  get freePages(): number {
    return this.#freeCount;
  }

  get scrubPages(): number {
    return this.#scrub.length;
  }

  get xenheapFreePages(): number {
    return this.#freeXenheap.length;
  }

  addOwner(owner: PageOwner): void {
    this.#owners.set(owner.domid, owner);
  }

  removeOwner(domid: Domid): void {
    this.#owners.delete(domid);
  }

  // --- contents

  /** The bytes of a frame, to read or write; the frame is backed by memory from now on. */
  bytes(mfn: number): Uint8Array {
    let bytes = this.#bytes[mfn];
    if (!bytes) {
      bytes = new Uint8Array(PAGE_SIZE);
      this.#bytes[mfn] = bytes;
    }
    return bytes;
  }

  /** The bytes of a frame that has been written to; undefined: all zeroes. */
  peek(mfn: number): Uint8Array | undefined {
    return this.#bytes[mfn];
  }

  /** Frames that really cost memory. */
  get backedFrames(): number {
    return this.#bytes.reduce((count, bytes) => (bytes ? count + 1 : count), 0);
  }

  /**
   * Lets somebody else (an emulator with a memory of its own) supply the bytes of these frames, which keep their present
   * contents: frame i is found at 4096·i. Ends for each frame when it is freed.
   */
  setBacking(mfns: readonly number[], backing: Uint8Array): void {
    mfns.forEach((mfn, i) => {
      const view = backing.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
      const old = this.#bytes[mfn];
      if (old) view.set(old);
      else if (!isZero(view)) view.fill(0);
      this.#bytes[mfn] = view;
    });
  }

  /** The frame has bytes of its own again, with the contents that it had in somebody else's memory. */
  endBacking(mfn: number): void {
    this.#bytes[mfn] = this.#bytes[mfn]?.slice();
  }

  // --- ownership

  isValid(mfn: number): boolean {
    return Number.isInteger(mfn) && mfn >= 0 && mfn < this.frames;
  }

  ownerOf(mfn: number): number {
    return this.isValid(mfn) ? this.#owner[mfn]! : NO_OWNER;
  }

  /** The frame is assigned to the domain (and not merely kept alive by somebody's mapping of it). */
  isAllocatedTo(mfn: number, domid: Domid): boolean {
    return this.ownerOf(mfn) === domid && this.#isAllocated[mfn] === 1;
  }

  isXenheap(mfn: number): boolean {
    return this.#state[mfn] === XENHEAP_USED;
  }

  refsOf(mfn: number): number {
    return this.#refs[mfn]!;
  }

  /** Takes a reference to a frame of `domid`; false when it is not that domain's. */
  getPage(mfn: number, domid: Domid): boolean {
    if (this.ownerOf(mfn) !== domid || this.#refs[mfn] === 0) return false;
    this.#refs[mfn]!++;
    return true;
  }

  putPage(mfn: number): void {
    if (this.#refs[mfn] === 0) throw new Error(`frame ${mfn} is released more often than it was taken`);
    if (--this.#refs[mfn]! === 0) this.#release(mfn);
  }

  /** The domain gives the frame up: it goes when nobody else refers to it. False when it has done so already. */
  deallocate(mfn: number): boolean {
    if (this.#isAllocated[mfn] !== 1) return false;
    this.#isAllocated[mfn] = 0;
    this.putPage(mfn);
    return true;
  }

  /** All frames that are assigned to a domain, those of Xen's heap included. */
  framesOf(domid: Domid): Mfn[] {
    const found: Mfn[] = [];
    let mfn = this.#owner.indexOf(domid);
    while (mfn >= 0) {
      found.push(mfn as Mfn);
      mfn = this.#owner.indexOf(domid, mfn + 1);
    }
    return found;
  }

  // --- allocation

  /** 2^order adjoining frames for a domain; zeroed. */
  allocateFor(owner: PageOwner, order = 0): Mfn | AllocationFailure {
    if (owner.isDying) return 'dying';
    if (owner.totPages + (1 << order) > owner.maxPages) return 'limit';
    const first = order === 0 ? this.#popFree() : this.#findRun(1 << order, 1 << order);
    if (first === undefined) return 'no memory';
    for (let mfn = first; mfn < first + (1 << order); mfn++) this.#assign(mfn, owner);
    return first as Mfn;
  }

  /** `count` adjoining frames, of which Domain-0 is built; undefined when there is no such stretch. */
  allocateRunFor(owner: PageOwner, count: number): Mfn | undefined {
    const first = this.#findRun(count, 1);
    if (first === undefined) return undefined;
    for (let mfn = first; mfn < first + count; mfn++) this.#assign(mfn, owner);
    return first as Mfn;
  }

  /** Shares a frame of Xen's heap with a domain: it may map it, and gives it back when it is gone. */
  share(mfn: Mfn, owner: PageOwner): void {
    this.#owner[mfn] = owner.domid;
    this.#refs[mfn] = 1;
    this.#isAllocated[mfn] = 1;
    owner.xenheapPages++;
  }

  /** A frame of Xen's heap for the hypervisor itself. */
  allocateXenheap(): Mfn | undefined {
    const mfn = this.#freeXenheap.pop();
    if (mfn !== undefined) this.#state[mfn] = XENHEAP_USED;
    return mfn as Mfn | undefined;
  }

  /** `count` adjoining frames of Xen's heap, shared with privileged domains under the name `owner`. */
  allocateXenheapRun(count: number, owner: Domid): Mfn | undefined {
    const free = new Set(this.#freeXenheap);
    for (let first = XEN_IMAGE_FRAMES; first + count <= XENHEAP_END; first++) {
      let length = 0;
      while (length < count && free.has(first + length)) length++;
      if (length < count) {
        first += length;
        continue;
      }
      for (let mfn = first; mfn < first + count; mfn++) {
        free.delete(mfn);
        this.#state[mfn] = XENHEAP_USED;
        this.#owner[mfn] = owner;
        this.#refs[mfn] = 1;
      }
      this.#freeXenheap = [...free];
      return first as Mfn;
    }
    return undefined;
  }

  freeXenheap(mfn: number): void {
    this.#forget(mfn);
    this.#state[mfn] = XENHEAP_FREE;
    this.#freeXenheap.push(mfn);
  }

  /** Moves a frame that nobody else refers to from one domain to another (grant transfer). */
  reassign(mfn: number, to: PageOwner): void {
    const from = this.#owners.get(this.#owner[mfn]!)!;
    from.totPages--;
    to.totPages++;
    this.#owner[mfn] = to.domid;
    this.m2p[mfn] = INVALID_P2M_ENTRY;
    from.onPageFreed();
  }

  /** Clears up to `limit` frames of dead domains, which become free; how many are left. */
  scrub(limit: number): number {
    for (let n = 0; n < limit && this.#scrub.length > 0; n++) this.#pushFree(this.#scrub.pop()!);
    return this.#scrub.length;
  }

  #assign(mfn: number, owner: PageOwner): void {
    this.#state[mfn] = USED;
    this.#owner[mfn] = owner.domid;
    this.#refs[mfn] = 1;
    this.#isAllocated[mfn] = 1;
    owner.totPages++;
    this.#freeCount--;
  }

  #release(mfn: number): void {
    const owner = this.#owners.get(this.#owner[mfn]!);
    const isXenheap = this.#state[mfn] === XENHEAP_USED;
    if (isXenheap) {
      this.freeXenheap(mfn);
      if (owner) owner.xenheapPages--;
    } else {
      this.#forget(mfn);
      if (owner) owner.totPages--;
      if (owner?.isDying) {
        this.#state[mfn] = SCRUB;
        this.#scrub.push(mfn);
      } else this.#pushFree(mfn);
    }
    owner?.onPageFreed();
  }

  #forget(mfn: number): void {
    this.#owner[mfn] = NO_OWNER;
    this.#refs[mfn] = 0;
    this.#isAllocated[mfn] = 0;
    this.m2p[mfn] = INVALID_P2M_ENTRY;
    this.#bytes[mfn] = undefined;
  }

  #pushFree(mfn: number): void {
    this.#state[mfn] = FREE;
    this.#free.push(mfn);
    this.#freeCount++;
    // Stretches taken out by #findRun leave their frames on the stack; do not let those pile up.
    if (this.#free.length > 2 * this.frames)
      this.#free = [...new Set(this.#free)].filter((m) => this.#state[m] === FREE);
  }

  #popFree(): number | undefined {
    for (;;) {
      const mfn = this.#free.pop();
      if (mfn === undefined || this.#state[mfn] === FREE) return mfn;
    }
  }

  /** The highest stretch of `count` free frames whose first is a multiple of `alignment`. */
  #findRun(count: number, alignment: number): number | undefined {
    if (count > this.#freeCount) return undefined;
    let length = 0;
    for (let mfn = this.frames - 1; mfn >= XENHEAP_END; mfn--) {
      length = this.#state[mfn] === FREE ? length + 1 : 0;
      if (length >= count && mfn % alignment === 0) return mfn;
    }
    return undefined;
  }
}
