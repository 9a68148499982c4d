/**
 * The life of a domain: created without memory and paused, run, shut down or crashed, destroyed, and gone when nobody
 * holds a page of it any more.
 *
 * Source: xen/common/domain.c, Xen 3.4.
 */

import { TRC_SCHED_SHUTDOWN } from '../abi/trace';
import {
  DOM0,
  DOMID_FIRST_RESERVED,
  type Domid,
  MAX_VIRT_CPUS,
  type Mfn,
  type Port,
  SHUTDOWN_crash,
  SHUTDOWN_suspend,
  VIRQ_DOM_EXC,
  VIRQ_TIMER,
} from '../abi/xen';
import { XenError } from '../lib/errno';
import { crashDump } from './crashDump';
import { Domain } from './domain';
import { closeAll, sendEvent, sendVcpuVirq } from './evtchn';
import { releaseMappings } from './grantOps';
import { INITIAL_GRANT_FRAMES } from './grantTable';
import type { Hypervisor } from './hypervisor';
import { SchedUnit } from './schedUnit';
import { refreshRunstateArea, refreshTimeRecord, writeWallclock } from './time';
import { Vcpu } from './vcpu';

/** How fast idle cpus clear the memory of dead domains: frames per millisecond. */
const SCRUB_FRAMES_PER_MS = 1024;
const NO_LIMIT = 0xffff_ffff;

export interface CreateDomain {
  /** 0: choose one. */
  readonly domid: number;
  readonly handle: Uint8Array;
  readonly ssidref: number;
}

/** DOMCTL_createdomain: a paused domain without vcpus and memory. EINVAL: the id is taken; ENOMEM: no room, or the policy refused. */
export function createDomain(hv: Hypervisor, { domid: wish, handle, ssidref }: CreateDomain): Domain {
  const isExplicit = wish > 0 && wish < DOMID_FIRST_RESERVED;
  if (isExplicit && hv.findDomain(wish as Domid)) throw new XenError('EINVAL', `domain ${wish} exists`);
  const domid = isExplicit ? (wish as Domid) : nextDomid(hv);
  return buildDomain(hv, domid, handle, ssidref);
}

/** Domain-0 and all others are made here. */
export function buildDomain(hv: Hypervisor, domid: Domid, handle: Uint8Array, ssidref: number): Domain {
  if (!hv.hooks.domainCreate(domid, ssidref)) throw new XenError('ENOMEM', 'refused by the security policy');
  const frames: Mfn[] = [];
  // struct domain, shared_info, the first frames of the grant table.
  while (frames.length < 2 + INITIAL_GRANT_FRAMES) {
    const mfn = hv.memory.allocateXenheap();
    if (mfn === undefined) {
      for (const taken of frames) hv.memory.freeXenheap(taken);
      hv.hooks.domainDestroy(domid);
      throw new XenError('ENOMEM', 'Xen heap');
    }
    frames.push(mfn);
  }
  const [structMfn, sharedInfoMfn, ...grantFrames] = frames;
  const isPrivileged = domid === DOM0;
  const plan = { domid, handle, isPrivileged, sharedInfoMfn: sharedInfoMfn!, grantFrames };
  const domain = new Domain({ ...plan, maxGrantFrames: hv.maxGrantFrames }, hv.memory);
  for (const mfn of frames.slice(1)) hv.memory.share(mfn, domain);
  domain.maxPages = isPrivileged ? NO_LIMIT : 0;
  domain.onPageFreed = () => finishDestruction(hv, domain, structMfn!);
  for (let vcpu = 0; vcpu < MAX_VIRT_CPUS; vcpu++) domain.sharedInfo.bytes[vcpu * 64 + 1] = 1;
  writeWallclock(domain, hv.wallclock.seconds, hv.wallclock.nanoseconds);
  hv.memory.addOwner(domain);
  hv.addDomain(domain);
  hv.schedule.addDomain(domid);
  domain.isPausedByController = true;
  hv.schedule.pauseDomain(domid);
  return domain;
}

function nextDomid(hv: Hypervisor): Domid {
  for (let tries = 0; tries < DOMID_FIRST_RESERVED; tries++) {
    hv.lastDomid = (hv.lastDomid + 1) % DOMID_FIRST_RESERVED;
    if (!hv.findDomain(hv.lastDomid as Domid)) return hv.lastDomid as Domid;
  }
  throw new XenError('ENOMEM', 'no free domain id');
}

/** DOMCTL_max_vcpus: makes vcpus, down, up to this number. EINVAL: more than 32, or fewer than there are. */
export function setMaxVcpus(hv: Hypervisor, domain: Domain, count: number): void {
  if (count > MAX_VIRT_CPUS || count < domain.vcpus.length) throw new XenError('EINVAL', `${count} vcpus`);
  for (let id = domain.vcpus.length; id < count; id++) addVcpu(hv, domain, id);
}

function addVcpu(hv: Hypervisor, domain: Domain, id: number): void {
  const unit = new SchedUnit(domain.domid, id, {
    run: (budgetNs) => hv.runVcpu(vcpu, budgetNs),
    onSwitchIn: () => {
      refreshTimeRecord(vcpu, hv.clock.nowNs);
      refreshRunstateArea(vcpu, () => hv.schedule.runstate(unit));
    },
    onPeriodicTimer: () => sendVcpuVirq(vcpu, VIRQ_TIMER),
  });
  const vcpu = new Vcpu(domain, id, unit, (woken) => hv.schedule.wake(woken));
  domain.vcpus[id] = vcpu;
  hv.schedule.addUnit(unit);
  // Only paravirtual vcpus start with a periodic timer.
  if (domain.isTranslated) hv.schedule.setPeriodic(unit, 0);
}

