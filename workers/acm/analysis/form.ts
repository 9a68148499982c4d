/** A policy as a form shows it, and a form as a policy. */
import type { PolicyForm } from '../../contract';
import { mergeXml } from '../mergeXml';
import { type AcmPolicy, byCodePoint } from '../policyModel';
import { type LabelOrigins, policySketch, writePolicy } from '../policyWriter';
import { elements, textOf, type XmlElement } from '../xmlTree';
import { readDraft } from './draft';

/** Lists are sorted, as xensec_gen keeps them; their order means nothing. */
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
    steTypes: sorted((policy.ste?.types ?? []).map(({ name }) => name)),
    chwallTypes: sorted((policy.chwall?.types ?? []).map(({ name }) => name)),
    conflictSets: byName(
      (policy.chwall?.conflictSets ?? []).map(({ name, types }) => ({ name, types: sorted(types) })),
    ),
    bootstrap: policy.bootstrap,
    vmLabels: byName(
      policy.vmLabels.map(({ name, from, ste, chwall }) => ({
        name,
        from,
        origin: name,
        ste: sorted(ste),
        chwall: sorted(chwall),
      })),
    ),
    resourceLabels: byName(policy.resourceLabels.map(({ name, from, ste }) => ({ name, from, origin: name, ste }))),
  };
}

function sorted(names: readonly string[]): readonly string[] {
  return [...names].sort(byCodePoint);
}

function byName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return [...items].sort((a, b) => byCodePoint(a.name, b.name));
}

export function policyOfForm(form: PolicyForm): AcmPolicy {
  const types = (names: readonly string[]) => names.map((name) => ({ name }));
  // A set without types cannot stand in a file.
  const conflictSets = form.conflictSets.filter((set) => set.types.length > 0);
  const hasWall = form.chwallTypes.length > 0 || conflictSets.length > 0;
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
    chwall: hasWall ? { types: types(form.chwallTypes), conflictSets } : undefined,
    bootstrap: form.bootstrap,
    vmLabels: form.vmLabels,
    resourceLabels: form.resourceLabels,
  };
}

/**
 * The file in the order that the schema wants. With the text that the form was read from it is that text with the form's
 * changes.
 */
export function formText(form: PolicyForm, source?: string): string {
  const file = source === undefined ? undefined : readDraft(source).file;
  if (source === undefined || !file) return writePolicy(policyOfForm(form));
  const was = formOf(file.policy);
  const before = policySketch(policyOfForm(was), originsOf(was));
  return mergeXml(source, file.document.root, before, policySketch(policyOfForm(form), originsOf(form)), keyOf);
}

function originsOf({ vmLabels, resourceLabels }: PolicyForm): LabelOrigins {
  const map = (labels: readonly { readonly name: string; readonly origin?: string | undefined }[]) =>
    new Map(labels.flatMap(({ name, origin }) => (origin === undefined ? [] : [[name, origin] as const])));
  return { vm: map(vmLabels), resource: map(resourceLabels) };
}

/** As policyWriter.ts names its sketches. */
function keyOf(element: XmlElement): string {
  switch (element.local) {
    case 'Type':
      return `Type ${textOf(element)}`;
    case 'Conflict':
      return `Conflict ${(element.attributes.get('name') ?? '').trim()}`;
    case 'VirtualMachineLabel':
    case 'ResourceLabel':
      return `${element.local} ${elements(element, 'Name').map(textOf).join('')}`;
    default:
      return element.local;
  }
}
