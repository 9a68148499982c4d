/** Operations by which a vcpu gives its time away (xen/include/public/sched.h). */
export const SCHEDOP_yield = 0;
export const SCHEDOP_block = 1;
export const SCHEDOP_shutdown = 2; // 4: reason u32 0
export const SCHEDOP_poll = 3; // 16: ports* 0, nr_ports u32 4, timeout u64 8
export const SCHEDOP_remote_shutdown = 4; // 8: domid u16 0, reason u32 4
