/** Both hosts' books of a migration, written while real rounds go through a real stream. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MigrationRecord } from '../contract';
import type { ByteSource } from '../lib/byteStream';
import { MigrationRecorder, type Moment } from './recorder';
import { type RestoredDomain, restoreDomain } from './restore';
import { type SavedDomain, saveDomain } from './save';

const PAGE = 4096;
const ABSENT = 0xf000_0000;
const STALE = 0x80;

interface Model {
  readonly kind: 'pv' | 'hvm';
  readonly isAbsent: readonly boolean[];
  /** What the guest writes to, look after look: seeds of sets of pages. */
  readonly writes: readonly (readonly number[])[];
}

const model: fc.Arbitrary<Model> = fc.integer({ min: 60, max: 400 }).chain((pages) =>
  fc.record({
    kind: fc.constantFrom('pv' as const, 'hvm' as const),
    isAbsent: fc.array(
      fc.nat(9).map((n) => n === 0),
      { minLength: pages, maxLength: pages },
    ),
    writes: fc.array(fc.array(fc.nat(pages - 1), { maxLength: 200 }), { maxLength: 12 }),
  }),
);

/** A guest that writes to some more pages each time that somebody looks. */
function saved({ kind, isAbsent, writes }: Model): SavedDomain {
  const dirty = new Set<number>();
  let looks = 0;
  const isThere = (pfn: number) => !isAbsent[pfn] || pfn === 0;
  let isStopped = false;
  return {
    p2mSize: isAbsent.length,
    p2mFrames: kind === 'pv' ? [0] : undefined,
    vcpuMap: 1n,
    frameTypes: (pfns) => pfns.map((pfn) => (isThere(pfn) ? 0 : ABSENT)),
    readFrames: (pfns) => new Uint8Array(PAGE * pfns.length),
    startLog: () => {},
    stopLog: () => {},
    dirtyFrames: (clean) => {
      if (!isStopped) for (const pfn of writes[looks++] ?? []) if (isThere(pfn)) dirty.add(pfn);
      const bitmap = new Uint8Array(Math.ceil(isAbsent.length / 8));
      for (const pfn of dirty) bitmap[pfn >> 3]! |= 1 << (pfn & 7);
      if (clean) dirty.clear();
      return bitmap;
    },
    suspend: async () => {
      isStopped = true;
    },
    tail: () =>
      kind === 'pv'
        ? { kind, notInMap: [], contexts: [new Uint8Array(2800)], sharedInfo: new Uint8Array(PAGE) }
        : { kind, storePfn: 0, consolePfn: 1, context: Uint8Array.of(1) },
  };
}

