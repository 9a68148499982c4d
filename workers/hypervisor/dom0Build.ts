/**
 * Domain-0 is built by the hypervisor itself, from the kernel and ramdisk that the boot loader left in memory.
 *
 * Source: construct_dom0 in xen/arch/x86/domain_build.c, Xen 3.4.
 */
import { VIRT_BASE } from '../abi/cpu';
import { SIF_INITDOMAIN, SIF_PRIVILEGED, START_INFO_MAGIC, startInfo } from '../abi/startInfo';
import { userRegs, VCPU_GUEST_CONTEXT_SIZE, VGCF_in_kernel, VGCF_online, vcpuGuestContext } from '../abi/vcpu';
import { DOM0, MAX_VIRT_CPUS, type Mfn, PAGE_SIZE } from '../abi/xen';
import { XenError } from '../lib/errno';
import { dom0Pages, integerOption, parseDom0Memory } from './commandLine';
import type { Domain } from './domain';
import { type KernelImage, readElf } from './elf';
import type { Hypervisor } from './hypervisor';
import { bringUp, buildDomain, setMaxVcpus, unpauseByController } from './lifecycle';
import { MAX_PFNS } from './memory/p2m';
import { setPhysmap } from './memory/physmap';

export interface Dom0Options {
  /** MiB; what `dom0_mem` says wins. Undefined: all but a sixteenth (128 MiB at most). */
  readonly memoryMiB?: number;
  /** An i386 ELF file, or the instructions themselves (loaded at, and entered at, 1 MiB of its memory). */
  readonly kernel: Uint8Array;
  readonly cmdline: string;
  /** What `dom0_max_vcpus` says wins. Undefined: one per pcpu. */
  readonly vcpus?: number;
  readonly ramdisk?: Uint8Array;
}

const FLAT_KERNEL_OFFSET = 0x10_0000;
const KIB_512 = 0x8_0000;
const MIB_4 = 0x40_0000;
const DOM0_HANDLE = new Uint8Array(16);
const FLAT_RING1_CS = 0xe019;
const FLAT_RING1_DS = 0xe021;
const EFLAGS_IF = 0x200;

/** Where the parts of a new paravirtual domain lie in its memory (virtual addresses). */
export interface Layout {
  readonly kernel: readonly [number, number];
  readonly ramdisk: readonly [number, number];
  readonly p2m: readonly [number, number];
  readonly startInfo: readonly [number, number];
  readonly pageTables: readonly [number, number];
  readonly stack: readonly [number, number];
  readonly end: number;
}

const pageUp = (address: number) => Math.ceil(address / PAGE_SIZE) * PAGE_SIZE;

/** One page-aligned part after another; the initial mapping ends on 4 MiB with 512 KiB to spare. */
export function layOut(kernelStart: number, kernelEnd: number, ramdiskBytes: number, pages: number): Layout {
  const part = (start: number, bytes: number): [number, number] => [start, start + bytes];
  const ramdisk = part(pageUp(kernelEnd), ramdiskBytes);
  const p2m = part(pageUp(ramdisk[1]), pages * 4);
  const info = part(pageUp(p2m[1]), PAGE_SIZE);
  for (let tables = 1; ; tables++) {
    const pageTables = part(info[1], tables * PAGE_SIZE);
    const stack = part(pageTables[1], PAGE_SIZE);
    const end = Math.ceil((stack[1] + KIB_512) / MIB_4) * MIB_4;
    // PAE: one L3, an L2 per GiB that is touched, an L1 per 2 MiB.
    const base = Math.floor(kernelStart / MIB_4) * MIB_4;
    const l2s = Math.floor((end - 1) / 2 ** 30) - Math.floor(base / 2 ** 30) + 1;
    if (tables >= 1 + Math.max(4, l2s) + Math.ceil((end - base) / 2 ** 21)) {
      return { kernel: [kernelStart, kernelEnd], ramdisk, p2m, startInfo: info, pageTables, stack, end };
    }
  }
}

/** Builds and starts Domain-0. Throws XenError ENOMEM or EINVAL with what Xen would panic about. */
export function buildDom0(hv: Hypervisor, options: Dom0Options): Domain {
  const image = readKernel(options.kernel);
  const ramdisk = options.ramdisk ?? new Uint8Array(0);
  hv.console.print('*** LOADING DOMAIN 0 ***');
  hv.console.print(' Xen  kernel: 32-bit, PAE, lsb');
  const physical = (va: number) => `0x${(va - VIRT_BASE).toString(16)}`;
  hv.console.print(` Dom0 kernel: 32-bit, PAE, lsb, paddr ${physical(image.start)} -> ${physical(image.end)}`);

  const wish = hv.options.get('dom0_mem') ?? (options.memoryMiB === undefined ? undefined : `${options.memoryMiB}M`);
  // A kernel without high memory: what does not fit below Xen's hole stays free.
  const pages = Math.min(MAX_PFNS, dom0Pages(parseDom0Memory(wish), hv.memory.freePages));
  const layout = layOut(image.start, image.end, ramdisk.length, pages);
  if (layout.stack[1] - VIRT_BASE > pages * PAGE_SIZE) {
    throw new XenError('ENOMEM', 'Domain 0 allocation is too small for kernel image.');
  }
  const domain = buildDomain(hv, DOM0, DOM0_HANDLE, 0);
  const first = hv.memory.allocateRunFor(domain, pages);
  if (first === undefined) throw new XenError('ENOMEM', 'Not enough RAM for domain 0 allocation.');
  for (let pfn = 0; pfn < pages; pfn++) setPhysmap(domain, pfn, (first + pfn) as Mfn);
  printArrangement(hv, first, pages, layout, image.entry);

  const limit = integerOption(hv.options, 'dom0_max_vcpus') ?? options.vcpus ?? hv.schedule.pcpus.length;
  const vcpus = Math.max(1, Math.min(limit || hv.schedule.pcpus.length, MAX_VIRT_CPUS));
  setMaxVcpus(hv, domain, vcpus);
  hv.console.print(`Dom0 has maximum ${vcpus} VCPUs`);

  for (const { va, bytes } of image.segments) domain.space.write(va, bytes);
  if (ramdisk.length > 0) domain.space.write(layout.ramdisk[0], ramdisk);
  writeP2m(domain, layout.p2m[0], first, pages);
  writeStartInfo(hv, domain, layout, pages, options.cmdline);
  domain.vcpus[0]!.context = entryContext(image.entry, layout);
  return domain;
}

