import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VIRT_BASE } from '../abi/cpu';
import { XEN_DOMCTL_destroydomain } from '../abi/domctl';
import {
  GNTCOPY_source_gref,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_copy_arg,
  GNTST_general_error,
  GNTST_okay,
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_setup_table,
  GNTTABOP_transfer,
  GNTTABOP_unmap_grant_ref,
  GTF_accept_transfer,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_writing,
} from '../abi/grantTable';
import { makePte, PAGE_PRESENT, PAGE_RW } from '../abi/mmu';
import { DOMID_SELF, type Gref, hypercall, INVALID_P2M_ENTRY } from '../abi/xen';
import { pins } from './grantTable';
import { ok, type TestGuest, TestHypervisor } from './testing';

const TABLE_VA = 0x0040_0000;

/** The guest maps its own grant table as a kernel does: setup_table, then its frames into the window. */
function tableOf(guest: TestGuest): DataView {
  const list = guest.alloc(16);
  ok(guest.callWith(hypercall.grant_table_op, GNTTABOP_setup_table, [DOMID_SELF, 4, 0, list], 1));
  const mfn = guest.view(list).getUint32(0, true);
  expect(guest.call(hypercall.update_va_mapping, TABLE_VA, makePte(mfn, PAGE_PRESENT | PAGE_RW), 0, 0)).toBe(0);
  return guest.view(TABLE_VA);
}

function grant(table: DataView, ref: number, domid: number, mfn: number, flags = GTF_permit_access): void {
  table.setUint16(8 * ref + 2, domid, true);
  table.setUint32(8 * ref + 4, mfn, true);
  table.setUint16(8 * ref, flags, true);
}

function map(guest: TestGuest, va: number, domid: number, ref: number, flags = GNTMAP_host_map) {
  const words = [va, 0, flags, ref, domid, 0, 0, 0];
  const answer = ok(guest.callWith(hypercall.grant_table_op, GNTTABOP_map_grant_ref, words, 1));
  return { status: answer.view.getInt16(18, true), handle: answer.words[5]!, device: answer.words[6]! };
}

function unmap(guest: TestGuest, va: number, handle: number, device = 0): number {
  const words = [va, 0, device, 0, handle, 0];
  const answer = ok(guest.callWith(hypercall.grant_table_op, GNTTABOP_unmap_grant_ref, words, 1));
  return answer.view.getInt16(20, true);
}

function twoGuests() {
  const host = new TestHypervisor({ memoryMiB: 32, dom0MiB: 10 });
  const granter = host.createGuest({ pages: 32 });
  const mapper = host.createGuest({ pages: 32 });
  return { host, granter, mapper, table: tableOf(granter) };
}

interface Held {
  readonly va: number;
  readonly ref: number;
  readonly handle: number;
  readonly isReadonly: boolean;
}

