/**
 * domctl: what the toolstack does to domains (xen/common/domctl.c and xen/arch/x86/domctl.c, Xen 3.4).
 *
 * One row per sub-operation; a number without a row is not supported (ENOSYS).
 */
import {
  DOMAIN_INFO_SIZE,
  DOMCTL_SIZE,
  domctl as field,
  XEN_DOMCTL_CDF_hap,
  XEN_DOMCTL_CDF_hvm_guest,
  XEN_DOMCTL_CDF_s3_integrity,
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_get_address_size,
  XEN_DOMCTL_getdomaininfo,
  XEN_DOMCTL_gethvmcontext,
  XEN_DOMCTL_getmemlist,
  XEN_DOMCTL_getpageframeinfo,
  XEN_DOMCTL_getpageframeinfo2,
  XEN_DOMCTL_getvcpuaffinity,
  XEN_DOMCTL_getvcpucontext,
  XEN_DOMCTL_getvcpuinfo,
  XEN_DOMCTL_hypercall_init,
  XEN_DOMCTL_INTERFACE_VERSION,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_PFINFO_NOTAB,
  XEN_DOMCTL_PFINFO_XTAB,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_resumedomain,
  XEN_DOMCTL_SENDTRIGGER_NMI,
  XEN_DOMCTL_scheduler_op,
  XEN_DOMCTL_sendtrigger,
  XEN_DOMCTL_set_address_size,
  XEN_DOMCTL_set_target,
  XEN_DOMCTL_setdebugging,
  XEN_DOMCTL_setdomainhandle,
  XEN_DOMCTL_sethvmcontext,
  XEN_DOMCTL_settimeoffset,
  XEN_DOMCTL_setvcpuaffinity,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_shadow_op,
  XEN_DOMCTL_subscribe,
  XEN_DOMCTL_unpausedomain,
} from '../../abi/domctl';
import { type Domid, MAX_VIRT_CPUS, PAGE_SIZE, type Port } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import type { Domain } from '../domain';
import { encodeDomainInfo } from '../domainInfo';
import type { Call } from '../hypercalls';
import {
  createDomain,
  killDomain,
  pauseByController,
  resumeDomain,
  setMaxVcpus,
  subscribeSuspend,
  unpauseByController,
} from '../lifecycle';
import { gmfnToMfn } from '../memory/translated';
import { writeWallclock } from '../time';
import { ControlRequest } from './controlRequest';
import { getHvmContext, setHvmContext } from './domctlHvm';
import { getAffinity, getVcpuContext, getVcpuInfo, schedulerOp, setAffinity, setVcpuContext } from './domctlVcpu';
import { fillHypercallPage, fillVmcallPage } from './hypercallPage';
import { shadowOp } from './shadowOp';

/** Runs one sub-operation on the domain that the request names; answers EAX. */
type Operation = (request: ControlRequest, domain: Domain) => number;

