/**
 * Policy files: XML into the model, every problem with its line.
 */
import {
  type AcmPolicy,
  isLabelName,
  isPolicyName,
  LABEL_NAME_RULE,
  POLICY_NAME_RULE,
  type PolicyType,
  type ResourceLabel,
  type VmLabel,
} from './policyModel';
import { checkSchema } from './policySchema';
import { elements, type Place, parseXml, textOf, type XmlDocument, type XmlElement, XmlError } from './xmlTree';
import { XsError, type XserrName } from './xserr';

export interface PolicyProblem {
  readonly code: XserrName;
  readonly message: string;
  readonly place: Place;
  /** The type that it is about, which stands somewhere inside the element at that place. */
  readonly type?: string | undefined;
}

/** A file that is no policy. */
export class PolicyError extends XsError {
  constructor(readonly problems: readonly PolicyProblem[]) {
    const [first] = problems;
    super(first!.code, `line ${first!.place.line}: ${first!.message}`);
  }
}

export interface PolicyFile {
  readonly policy: AcmPolicy;
  readonly document: XmlDocument;
}

/**
 * Reads a policy: well-formed, after the schema, without colons in names. Throws PolicyError with XML_PROCESSING, BAD_XML,
 * BAD_POLICY_NAME or BAD_LABEL. What the policy means is checked by policyRules.ts.
 */
export function readPolicy(source: string | Uint8Array): PolicyFile {
  const document = parse(source);
  const schema = checkSchema(document.root);
  if (schema.length > 0) throw new PolicyError(schema.map((problem) => ({ code: 'BAD_XML', ...problem })));
  const policy = policyOf(document.root);
  const names = checkNames(policy, child(child(document.root, 'PolicyHeader')!, 'PolicyName')!.place);
  if (names.length > 0) throw new PolicyError(names);
  return { policy, document };
}

function parse(source: string | Uint8Array): XmlDocument {
  try {
    return parseXml(typeof source === 'string' ? source : decode(source));
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new PolicyError([{ code: 'XML_PROCESSING', message: error.message, place: error.place }]);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new XmlError('the file is not UTF-8', { line: 1, column: 1 });
  }
}

function checkNames(policy: AcmPolicy, nameAt: Place): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  if (!isPolicyName(policy.name))
    problems.push({
      code: 'BAD_POLICY_NAME',
      message: `${JSON.stringify(policy.name)} is no name for a policy: ${POLICY_NAME_RULE}`,
      place: nameAt,
    });
  for (const { name, place } of [...policy.resourceLabels, ...policy.vmLabels])
    if (!isLabelName(name))
      problems.push({
        code: 'BAD_LABEL',
        message: `${JSON.stringify(name)} is no name for a label: ${LABEL_NAME_RULE}`,
        place: place ?? nameAt,
      });
  return problems;
}

function policyOf(root: XmlElement): AcmPolicy {
  const header = child(root, 'PolicyHeader')!;
  const optional = (name: string) => {
    const element = child(header, name);
    return element && textOf(element);
  };
  const from = child(header, 'FromPolicy');
  const ste = child(root, 'SimpleTypeEnforcement');
  const chwall = child(root, 'ChineseWall');
  const template = child(root, 'SecurityLabelTemplate')!;
  const subjects = child(template, 'SubjectLabels');
  const objects = child(template, 'ObjectLabels');
  const conflicts = chwall && child(chwall, 'ConflictSets');
  const isPrimary = (part: XmlElement | undefined) => part?.attributes.has('priority') === true;
  return {
    name: textOf(child(header, 'PolicyName')!),
    url: optional('PolicyUrl'),
    reference: optional('Reference'),
    date: optional('Date'),
    nameSpaceUrl: optional('NameSpaceUrl'),
    version: textOf(child(header, 'Version')!),
    versionPlace: (from ?? child(header, 'Version')!).place,
    from: from && { name: textOf(child(from, 'PolicyName')!), version: textOf(child(from, 'Version')!) },
    // Where both say so, the one that Xen takes.
    primary: isPrimary(chwall) ? 'chwall' : isPrimary(ste) ? 'ste' : undefined,
    ste: ste && { types: typesOf(child(ste, 'SimpleTypeEnforcementTypes')) },
    chwall: chwall && {
      types: typesOf(child(chwall, 'ChineseWallTypes')),
      conflictSets: elements(conflicts ?? chwall, 'Conflict').map((conflict) => ({
        name: (conflict.attributes.get('name') ?? '').trim(),
        types: namesOf(conflict),
        place: conflict.place,
      })),
    },
    bootstrap: subjects?.attributes.get('bootstrap')?.trim() ?? '',
    vmLabels: subjects ? elements(subjects, 'VirtualMachineLabel').map(vmLabelOf) : [],
    resourceLabels: objects ? elements(objects, 'ResourceLabel').map(resourceLabelOf) : [],
  };
}

function vmLabelOf(element: XmlElement): VmLabel {
  const name = child(element, 'Name')!;
  return {
    name: textOf(name),
    from: name.attributes.get('from')?.trim(),
    ste: namesOf(child(element, 'SimpleTypeEnforcementTypes')),
    // Only the first of several is used.
    chwall: namesOf(child(element, 'ChineseWallTypes')),
    place: element.place,
  };
}

function resourceLabelOf(element: XmlElement): ResourceLabel {
  const name = child(element, 'Name')!;
  return {
    name: textOf(name),
    from: name.attributes.get('from')?.trim(),
    ste: namesOf(child(element, 'SimpleTypeEnforcementTypes'))[0] ?? '',
    place: element.place,
  };
}

function child(parent: XmlElement, local: string): XmlElement | undefined {
  return elements(parent, local)[0];
}

/** An empty Type is ignored. */
function typesOf(list: XmlElement | undefined): readonly PolicyType[] {
  if (!list) return [];
  return elements(list, 'Type').flatMap((type) =>
    textOf(type) === '' ? [] : [{ name: textOf(type), place: type.place }],
  );
}

function namesOf(list: XmlElement | undefined): readonly string[] {
  return typesOf(list).map(({ name }) => name);
}