describe('grants', () => {
  it('count their pins as the flags show them, and leave nothing mapped after the last unmap', () => {
    const step = fc.record({
      isMap: fc.boolean(),
      ref: fc.integer({ min: 8, max: 10 }),
      page: fc.nat({ max: 5 }),
      isReadonly: fc.boolean(),
      isDevice: fc.boolean(),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { host, granter, mapper, table } = twoGuests();
        for (let ref = 8; ref <= 10; ref++) {
          const flags = ref === 10 ? GTF_permit_access | GTF_readonly : GTF_permit_access;
          grant(table, ref, mapper.domid, granter.cpu.mfnOf(20 + ref)!, flags);
        }
        const held: (Held & { device: number })[] = [];
        for (const { isMap, ref, page, isReadonly, isDevice, pick } of steps) {
          const va = 0x0100_0000 + page * 4096;
          if (isMap) {
            const flags = GNTMAP_host_map | (isReadonly ? GNTMAP_readonly : 0) | (isDevice ? GNTMAP_device_map : 0);
            const { status, handle, device } = map(mapper, va, granter.domid, ref, flags);
            const isTaken = held.some((other) => other.va === va);
            expect(status === GNTST_okay).toBe(!isTaken && (isReadonly || ref !== 10));
            if (status === GNTST_okay) held.push({ va, ref, handle, isReadonly, device: isDevice ? device : 0 });
          } else if (held.length > 0) {
            const [mapping] = held.splice(pick % held.length, 1);
            expect(unmap(mapper, mapping!.va, mapping!.handle, mapping!.device)).toBe(GNTST_okay);
          }
          for (let checked = 8; checked <= 10; checked++) {
            const using = held.filter((mapping) => mapping.ref === checked);
            const active = granter.domain.grants.active.get(checked as Gref);
            expect(active ? pins(active) : 0).toBe(using.reduce((sum, { device }) => sum + (device ? 2 : 1), 0));
            const flags = table.getUint16(8 * checked, true);
            expect((flags & GTF_reading) !== 0).toBe(using.length > 0);
            expect((flags & GTF_writing) !== 0).toBe(using.some((mapping) => !mapping.isReadonly));
          }
        }
        for (const { va, handle, device } of held) unmap(mapper, va, handle, device);
        expect(granter.domain.grants.active.size).toBe(0);
        for (let page = 0; page < 6; page++) expect(() => mapper.cpu.page(0x0100_0000 + page * 4096)).toThrow();
        for (let pfn = 0; pfn < 32; pfn++) expect(host.hv.memory.refsOf(granter.cpu.mfnOf(pfn)!)).toBe(1);
      }),
      { numRuns: 40 },
    );
  });

  it('keep a dying granter as a zombie until they are unmapped', () => {
    const { host, granter, mapper, table } = twoGuests();
    grant(table, 8, mapper.domid, granter.cpu.mfnOf(5)!);
    const va = 0x0100_0000;
    const { handle } = map(mapper, va, granter.domid, 8);
    mapper.cpu.page(va)[0] = 9;
    ok(host.dom0.domctl(XEN_DOMCTL_destroydomain, granter.domid));
    expect(granter.domain).toMatchObject({ dying: 'dead', totPages: 1 });
    expect(mapper.cpu.page(va)[0]).toBe(9);
    expect(unmap(mapper, va, handle)).toBe(GNTST_okay);
    expect(host.hv.findDomain(granter.domid)).toBeUndefined();
    expect(unmap(mapper, va, handle)).not.toBe(GNTST_okay);
  });

  it('are given back when the domain that mapped them dies', () => {
    const { host, granter, mapper, table } = twoGuests();
    grant(table, 8, mapper.domid, granter.cpu.mfnOf(5)!);
    map(mapper, 0x0100_0000, granter.domid, 8);
    map(mapper, 0x0100_1000, granter.domid, 8, GNTMAP_host_map | GNTMAP_device_map);
    expect(table.getUint16(64, true)).toBe(GTF_permit_access | GTF_reading | GTF_writing);
    ok(host.dom0.domctl(XEN_DOMCTL_destroydomain, mapper.domid));
    expect(host.hv.findDomain(mapper.domid)).toBeUndefined();
    expect(table.getUint16(64, true)).toBe(GTF_permit_access);
  });

  it('cannot be mapped by a domain they are not meant for, nor over another grant', () => {
    const { host, granter, mapper, table } = twoGuests();
    grant(table, 8, host.dom0.domid, granter.cpu.mfnOf(5)!);
    expect(map(mapper, 0x0100_0000, granter.domid, 8).status).toBe(GNTST_general_error);
    // A frame that is not the granter's own.
    grant(table, 9, mapper.domid, host.dom0.cpu.mfnOf(5)!);
    expect(map(mapper, 0x0100_0000, granter.domid, 9).status).toBe(GNTST_general_error);
    expect(table.getUint16(72, true)).toBe(GTF_permit_access);
  });

  it('can be copied from within a page', () => {
    const { granter, mapper, table } = twoGuests();
    granter.cpu.page(VIRT_BASE + 5 * 4096).set([1, 2, 3, 4], 100);
    grant(table, 8, mapper.domid, granter.cpu.mfnOf(5)!, GTF_permit_access | GTF_readonly);
    const copy = (offset: number, length: number) => {
      const words = [
        8,
        granter.domid | (offset << 16),
        mapper.cpu.mfnOf(6)!,
        DOMID_SELF,
        length | (GNTCOPY_source_gref << 16),
        0,
      ];
      return ok(mapper.callWith(hypercall.grant_table_op, GNTTABOP_copy, words, 1)).view.getInt16(20, true);
    };
    expect(copy(100, 4)).toBe(GNTST_okay);
    expect([...mapper.cpu.page(VIRT_BASE + 6 * 4096).subarray(0, 5)]).toEqual([1, 2, 3, 4, 0]);
    expect(copy(4095, 2)).toBe(GNTST_bad_copy_arg);
    expect(table.getUint16(64, true)).toBe(GTF_permit_access | GTF_readonly);
  });

  it('move a page with its contents to the domain that accepts it', () => {
    const { host, granter: receiver, mapper: sender, table } = twoGuests();
    grant(table, 8, sender.domid, 0, GTF_accept_transfer);
    receiver.domain.maxPages++;
    const mfn = sender.cpu.mfnOf(7)!;
    sender.cpu.page(VIRT_BASE + 7 * 4096)[3] = 42;
    const answer = ok(sender.callWith(hypercall.grant_table_op, GNTTABOP_transfer, [mfn, receiver.domid, 8, 0], 1));
    expect(answer.view.getInt16(12, true)).toBe(GNTST_okay);
    expect([table.getUint16(64, true), table.getUint32(68, true)]).toEqual([GTF_accept_transfer | 12, mfn]);
    expect(sender.cpu.mfnOf(7)).toBeUndefined();
    expect([sender.domain.totPages, receiver.domain.totPages]).toEqual([31, 33]);
    expect(host.hv.memory.m2p[mfn]).toBe(INVALID_P2M_ENTRY);
    expect(receiver.call(hypercall.update_va_mapping, VIRT_BASE + 40 * 4096, makePte(mfn, 3), 0, 0)).toBe(0);
    expect(receiver.cpu.page(VIRT_BASE + 40 * 4096)[3]).toBe(42);
  });
});
