import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BLKIF_X86_32, BLKIF_X86_64, readBlkifRequest, writeBlkifRequest } from './blkif';
import { ByteRing, RingCorrupt } from './byteRing';
import { CONSOLE_OUT } from './console';
import { BackRing, FrontRing, initialiseRing, ringSize } from './ring';

it('holds 32 block requests, 256 network requests of either ring (public/io)', () => {
  expect([ringSize(108), ringSize(112), ringSize(12), ringSize(8)]).toEqual([32, 32, 256, 256]);
});

it('delivers requests and responses in order, and never loses a wake-up', () => {
  const step = fc.constantFrom('request', 'push', 'serve', 'reap');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(0xffff_ffff), (steps, start) => {
      const page = new Uint8Array(4096);
      initialiseRing(page);
      // Start anywhere: the indices wrap.
      const view = new DataView(page.buffer);
      for (const [at, value] of [
        [0, start],
        [4, start + 1],
        [8, start],
        [12, start + 1],
      ] as const)
        view.setUint32(at, value >>> 0, true);
      const front = new FrontRing(page, 12, { reqProdPvt: start, rspCons: start });
      const back = new BackRing(page, 12, { rspProdPvt: start, reqCons: start });
      const sent: number[] = [];
      const answered: number[] = [];
      let next = 0;
      let backAwake = false;
      let frontAwake = false;
      const serve = () => {
        do {
          for (let at = back.nextRequest(); at !== undefined; at = back.nextRequest()) {
            const id = back.view.getUint32(at, true);
            back.view.setUint32(back.nextResponse(), id, true);
          }
          if (back.push()) frontAwake = true;
        } while (back.finalCheck());
        backAwake = false;
      };
      const reap = () => {
        do {
          for (let at = front.nextResponse(); at !== undefined; at = front.nextResponse())
            answered.push(front.view.getUint32(at, true));
        } while (front.finalCheck());
        frontAwake = false;
      };
      for (const what of steps) {
        if (what === 'request' && front.free > 0) {
          front.view.setUint32(front.nextRequest(), next, true);
          sent.push(next++);
        } else if (what === 'push') backAwake = front.push() || backAwake;
        else if (what === 'serve' && backAwake) serve();
        else if (what === 'reap' && frontAwake) reap();
      }
      backAwake = front.push() || backAwake;
      // Whoever was told to wake up is enough to finish everything.
      while (backAwake || frontAwake) {
        if (backAwake) serve();
        if (frontAwake) reap();
      }
      expect(answered).toEqual(sent);
    }),
  );
});

it('calls a ring corrupt when the frontend claims more requests than fit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (claimed) => {
      const page = new Uint8Array(4096);
      initialiseRing(page);
      const back = new BackRing(page, 8);
      new DataView(page.buffer).setUint32(0, claimed, true);
      expect(back.isCorrupt).toBe(claimed > 256);
      expect(back.unconsumed).toBeLessThanOrEqual(256);
    }),
  );
});

it('reads back the block request that was written, in both layouts', () => {
  const segment = fc.record({
    gref: fc.nat(0xffff_ffff),
    firstSector: fc.nat(7),
    lastSector: fc.nat(7),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(BLKIF_X86_32, BLKIF_X86_64),
      fc.nat(255),
      fc.nat(0xffff),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.array(segment, { maxLength: 11 }),
      (layout, operation, handle, id, sector, segments) => {
        const view = new DataView(new ArrayBuffer(256));
        const request = { operation, handle, id, sector, segmentCount: segments.length, segments };
        writeBlkifRequest(view, 64, layout, request);
        expect(readBlkifRequest(view, 64, layout)).toEqual(request);
      },
    ),
  );
});

it('carries any bytes through a byte ring in any portions', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 6000 }),
      fc.array(fc.tuple(fc.nat(3000), fc.nat(3000)), { minLength: 1, maxLength: 40 }),
      (bytes, portions) => {
        const ring = new ByteRing(new Uint8Array(4096), CONSOLE_OUT);
        const out: number[] = [];
        let at = 0;
        const turn = (write: number, read: number) => {
          at += ring.write(bytes.subarray(at, at + write));
          out.push(...ring.read(read));
        };
        for (const [write, read] of portions) turn(write, read);
        while (out.length < bytes.length) turn(2048, 2048);
        expect(Uint8Array.from(out)).toEqual(bytes);
      },
    ),
    { numRuns: 50 },
  );
});

it('refuses a byte ring whose indices are further apart than its size', () => {
  const page = new Uint8Array(4096);
  new DataView(page.buffer).setUint32(CONSOLE_OUT.prod, 2049, true);
  expect(() => new ByteRing(page, CONSOLE_OUT).read()).toThrow(RingCorrupt);
});
