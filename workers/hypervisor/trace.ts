/**
 * Trace buffers: a ring of records per pcpu that tools in Domain-0 (xentrace, xenmon) map and read.
 *
 * Record: header u32 (event 28 bits, number of extra words 3 bits, has-time-stamp 1 bit), time stamp u64 if so marked, up
 * to seven u32. A record never wraps: a filler takes the rest of the buffer. Source: xen/common/trace.c, Xen 3.4.
 */
import { TRC_LOST_RECORDS, TRC_TRACE_WRAP_BUFFER, traceBuffer } from '../abi/trace';
import { DOMID_XEN, type Domid, PAGE_SIZE } from '../abi/xen';
import { XenError } from '../lib/errno';
import type { MachineMemory } from './memory/frames';

const CYCLES_INCLUDED = 2 ** 31;
const MAX_PAGES_PER_CPU = 256;

interface Buffer {
  readonly view: DataView;
  lost: number;
  firstLostTsc: number;
}

export interface TraceHost {
  readonly nowNs: number;
  readonly executingPcpu: number;
  currentOn(pcpu: number): { readonly domid: Domid; readonly vcpuId: number };
  /** A buffer is more than half full: VIRQ_TBUF. */
  halfFull(): void;
}

export class TraceBuffers {
  #buffers: readonly Buffer[] = [];
  #pages = 0;
  #firstMfn = 0;
  #isOn = false;
  #eventMask = 0xffff_ffff;
  #cpuMask = 0xffff_ffff;

  constructor(
    readonly host: TraceHost,
    readonly memory: MachineMemory,
    readonly cpus: number,
  ) {}

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Machine frame of the first pcpu's buffer (the others follow it), and bytes per pcpu; 0 when there are none. */
  get info(): { readonly mfn: number; readonly bytes: number } {
    return { mfn: this.#firstMfn, bytes: this.#pages * PAGE_SIZE };
  }

  /** Bytes of records that fit a buffer. */
  get #capacity(): number {
    return this.#pages * PAGE_SIZE - traceBuffer.data;
  }

