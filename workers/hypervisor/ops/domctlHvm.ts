/**
 * The processor state of translated domains as one block of records, for the toolstack to keep and to give back
 * (hvm_save and hvm_load in xen/common/hvm/save.c, Xen 3.4).
 */
import { decodeHvmContext, encodeHvmContext, HVM_HW_CPU_SIZE, HVM_SAVE_CODE_CPU } from '../../abi/hvmSave';
import { XenError } from '../../lib/errno';
import type { Domain } from '../domain';
import { registersOf } from '../registers';
import type { ControlRequest } from './controlRequest';

const MAX_CONTEXT_BYTES = 1 << 16;

/** With a NULL buffer: answers the size. ENOSPC: the buffer is too small. */
export function getHvmContext(request: ControlRequest, domain: Domain): number {
  translated(request, domain);
  const records = domain.vcpus.flatMap((vcpu) => {
    const bytes = vcpu.isOnline ? registersOf(vcpu) : undefined;
    return bytes ? [{ type: HVM_SAVE_CODE_CPU, instance: vcpu.id, bytes }] : [];
  });
  const context = encodeHvmContext(records);
  const size = request.u32(0);
  const buffer = request.u64(8);
  if (buffer !== 0) {
    if (size < context.length) throw new XenError('ENOSPC', `${context.length} bytes`);
    request.call.domain.space.write(buffer, context);
  }
  request.put32(0, context.length);
  return 0;
}

/** All or nothing. EINVAL: not such a block. EAGAIN and ENODEV as prepareProcessor says. */
export function setHvmContext(request: ControlRequest, domain: Domain): number {
  translated(request, domain);
  const { hv, domain: caller } = request.call;
  const size = request.u32(0);
  if (size > MAX_CONTEXT_BYTES) throw new XenError('EINVAL', `${size} bytes`);
  const records = decodeHvmContext(caller.space.read(request.u64(8), size));
  const cpus = records?.filter(({ type }) => type === HVM_SAVE_CODE_CPU);
  const isSound = cpus?.every(({ instance, bytes }) => bytes.length === HVM_HW_CPU_SIZE && domain.vcpus[instance]);
  if (!cpus || !isSound || !cpus.some(({ instance }) => instance === 0)) throw new XenError('EINVAL', 'hvm context');
  const before = domain.vcpus.map(({ context }) => context);
  for (const { instance, bytes } of cpus) domain.vcpus[instance]!.context = bytes.slice();
  try {
    hv.prepareProcessor(domain);
  } catch (error) {
    for (const vcpu of domain.vcpus) vcpu.context = before[vcpu.id];
    throw error;
  }
  for (const { instance } of cpus) hv.schedule.setUp(domain.vcpus[instance]!.unit);
  return 0;
}

function translated(request: ControlRequest, domain: Domain): void {
  if (domain === request.call.domain || !domain.isTranslated) throw new XenError('EINVAL', 'no hvm context');
}
