/** Trace records (xen/include/public/trace.h): what happened on a pcpu and when, for xentrace. */
export const TRC_GEN = 0x0001f000;
export const TRC_SCHED = 0x0002f000;
export const TRC_DOM0OP = 0x0004f000;
export const TRC_MEM = 0x0010f000;
export const TRC_PV = 0x0020f000;

export const TRC_LOST_RECORDS = TRC_GEN + 1;
export const TRC_TRACE_WRAP_BUFFER = TRC_GEN + 2;
/** Plus old run state << 8, plus new run state << 4; word: domid << 16 | vcpu. */
export const TRC_SCHED_RUNSTATE_CHANGE = 0x21001;
export const TRC_SCHED_CONTINUE_RUNNING = 0x21002;
export const TRC_SCHED_DOM_ADD = 0x28001;
export const TRC_SCHED_DOM_REM = 0x28002;
export const TRC_SCHED_SLEEP = 0x28003;
export const TRC_SCHED_WAKE = 0x28004;
export const TRC_SCHED_YIELD = 0x28005;
export const TRC_SCHED_BLOCK = 0x28006;
export const TRC_SCHED_SHUTDOWN = 0x28007;
export const TRC_SCHED_ADJDOM = 0x28009;
/** Words: domid and vcpu that stop, domid and vcpu that start. */
export const TRC_SCHED_SWITCH = 0x2800a;
/** Words: domid, ns it ran. */
export const TRC_SCHED_SWITCH_INFPREV = 0x2800e;
/** Words: domid, ns it waited, ns of its slice. */
export const TRC_SCHED_SWITCH_INFNEXT = 0x2800f;
export const TRC_MEM_PAGE_GRANT_MAP = TRC_MEM + 1;
export const TRC_MEM_PAGE_GRANT_UNMAP = TRC_MEM + 2;
export const TRC_MEM_PAGE_GRANT_TRANSFER = TRC_MEM + 3;
export const TRC_PV_HYPERCALL = 0x0020f001;

/** Header of a buffer: consumer and producer offsets, both modulo twice the data size. */
export const traceBuffer = { cons: 0, prod: 4, data: 8 } as const;
