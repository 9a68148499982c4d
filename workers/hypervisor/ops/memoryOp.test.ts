import { describe, expect, it } from 'vitest';
import { VIRT_BASE } from '../../abi/cpu';
import {
  XENMEM_current_reservation,
  XENMEM_decrease_reservation,
  XENMEM_exchange,
  XENMEM_increase_reservation,
  XENMEM_maximum_reservation,
  XENMEM_memory_map,
  XENMEM_populate_physmap,
  XENMEM_set_memory_map,
} from '../../abi/memory';
import { makePte, PAGE_PRESENT, PAGE_RW } from '../../abi/mmu';
import { DOMID_SELF, hypercall } from '../../abi/xen';
import { failure, ok, type TestGuest, TestHypervisor } from '../testing';

function reservation(
  guest: TestGuest,
  command: number,
  numbers: readonly number[],
  domid: number = DOMID_SELF,
  order = 0,
) {
  const list = guest.alloc(4 * numbers.length);
  numbers.forEach((number, i) => {
    guest.view(list + 4 * i).setUint32(0, number, true);
  });
  const { result } = guest.callWith(hypercall.memory_op, command, [list, numbers.length, order, 0, domid]);
  return { result, numbers: numbers.map((_, i) => guest.view(list + 4 * i).getUint32(0, true)) };
}

const withDomid = (guest: TestGuest, command: number, domid: number) =>
  guest.callWith(hypercall.memory_op, command, [domid]).result;

describe('memory_op', () => {
  it('balloons a page out and in again', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest({ pages: 64 });
    const mfn = guest.cpu.mfnOf(40)!;
    guest.cpu.page(VIRT_BASE + 40 * 4096)[0] = 1;
    expect(reservation(guest, XENMEM_decrease_reservation, [mfn]).result).toBe(1);
    expect(withDomid(guest, XENMEM_current_reservation, DOMID_SELF)).toBe(63);
    expect(() => guest.cpu.page(VIRT_BASE + 40 * 4096)).toThrow('page fault');
    expect(reservation(guest, XENMEM_decrease_reservation, [mfn]).result).toBe(0);
    const { result, numbers } = reservation(guest, XENMEM_populate_physmap, [40, 70]);
    expect([result, numbers[0], numbers[1]]).toEqual([1, guest.cpu.mfnOf(40), 70]);
    expect(guest.cpu.page(VIRT_BASE + 40 * 4096)[0]).toBe(0);
    expect(withDomid(guest, XENMEM_maximum_reservation, DOMID_SELF)).toBe(64);
  });

  it('keeps a frame that is ballooned out while somebody maps it', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest({ pages: 64 });
    const mfn = guest.cpu.mfnOf(40)!;
    const map = (pte: number) =>
      host.dom0.call(hypercall.update_va_mapping_otherdomain, 0x0070_0000, pte, 0, 0, guest.domid);
    expect(map(makePte(mfn, PAGE_PRESENT))).toBe(0);
    expect(reservation(guest, XENMEM_decrease_reservation, [mfn]).result).toBe(1);
    expect(guest.domain.totPages).toBe(64);
    expect(reservation(guest, XENMEM_populate_physmap, [40]).result).toBe(0);
    expect(map(0)).toBe(0);
    expect(guest.domain.totPages).toBe(63);
  });

  it('answers no extent, not an error, for a domain that is not the caller’s business', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest({ pages: 16 });
    expect(reservation(guest, XENMEM_populate_physmap, [20], 0).result).toBe(0);
    expect(reservation(guest, XENMEM_decrease_reservation, [host.dom0.cpu.mfnOf(5)!]).result).toBe(0);
    expect(reservation(guest, XENMEM_increase_reservation, [0, 0], DOMID_SELF, 1).result).toBe(0);
    expect(failure(withDomid(guest, XENMEM_current_reservation, 0))).toBe('EPERM');
    expect(failure(withDomid(host.dom0, XENMEM_current_reservation, 50))).toBe('ESRCH');
  });

  it('gives a frame without a place, which the guest then puts into its direct map', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest({ pages: 16 });
    guest.domain.maxPages = 17;
    const mfn = reservation(guest, XENMEM_increase_reservation, [0]).numbers[0]!;
    const va = VIRT_BASE + 20 * 4096;
    expect(guest.call(hypercall.update_va_mapping, va, makePte(mfn, PAGE_PRESENT | PAGE_RW), 0, 0)).toBe(0);
    expect(guest.cpu.mfnOf(20)).toBe(mfn);
    expect(host.hv.memory.m2p[mfn]).toBe(20);
    const foreign = makePte(host.dom0.cpu.mfnOf(3)!, PAGE_PRESENT | PAGE_RW);
    expect(failure(guest.call(hypercall.update_va_mapping, va, foreign, 0, 0))).toBe('EINVAL');
  });

  it('exchanges frames for others', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest({ pages: 16 });
    const old = [guest.cpu.mfnOf(10)!, guest.cpu.mfnOf(11)!];
    const [inList, outList] = [guest.alloc(8), guest.alloc(8)];
    old.forEach((mfn, i) => {
      guest.view(inList + 4 * i).setUint32(0, mfn, true);
      guest.view(outList + 4 * i).setUint32(0, 10 + i, true);
    });
    const words = [inList, 2, 0, 0, DOMID_SELF, outList, 2, 0, 0, DOMID_SELF, 0];
    const answer = ok(guest.callWith(hypercall.memory_op, XENMEM_exchange, words));
    expect(answer.words[10]).toBe(2);
    const fresh = [guest.cpu.mfnOf(10), guest.cpu.mfnOf(11)];
    expect(fresh).toEqual([guest.view(outList).getUint32(0, true), guest.view(outList).getUint32(4, true)]);
    expect(fresh).not.toContain(old[1]);
    expect(guest.domain.totPages).toBe(16);
  });

  it('tells a guest the memory map that the toolstack has set', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest();
    const buffer = guest.alloc(40);
    const ask = () => guest.callWith(hypercall.memory_op, XENMEM_memory_map, [2, buffer]);
    expect(failure(ask().result)).toBe('ENOSYS');
    const entry = host.dom0.alloc(20);
    host.dom0.view(entry).setUint32(8, 0x10_0000, true);
    host.dom0.view(entry).setUint32(16, 1, true);
    ok(host.dom0.callWith(hypercall.memory_op, XENMEM_set_memory_map, [guest.domid, 1, entry]));
    expect(ok(ask()).words[0]).toBe(1);
    expect(guest.view(buffer).getUint32(8, true)).toBe(0x10_0000);
  });
});
