/** The page through which a paravirtual guest makes hypercalls (hypercall_page_initialise, xen/arch/x86/x86_32/traps.c). */
import { hypercall } from '../../abi/xen';

const SLOT_SIZE = 32;
const SLOTS = 4096 / SLOT_SIZE;

/** Slot n: load n into EAX, trap, return; the slot of `iret` saves EAX first and does not come back. */
export function fillHypercallPage(page: Uint8Array): void {
  page.fill(0xcc);
  for (let n = 0; n < SLOTS; n++) {
    const move = [0xb8, n, 0, 0, 0];
    const trap = [0xcd, 0x82];
    page.set(n === hypercall.iret ? [0x50, ...move, ...trap] : [...move, ...trap, 0xc3], n * SLOT_SIZE);
  }
}

/** Slot n for a domain with its own page tables: load n into EAX, VMCALL, return (hvm_hypercall_page_initialise). */
export function fillVmcallPage(page: Uint8Array): void {
  page.fill(0xcc);
  for (let n = 0; n < SLOTS; n++) page.set([0xb8, n, 0, 0, 0, 0x0f, 0x01, 0xc1, 0xc3], n * SLOT_SIZE);
  page.set([0x0f, 0x0b], hypercall.iret * SLOT_SIZE);
}
