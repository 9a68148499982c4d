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
import { userRegs, VCPU_GUEST_CONTEXT_SIZE, VGCF_online, vcpuGuestContext } from '../../abi/vcpu';
import { PAGE_SIZE } from '../../abi/xen';
import { XenError } from '../../lib/errno';
import { sleep, type XendEnvironment } from '../environment';
import { VmError } from '../errors';
import type { Xc } from '../xc';
import type { BuildRequest, BuildResult } from './linux';
import type { PvhKernel } from './pvhKernel';
import { layOutPvh, type PvhLayout } from './pvhLayout';

/** Frames mapped at a time while writing. */
const MAP_BATCH = 256;
const PROCESSOR_POLL_MS = 1;

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
  for (const { address, bytes } of layout.pieces) write(xc, domid, address, bytes);
  xc.setHvmParam(domid, HVM_PARAM_STORE_PFN, layout.storePfn);
  xc.setHvmParam(domid, HVM_PARAM_STORE_EVTCHN, request.storePort);
  xc.setHvmParam(domid, HVM_PARAM_CONSOLE_PFN, layout.consolePfn);
  xc.setHvmParam(domid, HVM_PARAM_CONSOLE_EVTCHN, request.consolePort);
  // The processor may take a moment; nobody may look at the domain's pages before it is there.
  while (!setEntry(xc, domid, layout)) await sleep(environment, PROCESSOR_POLL_MS);
  return {
    storeMfn: layout.storePfn,
    consoleMfn: layout.consolePfn,
    notes: { text: new Map([['guest-os', 'linux']]), number: new Map() },
  };
}

/** False: Xen asks to be asked again. */
function setEntry(xc: Xc, domid: number, layout: PvhLayout): boolean {
  try {
    xc.setVcpuContext(domid, 0, entryContext(layout));
    return true;
  } catch (error) {
    if (error instanceof XenError && error.code === 'EAGAIN') return false;
    if (error instanceof XenError && error.code === 'ENODEV')
      throw new VmError(`(1, 'Internal error', 'no x86 processor for this kernel, xm dmesg says why\\n')`);
    throw error;
  }
}

function entryContext(layout: PvhLayout): Uint8Array {
  const context = new Uint8Array(VCPU_GUEST_CONTEXT_SIZE);
  const view = new DataView(context.buffer);
  view.setUint32(vcpuGuestContext.flags, VGCF_online, true);
  view.setUint32(vcpuGuestContext.user_regs + userRegs.eip, layout.entry, true);
  view.setUint32(vcpuGuestContext.user_regs + userRegs.ebx, layout.startInfo, true);
  return context;
}

function write(xc: Xc, domid: number, address: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const first = Math.floor((address + done) / PAGE_SIZE);
    const count = Math.min(MAP_BATCH, Math.ceil((((address + done) % PAGE_SIZE) + bytes.length - done) / PAGE_SIZE));
    const mapping = xc.mapForeign(
      domid,
      Array.from({ length: count }, (_, i) => first + i),
    );
    try {
      for (let i = 0; i < count; i++) {
        const offset = (address + done) % PAGE_SIZE;
        const part = bytes.subarray(done, done + PAGE_SIZE - offset);
        mapping.page(i).set(part, offset);
        done += part.length;
      }
    } finally {
      mapping.unmap();
    }
  }
}
