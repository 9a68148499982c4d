/**
 * Grant table of one domain: the entries it shares with the hypervisor, who has which of them in use, and which grants of
 * others it has mapped itself.
 *
 * Source: xen/common/grant_table.c (Xen 3.4), the data structures and __fixup/acquire parts. Layout: abi/grantTable.ts.
 */
import {
  GNTST_bad_gntref,
  GNTST_bad_page,
  GNTST_general_error,
  GNTST_okay,
  GRANT_ENTRIES_PER_FRAME,
  GRANT_ENTRY_SIZE,
  GTF_accept_transfer,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_type_mask,
  GTF_writing,
} from '../abi/grantTable';
import type { Domid, Gref, Mfn } from '../abi/xen';
import type { MachineMemory } from './memory/frames';

export const INITIAL_GRANT_FRAMES = 4;
export const DEFAULT_MAX_GRANT_FRAMES = 32;
const MAPTRACK_RATIO = 8;
/** Each kind of pin is an 8-bit counter; its top bit means overflow. */
const PIN_LIMIT = 128;
const GTF_transfer_committed = 4;
const GTF_transfer_completed = 8;

/** An entry that somebody uses at the moment. */
export interface ActiveGrant {
  /** Who uses it: only one domain at a time. */
  readonly domid: Domid;
  readonly mfn: Mfn;
  hostWrite: number;
  hostRead: number;
  deviceWrite: number;
  deviceRead: number;
}

export type PinKind = 'host' | 'device';

/** A grant of another domain that this one has mapped; index = handle. */
export interface MapTrack {
  readonly domid: Domid;
  readonly ref: Gref;
  readonly isReadonly: boolean;
  isHostMapped: boolean;
  isDeviceMapped: boolean;
}

export class GrantTable {
  readonly active = new Map<Gref, ActiveGrant>();
  readonly #frames: Mfn[] = [];
  readonly #views: DataView[] = [];
  readonly #tracks: (MapTrack | undefined)[] = [];
  readonly #freeHandles: number[] = [];
  /** The machine frame that an entry's frame number means. */
  mfnOf: (frame: number) => Mfn | undefined = (frame) => frame as Mfn;

  constructor(
    readonly memory: MachineMemory,
    frames: readonly Mfn[],
    readonly maxFrames: number,
  ) {
    for (const mfn of frames) this.addFrame(mfn);
  }

  get frames(): readonly Mfn[] {
    return this.#frames;
  }

  get entries(): number {
    return this.#frames.length * GRANT_ENTRIES_PER_FRAME;
  }

  addFrame(mfn: Mfn): void {
    this.#frames.push(mfn);
    this.#views.push(viewOf(this.memory, mfn));
  }

