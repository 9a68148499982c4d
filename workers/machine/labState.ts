/** What a view of the machine shows: the host and its domains in the numbers of `xm list` and `xm top`. */

import {
  XEN_DOMINF_blocked,
  XEN_DOMINF_dying,
  XEN_DOMINF_paused,
  XEN_DOMINF_running,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownshift,
} from '../abi/domctl';
import { DOM0, SHUTDOWN_crash } from '../abi/xen';
import type { DomainState, HostState, LabState } from '../contract';
import type { Domain } from '../hypervisor/domain';
import { domainFlags } from '../hypervisor/domainInfo';
import type { Hypervisor } from '../hypervisor/hypervisor';
import type { Host } from './createHost';
import { linkState } from './linkState';

/** Percentages are taken over at least this much virtual time. */
const PERIOD_NS = 250e6;
const KIB_PER_PAGE = 4;

interface Usage {
  readonly usedNs: number;
  readonly percent: number;
}

/** Looks at one host from outside: costs the machine nothing and changes nothing in it. */
export class LabSampler {
  #hypervisor: Hypervisor | undefined;
  #periodStartNs = 0;
  #domains = new Map<number, Usage>();
  #pcpus: readonly Usage[] = [];
  /** Last known names: a dying domain has none in the store any more. */
  readonly #names = new Map<number, string>();

  constructor(private readonly host: Host) {}

  sample(): LabState {
    const { hypervisor } = this.host;
    if (hypervisor !== this.#hypervisor) this.#start(hypervisor);
    const migrations = this.host.migrations.records;
    if (!hypervisor) return { host: this.#hostState(undefined), domains: [], migrations };
    this.#measure(hypervisor);
    const domains = hypervisor.domains().flatMap((domain) => this.#domainState(hypervisor, domain) ?? []);
    return { host: this.#hostState(hypervisor), domains, migrations };
  }

  #start(hypervisor: Hypervisor | undefined): void {
    this.#hypervisor = hypervisor;
    this.#periodStartNs = this.host.clock.nowNs;
    this.#domains.clear();
    this.#names.clear();
    this.#pcpus = [];
  }

  /** New percentages when a period has passed since the last ones. */
  #measure(hypervisor: Hypervisor): void {
    const nowNs = this.host.clock.nowNs;
    const passedNs = nowNs - this.#periodStartNs;
    if (passedNs < PERIOD_NS) return;
    const next = (usedNs: number, before: Usage | undefined): Usage => ({
      usedNs,
      percent: Math.round((Math.max(0, usedNs - (before?.usedNs ?? 0)) / passedNs) * 1000) / 10,
    });
    const before = this.#domains;
    this.#domains = new Map(
      hypervisor.domains().map((domain) => [domain.domid, next(cpuTimeNs(domain, nowNs), before.get(domain.domid))]),
    );
    const { pcpus } = hypervisor.schedule;
    this.#pcpus = pcpus.map((_, pcpu) => next(nowNs - hypervisor.pcpuIdleNs(pcpu), this.#pcpus[pcpu]));
    this.#periodStartNs = nowNs;
  }

  #hostState(hypervisor: Hypervisor | undefined): HostState {
    const { loop } = this.host.world;
    return {
      name: this.host.options.name,
      nowMs: Math.floor(this.host.clock.nowNs / 1e6),
      speed: loop.speed,
      lagMs: Math.round(loop.lagMs),
      pcpus: hypervisor?.schedule.pcpus.length ?? 0,
      totalMemoryKiB: (hypervisor?.memory.frames ?? 0) * KIB_PER_PAGE,
      freeMemoryKiB: (hypervisor?.memory.freePages ?? 0) * KIB_PER_PAGE,
      pcpuPercent: this.#pcpus.map(({ percent }) => Math.min(100, percent)),
      unsavedKiB: this.host.disks.unsaved.bytes / 1024,
      policy: this.host.acm?.state.policy.name ?? null,
      link: linkState(this.host.cable),
      phase: this.host.phase,
    };
  }

  /** Undefined while the toolstack has not named it: until then it is no domain to an operator. */
  #domainState(hypervisor: Hypervisor, domain: Domain): DomainState | undefined {
    const { domid } = domain;
    const { toolstack } = this.host;
    const name = toolstack?.peek(`/local/domain/${domid}/name`) ?? this.#names.get(domid);
    if (name === undefined && domid !== DOM0) return undefined;
    if (name !== undefined) this.#names.set(domid, name);
    return {
      domid,
      name: name ?? 'Domain-0',
      memoryKiB: domain.totPages * KIB_PER_PAGE,
      maxMemoryKiB: Math.min(domain.maxPages, hypervisor.memory.frames) * KIB_PER_PAGE,
      onlineVcpus: domain.vcpus.filter((vcpu) => vcpu.isOnline).length,
      state: stateLetters(domainFlags(domain, hypervisor.findDomain(DOM0))),
      cpuTimeMs: Math.floor(cpuTimeNs(domain, this.host.clock.nowNs) / 1e6),
      cpuPercent: this.#domains.get(domid)?.percent ?? 0,
      hasConsole: domid !== DOM0 && toolstack?.consoles?.has(domid) === true,
    };
  }
}

function cpuTimeNs(domain: Domain, nowNs: number): number {
  return domain.vcpus.reduce((sum, { unit }) => sum + unit.runningNs(nowNs), 0);
}

/** The state column of `xm list`. */
function stateLetters(flags: number): string {
  const isShutDown = (flags & XEN_DOMINF_shutdown) !== 0;
  const hasCrashed = isShutDown && ((flags >>> XEN_DOMINF_shutdownshift) & 0xff) === SHUTDOWN_crash;
  const letter = (isOn: boolean, text: string) => (isOn ? text : '-');
  return [
    letter((flags & XEN_DOMINF_running) !== 0, 'r'),
    letter((flags & XEN_DOMINF_blocked) !== 0, 'b'),
    letter((flags & XEN_DOMINF_paused) !== 0, 'p'),
    letter(isShutDown && !hasCrashed, 's'),
    letter(hasCrashed, 'c'),
    letter((flags & XEN_DOMINF_dying) !== 0, 'd'),
  ].join('');
}
