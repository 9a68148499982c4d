/** physdev_op: interrupts and I/O privileges of paravirtual kernels (xen/arch/x86/physdev.c, Xen 3.4). */
import { PHYSDEVOP_eoi, PHYSDEVOP_irq_status_query, PHYSDEVOP_set_iopl } from '../../abi/physdev';
import { errno, XenError } from '../../lib/errno';
import type { Call } from '../hypercalls';

const NR_IRQS = 256;

export function physdevOp({ domain }: Call, [command, argument]: readonly number[]): number {
  const { space } = domain;
  switch (command) {
    case PHYSDEVOP_irq_status_query:
      if (space.u32(argument!) >= NR_IRQS) throw new XenError('EINVAL', 'irq');
      // No interrupt is bound to a domain, so none waits for an end-of-interrupt and none is shared.
      space.putU32(argument! + 4, 0);
      return 0;
    case PHYSDEVOP_eoi:
      // Only an interrupt that is bound can be ended, and none is.
      space.u32(argument!);
      throw new XenError('EINVAL', 'irq');
    case PHYSDEVOP_set_iopl:
      if (space.u32(argument!) > 3) throw new XenError('EINVAL', 'iopl');
      return 0;
    default:
      return -errno.ENOSYS;
  }
}
