import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { annotated, exampleTestMap } from './annotatedPolicies.testkind';
import { defaultPolicy } from './defaultPolicy';
import { orchard } from './orchard.testkind';
import { binaryOf, compilePolicy, decodePolicy, encodePolicy } from './policyBinary';
import { PolicyMap, writeMap } from './policyMap';
import { checkPolicy, policyProblems } from './policyRules';
import { schemaText } from './policySchema';
import { writePolicy } from './policyWriter';
import { PolicyError, readPolicy } from './policyXml';
import { parseXml, prettyXml, xmlText } from './xmlTree';

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

const examples = join(import.meta.dirname, '../../public/policies');
const sources: Readonly<Record<string, () => string>> = {
  DEFAULT: () => writePolicy(defaultPolicy()),
  orchard: () => writePolicy(orchard),
};
const source = (name: string) => sources[name]?.() ?? readFileSync(join(examples, `${name}.xml`), 'utf8');

it.each(Object.entries(annotated))('%s compiles to the bytes that a person works out', (name, text) => {
  const file = readPolicy(source(name));
  const bytes = compilePolicy(file);
  expect(hex(bytes)).toBe(text.replace(/#.*/g, '').replace(/\s+/g, ''));
  expect(decodePolicy(bytes).name).toBe(file.policy.name);
});

it('writes the map to the letter', () => {
  const files = { policy: '/p/example/test-security_policy.xml', binary: '/p/example//test.bin' };
  expect(writeMap(readPolicy(source('example.test')).policy, files)).toBe(exampleTestMap);
});

it('a dump carries the reference counts behind the conflict sets', () => {
  const bytes = encodePolicy(binaryOf(orchard, new Uint8Array(20)), {
    running: [1, 0, 1, 1, 0],
    aggregate: [0, 0, 0, 0, 1],
  });
  const { counts } = decodePolicy(bytes);
  expect([...(counts!.running as Uint16Array)]).toEqual([1, 0, 1, 1, 0]);
  expect([...(counts!.aggregate as Uint16Array)]).toEqual([0, 0, 0, 0, 1]);
});

it('writes the map file and finds labels and references in it', () => {
  const text = writeMap(orchard, { policy: '/p/orchard-security_policy.xml', binary: '/p//orchard.bin' });
  for (const line of [
    'POLICYREFERENCENAME    orchard',
    'BINARYFILE             /p//orchard.bin',
    'MAX-STE-SSIDS          00000009',
    'PRIMARY                CHWALL',
    'SECONDARY              STE',
    'LABEL->SSID ANY CHWALL __UNLABELED__        0',
    'LABEL->SSID VM  CHWALL apple.press          3',
    'LABEL->SSID ANY STE    __UNLABELED__        00000000',
    'LABEL->SSID RES STE    apple                6',
    'SSID->TYPE CHWALL      00000003 apple apple.press',
    'TYPE STE               pear                 4',
  ])
    expect(text.split('\n')).toContain(line);
  const map = new PolicyMap(text);
  expect(map.ssidref('apple', 'dom')).toBe(0x0002_0002);
  expect(map.ssidref('apple', 'res')).toBe(0x0006_0000);
  expect(map.ssidref('__UNLABELED__', 'res')).toBe(0);
  expect(map.label(0x0006_0000)).toBe('apple');
  expect(map.label(0x0003_0003)).toBe('apple.press');
  expect(map.label(0)).toBe('__UNLABELED__');
  expect(map.labels('dom')).toEqual(['SystemManagement', '__UNLABELED__', 'apple', 'apple.press', 'pear']);
  expect(map.labels('res')).toEqual(['SystemManagement', 'apple', 'apple.press', 'pear']);
  expect(() => map.ssidref('plum', 'dom')).toThrow("Label 'plum' not found.");
});

it('a policy read back from its own text is the same policy', () => {
  const strip = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (key, inner) => (key === 'place' || key === 'versionPlace' ? undefined : inner)));
  expect(strip(readPolicy(writePolicy(orchard)).policy)).toEqual(strip(orchard));
});

it('serialises a document as minidom does', () => {
  const text =
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- hello -->\n<a z="1" b="&lt;&quot;"><Type></Type>x &gt; y</a>\n';
  expect(xmlText(parseXml(text))).toBe(
    '<?xml version="1.0" ?><!-- hello --><a b="&lt;&quot;" z="1"><Type/>x &gt; y</a>',
  );
  expect(prettyXml(parseXml('<a><b>1</b><c/></a>'))).toBe('<?xml version="1.0" ?>\n<a>\n   <b>1</b>\n   <c/>\n</a>\n');
});

