/**
 * A domain that is being restored, by the hypercalls of the toolstack: memory as it comes, then what the guest must find
 * when it wakes in its new place (the half of xc_domain_restore.c that is not about the stream, Xen 3.4).
 */
import {
  HVM_PARAM_CONSOLE_EVTCHN,
  HVM_PARAM_CONSOLE_PFN,
  HVM_PARAM_STORE_EVTCHN,
  HVM_PARAM_STORE_PFN,
} from '../../abi/hvmParams';
import { encodeHvmContext, HVM_HW_CPU_SIZE, HVM_SAVE_CODE_CPU } from '../../abi/hvmSave';
import { NR_EVENT_CHANNELS, sharedInfo, VCPU_INFO_SIZE, vcpuInfo } from '../../abi/sharedInfo';
import { startInfo } from '../../abi/startInfo';
import { userRegs, vcpuGuestContext } from '../../abi/vcpu';
import { INVALID_P2M_ENTRY, MAX_VIRT_CPUS, PAGE_SIZE } from '../../abi/xen';
import { isZero } from '../../lib/zeroes';
import type { RestoredDomain, RestoredImage } from '../../migration/restore';
import type { DomainTail } from '../../migration/save';
import { FRAMES_PER_LIST_PAGE, StreamError, viewOf } from '../../migration/stream';
import type { XendEnvironment } from '../environment';
import { VmError } from '../errors';
import { setRegisters } from '../image/hvmContext';
import type { Xc } from '../xc';

/** Event channels that xend has made for the new domain. */
export interface RestoredPorts {
  readonly storePort: number;
  readonly consolePort: number;
}

export class XcRestoredDomain implements RestoredDomain {
  #isTranslated = false;
  readonly #populated = new Set<number>();
  /** Frames that Xen gave and nobody has written to: they are zero. */
  readonly #untouched = new Set<number>();
  /** Machine frames of a paravirtual domain, by guest frame. */
  #mfns = new Uint32Array(0);

  constructor(
    private readonly xc: Xc,
    private readonly environment: XendEnvironment,
    readonly domid: number,
  ) {}

  async begin(kind: DomainTail['kind'], p2mSize: number): Promise<void> {
    this.xc.setAddressSize(this.domid, 32);
    this.#isTranslated = kind === 'hvm';
    if (!this.#isTranslated) {
      this.#mfns = new Uint32Array(p2mSize).fill(INVALID_P2M_ENTRY);
      return;
    }
    this.xc.enableTranslation(this.domid);
    // The processor and its memory, whose size the highest frame says, take a moment: now, and not while the guest stands.
    this.populate([p2mSize - 1]);
    const blank = { type: HVM_SAVE_CODE_CPU, instance: 0, bytes: new Uint8Array(HVM_HW_CPU_SIZE) };
    await setRegisters(this.xc, this.environment, this.domid, encodeHvmContext([blank]));
  }