  /** The bytes of its frames are elsewhere now. */
  refreshViews(): void {
    this.#frames.forEach((mfn, i) => {
      this.#views[i] = viewOf(this.memory, mfn);
    });
  }

  // --- shared entries

  flags(ref: Gref): number {
    return this.#view(ref).getUint16(this.#offset(ref), true);
  }

  setFlags(ref: Gref, flags: number): void {
    this.#view(ref).setUint16(this.#offset(ref), flags, true);
  }

  grantee(ref: Gref): Domid {
    return this.#view(ref).getUint16(this.#offset(ref) + 2, true) as Domid;
  }

  frameOf(ref: Gref): Mfn {
    return this.#view(ref).getUint32(this.#offset(ref) + 4, true) as Mfn;
  }

  setFrame(ref: Gref, mfn: Mfn): void {
    this.#view(ref).setUint32(this.#offset(ref) + 4, mfn, true);
  }

  // --- use of an entry by others

  /**
   * Pins an entry for `user`, and sets the flags by which the granter sees it. Answers a status; with GNTST_okay the
   * entry stands in `active`.
   */
  acquire(ref: Gref, user: Domid, kinds: readonly PinKind[], isReadonly: boolean): number {
    if (ref >= this.entries) return GNTST_bad_gntref;
    const active = this.active.get(ref);
    const mfn = active?.mfn ?? this.mfnOf(this.frameOf(ref));
    if (mfn === undefined) return GNTST_bad_page;
    if (active && (active.domid !== user || isOverflowing(active))) return GNTST_general_error;
    if (!active || (!isReadonly && active.hostWrite + active.deviceWrite === 0)) {
      const flags = this.flags(ref);
      const isPermitted = (flags & GTF_type_mask) === GTF_permit_access && this.grantee(ref) === user;
      if (!isPermitted || (!isReadonly && (flags & GTF_readonly) !== 0)) return GNTST_general_error;
      this.setFlags(ref, flags | GTF_reading | (isReadonly ? 0 : GTF_writing));
    }
    const entry = active ?? newActive(user, mfn);
    this.active.set(ref, entry);
    for (const kind of kinds) count(entry, kind, isReadonly, 1);
    return GNTST_okay;
  }

  /** Takes pins back. The granter's flags go with the last writer and with the last user. */
  release(ref: Gref, kinds: readonly PinKind[], isReadonly: boolean): void {
    const entry = this.active.get(ref);
    if (!entry) throw new Error(`grant ${ref} is not in use`);
    for (const kind of kinds) count(entry, kind, isReadonly, -1);
    let clear = 0;
    if (!isReadonly && entry.hostWrite + entry.deviceWrite === 0) clear |= GTF_writing;
    if (pins(entry) === 0) {
      clear |= GTF_reading;
      this.active.delete(ref);
    }
    if (clear !== 0) this.setFlags(ref, this.flags(ref) & ~clear);
  }

  // --- transfer

  /** Commits an entry that accepts a page from `from`; false when it does not. */
  commitTransfer(ref: Gref, from: Domid): boolean {
    if (ref >= this.entries) return false;
    if (this.flags(ref) !== GTF_accept_transfer || this.grantee(ref) !== from) return false;
    this.setFlags(ref, GTF_accept_transfer | GTF_transfer_committed);
    return true;
  }

  completeTransfer(ref: Gref, mfn: Mfn): void {
    this.setFrame(ref, mfn);
    this.setFlags(ref, this.flags(ref) | GTF_transfer_completed);
  }

  // --- grants of others, mapped by this domain

  track(handle: number): MapTrack | undefined {
    return this.#tracks[handle];
  }

  /** Undefined: all handles are in use. */
  addTrack(track: MapTrack): number | undefined {
    const handle = this.#freeHandles.pop() ?? this.#tracks.length;
    if (handle >= this.maxFrames * MAPTRACK_RATIO * GRANT_ENTRIES_PER_FRAME) return undefined;
    this.#tracks[handle] = track;
    return handle;
  }

  removeTrack(handle: number): void {
    this.#tracks[handle] = undefined;
    this.#freeHandles.push(handle);
  }

  /** Handles in use. */
  *tracks(): IterableIterator<[handle: number, track: MapTrack]> {
    for (const [handle, track] of this.#tracks.entries()) if (track) yield [handle, track];
  }

  #view(ref: Gref): DataView {
    return this.#views[Math.floor(ref / GRANT_ENTRIES_PER_FRAME)]!;
  }

  #offset(ref: Gref): number {
    return (ref % GRANT_ENTRIES_PER_FRAME) * GRANT_ENTRY_SIZE;
  }
}

function viewOf(memory: MachineMemory, mfn: Mfn): DataView {
  const bytes = memory.bytes(mfn);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function pins({ hostWrite, hostRead, deviceWrite, deviceRead }: ActiveGrant): number {
  return hostWrite + hostRead + deviceWrite + deviceRead;
}

function isOverflowing({ hostWrite, hostRead, deviceWrite, deviceRead }: ActiveGrant): boolean {
  return Math.max(hostWrite, hostRead, deviceWrite, deviceRead) >= PIN_LIMIT;
}

function newActive(domid: Domid, mfn: Mfn): ActiveGrant {
  return { domid, mfn, hostWrite: 0, hostRead: 0, deviceWrite: 0, deviceRead: 0 };
}

function count(entry: ActiveGrant, kind: PinKind, isReadonly: boolean, by: number): void {
  if (kind === 'host') {
    if (isReadonly) entry.hostRead += by;
    else entry.hostWrite += by;
  } else if (isReadonly) entry.deviceRead += by;
  else entry.deviceWrite += by;
}
