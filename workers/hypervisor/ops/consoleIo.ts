/** console_io: Domain-0's way to the machine's console (xen/drivers/char/console.c, Xen 3.4). */
import { CONSOLEIO_read, CONSOLEIO_write } from '../../abi/consoleIo';
import { errno, XenError } from '../../lib/errno';
import type { Call } from '../hypercalls';

/** Bytes copied at a time; a bad pointer behind good bytes loses only what follows. */
const PIECE = 4096;

export function consoleIo({ hv, domain }: Call, [command, count, buffer]: readonly number[]): number {
  if (!domain.isPrivileged) throw new XenError('EPERM', 'console_io');
  switch (command) {
    case CONSOLEIO_write:
      for (let done = 0; done < count!; done += PIECE) {
        hv.console.guestWrite(domain.space.read(buffer! + done, Math.min(PIECE, count! - done)));
      }
      return 0;
    case CONSOLEIO_read: {
      const limit = Math.min(count!, PIECE);
      domain.space.checkWritable(buffer!, limit);
      const bytes = hv.console.takeInput(limit);
      domain.space.write(buffer!, bytes);
      return bytes.length;
    }
    default:
      return -errno.ENOSYS;
  }
}
