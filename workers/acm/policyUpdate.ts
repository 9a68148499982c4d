/**
 * One policy takes the place of another: may it, which rows of the label matrix go and which move, and what becomes of
 * the labels that domains and resources carry (tools/python/xen/util/acmpolicy.py in Xen 3.4).
 */
import { numberPolicy } from './numbering';
import { type AcmPolicy, DEFAULT_POLICY_NAME, UNLABELED, versionNumbers } from './policyModel';
import { policyProblems } from './policyRules';
import { PolicyError } from './policyXml';
import type { Place } from './xmlTree';
import type { XserrName } from './xserr';

export interface UpdatePlan {
  /** Rows of VM labels that are gone. */
  readonly deletions: readonly number[];
  readonly changes: readonly (readonly [old: number, now: number])[];
  /** The name that a VM label has in the new policy; undefined: none. */
  vmLabelNow(label: string): string | undefined;
  resourceLabelNow(label: string): string | undefined;
}

/** Throws PolicyError: VERSION_PREVENTS_UPDATE, POLICY_INCONSISTENT, BAD_LABEL, or what policyProblems finds. */
export function planUpdate(current: AcmPolicy, next: AcmPolicy): UpdatePlan {
  checkUpdate(current, next);
  return planLabels(current, next);
}

/** Throws as planUpdate. */
export function checkUpdate(current: AcmPolicy, next: AcmPolicy): void {
  checkVersion(current, next);
  const problems = policyProblems(next);
  const inconsistent = problems.filter(({ code }) => code === 'POLICY_INCONSISTENT');
  if (inconsistent.length > 0) throw new PolicyError(inconsistent);
  checkRenames('VM label', current.vmLabels, next.vmLabels);
  checkRenames('resource label', current.resourceLabels, next.resourceLabels);
  if (problems.length > 0) throw new PolicyError(problems);
}

/** What becomes of the labels, whether or not the update is allowed. */
export function planLabels(current: AcmPolicy, next: AcmPolicy): UpdatePlan {
  const vmLabelNow = renamer(current.vmLabels, next.vmLabels);
  // DEFAULT says nothing about its successor: Domain-0 gets the label that the new policy has for it.
  const now = (label: string) =>
    vmLabelNow(label) ??
    (current.name === DEFAULT_POLICY_NAME && label === current.bootstrap ? next.bootstrap : undefined);
  const oldRows = numberPolicy(current).vmLabels;
  const newRows = numberPolicy(next).vmLabels;
  const deletions: number[] = [];
  const changes: (readonly [number, number])[] = [];
  for (const { name } of current.vmLabels) {
    const old = oldRows.indexOf(name);
    const label = now(name);
    if (label === undefined) deletions.push(old);
    else if (newRows.indexOf(label) !== old) changes.push([old, newRows.indexOf(label)]);
  }
  return {
    deletions,
    changes,
    vmLabelNow: now,
    resourceLabelNow: renamer(current.resourceLabels, next.resourceLabels),
  };
}

/** An update names the policy and the version that it starts from and has a higher version; DEFAULT is free of this. */
function checkVersion(current: AcmPolicy, next: AcmPolicy): void {
  if (current.name === DEFAULT_POLICY_NAME || next.name === DEFAULT_POLICY_NAME) return;
  const { from } = next;
  const inForce = `the policy in force is ${current.name} ${current.version}`;
  const refusal = (message: string) => problem('VERSION_PREVENTS_UPDATE', message, next.versionPlace);
  if (!from) throw refusal(`FromPolicy is missing; ${inForce}`);
  if (from.name !== current.name || from.version !== current.version)
    throw refusal(`made for ${from.name} ${from.version}; ${inForce}`);
  const [oldMajor, oldMinor] = versionNumbers(current.version);
  const [major, minor] = versionNumbers(next.version);
  if (major < oldMajor || (major === oldMajor && minor <= oldMinor))
    throw refusal(`version ${next.version} is not higher than ${current.version}`);
}

function problem(code: XserrName, message: string, place: Place | undefined): PolicyError {
  return new PolicyError([{ code, message, place: place ?? { line: 1, column: 1 } }]);
}

interface Renamed {
  readonly name: string;
  readonly from?: string | undefined;
  readonly place?: Place | undefined;
}

function checkRenames(kind: string, old: readonly Renamed[], now: readonly Renamed[]): void {
  for (const { name, from, place } of now)
    if (from !== undefined && !old.some((label) => label.name === from))
      throw problem('BAD_LABEL', `${kind} ${name}: there is no ${from} in the policy in force`, place);
}

function renamer(old: readonly Renamed[], now: readonly Renamed[]): (label: string) => string | undefined {
  const renamed = new Map(now.flatMap(({ name, from }) => (from === undefined ? [] : [[from, name] as const])));
  const names = new Set(now.map(({ name }) => name));
  const known = new Set(old.map(({ name }) => name));
  return (label) =>
    renamed.get(label) ?? (names.has(label) && (known.has(label) || label === UNLABELED) ? label : undefined);
}

/** `ACM:policy:label`. */
export interface FullLabel {
  readonly type: string;
  readonly policy: string;
  readonly label: string;
}

/** Undefined for what has not exactly two colons. */
export function parseFullLabel(text: string): FullLabel | undefined {
  const parts = text.split(':');
  if (parts.length !== 3) return undefined;
  return { type: parts[0]!, policy: parts[1]!, label: parts[2]! };
}

export const fullLabel = ({ type, policy, label }: FullLabel): string => `${type}:${policy}:${label}`;

/** What a label becomes when `current` is replaced. Labels of other policies stay; one that is gone becomes invalid. */
export function updatedLabel(
  old: FullLabel,
  current: AcmPolicy,
  next: AcmPolicy,
  now: (label: string) => string | undefined,
): FullLabel {
  if (old.type !== 'ACM' || old.policy !== current.name) return old;
  const label = now(old.label);
  return label === undefined ? { ...old, type: 'INV_ACM' } : { type: 'ACM', policy: next.name, label };
}
