/**
 * Event channels: one-bit notifications between domains, from the hypervisor, and between the vcpus of a domain.
 *
 * Port 0 is never handed out, so that 0 can mean "no port" in the ABI. A notification to a port that is pending already
 * is lost on purpose; a masked one is kept.
 * Behaviour: xen/common/event_channel.c, Xen 3.4. Layout: abi/eventChannel.ts.
 */
import { NR_EVENT_CHANNELS } from '../abi/sharedInfo';
import { DOMID_SELF, type Domid, NR_VIRQS, type Port, VIRQ_DEBUG, VIRQ_TIMER, VIRQ_XENOPROF } from '../abi/xen';
import { XenError } from '../lib/errno';
import type { Domain } from './domain';
import type { Vcpu } from './vcpu';
import type { SecurityHooks } from './xsm/hooks';

export type Evtchn =
  | { readonly state: 'free' }
  | { readonly state: 'reserved' }
  | { readonly state: 'unbound'; readonly remoteDomid: Domid; readonly notifyVcpu: number }
  | {
      readonly state: 'interdomain';
      readonly remoteDomid: Domid;
      readonly remotePort: Port;
      readonly notifyVcpu: number;
    }
  | { readonly state: 'virq'; readonly virq: number; readonly notifyVcpu: number }
  | { readonly state: 'ipi'; readonly notifyVcpu: number };

const FREE: Evtchn = { state: 'free' };

/** What this module needs from the rest of the hypervisor. */
export interface EvtchnHost {
  /** Throws ESRCH. */
  domain(domid: Domid): Domain;
  readonly hooks: SecurityHooks;
}

/** The ports of one domain. */
export class EvtchnTable {
  readonly #ports: Evtchn[] = [{ state: 'reserved' }];
  #lowestFree = 1;

  /** Free for a port that does not exist. */
  at(port: number): Evtchn {
    return this.#ports[port] ?? FREE;
  }

