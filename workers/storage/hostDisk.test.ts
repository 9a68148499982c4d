import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SECTOR_SIZE } from './disk';
import { CHUNK_SIZE, HostDisk, Partition } from './hostDisk';

const sector = (fill: number) => new Uint8Array(SECTOR_SIZE).fill(fill);

describe('HostDisk', () => {
  it('reads back what was written, zeros elsewhere, over chunk borders', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 255 })), {
          maxLength: 12,
        }),
        (writes) => {
          const disk = new HostDisk('hda', 1300);
          const model = new Uint8Array(1300 * SECTOR_SIZE);
          for (const [at, count, fill] of writes) {
            disk.write(at, new Uint8Array(count * SECTOR_SIZE).fill(fill));
            model.fill(fill, at * SECTOR_SIZE, (at + count) * SECTOR_SIZE);
          }
          expect(Buffer.compare(disk.read(0, 1300), model)).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keeps no memory for zeros that were written into a hole', () => {
    const disk = new HostDisk('hda', 1 << 20);
    disk.write(5000, sector(0));
    expect(disk.allocatedBytes).toBe(0);
    disk.write(5000, sector(1));
    expect(disk.allocatedBytes).toBe(CHUNK_SIZE);
  });

  it('hands out each changed chunk once, and comes back from them', () => {
    const disk = new HostDisk('hda', 4096);
    disk.write(3, sector(7));
    disk.flush();
    const dirty = disk.takeDirty();
    expect([...dirty.keys()]).toEqual([0]);
    expect(disk.takeDirty().size).toBe(0);
    const again = new HostDisk('hda', 4096);
    again.fill(dirty);
    expect(again.read(3, 1)).toEqual(sector(7));
  });

  it('loses in a power cut what was not flushed, and nothing else', () => {
    const disk = new HostDisk('hda', 4096);
    disk.write(3, sector(7));
    disk.flush();
    disk.write(3, sector(8));
    disk.write(1000, sector(9));
    expect(
      disk
        .takeDirty()
        .get(0)!
        .subarray(3 * SECTOR_SIZE, 4 * SECTOR_SIZE),
    ).toEqual(sector(7));
    disk.loseCache();
    expect(disk.read(3, 1)).toEqual(sector(7));
    expect(disk.read(1000, 1)).toEqual(sector(0));
    expect(disk.takeDirty().size).toBe(0);
  });

  it('refuses what lies outside', () => {
    const disk = new HostDisk('hda', 10);
    expect(() => disk.read(9, 2)).toThrow(RangeError);
    const partition = new Partition(disk, 4, 4);
    expect(() => partition.write(4, sector(1))).toThrow(RangeError);
    partition.write(0, sector(9));
    expect(disk.read(4, 1)).toEqual(sector(9));
  });
});
