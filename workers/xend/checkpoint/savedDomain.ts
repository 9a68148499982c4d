/**
 * A domain that is being saved, by the hypercalls of the toolstack: its frames as the guest numbers them, what it has
 * written, and at the end its processors (the half of xc_domain_save.c that is not about rounds, Xen 3.4).
 */
import { HVM_PARAM_CONSOLE_PFN, HVM_PARAM_STORE_PFN } from '../../abi/hvmParams';
import { sharedInfo } from '../../abi/sharedInfo';
import { userRegs, vcpuGuestContext } from '../../abi/vcpu';
import { INVALID_P2M_ENTRY, PAGE_SIZE } from '../../abi/xen';
import type { ForeignMapping } from '../../guest/services';
import type { DomainTail, SavedDomain } from '../../migration/save';
import { FRAMES_PER_LIST_PAGE, TYPE_ABSENT, viewOf } from '../../migration/stream';
import { VmError } from '../errors';
import type { Xc } from '../xc';

/** `suspend`: asks the guest and waits. `close` it in the end. Throws VmError when the guest cannot be saved yet. */
export function openSaved(xc: Xc, domid: number, suspend: () => Promise<void>): SavedDomain & { close(): void } {
  const info = xc.domainInfo(domid);
  if (!info) throw new VmError(`Domain ${domid} is gone`);
  const storePfn = xc.hvmParam(domid, HVM_PARAM_STORE_PFN);
  const p2m = storePfn === undefined ? new ForeignP2m(xc, domid, info.sharedInfoFrame) : undefined;
  const p2mSize = p2m?.size ?? xc.maximumGpfn(domid) + 1;
  const frameOf = (pfn: number) => p2m?.get(pfn) ?? pfn;
  return {
    p2mSize,
    p2mFrames: p2m?.listPfns,
    get vcpuMap() {
      return onlineVcpus(xc, domid);
    },
    frameTypes(pfns) {
      const frames = pfns.map(frameOf);
      const types = xc.frameTypes(
        domid,
        frames.map((frame) => (frame === INVALID_P2M_ENTRY ? 0 : frame)),
      );
      return types.map((type, i) => (frames[i] === INVALID_P2M_ENTRY ? TYPE_ABSENT : type));
    },
    readFrames: (pfns) => readFrames(xc, domid, pfns.map(frameOf)),
    startLog: () => xc.setDirtyLog(domid, true),
    stopLog: () => xc.setDirtyLog(domid, false),
    dirtyFrames: (clean) => xc.dirtyFrames(domid, p2mSize, clean),
    suspend,
    tail: () => (p2m ? pvTail(xc, domid, p2m) : hvmTail(xc, domid, storePfn!)),
    close: () => p2m?.close(),
  };
}

export function readFrames(xc: Xc, domid: number, frames: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(frames.length * PAGE_SIZE);
  if (frames.length === 0) return bytes;
  const mapping = xc.mapForeign(domid, frames);
  try {
    for (let i = 0; i < frames.length; i++) {
      const page = mapping.peek(i);
      if (page) bytes.set(page, i * PAGE_SIZE);
    }
  } finally {
    mapping.unmap();
  }
  return bytes;
}

function onlineVcpus(xc: Xc, domid: number): bigint {
  let map = 0n;
  const last = xc.domainInfo(domid)?.maxVcpuId ?? 0;
  for (let vcpu = 0; vcpu <= last; vcpu++) if (xc.vcpuInfo(domid, vcpu)?.online) map |= 1n << BigInt(vcpu);
  return map;
}

function hvmTail(xc: Xc, domid: number, storePfn: number): DomainTail {
  const consolePfn = xc.hvmParam(domid, HVM_PARAM_CONSOLE_PFN) ?? 0;
  return { kind: 'hvm', storePfn, consolePfn, context: xc.hvmContext(domid) };
}