/** The first problem of a changed orchard. */
function problem(change: (xml: string) => string): string {
  try {
    checkPolicy(readPolicy(change(writePolicy(orchard))).policy);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const [{ code, message, place }] = error.problems as [PolicyError['problems'][number]];
    return `${code} ${place.line}: ${message}`;
  }
  return 'none';
}

it.each([
  ['an element that is not closed', (xml: string) => xml.replace('</Version>', ''), /^XML_PROCESSING \d+: /],
  ['an unknown entity', (xml: string) => xml.replace('1.0</Version>', '&x;</Version>'), /^XML_PROCESSING 5: /],
  [
    'a document type',
    (xml: string) => xml.replace('<Sec', '<!DOCTYPE x [<!ENTITY a "b">]>\n<Sec'),
    /^XML_PROCESSING 2: a document type/,
  ],
  [
    'an external entity',
    (xml: string) => xml.replace('<Sec', '<!DOCTYPE x SYSTEM "http://example.test/x">\n<Sec'),
    /^XML_PROCESSING 2/,
  ],
  ['a file of 10 MB', (xml: string) => xml + ' '.repeat(10_000_000), /^XML_PROCESSING 1: the file is larger/],
  ['another root', () => '<a xmlns="http://www.ibm.com"/>', /^BAD_XML 1: the root element is a/],
  ['another namespace', (xml: string) => xml.replace('www.ibm.com', 'www.example.test'), /^BAD_XML 2: .*namespace/],
  [
    'elements in the wrong order',
    (xml: string) =>
      xml.replace('<Version>', '<Date>1</Date><Version>').replace('<PolicyName>', '<PolicyUrl/><PolicyName>'),
    /^BAD_XML 4: PolicyHeader needs PolicyName before this/,
  ],
  ['a version without a dot', (xml: string) => xml.replace('>1.0<', '>1<'), /^BAD_XML 5: "1" is not a version/],
  [
    'an unknown attribute',
    (xml: string) => xml.replace('<Name>', '<Name was="x">'),
    /^BAD_XML \d+: Name has no attribute was/,
  ],
  [
    'a colon in a label',
    (xml: string) => xml.replace('<Name>pear<', '<Name>p:ear<'),
    /^BAD_LABEL \d+: "p:ear" is no name for a label/,
  ],
  ['a colon in the policy name', (xml: string) => xml.replace('orchard', 'or:chard'), /^BAD_POLICY_NAME 4: "or:chard"/],
  ['a path as policy name', (xml: string) => xml.replace('orchard', '../../etc/x'), /^BAD_POLICY_NAME 4:/],
  ['a quote in a label', (xml: string) => xml.replace('<Name>pear<', "<Name>p'ear<"), /^BAD_LABEL \d+: "p'ear"/],
  ['a blank in a label', (xml: string) => xml.replace('<Name>pear<', '<Name>p ear<'), /^BAD_LABEL \d+: "p ear"/],
  ['a control character', (xml: string) => xml.replace('<Name>pear<', '<Name>p\u0001ear<'), /^XML_PROCESSING \d+:/],
  [
    'a label twice',
    (xml: string) => xml.replace('<Name>pear<', '<Name>apple<'),
    /^POLICY_HAS_DUPLICATES \d+: VM label apple/,
  ],
  ['an undefined type', (xml: string) => xml.replace('<Type>pear</Type>', ''), /^BAD_LABEL/],
  [
    'an undefined bootstrap label',
    (xml: string) => xml.replace('bootstrap="SystemManagement"', 'bootstrap="x"'),
    /^POLICY_INCONSISTENT/,
  ],
  [
    'an undefined type in a conflict set',
    (xml: string) => xml.replace(/(<Conflict .*\n\s*)<Type>apple</, '$1<Type>plum<'),
    /^BAD_CONFLICTSET \d+: conflict set fruit: there is no CHWALL type plum/,
  ],
  [
    'a label with two types of one conflict set',
    (xml: string) =>
      xml.replace(/(<Conflict .*\n\s*)<Type>apple<\/Type>/, '$1<Type>apple</Type><Type>apple.press</Type>'),
    /^BAD_CONFLICTSET \d+: VM label apple.press holds apple and apple.press of conflict set fruit/,
  ],
])('%s is refused with its line', (_what, change, expected) => {
  expect(problem(change)).toMatch(expected);
});

it('the worked example breaks no rule, and the schema can be shown', () => {
  expect(policyProblems(orchard)).toEqual([]);
  expect(parseXml(schemaText()).root.local).toBe('schema');
});
