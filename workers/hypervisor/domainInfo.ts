/** What the tools learn about a domain: flags, memory, cpu time (getdomaininfo in xen/common/domctl.c, Xen 3.4). */
import {
  DOMAIN_INFO_SIZE,
  domainInfo as field,
  XEN_DOMINF_blocked,
  XEN_DOMINF_debugged,
  XEN_DOMINF_dying,
  XEN_DOMINF_paused,
  XEN_DOMINF_running,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownshift,
} from '../abi/domctl';
import type { Domain } from './domain';
import type { Hypervisor } from './hypervisor';
import { VPF_blocked } from './schedUnit';

/** The word of flags; `caller` asks, so one of its vcpus is running by definition. */
export function domainFlags(domain: Domain, caller?: Domain): number {
  const online = domain.vcpus.filter((vcpu) => vcpu.isOnline);
  let flags = 0;
  if (online.length > 0) {
    const isRunning = domain === caller || online.some(({ unit }) => unit.isRunning);
    const isBlocked = domain !== caller && online.every(({ unit }) => (unit.flags & VPF_blocked) !== 0);
    flags = (isRunning ? XEN_DOMINF_running : 0) | (isBlocked ? XEN_DOMINF_blocked : 0);
  }
  if (domain.dying === 'dead') flags |= XEN_DOMINF_dying;
  if (domain.isShutDown) flags |= XEN_DOMINF_shutdown;
  if (domain.isPausedByController) flags |= XEN_DOMINF_paused;
  if (domain.isDebugged) flags |= XEN_DOMINF_debugged;
  return flags | (domain.shutdownCode << XEN_DOMINF_shutdownshift);
}

/** xen_domctl_getdomaininfo. */
export function encodeDomainInfo(hv: Hypervisor, domain: Domain, caller: Domain): Uint8Array {
  const bytes = new Uint8Array(DOMAIN_INFO_SIZE);
  const view = new DataView(bytes.buffer);
  const cpuTimeNs = domain.vcpus.reduce((sum, { unit }) => sum + unit.runningNs(hv.clock.nowNs), 0);
  view.setUint16(field.domain, domain.domid, true);
  view.setUint32(field.flags, domainFlags(domain, caller), true);
  view.setBigUint64(field.tot_pages, BigInt(domain.totPages), true);
  view.setBigUint64(field.max_pages, BigInt(domain.maxPages), true);
  view.setBigUint64(field.shared_info_frame, BigInt(domain.sharedInfoMfn), true);
  view.setBigUint64(field.cpu_time, BigInt(cpuTimeNs), true);
  view.setUint32(field.nr_online_vcpus, domain.vcpus.filter((vcpu) => vcpu.isOnline).length, true);
  view.setUint32(field.max_vcpu_id, Math.max(0, domain.vcpus.length - 1), true);
  view.setUint32(field.ssidref, hv.hooks.ssidrefOf(domain.domid), true);
  bytes.set(domain.handle.subarray(0, 16), field.handle);
  return bytes;
}

/** A handle as a uuid is written. */
export function formatHandle(handle: Uint8Array): string {
  const hex = [...handle].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