/** Bytes written at one end are read at the other as soon as they are there. */
function pipe() {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let wake = () => {};
  const source: ByteSource = {
    async read(wanted) {
      while (length < wanted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const all = Buffer.concat(chunks.splice(0));
      chunks.push(all.subarray(wanted));
      length -= wanted;
      return Uint8Array.from(all.subarray(0, wanted));
    },
  };
  const sink = {
    async write(bytes: Uint8Array) {
      chunks.push(bytes.slice());
      length += bytes.length;
      wake();
    },
  };
  return { source, sink };
}

const target: RestoredDomain = {
  begin: () => Promise.resolve(),
  populate: () => {},
  release: () => {},
  writeFrames: () => {},
};

/** Two hosts whose clock goes on by a millisecond whenever somebody looks at it. */
function twoHosts() {
  let ms = 0;
  const steps: MigrationRecord[] = [];
  const host = (name: string, sourceOf: (id: string) => MigrationRecord | undefined) =>
    new MigrationRecorder({
      name,
      now: (): Moment => ({ virtualMs: ++ms, wallMs: null, guestClockMs: ms }),
      link: { mbitPerS: 1000, latencyMs: 0.05, isUp: true },
      lastRunMs: () => undefined,
      firstRun: (_domid, found) => found({ virtualMs: ms + 1, wallMs: null, guestClockMs: ms + 1 }),
      sourceOf,
      changed: (record) => steps.push(record),
    });
  const here = host('host1', () => undefined);
  const there = host('host2', (id) => here.records.find((record) => record.id === id));
  return { here, there, steps };
}

const facts = { id: 'token', domain: 'guest', say: () => {} };

describe('the books of the two hosts', () => {
  it('say the same: which round brought each page, and how many each round had', async () => {
    const check = fc.asyncProperty(model, fc.boolean(), async (domain, isLive) => {
      const { here, there } = twoHosts();
      const departure = here.leaving({ ...facts, domid: 3, peer: 'host2', isLive, rateMbps: undefined });
      departure.connected();
      const arrival = there.arriving({ ...facts, peer: '192.0.2.11' });
      const { source, sink } = pipe();
      await Promise.all([
        saveDomain(saved(domain), sink, { isLive, observers: [departure] }),
        restoreDomain(source, target, arrival),
      ]);
      const [sent] = here.records;
      const [got] = there.records;
      const full = sent!.rounds.filter((round) => round.sent > 0);
      expect(got!.rounds.map(({ iteration, sent: pages, isLast }) => [iteration, pages, isLast])).toEqual(
        full.map(({ iteration, sent: pages, isLast }) => [iteration, pages, isLast]),
      );
      expect(got!.sent).toBe(sent!.sent);
      expect(sent!.rounds.reduce((sum, round) => sum + round.sent, 0)).toBe(sent!.sent);
      expect(sent!.rounds.at(-1)!.isLast).toBe(true);
      for (const { span, endedMs } of [...sent!.rounds, ...got!.rounds]) {
        expect(span.virtualMs).toBeGreaterThan(0);
        expect(endedMs).toBeGreaterThanOrEqual(span.virtualMs);
      }
      const [mine] = here.pages('whole');
      const [theirs] = there.pages('whole');
      // Nothing is stale when everything has been sent; frames without memory bring no contents.
      const present = [...mine!.codes].map((code, pfn) => (domain.isAbsent[pfn] && pfn > 0 ? 0 : code));
      expect([...theirs!.codes]).toEqual(present);
      expect(present.every((code) => (code & STALE) === 0)).toBe(true);
    });
    await fc.assert(check, { numRuns: 60 });
  });

  it('are read in pieces that give the whole map', async () => {
    const check = fc.asyncProperty(model, async (domain) => {
      const { here } = twoHosts();
      const departure = here.leaving({ ...facts, domid: 3, peer: 'host2', isLive: true, rateMbps: undefined });
      const drawn = new Uint8Array(domain.isAbsent.length);
      const draw = () => {
        for (const { from, codes } of here.pages('changes')) drawn.set(codes, from);
      };
      const looking = {
        ...departure,
        begun: (pages: number) => departure.begun?.(pages),
        framesSent: (iteration: number, pfns: readonly number[]) => {
          departure.framesSent?.(iteration, pfns);
          draw();
        },
        dirtySeen: (bitmap: Uint8Array) => {
          departure.dirtySeen?.(bitmap);
          draw();
        },
      };
      await saveDomain(saved(domain), { write: () => Promise.resolve() }, { isLive: true, observers: [looking] });
      expect([...drawn]).toEqual([...here.pages('whole')[0]!.codes]);
      expect(here.pages('changes')).toEqual([]);
    });
    await fc.assert(check, { numRuns: 40 });
  });
});

describe('a book', () => {
  const leave = (recorder: MigrationRecorder, id: string) =>
    recorder.leaving({ ...facts, id, domid: 1, peer: 'host2', isLive: true, rateMbps: undefined });

  it('keeps the last twenty migrations, and one map of each role', () => {
    const { here } = twoHosts();
    for (let n = 0; n < 25; n++) {
      const departure = leave(here, `t${n}`);
      departure.begun?.(100);
      departure.ended(n % 2 === 0 ? 'done' : { failed: 'no' });
    }
    expect(here.records.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, n) => `t${n + 5}`));
    expect(here.pages('whole').map(({ id }) => id)).toEqual(['t24']);
  });

  it('stays the same object while nothing happens, and bounds its curve', () => {
    const { here } = twoHosts();
    const departure = leave(here, 'long');
    departure.begun?.(10);
    for (let n = 0; n < 20_000; n++) departure.framesSent?.(1, [1]);
    const [record] = here.records;
    expect(here.records[0]).toBe(record);
    expect(record!.rates.length).toBeLessThanOrEqual(240);
    expect(record!.rates.length).toBeGreaterThan(100);
    const pages = record!.rates.reduce((sum, { atMs, mbitPerS }, i) => {
      const ms = atMs - (record!.rates[i - 1]?.atMs ?? 0);
      return sum + (mbitPerS * ms * 1000) / (4096 * 8);
    }, 0);
    // What the last piece has not got yet is missing.
    expect(pages).toBeGreaterThan(19_000);
    expect(pages).toBeLessThan(20_001);
  });

  it('measures from the stop that it was told of, and does not without', () => {
    const { here, there } = twoHosts();
    const departure = leave(here, 'token');
    const arrival = there.arriving({ ...facts, peer: '192.0.2.11' });
    departure.lastRound?.('few pages');
    departure.suspended?.();
    there.heardStop('token');
    arrival.running(5);
    expect(there.records[0]).toMatchObject({ domid: 5, heartbeat: { virtualMs: expect.any(Number), wallMs: null } });
    expect(there.records[0]!.downtime!.virtualMs).toBeGreaterThan(0);
    const { there: deaf } = twoHosts();
    deaf.arriving({ ...facts, peer: '192.0.2.11' }).running(5);
    expect(deaf.records[0]).toMatchObject({ downtime: null, heartbeat: null });
  });

  it('says of a machine that went off that nothing came of it', () => {
    const { here, steps } = twoHosts();
    leave(here, 'token');
    here.interrupted();
    expect(steps.at(-1)).toMatchObject({ phase: 'failed', reason: 'The machine was switched off.' });
  });
});
