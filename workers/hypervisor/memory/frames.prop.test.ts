import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Domid } from '../../abi/xen';
import { MachineMemory, type PageOwner } from './frames';

class Owner implements PageOwner {
  totPages = 0;
  maxPages = 500;
  xenheapPages = 0;
  isDying = false;
  constructor(readonly domid: Domid) {}
  onPageFreed(): void {}
}

const FRAMES = 20 * 256;

describe('machine frames', () => {
  it('all belong to a domain, to Xen, or to nobody, and none is counted twice', () => {
    const step = fc.record({
      who: fc.nat({ max: 2 }),
      what: fc.nat({ max: 5 }),
      pick: fc.nat(),
      order: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const memory = new MachineMemory(FRAMES);
        const owners = [1, 2, 3].map((domid) => new Owner(domid as Domid));
        for (const owner of owners) memory.addOwner(owner);
        const all = memory.freePages;
        const references: number[] = [];
        for (const { who, what, pick, order } of steps) {
          const owner = owners[who]!;
          const frames = memory.framesOf(owner.domid).filter((mfn) => memory.isAllocatedTo(mfn, owner.domid));
          const frame = frames[pick % (frames.length || 1)];
          if (what <= 1) memory.allocateFor(owner, order);
          else if (frame === undefined) continue;
          else if (what === 2) memory.deallocate(frame);
          else if (what === 3 && memory.getPage(frame, owner.domid)) references.push(frame);
          else if (what === 4 && references.length > 0)
            memory.putPage(references.splice(pick % references.length, 1)[0]!);
          else if (memory.refsOf(frame) === 1) memory.reassign(frame, owners[(who + 1) % 3]!);
        }
        const owned = owners.map((owner) => memory.framesOf(owner.domid).length);
        expect(owned).toEqual(owners.map((owner) => owner.totPages));
        expect(owned.reduce((sum, count) => sum + count, 0) + memory.freePages + memory.scrubPages).toBe(all);
        for (const mfn of references.splice(0)) memory.putPage(mfn);
        for (const owner of owners) {
          owner.isDying = true;
          for (const mfn of memory.framesOf(owner.domid)) memory.deallocate(mfn);
          expect(owner.totPages).toBe(0);
        }
        memory.scrub(FRAMES);
        expect(memory.freePages).toBe(all);
      }),
      { numRuns: 60 },
    );
  });

  it('cost no memory before they are written to, and read as zeroes when they are handed out again', () => {
    const memory = new MachineMemory(FRAMES);
    const owner = new Owner(1 as Domid);
    memory.addOwner(owner);
    const mfn = memory.allocateFor(owner) as number;
    memory.allocateFor(owner, 3);
    expect(memory.backedFrames).toBe(0);
    memory.bytes(mfn)[7] = 1;
    expect(memory.backedFrames).toBe(1);
    memory.deallocate(mfn);
    expect(memory.backedFrames).toBe(0);
    expect(memory.bytes(memory.allocateFor(owner) as number)[7]).toBe(0);
  });

  it('keep their contents when an emulator supplies their bytes', () => {
    const memory = new MachineMemory(FRAMES);
    const owner = new Owner(1 as Domid);
    memory.addOwner(owner);
    const frames = [memory.allocateFor(owner), memory.allocateFor(owner)] as number[];
    memory.bytes(frames[1]!)[3] = 5;
    const backing = new Uint8Array(8192).fill(9);
    memory.setBacking(frames, backing);
    expect([backing[0], backing[4096 + 3], backing[4096 + 4]]).toEqual([0, 5, 0]);
    backing[1] = 6;
    expect(memory.bytes(frames[0]!)[1]).toBe(6);
  });
});
