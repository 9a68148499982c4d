import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Pfn } from '../abi/xen';
import { FakeCpu } from './fakeCpu.testkind';
import { PageAllocator } from './pages';

it('hands out each frame once, zeroed, and counts right', () => {
  const step = fc.record({
    do: fc.constantFrom('alloc', 'free', 'balloon', 'deflate'),
    n: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const cpu = new FakeCpu({ pages: 96 });
      const pages = new PageAllocator(cpu, PageAllocator.initialState(16, 96, 120));
      const runs: [Pfn, number][] = [];
      for (const { do: what, n } of steps) {
        if (what === 'alloc') {
          try {
            const pfn = pages.allocContiguous(n);
            for (let i = 0; i < n; i++) {
              const { bytes } = pages.at((pfn + i) as Pfn);
              expect(bytes[17]).toBe(0);
              bytes[17] = 1;
            }
            runs.push([pfn, n]);
          } catch (error) {
            expect(error).toMatchObject({ code: 'ENOMEM' });
          }
        } else if (what === 'free') {
          const run = runs.shift();
          if (run) pages.freeContiguous(...run);
        } else if (what === 'balloon') {
          for (const pfn of pages.takeForBalloon(n)) cpu.p2m[pfn] = undefined;
        } else
          for (const pfn of pages.balloonedFrames(n)) {
            cpu.p2m[pfn] = 5000 + pfn;
            pages.populated(pfn);
          }
        const used = runs.flatMap(([pfn, count]) => Array.from({ length: count }, (_, i) => pfn + i));
        expect(new Set(used).size).toBe(used.length);
        expect(16 + used.length + pages.freePages + pages.balloonedPages).toBe(120);
      }
    }),
    { numRuns: 60 },
  );
});
