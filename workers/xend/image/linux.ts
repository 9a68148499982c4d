/**
 * The domain builder: puts a kernel, its ramdisk and the boot information into the memory of a new paravirtual domain
 * and sets its first vcpu to the kernel's entry (tools/libxc/xc_dom_{core,x86,boot}.c in Xen 3.4).
 *
 * Layout from the kernel's virt_base upward, a page-aligned piece after another: kernel, ramdisk, P2M array, start_info,
 * xenstore ring, console ring, page directory, boot stack. Guest frame 0 lies at virt_base. Page tables of mini guests
 * are not bytes; one zeroed frame stands in their place so that the layout is Xen's.
 */
import { gunzipSync } from 'fflate';
import { MAX_GUEST_CMDLINE, START_INFO_MAGIC, startInfo } from '../../abi/startInfo';
import { userRegs, VCPU_GUEST_CONTEXT_SIZE, VGCF_in_kernel, VGCF_online, vcpuGuestContext } from '../../abi/vcpu';
import { PAGE_SIZE } from '../../abi/xen';
import { type Kernel, parseKernel } from '../elf';
import { VmError } from '../errors';
import type { Xc } from '../xc';
import { writeGuestPages } from './guestPages';

const FLAT_RING1_CS = 0xe019;
const FLAT_RING1_DS = 0xe021;

export interface BuildRequest {
  readonly domid: number;
  readonly kernel: Uint8Array;
  readonly ramdisk: Uint8Array | undefined;
  readonly cmdline: string;
  readonly memoryMiB: number;
  readonly storePort: number;
  readonly consolePort: number;
}

export interface BuildResult {
  readonly storeMfn: number;
  readonly consoleMfn: number;
  /** Undefined: nobody read the kernel's file. */
  readonly notes: Kernel['notes'] | undefined;
}

const pagesFor = (bytes: number) => Math.ceil(bytes / PAGE_SIZE);

/** Throws VmError in libxc's words when the file is no kernel for Xen or the memory does not suffice. */
export function buildLinux(xc: Xc, request: BuildRequest): BuildResult {
  const { domid } = request;
  const kernel = parseKernel(gunzipped(request.kernel));
  const totalPages = (request.memoryMiB * 1024 * 1024) / PAGE_SIZE;
  const layout = layOut(kernel, request.ramdisk?.length ?? 0, totalPages);
  if (layout.end > totalPages) throw outOfMemory('xc_dom_alloc_segment: segment ramdisk too large');

  xc.setAddressSize(domid, 32);
  const mfns = xc.populatePhysmap(
    domid,
    Array.from({ length: totalPages }, (_, pfn) => pfn),
  );
  if (mfns.length < totalPages) throw outOfMemory("xc_dom_boot_mem_init: can't allocate low memory for domain");

  const frameOf = (page: number) => mfns[page]!;
  const put = (pfn: number, bytes: Uint8Array) => writeGuestPages(xc, domid, frameOf, pfn * PAGE_SIZE, bytes);
  for (const segment of kernel.segments)
    writeGuestPages(xc, domid, frameOf, segment.va - kernel.virtBase, segment.bytes);
  if (kernel.hypercallPage !== undefined)
    xc.hypercallInit(domid, mfns[Math.floor((kernel.hypercallPage - kernel.virtBase) / PAGE_SIZE)]!);
  if (request.ramdisk) put(layout.ramdisk, request.ramdisk);
  put(layout.p2m, new Uint8Array(Uint32Array.from(mfns).buffer));
  const info = xc.domainInfo(domid);
  if (!info) throw new VmError(`Creating domain failed: domain ${domid} is gone`);
  put(layout.startInfo, startInfoPage(request, kernel, layout, mfns, info.sharedInfoFrame));
  xc.setVcpuContext(domid, 0, entryContext(kernel, layout));
  return { storeMfn: mfns[layout.store]!, consoleMfn: mfns[layout.console]!, notes: kernel.notes };
}