/** Machine frame numbers mean nothing elsewhere: EDX of vcpu 0 names start_info by its guest frame. */
function pvTail(xc: Xc, domid: number, p2m: ForeignP2m): DomainTail {
  const map = onlineVcpus(xc, domid);
  const contexts: Uint8Array[] = [];
  for (let vcpu = 0; map >> BigInt(vcpu) > 0n; vcpu++) {
    if (((map >> BigInt(vcpu)) & 1n) === 0n) continue;
    const context = xc.vcpuContext(domid, vcpu);
    if (vcpu === 0) {
      const view = viewOf(context);
      const edx = vcpuGuestContext.user_regs + userRegs.edx;
      const pfn = p2m.pfnOf(view.getUint32(edx, true));
      if (pfn === undefined) throw new VmError('Suspend record is not in range of pseudophys map');
      view.setUint32(edx, pfn, true);
    }
    contexts.push(context);
  }
  const shared = readFrames(xc, domid, [p2m.sharedInfoFrame]);
  viewOf(shared).setUint32(sharedInfo.arch_pfn_to_mfn_frame_list_list, 0, true);
  const notInMap: number[] = [];
  for (let pfn = 0; pfn < p2m.size; pfn++) if (p2m.get(pfn) === INVALID_P2M_ENTRY) notInMap.push(pfn);
  return { kind: 'pv', notInMap, contexts, sharedInfo: shared };
}

/** The P2M list that a paravirtual guest keeps in its own pages and publishes in shared_info. */
export class ForeignP2m {
  readonly size: number;
  readonly #list: ForeignMapping;
  /** The pages of the list, in order. */
  readonly #views: readonly DataView[];
  readonly #frames: readonly number[];

  constructor(
    xc: Xc,
    domid: number,
    readonly sharedInfoFrame: number,
  ) {
    const words = (frame: number) => {
      const view = viewOf(readFrames(xc, domid, [frame]));
      return Array.from({ length: FRAMES_PER_LIST_PAGE }, (_, i) => view.getUint32(4 * i, true));
    };
    const shared = viewOf(readFrames(xc, domid, [sharedInfoFrame]));
    this.size = shared.getUint32(sharedInfo.arch_max_pfn, true);
    const root = shared.getUint32(sharedInfo.arch_pfn_to_mfn_frame_list_list, true);
    if (this.size === 0 || root === 0) throw new VmError('Failed to map guest frame list list');
    const pages = Math.ceil(this.size / FRAMES_PER_LIST_PAGE);
    const lists = words(root).slice(0, Math.ceil(pages / FRAMES_PER_LIST_PAGE));
    this.#frames = lists.flatMap(words).slice(0, pages);
    this.#list = xc.mapForeign(domid, this.#frames);
    this.#views = this.#frames.map((_, i) => viewOf(this.#list.page(i)));
  }

  /** Machine frame, INVALID_P2M_ENTRY when there is none. */
  get(pfn: number): number {
    const view = this.#views[Math.floor(pfn / FRAMES_PER_LIST_PAGE)]!;
    return view.getUint32((pfn % FRAMES_PER_LIST_PAGE) * 4, true);
  }

  pfnOf(mfn: number): number | undefined {
    for (let pfn = 0; pfn < this.size; pfn++) if (this.get(pfn) === mfn) return pfn;
    return undefined;
  }

  /** The guest frames that hold the list. */
  get listPfns(): readonly number[] {
    const wanted = new Map(this.#frames.map((mfn, i) => [mfn, i]));
    const pfns = this.#frames.map(() => -1);
    for (let pfn = 0; pfn < this.size; pfn++) {
      const at = wanted.get(this.get(pfn));
      if (at !== undefined) pfns[at] = pfn;
    }
    if (pfns.includes(-1)) throw new VmError('Frame# in pfn-to-mfn frame list is not in pseudophys');
    return pfns;
  }

  close(): void {
    this.#list.unmap();
  }
}
