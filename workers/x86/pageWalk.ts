/**
 * Walks a guest's page tables as its processor would, without leaving a trace in them: what a guest pointer in a hypercall
 * means. 32-bit paging with 4 MiB pages and PAE paging with 2 MiB pages (Intel SDM volume 3, chapter 4).
 */
const CR0_PE_PG = 0x8000_0001;
const CR0_WP = 0x1_0000;
const CR4_PSE = 0x10;
const CR4_PAE = 0x20;
const PRESENT = 1;
const WRITABLE = 2;
const LARGE = 0x80;

export interface ControlRegisters {
  readonly cr0: number;
  readonly cr3: number;
  readonly cr4: number;
}

/**
 * The physical address behind a linear one, for an access by the kernel; undefined: a page fault.
 * @param memory the guest's memory from physical address 0
 */
export function walk(
  memory: Uint8Array,
  { cr0, cr3, cr4 }: ControlRegisters,
  va: number,
  isWrite: boolean,
): number | undefined {
  if ((cr0 & CR0_PE_PG) >>> 0 !== CR0_PE_PG) return va;
  const needed = isWrite && (cr0 & CR0_WP) !== 0 ? PRESENT | WRITABLE : PRESENT;
  if ((cr4 & CR4_PAE) !== 0) {
    const pointer = u32(memory, ((cr3 & 0xffff_ffe0) >>> 0) + (va >>> 30) * 8);
    if ((pointer & PRESENT) === 0) return undefined;
    const directory = ((pointer & 0xffff_f000) >>> 0) + ((va >>> 21) & 511) * 8;
    const entry = u32(memory, directory);
    const frame = through(entry, needed);
    if (frame < 0 || (u32(memory, directory + 4) & 0xf) !== 0) return undefined;
    if ((entry & LARGE) !== 0) return ((entry & 0xffe0_0000) >>> 0) + (va & 0x1f_ffff);
    const table = frame + ((va >>> 12) & 511) * 8;
    const page = through(u32(memory, table), needed);
    return page < 0 || (u32(memory, table + 4) & 0xf) !== 0 ? undefined : page + (va & 4095);
  }
  const entry = u32(memory, ((cr3 & 0xffff_f000) >>> 0) + (va >>> 22) * 4);
  const frame = through(entry, needed);
  if (frame < 0) return undefined;
  if ((entry & LARGE) !== 0 && (cr4 & CR4_PSE) !== 0) return ((entry & 0xffc0_0000) >>> 0) + (va & 0x3f_ffff);
  const page = through(u32(memory, frame + ((va >>> 12) & 1023) * 4), needed);
  return page < 0 ? undefined : page + (va & 4095);
}

function u32(memory: Uint8Array, at: number): number {
  if (at + 4 > memory.length) return 0;
  return (memory[at]! | (memory[at + 1]! << 8) | (memory[at + 2]! << 16) | (memory[at + 3]! << 24)) >>> 0;
}

/** Frame address of an entry, or −1 when it does not let an access through that needs these bits. */
function through(entry: number, needed: number): number {
  return (entry & needed) === needed ? (entry & 0xffff_f000) >>> 0 : -1;
}
