/**
 * Grant tables, version 1 (xen/include/public/grant_table.h): how a domain lets another one use a page of its own.
 * A shared entry is 8 bytes: flags u16 @0, domid u16 @2, frame u32 @4.
 */
export const GRANT_ENTRY_SIZE = 8;
export const GRANT_ENTRIES_PER_FRAME = 512;
/** Never handed out by a guest's allocator. */
export const NR_RESERVED_GRANTS = 8;

export const GTF_invalid = 0;
export const GTF_permit_access = 1;
export const GTF_accept_transfer = 2;
export const GTF_type_mask = 3;
export const GTF_readonly = 4;
export const GTF_reading = 8;
export const GTF_writing = 16;

export const GNTTABOP_map_grant_ref = 0; // 32: host_addr u64 0, flags u32 8, ref u32 12, dom u16 16, status s16 18, handle u32 20, dev_bus_addr u64 24
export const GNTTABOP_unmap_grant_ref = 1; // 24: host_addr u64 0, dev_bus_addr u64 8, handle u32 16, status s16 20
export const GNTTABOP_setup_table = 2; // 16: dom u16 0, nr_frames u32 4, status s16 8, frame_list* 12
export const GNTTABOP_dump_table = 3; // 4: dom u16 0, status s16 2
export const GNTTABOP_transfer = 4; // 16: mfn 0, domid u16 4, ref u32 8, status s16 12
export const GNTTABOP_copy = 5; // 24: source {ref|gmfn u32 0, domid u16 4, offset u16 6}, dest {8, 12, 14}, len u16 16, flags u16 18, status s16 20
export const GNTTABOP_query_size = 6; // 16: dom u16 0, nr_frames u32 4, max_nr_frames u32 8, status s16 12
export const GNTTABOP_unmap_and_replace = 7; // 24: host_addr u64 0, new_addr u64 8, handle u32 16, status s16 20

export const GNTMAP_device_map = 1;
export const GNTMAP_host_map = 2;
export const GNTMAP_readonly = 4;
export const GNTMAP_contains_pte = 16;
export const GNTCOPY_source_gref = 1;
export const GNTCOPY_dest_gref = 2;

export const GNTST_okay = 0;
export const GNTST_general_error = -1;
export const GNTST_bad_domain = -2;
export const GNTST_bad_gntref = -3;
export const GNTST_bad_handle = -4;
export const GNTST_bad_virt_addr = -5;
export const GNTST_bad_dev_addr = -6;
export const GNTST_no_device_space = -7;
export const GNTST_permission_denied = -8;
export const GNTST_bad_page = -9;
export const GNTST_bad_copy_arg = -10;
export const GNTST_address_too_big = -11;

/** Texts of the statuses, index −status (GNTTABOP_error_msgs). */
export const grantStatusText: readonly string[] = [
  'okay',
  'undefined error',
  'unrecognised domain id',
  'invalid grant reference',
  'invalid mapping handle',
  'invalid virtual address',
  'invalid device address',
  'no spare translation slot in the I/O MMU',
  'permission denied',
  'bad page',
  'copy arguments cross page boundary',
  'page address size too large',
];
