/**
 * Domain-0's door to the hypervisor for its tools: hypercalls with buffers in guest memory, and other domains' pages
 * mapped into the window (/proc/xen/privcmd of XenLinux).
 */
import { type Domid, PAGE_SIZE } from '../abi/xen';
import type { Hypercalls } from './hypercall';
import type { MapWindow } from './mapWindow';
import { type PageAllocator, vaOf } from './pages';
import type { ForeignMapping, HypercallBuffer, Privcmd } from './services';

export class PrivilegedCommands implements Privcmd {
  constructor(
    private readonly hypercalls: Hypercalls,
    private readonly pages: PageAllocator,
    private readonly window: MapWindow,
  ) {}

  /** Tools run between slices as well: their hypercalls are made on vcpu 0. */
  hypercall(op: number, ...args: readonly number[]): number {
    const { vcpu } = this.hypercalls;
    this.hypercalls.vcpu = 0;
    try {
      return this.hypercalls.call(op, ...args);
    } finally {
      this.hypercalls.vcpu = vcpu;
    }
  }

  alloc(bytes: number): HypercallBuffer {
    const count = Math.max(1, Math.ceil(bytes / PAGE_SIZE));
    const pfn = this.pages.allocContiguous(count);
    return new GuestBuffer(this.hypercalls, vaOf(pfn), bytes, () => this.pages.freeContiguous(pfn, count));
  }

  mapForeign(domid: Domid, mfns: readonly number[]): ForeignMapping {
    const { vcpu } = this.hypercalls;
    this.hypercalls.vcpu = 0;
    const va = this.window.allocate(mfns.length);
    let mapped = 0;
    const unmap = () => {
      for (let i = 0; i < mapped; i++) this.hypercalls.unmapFrame(va + i * PAGE_SIZE);
      this.window.release(va, mfns.length);
    };
    try {
      for (const mfn of mfns) {
        this.hypercalls.mapForeignFrame(va + mapped * PAGE_SIZE, domid, mfn);
        mapped++;
      }
    } catch (error) {
      unmap();
      throw error;
    } finally {
      this.hypercalls.vcpu = vcpu;
    }
    const { cpu } = this.hypercalls;
    return {
      page: (index) => cpu.page(va + index * PAGE_SIZE),
      peek: (index) => cpu.peek(va + index * PAGE_SIZE),
      unmap,
    };
  }
}

class GuestBuffer implements HypercallBuffer {
  constructor(
    private readonly hypercalls: Hypercalls,
    readonly va: number,
    readonly size: number,
    readonly free: () => void,
  ) {}

  write(offset: number, bytes: Uint8Array): void {
    this.#each(offset, bytes.length, (page, at, done, count) => page.set(bytes.subarray(done, done + count), at));
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#each(offset, length, (page, at, done, count) => bytes.set(page.subarray(at, at + count), done));
    return bytes;
  }

  u8(offset: number, value?: number): number {
    return Number(this.#integer(offset, 1, value));
  }

  u16(offset: number, value?: number): number {
    return Number(this.#integer(offset, 2, value));
  }

  u32(offset: number, value?: number): number {
    return Number(this.#integer(offset, 4, value));
  }

  u64(offset: number, value?: bigint): bigint {
    const low = this.#integer(offset, 4, value === undefined ? undefined : Number(value & 0xffff_ffffn));
    const high = this.#integer(offset + 4, 4, value === undefined ? undefined : Number((value >> 32n) & 0xffff_ffffn));
    return (BigInt(high) << 32n) | BigInt(low);
  }

  writeWords(values: readonly number[]): void {
    const bytes = new DataView(new ArrayBuffer(4 * values.length));
    for (let i = 0; i < values.length; i++) bytes.setUint32(4 * i, values[i]!, true);
    this.write(0, new Uint8Array(bytes.buffer));
  }

  readWords(count: number): readonly number[] {
    const bytes = new DataView(this.read(0, 4 * count).buffer);
    const words: number[] = [];
    for (let i = 0; i < count; i++) words.push(bytes.getUint32(4 * i, true));
    return words;
  }

  /** Reads (value undefined) or writes a little-endian integer; it may cross a page. */
  #integer(offset: number, size: 1 | 2 | 4, value: number | undefined): number {
    const bytes = value === undefined ? this.read(offset, size) : new Uint8Array(size);
    if (value === undefined) {
      let sum = 0;
      for (let i = size - 1; i >= 0; i--) sum = sum * 256 + bytes[i]!;
      return sum;
    }
    for (let i = 0, rest = value >>> 0; i < size; i++, rest >>>= 8) bytes[i] = rest & 0xff;
    this.write(offset, bytes);
    return value;
  }

  #each(
    offset: number,
    length: number,
    visit: (page: Uint8Array, at: number, done: number, count: number) => void,
  ): void {
    if (offset < 0 || offset + length > this.size) throw new RangeError(`${offset}+${length} of ${this.size} bytes`);
    for (let done = 0; done < length; ) {
      const va = this.va + offset + done;
      const at = va % PAGE_SIZE;
      const count = Math.min(length - done, PAGE_SIZE - at);
      visit(this.hypercalls.cpu.page(va - at), at, done, count);
      done += count;
    }
  }
}
