/** hvm_op: parameters that the toolstack and a fully virtualised guest exchange (xen/arch/x86/hvm/hvm.c, Xen 3.4). */
import { HVM_NR_PARAMS, HVMOP_get_param, HVMOP_set_param } from '../../abi/hvmParams';
import { DOMID_SELF, type Domid } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import type { Call } from '../hypercalls';

export function hvmOp({ hv, domain: caller }: Call, [command, argument]: readonly number[]): number {
  if (command !== HVMOP_set_param && command !== HVMOP_get_param) return -errno.ENOSYS;
  const request = caller.space.struct(argument!, 16);
  const domid = request.getUint16(0, true) as Domid;
  const index = request.getUint32(4, true);
  if (index >= HVM_NR_PARAMS) throw new XenError('EINVAL', `parameter ${index}`);
  const domain = domid === DOMID_SELF ? caller : hv.domain(domid);
  if (domain !== caller && !caller.isPrivilegedFor(domain)) throw new XenError('EPERM', 'hvm_op');
  // Paravirtual domains have no such parameters, and there are no others yet.
  throw new XenError('EINVAL', `d${domain.domid} is not fully virtualised`);
}
