import { expect, it } from 'vitest';
import { GTF_permit_access, GTF_reading, GTF_readonly } from '../abi/grantTable';
import type { Domid, Mfn } from '../abi/xen';
import { FakeCpu } from './fakeCpu.testkind';
import { GrantTable } from './gnttab';
import { Hypercalls } from './hypercall';
import { MapWindow } from './mapWindow';
import { PageAllocator } from './pages';

const FIRST_GRANT_FRAME = 60;

function table() {
  const cpu = new FakeCpu();
  const pages = new PageAllocator(cpu, PageAllocator.initialState(20, 512, 512));
  const grants = new GrantTable(new Hypercalls(cpu, pages.alloc().va), new MapWindow(), pages.alloc());
  const entry = (gref: number) => {
    const view = new DataView(cpu.frame(FIRST_GRANT_FRAME + Math.floor(gref / 512)).buffer);
    const at = (gref % 512) * 8;
    return { view, at, fields: [view.getUint16(at, true), view.getUint16(at + 2, true), view.getUint32(at + 4, true)] };
  };
  return { grants, entry };
}

it('writes version 1 entries and never hands out the reserved references 0 to 7', () => {
  const { grants, entry } = table();
  const gref = grants.grantAccess(3 as Domid, 77 as Mfn, true);
  expect(gref).toBe(8);
  expect(entry(gref).fields).toEqual([GTF_permit_access | GTF_readonly, 3, 77]);
  const all = Array.from({ length: 5000 }, () => grants.grantAccess(0 as Domid, 1 as Mfn, false));
  expect(new Set(all).size).toBe(5000);
  expect(Math.min(...all)).toBe(9);
});

it('does not take back what the other side still uses', () => {
  const { grants, entry } = table();
  const gref = grants.grantAccess(0 as Domid, 5 as Mfn, false);
  const { view, at } = entry(gref);
  view.setUint16(at, GTF_permit_access | GTF_reading, true);
  expect(grants.endAccess(gref)).toBe(false);
  view.setUint16(at, GTF_permit_access, true);
  expect(grants.endAccess(gref)).toBe(true);
  expect(entry(gref).fields[0]).toBe(0);
  expect(grants.grantAccess(0 as Domid, 6 as Mfn, false)).toBe(gref);
});

it('is full at 32 frames', () => {
  const { grants } = table();
  for (let i = 8; i < 32 * 512; i++) grants.grantAccess(0 as Domid, 1 as Mfn, false);
  expect(() => grants.grantAccess(0 as Domid, 1 as Mfn, false)).toThrow('grant table');
});
