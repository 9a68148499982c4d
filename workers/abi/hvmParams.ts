/** Parameters of a domain that hvm_op sets and gets (xen/include/public/hvm/params.h, Xen 3.4; 17 and 18 from Xen 4). */
export const HVMOP_set_param = 0; // 16: domid u16 0, index u32 4, value u64 8
export const HVMOP_get_param = 1;

/** How the guest wants to hear of events: type in bits 63–56, what it means below. */
export const HVM_PARAM_CALLBACK_IRQ = 0;
export const HVM_PARAM_STORE_PFN = 1;
export const HVM_PARAM_STORE_EVTCHN = 2;
export const HVM_PARAM_CONSOLE_PFN = 17;
export const HVM_PARAM_CONSOLE_EVTCHN = 18;
export const HVM_NR_PARAMS = 19;

/** Type of HVM_PARAM_CALLBACK_IRQ: inject the vector in bits 7–0. Types 0 (GSI) and 1 (PCI line) need a chipset. */
export const HVM_CALLBACK_VECTOR = 2;
