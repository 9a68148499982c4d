/**
 * A domctl or sysctl as the toolstack passes it: a header, a union of what the sub-operations need, and the same places for
 * the answers.
 */
import { domctl } from '../../abi/domctl';
import type { Domid } from '../../abi/xen';
import type { Call } from '../hypercalls';

/** A request as copied from the caller, and where the answers go. */
export class ControlRequest {
  readonly #view: DataView;

  constructor(
    readonly call: Call,
    readonly va: number,
    private readonly base: number,
    size: number,
  ) {
    // Answers are written back: refuse before anything is done when that cannot be.
    call.domain.space.checkWritable(va, size);
    this.#view = call.domain.space.struct(va, size);
  }

  /** Fields of the header, by absolute offset. */
  header(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** Fields of the union. */
  u8(offset: number): number {
    return this.#view.getUint8(this.base + offset);
  }

  u16(offset: number): number {
    return this.#view.getUint16(this.base + offset, true);
  }

  u32(offset: number): number {
    return this.#view.getUint32(this.base + offset, true);
  }

  s32(offset: number): number {
    return this.#view.getInt32(this.base + offset, true);
  }

  /** 64-bit fields; values beyond 2^53 become inexact, and too large for anything they could mean. */
  u64(offset: number): number {
    return Number(this.#view.getBigUint64(this.base + offset, true));
  }

  bytes(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.#view.buffer.slice(this.base + offset, this.base + offset + length));
  }

  put(offset: number, bytes: Uint8Array): void {
    this.call.domain.space.write(this.va + this.base + offset, bytes);
  }

  put8(offset: number, value: number): void {
    this.call.domain.space.putU8(this.va + this.base + offset, value);
  }

  put16(offset: number, value: number): void {
    this.call.domain.space.putU16(this.va + this.base + offset, value);
  }

  put32(offset: number, value: number): void {
    this.call.domain.space.putU32(this.va + this.base + offset, value);
  }

  put64(offset: number, value: number): void {
    this.call.domain.space.putU64(this.va + this.base + offset, value);
  }

  /** The `domain` field of a domctl. */
  get domid(): Domid {
    return (this.header(domctl.domain) & 0xffff) as Domid;
  }

  putDomid(domid: Domid): void {
    this.call.domain.space.putU16(this.va + domctl.domain, domid);
  }
}
