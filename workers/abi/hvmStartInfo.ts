/** What a kernel that is entered directly gets to know (hvm_start_info, xen/include/public/arch-x86/hvm/start_info.h, Xen 4). */
export const HVM_START_MAGIC = 0x336e_c578;
export const HVM_START_INFO_SIZE = 56;
export const hvmStartInfo = {
  magic: 0,
  version: 4,
  flags: 8,
  nr_modules: 12,
  modlist_paddr: 16,
  cmdline_paddr: 24,
  rsdp_paddr: 32,
  memmap_paddr: 40,
  memmap_entries: 48,
} as const;

export const HVM_MODLIST_ENTRY_SIZE = 32;
export const hvmModlistEntry = { paddr: 0, size: 8, cmdline_paddr: 16 } as const;

export const HVM_MEMMAP_ENTRY_SIZE = 24;
export const hvmMemmapEntry = { addr: 0, size: 8, type: 16 } as const;
export const MEMMAP_RAM = 1;
export const MEMMAP_RESERVED = 2;
export const MEMMAP_ACPI = 3;

/** ELF note of owner "Xen": physical address at which the kernel is entered in 32-bit mode without paging. */
export const XEN_ELFNOTE_PHYS32_ENTRY = 18;
