/** Page-table operations of paravirtual guests (xen/include/public/xen.h) and PAE page-table entries. */
export const MMU_NORMAL_PT_UPDATE = 0;
export const MMU_MACHPHYS_UPDATE = 1;
export const MMU_PT_UPDATE_PRESERVE_AD = 2;
/** mmu_update: ptr u64 @0 (low 2 bits: command), val u64 @8. */
export const MMU_UPDATE_SIZE = 16;

export const MMUEXT_PIN_L1_TABLE = 0;
export const MMUEXT_PIN_L4_TABLE = 3;
export const MMUEXT_UNPIN_TABLE = 4;
export const MMUEXT_NEW_BASEPTR = 5;
export const MMUEXT_TLB_FLUSH_LOCAL = 6;
export const MMUEXT_INVLPG_LOCAL = 7;
export const MMUEXT_TLB_FLUSH_MULTI = 8;
export const MMUEXT_INVLPG_MULTI = 9;
export const MMUEXT_TLB_FLUSH_ALL = 10;
export const MMUEXT_INVLPG_ALL = 11;
export const MMUEXT_FLUSH_CACHE = 12;
export const MMUEXT_SET_LDT = 13;
export const MMUEXT_CLEAR_PAGE = 16;
export const MMUEXT_COPY_PAGE = 17;
/** mmuext_op: cmd u32 @0, arg1 u32 @4, arg2 u32 @8. */
export const MMUEXT_OP_SIZE = 12;

export const PAGE_PRESENT = 1;
export const PAGE_RW = 2;

/** The machine frame in a PAE page-table entry given as two halves. */
export function pteFrame(low: number, high: number): number {
  return (low >>> 12) + (high & 0xffffff) * 0x10_0000;
}

/** The low half of an entry that maps a frame below 4 GiB. */
export function makePte(mfn: number, flags: number): number {
  return ((mfn << 12) | flags) >>> 0;
}

/** Xen's hole in the address space of a PAE guest starts here (XENVER_platform_parameters). */
export const HYPERVISOR_VIRT_START = 0xf580_0000;
export const MACH2PHYS_VIRT_START = 0xf580_0000;
export const MACH2PHYS_VIRT_END = 0xf680_0000;