  /** Once only (EINVAL); ENOMEM when Xen's heap cannot hold the buffers. */
  setSize(pages: number): void {
    if (this.#pages > 0 || pages <= 0) throw new XenError('EINVAL', 'trace buffers are allocated already');
    if (pages > MAX_PAGES_PER_CPU) throw new XenError('EINVAL', `${pages} pages per cpu`);
    const mfn = this.memory.allocateXenheapRun(pages * this.cpus, DOMID_XEN);
    if (mfn === undefined) throw new XenError('ENOMEM', 'trace buffers');
    const bytes = new Uint8Array(pages * this.cpus * PAGE_SIZE);
    this.memory.setBacking(
      Array.from({ length: pages * this.cpus }, (_, i) => mfn + i),
      bytes,
    );
    this.#pages = pages;
    this.#firstMfn = mfn;
    this.#buffers = Array.from({ length: this.cpus }, (_, cpu) => ({
      view: new DataView(bytes.buffer, cpu * pages * PAGE_SIZE, pages * PAGE_SIZE),
      lost: 0,
      firstLostTsc: 0,
    }));
  }

  enable(): void {
    if (this.#pages === 0) throw new XenError('EINVAL', 'there are no trace buffers');
    this.#isOn = true;
  }

  disable(): void {
    this.#isOn = false;
  }

  get eventMask(): number {
    return this.#eventMask;
  }

  setEventMask(mask: number): void {
    this.#eventMask = mask;
  }

  setCpuMask(mask: number): void {
    this.#cpuMask = mask;
  }

  record(event: number, ...words: readonly number[]): void {
    if (!this.#isOn || !this.#wants(event)) return;
    const cpu = this.host.executingPcpu;
    const buffer = this.#buffers[cpu];
    if (!buffer || ((this.#cpuMask >>> cpu) & 1) === 0) return;
    const before = this.#unconsumed(buffer);
    if (before === undefined) return;
    const size = recordSize(words.length);
    const lostSize = buffer.lost > 0 ? recordSize(4) : 0;
    if (this.#spaceFor(buffer, lostSize, size) > this.#capacity - before) {
      if (buffer.lost++ === 0) buffer.firstLostTsc = this.host.nowNs;
      return;
    }
    if (buffer.lost > 0) this.#putLost(buffer);
    this.#put(buffer, event, this.host.nowNs, words);
    const half = this.#capacity / 2;
    if (before < half && this.#unconsumed(buffer)! >= half) this.host.halfFull();
  }

  #wants(event: number): boolean {
    const wanted = this.#eventMask & event;
    return (wanted & 0x0fff_0000) !== 0 && (wanted & 0x0000_f000) !== 0;
  }

  #putLost(buffer: Buffer): void {
    const { domid, vcpuId } = this.host.currentOn(this.host.executingPcpu);
    const { lost, firstLostTsc } = buffer;
    buffer.lost = 0;
    const stamp = [firstLostTsc >>> 0, Math.floor(firstLostTsc / 2 ** 32)];
    this.#put(buffer, TRC_LOST_RECORDS, this.host.nowNs, [lost, domid | (vcpuId << 16), ...stamp]);
  }

  /** Bytes that records of these sizes take, with the fillers before those that would wrap. */
  #spaceFor(buffer: Buffer, ...sizes: readonly number[]): number {
    let at = buffer.view.getUint32(traceBuffer.prod, true) % this.#capacity;
    let total = 0;
    for (const size of sizes) {
      if (size === 0) continue;
      const rest = this.#capacity - at;
      if (rest < size) {
        total += rest;
        at = 0;
      }
      total += size;
      at += size;
    }
    return total;
  }

  #put(buffer: Buffer, event: number, tsc: number, words: readonly number[]): void {
    const size = recordSize(words.length);
    const prod = buffer.view.getUint32(traceBuffer.prod, true);
    const rest = this.#capacity - (prod % this.#capacity);
    if (rest < size) {
      this.#putWrap(buffer, prod, rest);
      this.#put(buffer, event, tsc, words);
      return;
    }
    let at = traceBuffer.data + (prod % this.#capacity);
    const put = (word: number) => {
      buffer.view.setUint32(at, word, true);
      at += 4;
    };
    put(((event & 0x0fff_ffff) | (words.length << 28) | CYCLES_INCLUDED) >>> 0);
    put(tsc >>> 0);
    put(Math.floor(tsc / 2 ** 32));
    for (const word of words) put(word >>> 0);
    this.#advance(buffer, prod, size);
  }

  /** Fills the end of the buffer with empty records. */
  #putWrap(buffer: Buffer, prod: number, rest: number): void {
    const start = traceBuffer.data + (prod % this.#capacity);
    for (let i = 0; i < rest; i += 4) buffer.view.setUint32(start + i, 0, true);
    const extra = Math.min(7, rest / 4 - 1);
    for (let done = 0; done < rest; done += 4 * (1 + extra)) {
      const words = Math.min(extra, (rest - done) / 4 - 1);
      buffer.view.setUint32(start + done, TRC_TRACE_WRAP_BUFFER | (words << 28), true);
    }
    this.#advance(buffer, prod, rest);
  }

  #advance(buffer: Buffer, prod: number, bytes: number): void {
    buffer.view.setUint32(traceBuffer.prod, (prod + bytes) % (2 * this.#capacity), true);
  }

  /** Bytes not read yet; undefined when the reader has written nonsense into the header. */
  #unconsumed(buffer: Buffer): number | undefined {
    const cons = buffer.view.getUint32(traceBuffer.cons, true);
    const prod = buffer.view.getUint32(traceBuffer.prod, true);
    const modulus = 2 * this.#capacity;
    if (cons >= modulus || prod >= modulus || cons % 4 !== 0 || prod % 4 !== 0) return undefined;
    const used = (prod - cons + modulus) % modulus;
    return used <= this.#capacity ? used : undefined;
  }
}

function recordSize(words: number): number {
  return 12 + 4 * words;
}
