/**
 * What a policy must fulfil beyond its schema before it can be compiled.
 *
 * Source: the checks of the policy compiler in Xen 3.4 (tools/python/xen/util/acmpolicy.py), and two that the Users'
 * Manual states but Xen does not make (§10.3: a label may not hold conflicting types; conflict sets name known types).
 */
import { type AcmPolicy, type PolicyType, UNLABELED } from './policyModel';
import { PolicyError, type PolicyProblem } from './policyXml';
import type { Place } from './xmlTree';
import type { XserrName } from './xserr';

const START: Place = { line: 1, column: 1 };

/** Every rule that the policy breaks; the order is that of the codes, then of the text. */
export function policyProblems(policy: AcmPolicy): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const report = (code: XserrName, message: string, place: Place | undefined, type?: string) =>
    void problems.push({ code, message, place: place ?? START, ...(type === undefined ? {} : { type }) });
  const steTypes = policy.ste?.types ?? [];
  const chwallTypes = policy.chwall?.types ?? [];
  const sets = policy.chwall?.conflictSets ?? [];
  const knownSte = new Set(steTypes.map(({ name }) => name));
  const knownChwall = new Set(chwallTypes.map(({ name }) => name));

  const first = policy.vmLabels[0]?.place;
  if (policy.bootstrap === UNLABELED)
    report('POLICY_INCONSISTENT', `${UNLABELED} cannot be the bootstrap label`, first);
  else if (!policy.vmLabels.some(({ name }) => name === policy.bootstrap))
    report('POLICY_INCONSISTENT', `the bootstrap label ${policy.bootstrap} is not defined`, first);

  const duplicates = (kind: string, items: readonly PolicyType[]) => {
    const seen = new Set<string>();
    for (const { name, place } of items) {
      if (seen.has(name)) report('POLICY_HAS_DUPLICATES', `${kind} ${name} is defined twice`, place);
      seen.add(name);
    }
  };
  duplicates('VM label', policy.vmLabels);
  duplicates(
    'resource label',
    policy.resourceLabels.filter(({ name }) => name !== UNLABELED),
  );
  duplicates('STE type', steTypes);
  duplicates('CHWALL type', chwallTypes);

  for (const { name, types, place } of sets) {
    if (name === '') report('BAD_CONFLICTSET', 'a conflict set needs a name', place);
    for (const type of types)
      if (!knownChwall.has(type))
        report('BAD_CONFLICTSET', `conflict set ${name}: there is no CHWALL type ${type}`, place, type);
  }
  for (const { name, ste, chwall, place } of policy.vmLabels) {
    for (const type of ste)
      if (!knownSte.has(type)) report('BAD_LABEL', `VM label ${name}: there is no STE type ${type}`, place, type);
    for (const type of chwall)
      if (!knownChwall.has(type)) report('BAD_LABEL', `VM label ${name}: there is no CHWALL type ${type}`, place, type);
    for (const set of sets) {
      const both = [...new Set(chwall)].filter((type) => set.types.includes(type));
      if (both.length > 1)
        report(
          'BAD_CONFLICTSET',
          `VM label ${name} holds ${both.slice(0, 2).join(' and ')} of conflict set ${set.name}`,
          place,
          both[1],
        );
    }
  }
  for (const { name, ste, place } of policy.resourceLabels)
    if (!knownSte.has(ste)) report('BAD_LABEL', `resource label ${name}: there is no STE type ${ste}`, place, ste);
  return problems;
}

/** Throws PolicyError when a rule is broken. */
export function checkPolicy(policy: AcmPolicy): void {
  const problems = policyProblems(policy);
  if (problems.length > 0) throw new PolicyError(problems);
}
