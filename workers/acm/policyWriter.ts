/** Policies as XML: first which elements there are, then their text. */
import type { AcmPolicy, PrimaryComponent, VmLabel } from './policyModel';
import { POLICY_NAMESPACE, POLICY_ROOT } from './policySchema';
import { sketchText, type XmlSketch } from './xmlSketch';

/** The names that labels had in another text; see `origin` in the contract's PolicyForm. */
export interface LabelOrigins {
  readonly vm: ReadonlyMap<string, string>;
  readonly resource: ReadonlyMap<string, string>;
}

const NO_ORIGINS: LabelOrigins = { vm: new Map(), resource: new Map() };

/** The policy as a file of its own. */
export function writePolicy(policy: AcmPolicy): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${sketchText(policySketch(policy))}\n`;
}

/** Its elements in the order of the schema. */
export function policySketch(policy: AcmPolicy, origins: LabelOrigins = NO_ORIGINS): XmlSketch {
  const { ste, chwall } = policy;
  const priority = (part: PrimaryComponent): Readonly<Record<string, string>> =>
    policy.primary === part ? { priority: 'PrimaryPolicyComponent' } : {};
  const namesOf = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
  return group(
    POLICY_ROOT,
    [
      header(policy),
      ste && group('SimpleTypeEnforcement', [types('SimpleTypeEnforcementTypes', namesOf(ste.types))], priority('ste')),
      chwall &&
        group(
          'ChineseWall',
          [types('ChineseWallTypes', namesOf(chwall.types)), conflictSets(chwall.conflictSets)],
          priority('chwall'),
        ),
      group('SecurityLabelTemplate', [vmLabels(policy, origins.vm), resourceLabels(policy, origins.resource)]),
    ],
    { xmlns: POLICY_NAMESPACE },
  );
}

function header({ name, url, reference, date, nameSpaceUrl, version, from }: AcmPolicy): XmlSketch {
  return group('PolicyHeader', [
    leaf('PolicyName', name),
    leaf('PolicyUrl', url),
    leaf('Reference', reference),
    leaf('Date', date),
    leaf('NameSpaceUrl', nameSpaceUrl),
    leaf('Version', version),
    from && group('FromPolicy', [leaf('PolicyName', from.name), leaf('Version', from.version)]),
  ]);
}

function conflictSets(sets: readonly { readonly name: string; readonly types: readonly string[] }[]) {
  if (sets.length === 0) return undefined;
  const conflicts = sets.map(({ name, types: members }) => ({
    ...group('Conflict', members.map(typeLeaf), { name }),
    key: `Conflict ${name}`,
  }));
  return group('ConflictSets', conflicts);
}

function vmLabels(policy: AcmPolicy, origins: ReadonlyMap<string, string>): XmlSketch | undefined {
  if (policy.vmLabels.length === 0) return undefined;
  const labels = policy.vmLabels.map((label) => ({
    ...group('VirtualMachineLabel', [
      nameOf(label),
      types('SimpleTypeEnforcementTypes', label.ste),
      types('ChineseWallTypes', label.chwall),
    ]),
    key: labelKey('VirtualMachineLabel', label.name, origins),
  }));
  return group('SubjectLabels', labels, { bootstrap: policy.bootstrap });
}

function resourceLabels(policy: AcmPolicy, origins: ReadonlyMap<string, string>): XmlSketch | undefined {
  if (policy.resourceLabels.length === 0) return undefined;
  const labels = policy.resourceLabels.map((label) => ({
    ...group('ResourceLabel', [nameOf(label), types('SimpleTypeEnforcementTypes', [label.ste])]),
    key: labelKey('ResourceLabel', label.name, origins),
  }));
  return group('ObjectLabels', labels);
}

function nameOf({ name, from }: Pick<VmLabel, 'name' | 'from'>): XmlSketch {
  return { ...leaf('Name', name)!, attributes: from === undefined ? {} : { from } };
}

/** A renamed label is the one that it was; a new one is not what another one was. */
function labelKey(element: string, name: string, origins: ReadonlyMap<string, string>): string {
  const origin = origins.get(name);
  if (origin !== undefined) return `${element} ${origin}`;
  const isTaken = [...origins.values()].includes(name);
  return `${element} ${isTaken ? '+' : ''}${name}`;
}

function types(name: string, list: readonly string[]): XmlSketch | undefined {
  return list.length === 0 ? undefined : group(name, list.map(typeLeaf));
}

function typeLeaf(type: string): XmlSketch {
  return { ...leaf('Type', type)!, key: `Type ${type}` };
}

function leaf(name: string, text: string | undefined): XmlSketch | undefined {
  return text === undefined ? undefined : { name, key: name, attributes: {}, text, children: [] };
}

function group(
  name: string,
  children: readonly (XmlSketch | undefined)[],
  attributes: Readonly<Record<string, string>> = {},
): XmlSketch {
  return { name, key: name, attributes, children: children.filter((each) => each !== undefined) };
}
