/**
 * DOMCTL_shadow_op: what the toolstack asks about a domain's page tables (paging_domctl in xen/arch/x86/mm/paging.c,
 * Xen 3.4). Two things are real here: page tables of a domain's own, which make it translated, and log-dirty mode.
 */
import {
  shadowOp as field,
  XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL,
  XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY,
  XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT,
  XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE,
  XEN_DOMCTL_SHADOW_OP_CLEAN,
  XEN_DOMCTL_SHADOW_OP_ENABLE,
  XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY,
  XEN_DOMCTL_SHADOW_OP_OFF,
  XEN_DOMCTL_SHADOW_OP_PEEK,
} from '../../abi/domctl';
import { errno, XenError } from '../../lib/errno';
import type { Domain } from '../domain';
import { DirtyLog } from '../memory/dirtyLog';
import { enableTranslation } from '../memory/translated';
import type { ControlRequest } from './controlRequest';

const PAGING_OF_ITS_OWN =
  XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT | XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE | XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL;

/** In less time a guest does not write so many pages that comparing all of them pays. */
const WORTH_A_LOOK_NS = 1e6;

export function shadowOp(request: ControlRequest, domain: Domain): number {
  if (domain === request.call.domain) throw new XenError('EINVAL', 'shadow_op on itself');
  const operation = request.u32(field.op);
  const mode = request.u32(field.mode);
  switch (operation) {
    case XEN_DOMCTL_SHADOW_OP_OFF:
      domain.dirtyLog = undefined;
      return 0;
    case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
      return startLog(request, domain);
    case XEN_DOMCTL_SHADOW_OP_ENABLE:
      if (mode === XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY) return startLog(request, domain);
      return mode === PAGING_OF_ITS_OWN ? translate(request, domain) : -errno.ENOSYS;
    case XEN_DOMCTL_SHADOW_OP_PEEK:
    case XEN_DOMCTL_SHADOW_OP_CLEAN:
      return readLog(request, domain, operation === XEN_DOMCTL_SHADOW_OP_CLEAN);
    default:
      return -errno.ENOSYS;
  }
}

/** Refcounted, translated and external page tables, as those of every fully virtualised domain are. */
function translate(request: ControlRequest, domain: Domain): number {
  if (domain.isTranslated) throw new XenError('EINVAL', 'enabled already');
  if (domain.totPages > 0 || domain.vcpus.some(({ isInitialised }) => isInitialised))
    throw new XenError('EBUSY', 'the domain has memory');
  enableTranslation(domain);
  for (const { unit } of domain.vcpus) request.call.hv.schedule.setPeriodic(unit, 0);
  return 0;
}

function startLog({ call }: ControlRequest, domain: Domain): number {
  if (domain.dirtyLog) throw new XenError('EINVAL', 'enabled already');
  domain.dirtyLog = new DirtyLog(domain.space, (mfn) => !call.hv.memory.isXenheap(mfn));
  return 0;
}

/** The bitmap goes to the caller, as far as it has room; `pages` answers how many frames it covers. */
function readLog(request: ControlRequest, domain: Domain, isCleaning: boolean): number {
  const { dirtyLog } = domain;
  const { space } = request.call.domain;
  if (!dirtyLog) throw new XenError('EINVAL', 'no log');
  const frames = Math.min(request.u64(field.pages), domain.space.p2m.length);
  const buffer = request.u64(field.dirty_bitmap);
  if (buffer !== 0) space.checkWritable(buffer, Math.ceil(frames / 8));
  const dirty = dirtyLog.dirtyCount;
  // A peek only tells what need not be sent now: it is enough to look again when the guest itself has run for a while.
  const { schedule } = request.call.hv;
  const ranNs = domain.vcpus.reduce((sum, { unit }) => sum + schedule.runstate(unit).timesNs[0], 0);
  const ran = Math.floor(ranNs / WORTH_A_LOOK_NS);
  const bitmap = isCleaning ? dirtyLog.clean(ran) : dirtyLog.peek(ran);
  if (buffer !== 0) space.write(buffer, bitmap.subarray(0, Math.ceil(frames / 8)));
  request.put64(field.pages, frames);
  request.put32(field.fault_count, 0);
  request.put32(field.dirty_count, isCleaning ? dirty : dirtyLog.dirtyCount);
  return 0;
}
