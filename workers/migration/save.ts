/**
 * Sending a domain's memory: all of it once it has stopped, or live, in rounds, while it goes on writing.
 *
 * Source: tools/libxc/xc_domain_save.c, Xen 3.4 (the build without ADAPTIVE_SAVE): what is skipped, what is sent again in the
 * last round, and the rules that end the rounds.
 */

import type { ByteSink } from '../lib/byteStream';
import {
  CHUNK_CONSOLE_PFN,
  CHUNK_END,
  CHUNK_VCPUS,
  EXTENDED_INFO,
  EXTENDED_VCPU_CONTEXT_SIZE,
  MAX_BATCH,
  TYPE_ABSENT,
  VCPU_CONTEXT_SIZE,
  Words,
} from './stream';

export const MAX_ITERATIONS = 29;
export const MAX_FACTOR = 3;
/** A round with fewer pages than this is not worth another one. */
export const MIN_PAGES = 50;

/** What is left to send when the guest has stopped and its pages are through. */
export type DomainTail =
  | {
      readonly kind: 'hvm';
      readonly storePfn: number;
      readonly consolePfn: number;
      /** Records as in abi/hvmSave.ts. */
      readonly context: Uint8Array;
    }
  | {
      readonly kind: 'pv';
      /** Guest frames that have no memory. */
      readonly notInMap: readonly number[];
      /** Per online vcpu, frame numbers made canonical. */
      readonly contexts: readonly Uint8Array[];
      readonly sharedInfo: Uint8Array;
    };

/** The domain as the sender sees it. All frame numbers are guest frame numbers. */
export interface SavedDomain {
  /** One more than the highest guest frame. */
  readonly p2mSize: number;
  /** Of a paravirtual domain: the frames of its P2M list, one for 1024 entries. */
  readonly p2mFrames: readonly number[] | undefined;
  /** Bit n: vcpu n is online. */
  readonly vcpuMap: bigint;
  /** Of each frame its type bits; TYPE_ABSENT: no memory there. */
  frameTypes(pfns: readonly number[]): readonly number[];
  /** The contents, one page after another. */
  readFrames(pfns: readonly number[]): Uint8Array;
  startLog(): void;
  stopLog(): void;
  /** Which frames were written since the last clean: a bit each, lowest first. */
  dirtyFrames(clean: boolean): Uint8Array;
  /** Asks the guest to suspend; resolves when it has stopped. */
  suspend(): Promise<void>;
  /** After `suspend`. */
  tail(): DomainTail;
}

/** Why the rounds came to their end. */
export type StopRule = 'not live' | 'iterations' | 'few pages' | 'too much sent';

export interface Round {
  readonly iteration: number;
  readonly sent: number;
  readonly skipped: number;
  /** Written by the guest while the round lasted. */
  readonly dirtied: number;
  readonly isLast: boolean;
}

export interface SaveObserver {
  /** The first word of the stream: one more than the highest guest frame. */
  begun?(p2mSize: number): void;
  /** Guest frames that have gone out in this round. */
  framesSent?(iteration: number, pfns: readonly number[]): void;
  /** Frames found written since the log was last clean: a bit each, lowest first. Valid during the call. */
  dirtySeen?(bitmap: Uint8Array): void;
  roundEnded?(round: Round): void;
  /** The guest is to stop, for this reason; the last round begins. */
  lastRound?(rule: StopRule): void;
  /** It stands. */
  suspended?(): void;
  finished?(total: number, p2mSize: number): void;
}

export interface SaveOptions {
  readonly isLive: boolean;
  readonly observers?: readonly SaveObserver[];
}

/** Sends the memory image that follows the configuration. On any failure the log is off again and the error goes on. */
export async function saveDomain(domain: SavedDomain, sink: ByteSink, options: SaveOptions): Promise<void> {
  if (options.isLive) domain.startLog();
  try {
    await new Sender(domain, sink, options).run();
  } finally {
    if (options.isLive) domain.stopLog();
  }
}

class Sender {
  readonly #toSend: Uint8Array;
  readonly #toFix: Uint8Array;
  #total = 0;

  constructor(
    private readonly domain: SavedDomain,
    private readonly sink: ByteSink,
    private readonly options: SaveOptions,
  ) {
    this.#toSend = new Uint8Array(domain.p2mSize).fill(1);
    this.#toFix = new Uint8Array(domain.p2mSize);
  }

  async run(): Promise<void> {
    const { domain, sink, options } = this;
    let isLast = !options.isLive;
    this.#tell((observer) => observer.begun?.(domain.p2mSize));
    if (isLast) await this.#suspend('not live');
    await this.#head();
    for (let iteration = 1; ; iteration++) {
      const { sent, skipped } = await this.#round(iteration, isLast);
      this.#total += sent;
      if (isLast) {
        this.#tell((observer) => observer.roundEnded?.({ iteration, sent, skipped, dirtied: 0, isLast }));
        break;
      }
      const rule = this.#stopRule(iteration, sent + skipped);
      if (rule) {
        isLast = true;
        await this.#suspend(rule);
      }
      const dirtied = this.#takeDirty();
      this.#tell((observer) => observer.roundEnded?.({ iteration, sent, skipped, dirtied, isLast: false }));
    }
    await sink.write(new Words().u32(CHUNK_VCPUS).u32(highestBit(domain.vcpuMap)).u64(domain.vcpuMap).bytes);
    await this.#tail();
    this.#tell((observer) => observer.finished?.(this.#total, domain.p2mSize));
  }

