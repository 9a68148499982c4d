/**
 * What a guest's virtual addresses mean, and the only way in which the hypervisor touches guest memory.
 *
 * The direct map holds the guest's own frames; the window below it what the guest mapped by hypercall (see abi/cpu.ts).
 * Every access is checked: an address that nothing is mapped at is a PageFault, which a hypercall answers with EFAULT.
 */
import { MAP_WINDOW_END, MAP_WINDOW_START, PageFault, type TranslateAddress, VIRT_BASE } from '../../abi/cpu';
import type { Mfn } from '../../abi/xen';
import type { MachineMemory } from './frames';
import { MAX_PFNS, P2m } from './p2m';

const NO_BYTES = new Uint8Array(4096);

/** Something mapped by hypercall; it holds a reference to the frame. */
export interface WindowMapping {
  readonly mfn: Mfn;
  readonly isWritable: boolean;
  /** A grant must be unmapped through the grant table, a frame by update_va_mapping. */
  readonly kind: 'frame' | 'grant';
}

export class AddressSpace {
  readonly p2m = new P2m();
  /** By virtual page number. */
  readonly #window = new Map<number, WindowMapping>();

  /** A translated domain's own page tables, once something executes it; they take the place of map and window. */
  translate: TranslateAddress | undefined;
  /** Its memory as its processor sees it: guest frame n at 4096·n. */
  backing: Uint8Array | undefined;

  constructor(readonly memory: MachineMemory) {}

  /** The view of the page at `va`; throws PageFault. */
  page(va: number): Uint8Array {
    return this.memory.bytes(this.#frameAt(va));
  }

  /** To read it now; undefined: zeroes, for which no memory need be had. Throws PageFault. */
  peek(va: number): Uint8Array | undefined {
    return this.memory.peek(this.#frameAt(va));
  }

  mfnAt(va: number): Mfn | undefined {
    return this.#find(va);
  }

  mappingAt(va: number): WindowMapping | undefined {
    return this.#window.get(va >>> 12);
  }

  get mappings(): IterableIterator<[number, WindowMapping]> {
    return this.#window.entries();
  }

  /** May something be mapped here: the window, or a hole that ballooning left in the direct map. */
  isMappable(va: number): boolean {
    if (va % 4096 !== 0 || this.translate) return false;
    if (va >= MAP_WINDOW_START && va < MAP_WINDOW_END) return true;
    const pfn = (va - VIRT_BASE) >>> 12;
    return va >= VIRT_BASE && pfn < MAX_PFNS && this.p2m.get(pfn) === undefined;
  }

  map(va: number, mapping: WindowMapping): void {
    this.#window.set(va >>> 12, mapping);
  }

  unmap(va: number): void {
    this.#window.delete(va >>> 12);
  }

  // --- copying in and out

  read(va: number, length: number): Uint8Array {
    // Look first: a guest may claim a length that must not be allocated for it.
    this.#eachPiece(va, length, (address) => {
      this.#frameAt(address);
    });
    const bytes = new Uint8Array(length);
    this.#eachPiece(va, length, (address, done, count) => {
      const at = address & 4095;
      const page = this.memory.peek(this.#find(address)!) ?? NO_BYTES;
      bytes.set(page.subarray(at, at + count), done);
    });
    return bytes;
  }

  /** All or nothing: faults before the first byte is written. */
  write(va: number, bytes: Uint8Array): void {
    this.checkWritable(va, bytes.length);
    this.#eachPiece(va, bytes.length, (address, done, count) => {
      this.memory.bytes(this.#find(address)!).set(bytes.subarray(done, done + count), address & 4095);
    });
  }

  /** Throws PageFault unless all of it may be written: what a hypercall with an answer checks before it acts. */
  checkWritable(va: number, length: number): void {
    this.#eachPiece(va, length, (address) => {
      this.#writableFrameAt(address);
    });
  }

  /** A copy of a structure, to read fields from. */
  struct(va: number, length: number): DataView {
    const bytes = this.read(va, length);
    return new DataView(bytes.buffer);
  }

  u16(va: number): number {
    return this.struct(va, 2).getUint16(0, true);
  }

  u32(va: number): number {
    const at = va & 4095;
    if (at > 4092) return this.struct(va, 4).getUint32(0, true);
    const page = this.memory.peek(this.#frameAt(va)) ?? NO_BYTES;
    return (page[at]! | (page[at + 1]! << 8) | (page[at + 2]! << 16) | (page[at + 3]! << 24)) >>> 0;
  }

  putU8(va: number, value: number): void {
    this.write(va, Uint8Array.of(value));
  }

  putU16(va: number, value: number): void {
    this.write(va, Uint8Array.of(value, value >>> 8));
  }

  putU32(va: number, value: number): void {
    const at = va & 4095;
    if (at > 4092) {
      this.write(va, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24));
      return;
    }
    const page = this.memory.bytes(this.#writableFrameAt(va));
    page[at] = value;
    page[at + 1] = value >>> 8;
    page[at + 2] = value >>> 16;
    page[at + 3] = value >>> 24;
  }

  putU64(va: number, value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    this.write(va, bytes);
  }

  #frameAt(va: number): Mfn {
    const mfn = va < 0x1_0000_0000 ? this.#find(va) : undefined;
    if (mfn === undefined) throw new PageFault(va);
    return mfn;
  }

  #writableFrameAt(va: number): Mfn {
    const mfn = this.#frameAt(va);
    if (this.translate?.(va, true) === undefined && this.translate) throw new PageFault(va);
    if (this.#window.size > 0 && this.#window.get(va >>> 12)?.isWritable === false) throw new PageFault(va);
    return mfn;
  }

  #find(va: number): Mfn | undefined {
    if (this.translate) {
      const address = this.translate(va, false);
      return address === undefined ? undefined : this.p2m.get(Math.floor(address / 4096));
    }
    if (va >= VIRT_BASE) {
      const mfn = this.p2m.get((va - VIRT_BASE) >>> 12);
      if (mfn !== undefined) return mfn;
    }
    return this.#window.size === 0 ? undefined : this.#window.get(va >>> 12)?.mfn;
  }

  #eachPiece(va: number, length: number, piece: (address: number, done: number, count: number) => void): void {
    if (va + length > 0x1_0000_0000) throw new PageFault(va);
    for (let done = 0; done < length; ) {
      const address = va + done;
      const count = Math.min(length - done, 4096 - (address & 4095));
      piece(address, done, count);
      done += count;
    }
  }
}
