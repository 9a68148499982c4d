/** A policy as a form shows it, and a form as a policy. */
import type { PolicyForm } from '../../contract';
import type { AcmPolicy } from '../policyModel';
import { writePolicy } from '../policyXml';

export function formOf(policy: AcmPolicy): PolicyForm {
  return {
    name: policy.name,
    url: policy.url,
    reference: policy.reference,
    date: policy.date,
    nameSpaceUrl: policy.nameSpaceUrl,
    version: policy.version,
    from: policy.from,
    primary: policy.primary,
    steTypes: (policy.ste?.types ?? []).map(({ name }) => name),
    chwallTypes: (policy.chwall?.types ?? []).map(({ name }) => name),
    conflictSets: (policy.chwall?.conflictSets ?? []).map(({ name, types }) => ({ name, types })),
    bootstrap: policy.bootstrap,
    vmLabels: policy.vmLabels.map(({ name, from, ste, chwall }) => ({ name, from, ste, chwall })),
    resourceLabels: policy.resourceLabels.map(({ name, from, ste }) => ({ name, from, ste })),
  };
}

export function policyOfForm(form: PolicyForm): AcmPolicy {
  const types = (names: readonly string[]) => names.map((name) => ({ name }));
  const hasWall = form.chwallTypes.length > 0 || form.conflictSets.length > 0;
  return {
    name: form.name,
    url: form.url,
    reference: form.reference,
    date: form.date,
    nameSpaceUrl: form.nameSpaceUrl,
    version: form.version,
    from: form.from,
    primary: form.primary,
    ste: form.steTypes.length > 0 ? { types: types(form.steTypes) } : undefined,
    // A set without types cannot stand in a file.
    chwall: hasWall
      ? { types: types(form.chwallTypes), conflictSets: form.conflictSets.filter((set) => set.types.length > 0) }
      : undefined,
    bootstrap: form.bootstrap,
    vmLabels: form.vmLabels,
    resourceLabels: form.resourceLabels,
  };
}

/** The file in the order that the schema wants. */
export function formText(form: PolicyForm): string {
  return writePolicy(policyOfForm(form));
}
