import { describe, expect, it } from 'vitest';
import { type GuestCpu, MAP_WINDOW_START } from '../abi/cpu';
import { XEN_DOMCTL_createdomain, XEN_DOMCTL_max_mem, XEN_DOMCTL_max_vcpus, XEN_DOMCTL_shadow_op } from '../abi/domctl';
import {
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_unmap_grant_ref,
  GTF_permit_access,
} from '../abi/grantTable';
import { HVMOP_get_param, HVMOP_set_param } from '../abi/hvmParams';
import {
  XENMAPSPACE_grant_table,
  XENMAPSPACE_shared_info,
  XENMEM_add_to_physmap,
  XENMEM_decrease_reservation,
  XENMEM_populate_physmap,
} from '../abi/memory';
import { XENVER_get_features } from '../abi/version';
import { DOMID_SELF, hypercall } from '../abi/xen';
import { failure, ok, TestGuest, TestHypervisor } from './testing';

const PAGES = 64;
/** shadow_op enable with refcount, translate and external. */
const enable = (u: DataView) => {
  u.setUint32(0, 32, true);
  u.setUint32(4, 2 | 8 | 16, true);
};

/** A translated domain whose "processor" is a block of memory in which virtual addresses are physical ones. */
function translatedGuest() {
  const memory = new Uint8Array(PAGES * 4096);
  let isReady = false;
  let cpu: GuestCpu | undefined;
  /** Frames of which its processor was told that somebody else has written to them. */
  const written: number[] = [];
  const xen = new TestHypervisor({
    findRunner: (found) => {
      if (!found.translated) return undefined;
      cpu = found;
      const prepare = () => {
        if (isReady) found.translated!.attachMemory(memory, (va) => (va < memory.length ? va : undefined));
        return isReady;
      };
      return { run: () => 1000, prepare, written: (gpfn) => written.push(gpfn) };
    },
  });
  const { dom0 } = xen;
  const { domid } = ok(dom0.domctl(XEN_DOMCTL_createdomain, 0));
  ok(dom0.domctl(XEN_DOMCTL_shadow_op, domid, enable));
  ok(dom0.domctl(XEN_DOMCTL_max_vcpus, domid, (u) => u.setUint32(0, 1, true)));
  ok(dom0.domctl(XEN_DOMCTL_max_mem, domid, (u) => u.setBigUint64(0, BigInt(PAGES * 4), true)));
  const list = dom0.alloc(4 * PAGES);
  for (let i = 0; i < PAGES; i++) dom0.view(list + 4 * i).setUint32(0, i, true);
  const words = [list, PAGES, 0, 0, domid];
  expect(dom0.callWith(hypercall.memory_op, XENMEM_populate_physmap, words).result).toBe(PAGES);
  const names = Array.from({ length: PAGES }, (_, i) => dom0.view(list + 4 * i).getUint32(0, true));
  const setContext = () => xen.setHvmContext(domid);
  const first = setContext();
  isReady = true;
  const domain = xen.hv.domain(domid);
  domain.space.memory.bytes(domain.space.p2m.get(5)!)[7] = 42;
  ok({ result: setContext() });
  const call = (op: number, command: number, request: readonly number[]) => {
    const view = new DataView(memory.buffer, 4096);
    request.forEach((word, i) => {
      view.setUint32(4 * i, word, true);
    });
    return { result: cpu!.hypercall(0, op, command, 4096), word: (i: number) => view.getUint32(4 * i, true) };
  };
  return { xen, domain, memory, names, first, call, written };
}

