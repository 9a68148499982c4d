/**
 * What the toolstack may do to domains (xen/include/public/domctl.h, interface version 5). xen_domctl: 144 bytes; 64-bit
 * fields and pointers are 8-byte aligned, so the layout is the same for 32- and 64-bit tools.
 */
export const DOMCTL_SIZE = 144;
export const XEN_DOMCTL_INTERFACE_VERSION = 5;

/** Offsets in xen_domctl; the union's members are given relative to `u`. */
export const domctl = { cmd: 0, interface_version: 4, domain: 8, u: 16 } as const;

export const XEN_DOMCTL_createdomain = 1; // ssidref u32 0, handle[16] 4, flags u32 20
export const XEN_DOMCTL_destroydomain = 2;
export const XEN_DOMCTL_pausedomain = 3;
export const XEN_DOMCTL_unpausedomain = 4;
export const XEN_DOMCTL_getdomaininfo = 5; // see domainInfo
export const XEN_DOMCTL_getmemlist = 6; // max_pfns u64 0, start_pfn u64 8, buffer* 16, num_pfns u64 24
export const XEN_DOMCTL_getpageframeinfo = 7; // gmfn u64 0, type u32 8
export const XEN_DOMCTL_getpageframeinfo2 = 8; // num u64 0, array* 8
export const XEN_DOMCTL_setvcpuaffinity = 9; // vcpu u32 0, bitmap* 8, nr_cpus u32 16
export const XEN_DOMCTL_shadow_op = 10; // see shadowOp
export const XEN_DOMCTL_max_mem = 11; // max_memkb u64 0
export const XEN_DOMCTL_setvcpucontext = 12; // vcpu u32 0, ctxt* 8
export const XEN_DOMCTL_getvcpucontext = 13;
export const XEN_DOMCTL_getvcpuinfo = 14; // vcpu u32 0, online u8 4, blocked u8 5, running u8 6, cpu_time u64 8, cpu u32 16
export const XEN_DOMCTL_max_vcpus = 15; // max u32 0
export const XEN_DOMCTL_scheduler_op = 16; // see schedulerOp
export const XEN_DOMCTL_setdomainhandle = 17; // handle[16] 0
export const XEN_DOMCTL_setdebugging = 18; // enable u8 0
export const XEN_DOMCTL_irq_permission = 19; // pirq u8 0, allow u8 1
export const XEN_DOMCTL_iomem_permission = 20; // first u64 0, nr u64 8, allow u8 16
export const XEN_DOMCTL_ioport_permission = 21; // first u32 0, nr u32 4, allow u8 8
export const XEN_DOMCTL_hypercall_init = 22; // gmfn u64 0
export const XEN_DOMCTL_arch_setup = 23;
export const XEN_DOMCTL_settimeoffset = 24; // seconds s32 0
export const XEN_DOMCTL_getvcpuaffinity = 25;
export const XEN_DOMCTL_resumedomain = 27;
export const XEN_DOMCTL_sendtrigger = 28; // trigger u32 0, vcpu u32 4
export const XEN_DOMCTL_subscribe = 29; // port u32 0
export const XEN_DOMCTL_gethvmcontext = 33; // size u32 0, buffer* 8
export const XEN_DOMCTL_sethvmcontext = 34;
export const XEN_DOMCTL_set_address_size = 35; // size u32 0
export const XEN_DOMCTL_get_address_size = 36;
export const XEN_DOMCTL_set_target = 46; // target u16 0
export const XEN_DOMCTL_set_machine_address_size = 51;
export const XEN_DOMCTL_get_machine_address_size = 52;

/** shadow_op, 40 bytes: whose page tables the processor walks, and which pages were written. */
export const shadowOp = {
  op: 0,
  mode: 4,
  mb: 8,
  dirty_bitmap: 16,
  pages: 24,
  fault_count: 32,
  dirty_count: 36,
} as const;
export const XEN_DOMCTL_SHADOW_OP_OFF = 0;
export const XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY = 2;
export const XEN_DOMCTL_SHADOW_OP_CLEAN = 11;
export const XEN_DOMCTL_SHADOW_OP_PEEK = 12;
export const XEN_DOMCTL_SHADOW_OP_ENABLE = 32;
export const XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT = 2;
export const XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY = 4;
export const XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE = 8;
export const XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL = 16;

export const XEN_DOMCTL_CDF_hvm_guest = 1;
export const XEN_DOMCTL_CDF_hap = 2;
export const XEN_DOMCTL_CDF_s3_integrity = 4;

/** xen_domctl_getdomaininfo, 72 bytes; also the element of getdomaininfolist. */
export const DOMAIN_INFO_SIZE = 72;
export const domainInfo = {
  domain: 0,
  flags: 4,
  tot_pages: 8,
  max_pages: 16,
  shared_info_frame: 24,
  cpu_time: 32,
  nr_online_vcpus: 40,
  max_vcpu_id: 44,
  ssidref: 48,
  handle: 52,
} as const;
export const XEN_DOMINF_dying = 1;
export const XEN_DOMINF_hvm_guest = 2;
export const XEN_DOMINF_shutdown = 4;
export const XEN_DOMINF_paused = 8;
export const XEN_DOMINF_blocked = 16;
export const XEN_DOMINF_running = 32;
export const XEN_DOMINF_debugged = 64;
/** Bits 16–23: why it shut down. */
export const XEN_DOMINF_shutdownshift = 16;

/** xen_domctl_scheduler_op, relative to the union. */
export const schedulerOp = {
  sched_id: 0,
  cmd: 4,
  credit: { weight: 8, cap: 10 },
  sedf: { period: 8, slice: 16, latency: 24, extratime: 32, weight: 36 },
} as const;
export const XEN_SCHEDULER_SEDF = 4;
export const XEN_SCHEDULER_CREDIT = 5;
export const XEN_DOMCTL_SCHEDOP_putinfo = 0;
export const XEN_DOMCTL_SCHEDOP_getinfo = 1;

export const XEN_DOMCTL_SENDTRIGGER_NMI = 0;
export const XEN_DOMCTL_SENDTRIGGER_RESET = 1;
export const XEN_DOMCTL_SENDTRIGGER_INIT = 2;
export const XEN_DOMCTL_SENDTRIGGER_POWER = 3;

/** Page types in getpageframeinfo: no type, and "there is no such page". */
export const XEN_DOMCTL_PFINFO_NOTAB = 0;
export const XEN_DOMCTL_PFINFO_XTAB = 0xf000_0000;
