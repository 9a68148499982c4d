/**
 * What a domain may use: memory, vcpus, and its share of the processors, while it runs and in its configuration
 * (tools/python/xen/xend/XendDomainInfo.py in Xen 3.4).
 */
import { pinVcpu } from './domainBuilder';
import { checkMemory } from './domainConfig';
import type { XendDomainInfo } from './domainInfo';
import { availability } from './domainStore';
import { asXendError, XendError } from './errors';

export async function setMemoryTarget(domain: XendDomainInfo, mebibytes: number): Promise<void> {
  checkMemory(mebibytes, domain.config.maxmemMiB);
  if (domain.isPrivileged && mebibytes < domain.host.options.dom0MinMemMiB && mebibytes < domain.config.memoryMiB)
    throw new XendError('memory_dynamic_max too small');
  if (!domain.isPrivileged && mebibytes > domain.config.memoryMiB)
    await domain.host.freeMemory((mebibytes - domain.config.memoryMiB) * 1024);
  storeMemoryTarget(domain, mebibytes);
}

/** Writes the target that the guest's balloon driver watches. */
export function storeMemoryTarget(domain: XendDomainInfo, mebibytes: number): void {
  const { store } = domain.host.environment;
  domain.host.log.debug(
    'XendDomainInfo:1160',
    `Setting memory target of domain ${domain.name} (${domain.domid}) to ${mebibytes} MiB.`,
  );
  domain.config.memoryMiB = mebibytes;
  domain.host.keep(domain.config);
  if (!domain.isRunning) return;
  store.write(`${domain.vmPath}/memory`, String(mebibytes));
  store.write(`${domain.domPath}/memory/target`, String(mebibytes * 1024));
}

export function setMaxMemory(domain: XendDomainInfo, mebibytes: number): void {
  checkMemory(domain.config.memoryMiB, mebibytes);
  domain.host.log.debug(
    'XendDomainInfo:1180',
    `Setting memory maximum of domain ${domain.name} (${domain.domid}) to ${mebibytes} MiB.`,
  );
  if (domain.isRunning) {
    try {
      domain.host.xc.setMaxMem(domain.domid, mebibytes * 1024);
    } catch (error) {
      throw asXendError(error);
    }
  }
  domain.config.maxmemMiB = mebibytes;
  domain.host.keep(domain.config);
}

/** Less than 1 is quietly ignored, as the manual page says. */
export function setVcpuCount(domain: XendDomainInfo, vcpus: number): void {
  if (vcpus < 1) return;
  if (!domain.isRunning) {
    domain.config.vcpus = vcpus;
    domain.config.vcpuAvail = (1n << BigInt(vcpus)) - 1n;
    domain.host.keep(domain.config);
    return;
  }
  if (vcpus > domain.config.vcpus) throw new XendError('Cannot set vcpus greater than max vcpus on running domain');
  const { store } = domain.host.environment;
  domain.config.vcpuAvail = (1n << BigInt(vcpus)) - 1n;
  store.write(`${domain.vmPath}/vcpu_avail`, String(domain.config.vcpuAvail));
  store.transaction((t) => {
    for (const [key, value] of Object.entries(availability(domain.config))) t.write(`${domain.domPath}/${key}`, value);
  });
}

export function pinVcpus(domain: XendDomainInfo, vcpu: number | 'all', cpus: readonly number[]): void {
  domain.running();
  for (const each of vcpu === 'all' ? Array.from({ length: domain.config.vcpus }, (_, n) => n) : [vcpu]) {
    pinVcpu(domain.host, domain.domid, each, cpus);
    domain.config.cpus[each] = cpus;
  }
}

export function setCredit(domain: XendDomainInfo, weight: number, cap: number): void {
  if (weight < 1 || weight > 65535) throw new XendError('weight is out of range');
  if (cap < 0 || cap > domain.config.vcpus * 100) throw new XendError('cap is out of range');
  if (domain.isRunning) domain.host.xc.schedCreditSet(domain.domid, weight, cap);
  domain.config.weight = weight;
  domain.config.cap = cap;
  domain.host.keep(domain.config);
}
