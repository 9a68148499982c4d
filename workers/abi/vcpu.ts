/** Operations on a domain's own vcpus (xen/include/public/vcpu.h) and the part of vcpu_guest_context a kernel fills in. */
export const VCPUOP_initialise = 0;
export const VCPUOP_up = 1;
export const VCPUOP_down = 2;
export const VCPUOP_is_up = 3;
export const VCPUOP_get_runstate_info = 4;
export const VCPUOP_register_runstate_memory_area = 5;
export const VCPUOP_set_periodic_timer = 6;
export const VCPUOP_stop_periodic_timer = 7;
export const VCPUOP_set_singleshot_timer = 8;
export const VCPUOP_stop_singleshot_timer = 9;
export const VCPUOP_register_vcpu_info = 10;
export const VCPUOP_send_nmi = 11;
export const VCPUOP_get_physid = 12;

/** vcpu_guest_context of a 32-bit guest: 2800 bytes. */
export const VCPU_GUEST_CONTEXT_SIZE = 2800;
export const vcpuGuestContext = {
  flags: 512,
  user_regs: 516,
  ctrlreg: 2716,
  event_callback_cs: 2780,
  event_callback_eip: 2784,
} as const;
/** cpu_user_regs, offsets inside user_regs. */
export const userRegs = {
  ebx: 0,
  ecx: 4,
  edx: 8,
  esi: 12,
  edi: 16,
  ebp: 20,
  eax: 24,
  eip: 32,
  cs: 36,
  eflags: 40,
  esp: 44,
  ss: 48,
  es: 52,
  ds: 56,
  fs: 60,
  gs: 64,
} as const;
export const VGCF_in_kernel = 4;
export const VGCF_online = 32;

/** vcpu_runstate_info, 44 bytes: state s32 @0, state_entry_time u64 @4, time[4] u64 @12. */
export const RUNSTATE_INFO_SIZE = 44;
export const runstateInfo = { state: 0, state_entry_time: 4, time: 12 } as const;
/** VCPUOP_set_singleshot_timer: fail with ETIME when the time has passed. */
export const VCPU_SSHOTTMR_future = 1;
