/**
 * Receiving a domain's memory: frames as they come, again and again if the sender sends them so, then the processors.
 *
 * Source: tools/libxc/xc_domain_restore.c, Xen 3.4.
 */

import type { ByteSource } from '../lib/byteStream';
import type { DomainTail } from './save';
import {
  CHUNK_CONSOLE_PFN,
  CHUNK_END,
  CHUNK_IDENT_PT,
  CHUNK_VCPUS,
  CHUNK_VM86_TSS,
  EXTENDED_INFO,
  EXTENDED_VCPU_CONTEXT_SIZE,
  FRAMES_PER_LIST_PAGE,
  MAX_BATCH,
  PAGE_SIZE,
  readS32,
  readU32,
  readU64,
  StreamError,
  TYPE_ABSENT,
  TYPE_MASK,
  VCPU_CONTEXT_SIZE,
  viewOf,
} from './stream';

/** No domain has more frames: 4 GiB of memory. */
const MAX_FRAMES = 1 << 20;
const MAX_CONTEXT = 1 << 16;
const MAX_VCPUS = 64;

/** The new domain as the receiver sees it. */
export interface RestoredDomain {
  /** Called first: whether it will have page tables of its own, and its size in frames. */
  begin(kind: DomainTail['kind'], p2mSize: number): Promise<void>;
  /** Memory for these frames, which have none yet; throws when there is none. */
  populate(pfns: readonly number[]): void;
  /** These have no memory (any more). */
  release(pfns: readonly number[]): void;
  /** One page after another. */
  writeFrames(pfns: readonly number[], pages: Uint8Array): void;
}

/** Whoever looks on; asked nothing. */
export interface RestoreObserver {
  begun?(p2mSize: number): void;
  /** So many frames of a batch, and those of them that have contents. */
  framesReceived?(count: number, pfns: readonly number[]): void;
  /** The last of the stream is here. */
  received?(): void;
}

/** What the stream says besides the pages. */
export interface RestoredImage {
  readonly p2mSize: number;
  /** Of a paravirtual domain. */
  readonly p2mFrames: readonly number[];
  readonly vcpuMap: bigint;
  readonly tail: DomainTail;
  /** Frames received, those that came again included. */
  readonly received: number;
}

/** Reads the memory image that follows the configuration. Rejects with StreamError when it is none. */
export async function restoreDomain(
  source: ByteSource,
  domain: RestoredDomain,
  observer: RestoreObserver = {},
): Promise<RestoredImage> {
  const p2mSize = await readU32(source);
  if (p2mSize === 0 || p2mSize > MAX_FRAMES) throw new StreamError(`p2m_size ${p2mSize}`);
  observer.begun?.(p2mSize);
  const first = await readS32(source);
  const isPv = first >>> 0 === EXTENDED_INFO;
  await domain.begin(isPv ? 'pv' : 'hvm', p2mSize);
  const p2mFrames = isPv ? await readP2mFrames(source, p2mSize) : [];
  const pages = await readPages(source, domain, p2mSize, isPv ? await readS32(source) : first, observer);
  const tail = isPv ? await readPvTail(source, pages.vcpuMap) : await readHvmTail(source, pages.consolePfn);
  observer.received?.();
  return { p2mSize, p2mFrames, vcpuMap: pages.vcpuMap, tail, received: pages.received };
}

async function readP2mFrames(source: ByteSource, p2mSize: number): Promise<readonly number[]> {
  let left = await readU32(source);
  if (left > MAX_CONTEXT) throw new StreamError('extended-info');
  while (left > 0) {
    const head = await source.read(8);
    const length = viewOf(head).getUint32(4, true);
    left -= 8 + length;
    if (left < 0) throw new StreamError('extended-info');
    await source.read(length);
  }
  const count = Math.ceil(p2mSize / FRAMES_PER_LIST_PAGE);
  const list = viewOf(await source.read(4 * count));
  return Array.from({ length: count }, (_, i) => checkPfn(list.getUint32(4 * i, true), p2mSize));
}

