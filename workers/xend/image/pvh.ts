/**
 * The domain builder for kernels that are entered directly in 32-bit mode (PVH, from Xen 4): a translated domain, its
 * memory filled as pvhLayout.ts says, its shared pages named by hvm parameters.
 */
import {
  HVM_PARAM_CONSOLE_EVTCHN,
  HVM_PARAM_CONSOLE_PFN,
  HVM_PARAM_STORE_EVTCHN,
  HVM_PARAM_STORE_PFN,
} from '../../abi/hvmParams';
import { encodeHvmContext, fxsave, HVM_HW_CPU_SIZE, HVM_SAVE_CODE_CPU, hvmHwCpu, hvmSegments } from '../../abi/hvmSave';
import { PAGE_SIZE } from '../../abi/xen';
import type { XendEnvironment } from '../environment';
import { VmError } from '../errors';
import type { Xc } from '../xc';
import { writeGuestPages } from './guestPages';
import { setRegisters } from './hvmContext';
import type { BuildRequest, BuildResult } from './linux';
import type { PvhKernel } from './pvhKernel';
import { layOutPvh, type PvhLayout } from './pvhLayout';

const CR0_PE = 1;
const CR0_ET = 0x10;
const FPU_RESET = 0x37f;
const MXCSR_RESET = 0x1f80;
const FLAT_DATA = { limit: 0xffff_ffff, rights: 0xc093 };
/** Whatever is not named here is flat data. */
const segments: Readonly<Record<string, { readonly limit: number; readonly rights: number }>> = {
  cs: { limit: 0xffff_ffff, rights: 0xc09b },
  tr: { limit: 0x67, rights: 0x8b },
  ldtr: { limit: 0, rights: 0x1_0082 },
};

export interface PvhHost {
  readonly xc: Xc;
  readonly environment: XendEnvironment;
}

/** The results name guest frames, as all frame numbers of a translated domain do. Throws VmError. */
export async function buildPvh(
  { xc, environment }: PvhHost,
  request: BuildRequest,
  kernel: PvhKernel,
): Promise<BuildResult> {
  const { domid, ramdisk, cmdline } = request;
  const pages = (request.memoryMiB * 1024 * 1024) / PAGE_SIZE;
  const layout = layOutPvh({ kernel, ramdisk, cmdline, pages });
  xc.setAddressSize(domid, 32);
  xc.enableTranslation(domid);
  if (xc.populatePhysmap(domid, layout.frames).length < layout.frames.length)
    throw new VmError(`(1, 'Out of memory', "xc_dom_boot_mem_init: can't allocate low memory for domain\\n")`);
  for (const { address, bytes } of layout.pieces) writeGuestPages(xc, domid, (page) => page, address, bytes);
  xc.setHvmParam(domid, HVM_PARAM_STORE_PFN, layout.storePfn);
  xc.setHvmParam(domid, HVM_PARAM_STORE_EVTCHN, request.storePort);
  xc.setHvmParam(domid, HVM_PARAM_CONSOLE_PFN, layout.consolePfn);
  xc.setHvmParam(domid, HVM_PARAM_CONSOLE_EVTCHN, request.consolePort);
  await setRegisters(xc, environment, domid, entryContext(layout));
  return {
    storeMfn: layout.storePfn,
    consoleMfn: layout.consolePfn,
    notes: { text: new Map([['guest-os', 'linux']]), number: new Map() },
  };
}

/** 32-bit protected mode without paging, flat segments, EBX = start info (the PVH boot protocol of Xen 4). */
function entryContext(layout: PvhLayout): Uint8Array {
  const bytes = new Uint8Array(HVM_HW_CPU_SIZE);
  const view = new DataView(bytes.buffer);
  const set = (offset: number, value: number) => view.setUint32(offset, value, true);
  set(hvmHwCpu.rip, layout.entry);
  set(hvmHwCpu.rbx, layout.startInfo);
  set(hvmHwCpu.rflags, 2);
  set(hvmHwCpu.cr0, CR0_PE | CR0_ET);
  set(hvmHwCpu.dr6, 0xffff_0ff0);
  set(hvmHwCpu.dr7, 0x400);
  view.setUint16(hvmHwCpu.fpu_regs + fxsave.fcw, FPU_RESET, true);
  set(hvmHwCpu.fpu_regs + fxsave.mxcsr, MXCSR_RESET);
  hvmSegments.forEach((name, i) => {
    const { limit, rights } = segments[name] ?? FLAT_DATA;
    set(hvmHwCpu.limits + 4 * i, limit);
    set(hvmHwCpu.arbytes + 4 * i, rights);
  });
  return encodeHvmContext([{ type: HVM_SAVE_CODE_CPU, instance: 0, bytes }]);
}
