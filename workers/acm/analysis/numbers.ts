/** Numbers and sharing tables of a policy, made once for each: the analyses of one text ask for them again and again. */
import { type NumberedPolicy, numberPolicy } from '../numbering';
import type { AcmPolicy } from '../policyModel';
import { TypeEnforcement } from '../typeEnforcement';

const numbers = new WeakMap<AcmPolicy, NumberedPolicy>();
const tables = new WeakMap<NumberedPolicy, TypeEnforcement>();

export function numbersOf(policy: AcmPolicy): NumberedPolicy {
  const known = numbers.get(policy) ?? numberPolicy(policy);
  numbers.set(policy, known);
  return known;
}

export function sharingOf(policy: AcmPolicy): TypeEnforcement {
  const numbered = numbersOf(policy);
  const { steTypes, steRows } = numbered;
  const known = tables.get(numbered) ?? new TypeEnforcement({ steTypes: steTypes.length, steRows });
  tables.set(numbered, known);
  return known;
}