function outOfMemory(reason: string): VmError {
  return new VmError(`(1, 'Out of memory', "${reason}\\n")`);
}

function gunzipped(file: Uint8Array): Uint8Array {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  try {
    return gunzipSync(file);
  } catch {
    throw new VmError(`(2, 'Invalid kernel', 'xc_dom_do_gunzip: inflate failed\\n')`);
  }
}

/** First guest frame of each piece; `end` is the frame after the boot stack. */
interface Layout {
  readonly ramdisk: number;
  readonly p2m: number;
  readonly p2mPages: number;
  readonly startInfo: number;
  readonly store: number;
  readonly console: number;
  readonly pageTables: number;
  readonly stack: number;
  readonly end: number;
}

function layOut(kernel: Kernel, ramdiskBytes: number, totalPages: number): Layout {
  const ramdisk = pagesFor(kernel.end - kernel.virtBase);
  const p2m = ramdisk + pagesFor(ramdiskBytes);
  const p2mPages = pagesFor(totalPages * 4);
  const start = p2m + p2mPages;
  return {
    ramdisk,
    p2m,
    p2mPages,
    startInfo: start,
    store: start + 1,
    console: start + 2,
    pageTables: start + 3,
    stack: start + 4,
    end: start + 5,
  };
}

function startInfoPage(
  request: BuildRequest,
  kernel: Kernel,
  layout: Layout,
  mfns: readonly number[],
  sharedInfoFrame: number,
): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  const set = (offset: number, value: number) => view.setUint32(offset, value, true);
  const va = (pfn: number) => kernel.virtBase + pfn * PAGE_SIZE;
  page.set(new TextEncoder().encode(START_INFO_MAGIC), startInfo.magic);
  set(startInfo.nr_pages, mfns.length);
  set(startInfo.shared_info, sharedInfoFrame * PAGE_SIZE);
  set(startInfo.flags, 0);
  set(startInfo.store_mfn, mfns[layout.store]!);
  set(startInfo.store_evtchn, request.storePort);
  set(startInfo.console_mfn, mfns[layout.console]!);
  set(startInfo.console_evtchn, request.consolePort);
  set(startInfo.pt_base, va(layout.pageTables));
  set(startInfo.nr_pt_frames, 1);
  set(startInfo.mfn_list, va(layout.p2m));
  if (request.ramdisk) {
    set(startInfo.mod_start, va(layout.ramdisk));
    set(startInfo.mod_len, request.ramdisk.length);
  }
  page.set(new TextEncoder().encode(request.cmdline).subarray(0, MAX_GUEST_CMDLINE - 1), startInfo.cmd_line);
  return page;
}

function entryContext(kernel: Kernel, layout: Layout): Uint8Array {
  const context = new Uint8Array(VCPU_GUEST_CONTEXT_SIZE);
  const view = new DataView(context.buffer);
  const regs = vcpuGuestContext.user_regs;
  const va = (pfn: number) => kernel.virtBase + pfn * PAGE_SIZE;
  const stackTop = va(layout.stack + 1);
  view.setUint32(vcpuGuestContext.flags, VGCF_in_kernel | VGCF_online, true);
  view.setUint32(regs + userRegs.eip, kernel.entry, true);
  view.setUint32(regs + userRegs.esp, stackTop, true);
  view.setUint32(regs + userRegs.esi, va(layout.startInfo), true);
  view.setUint32(regs + userRegs.eflags, 0x200, true);
  view.setUint16(regs + userRegs.cs, FLAT_RING1_CS, true);
  for (const segment of [userRegs.ss, userRegs.ss + 4, userRegs.ss + 8, userRegs.ss + 12, userRegs.ss + 16])
    view.setUint16(regs + segment, FLAT_RING1_DS, true);
  // kernel_ss and kernel_sp: where Xen switches to when it enters the kernel.
  view.setUint32(2708, FLAT_RING1_DS, true);
  view.setUint32(2712, stackTop, true);
  return context;
}
