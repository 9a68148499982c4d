/**
 * Where everything goes in the memory of a domain whose kernel is entered through its PHYS32_ENTRY note (the boot protocol
 * of PVH domains, docs/misc/pvh.pandoc in Xen 4; libxc's xc_dom_hvmloader.c and xc_dom_x86.c).
 *
 * From address 0: start information with command line and memory map, the hole of a PC's video memory, ACPI tables; from
 * 1 MiB the kernel; at the top of memory the ramdisk, and above it the pages that the domain shares with Domain-0.
 */
import {
  HVM_MEMMAP_ENTRY_SIZE,
  HVM_MODLIST_ENTRY_SIZE,
  HVM_START_INFO_SIZE,
  HVM_START_MAGIC,
  hvmMemmapEntry,
  hvmModlistEntry,
  hvmStartInfo,
  MEMMAP_ACPI,
  MEMMAP_RAM,
  MEMMAP_RESERVED,
} from '../../abi/hvmStartInfo';
import { PAGE_SIZE } from '../../abi/xen';
import { VmError } from '../errors';
import { acpiTables } from './acpi';
import type { PvhKernel } from './pvhKernel';

const START_INFO = 0x1000;
const CMDLINE = 0x2000;
const MAX_CMDLINE = 0x1000;
const LOW_MEMORY_END = 0xa_0000;
const ACPI_TABLES = 0xe_0000;
const ACPI_SIZE = 0x1_0000;
const HIGH_MEMORY = 0x10_0000;
/** Guest frames 0xa0–0xbf are video memory on a PC: nothing stands there. */
const VIDEO_FIRST = 0xa0;
const VIDEO_END = 0xc0;
/** Pages at the top that the kernel must leave alone; the last two are the rings of console and xenstore. */
const SPECIAL_PAGES = 16;
/** What a kernel needs beyond its own size to come up at all. */
const WORKING_MEMORY = 2 << 20;

export interface PvhPlan {
  readonly kernel: PvhKernel;
  readonly ramdisk: Uint8Array | undefined;
  readonly cmdline: string;
  /** Guest frames, those of the video hole included. */
  readonly pages: number;
}

export interface PvhLayout {
  /** Guest frames to populate. */
  readonly frames: readonly number[];
  readonly pieces: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  readonly entry: number;
  /** Physical address of hvm_start_info, EBX at entry. */
  readonly startInfo: number;
  readonly storePfn: number;
  readonly consolePfn: number;
}

/** Throws VmError when the memory does not suffice. */
export function layOutPvh({ kernel, ramdisk, cmdline, pages }: PvhPlan): PvhLayout {
  const top = (pages - SPECIAL_PAGES) * PAGE_SIZE;
  const ramdiskAt = Math.floor((top - (ramdisk?.length ?? 0)) / PAGE_SIZE) * PAGE_SIZE;
  if (kernel.segments.some(({ address }) => address < HIGH_MEMORY))
    throw new VmError(`(2, 'Invalid kernel', 'xc_dom_parse_elf_kernel: kernel is not loaded above 1 MiB\\n')`);
  if (kernel.end + WORKING_MEMORY > ramdiskAt)
    throw new VmError(`(1, 'Out of memory', "xc_dom_alloc_segment: segment ramdisk too large\\n")`);
  const pieces = kernel.segments.map(({ address, bytes }) => ({ address, bytes }));
  pieces.push({ address: ACPI_TABLES, bytes: acpiTables(ACPI_TABLES) });
  pieces.push({
    address: START_INFO,
    bytes: startInfoPage(ramdisk && { address: ramdiskAt, size: ramdisk.length }, pages),
  });
  pieces.push({ address: CMDLINE, bytes: new TextEncoder().encode(cmdline).subarray(0, MAX_CMDLINE - 1) });
  if (ramdisk) pieces.push({ address: ramdiskAt, bytes: ramdisk });
  const frames: number[] = [];
  for (let pfn = 0; pfn < pages; pfn++) if (pfn < VIDEO_FIRST || pfn >= VIDEO_END) frames.push(pfn);
  return {
    frames,
    pieces,
    entry: kernel.entry,
    startInfo: START_INFO,
    storePfn: pages - 1,
    consolePfn: pages - 2,
  };
}

/** hvm_start_info, then the list of modules, then the memory map. */
function startInfoPage(
  ramdisk: { readonly address: number; readonly size: number } | undefined,
  pages: number,
): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  const modules = HVM_START_INFO_SIZE;
  const map = modules + HVM_MODLIST_ENTRY_SIZE;
  const top = (pages - SPECIAL_PAGES) * PAGE_SIZE;
  const ranges = [
    [0, LOW_MEMORY_END, MEMMAP_RAM],
    [ACPI_TABLES, ACPI_SIZE, MEMMAP_ACPI],
    [HIGH_MEMORY, top - HIGH_MEMORY, MEMMAP_RAM],
    [top, SPECIAL_PAGES * PAGE_SIZE, MEMMAP_RESERVED],
  ].filter(([, size]) => size! > 0);
  const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  view.setUint32(hvmStartInfo.magic, HVM_START_MAGIC, true);
  view.setUint32(hvmStartInfo.version, 1, true);
  u64(hvmStartInfo.cmdline_paddr, CMDLINE);
  u64(hvmStartInfo.rsdp_paddr, ACPI_TABLES);
  u64(hvmStartInfo.memmap_paddr, START_INFO + map);
  view.setUint32(hvmStartInfo.memmap_entries, ranges.length, true);
  if (ramdisk) {
    view.setUint32(hvmStartInfo.nr_modules, 1, true);
    u64(hvmStartInfo.modlist_paddr, START_INFO + modules);
    u64(modules + hvmModlistEntry.paddr, ramdisk.address);
    u64(modules + hvmModlistEntry.size, ramdisk.size);
  }
  ranges.forEach(([address, size, type], i) => {
    const at = map + i * HVM_MEMMAP_ENTRY_SIZE;
    u64(at + hvmMemmapEntry.addr, address!);
    u64(at + hvmMemmapEntry.size, size!);
    view.setUint32(at + hvmMemmapEntry.type, type!, true);
  });
  return page;
}
