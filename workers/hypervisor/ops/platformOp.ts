/** platform_op: what Domain-0 tells the hypervisor about the machine (xen/arch/x86/platform_hypercall.c, Xen 3.4). */
import { errno, XenError } from '../../lib/errno';
import type { Call } from '../hypercalls';

const XENPF_INTERFACE_VERSION = 0x0300_0001;
const XENPF_SIZE = 136;
const XENPF_settime = 17; // secs u32 0, nsecs u32 4, system_time u64 8
/** cpumap_bitmap* 0, cpumap_nr_cpus u32 4, idletime* 8, now u64 12 */
const XENPF_getidletime = 53;
const U = 8;

export function platformOp({ hv, domain }: Call, [argument]: readonly number[]): number {
  if (!domain.isPrivileged) throw new XenError('EPERM', 'platform_op');
  const { space } = domain;
  const op = space.struct(argument!, XENPF_SIZE);
  if (op.getUint32(4, true) !== XENPF_INTERFACE_VERSION) throw new XenError('EACCES', 'interface version');
  switch (op.getUint32(0, true)) {
    case XENPF_settime: {
      const ns = BigInt(op.getUint32(U, true)) * 1_000_000_000n + BigInt(op.getUint32(U + 4, true));
      const atZero = ns - op.getBigUint64(U + 8, true);
      if (atZero < 0n) throw new XenError('EINVAL', 'a time before 1970');
      hv.setWallclock(Number(atZero / 1_000_000_000n), Number(atZero % 1_000_000_000n));
      return 0;
    }
    case XENPF_getidletime: {
      const bitmap = op.getUint32(U, true);
      const cpus = Math.min(op.getUint32(U + 4, true), hv.schedule.pcpus.length);
      const idle = op.getUint32(U + 8, true);
      for (let cpu = 0; cpu < cpus; cpu++) {
        const byte = space.read(bitmap + (cpu >>> 3), 1)[0]!;
        if (((byte >>> (cpu & 7)) & 1) !== 0) space.putU64(idle + 8 * cpu, hv.schedule.idleNs(cpu));
      }
      space.putU64(argument! + U + 12, hv.clock.nowNs);
      return 0;
    }
    default:
      return -errno.ENOSYS;
  }
}
