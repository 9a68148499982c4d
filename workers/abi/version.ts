/** What a guest may ask about the hypervisor (xen/include/public/version.h, features.h). */
export const XENVER_version = 0;
export const XENVER_extraversion = 1; // char[16]
export const XENVER_compile_info = 2; // 144: compiler[64] 0, compile_by[16] 64, compile_domain[32] 80, compile_date[32] 112
export const XENVER_capabilities = 3; // char[1024]
export const XENVER_changeset = 4; // char[64]
export const XENVER_platform_parameters = 5; // ul virt_start
export const XENVER_get_features = 6; // submap_idx u32 0 in, submap u32 4 out
export const XENVER_pagesize = 7; // argument NULL
export const XENVER_guest_handle = 8; // 16 bytes

export const COMPILE_INFO_SIZE = 144;
export const compileInfo = { compiler: 0, compile_by: 64, compile_domain: 80, compile_date: 112 } as const;

export const XENFEAT_writable_page_tables = 0;
export const XENFEAT_auto_translated_physmap = 2;
export const XENFEAT_supervisor_mode_kernel = 3;
export const XENFEAT_pae_pgdir_above_4gb = 4;
export const XENFEAT_mmu_pt_update_preserve_ad = 5;
export const XENFEAT_highmem_assist = 6;
export const XENFEAT_gnttab_map_avail_bits = 7;
/** From Xen 4: events may come as an interrupt vector; the time record is right for a domain with its own page tables. */
export const XENFEAT_hvm_callback_vector = 8;
export const XENFEAT_hvm_safe_pvclock = 9;

/** vm_assist (xen.h). */
export const VMASST_CMD_enable = 0;
export const VMASST_CMD_disable = 1;
export const VMASST_TYPE_4gb_segments = 0;
export const VMASST_TYPE_4gb_segments_notify = 1;
export const VMASST_TYPE_writable_pagetables = 2;
export const VMASST_TYPE_pae_extended_cr3 = 3;
