/** What a paravirtual guest does instead of touching interrupt hardware (xen/include/public/physdev.h). */
export const PHYSDEVOP_irq_status_query = 5; // irq u32 0, flags u32 4 out
export const PHYSDEVOP_set_iopl = 6; // iopl u32 0
export const PHYSDEVOP_set_iobitmap = 7; // bitmap* 0, nr_ports u32 4
export const PHYSDEVOP_eoi = 12; // irq u32 0