  async #suspend(rule: StopRule): Promise<void> {
    this.#tell((observer) => observer.lastRound?.(rule));
    await this.domain.suspend();
    this.#tell((observer) => observer.suspended?.());
  }

  #tell(fact: (observer: SaveObserver) => void): void {
    for (const observer of this.options.observers ?? []) fact(observer);
  }

  async #head(): Promise<void> {
    const { domain, sink } = this;
    await sink.write(new Words().u32(domain.p2mSize).bytes);
    if (!domain.p2mFrames) return;
    const CHUNKS = 8 + VCPU_CONTEXT_SIZE + 8;
    await sink.write(new Words().u32(EXTENDED_INFO).u32(CHUNKS).bytes);
    await sink.write(chunk('vcpu', new Uint8Array(VCPU_CONTEXT_SIZE)));
    await sink.write(chunk('extv', new Uint8Array(0)));
    const list = new Words();
    for (const pfn of domain.p2mFrames) list.u32(pfn);
    await sink.write(list.bytes);
  }

  /** Sends what is to be sent, in batches; while the guest runs, what it has written again since is left for later. */
  async #round(iteration: number, isLast: boolean): Promise<{ sent: number; skipped: number }> {
    const { domain } = this;
    let sent = 0;
    let skipped = 0;
    for (let next = 0; next < domain.p2mSize; ) {
      const toSkip = isLast ? undefined : domain.dirtyFrames(false);
      if (toSkip) this.#tell((observer) => observer.dirtySeen?.(toSkip));
      const pfns: number[] = [];
      for (; next < domain.p2mSize && pfns.length < MAX_BATCH; next++) {
        const isWanted = this.#toSend[next] === 1;
        if (isWanted && toSkip && hasBit(toSkip, next)) {
          skipped++;
          continue;
        }
        if (isWanted || (isLast && this.#toFix[next] === 1)) pfns.push(next);
      }
      const batch = this.#present(pfns);
      if (batch.pfns.length === 0) continue;
      await this.#send(batch);
      this.#tell((observer) => observer.framesSent?.(iteration, batch.pfns));
      sent += batch.pfns.length;
    }
    return { sent, skipped };
  }

  /** A paravirtual domain's frames without memory may have some by the last round; others are announced as absent. */
  #present(pfns: readonly number[]): { pfns: readonly number[]; types: readonly number[] } {
    const types = this.domain.frameTypes(pfns);
    if (!this.domain.p2mFrames) return { pfns, types };
    const isThere = types.map((type) => type !== TYPE_ABSENT);
    pfns.forEach((pfn, i) => {
      this.#toFix[pfn] = isThere[i] ? 0 : 1;
    });
    return { pfns: pfns.filter((_, i) => isThere[i]), types: types.filter((_, i) => isThere[i]) };
  }

  async #send({ pfns, types }: { pfns: readonly number[]; types: readonly number[] }): Promise<void> {
    const head = new Words().u32(pfns.length);
    pfns.forEach((pfn, i) => {
      head.u32((pfn | types[i]!) >>> 0);
    });
    await this.sink.write(head.bytes);
    await this.sink.write(this.domain.readFrames(pfns.filter((_, i) => types[i] !== TYPE_ABSENT)));
  }

  #stopRule(iteration: number, pages: number): StopRule | undefined {
    if (iteration >= MAX_ITERATIONS) return 'iterations';
    if (pages < MIN_PAGES) return 'few pages';
    return this.#total > MAX_FACTOR * this.domain.p2mSize ? 'too much sent' : undefined;
  }

  #takeDirty(): number {
    const bitmap = this.domain.dirtyFrames(true);
    this.#tell((observer) => observer.dirtySeen?.(bitmap));
    let count = 0;
    for (let pfn = 0; pfn < this.domain.p2mSize; pfn++) {
      const bit = hasBit(bitmap, pfn) ? 1 : 0;
      this.#toSend[pfn] = bit;
      count += bit;
    }
    return count;
  }

  async #tail(): Promise<void> {
    const { sink } = this;
    const tail = this.domain.tail();
    if (tail.kind === 'hvm') {
      await sink.write(new Words().u32(CHUNK_CONSOLE_PFN).u32(0).u64(BigInt(tail.consolePfn)).bytes);
      await sink.write(new Words().u32(CHUNK_END).bytes);
      // The pages of a device model, which such a domain has not.
      await sink.write(new Words().u64(0n).u64(0n).u64(BigInt(tail.storePfn)).u32(tail.context.length).bytes);
      await sink.write(tail.context);
      return;
    }
    const absent = new Words().u32(CHUNK_END).u32(tail.notInMap.length);
    for (const pfn of tail.notInMap) absent.u32(pfn);
    await sink.write(absent.bytes);
    for (const context of tail.contexts) {
      await sink.write(context);
      await sink.write(new Uint8Array(EXTENDED_VCPU_CONTEXT_SIZE));
    }
    await sink.write(tail.sharedInfo);
  }
}

function chunk(name: string, bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(8 + bytes.length);
  whole.set(new TextEncoder().encode(name));
  new DataView(whole.buffer).setUint32(4, bytes.length, true);
  whole.set(bytes, 8);
  return whole;
}

function hasBit(bitmap: Uint8Array, n: number): boolean {
  return ((bitmap[n >>> 3] ?? 0) & (1 << (n & 7))) !== 0;
}

function highestBit(map: bigint): number {
  return Math.max(0, map.toString(2).length - 1);
}
