import { describe, expect, it } from 'vitest';
import { makePte, PAGE_PRESENT } from '../abi/mmu';
import { TRC_LOST_RECORDS, TRC_PV_HYPERCALL, TRC_TRACE_WRAP_BUFFER } from '../abi/trace';
import { DOMID_XEN, hypercall } from '../abi/xen';
import { TestHypervisor } from './testing';

/** Reads a buffer as xentrace does: from cons to prod. */
function records(view: DataView, capacity: number) {
  const found: { event: number; words: number[] }[] = [];
  let at = view.getUint32(0, true);
  const prod = view.getUint32(4, true);
  while (at !== prod) {
    const position = 8 + (at % capacity);
    const header = view.getUint32(position, true);
    const count = (header >>> 28) & 7;
    const skip = header >= 2 ** 31 ? 12 : 4;
    const words = Array.from({ length: count }, (_, i) => view.getUint32(position + skip + 4 * i, true));
    found.push({ event: header & 0x0fff_ffff, words });
    at = (at + skip + 4 * count) % (2 * capacity);
  }
  view.setUint32(0, prod, true);
  return found;
}

describe('trace buffers', () => {
  it('hold hypercalls and schedule events, and Domain-0 maps them', () => {
    const host = new TestHypervisor({ commandLine: 'tbuf_size=4' });
    expect(host.serial).toContain('Xen trace buffers: initialised');
    const { mfn, bytes } = host.hv.trace.info;
    expect(bytes).toBe(4 * 4096);
    const va = 0x0060_0000;
    const { dom0 } = host;
    expect(dom0.call(hypercall.update_va_mapping_otherdomain, va, makePte(mfn, PAGE_PRESENT), 0, 0, DOMID_XEN)).toBe(0);
    const view = host.dom0.view(va);
    records(new DataView(view.buffer, view.byteOffset, bytes), bytes - 8);
    dom0.call(hypercall.xen_version, 0, 0);
    expect(records(new DataView(view.buffer, view.byteOffset, bytes), bytes - 8)).toEqual([
      { event: TRC_PV_HYPERCALL, words: [0, hypercall.xen_version] },
    ]);
  });

  it('count what does not fit and say so in front of the next record that does; no record wraps', () => {
    const host = new TestHypervisor({ commandLine: 'tbuf_size=1' });
    const { trace, memory } = host.hv;
    const page = memory.bytes(trace.info.mfn);
    const view = new DataView(page.buffer, page.byteOffset, 4096);
    records(view, 4088);
    for (let n = 0; n < 1000; n++) trace.record(TRC_PV_HYPERCALL, n, n, n);
    const first = records(view, 4088).filter(({ event }) => event === TRC_PV_HYPERCALL);
    trace.record(TRC_PV_HYPERCALL, 1000);
    const rest = records(view, 4088).filter(({ event }) => event !== TRC_TRACE_WRAP_BUFFER);
    expect(rest[0]).toMatchObject({ event: TRC_LOST_RECORDS });
    expect(first.length + rest[0]!.words[0]!).toBe(1000);
    expect(rest[1]).toEqual({ event: TRC_PV_HYPERCALL, words: [1000] });
  });

  it('leave out what the event mask does not name', () => {
    const host = new TestHypervisor({ commandLine: 'tbuf_size=1' });
    const { trace, memory } = host.hv;
    const page = memory.bytes(trace.info.mfn);
    const view = new DataView(page.buffer, page.byteOffset, 4096);
    records(view, 4088);
    trace.setEventMask(0x0002_f000);
    trace.record(TRC_PV_HYPERCALL, 1);
    trace.record(0x28005, 2);
    expect(records(view, 4088)).toEqual([{ event: 0x28005, words: [2] }]);
  });
});
