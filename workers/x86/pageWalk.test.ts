import { describe, expect, it } from 'vitest';
import { walk } from './pageWalk';

const memory = new Uint8Array(64 * 4096);
const view = new DataView(memory.buffer);
const put = (address: number, value: number) => view.setUint32(address, value, true);
const PAGED = 0x8000_0001;

describe('a walk through page tables', () => {
  it('changes nothing while paging is off', () => {
    expect(walk(memory, { cr0: 1, cr3: 0, cr4: 0 }, 0x1234_5678, true)).toBe(0x1234_5678);
  });

  it('follows 32-bit tables and 4 MiB pages', () => {
    put(0x1000 + 4 * 0x300, 0x2000 | 3); // 0xc0000000
    put(0x2000 + 4 * 5, 0x7000 | 3);
    put(0x1000 + 4 * 0x301, 0x0080_0000 | 0x83); // 0xc0400000, 4 MiB
    const cr = { cr0: PAGED, cr3: 0x1000, cr4: 0x10 };
    expect(walk(memory, cr, 0xc000_5123, false)).toBe(0x7123);
    expect(walk(memory, cr, 0xc041_2345, true)).toBe(0x0081_2345);
    expect(walk(memory, cr, 0xc000_6000, false)).toBeUndefined();
    expect(walk(memory, cr, 0x0000_5000, false)).toBeUndefined();
  });

  it('follows PAE tables and 2 MiB pages', () => {
    put(0x4020 + 8 * 3, 0x5000 | 1);
    put(0x5000, 0x6000 | 3);
    put(0x6000 + 8 * 7, 0x9000 | 1); // read-only
    put(0x5008, 0x0020_0000 | 0x83);
    const cr = { cr0: PAGED, cr3: 0x4020, cr4: 0x20 };
    expect(walk(memory, cr, 0xc000_7abc, false)).toBe(0x9abc);
    expect(walk(memory, cr, 0xc020_0042, true)).toBe(0x20_0042);
  });

  it('lets the kernel write a read-only page only without write protection', () => {
    const cr = { cr0: PAGED, cr3: 0x4020, cr4: 0x20 };
    expect(walk(memory, cr, 0xc000_7abc, true)).toBe(0x9abc);
    expect(walk(memory, { ...cr, cr0: (PAGED | 0x1_0000) >>> 0 }, 0xc000_7abc, true)).toBeUndefined();
  });

  it('survives tables outside of memory', () => {
    expect(walk(memory, { cr0: PAGED, cr3: 0xffff_f000, cr4: 0x20 }, 0, false)).toBeUndefined();
  });
});