describe('a translated domain', () => {
  it('is made of a domain without memory only, once', () => {
    const { xen, domain } = translatedGuest();
    expect(failure(xen.dom0.domctl(XEN_DOMCTL_shadow_op, domain.domid, enable).result)).toBe('EINVAL');
    const other = xen.createGuest();
    expect(failure(xen.dom0.domctl(XEN_DOMCTL_shadow_op, other.domid, enable).result)).toBe('EBUSY');
  });

  it('goes on calling its frames by the numbers that were populated', () => {
    expect(translatedGuest().names).toEqual(Array.from({ length: PAGES }, (_, i) => i));
  });

  it('gets registers only when its processor is ready, and finds there what was written before', () => {
    const { first, memory } = translatedGuest();
    expect(failure(first)).toBe('EAGAIN');
    expect(memory[5 * 4096 + 7]).toBe(42);
  });

  it('sees shared_info and the grant table where it wants them, and gives up the pages that stood there', () => {
    const { domain, memory, call } = translatedGuest();
    expect(call(hypercall.memory_op, XENMEM_add_to_physmap, [DOMID_SELF, XENMAPSPACE_shared_info, 0, 9]).result).toBe(
      0,
    );
    expect(call(hypercall.memory_op, XENMEM_add_to_physmap, [DOMID_SELF, XENMAPSPACE_grant_table, 1, 10]).result).toBe(
      0,
    );
    expect(domain.totPages).toBe(PAGES - 2);
    domain.sharedInfo.setMask(3);
    expect(memory[9 * 4096 + 2176]).toBe(1 << 3);
    memory[10 * 4096] = 1;
    expect(domain.grants.flags(512 as Parameters<typeof domain.grants.flags>[0])).toBe(1);
    expect(failure(call(hypercall.memory_op, XENMEM_add_to_physmap, [DOMID_SELF, 7, 0, 11]).result)).toBe('EINVAL');
    expect(failure(call(hypercall.memory_op, XENMEM_add_to_physmap, [DOMID_SELF, 0, 0, PAGES]).result)).toBe('EINVAL');
  });

  it('balloons by guest frame number; a page that comes back is empty', () => {
    const { domain, memory, call } = translatedGuest();
    new DataView(memory.buffer).setUint32(8192, 20, true);
    memory[20 * 4096] = 99;
    const request = [8192, 1, 0, 0, DOMID_SELF];
    expect(call(hypercall.memory_op, XENMEM_decrease_reservation, request).result).toBe(1);
    expect(domain.totPages).toBe(PAGES - 1);
    expect(call(hypercall.memory_op, XENMEM_decrease_reservation, request).result).toBe(0);
    expect(call(hypercall.memory_op, XENMEM_populate_physmap, request).result).toBe(1);
    expect(memory[20 * 4096]).toBe(0);
  });

  it('has its processor told which frames others write to: it may have kept code of them', () => {
    const { xen, domain, memory, call, written } = translatedGuest();
    const { dom0 } = xen;
    call(hypercall.memory_op, XENMEM_add_to_physmap, [DOMID_SELF, XENMAPSPACE_grant_table, 0, 10]);
    // Reference 8: frame 30, for Domain-0 to write to.
    const grant = new DataView(memory.buffer, 10 * 4096 + 8 * 8);
    grant.setUint32(4, 30, true);
    grant.setUint16(0, GTF_permit_access, true);
    written.length = 0;
    const source = dom0.cpu.mfnOf(0)!;
    const [to, from] = [
      [8, domain.domid],
      [source, DOMID_SELF],
    ];
    const copy = (flags: number, ...ends: readonly number[]) =>
      dom0.callWith(hypercall.grant_table_op, GNTTABOP_copy, [...ends, 64 | (flags << 16), 0], 1).result;
    expect(copy(GNTCOPY_dest_gref, ...from!, ...to!)).toBe(0);
    expect(written).toEqual([30]);
    expect(copy(GNTCOPY_source_gref, ...to!, ...from!)).toBe(0);
    expect(written).toEqual([30]);
    const va = MAP_WINDOW_START;
    for (const [flags, told] of [
      [GNTMAP_host_map | GNTMAP_readonly, [30]],
      [GNTMAP_host_map, [30, 30]],
    ] as const) {
      const map = dom0.callWith(
        hypercall.grant_table_op,
        GNTTABOP_map_grant_ref,
        [va, 0, flags, 8, domain.domid, 0, 0, 0],
        1,
      );
      dom0.callWith(hypercall.grant_table_op, GNTTABOP_unmap_grant_ref, [va, 0, 0, 0, map.words[5]!, 0], 1);
      expect(written).toEqual(told);
    }
    new DataView(memory.buffer).setUint32(8192, 20, true);
    for (const op of [XENMEM_decrease_reservation, XENMEM_populate_physmap])
      expect(call(hypercall.memory_op, op, [8192, 1, 0, 0, DOMID_SELF]).result).toBe(1);
    expect(written).toEqual([30, 30, 20]);
  });

  it('may set its callback vector and nothing else', () => {
    const { domain, call } = translatedGuest();
    expect(call(hypercall.hvm_op, HVMOP_set_param, [DOMID_SELF, 0, 0xf3, 2 << 24]).result).toBe(0);
    expect(domain.callbackVector).toBe(0xf3);
    expect(call(hypercall.hvm_op, HVMOP_get_param, [DOMID_SELF, 0, 0, 0]).word(2)).toBe(0xf3);
    expect(failure(call(hypercall.hvm_op, HVMOP_set_param, [DOMID_SELF, 1, 5, 0]).result)).toBe('EPERM');
    expect(failure(call(hypercall.hvm_op, HVMOP_set_param, [DOMID_SELF, 0, 5, 2 << 24]).result)).toBe('EINVAL');
  });

  it('has the features that kernels look for, and none of the paravirtual hypercalls', () => {
    const { call } = translatedGuest();
    expect(call(hypercall.xen_version, XENVER_get_features, [0, 0]).word(1)).toBe(0b11_0000_1100);
    expect(failure(call(hypercall.mmu_update, 0, []).result)).toBe('ENOSYS');
    expect(failure(call(hypercall.domctl, 0, []).result)).toBe('ENOSYS');
  });

  it('may utter anything in a hypercall without harm to others', () => {
    const { xen, call } = translatedGuest();
    const random = xen.hv.random;
    for (let i = 0; i < 5000; i++)
      call(
        random.below(48),
        random.below(12),
        Array.from({ length: 6 }, () => (random.below(2) ? random.below(80) : random.u32())),
      );
    expect(xen.dom0).toBeInstanceOf(TestGuest);
    expect(xen.hv.findDomain(xen.dom0.domid)?.isDying).toBe(false);
    expect(xen.faults).toEqual([]);
  });
});