/** A vcpu's first registers are known and it may run. */
export function bringUp(hv: Hypervisor, vcpu: Vcpu): void {
  hv.schedule.setUp(vcpu.unit);
}

export function pauseByController(hv: Hypervisor, domain: Domain): void {
  if (domain.isPausedByController) return;
  domain.isPausedByController = true;
  hv.schedule.pauseDomain(domain.domid);
}

export function unpauseByController(hv: Hypervisor, domain: Domain): void {
  if (!domain.isPausedByController) return;
  domain.isPausedByController = false;
  hv.schedule.unpauseDomain(domain.domid);
}

/** The guest, or the toolstack for it, ends its work; its memory stays until it is destroyed. */
export function shutdownDomain(hv: Hypervisor, domain: Domain, reason: number): void {
  if (domain.domid === DOM0) {
    hv.dom0Shutdown(reason);
    return;
  }
  if (domain.isShuttingDown || domain.isDying) return;
  domain.isShuttingDown = true;
  domain.shutdownCode = reason & 0xff;
  for (const vcpu of domain.vcpus) {
    if (vcpu.isPausedForShutdown) continue;
    vcpu.isPausedForShutdown = true;
    hv.schedule.pause(vcpu.unit);
  }
  domain.isShutDown = true;
  hv.trace.record(TRC_SCHED_SHUTDOWN, domain.domid, 0, reason);
  const port = reason === SHUTDOWN_suspend ? domain.suspendPort : undefined;
  if (port !== undefined && domain.evtchns.at(port).state === 'interdomain') sendEvent(hv, domain, port);
  else hv.sendDom0Virq(VIRQ_DOM_EXC);
}

/** DOMCTL_resumedomain: a shut-down domain goes on (a cancelled suspend). */
export function resumeDomain(hv: Hypervisor, domain: Domain): void {
  if (!domain.isShutDown) return;
  domain.isShuttingDown = false;
  domain.isShutDown = false;
  domain.shutdownCode = 0;
  for (const vcpu of domain.vcpus) {
    if (!vcpu.isPausedForShutdown) continue;
    vcpu.isPausedForShutdown = false;
    hv.schedule.unpause(vcpu.unit);
  }
}

/** The guest did something that a processor would not survive. */
export function crashDomain(hv: Hypervisor, vcpu: Vcpu): void {
  const { domain } = vcpu;
  if (domain.isShuttingDown) return;
  const pcpu = hv.schedule.executingPcpu;
  hv.console.print(`Domain ${domain.domid} (vcpu#${vcpu.id}) crashed on cpu#${pcpu}:`, 'error');
  for (const line of crashDump(vcpu, pcpu)) hv.console.print(line, 'error');
  shutdownDomain(hv, domain, SHUTDOWN_crash);
}

/** DOMCTL_destroydomain. Takes back what the domain has; what others still hold keeps it as a zombie. */
export function killDomain(hv: Hypervisor, domain: Domain): void {
  if (domain.dying !== 'alive') return;
  hv.schedule.pauseDomain(domain.domid);
  for (const vcpu of domain.vcpus) vcpu.stopTimers();
  closeAll(hv, domain);
  domain.dying = 'dying';
  releaseMappings(hv, domain);
  releaseWindow(hv, domain);
  domain.runner?.dispose?.();
  domain.runner = undefined;
  domain.cpu = undefined;
  for (const mfn of hv.memory.framesOf(domain.domid)) hv.memory.deallocate(mfn);
  domain.space.p2m.reset();
  domain.space.backing = undefined;
  domain.dying = 'dead';
  startScrubbing(hv);
  hv.sendDom0Virq(VIRQ_DOM_EXC);
  domain.onPageFreed();
}

function releaseWindow(hv: Hypervisor, domain: Domain): void {
  for (const [vpn, { mfn }] of domain.space.mappings) {
    domain.space.unmap(vpn * 4096);
    hv.memory.putPage(mfn);
  }
  for (const vcpu of domain.vcpus) {
    if (vcpu.infoMfn !== undefined) hv.memory.putPage(vcpu.infoMfn);
    vcpu.infoMfn = undefined;
  }
}

function finishDestruction(hv: Hypervisor, domain: Domain, structMfn: Mfn): void {
  if (domain.dying !== 'dead' || domain.totPages > 0 || domain.xenheapPages > 0) return;
  if (hv.findDomain(domain.domid) !== domain) return;
  hv.removeDomain(domain);
  hv.schedule.removeDomain(domain.domid);
  hv.memory.removeOwner(domain.domid);
  hv.memory.freeXenheap(structMfn);
  hv.hooks.domainDestroy(domain.domid);
  hv.sendDom0Virq(VIRQ_DOM_EXC);
}

function startScrubbing(hv: Hypervisor): void {
  if (hv.isScrubbing || hv.memory.scrubPages === 0) return;
  hv.isScrubbing = true;
  const work = () => {
    hv.isScrubbing = hv.memory.scrub(SCRUB_FRAMES_PER_MS) > 0;
    if (hv.isScrubbing) hv.clock.at(hv.clock.nowNs + 1_000_000, work);
  };
  hv.clock.at(hv.clock.nowNs + 1_000_000, work);
}

/** DOMCTL_subscribe: which port tells the toolstack that the guest has suspended. */
export function subscribeSuspend(domain: Domain, port: Port): void {
  const evtchn = domain.evtchns.at(port);
  if (evtchn.state === 'free' || evtchn.state === 'reserved') throw new XenError('EINVAL', `port ${port}`);
  domain.suspendPort = port;
}
