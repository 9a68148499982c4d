/**
 * The schema of policy files: which elements stand where, in which order and how often. It is data; the check below, the
 * .xsd text that Domain-0 shows its administrator, and editors read the same table.
 *
 * Source: the policy language of Xen 3.4 (tools/python/xen/util/acmpolicy.py reads it); the wording is this project's.
 */
import { elements, type Place, textOf, type XmlElement } from './xmlTree';

export const POLICY_NAMESPACE = 'http://www.ibm.com';
export const POLICY_ROOT = 'SecurityPolicyDefinition';

export interface AttributeRule {
  readonly name: string;
  readonly isRequired: boolean;
  /** The only value that it may have. */
  readonly value?: string;
}

export interface ElementRule {
  readonly name: string;
  readonly min: 0 | 1;
  readonly max: 1 | 'many';
  readonly attributes?: readonly AttributeRule[];
  /** Elements inside, in this order; without it the element holds text. */
  readonly children?: readonly ElementRule[];
  readonly isVersion?: boolean;
}

type Times = '1' | '?' | '+' | '*';
const times = (word: Times): Pick<ElementRule, 'min' | 'max'> => ({
  min: word === '1' || word === '+' ? 1 : 0,
  max: word === '+' || word === '*' ? 'many' : 1,
});
const text = (name: string, word: Times, more: Partial<ElementRule> = {}): ElementRule => ({
  name,
  ...times(word),
  ...more,
});
const group = (
  name: string,
  word: Times,
  children: readonly ElementRule[],
  attributes?: readonly AttributeRule[],
): ElementRule => ({ name, ...times(word), children, ...(attributes ? { attributes } : {}) });

const priority: readonly AttributeRule[] = [{ name: 'priority', isRequired: false, value: 'PrimaryPolicyComponent' }];
const labelName = text('Name', '1', { attributes: [{ name: 'from', isRequired: false }] });
const version = text('Version', '1', { isVersion: true });
const types = (name: string, word: Times) => group(name, word, [text('Type', '+')]);

export const policySchema: ElementRule = group(POLICY_ROOT, '1', [
  group('PolicyHeader', '1', [
    text('PolicyName', '1'),
    text('PolicyUrl', '?'),
    text('Reference', '?'),
    text('Date', '?'),
    text('NameSpaceUrl', '?'),
    version,
    group('FromPolicy', '?', [text('PolicyName', '1'), version]),
  ]),
  group('SimpleTypeEnforcement', '?', [types('SimpleTypeEnforcementTypes', '1')], priority),
  group(
    'ChineseWall',
    '?',
    [
      types('ChineseWallTypes', '1'),
      group('ConflictSets', '?', [group('Conflict', '+', [text('Type', '+')], [{ name: 'name', isRequired: true }])]),
    ],
    priority,
  ),
  group('SecurityLabelTemplate', '1', [
    group(
      'SubjectLabels',
      '?',
      [
        group('VirtualMachineLabel', '+', [
          labelName,
          types('SimpleTypeEnforcementTypes', '?'),
          types('ChineseWallTypes', '*'),
        ]),
      ],
      [{ name: 'bootstrap', isRequired: true }],
    ),
    group('ObjectLabels', '?', [
      group('ResourceLabel', '+', [labelName, group('SimpleTypeEnforcementTypes', '1', [text('Type', '1')])]),
    ]),
  ]),
]);

export interface SchemaProblem {
  readonly message: string;
  readonly place: Place;
}

/** Everything in which the document differs from the schema, in the order of the text. */
export function checkSchema(root: XmlElement): readonly SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  if (root.local !== POLICY_ROOT)
    return [{ message: `the root element is ${root.name}, not ${POLICY_ROOT}`, place: root.place }];
  checkElement(root, policySchema, problems);
  return problems;
}

