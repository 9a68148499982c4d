/** vcpu_op: what a domain does with its own vcpus (do_vcpu_op in xen/common/domain.c, Xen 3.4). */

import { VCPU_INFO_SIZE, vcpuInfo } from '../../abi/sharedInfo';
import {
  VCPU_GUEST_CONTEXT_SIZE,
  VCPU_SSHOTTMR_future,
  VCPUOP_down,
  VCPUOP_get_physid,
  VCPUOP_get_runstate_info,
  VCPUOP_initialise,
  VCPUOP_is_up,
  VCPUOP_register_runstate_memory_area,
  VCPUOP_register_vcpu_info,
  VCPUOP_set_periodic_timer,
  VCPUOP_set_singleshot_timer,
  VCPUOP_stop_periodic_timer,
  VCPUOP_stop_singleshot_timer,
  VCPUOP_up,
} from '../../abi/vcpu';
import { MAX_VIRT_CPUS } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import type { Call } from '../hypercalls';
import { gmfnToMfn } from '../memory/translated';
import { encodeRunstate, refreshRunstateArea, setSingleshot } from '../time';
import type { Vcpu } from '../vcpu';

const MIN_PERIOD_NS = 1_000_000n;

export function vcpuOp(call: Call, [command, id, argument]: readonly number[]): number {
  const { hv, domain } = call;
  const { space } = domain;
  if (id! >= MAX_VIRT_CPUS) throw new XenError('EINVAL', `vcpu ${id}`);
  const vcpu = domain.vcpus[id!];
  if (!vcpu) throw new XenError('ENOENT', `vcpu ${id}`);
  switch (command) {
    case VCPUOP_initialise: {
      const context = space.read(argument!, VCPU_GUEST_CONTEXT_SIZE);
      if (vcpu.isInitialised) throw new XenError('EEXIST', `vcpu ${id} is initialised`);
      vcpu.context = context;
      return 0;
    }
    case VCPUOP_up:
      if (!vcpu.isInitialised) throw new XenError('EINVAL', `vcpu ${id} is not initialised`);
      hv.schedule.setUp(vcpu.unit);
      return 0;
    case VCPUOP_down:
      hv.schedule.setDown(vcpu.unit);
      return 0;
    case VCPUOP_is_up:
      return vcpu.isOnline ? 1 : 0;
    case VCPUOP_get_runstate_info:
      space.write(argument!, encodeRunstate(hv.schedule.runstate(vcpu.unit)));
      return 0;
    case VCPUOP_register_runstate_memory_area:
      vcpu.runstateArea = space.u32(argument!);
      refreshRunstateArea(vcpu, () => hv.schedule.runstate(vcpu.unit));
      return 0;
    case VCPUOP_set_periodic_timer: {
      const period = space.struct(argument!, 8).getBigUint64(0, true);
      if (period < MIN_PERIOD_NS) throw new XenError('EINVAL', 'the period is below 1 ms');
      hv.schedule.setPeriodic(vcpu.unit, Number(period > 2n ** 52n ? 2n ** 52n : period));
      return 0;
    }
    case VCPUOP_stop_periodic_timer:
      hv.schedule.setPeriodic(vcpu.unit, 0);
      return 0;
    case VCPUOP_set_singleshot_timer:
      return startSingleshot(call, vcpu, argument!);
    case VCPUOP_stop_singleshot_timer:
      if (vcpu !== call.vcpu) throw new XenError('EINVAL', 'not the calling vcpu');
      setSingleshot(hv.clock, vcpu, 0n);
      return 0;
    case VCPUOP_register_vcpu_info:
      return registerVcpuInfo(call, vcpu, argument!);
    case VCPUOP_get_physid:
      if (!vcpu.unit.isPinned) throw new XenError('EINVAL', `vcpu ${id} is not pinned`);
      space.putU64(argument!, vcpu.unit.processor);
      return 0;
    default:
      return -errno.ENOSYS;
  }
}

function startSingleshot({ hv, domain, vcpu: caller }: Call, vcpu: Vcpu, argument: number): number {
  if (vcpu !== caller) throw new XenError('EINVAL', 'not the calling vcpu');
  const request = domain.space.struct(argument, 12);
  const timeNs = request.getBigUint64(0, true);
  const mustBeFuture = (request.getUint32(8, true) & VCPU_SSHOTTMR_future) !== 0;
  if (mustBeFuture && timeNs < BigInt(hv.clock.nowNs)) throw new XenError('ETIME', 'the time has passed');
  setSingleshot(hv.clock, vcpu, timeNs);
  return 0;
}

/** Moves vcpu_info into a page of the guest's own; once per vcpu. */
function registerVcpuInfo({ hv, domain }: Call, vcpu: Vcpu, argument: number): number {
  const request = domain.space.struct(argument, 16);
  const mfn = gmfnToMfn(domain, Number(request.getBigUint64(0, true)));
  const offset = request.getUint32(8, true);
  if (offset > 4096 - VCPU_INFO_SIZE || offset % 4 !== 0) throw new XenError('EINVAL', 'vcpu_info crosses a page');
  if (mfn === undefined || vcpu.infoMfn !== undefined || hv.memory.isXenheap(mfn))
    throw new XenError('EINVAL', 'vcpu_info');
  if (!hv.memory.getPage(mfn, domain.domid)) throw new XenError('EINVAL', `frame ${mfn}`);
  const page = hv.memory.bytes(mfn);
  const old = vcpu.info;
  page.set(new Uint8Array(old.buffer, old.byteOffset, VCPU_INFO_SIZE), offset);
  vcpu.info = new DataView(page.buffer, page.byteOffset + offset, VCPU_INFO_SIZE);
  vcpu.infoMfn = mfn;
  vcpu.infoOffset = offset;
  // Whatever was notified around the move must be looked at.
  vcpu.info.setUint8(vcpuInfo.evtchn_upcall_pending, 1);
  vcpu.info.setUint32(vcpuInfo.evtchn_pending_sel, 0xffff_ffff, true);
  vcpu.wake();
  return 0;
}
