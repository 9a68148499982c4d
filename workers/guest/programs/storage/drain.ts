/** Waiting until what was written to a block device has reached it, so that who comes next reads the new content. */
import type { Sys } from '../../sys';

/**
 * Whether all that was written through this descriptor is on the device; the file offset must be 0. When not, wait until
 * it is readable: the kernel answers reads only when its writes are through. Other files have nothing to wait for.
 */
export function isWritten(sys: Sys, fd: number): boolean {
  return sys.fstat(fd).kind !== 'block' || sys.pread(fd, 512, 0) !== undefined;
}