const operations: Readonly<Record<number, Operation>> = {
  [XEN_DOMCTL_destroydomain]: ({ call }, domain) => {
    if (domain === call.domain) throw new XenError('EINVAL', 'destroydomain of itself');
    killDomain(call.hv, domain);
    return 0;
  },
  [XEN_DOMCTL_pausedomain]: ({ call }, domain) => {
    if (domain === call.domain) throw new XenError('EINVAL', 'pausedomain of itself');
    pauseByController(call.hv, domain);
    return 0;
  },
  [XEN_DOMCTL_unpausedomain]: ({ call }, domain) => {
    unpauseByController(call.hv, domain);
    return 0;
  },
  [XEN_DOMCTL_getmemlist]: getMemlist,
  [XEN_DOMCTL_getpageframeinfo]: (request, domain) => {
    if (pageType(request.call, domain, request.u64(0)) === XEN_DOMCTL_PFINFO_XTAB)
      throw new XenError('EINVAL', 'frame');
    request.put32(8, XEN_DOMCTL_PFINFO_NOTAB);
    return 0;
  },
  [XEN_DOMCTL_getpageframeinfo2]: getPageframeInfo2,
  [XEN_DOMCTL_setvcpuaffinity]: setAffinity,
  [XEN_DOMCTL_getvcpuaffinity]: getAffinity,
  [XEN_DOMCTL_max_mem]: (request, domain) => {
    const pages = Math.floor(request.u64(0) / (PAGE_SIZE / 1024));
    if (pages < domain.totPages) throw new XenError('EINVAL', `${domain.totPages} pages are in use`);
    domain.maxPages = pages;
    return 0;
  },
  [XEN_DOMCTL_setvcpucontext]: setVcpuContext,
  [XEN_DOMCTL_getvcpucontext]: getVcpuContext,
  [XEN_DOMCTL_getvcpuinfo]: getVcpuInfo,
  [XEN_DOMCTL_max_vcpus]: (request, domain) => {
    if (domain === request.call.domain) throw new XenError('EINVAL', 'max_vcpus of itself');
    if (request.u32(0) > MAX_VIRT_CPUS || domain.isDying) throw new XenError('EINVAL', 'max_vcpus');
    setMaxVcpus(request.call.hv, domain, request.u32(0));
    return 0;
  },
  [XEN_DOMCTL_scheduler_op]: schedulerOp,
  [XEN_DOMCTL_setdomainhandle]: (request, domain) => {
    domain.handle = request.bytes(0, 16);
    return 0;
  },
  [XEN_DOMCTL_setdebugging]: (request, domain) => {
    if (domain === request.call.domain) throw new XenError('EINVAL', 'setdebugging of itself');
    domain.isDebugged = request.u8(0) !== 0;
    return 0;
  },
  [XEN_DOMCTL_hypercall_init]: hypercallInit,
  [XEN_DOMCTL_settimeoffset]: (request, domain) => {
    domain.timeOffsetSeconds = request.s32(0);
    const { seconds, nanoseconds } = request.call.hv.wallclock;
    writeWallclock(domain, seconds, nanoseconds);
    return 0;
  },
  [XEN_DOMCTL_resumedomain]: ({ call }, domain) => {
    if (domain === call.domain) throw new XenError('EINVAL', 'resumedomain of itself');
    resumeDomain(call.hv, domain);
    return 0;
  },
  [XEN_DOMCTL_sendtrigger]: (request, domain) => {
    const vcpu = request.u32(4);
    if (vcpu >= MAX_VIRT_CPUS) throw new XenError('EINVAL', `vcpu ${vcpu}`);
    if (!domain.vcpus[vcpu]) throw new XenError('ESRCH', `vcpu ${vcpu}`);
    // The other triggers are for fully virtualised domains; a vcpu that registered no NMI handler drops the NMI.
    return request.u32(0) === XEN_DOMCTL_SENDTRIGGER_NMI ? 0 : -errno.ENOSYS;
  },
  [XEN_DOMCTL_subscribe]: (request, domain) => {
    subscribeSuspend(domain, request.u32(0) as Port);
    return 0;
  },
  [XEN_DOMCTL_gethvmcontext]: getHvmContext,
  [XEN_DOMCTL_sethvmcontext]: setHvmContext,
  [XEN_DOMCTL_set_address_size]: (request) => {
    if (request.u32(0) !== 32) throw new XenError('EINVAL', 'only 32-bit domains');
    return 0;
  },
  [XEN_DOMCTL_get_address_size]: (request) => {
    request.put32(0, 32);
    return 0;
  },
  [XEN_DOMCTL_shadow_op]: shadowOp,
  [XEN_DOMCTL_set_target]: (request, domain) => {
    const target = request.call.hv.domain(request.u16(0) as Domid);
    if (target === domain || domain.isPrivileged) throw new XenError('EINVAL', 'set_target');
    domain.target = target.domid;
    return 0;
  },
};

