/**
 * What xend looks at, and says, when one policy takes the place of another: the devices of running domains under the new
 * labels, and the reasons of a refusal (util/acmpolicy.py in Xen 3.4).
 */
import { chwallRowOf, ssidref, steRowOf } from '../acm/numbering';
import { binaryOf } from '../acm/policyBinary';
import { LookupError, type PolicyMap } from '../acm/policyMap';
import { DEFAULT_POLICY_NAME, UNLABELED } from '../acm/policyModel';
import { type FullLabel, fullLabel, parseFullLabel, type UpdatePlan, updatedLabel } from '../acm/policyUpdate';
import { PolicyError, type PolicyFile, readPolicy } from '../acm/policyXml';
import { findResource, type ResourceEntry, ResourceNameError } from '../acm/resourceLabels';
import { TypeEnforcement } from '../acm/typeEnforcement';
import { XSERR, XsError, type XserrName, xserrText } from '../acm/xserr';
import { SysError } from '../guest/sys';
import { sxpText } from '../lib/sxp';
import type { DeviceConfig, DomainConfig } from './domainConfig';
import type { XendFiles } from './environment';
import { XsmError, XsmFault } from './errors';
import type { LabelledDomain } from './security';
import type { ErrorPairs } from './xcAcm';

export interface PolicyChange {
  readonly old: PolicyFile;
  readonly next: PolicyFile;
  /** Of the new policy. */
  readonly map: PolicyMap;
  readonly plan: UpdatePlan;
  /** Labels of resources as they will be. */
  readonly entries: readonly ResourceEntry[];
  readonly files: XendFiles;
}

export function isDisk(device: DeviceConfig): boolean {
  return device.class === 'vbd' || device.class === 'tap';
}

/** Everything that a running domain uses must fit the label that it will have. Throws XsError RESOURCE_ACCESS. */
export function checkResources(domain: LabelledDomain, label: string | undefined, change: PolicyChange): void {
  const { entries, old, next, map, plan, files } = change;
  const full = parseFullLabel(label ?? '');
  // A label that is gone is the hypervisor's to refuse.
  if (full?.type !== 'ACM') return;
  const types = new TypeEnforcement(binaryOf(next.policy, new Uint8Array(20)));
  const vm = rowOf(map, full.label, 'dom');
  const fits = (resource: FullLabel | undefined) => {
    if (resource && (resource.type !== 'ACM' || resource.policy !== next.policy.name)) return false;
    const row = resource ? rowOf(map, resource.label, 'res') : 0;
    return vm !== undefined && row !== undefined && types.share(vm, row);
  };
  for (const device of domain.config.devices) {
    const resource = isDisk(device)
      ? findQuietly(entries, sxpText(device.sxp, 'uname') ?? '', files)
      : device.class === 'vif'
        ? vifLabelAfter(device, old, next, plan)
        : 'any';
    if (resource === 'any' || (device.class === 'vif' && resource === undefined)) continue;
    if (!fits(resource))
      throw new XsError('RESOURCE_ACCESS', `${domain.name}: ${sxpText(device.sxp, 'uname') ?? 'vif'}`);
  }
}

/**
 * Domain-0's new label must hold every type of the domains that run, as at their start (Users' Manual, §10.3.5: an update
 * is rejected if a running domain would not be allowed to run). Throws XsError VM_NOT_AUTHORIZED.
 */
export function checkAuthority(
  next: PolicyFile,
  dom0: number,
  domains: readonly { readonly name: string; readonly ssidref: number }[],
): void {
  const types = new TypeEnforcement(binaryOf(next.policy, new Uint8Array(20)));
  const above = steRowOf(dom0);
  for (const { name, ssidref } of domains) {
    const row = steRowOf(ssidref);
    if (row >= types.rows || (types.share(above, row) && types.includes(above, row))) continue;
    throw new XsError('VM_NOT_AUTHORIZED', `${name} has types that Domain-0's new label does not have`);
  }
}

function rowOf(map: PolicyMap, label: string, kind: 'dom' | 'res'): number | undefined {
  try {
    return map.ssidref(label, kind) >>> 16;
  } catch (error) {
    if (error instanceof LookupError) return undefined;
    throw error;
  }
}

function findQuietly(entries: readonly ResourceEntry[], uname: string, files: XendFiles) {
  try {
    return findResource(entries, uname, files);
  } catch (error) {
    if (error instanceof ResourceNameError) return undefined;
    throw error;
  }
}

function vifLabelAfter(
  device: DeviceConfig,
  old: PolicyFile,
  next: PolicyFile,
  plan: UpdatePlan,
): FullLabel | undefined {
  const full = parseFullLabel(sxpText(device.sxp, 'security_label') ?? '');
  return full && updatedLabel(full, old.policy, next.policy, plan.resourceLabelNow);
}

export function updatedVif(
  device: DeviceConfig,
  old: PolicyFile['policy'],
  next: PolicyFile['policy'],
  plan: UpdatePlan,
): DeviceConfig {
  const full = device.class === 'vif' ? parseFullLabel(sxpText(device.sxp, 'security_label') ?? '') : undefined;
  if (!full) return device;
  return withVifLabel(device, fullLabel(updatedLabel(full, old, next, plan.resourceLabelNow)));
}

