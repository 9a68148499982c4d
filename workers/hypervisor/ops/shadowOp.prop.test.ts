import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAP_WINDOW_START, VIRT_BASE } from '../../abi/cpu';
import {
  shadowOp as field,
  XEN_DOMCTL_SHADOW_OP_CLEAN,
  XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY,
  XEN_DOMCTL_SHADOW_OP_OFF,
  XEN_DOMCTL_SHADOW_OP_PEEK,
  XEN_DOMCTL_shadow_op,
} from '../../abi/domctl';
import { XENMEM_decrease_reservation, XENMEM_populate_physmap } from '../../abi/memory';
import { makePte, PAGE_PRESENT } from '../../abi/mmu';
import { DOMID_SELF, hypercall, PAGE_SIZE } from '../../abi/xen';
import { ok, TestHypervisor } from '../testing';

const PAGES = 4;
/** In a page of the guest's that is not looked at. */
const LIST = VIRT_BASE + 8 * PAGE_SIZE;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('write' as const), page: fc.nat(PAGES - 1), value: fc.nat(1) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'send' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clean' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'peek' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('renew' as const), page: fc.nat(PAGES - 1) }) },
);

it.each([false, true])(
  'log-dirty mode: who copies pages as they become dirty has all of them in the end (translated: %s)',
  (isTranslated) => {
    const host = new TestHypervisor();
    const guest = host.createGuest({ pages: 16, isTranslated });
    host.advance(1e6);
    const { dom0, hv } = host;
    const bitmap = dom0.alloc(8);
    const shadow = (op: number) =>
      ok(
        dom0.domctl(XEN_DOMCTL_shadow_op, guest.domid, (u) => {
          u.setUint32(field.op, op, true);
          u.setUint32(field.dirty_bitmap, bitmap, true);
          u.setUint32(field.pages, PAGES, true);
        }),
      );
    /** The page as Domain-0 sees it through a mapping of its own. */
    const look = (page: number): number => {
      const frame = isTranslated ? page : guest.cpu.mfnOf(page)!;
      const call = (flags: number) =>
        dom0.call(
          hypercall.update_va_mapping_otherdomain,
          MAP_WINDOW_START,
          flags && makePte(frame, flags),
          0,
          0,
          guest.domid,
        );
      ok({ result: call(PAGE_PRESENT) });
      const value = dom0.view(MAP_WINDOW_START).getUint8(9);
      ok({ result: call(0) });
      return value;
    };
    /** The guest's balloon driver gives a page back and gets another one in its place. */
    const renew = (page: number) => {
      const list = guest.view(LIST);
      list.setUint32(0, isTranslated ? page : guest.cpu.mfnOf(page)!, true);
      for (const command of [XENMEM_decrease_reservation, XENMEM_populate_physmap]) {
        [LIST, 1, 0, 0, DOMID_SELF].forEach((word, i) => {
          guest.view(LIST + 8 + 4 * i).setUint32(0, word, true);
        });
        expect(guest.call(hypercall.memory_op, command, LIST + 8)).toBe(1);
        list.setUint32(0, page, true);
      }
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const there = new Uint8Array(PAGES).fill(9);
        let pending = Array.from({ length: PAGES }, (_, page) => page);
        const send = () => {
          const page = pending.shift();
          if (page !== undefined) there[page] = look(page);
        };
        const clean = () => {
          shadow(XEN_DOMCTL_SHADOW_OP_CLEAN);
          const dirty = dom0.view(bitmap).getUint8(0);
          for (let page = 0; page < PAGES; page++)
            if ((dirty & (1 << page)) !== 0 && !pending.includes(page)) pending = [...pending, page];
        };
        shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
        for (const each of steps) {
          if (each.kind === 'write') guest.view(VIRT_BASE + each.page * PAGE_SIZE).setUint8(9, each.value);
          if (each.kind === 'send') send();
          if (each.kind === 'clean') clean();
          if (each.kind === 'peek') shadow(XEN_DOMCTL_SHADOW_OP_PEEK);
          if (each.kind === 'renew') renew(each.page);
        }
        clean();
        while (pending.length > 0) send();
        shadow(XEN_DOMCTL_SHADOW_OP_OFF);
        const here = Array.from({ length: PAGES }, (_, page) => guest.view(VIRT_BASE + page * PAGE_SIZE).getUint8(9));
        expect([...there]).toEqual(here);
      }),
      { numRuns: 1000 },
    );
    expect(hv.domain(guest.domid).dirtyLog).toBeUndefined();
  },
);
