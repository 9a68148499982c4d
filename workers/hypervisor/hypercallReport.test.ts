import { expect, it } from 'vitest';
import { hypercall } from '../abi/xen';
import { errno } from '../lib/errno';
import { reportHypercalls } from './hypercallReport';
import { hypercalls } from './hypercalls';
import { subOperations } from './subOperations';
import { TestHypervisor } from './testing';

const UNMAPPED = 0xffff_f000;
it('is true: what is said to be missing is answered ENOSYS, what is said to be there is not', () => {
  const host = new TestHypervisor();
  const { dom0 } = host;
  // Without one, this is how Xen answers memory_map.
  dom0.domain.memoryMap = [{ addr: 0n, size: 4096n, type: 1 }];
  for (const { name, number, support } of hypercalls) {
    const subs = subOperations[name];
    for (const sub of subs ?? [{ number: UNMAPPED, name: '', support }]) {
      // It is there when the policy module is.
      if (name === 'xsm_op') continue;
      // Asked outside of a slice, it can neither wait nor go down.
      if (name === 'sched_op' || name === 'sched_op_compat' || sub.name === 'down') continue;
      const second = name === 'vcpu_op' || name === 'vm_assist' ? 0 : UNMAPPED;
      const third = name === 'grant_table_op' ? 1 : UNMAPPED;
      const result = dom0.call(number, sub.number, second, third);
      expect([name, sub.name, result === -errno.ENOSYS]).toEqual([name, sub.name, sub.support === 'none']);
    }
    if (subs) expect([name, dom0.call(number, 50, 0, 1)]).toEqual([name, -errno.ENOSYS]);
  }
});

it('lists each call once, in the order of the first calls, with what came of it', () => {
  const host = new TestHypervisor();
  const guest = host.createGuest();
  for (const [op, command] of [
    [hypercall.xen_version, 0],
    [hypercall.grant_table_op, 8],
    [hypercall.xen_version, 0],
    [hypercall.xen_version, 1],
    [hypercall.set_timer_op, 0],
    [hypercall.memory_op, 6 | (5 << 6)],
    [61, 0],
    [hypercall.hvm_op, 9],
  ] as const)
    guest.call(op, command, UNMAPPED, 1);
  expect(reportHypercalls(guest.domain.hypercalls)).toEqual([
    { name: 'xen_version version', support: 'full', calls: 2, refused: 0, failed: 0 },
    { name: 'grant_table_op set_version', support: 'none', calls: 1, refused: 1, failed: 0 },
    { name: 'xen_version extraversion', support: 'full', calls: 1, refused: 0, failed: 1 },
    { name: 'set_timer_op', support: 'full', calls: 1, refused: 0, failed: 0 },
    {
      name: 'memory_op populate_physmap',
      support: 'partial: no populate-on-demand',
      calls: 1,
      refused: 0,
      failed: 1,
    },
    { name: 'hypercall 61', support: 'none', calls: 1, refused: 1, failed: 0 },
    { name: 'hvm_op pagetable_dying', support: 'none', calls: 1, refused: 1, failed: 0 },
  ]);
});

it('takes no more memory for a domain that calls every number there is', () => {
  const host = new TestHypervisor();
  const guest = host.createGuest();
  for (let n = 0; n < 20_000; n++) guest.call(n * 7919, n, UNMAPPED);
  for (let n = 0; n < 20_000; n++) guest.call(hypercall.xen_version, 100 + n, UNMAPPED);
  expect(guest.domain.hypercalls.counts.length).toBeLessThan(200);
});