/** Undefined takes the label away. */
export function withVifLabel(device: DeviceConfig, label: string | undefined): DeviceConfig {
  const others = device.sxp.filter((child) => typeof child === 'string' || child[0] !== 'security_label');
  return { ...device, sxp: label === undefined ? others : [...others, ['security_label', label]] };
}

/** A domain that slept while policies changed gets the labels that its kept configuration has by now. */
export function relabelAs(config: DomainConfig, kept: DomainConfig): void {
  config.securityLabel = kept.securityLabel;
  const vifs = kept.devices.filter(({ class: name }) => name === 'vif');
  let at = 0;
  config.devices = config.devices.map((device) => {
    if (device.class !== 'vif') return device;
    const twin = vifs[at++];
    return twin ? withVifLabel(device, sxpText(twin.sxp, 'security_label')) : device;
  });
}

/** DEFAULT, which may follow every policy and be followed by any, is xend's own. Throws PolicyError. */
export function refuseReservedName({ policy: { name, versionPlace } }: PolicyFile): void {
  if (name !== DEFAULT_POLICY_NAME && name !== 'NULL') return;
  const place = versionPlace ?? { line: 1, column: 1 };
  throw new PolicyError([{ code: 'BAD_POLICY_NAME', message: `the name ${name} is reserved`, place }]);
}

/** What a policy calls a reference; unlabelled when it has no name for it. */
export function labelName(map: PolicyMap, ref: number): string {
  try {
    return map.label(ref);
  } catch (error) {
    if (!(error instanceof LookupError)) throw error;
    return UNLABELED;
  }
}

/** The reference that a change list gives a domain. */
export function movedReference(ref: number, { changes }: UpdatePlan): number {
  const now = new Map(changes).get(chwallRowOf(ref));
  return now === undefined ? ref : ssidref(now, now);
}

/** What Xen's boot line says of Domain-0's label; nothing under DEFAULT. */
export function dom0Word(ssidref: number, label: string): string | undefined {
  if (parseFullLabel(label)?.policy === DEFAULT_POLICY_NAME) return undefined;
  return `0x${ssidref.toString(16).padStart(8, '0')}:${label}`;
}

export function isActive({ powerState }: LabelledDomain): boolean {
  return powerState === 'running' || powerState === 'paused';
}

/** Whatever is wrong with the file itself is one error during an update. */
export function readForUpdate(source: Uint8Array): PolicyFile {
  const file = readAsXml(source);
  refuseReservedName(file);
  return file;
}

function readAsXml(source: Uint8Array): PolicyFile {
  try {
    return readPolicy(source);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new PolicyError(error.problems.map((problem) => ({ ...problem, code: 'XML_PROCESSING' })));
  }
}

/** The hypervisor will not have the new policy. */
export class HypervisorRefusal extends XsError {
  constructor(
    readonly pairs: ErrorPairs,
    detail: string,
  ) {
    super('HV_OP_FAILED', detail);
  }
}

/** The pairs of a refusal in words, one behind the other as the original prints them. */
export function pairsText(pairs: ErrorPairs): string {
  const two = (data: number) => `${data >>> 16} and ${data & 0xffff}`;
  return pairs
    .map(([code, data]) => {
      switch (code) {
        case 0x100:
          return `event channel sharing violation between domains ${two(data)}`;
        case 0x101:
          return `grant table sharing violation between domains ${two(data)}`;
        case 0x102:
          return `domain lookup ${data}`;
        case 0x103:
          return `Chinese Wall conflict between domains ${two(data)}`;
        case 0x104:
          return `A domain used SSIDREF ${data}`;
        default:
          return `unknown error code ${code} ${data}`;
      }
    })
    .join('');
}

/** What the words of the original leave to be guessed. */
export function pairsDetails(pairs: ErrorPairs): readonly string[] {
  const isOwn = pairs.some(([code, data]) => code === 0x100 && data === 0);
  return isOwn ? ["Domain-0's new label has no STE type, and Domain-0 has event channels to itself"] : [];
}

export function setPolicyError(error: unknown): unknown {
  const failed = (text: string, details: readonly string[] = []) =>
    new XsmError(`An error occurred trying to set the policy: ${text}.`, details);
  if (error instanceof HypervisorRefusal) {
    if (error.pairs.length === 0) return failed("Unknown XSERR code '0x1'.", [error.detail]);
    return failed(
      `${xserrText('HV_OP_FAILED')}. Hypervisor reported errors:${pairsText(error.pairs)}`,
      pairsDetails(error.pairs),
    );
  }
  if (error instanceof SysError) return failed(xserrText('FILE_ERROR'), [error.message]);
  if (!(error instanceof XsError)) return error;
  const details =
    error instanceof PolicyError
      ? error.problems.slice(0, 10).map(({ message, place }) => `line ${place.line}: ${message}`)
      : error.detail === ''
        ? []
        : [error.detail];
  // The original lets this one escape from its error handling.
  if (error.code === 'POLICY_INCONSISTENT') return new XsmFault(securityErrorText(error.code), details);
  return failed(xserrText(error.code), details);
}

function securityErrorText(code: XserrName): string {
  return `SECURITY_ERROR: -${XSERR[code]}:${xserrText(code)}`;
}
