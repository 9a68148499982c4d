/** A policy text with everything that can be said of it: the one call behind the bench's views. */
import type { PolicyAnalysis } from '../../contract';
import { compilePolicy } from '../policyBinary';
import type { MapFiles } from '../policyMap';
import { annotateBinary } from './annotatedBinary';
import { readDraft } from './draft';
import { formOf } from './form';
import { mapLines } from './mapLines';
import { conflictSetsOf, labelMatrix } from './matrix';
import { numbersOf } from './numbers';

/** `filesOf`: where the map file will say that XML and binary stand. */
export function analysePolicy(text: string, filesOf: (policyName: string) => MapFiles): PolicyAnalysis {
  const { issues, file, isSound } = readDraft(text);
  if (!file) return { issues, policy: undefined };
  const { policy } = file;
  const binary = isSound ? compilePolicy(file) : undefined;
  return {
    issues,
    policy: {
      form: formOf(policy),
      ...labelMatrix(policy, numbersOf(policy)),
      conflictSets: conflictSetsOf(policy),
      binary: binary && { bytes: binary, parts: annotateBinary(binary, policy) },
      map: isSound ? mapLines(policy, filesOf(policy.name)) : [],
    },
  };
}
