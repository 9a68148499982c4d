/** Parameters of a domain that hvm_op sets and gets (xen/include/public/hvm/params.h, Xen 3.4). */
export const HVMOP_set_param = 0; // 16: domid u16 0, index u32 4, value u64 8
export const HVMOP_get_param = 1;
export const HVM_NR_PARAMS = 17;
