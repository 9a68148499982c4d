/** A decision of the hypervisor, which knows numbers, in the names of the policy that made it. */
import type { PolicyDecision, PolicyParty } from '../../contract';
import type { DecisionParty } from '../acmState';
import type { LoggedDecision } from '../decisionLog';
import { chwallRowOf, type NumberedPolicy, steRowOf } from '../numbering';
import type { BinaryPolicy } from '../policyBinary';

export interface DecisionNames {
  /** Undefined for a policy whose XML nobody has: then numbers must do. */
  policy(binary: BinaryPolicy): NumberedPolicy | undefined;
  domain(domid: number): string | undefined;
}

export function explainDecision(
  { number, atNs, policy, decision, holders, verdict }: LoggedDecision,
  names: DecisionNames,
): PolicyDecision {
  const numbered = names.policy(policy);
  const ste = (type: number) => numbered?.steTypes[type] ?? `type ${type}`;
  const chwall = (type: number) => numbered?.chwallTypes[type] ?? `type ${type}`;
  const party = (each: DecisionParty | undefined) => each && partyOf(each, policy, numbered, names);
  const isWall = decision?.hook === 'create' || decision?.hook === 'conflictset';
  const [type] = decision?.types ?? [];
  return {
    number,
    atMs: Math.floor(atNs / 1e6),
    policy: `${policy.name} ${policy.major}.${policy.minor}`,
    hook: decision?.hook ?? 'xend',
    isPermitted: decision?.isPermitted ?? verdict?.isPermitted ?? false,
    subject: party(decision?.subject),
    object: party(decision?.object),
    types: isWall ? [] : (decision?.types ?? []).map(ste),
    conflict:
      isWall && type !== undefined
        ? {
            type: chwall(type),
            holders: holders.map((holder) => ({
              set: numbered?.conflictSets[holder.set]?.name ?? `set ${holder.set}`,
              domid: holder.domid,
              name: names.domain(holder.domid) ?? `domain ${holder.domid}`,
              label: labelOf(holder.ssidref, numbered),
              type: chwall(holder.type),
            })),
          }
        : undefined,
    verdict,
  };
}

function partyOf(
  { domid, ssidref }: DecisionParty,
  policy: BinaryPolicy,
  numbered: NumberedPolicy | undefined,
  names: DecisionNames,
): PolicyParty {
  const held = (row: Uint16Array | undefined, types: readonly string[] | undefined) =>
    [...(row ?? [])].flatMap((value, type) => (value ? [types?.[type] ?? `type ${type}`] : []));
  if (ssidref === undefined) return { domid, label: '', ste: [], chwall: [], isMissing: true };
  return {
    domid,
    name: domid === undefined ? undefined : names.domain(domid),
    label: labelOf(ssidref, numbered),
    ste: held(policy.steRows[steRowOf(ssidref)], numbered?.steTypes),
    chwall: held(policy.chwallRows[chwallRowOf(ssidref)], numbered?.chwallTypes),
  };
}

/** A resource's label has an STE row alone. */
export function labelOf(ref: number, numbered: NumberedPolicy | undefined): string {
  const row = steRowOf(ref);
  const resource = numbered?.resourceLabels[row - (numbered?.vmLabels.length ?? 0)];
  return numbered?.vmLabels[row] ?? resource ?? `ssidref 0x${ref.toString(16).padStart(8, '0')}`;
}
