import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteSource, EndOfStream } from '../lib/byteStream';
import { type RestoredDomain, restoreDomain } from './restore';
import { type DomainTail, type SavedDomain, saveDomain } from './save';
import { readHeader, StreamError, writeHeader } from './stream';

const PAGE = 4096;
const ABSENT = 0xf000_0000;
const isRefusal = (error: unknown) => error instanceof StreamError || error instanceof EndOfStream;

/** A domain whose pages hold one byte each, over and over; undefined: no memory there. */
interface Model {
  readonly kind: DomainTail['kind'];
  readonly pages: readonly (number | undefined)[];
  readonly vcpus: number;
}

const model: fc.Arbitrary<Model> = fc
  .record({
    kind: fc.constantFrom('pv' as const, 'hvm' as const),
    pages: fc.array(fc.option(fc.nat(255), { nil: undefined, freq: 4 }), { minLength: 2, maxLength: 30 }),
    vcpus: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ pages, ...rest }) => ({ ...rest, pages: [1, ...pages] }));

function saved({ kind, pages, vcpus }: Model): SavedDomain {
  const notInMap = pages.flatMap((page, pfn) => (page === undefined ? [pfn] : []));
  return {
    p2mSize: pages.length,
    p2mFrames: kind === 'pv' ? [0] : undefined,
    vcpuMap: (1n << BigInt(vcpus)) - 1n,
    frameTypes: (pfns) => pfns.map((pfn) => (pages[pfn] === undefined ? ABSENT : 0)),
    readFrames: (pfns) => Uint8Array.from(pfns.flatMap((pfn) => new Array<number>(PAGE).fill(pages[pfn]!))),
    startLog: () => {},
    stopLog: () => {},
    dirtyFrames: () => new Uint8Array(Math.ceil(pages.length / 8)),
    suspend: () => Promise.resolve(),
    tail: () =>
      kind === 'pv'
        ? {
            kind,
            notInMap,
            contexts: Array.from({ length: vcpus }, (_, vcpu) => new Uint8Array(2800).fill(vcpu + 1)),
            sharedInfo: new Uint8Array(PAGE).fill(9),
          }
        : { kind, storePfn: 0, consolePfn: 1, context: Uint8Array.of(1, 2, 3) },
  };
}

async function streamOf(domain: Model, isLive = false): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const sink = { write: async (bytes: Uint8Array) => void chunks.push(bytes.slice()) };
  await saveDomain(saved(domain), sink, { isLive });
  return Uint8Array.from(Buffer.concat(chunks));
}

function sourceOf(bytes: Uint8Array): ByteSource {
  let at = 0;
  return {
    async read(length) {
      if (at + length > bytes.length) throw new EndOfStream('end');
      at += length;
      return bytes.slice(at - length, at);
    },
  };
}

/** Accepts what a toolstack would, and throws a plain Error for what must never be asked of one. */
class Receiver implements RestoredDomain {
  readonly pages = new Map<number, Uint8Array>();
  #size = 0;

  async begin(_: unknown, p2mSize: number): Promise<void> {
    if (this.#size > 0 || p2mSize < 1 || p2mSize > 1 << 20) throw new Error(`begins with ${p2mSize}`);
    this.#size = p2mSize;
  }

  populate(pfns: readonly number[]): void {
    for (const pfn of pfns) {
      if (pfn < 0 || pfn >= this.#size || this.pages.has(pfn)) throw new Error(`frame ${pfn} is populated`);
      this.pages.set(pfn, new Uint8Array(PAGE));
    }
  }

  release(pfns: readonly number[]): void {
    for (const pfn of pfns) if (!this.pages.delete(pfn)) throw new Error(`frame ${pfn} is released`);
  }

  writeFrames(pfns: readonly number[], pages: Uint8Array): void {
    pfns.forEach((pfn, i) => {
      if (!this.pages.has(pfn)) throw new Error(`frame ${pfn} is written`);
      this.pages.set(pfn, pages.slice(i * PAGE, (i + 1) * PAGE));
    });
  }
}

describe('a stream', () => {
  it('makes the same memory again, and ends where it ends', async () => {
    await fc.assert(
      fc.asyncProperty(model, fc.boolean(), async (domain, isLive) => {
        const bytes = await streamOf(domain, isLive);
        const receiver = new Receiver();
        const image = await restoreDomain(sourceOf(bytes), receiver);
        expect([...receiver.pages].map(([pfn, page]) => [pfn, page[0], page[PAGE - 1]])).toEqual(
          domain.pages.flatMap((page, pfn) => (page === undefined ? [] : [[pfn, page, page]])),
        );
        const map = (1n << BigInt(domain.vcpus)) - 1n;
        expect(image).toMatchObject({ p2mSize: domain.pages.length, vcpuMap: map, tail: saved(domain).tail() });
        await expect(restoreDomain(sourceOf(bytes.subarray(0, -1)), new Receiver())).rejects.toThrow(EndOfStream);
      }),
      { numRuns: 40 },
    );
  });

  it('that is cut or changed is refused or makes some domain; it asks for nothing that cannot be', async () => {
    const change = fc.record({
      at: fc.nat(),
      how: fc.constantFrom('bit', 'byte', 'word', 'cut', 'insert', 'remove') as fc.Arbitrary<string>,
      value: fc.integer({ min: 0, max: 0xffff_ffff }),
      // Most of a stream is pages: look at its two ends rather.
      end: fc.constantFrom('head', 'tail', 'any'),
    });
    await fc.assert(
      fc.asyncProperty(model, fc.array(change, { minLength: 1, maxLength: 3 }), async (domain, changes) => {
        let bytes = await streamOf(domain);
        for (const { at, how, value, end } of changes) {
          const window = end === 'any' ? bytes.length : Math.min(200, bytes.length);
          const place = (end === 'tail' ? bytes.length - window : 0) + (at % Math.max(1, window));
          bytes = changed(bytes, place, how, value);
        }
        try {
          await restoreDomain(sourceOf(bytes), new Receiver());
        } catch (error) {
          expect(error).toSatisfy(isRefusal);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('of any bytes is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await expect(restoreDomain(sourceOf(bytes), new Receiver())).rejects.toSatisfy(isRefusal);
      }),
    );
  });
});

describe('what stands before the image', () => {
  it('is a text, whatever letters it has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (config) => {
        const chunks: Uint8Array[] = [];
        await writeHeader({ write: async (bytes) => void chunks.push(bytes) }, config);
        const bytes = Uint8Array.from(Buffer.concat(chunks));
        expect(await readHeader(sourceOf(bytes))).toBe(config);
        for (let end = 0; end < bytes.length; end += 7)
          await expect(readHeader(sourceOf(bytes.subarray(0, end)))).rejects.toThrow(/^not a valid guest state file: /);
      }),
    );
  });
});

function changed(bytes: Uint8Array, at: number, how: string, value: number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  switch (how) {
    case 'bit':
      copy[at]! ^= 1 << (value & 7);
      return copy;
    case 'byte':
      copy[at] = value;
      return copy;
    case 'word':
      if (at + 4 <= copy.length) view.setUint32(at, value, true);
      return copy;
    case 'cut':
      return copy.subarray(0, at);
    case 'insert':
      return Uint8Array.from([...copy.subarray(0, at), value & 255, ...copy.subarray(at)]);
    default:
      return Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at + 1)]);
  }
}
