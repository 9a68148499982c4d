/** Writing into the memory of a domain that is being built. */
import { PAGE_SIZE } from '../../abi/xen';
import type { Xc } from '../xc';

/** Frames mapped at a time. */
const MAP_BATCH = 256;

/**
 * Writes bytes at an address of a domain's memory, some frames mapped at a time. `frameOf` names the frame to map for a page
 * counted from address 0: its mfn in a paravirtual domain, the page's own number in a translated one. Throws what
 * mapping a frame throws.
 */
export function writeGuestPages(
  xc: Xc,
  domid: number,
  frameOf: (page: number) => number,
  address: number,
  bytes: Uint8Array,
): void {
  for (let done = 0; done < bytes.length; ) {
    const first = Math.floor((address + done) / PAGE_SIZE);
    const count = Math.min(MAP_BATCH, Math.ceil((((address + done) % PAGE_SIZE) + bytes.length - done) / PAGE_SIZE));
    const mapping = xc.mapForeign(
      domid,
      Array.from({ length: count }, (_, i) => frameOf(first + i)),
    );
    try {
      for (let i = 0; i < count; i++) {
        const offset = (address + done) % PAGE_SIZE;
        const part = bytes.subarray(done, done + PAGE_SIZE - offset);
        mapping.page(i).set(part, offset);
        done += part.length;
      }
    } finally {
      mapping.unmap();
    }
  }
}
