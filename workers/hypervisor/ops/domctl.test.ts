import { describe, expect, it } from 'vitest';
import { VIRT_BASE } from '../../abi/cpu';
import {
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_getdomaininfo,
  XEN_DOMCTL_getvcpuaffinity,
  XEN_DOMCTL_getvcpucontext,
  XEN_DOMCTL_getvcpuinfo,
  XEN_DOMCTL_hypercall_init,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_scheduler_op,
  XEN_DOMCTL_setvcpuaffinity,
} from '../../abi/domctl';
import { hypercall } from '../../abi/xen';
import { failure, ok, TestHypervisor } from '../testing';
import { nullHooks } from '../xsm/nullHooks';

const u32 = (value: number) => (union: DataView) => union.setUint32(0, value, true);

describe('createdomain', () => {
  it('counts ids up, skips those in use, and takes a free one that is asked for', () => {
    const { dom0 } = new TestHypervisor();
    const create = (domid = 0) => dom0.domctl(XEN_DOMCTL_createdomain, domid);
    expect([create().domid, create(5).domid, create().domid]).toEqual([1, 5, 2]);
    expect(failure(create(5).result)).toBe('EINVAL');
    ok(dom0.domctl(XEN_DOMCTL_destroydomain, 2));
    expect([create().domid, create().domid, create().domid]).toEqual([3, 4, 6]);
  });

  it('refuses unknown flags and fully virtualised domains, and leaves nothing behind', () => {
    const { dom0, hv } = new TestHypervisor();
    for (const flags of [1, 0x80]) {
      const { result } = dom0.domctl(XEN_DOMCTL_createdomain, 0, (u) => u.setUint32(20, flags, true));
      expect(failure(result)).toBe('EINVAL');
    }
    expect(hv.domains()).toHaveLength(1);
  });

  it('asks the security policy first, and its no is ENOMEM', () => {
    const refused: number[] = [];
    const hooks = {
      ...nullHooks(),
      domainCreate: (domid: number, ssidref: number) => domid === 0 || !refused.push(ssidref),
    };
    const { dom0, hv } = new TestHypervisor({ hooks });
    const heap = hv.memory.xenheapFreePages;
    const { result } = dom0.domctl(XEN_DOMCTL_createdomain, 0, u32(0x20001));
    expect([failure(result), refused]).toEqual(['ENOMEM', [0x20001]]);
    expect([hv.domains().length, hv.memory.xenheapFreePages]).toEqual([1, heap]);
  });

  it('ends with ENOMEM when the Xen heap is used up, and goes on when there is room again', () => {
    const { dom0 } = new TestHypervisor();
    let made = 0;
    let last = 0;
    for (; last === 0 && made < 1000; made++) last = dom0.domctl(XEN_DOMCTL_createdomain, 0).result;
    expect(failure(last)).toBe('ENOMEM');
    expect(made).toBeGreaterThan(201);
    ok(dom0.domctl(XEN_DOMCTL_destroydomain, 7));
    ok(dom0.domctl(XEN_DOMCTL_createdomain, 0));
  });
});

