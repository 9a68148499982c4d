/** The part of domctl that is about vcpus and scheduling (xen/common/domctl.c, Xen 3.4). */
import {
  schedulerOp as field,
  XEN_DOMCTL_SCHEDOP_getinfo,
  XEN_DOMCTL_SCHEDOP_putinfo,
  XEN_SCHEDULER_CREDIT,
  XEN_SCHEDULER_SEDF,
} from '../../abi/domctl';
import { VCPU_GUEST_CONTEXT_SIZE, VGCF_online, vcpuGuestContext } from '../../abi/vcpu';
import { MAX_VIRT_CPUS } from '../../abi/xen';
import { XenError } from '../../lib/errno';
import type { Domain } from '../domain';
import { guestContextOf } from '../registers';
import type { SchedParameters } from '../sched/scheduler';
import type { Vcpu } from '../vcpu';
import type { ControlRequest } from './controlRequest';

/** Longest cpu bitmap that is looked at, bits. */
const MAX_BITMAP = 4096;

export function setAffinity(request: ControlRequest, domain: Domain): number {
  const vcpu = vcpuNamed(request, domain);
  const { space } = request.call.domain;
  const bitmap = request.u64(8);
  const bits = Math.min(request.u32(16), MAX_BITMAP);
  const bytes = space.read(bitmap, Math.ceil(bits / 8));
  const cpus = new Set<number>();
  for (let cpu = 0; cpu < bits; cpu++) if (((bytes[cpu >>> 3]! >>> (cpu & 7)) & 1) !== 0) cpus.add(cpu);
  request.call.hv.schedule.setAffinity(vcpu.unit, cpus);
  return 0;
}

export function getAffinity(request: ControlRequest, domain: Domain): number {
  const vcpu = vcpuNamed(request, domain);
  const bits = Math.min(request.u32(16), MAX_BITMAP);
  const bytes = new Uint8Array(Math.ceil(bits / 8));
  // A vcpu that may run anywhere is reported as allowed on every cpu there could be.
  const isAnywhere = vcpu.unit.affinity.size === request.call.hv.schedule.pcpus.length;
  for (let cpu = 0; cpu < bits; cpu++) {
    if (isAnywhere || vcpu.unit.affinity.has(cpu)) bytes[cpu >>> 3]! |= 1 << (cpu & 7);
  }
  request.call.domain.space.write(request.u64(8), bytes);
  return 0;
}

/** NULL resets the vcpu: down, without registers. Those of a translated domain come by sethvmcontext. */
export function setVcpuContext(request: ControlRequest, domain: Domain): number {
  const vcpu = vcpuNamed(request, domain);
  const { schedule } = request.call.hv;
  if (domain === request.call.domain) throw new XenError('EINVAL', 'setvcpucontext of itself');
  const address = request.u64(8);
  if (address === 0) {
    schedule.setDown(vcpu.unit);
    vcpu.context = undefined;
    return 0;
  }
  if (domain.isTranslated) throw new XenError('EINVAL', 'setvcpucontext of a translated domain');
  const context = request.call.domain.space.read(address, VCPU_GUEST_CONTEXT_SIZE);
  const flags = new DataView(context.buffer).getUint32(vcpuGuestContext.flags, true);
  vcpu.context = context;
  if ((flags & VGCF_online) !== 0) schedule.setUp(vcpu.unit);
  else schedule.setDown(vcpu.unit);
  return 0;
}

export function getVcpuContext(request: ControlRequest, domain: Domain): number {
  const vcpu = vcpuNamed(request, domain);
  if (domain === request.call.domain) throw new XenError('EINVAL', 'getvcpucontext of itself');
  const context = guestContextOf(vcpu);
  if (!context) throw new XenError('ENODATA', `vcpu ${vcpu.id} is not initialised`);
  const view = new DataView(context.buffer);
  const flags = view.getUint32(vcpuGuestContext.flags, true);
  view.setUint32(vcpuGuestContext.flags, vcpu.isOnline ? flags | VGCF_online : flags & ~VGCF_online, true);
  request.call.domain.space.write(request.u64(8), context);
  return 0;
}

export function getVcpuInfo(request: ControlRequest, domain: Domain): number {
  const vcpu = vcpuNamed(request, domain);
  const { unit } = vcpu;
  const isCaller = vcpu === request.call.vcpu;
  const isRunning = unit.isRunning || isCaller;
  request.put8(4, unit.isDown ? 0 : 1);
  request.put8(5, unit.isBlocked && !isRunning ? 1 : 0);
  request.put8(6, isRunning ? 1 : 0);
  request.put64(8, unit.runningNs(request.call.hv.clock.nowNs));
  request.put32(16, unit.processor);
  return 0;
}

/** Gets or puts the parameters of the scheduler in use; EINVAL when the caller means another one. */
export function schedulerOp(request: ControlRequest, domain: Domain): number {
  const { schedule } = request.call.hv;
  const schedulerId = request.u32(field.sched_id);
  switch (request.u32(field.cmd)) {
    case XEN_DOMCTL_SCHEDOP_putinfo:
      schedule.setParameters(domain.domid, readParameters(request, schedulerId), schedulerId);
      return 0;
    case XEN_DOMCTL_SCHEDOP_getinfo:
      writeParameters(request, schedule.getParameters(domain.domid, schedulerId));
      return 0;
    default:
      throw new XenError('EINVAL', 'scheduler_op');
  }
}

function readParameters(request: ControlRequest, schedulerId: number): SchedParameters {
  const { credit, sedf } = field;
  if (schedulerId === XEN_SCHEDULER_CREDIT) {
    return { kind: 'credit', weight: request.u16(credit.weight), cap: request.u16(credit.cap) };
  }
  if (schedulerId !== XEN_SCHEDULER_SEDF) return { kind: 'none' };
  return {
    kind: 'sedf',
    periodNs: request.u64(sedf.period),
    sliceNs: request.u64(sedf.slice),
    latencyNs: request.u64(sedf.latency),
    extratime: (request.u32(sedf.extratime) & 1) !== 0,
    weight: request.u32(sedf.weight),
  };
}

function writeParameters(request: ControlRequest, parameters: SchedParameters): void {
  const { credit, sedf } = field;
  if (parameters.kind === 'credit') {
    request.put16(credit.weight, parameters.weight);
    request.put16(credit.cap, parameters.cap);
  } else if (parameters.kind === 'sedf') {
    request.put64(sedf.period, parameters.periodNs);
    request.put64(sedf.slice, parameters.sliceNs);
    request.put64(sedf.latency, parameters.latencyNs);
    request.put32(sedf.extratime, parameters.extratime ? 1 : 0);
    request.put32(sedf.weight, parameters.weight);
  }
}

function vcpuNamed(request: ControlRequest, domain: Domain): Vcpu {
  const id = request.u32(0);
  if (id >= MAX_VIRT_CPUS) throw new XenError('EINVAL', `vcpu ${id}`);
  const vcpu = domain.vcpus[id];
  if (!vcpu || domain.isDying) throw new XenError('ESRCH', `vcpu ${id}`);
  return vcpu;
}