function checkElement(element: XmlElement, rule: ElementRule, problems: SchemaProblem[]): void {
  const report = (message: string, place = element.place) => void problems.push({ message, place });
  if (element.namespace !== POLICY_NAMESPACE) report(`${element.name} is not in the namespace ${POLICY_NAMESPACE}`);
  // The tools look elements up by their plain names.
  else if (element.name !== element.local) report(`${element.name}: make the namespace the default one`);
  checkAttributes(element, rule, report);
  if (!rule.children) {
    const [child] = elements(element);
    if (child) report(`${element.local} holds text only`, child.place);
    if (rule.isVersion && !/^\d{1,8}\.\d{1,8}$/.test(textOf(element)))
      report(`${JSON.stringify(textOf(element))} is not a version: two numbers with a dot between them`);
    return;
  }
  if (textOf(element) !== '') report(`${element.local} holds elements only, not text`);
  checkChildren(element, rule.children, problems);
}

function checkAttributes(element: XmlElement, rule: ElementRule, report: (message: string) => void): void {
  for (const [name, value] of element.attributes) {
    if (name === 'xmlns' || name.startsWith('xmlns:') || name.startsWith('xsi:')) continue;
    const known = rule.attributes?.find((attribute) => attribute.name === name);
    if (!known) report(`${element.local} has no attribute ${name}`);
    else if (known.value !== undefined && value !== known.value)
      report(`attribute ${name} of ${element.local} can only be ${known.value}`);
  }
  for (const { name, isRequired } of rule.attributes ?? [])
    if (isRequired && !element.attributes.has(name)) report(`${element.local} needs the attribute ${name}`);
}

function checkChildren(parent: XmlElement, rules: readonly ElementRule[], problems: SchemaProblem[]): void {
  const children = elements(parent);
  let at = 0;
  for (const rule of rules) {
    const first = at;
    while (at < children.length && children[at]!.local === rule.name && (rule.max === 'many' || at === first)) {
      checkElement(children[at]!, rule, problems);
      at++;
    }
    if (at === first && rule.min === 1) {
      const message = `${parent.local} needs ${rule.name}`;
      problems.push({
        message: at < children.length ? `${message} before this` : message,
        place: (children[at] ?? parent).place,
      });
      return;
    }
  }
  const extra = children[at];
  if (extra) problems.push({ message: `${extra.name} is not allowed here in ${parent.local}`, place: extra.place });
}

/** The table as an XML Schema document. */
export function schemaText(): string {
  const lines: string[] = [];
  writeRule(policySchema, '  ', true, lines);
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- The language of access control policies. Written from the table that the tools check policies with. -->
<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="${POLICY_NAMESPACE}" xmlns="${POLICY_NAMESPACE}" elementFormDefault="qualified">
  <xsd:simpleType name="VersionFormat">
    <xsd:restriction base="xsd:string"><xsd:pattern value="[0-9]{1,8}\\.[0-9]{1,8}"/></xsd:restriction>
  </xsd:simpleType>
${lines.join('\n')}
</xsd:schema>
`;
}

function writeRule(rule: ElementRule, indent: string, isRoot: boolean, lines: string[]): void {
  const occurs = isRoot ? '' : ` minOccurs="${rule.min}" maxOccurs="${rule.max === 'many' ? 'unbounded' : 1}"`;
  const textType = rule.isVersion ? 'VersionFormat' : 'xsd:string';
  const attributes = (rule.attributes ?? []).map(
    ({ name, isRequired, value }) =>
      `<xsd:attribute name="${name}" type="xsd:string" use="${isRequired ? 'required' : 'optional'}"${value === undefined ? '' : ` fixed="${value}"`}/>`,
  );
  if (!rule.children && attributes.length === 0) {
    lines.push(`${indent}<xsd:element name="${rule.name}" type="${textType}"${occurs}/>`);
    return;
  }
  lines.push(`${indent}<xsd:element name="${rule.name}"${occurs}>`, `${indent}  <xsd:complexType>`);
  if (rule.children) {
    lines.push(`${indent}    <xsd:sequence>`);
    for (const child of rule.children) writeRule(child, `${indent}      `, false, lines);
    lines.push(`${indent}    </xsd:sequence>`, ...attributes.map((line) => `${indent}    ${line}`));
  } else
    lines.push(
      `${indent}    <xsd:simpleContent><xsd:extension base="${textType}">${attributes.join('')}</xsd:extension></xsd:simpleContent>`,
    );
  lines.push(`${indent}  </xsd:complexType>`, `${indent}</xsd:element>`);
}
