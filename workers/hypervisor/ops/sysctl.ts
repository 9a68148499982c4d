/** sysctl: what the toolstack asks of, and does to, the machine (xen/common/sysctl.c, xen/arch/x86/sysctl.c, Xen 3.4). */

import { DOMAIN_INFO_SIZE } from '../../abi/domctl';
import {
  sysctl as field,
  physInfo,
  SYSCTL_SIZE,
  XEN_SYSCTL_availheap,
  XEN_SYSCTL_debug_keys,
  XEN_SYSCTL_getcpuinfo,
  XEN_SYSCTL_getdomaininfolist,
  XEN_SYSCTL_INTERFACE_VERSION,
  XEN_SYSCTL_physinfo,
  XEN_SYSCTL_readconsole,
  XEN_SYSCTL_sched_id,
  XEN_SYSCTL_TBUFOP_disable,
  XEN_SYSCTL_TBUFOP_enable,
  XEN_SYSCTL_TBUFOP_get_info,
  XEN_SYSCTL_TBUFOP_set_cpu_mask,
  XEN_SYSCTL_TBUFOP_set_evt_mask,
  XEN_SYSCTL_TBUFOP_set_size,
  XEN_SYSCTL_tbuf_op,
} from '../../abi/sysctl';
import { PAGE_SIZE } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import { CPU_CAPABILITIES, CPU_KHZ } from '../build';
import { encodeDomainInfo } from '../domainInfo';
import type { Call } from '../hypercalls';
import { ControlRequest } from './controlRequest';

/** Keys taken by one debug_keys call. */
const MAX_KEYS = 4096;

const operations: Readonly<Record<number, (request: ControlRequest) => number>> = {
  [XEN_SYSCTL_readconsole]: readConsole,
  [XEN_SYSCTL_tbuf_op]: tbufOp,
  [XEN_SYSCTL_physinfo]: getPhysInfo,
  [XEN_SYSCTL_sched_id]: (request) => {
    request.put32(0, request.call.hv.schedule.kind.id);
    return 0;
  },
  [XEN_SYSCTL_getdomaininfolist]: getDomainInfoList,
  [XEN_SYSCTL_debug_keys]: (request) => {
    const { hv, domain } = request.call;
    const count = request.u32(8);
    if (count > MAX_KEYS) throw new XenError('E2BIG', `${count} keys`);
    for (const key of domain.space.read(request.u64(0), count)) hv.handleKey(String.fromCharCode(key));
    return 0;
  },
  [XEN_SYSCTL_getcpuinfo]: (request) => {
    const { hv, domain } = request.call;
    const count = Math.min(request.u32(0), hv.schedule.pcpus.length);
    for (let cpu = 0; cpu < count; cpu++) domain.space.putU64(request.u64(8) + 8 * cpu, hv.schedule.idleNs(cpu));
    request.put32(16, count);
    return 0;
  },
  [XEN_SYSCTL_availheap]: (request) => {
    // One node, and no memory beyond the reach of any address width that is asked for.
    request.put64(16, request.call.hv.memory.freePages * PAGE_SIZE);
    return 0;
  },
};

export function sysctl(call: Call, [va]: readonly number[]): number {
  if (!call.domain.isPrivileged) throw new XenError('EPERM', 'sysctl');
  const request = new ControlRequest(call, va!, field.u, SYSCTL_SIZE);
  if (request.header(field.interface_version) !== XEN_SYSCTL_INTERFACE_VERSION) {
    throw new XenError('EACCES', 'interface version');
  }
  return operations[request.header(field.cmd)]?.(request) ?? -errno.ENOSYS;
}

function readConsole(request: ControlRequest): number {
  const { hv, domain } = request.call;
  const { ring } = hv.console;
  const isIncremental = request.u8(1) !== 0;
  const { bytes, index } = ring.read(request.u32(16), isIncremental ? request.u32(4) : undefined);
  domain.space.write(request.u64(8), bytes);
  if (request.u8(0) !== 0) ring.clear(index);
  request.put32(4, index);
  request.put32(16, bytes.length);
  return 0;
}

function getPhysInfo(request: ControlRequest): number {
  const { hv } = request.call;
  const { cores, threads } = hv.topology;
  request.put32(physInfo.threads_per_core, threads);
  request.put32(physInfo.cores_per_socket, cores);
  request.put32(physInfo.nr_cpus, hv.schedule.pcpus.length);
  request.put32(physInfo.nr_nodes, 1);
  request.put32(physInfo.cpu_khz, CPU_KHZ);
  request.put64(physInfo.total_pages, hv.memory.totalPages);
  request.put64(physInfo.free_pages, hv.memory.freePages);
  request.put64(physInfo.scrub_pages, hv.memory.scrubPages);
  CPU_CAPABILITIES.forEach((word, i) => {
    request.put32(physInfo.hw_cap + 4 * i, word);
  });
  const lastCpu = hv.schedule.pcpus.length - 1;
  const nodes = request.u64(physInfo.cpu_to_node);
  if (nodes !== 0) {
    const count = Math.min(request.u32(physInfo.max_cpu_id) + 1, lastCpu + 1);
    for (let cpu = 0; cpu < count; cpu++) request.call.domain.space.putU32(nodes + 4 * cpu, 0);
  }
  request.put32(physInfo.max_cpu_id, lastCpu);
  request.put32(physInfo.capabilities, 0);
  return 0;
}

function getDomainInfoList(request: ControlRequest): number {
  const { hv, domain: caller } = request.call;
  const first = request.u16(0);
  const limit = request.u32(4);
  let count = 0;
  for (const domain of hv.domains()) {
    if (domain.domid < first) continue;
    if (count === limit) break;
    caller.space.write(request.u64(8) + count * DOMAIN_INFO_SIZE, encodeDomainInfo(hv, domain, caller));
    count++;
  }
  request.put32(16, count);
  return 0;
}

function tbufOp(request: ControlRequest): number {
  const { trace } = request.call.hv;
  switch (request.u32(0)) {
    case XEN_SYSCTL_TBUFOP_get_info: {
      const { mfn, bytes } = trace.info;
      request.put32(24, trace.eventMask);
      request.put64(32, mfn);
      request.put32(40, bytes);
      return 0;
    }
    case XEN_SYSCTL_TBUFOP_set_cpu_mask: {
      const bits = Math.min(request.u32(16), 32);
      const bytes = request.call.domain.space.read(request.u64(8), Math.ceil(bits / 8));
      trace.setCpuMask(bytes.reduce((mask, byte, i) => mask | (byte << (8 * i)), 0) >>> 0);
      return 0;
    }
    case XEN_SYSCTL_TBUFOP_set_evt_mask:
      trace.setEventMask(request.u32(24));
      return 0;
    case XEN_SYSCTL_TBUFOP_set_size:
      trace.setSize(request.u32(40));
      request.call.hv.console.print('Xen trace buffers: initialized');
      return 0;
    case XEN_SYSCTL_TBUFOP_enable:
      trace.enable();
      return 0;
    case XEN_SYSCTL_TBUFOP_disable:
      trace.disable();
      return 0;
    default:
      throw new XenError('EINVAL', 'tbuf_op');
  }
}