export function domctl(call: Call, [va]: readonly number[]): number {
  if (!call.domain.isPrivileged) throw new XenError('EPERM', 'domctl');
  const request = new ControlRequest(call, va!, field.u, DOMCTL_SIZE);
  if (request.header(field.interface_version) !== XEN_DOMCTL_INTERFACE_VERSION) {
    throw new XenError('EACCES', 'interface version');
  }
  const command = request.header(field.cmd);
  if (command === XEN_DOMCTL_createdomain) return create(request);
  if (command === XEN_DOMCTL_getdomaininfo) return getDomainInfo(request);
  const operation = operations[command];
  if (!operation) return -errno.ENOSYS;
  return operation(request, call.hv.domain(request.domid));
}

function create(request: ControlRequest): number {
  const flags = request.u32(20);
  const known = XEN_DOMCTL_CDF_hvm_guest | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_s3_integrity;
  if ((flags & ~known) !== 0) throw new XenError('EINVAL', `flags ${flags}`);
  // This machine's processors have no virtualisation extensions.
  if ((flags & XEN_DOMCTL_CDF_hvm_guest) !== 0) throw new XenError('EINVAL', 'no hardware for HVM');
  const domain = createDomain(request.call.hv, {
    domid: request.domid,
    handle: request.bytes(4, 16),
    ssidref: request.u32(0),
  });
  request.putDomid(domain.domid);
  return 0;
}

/** The first domain with the given id or a higher one. */
function getDomainInfo(request: ControlRequest): number {
  const { hv } = request.call;
  const domain = hv.domains().find(({ domid }) => domid >= request.domid);
  if (!domain) throw new XenError('ESRCH', 'no more domains');
  const info = encodeDomainInfo(hv, domain, request.call.domain);
  request.put(0, info.subarray(0, DOMAIN_INFO_SIZE));
  request.putDomid(domain.domid);
  return 0;
}

function getMemlist(request: ControlRequest, domain: Domain): number {
  const { hv, domain: caller } = request.call;
  const limit = request.u64(0);
  const start = request.u64(8);
  const buffer = request.u64(16);
  const frames = hv.memory.framesOf(domain.domid).filter((mfn) => !hv.memory.isXenheap(mfn));
  const listed = frames.slice(start, start + limit);
  const bytes = new Uint8Array(listed.length * 8);
  const view = new DataView(bytes.buffer);
  listed.forEach((mfn, i) => {
    view.setBigUint64(8 * i, BigInt(mfn), true);
  });
  caller.space.write(buffer, bytes);
  request.put64(24, listed.length);
  return 0;
}

function pageType({ hv }: Call, domain: Domain, gmfn: number): number {
  const mfn = gmfnToMfn(domain, gmfn) ?? -1;
  // Xen's own pages are nobody's memory (from Xen 4 on).
  const isMemory = hv.memory.isAllocatedTo(mfn, domain.domid) && !hv.memory.isXenheap(mfn);
  return isMemory ? XEN_DOMCTL_PFINFO_NOTAB : XEN_DOMCTL_PFINFO_XTAB;
}

function getPageframeInfo2(request: ControlRequest, domain: Domain): number {
  const MAX_FRAMES = 1024;
  const count = request.u64(0);
  const array = request.u64(8);
  if (count > MAX_FRAMES) throw new XenError('E2BIG', `${count} frames`);
  const { space } = request.call.domain;
  for (let i = 0; i < count; i++) {
    const mfn = space.u32(array + 4 * i) & 0x0fff_ffff;
    space.putU32(array + 4 * i, (mfn | pageType(request.call, domain, mfn)) >>> 0);
  }
  return 0;
}

/** The page must be the domain's own. */
function hypercallInit(request: ControlRequest, domain: Domain): number {
  const gmfn = request.u64(0);
  const mfn = gmfnToMfn(domain, gmfn);
  const { memory } = request.call.hv;
  if (mfn === undefined || !memory.isAllocatedTo(mfn, domain.domid)) throw new XenError('EACCES', `frame ${gmfn}`);
  (domain.isTranslated ? fillVmcallPage : fillHypercallPage)(memory.bytes(mfn));
  return 0;
}
