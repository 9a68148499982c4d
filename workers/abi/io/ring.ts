/**
 * The ring through which the two halves of a split device talk: requests one way, responses the other, in the same
 * slots of one shared page (xen/include/public/io/ring.h).
 *
 * Page: req_prod u32 @0, req_event @4, rsp_prod @8, rsp_event @12, entries from byte 64. Indices run freely modulo 2^32;
 * the slot is index & (entries − 1). An end notifies the other only when that one has asked to be woken (hold-off).
 * The private indices are plain state, so that a driver can be serialised between two pieces of work.
 */
const REQ_PROD = 0;
const REQ_EVENT = 4;
const RSP_PROD = 8;
const RSP_EVENT = 12;
const ENTRIES = 64;

/** Largest power of two of entries that fit a page. */
export function ringSize(entryBytes: number): number {
  return 1 << Math.floor(Math.log2((4096 - ENTRIES) / entryBytes));
}

/** Prepares a page: what the frontend does before it publishes the ring. */
export function initialiseRing(page: Uint8Array): void {
  page.fill(0);
  const view = viewOf(page);
  view.setUint32(REQ_EVENT, 1, true);
  view.setUint32(RSP_EVENT, 1, true);
}

/** The frontend's private half. */
export interface FrontRingState {
  reqProdPvt: number;
  rspCons: number;
}

export class FrontRing {
  readonly size: number;
  readonly view: DataView;

  constructor(
    page: Uint8Array,
    private readonly entryBytes: number,
    readonly state: FrontRingState = { reqProdPvt: 0, rspCons: 0 },
  ) {
    this.size = ringSize(entryBytes);
    this.view = viewOf(page);
  }

  /** Slots that may still be filled. */
  get free(): number {
    return this.size - ((this.state.reqProdPvt - this.state.rspCons) >>> 0);
  }

  /** Byte offset of the next request; visible to the backend only after `push`. */
  nextRequest(): number {
    const offset = this.#slot(this.state.reqProdPvt);
    this.state.reqProdPvt = (this.state.reqProdPvt + 1) >>> 0;
    return offset;
  }

  /** Publishes the requests written so far; true when the backend wants to be notified. */
  push(): boolean {
    const old = this.view.getUint32(REQ_PROD, true);
    this.view.setUint32(REQ_PROD, this.state.reqProdPvt, true);
    return wantsEvent(this.state.reqProdPvt, old, this.view.getUint32(REQ_EVENT, true));
  }

  /** Byte offset of the next response; undefined when there is none. */
  nextResponse(): number | undefined {
    const outstanding = (this.state.reqProdPvt - this.state.rspCons) >>> 0;
    const ready = (this.view.getUint32(RSP_PROD, true) - this.state.rspCons) >>> 0;
    // A backend cannot have answered more than was asked; whatever it claims beyond that is ignored.
    if (ready === 0 || ready > outstanding) return undefined;
    const offset = this.#slot(this.state.rspCons);
    this.state.rspCons = (this.state.rspCons + 1) >>> 0;
    return offset;
  }

  /** Asks to be woken by the next response; true when one has arrived meanwhile and must be handled first. */
  finalCheck(): boolean {
    this.view.setUint32(RSP_EVENT, (this.state.rspCons + 1) >>> 0, true);
    return this.view.getUint32(RSP_PROD, true) !== this.state.rspCons;
  }

  #slot(index: number): number {
    return ENTRIES + (index & (this.size - 1)) * this.entryBytes;
  }
}

/** The backend's private half. */
export interface BackRingState {
  rspProdPvt: number;
  reqCons: number;
}

export class BackRing {
  readonly size: number;
  readonly view: DataView;

  constructor(
    page: Uint8Array,
    private readonly entryBytes: number,
    readonly state: BackRingState = { rspProdPvt: 0, reqCons: 0 },
  ) {
    this.size = ringSize(entryBytes);
    this.view = viewOf(page);
  }

  /** The frontend claims more requests than the ring holds: it is broken or hostile, and must be let go of. */
  get isCorrupt(): boolean {
    return (this.view.getUint32(REQ_PROD, true) - this.state.rspProdPvt) >>> 0 > this.size;
  }

  /** Requests that can be taken now. */
  get unconsumed(): number {
    const ready = (this.view.getUint32(REQ_PROD, true) - this.state.reqCons) >>> 0;
    const room = this.size - ((this.state.reqCons - this.state.rspProdPvt) >>> 0);
    return Math.max(0, Math.min(ready, room));
  }

  /** Byte offset of the next request; undefined when there is none. */
  nextRequest(): number | undefined {
    if (this.unconsumed === 0) return undefined;
    const offset = this.#slot(this.state.reqCons);
    this.state.reqCons = (this.state.reqCons + 1) >>> 0;
    return offset;
  }

  /** Looks at the request `ahead` places after the next one without taking it. */
  peekRequest(ahead: number): number | undefined {
    return ahead < this.unconsumed ? this.#slot((this.state.reqCons + ahead) >>> 0) : undefined;
  }

  /** Asks to be woken by the next request; true when one has arrived meanwhile. */
  finalCheck(): boolean {
    this.view.setUint32(REQ_EVENT, (this.state.reqCons + 1) >>> 0, true);
    return this.unconsumed > 0;
  }

  /** Byte offset of the next response; visible to the frontend only after `push`. */
  nextResponse(): number {
    const offset = this.#slot(this.state.rspProdPvt);
    this.state.rspProdPvt = (this.state.rspProdPvt + 1) >>> 0;
    return offset;
  }

  /** Publishes the responses; true when the frontend wants to be notified. */
  push(): boolean {
    const old = this.view.getUint32(RSP_PROD, true);
    this.view.setUint32(RSP_PROD, this.state.rspProdPvt, true);
    return wantsEvent(this.state.rspProdPvt, old, this.view.getUint32(RSP_EVENT, true));
  }

  #slot(index: number): number {
    return ENTRIES + (index & (this.size - 1)) * this.entryBytes;
  }
}

function wantsEvent(now: number, old: number, event: number): boolean {
  return (now - event) >>> 0 < (now - old) >>> 0;
}

function viewOf(page: Uint8Array): DataView {
  return new DataView(page.buffer, page.byteOffset, page.byteLength);
}