describe('domctl', () => {
  it('needs the right interface version and a domain that exists', () => {
    const { dom0 } = new TestHypervisor();
    const va = dom0.alloc(144);
    dom0.view(va).setUint32(0, XEN_DOMCTL_pausedomain, true);
    expect(failure(dom0.call(hypercall.domctl, va))).toBe('EACCES');
    expect(failure(dom0.domctl(XEN_DOMCTL_pausedomain, 77).result)).toBe('ESRCH');
    expect(failure(dom0.domctl(XEN_DOMCTL_pausedomain, 0).result)).toBe('EINVAL');
    expect(failure(dom0.domctl(99, 0).result)).toBe('ENOSYS');
  });

  it('getdomaininfo finds the first domain from an id on', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest();
    ok(host.dom0.domctl(XEN_DOMCTL_destroydomain, ok(host.dom0.domctl(XEN_DOMCTL_createdomain, 0)).domid));
    const info = (domid: number) => host.dom0.domctl(XEN_DOMCTL_getdomaininfo, domid);
    expect([info(0).domid, info(1).domid]).toEqual([0, guest.domid]);
    expect(failure(info(2).result)).toBe('ESRCH');
    expect(info(0).union.getUint32(4, true) & 32).toBe(32);
  });

  it('max_vcpus neither shrinks nor passes 32; max_mem does not go below what is in use', () => {
    const host = new TestHypervisor();
    const { domid } = host.createGuest({ pages: 64, vcpus: 2 });
    const { dom0 } = host;
    const vcpus = (count: number) => failure(dom0.domctl(XEN_DOMCTL_max_vcpus, domid, u32(count)).result);
    expect([vcpus(1), vcpus(33), vcpus(4), vcpus(32)]).toEqual(['EINVAL', 'EINVAL', undefined, undefined]);
    const memory = (kib: bigint) => {
      return failure(dom0.domctl(XEN_DOMCTL_max_mem, domid, (u) => u.setBigUint64(0, kib, true)).result);
    };
    expect([memory(252n), memory(256n)]).toEqual(['EINVAL', undefined]);
  });

  it('moves vcpus by affinity and reports it', () => {
    const host = new TestHypervisor();
    const { domid } = host.createGuest();
    const { dom0 } = host;
    const bitmap = dom0.alloc(8);
    const affinity = (command: number, mask: number) => {
      dom0.view(bitmap).setUint32(0, mask, true);
      const { result } = dom0.domctl(command, domid, (u) => {
        u.setUint32(0, 0, true);
        u.setBigUint64(8, BigInt(bitmap), true);
        u.setUint32(16, 32, true);
      });
      return [result, dom0.view(bitmap).getUint32(0, true)];
    };
    expect(affinity(XEN_DOMCTL_getvcpuaffinity, 0)).toEqual([0, 0xffff_ffff]);
    expect(affinity(XEN_DOMCTL_setvcpuaffinity, 2)[0]).toBe(0);
    expect(affinity(XEN_DOMCTL_getvcpuaffinity, 0)).toEqual([0, 2]);
    host.advance(1e6);
    expect(ok(dom0.domctl(XEN_DOMCTL_getvcpuinfo, domid)).union.getUint32(16, true)).toBe(1);
    expect(failure(affinity(XEN_DOMCTL_setvcpuaffinity, 4)[0]!)).toBe('EINVAL');
    expect(failure(dom0.domctl(XEN_DOMCTL_getvcpuinfo, domid, u32(3)).result)).toBe('ESRCH');
  });

  it('sets and gets credit weights, for the scheduler in use only', () => {
    const host = new TestHypervisor();
    const { domid } = host.createGuest();
    const op = (id: number, command: number, weight = 0) =>
      host.dom0.domctl(XEN_DOMCTL_scheduler_op, domid, (u) => {
        u.setUint32(0, id, true);
        u.setUint32(4, command, true);
        u.setUint16(8, weight, true);
        u.setUint16(10, 0xffff, true);
      });
    expect(ok(op(5, 1)).union.getUint16(8, true)).toBe(256);
    ok(op(5, 0, 512));
    expect(ok(op(5, 1)).union.getUint16(8, true)).toBe(512);
    expect(failure(op(4, 1).result)).toBe('EINVAL');
  });

  it('gives back a vcpu context only when there is one', () => {
    const host = new TestHypervisor();
    const { domid } = host.createGuest({ vcpus: 2 });
    const buffer = host.dom0.alloc(2800);
    const get = (vcpu: number) =>
      failure(
        host.dom0.domctl(XEN_DOMCTL_getvcpucontext, domid, (u) => {
          u.setUint32(0, vcpu, true);
          u.setBigUint64(8, BigInt(buffer), true);
        }).result,
      );
    expect([get(0), get(1), get(2)]).toEqual([undefined, 'ENODATA', 'ESRCH']);
  });

  it('fills a hypercall page of the domain with stubs', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest();
    const fill = (mfn: number) =>
      host.dom0.domctl(XEN_DOMCTL_hypercall_init, guest.domid, (u) => u.setBigUint64(0, BigInt(mfn), true)).result;
    expect(fill(guest.cpu.mfnOf(9)!)).toBe(0);
    const page = guest.cpu.page(VIRT_BASE + 9 * 4096);
    expect([...page.subarray(17 * 32, 17 * 32 + 9)]).toEqual([0xb8, 17, 0, 0, 0, 0xcd, 0x82, 0xc3, 0xcc]);
    expect(page[23 * 32]).toBe(0x50);
    expect(failure(fill(host.dom0.cpu.mfnOf(9)!))).toBe('EACCES');
  });
});
