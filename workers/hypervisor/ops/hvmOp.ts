/**
 * hvm_op: parameters that the toolstack and a domain with its own page tables exchange (xen/arch/x86/hvm/hvm.c, Xen 3.4;
 * the console's parameters, the callback vector and who may set what as in Xen 4).
 */
import {
  HVM_CALLBACK_VECTOR,
  HVM_NR_PARAMS,
  HVM_PARAM_CALLBACK_IRQ,
  HVMOP_get_param,
  HVMOP_set_param,
} from '../../abi/hvmParams';
import { DOMID_SELF, type Domid } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import type { Domain } from '../domain';
import type { Call } from '../hypercalls';

/** Exceptions have the vectors below. */
const FIRST_VECTOR = 16;

export function hvmOp({ hv, domain: caller }: Call, [command, argument]: readonly number[]): number {
  if (command !== HVMOP_set_param && command !== HVMOP_get_param) return -errno.ENOSYS;
  const request = caller.space.struct(argument!, 16);
  const domid = request.getUint16(0, true) as Domid;
  const index = request.getUint32(4, true);
  if (index >= HVM_NR_PARAMS) throw new XenError('EINVAL', `parameter ${index}`);
  const domain = domid === DOMID_SELF ? caller : hv.domain(domid);
  if (domain !== caller && !caller.isPrivilegedFor(domain)) throw new XenError('EPERM', 'hvm_op');
  if (!domain.isTranslated) throw new XenError('EINVAL', `d${domain.domid} has no such parameters`);
  if (command === HVMOP_get_param) {
    const value = domain.hvmParams.get(index) ?? 0n;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    caller.space.write(argument! + 8, bytes);
    return 0;
  }
  if (domain === caller && index !== HVM_PARAM_CALLBACK_IRQ) throw new XenError('EPERM', `parameter ${index}`);
  const value = request.getBigUint64(8, true);
  if (index === HVM_PARAM_CALLBACK_IRQ) setCallback(domain, value);
  domain.hvmParams.set(index, value);
  return 0;
}

/** Interrupt lines of a chipset (types 0 and 1) do not exist: only 0, "none", is accepted of them. */
function setCallback(domain: Domain, value: bigint): void {
  const type = Number(value >> 56n);
  const vector = Number(value & 0xffn);
  if (type === HVM_CALLBACK_VECTOR && vector >= FIRST_VECTOR) domain.callbackVector = vector;
  else if (value === 0n) domain.callbackVector = undefined;
  else throw new XenError('EINVAL', `callback type ${type}`);
}