async function readPages(
  source: ByteSource,
  domain: RestoredDomain,
  p2mSize: number,
  firstCount: number,
  observer: RestoreObserver,
) {
  const isPopulated = new Uint8Array(p2mSize);
  let vcpuMap = 1n;
  let consolePfn = 0;
  let received = 0;
  for (let count = firstCount; count !== CHUNK_END; count = await readS32(source)) {
    switch (count) {
      case CHUNK_VCPUS:
        if ((await readU32(source)) >= MAX_VCPUS) throw new StreamError('max_vcpu_id');
        vcpuMap = await readU64(source);
        break;
      case CHUNK_IDENT_PT:
      case CHUNK_VM86_TSS:
        await source.read(12);
        break;
      case CHUNK_CONSOLE_PFN:
        await source.read(4);
        consolePfn = checkPfn(Number(await readU64(source)), p2mSize);
        break;
      default:
        if (count < 0 || count > MAX_BATCH) throw new StreamError(`Max batch size exceeded (${count}). Giving up.`);
        received += await readBatch(source, domain, isPopulated, count, observer);
    }
  }
  return { vcpuMap, consolePfn, received };
}

async function readBatch(
  source: ByteSource,
  domain: RestoredDomain,
  isPopulated: Uint8Array,
  count: number,
  observer: RestoreObserver,
): Promise<number> {
  const words = viewOf(await source.read(4 * count));
  const pfns: number[] = [];
  const gone = new Set<number>();
  for (let i = 0; i < count; i++) {
    const word = words.getUint32(4 * i, true);
    const pfn = checkPfn((word & ~TYPE_MASK) >>> 0, isPopulated.length);
    if ((word & TYPE_MASK) >>> 0 !== TYPE_ABSENT) pfns.push(pfn);
    else if (isPopulated[pfn] === 1) gone.add(pfn);
  }
  // Differs from Xen 3.4, which leaves what was ballooned out meanwhile with the new domain.
  if (gone.size > 0) domain.release([...gone]);
  for (const pfn of gone) isPopulated[pfn] = 0;
  // A broken stream may name a frame twice.
  const fresh = [...new Set(pfns)].filter((pfn) => isPopulated[pfn] === 0);
  if (fresh.length > 0) domain.populate(fresh);
  for (const pfn of fresh) isPopulated[pfn] = 1;
  domain.writeFrames(pfns, await source.read(PAGE_SIZE * pfns.length));
  observer.framesReceived?.(count, pfns);
  return pfns.length;
}

async function readHvmTail(source: ByteSource, consolePfn: number): Promise<DomainTail> {
  await source.read(16);
  const storePfn = Number(await readU64(source));
  const length = await readU32(source);
  if (length > MAX_CONTEXT) throw new StreamError('HVM context');
  return { kind: 'hvm', storePfn, consolePfn, context: await source.read(length) };
}

async function readPvTail(source: ByteSource, vcpuMap: bigint): Promise<DomainTail> {
  const count = await readU32(source);
  if (count > MAX_FRAMES) throw new StreamError('pfns not in map');
  const list = viewOf(await source.read(4 * count));
  const notInMap = Array.from({ length: count }, (_, i) => list.getUint32(4 * i, true));
  const contexts: Uint8Array[] = [];
  for (let map = vcpuMap; map > 0n; map >>= 1n) {
    if ((map & 1n) === 0n) continue;
    contexts.push(await source.read(VCPU_CONTEXT_SIZE));
    await source.read(EXTENDED_VCPU_CONTEXT_SIZE);
  }
  return { kind: 'pv', notInMap, contexts, sharedInfo: await source.read(PAGE_SIZE) };
}

function checkPfn(pfn: number, p2mSize: number): number {
  if (pfn >= p2mSize) throw new StreamError(`pfn ${pfn.toString(16)} beyond p2m_size ${p2mSize.toString(16)}`);
  return pfn;
}
