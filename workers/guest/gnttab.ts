/**
 * The kernel's own grant table, and its use of other domains' grants.
 *
 * To grant is to write an entry (domid, frame, then flags); to revoke is to compare-and-exchange the flags to zero, which
 * fails while the other side has the page mapped.
 */
import {
  GRANT_ENTRIES_PER_FRAME,
  GRANT_ENTRY_SIZE,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_writing,
  NR_RESERVED_GRANTS,
} from '../abi/grantTable';
import { type Domid, type Gref, type Mfn, PAGE_SIZE } from '../abi/xen';
import { XenError } from '../lib/errno';
import type { Hypercalls } from './hypercall';
import type { MapWindow } from './mapWindow';
import type { GrantMapping, GrantServices, KernelPage } from './services';
import { SysError } from './sys';

const INITIAL_FRAMES = 4;

/** Plain state: what can be handed out. */
export interface GnttabState {
  frames: number;
  readonly free: number[];
}

export class GrantTable implements GrantServices {
  readonly #frames: DataView[] = [];

  /** `bounce`: a page of the kernel's own for copies. */
  constructor(
    private readonly hypercalls: Hypercalls,
    private readonly window: MapWindow,
    private readonly bounce: KernelPage,
    private readonly state: GnttabState = { frames: 0, free: [] },
  ) {
    if (state.frames === 0) this.#grow(INITIAL_FRAMES);
    else this.#mapFrames(state.frames);
  }

  grantAccess(domid: Domid, mfn: Mfn, readonly: boolean): Gref {
    const gref = this.#allocate();
    const { view, at } = this.#entry(gref);
    view.setUint16(at + 2, domid, true);
    view.setUint32(at + 4, mfn, true);
    view.setUint16(at, GTF_permit_access | (readonly ? GTF_readonly : 0), true);
    return gref;
  }

  endAccess(gref: Gref): boolean {
    const { view, at } = this.#entry(gref);
    if ((view.getUint16(at, true) & (GTF_reading | GTF_writing)) !== 0) return false;
    view.setUint16(at, 0, true);
    this.state.free.push(gref);
    return true;
  }

  map(domid: Domid, gref: Gref, readonly: boolean): GrantMapping {
    const va = this.window.allocate(1);
    try {
      const handle = this.hypercalls.mapGrant(va, domid, gref, readonly);
      return { handle, va, bytes: this.hypercalls.cpu.page(va) };
    } catch (error) {
      this.window.release(va, 1);
      throw error;
    }
  }

  unmap(mapping: GrantMapping): void {
    this.hypercalls.unmapGrant(mapping.va, mapping.handle);
    this.window.release(mapping.va, 1);
  }

  copyFrom(domid: Domid, gref: Gref, offset: number, length: number): Uint8Array {
    if (length < 0 || length > PAGE_SIZE) throw new XenError('EINVAL', 'copy of more than a page');
    this.hypercalls.copyGrant('from', domid, gref, offset, { mfn: this.bounce.mfn, offset: 0 }, length);
    return this.bounce.bytes.slice(0, length);
  }

  copyTo(domid: Domid, gref: Gref, offset: number, bytes: Uint8Array): void {
    if (bytes.length > PAGE_SIZE) throw new XenError('EINVAL', 'copy of more than a page');
    this.bounce.bytes.set(bytes);
    this.hypercalls.copyGrant('to', domid, gref, offset, { mfn: this.bounce.mfn, offset: 0 }, bytes.length);
  }

  save(): GnttabState {
    return { frames: this.state.frames, free: [...this.state.free] };
  }

  #allocate(): Gref {
    const gref = this.state.free.pop();
    if (gref !== undefined) return gref as Gref;
    const { maxFrames } = this.hypercalls.grantTableSize();
    if (this.state.frames >= maxFrames) throw new SysError('ENOSPC', 'grant table');
    this.#grow(this.state.frames + 1);
    return this.#allocate();
  }

  #grow(frames: number): void {
    const from = Math.max(this.state.frames * GRANT_ENTRIES_PER_FRAME, NR_RESERVED_GRANTS);
    this.#mapFrames(frames);
    this.state.frames = frames;
    // The list is a stack: the lowest reference comes out first.
    const added: number[] = [];
    for (let gref = frames * GRANT_ENTRIES_PER_FRAME - 1; gref >= from; gref--) added.push(gref);
    this.state.free.unshift(...added);
  }

  #mapFrames(frames: number): void {
    const mfns = this.hypercalls.setupGrantTable(frames);
    for (let i = this.#frames.length; i < frames; i++) {
      const va = this.window.allocate(1);
      this.hypercalls.mapFrame(va, mfns[i]!);
      const bytes = this.hypercalls.cpu.page(va);
      this.#frames.push(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }
  }

  #entry(gref: number): { view: DataView; at: number } {
    const view = this.#frames[Math.floor(gref / GRANT_ENTRIES_PER_FRAME)];
    if (!view) throw new Error(`grant reference ${gref} is outside of the table`);
    return { view, at: (gref % GRANT_ENTRIES_PER_FRAME) * GRANT_ENTRY_SIZE };
  }
}
