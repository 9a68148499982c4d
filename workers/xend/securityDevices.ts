/**
 * What a domain's label says about its disks and interfaces (tools/python/xen/xend/server/blkif.py, netif.py and
 * util/xsm/acm/acm.py in Xen 3.4).
 */
import { LookupError, type PolicyMap } from '../acm/policyMap';
import { type AcmPolicy, INACCESSIBLE, UNLABELED } from '../acm/policyModel';
import { type FullLabel, parseFullLabel } from '../acm/policyUpdate';
import type { ResourceEntry } from '../acm/resourceLabels';
import { sxpText } from '../lib/sxp';
import type { DeviceConfig, DomainConfig } from './domainConfig';
import { VmError, XsmError } from './errors';
import type { XcAcm } from './xcAcm';

/** The policy in force as far as devices go. */
export interface DevicePolicy {
  readonly policy: AcmPolicy;
  readonly map: PolicyMap;
  readonly acm: Pick<XcAcm, 'sharing'>;
  /** A disk's label; undefined: it has none. */
  entryOf(uname: string): ResourceEntry | undefined;
}

/** A name that the map does not know is said as the tools say it. */
export function lookup<T>(find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof LookupError) throw new XsmError(error.text);
    throw error;
  }
}

function ssidrefOf({ map }: DevicePolicy, { securityLabel }: DomainConfig): number {
  const label = parseFullLabel(securityLabel ?? '')?.label ?? UNLABELED;
  return lookup(() => map.ssidref(label, 'dom'));
}

/** Throws VmError or XsmError. */
export function checkDisk(rules: DevicePolicy, config: DomainConfig, uname: string): void {
  if (uname === '') return;
  const decision = diskDecision(rules, ssidrefOf(rules, config), uname);
  if (decision.type !== 'ACM')
    throw new VmError(`Unknown policy type '${decision.type} in label for resource '${uname}'`);
  if (!decision.isPermitted) throw new VmError(`VM's access to block device '${uname}' denied`);
}

/** Whether a domain with this reference may use the disk, and the disk's label as it counts. */
export function diskDecision(
  { policy, map, acm, entryOf }: DevicePolicy,
  ssidref: number,
  uname: string,
): FullLabel & { readonly isPermitted: boolean } {
  const entry = entryOf(uname);
  if (entry && entry.type !== 'ACM') return { ...entry, isPermitted: false };
  if (entry?.label === INACCESSIBLE) return { ...entry, isPermitted: false };
  const counts = entry && entry.policy === policy.name ? entry : undefined;
  const resource = counts ? lookup(() => map.ssidref(counts.label, 'res')) : 0;
  const label = counts ?? { type: 'ACM', policy: entry ? policy.name : 'NULL', label: UNLABELED };
  return { ...label, isPermitted: acm.sharing(ssidref, resource) };
}

/**
 * A label with one type speaks for its interfaces; one with several needs to be told which of them an interface is for.
 * Throws VmError or XsmError.
 */
export function checkVif(rules: DevicePolicy, config: DomainConfig, device: DeviceConfig): void {
  const { policy, map, acm } = rules;
  const text = sxpText(device.sxp, 'security_label');
  const vm = parseFullLabel(config.securityLabel ?? '')?.label ?? UNLABELED;
  const types = policy.vmLabels.find(({ name }) => name === vm)?.ste.length ?? 0;
  if (text === undefined && types <= 1) return;
  if (text === undefined) throw new XsmError("'VIF' must be labeled");
  const full = parseFullLabel(text);
  const isOurs = full?.type === 'ACM' && full.policy === policy.name;
  const ssidref = isOurs ? lookup(() => map.ssidref(full.label, 'res')) : 0;
  if (!acm.sharing(ssidrefOf(rules, config), ssidref))
    throw new VmError("VM's access to network device denied. Check labeling");
}
