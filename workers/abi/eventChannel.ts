/** Operations on event channels (xen/include/public/event_channel.h). Structures: the comment behind each number. */
export const EVTCHNOP_bind_interdomain = 0; // 12: remote_dom u16 0, remote_port u32 4, local_port u32 8 out
export const EVTCHNOP_bind_virq = 1; // 12: virq u32 0, vcpu u32 4, port u32 8 out
export const EVTCHNOP_bind_pirq = 2; // 12: pirq u32 0, flags u32 4, port u32 8 out
export const EVTCHNOP_close = 3; // 4: port u32 0
export const EVTCHNOP_send = 4; // 4: port u32 0
export const EVTCHNOP_status = 5; // 24: dom u16 0, port u32 4, status u32 8, vcpu u32 12, union 16
export const EVTCHNOP_alloc_unbound = 6; // 8: dom u16 0, remote_dom u16 2, port u32 4 out
export const EVTCHNOP_bind_ipi = 7; // 8: vcpu u32 0, port u32 4 out
export const EVTCHNOP_bind_vcpu = 8; // 8: port u32 0, vcpu u32 4
export const EVTCHNOP_unmask = 9; // 4: port u32 0
export const EVTCHNOP_reset = 10; // 4: dom u16 0

export const EVTCHNSTAT_closed = 0;
export const EVTCHNSTAT_unbound = 1;
export const EVTCHNSTAT_interdomain = 2;
export const EVTCHNSTAT_pirq = 3;
export const EVTCHNSTAT_virq = 4;
export const EVTCHNSTAT_ipi = 5;