  set(port: Port, evtchn: Evtchn): void {
    while (this.#ports.length < port) this.#ports.push(FREE);
    this.#ports[port] = evtchn;
    if (evtchn.state === 'free' && port < this.#lowestFree) this.#lowestFree = port;
  }

  /** The lowest free port; throws ENOSPC. */
  nextFree(): Port {
    let port = this.#lowestFree;
    while (port < NR_EVENT_CHANNELS && this.at(port).state !== 'free') port++;
    if (port >= NR_EVENT_CHANNELS) throw new XenError('ENOSPC', 'no free event channel');
    this.#lowestFree = port;
    return port as Port;
  }

  /** One more than the highest port ever used. */
  get size(): number {
    return this.#ports.length;
  }
}

/** Global interrupts can be bound on vcpu 0 only and moved from there; the others belong to one vcpu each. */
export function isGlobalVirq(virq: number): boolean {
  return virq !== VIRQ_TIMER && virq !== VIRQ_DEBUG && virq !== VIRQ_XENOPROF;
}

// --- operations; each throws XenError

export function allocUnbound(host: EvtchnHost, caller: Domain, domid: Domid, remote: Domid): Port {
  const domain = domid === DOMID_SELF ? caller : host.domain(domid);
  if (domain !== caller && !caller.isPrivilegedFor(domain)) throw new XenError('EPERM', 'alloc_unbound');
  const remoteDomid = remote === DOMID_SELF ? caller.domid : remote;
  const port = newPort(domain);
  if (!host.hooks.evtchnUnbound(domain.domid, remoteDomid)) throw new XenError('EACCES', 'security policy');
  domain.evtchns.set(port, { state: 'unbound', remoteDomid, notifyVcpu: 0 });
  return port;
}

/** The new local port is pending at once, lest a notification sent before the binding be lost. */
export function bindInterdomain(host: EvtchnHost, caller: Domain, remoteDomid: Domid, remotePort: Port): Port {
  const remote = remoteDomid === DOMID_SELF ? caller : host.domain(remoteDomid);
  const port = newPort(caller);
  const offered = remote.evtchns.at(remotePort);
  if (offered.state !== 'unbound' || offered.remoteDomid !== caller.domid) {
    throw new XenError('EINVAL', `port ${remotePort} of d${remote.domid} is not offered to d${caller.domid}`);
  }
  if (!host.hooks.evtchnInterdomain(caller.domid, remote.domid)) throw new XenError('EACCES', 'security policy');
  caller.evtchns.set(port, { state: 'interdomain', remoteDomid: remote.domid, remotePort, notifyVcpu: 0 });
  remote.evtchns.set(remotePort, {
    state: 'interdomain',
    remoteDomid: caller.domid,
    remotePort: port,
    notifyVcpu: offered.notifyVcpu,
  });
  setPending(caller, port);
  return port;
}

export function bindVirq(caller: Domain, virq: number, vcpuId: number): Port {
  if (virq >= NR_VIRQS) throw new XenError('EINVAL', `virq ${virq}`);
  if (isGlobalVirq(virq) && vcpuId !== 0) throw new XenError('EINVAL', `virq ${virq} on vcpu ${vcpuId}`);
  const vcpu = vcpuOf(caller, vcpuId);
  if (vcpu.virqToPort[virq] !== 0) throw new XenError('EEXIST', `virq ${virq}`);
  const port = newPort(caller);
  caller.evtchns.set(port, { state: 'virq', virq, notifyVcpu: vcpuId });
  vcpu.virqToPort[virq] = port;
  return port;
}

export function bindIpi(caller: Domain, vcpuId: number): Port {
  vcpuOf(caller, vcpuId);
  const port = newPort(caller);
  caller.evtchns.set(port, { state: 'ipi', notifyVcpu: vcpuId });
  return port;
}

/** The other end of a pair becomes unbound again, waiting for the same domain. */
export function closePort(host: EvtchnHost, domain: Domain, port: Port): void {
  const evtchn = domain.evtchns.at(port);
  switch (evtchn.state) {
    case 'free':
    case 'reserved':
      throw new XenError('EINVAL', `port ${port} is ${evtchn.state}`);
    case 'virq':
      for (const vcpu of domain.vcpus) if (vcpu.virqToPort[evtchn.virq] === port) vcpu.virqToPort[evtchn.virq] = 0;
      break;
    case 'interdomain': {
      const remote = host.domain(evtchn.remoteDomid);
      const other = remote.evtchns.at(evtchn.remotePort);
      const notifyVcpu = other.state === 'interdomain' ? other.notifyVcpu : 0;
      remote.evtchns.set(evtchn.remotePort, { state: 'unbound', remoteDomid: domain.domid, notifyVcpu });
      break;
    }
    default:
  }
  domain.sharedInfo.clearPending(port);
  domain.evtchns.set(port, FREE);
}

/** EVTCHNOP_send. A notification to an unbound port is dropped, not an error. */
export function sendEvent(host: EvtchnHost, domain: Domain, port: Port): void {
  const evtchn = domain.evtchns.at(port);
  switch (evtchn.state) {
    case 'interdomain':
      setPending(host.domain(evtchn.remoteDomid), evtchn.remotePort);
      return;
    case 'ipi':
      setPending(domain, port);
      return;
    case 'unbound':
      return;
    default:
      throw new XenError('EINVAL', `port ${port} is ${evtchn.state}`);
  }
}

/** EVTCHNOP_bind_vcpu: which vcpu is told. Per-vcpu interrupts and IPIs stay where they are. */
export function bindVcpu(domain: Domain, port: Port, vcpuId: number): void {
  vcpuOf(domain, vcpuId);
  const evtchn = domain.evtchns.at(port);
  const isMovable =
    evtchn.state === 'unbound' ||
    evtchn.state === 'interdomain' ||
    (evtchn.state === 'virq' && isGlobalVirq(evtchn.virq));
  if (!isMovable) throw new XenError('EINVAL', `port ${port} is ${evtchn.state}`);
  domain.evtchns.set(port, { ...evtchn, notifyVcpu: vcpuId });
}

/** EVTCHNOP_unmask: what came in meanwhile is delivered now. */
export function unmask(domain: Domain, port: Port): void {
  const evtchn = domain.evtchns.at(port);
  if (port >= NR_EVENT_CHANNELS || port === 0) throw new XenError('EINVAL', `port ${port}`);
  const shared = domain.sharedInfo;
  const vcpu = domain.vcpus['notifyVcpu' in evtchn ? evtchn.notifyVcpu : 0];
  if (!shared.testAndClearMask(port) || !shared.isPending(port) || !vcpu) return;
  if (!vcpu.testAndSetPendingSelector(port)) vcpu.markEventsPending();
}

/** EVTCHNOP_reset, and the end of a domain. */
export function closeAll(host: EvtchnHost, domain: Domain): void {
  for (let port = 1 as Port; port < domain.evtchns.size; port++) {
    if (domain.evtchns.at(port).state !== 'free') closePort(host, domain, port);
  }
}

/** Latches an event and tells the vcpu the port is bound to. */
export function setPending(domain: Domain, port: Port): void {
  const evtchn = domain.evtchns.at(port);
  if (!('notifyVcpu' in evtchn) || domain.isDying) return;
  const shared = domain.sharedInfo;
  const vcpu = domain.vcpus[evtchn.notifyVcpu];
  // The guest clears the selector before it scans the words: pending must be visible before its selector bit.
  if (shared.testAndSetPending(port)) return;
  if (vcpu && !shared.isMasked(port) && !vcpu.testAndSetPendingSelector(port)) vcpu.markEventsPending();
  for (const other of domain.vcpus) {
    if (other.polling && (other.polling.port === 'any' || other.polling.port === port)) other.wake();
  }
}

/** Raises a virtual interrupt of one vcpu; dropped when it is not bound. */
export function sendVcpuVirq(vcpu: Vcpu, virq: number): void {
  const port = vcpu.virqToPort[virq]!;
  if (port !== 0) setPending(vcpu.domain, port as Port);
}

/** Raises a virtual interrupt of a domain as a whole. */
export function sendGlobalVirq(domain: Domain, virq: number): void {
  const vcpu = domain.vcpus[0];
  if (vcpu) sendVcpuVirq(vcpu, virq);
}

function newPort(domain: Domain): Port {
  if (domain.isDying) throw new XenError('EINVAL', `d${domain.domid} is dying`);
  return domain.evtchns.nextFree();
}

function vcpuOf(domain: Domain, vcpuId: number): Vcpu {
  const vcpu = domain.vcpus[vcpuId];
  if (!vcpu) throw new XenError('ENOENT', `no vcpu ${vcpuId}`);
  return vcpu;
}
