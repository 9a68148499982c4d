/**
 * Numbers that every part of Xen's interface uses (xen/include/public/xen.h, Xen 3.4): domain ids, hypercall numbers,
 * page size, virtual interrupts. Layouts stand in the other files of this folder, one per public header.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** A domain's number: 0 is Domain-0; 0x7FF0 and up are reserved. */
export type Domid = Branded<'domid'>;
/** An event channel's number inside one domain; port 0 means "no port". */
export type Port = Branded<'port'>;
/** A machine frame number: which 4 KiB of the host's memory. */
export type Mfn = Branded<'mfn'>;
/** A guest's own ("pseudo-physical") frame number. */
export type Pfn = Branded<'pfn'>;
/** A grant reference: index into the granting domain's grant table. */
export type Gref = Branded<'gref'>;

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;

export const DOM0 = 0 as Domid;
export const DOMID_FIRST_RESERVED = 0x7ff0;
export const DOMID_SELF = 0x7ff0 as Domid;
export const DOMID_IO = 0x7ff1 as Domid;
export const DOMID_XEN = 0x7ff2 as Domid;
export const DOMID_INVALID = 0x7fff as Domid;
export const MAX_VIRT_CPUS = 32;
/** A P2M entry without a frame behind it. */
export const INVALID_P2M_ENTRY = 0xffff_ffff;

export const hypercall = {
  set_trap_table: 0,
  mmu_update: 1,
  set_gdt: 2,
  stack_switch: 3,
  set_callbacks: 4,
  fpu_taskswitch: 5,
  sched_op_compat: 6,
  platform_op: 7,
  set_debugreg: 8,
  get_debugreg: 9,
  update_descriptor: 10,
  memory_op: 12,
  multicall: 13,
  update_va_mapping: 14,
  set_timer_op: 15,
  event_channel_op_compat: 16,
  xen_version: 17,
  console_io: 18,
  physdev_op_compat: 19,
  grant_table_op: 20,
  vm_assist: 21,
  update_va_mapping_otherdomain: 22,
  iret: 23,
  vcpu_op: 24,
  set_segment_base: 25,
  mmuext_op: 26,
  xsm_op: 27,
  nmi_op: 28,
  sched_op: 29,
  callback_op: 30,
  xenoprof_op: 31,
  event_channel_op: 32,
  physdev_op: 33,
  hvm_op: 34,
  sysctl: 35,
  domctl: 36,
  kexec_op: 37,
  tmem_op: 38,
} as const;

export const VIRQ_TIMER = 0;
export const VIRQ_DEBUG = 1;
export const VIRQ_CONSOLE = 2;
export const VIRQ_DOM_EXC = 3;
export const VIRQ_TBUF = 4;
export const VIRQ_DEBUGGER = 6;
export const VIRQ_XENOPROF = 7;
export const VIRQ_CON_RING = 8;
export const NR_VIRQS = 24;

/** Why a domain shut down (sched.h). `halt` exists only in the toolstack's vocabulary. */
export const SHUTDOWN_poweroff = 0;
export const SHUTDOWN_reboot = 1;
export const SHUTDOWN_suspend = 2;
export const SHUTDOWN_crash = 3;