/** Lets Domain-0 run. */
export function startDom0(hv: Hypervisor, domain: Domain): void {
  bringUp(hv, domain.vcpus[0]!);
  unpauseByController(hv, domain);
}

function readKernel(kernel: Uint8Array): KernelImage {
  const isElf = kernel[0] === 0x7f && kernel[1] === 0x45;
  if (isElf) {
    const image = readElf(kernel);
    if (image.start < VIRT_BASE) throw new XenError('EINVAL', 'Mismatch between Xen and DOM0 kernel');
    return image;
  }
  const start = VIRT_BASE + FLAT_KERNEL_OFFSET;
  const end = start + kernel.length;
  return { segments: [{ va: start, bytes: kernel, memorySize: kernel.length }], entry: start, start, end };
}

function writeP2m(domain: Domain, va: number, first: number, pages: number): void {
  const list = new Uint32Array(pages);
  for (let pfn = 0; pfn < pages; pfn++) list[pfn] = first + pfn;
  domain.space.write(va, new Uint8Array(list.buffer));
}

function writeStartInfo(hv: Hypervisor, domain: Domain, layout: Layout, pages: number, cmdline: string): void {
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  const put = (offset: number, value: number) => view.setUint32(offset, value, true);
  const [ramdisk, ramdiskEnd] = layout.ramdisk;
  const text = [cmdline, hv.commandLine.dom0].filter((part) => part !== '').join(' ');
  page.set(new TextEncoder().encode(START_INFO_MAGIC), startInfo.magic);
  put(startInfo.nr_pages, pages);
  put(startInfo.shared_info, domain.sharedInfoMfn * PAGE_SIZE);
  put(startInfo.flags, SIF_PRIVILEGED | SIF_INITDOMAIN);
  put(startInfo.pt_base, layout.pageTables[0]);
  put(startInfo.nr_pt_frames, (layout.pageTables[1] - layout.pageTables[0]) / PAGE_SIZE);
  put(startInfo.mfn_list, layout.p2m[0]);
  if (ramdiskEnd > ramdisk) {
    put(startInfo.mod_start, ramdisk);
    put(startInfo.mod_len, ramdiskEnd - ramdisk);
  }
  page.set(new TextEncoder().encode(text).subarray(0, 1023), startInfo.cmd_line);
  domain.space.write(layout.startInfo[0], page);
}

function entryContext(entry: number, layout: Layout): Uint8Array {
  const context = new Uint8Array(VCPU_GUEST_CONTEXT_SIZE);
  const view = new DataView(context.buffer);
  const register = (offset: number, value: number) => view.setUint32(vcpuGuestContext.user_regs + offset, value, true);
  view.setUint32(vcpuGuestContext.flags, VGCF_in_kernel | VGCF_online, true);
  register(userRegs.eip, entry);
  register(userRegs.esp, layout.stack[1]);
  register(userRegs.esi, layout.startInfo[0]);
  register(userRegs.cs, FLAT_RING1_CS);
  register(userRegs.ss, FLAT_RING1_DS);
  for (const segment of [52, 56, 60, 64]) register(segment, FLAT_RING1_DS);
  register(userRegs.eflags, EFLAGS_IF);
  return context;
}

function printArrangement(hv: Hypervisor, first: number, pages: number, layout: Layout, entry: number): void {
  const address = (value: number) => value.toString(16).padStart(8, '0');
  const machine = (frame: number) => (frame * PAGE_SIZE).toString(16).padStart(16, '0');
  const range = ([from, to]: readonly [number, number]) => `${address(from)}->${address(to)}`;
  const print = (line: string) => hv.console.print(line);
  print('PHYSICAL MEMORY ARRANGEMENT:');
  print(` Dom0 alloc.:   ${machine(first)}->${machine(first + pages)}`);
  print('VIRTUAL MEMORY ARRANGEMENT:');
  print(` Loaded kernel: ${range(layout.kernel)}`);
  print(` Init. ramdisk: ${range(layout.ramdisk)}`);
  print(` Phys-Mach map: ${range(layout.p2m)}`);
  print(` Start info:    ${range(layout.startInfo)}`);
  print(` Page tables:   ${range(layout.pageTables)}`);
  print(` Boot stack:    ${range(layout.stack)}`);
  print(` TOTAL:         ${range([Math.floor(layout.kernel[0] / MIB_4) * MIB_4, layout.end])}`);
  print(` ENTRY ADDRESS: ${address(entry)}`);
}
