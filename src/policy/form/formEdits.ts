/**
 * Changes of a policy's form, as xensec_gen makes them (tools/security/python/xensec_gen in Xen 3.4): lists are kept sorted
 * and without duplicates. Unlike the original, a type that is deleted goes from conflict sets and classes as well.
 */
import type { PolicyForm, PolicyFormLabel } from '../../../workers/contract';

export type TypePart = 'steTypes' | 'chwallTypes';
/** The lists of names that a form has. */
export type FormList = TypePart | 'conflictSets' | 'vmLabels' | 'resourceLabels';

export const emptyForm: PolicyForm = {
  name: '',
  version: '1.0',
  primary: 'chwall',
  steTypes: [],
  chwallTypes: [],
  conflictSets: [],
  bootstrap: '',
  vmLabels: [],
  resourceLabels: [],
};

/** What no policy can be loaded with. */
export function isBadName(name: string): boolean {
  return /[:\s/]/.test(name);
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function byName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function namesIn(form: PolicyForm, list: FormList): readonly string[] {
  return list === 'steTypes' || list === 'chwallTypes' ? form[list] : form[list].map(({ name }) => name);
}

/** Of the component that is to be the primary one. */
export function typesOfPrimary({ primary, steTypes, chwallTypes }: PolicyForm): readonly string[] {
  return primary === undefined ? [] : { ste: steTypes, chwall: chwallTypes }[primary];
}

/** The name is trimmed; an empty or known one changes nothing. */
export function added(form: PolicyForm, list: FormList, typed: string): PolicyForm {
  const name = typed.trim();
  if (name === '' || namesIn(form, list).includes(name)) return form;
  switch (list) {
    case 'steTypes':
    case 'chwallTypes':
      return { ...form, [list]: sorted([...form[list], name]) };
    case 'conflictSets':
      return { ...form, conflictSets: byName([...form.conflictSets, { name, types: [] }]) };
    case 'vmLabels':
      return {
        ...form,
        vmLabels: byName([...form.vmLabels, { name, ste: [], chwall: [] }]),
        bootstrap: form.bootstrap === '' ? name : form.bootstrap,
      };
    case 'resourceLabels':
      return { ...form, resourceLabels: byName([...form.resourceLabels, { name, ste: '' }]) };
  }
}

export function removed(form: PolicyForm, list: FormList, names: readonly string[]): PolicyForm {
  const stays = (name: string) => !names.includes(name);
  const kept = <T extends { readonly name: string }>(items: readonly T[]) => items.filter(({ name }) => stays(name));
  switch (list) {
    case 'steTypes':
      return {
        ...form,
        steTypes: form.steTypes.filter(stays),
        vmLabels: form.vmLabels.map((label) => ({ ...label, ste: label.ste.filter(stays) })),
        resourceLabels: form.resourceLabels.map((label) => (stays(label.ste) ? label : { ...label, ste: '' })),
      };
    case 'chwallTypes':
      return {
        ...form,
        chwallTypes: form.chwallTypes.filter(stays),
        conflictSets: form.conflictSets.map((set) => ({ ...set, types: set.types.filter(stays) })),
        vmLabels: form.vmLabels.map((label) => ({ ...label, chwall: label.chwall.filter(stays) })),
      };
    case 'conflictSets':
      return { ...form, conflictSets: kept(form.conflictSets) };
    case 'vmLabels': {
      const vmLabels = kept(form.vmLabels);
      // Domain-0's role passes to the first that is left.
      return { ...form, vmLabels, bootstrap: stays(form.bootstrap) ? form.bootstrap : (vmLabels[0]?.name ?? '') };
    }
    case 'resourceLabels':
      return { ...form, resourceLabels: kept(form.resourceLabels) };
  }
}

/** Types of a conflict set. */
export function withSetTypes(form: PolicyForm, name: string, types: readonly string[]): PolicyForm {
  const conflictSets = form.conflictSets.map((set) => (set.name === name ? { ...set, types: sorted(types) } : set));
  return { ...form, conflictSets };
}

export function withLabelTypes(
  form: PolicyForm,
  name: string,
  part: 'ste' | 'chwall',
  types: readonly string[],
): PolicyForm {
  const change = (label: PolicyFormLabel) => (label.name === name ? { ...label, [part]: sorted(types) } : label);
  return { ...form, vmLabels: form.vmLabels.map(change) };
}

export function withResourceType(form: PolicyForm, name: string, ste: string): PolicyForm {
  const resourceLabels = form.resourceLabels.map((label) => (label.name === name ? { ...label, ste } : label));
  return { ...form, resourceLabels };
}

/** In an update of the policy in force the old name stays behind as `from`, so that what carries the label keeps it. */
export function renamedLabel(
  form: PolicyForm,
  list: 'vmLabels' | 'resourceLabels',
  old: string,
  typed: string,
): PolicyForm {
  const name = typed.trim();
  if (name === '' || name === old || namesIn(form, list).includes(name)) return form;
  const rename = <T extends { readonly name: string; readonly from?: string | undefined }>(label: T): T =>
    label.name === old ? { ...label, name, ...(form.from ? { from: label.from ?? old } : {}) } : label;
  if (list === 'resourceLabels') return { ...form, resourceLabels: byName(form.resourceLabels.map(rename)) };
  return {
    ...form,
    vmLabels: byName(form.vmLabels.map(rename)),
    bootstrap: form.bootstrap === old ? name : form.bootstrap,
  };
}

/** An update of the policy as it is: it names where it starts from and has a higher version. */
export function nextVersion(form: PolicyForm): PolicyForm {
  const [major = '1', minor = '0'] = form.version.split('.');
  const plain = <T extends { readonly from?: string | undefined }>({ from: _from, ...label }: T) => label;
  return {
    ...form,
    version: `${major}.${(Number.parseInt(minor, 10) || 0) + 1}`,
    from: { name: form.name, version: form.version },
    vmLabels: form.vmLabels.map(plain),
    resourceLabels: form.resourceLabels.map(plain),
  };
}
