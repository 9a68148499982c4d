/** multicall: several hypercalls in one (xen/common/multicall.c, Xen 3.4). */
import { hypercall } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import { type Call, dispatch } from '../hypercalls';

const ENTRY_SIZE = 32;

/** Each entry: op u32 @0, result @4, six arguments @8. A multicall within a multicall is refused. */
export function multicall(call: Call, [list, count]: readonly number[]): number {
  const { space } = call.domain;
  space.checkWritable(list!, 0);
  if (list! + ENTRY_SIZE * count! > 0x1_0000_0000) throw new XenError('EFAULT', `${count} calls`);
  for (let i = 0; i < count!; i++) {
    const va = list! + ENTRY_SIZE * i;
    space.checkWritable(va, ENTRY_SIZE);
    const entry = space.struct(va, ENTRY_SIZE);
    const op = entry.getUint32(0, true);
    const args = [0, 1, 2, 3, 4, 5].map((n) => entry.getUint32(8 + 4 * n, true));
    const result = op === hypercall.multicall ? -errno.EINVAL : dispatch(call, op, args);
    space.putU32(va + 4, result);
  }
  return 0;
}