  populate(wanted: readonly number[]): void {
    const pfns = wanted.filter((pfn) => !this.#populated.has(pfn));
    const frames = this.xc.populatePhysmap(this.domid, pfns);
    if (frames.length < pfns.length)
      throw new VmError(`(1, 'Out of memory', "Failed to allocate memory for batch.!\\n")`);
    for (const pfn of pfns) this.#populated.add(pfn);
    for (const pfn of pfns) this.#untouched.add(pfn);
    if (this.#isTranslated) return;
    pfns.forEach((pfn, i) => {
      this.#mfns[pfn] = frames[i]!;
    });
  }

  release(pfns: readonly number[]): void {
    this.xc.decreaseReservation(
      this.domid,
      pfns.map((pfn) => this.#frameOf(pfn)),
    );
    for (const pfn of pfns) this.#populated.delete(pfn);
    if (!this.#isTranslated) for (const pfn of pfns) this.#mfns[pfn] = INVALID_P2M_ENTRY;
  }

  writeFrames(pfns: readonly number[], pages: Uint8Array): void {
    const frames = pfns.map((pfn) => this.#frameOf(pfn));
    const mapping = this.xc.mapForeign(this.domid, frames);
    try {
      pfns.forEach((pfn, i) => {
        const page = pages.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
        if (this.#untouched.has(pfn) && isZero(page)) return;
        this.#untouched.delete(pfn);
        mapping.page(i).set(page);
      });
    } finally {
      mapping.unmap();
    }
  }

  /** All pages are there. Answers where the shared rings are, as frames that the domain's backends may map. */
  async finish(image: RestoredImage, ports: RestoredPorts): Promise<{ storeMfn: number; consoleMfn: number }> {
    const { tail } = image;
    if (tail.kind === 'pv') return this.#finishPv(image, tail, ports);
    this.xc.setHvmParam(this.domid, HVM_PARAM_STORE_PFN, tail.storePfn);
    this.xc.setHvmParam(this.domid, HVM_PARAM_STORE_EVTCHN, ports.storePort);
    this.xc.setHvmParam(this.domid, HVM_PARAM_CONSOLE_PFN, tail.consolePfn);
    this.xc.setHvmParam(this.domid, HVM_PARAM_CONSOLE_EVTCHN, ports.consolePort);
    await setRegisters(this.xc, this.environment, this.domid, tail.context);
    return { storeMfn: tail.storePfn, consoleMfn: tail.consolePfn };
  }

  #finishPv(
    image: RestoredImage,
    tail: DomainTail & { kind: 'pv' },
    ports: RestoredPorts,
  ): { storeMfn: number; consoleMfn: number } {
    const { xc, domid } = this;
    const surplus = tail.notInMap.filter(
      (pfn) => this.#mfns[pfn] !== INVALID_P2M_ENTRY && this.#mfns[pfn] !== undefined,
    );
    if (surplus.length > 0) this.release(surplus);
    const info = xc.domainInfo(domid);
    const [first] = tail.contexts;
    if (!info || !first) throw new StreamError('vcpu context');
    const edx = vcpuGuestContext.user_regs + userRegs.edx;
    const suspendRecord = viewOf(first).getUint32(edx, true);
    viewOf(first).setUint32(edx, this.#frameOf(suspendRecord), true);
    const rings = this.#rewriteStartInfo(suspendRecord, image.p2mSize, info.sharedInfoFrame, ports);
    this.#writeSharedInfo(info.sharedInfoFrame, tail.sharedInfo);
    image.p2mFrames.forEach((pfn, i) => {
      const list = this.#mfns.subarray(i * FRAMES_PER_LIST_PAGE, (i + 1) * FRAMES_PER_LIST_PAGE);
      const page = new Uint8Array(PAGE_SIZE).fill(0xff);
      page.set(new Uint8Array(list.slice().buffer));
      this.writeFrames([pfn], page);
    });
    let at = 0;
    for (let vcpu = 0; vcpu < MAX_VIRT_CPUS; vcpu++)
      if (((image.vcpuMap >> BigInt(vcpu)) & 1n) !== 0n) xc.setVcpuContext(domid, vcpu, tail.contexts[at++]!);
    return rings;
  }

  #rewriteStartInfo(pfn: number, frames: number, sharedInfoFrame: number, ports: RestoredPorts) {
    return this.#change(this.#frameOf(pfn), (page) => {
      const view = viewOf(page);
      const set = (offset: number, value: number) => view.setUint32(offset, value, true);
      const storeMfn = this.#frameOf(view.getUint32(startInfo.store_mfn, true));
      const consoleMfn = this.#frameOf(view.getUint32(startInfo.console_mfn, true));
      set(startInfo.nr_pages, frames);
      set(startInfo.shared_info, sharedInfoFrame * PAGE_SIZE);
      set(startInfo.flags, 0);
      set(startInfo.store_mfn, storeMfn);
      set(startInfo.store_evtchn, ports.storePort);
      set(startInfo.console_mfn, consoleMfn);
      set(startInfo.console_evtchn, ports.consolePort);
      return { storeMfn, consoleMfn };
    });
  }

  /** What the guest said about itself goes on; no event is pending and every one is masked. */
  #writeSharedInfo(frame: number, saved: Uint8Array): void {
    this.#change(frame, (page) => {
      const old = viewOf(saved);
      const view = viewOf(page);
      for (let vcpu = 0; vcpu < MAX_VIRT_CPUS; vcpu++) {
        const at = sharedInfo.vcpu_info + vcpu * VCPU_INFO_SIZE;
        view.setUint8(at + vcpuInfo.evtchn_upcall_pending, 0);
        view.setUint8(at + vcpuInfo.evtchn_upcall_mask, old.getUint8(at + vcpuInfo.evtchn_upcall_mask));
        view.setUint32(at + vcpuInfo.evtchn_pending_sel, 0, true);
      }
      page.fill(0, sharedInfo.evtchn_pending, sharedInfo.evtchn_pending + NR_EVENT_CHANNELS / 8);
      page.fill(0xff, sharedInfo.evtchn_mask, sharedInfo.evtchn_mask + NR_EVENT_CHANNELS / 8);
      view.setUint32(sharedInfo.arch_max_pfn, old.getUint32(sharedInfo.arch_max_pfn, true), true);
    });
  }

  #change<T>(frame: number, edit: (page: Uint8Array) => T): T {
    const mapping = this.xc.mapForeign(this.domid, [frame]);
    try {
      return edit(mapping.page(0));
    } finally {
      mapping.unmap();
    }
  }

  #frameOf(pfn: number): number {
    if (this.#isTranslated) return pfn;
    const mfn = this.#mfns[pfn];
    if (mfn === undefined || mfn === INVALID_P2M_ENTRY) throw new StreamError(`no memory at pfn ${pfn.toString(16)}`);
    return mfn;
  }
}
