/**
 * Core dumps of domains: an ELF file without program headers, whose sections hold notes, processors, pages and their frame
 * numbers (xen/include/public/elfnote.h, tools/libxc/xg_private.h and xc_core.h, Xen 3.4).
 */
export const ELF64_HEADER_SIZE = 64;
export const ELF64_SECTION_SIZE = 64;
export const ET_CORE = 4;
export const EM_386 = 3;
export const SHT_PROGBITS = 1;
export const SHT_STRTAB = 3;
export const SHT_NOTE = 7;

/** Notes' name and types. */
export const XEN_NOTE_NAME = 'Xen\0';
export const XEN_ELFNOTE_DUMPCORE_NONE = 0x200_0000; // nothing
export const XEN_ELFNOTE_DUMPCORE_HEADER = 0x200_0001; // u64 magic, nr_vcpus, nr_pages, page_size
export const XEN_ELFNOTE_DUMPCORE_XEN_VERSION = 0x200_0002; // see versionNote
export const XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION = 0x200_0003; // u64
export const XEN_DUMPCORE_MAGIC_PV = 0xf00f_ebedn;
export const XEN_DUMPCORE_MAGIC_HVM = 0xf00f_ebeen;
export const XEN_DUMPCORE_FORMAT_VERSION = 1n;

/** What 32-bit tools write: 1276 bytes. */
export const VERSION_NOTE_SIZE = 1276;
export const versionNote = {
  major: 0,
  minor: 8,
  extraversion: 16,
  compile_info: 32,
  capabilities: 176,
  changeset: 1200,
  virt_start: 1264,
  pagesize: 1268,
} as const;

/** An entry of .xen_p2m: u64 pfn, u64 gmfn. One of .xen_pfn is the u64 pfn alone. */
export const P2M_RECORD_SIZE = 16;
export const PFN_RECORD_SIZE = 8;
/** Stands for a page that was expected and did not come. */
export const INVALID_RECORD = 0xffff_ffff_ffff_ffffn;
