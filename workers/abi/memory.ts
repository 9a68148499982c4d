/** Memory reservation and maps (xen/include/public/memory.h). */
export const XENMEM_increase_reservation = 0;
export const XENMEM_decrease_reservation = 1;
export const XENMEM_maximum_ram_page = 2;
export const XENMEM_current_reservation = 3;
export const XENMEM_maximum_reservation = 4;
export const XENMEM_machphys_mfn_list = 5;
export const XENMEM_populate_physmap = 6;
export const XENMEM_add_to_physmap = 7;
export const XENMEM_memory_map = 9;
export const XENMEM_machine_memory_map = 10;
export const XENMEM_exchange = 11;
export const XENMEM_machphys_mapping = 12;
export const XENMEM_set_memory_map = 13;
export const XENMEM_maximum_gpfn = 14;

/** xen_add_to_physmap, 16 bytes: what Xen shows the domain at `gpfn`. */
export const addToPhysmap = { domid: 0, space: 4, idx: 8, gpfn: 12 } as const;
export const ADD_TO_PHYSMAP_SIZE = 16;
export const XENMAPSPACE_shared_info = 0;
export const XENMAPSPACE_grant_table = 1;

/** xen_memory_reservation, 20 bytes. */
export const memoryReservation = { extent_start: 0, nr_extents: 4, extent_order: 8, mem_flags: 12, domid: 16 } as const;
export const MEMORY_RESERVATION_SIZE = 20;
