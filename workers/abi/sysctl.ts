/** What the toolstack may do to the machine (xen/include/public/sysctl.h, interface version 6). xen_sysctl: 136 bytes. */
export const SYSCTL_SIZE = 136;
export const XEN_SYSCTL_INTERFACE_VERSION = 6;

/** Offsets in xen_sysctl; the union's members are given relative to `u`. */
export const sysctl = { cmd: 0, interface_version: 4, u: 8 } as const;

export const XEN_SYSCTL_readconsole = 1; // clear u8 0, incremental u8 1, index u32 4, buffer* 8, count u32 16
export const XEN_SYSCTL_tbuf_op = 2; // cmd u32 0, cpumap 8 (bitmap* 8, nr_cpus u32 16), evt_mask u32 24, buffer_mfn u64 32, size u32 40
export const XEN_SYSCTL_physinfo = 3; // see physInfo
export const XEN_SYSCTL_sched_id = 4; // sched_id u32 0
export const XEN_SYSCTL_perfc_op = 5;
export const XEN_SYSCTL_getdomaininfolist = 6; // first_domain u16 0, max_domains u32 4, buffer* 8, num_domains u32 16
export const XEN_SYSCTL_debug_keys = 7; // keys* 0, nr_keys u32 8
export const XEN_SYSCTL_getcpuinfo = 8; // max_cpus u32 0, info* 8, nr_cpus u32 16
export const XEN_SYSCTL_availheap = 9; // min_bitwidth u32 0, max_bitwidth u32 4, node s32 8, avail_bytes u64 16
export const XEN_SYSCTL_get_pmstat = 10;
export const XEN_SYSCTL_cpu_hotplug = 11; // cpu u32 0, op u32 4
export const XEN_SYSCTL_pm_op = 12;
export const XEN_SYSCTL_page_offline_op = 14;

export const XEN_SYSCTL_TBUFOP_get_info = 0;
export const XEN_SYSCTL_TBUFOP_set_cpu_mask = 1;
export const XEN_SYSCTL_TBUFOP_set_evt_mask = 2;
export const XEN_SYSCTL_TBUFOP_set_size = 3;
export const XEN_SYSCTL_TBUFOP_enable = 4;
export const XEN_SYSCTL_TBUFOP_disable = 5;

/** xen_sysctl_physinfo, relative to the union. */
export const physInfo = {
  threads_per_core: 0,
  cores_per_socket: 4,
  nr_cpus: 8,
  nr_nodes: 12,
  cpu_khz: 16,
  total_pages: 24,
  free_pages: 32,
  scrub_pages: 40,
  hw_cap: 48,
  max_cpu_id: 80,
  cpu_to_node: 88,
  capabilities: 96,
} as const;
