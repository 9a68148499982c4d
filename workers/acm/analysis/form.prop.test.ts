import fc from 'fast-check';
import { expect, it } from 'vitest';
import { policies } from '../arbitrary.testkind';
import { orchard } from '../orchard.testkind';
import { compilePolicy } from '../policyBinary';
import { writePolicy } from '../policyWriter';
import { readPolicy } from '../policyXml';
import { diffPolicies } from './diff';
import { readDraft } from './draft';
import { formOf, formText } from './form';

it('carries every part of a policy through the form, the primary component as well', () => {
  fc.assert(
    fc.property(policies(5), (policy) => {
      const form = formOf(readPolicy(writePolicy(policy)).policy);
      const again = readPolicy(formText(form)).policy;
      expect(diffPolicies(policy, again)).toEqual({ differences: [], consequences: [] });
      expect(again.primary).toBe(policy.primary);
    }),
  );
});

it('reads the attribute where it stands, and writes it nowhere else', () => {
  const priorityIn = (text: string) => /<(\w+) priority="PrimaryPolicyComponent">/g.exec(text)?.[1];
  expect(priorityIn(writePolicy({ ...orchard, primary: 'ste' }))).toBe('SimpleTypeEnforcement');
  expect(priorityIn(writePolicy({ ...orchard, primary: 'chwall' }))).toBe('ChineseWall');
  expect(priorityIn(writePolicy({ ...orchard, primary: undefined }))).toBeUndefined();
});

it('says of a file with two primary components which one it is', () => {
  const text = writePolicy({ ...orchard, primary: 'ste' }).replace(
    '<ChineseWall>',
    '<ChineseWall priority="PrimaryPolicyComponent">',
  );
  const { issues, file, isSound } = readDraft(text);
  expect(isSound).toBe(true);
  expect(file?.policy.primary).toBe('chwall');
  expect(issues.map(({ message }) => message)).toEqual([
    'Both parts say that they are the primary one; it is Chinese Wall.',
  ]);
});

it('changes nothing in the compiled policy but the fingerprint of the text', () => {
  const compiled = (primary: 'ste' | 'chwall') => {
    const bytes = compilePolicy(readPolicy(writePolicy({ ...orchard, primary })));
    // Bytes 40 to 59 are the SHA-1 of the XML (struct acm_policy_buffer).
    return [...bytes.subarray(0, 40), ...bytes.subarray(60)];
  };
  expect(compiled('ste')).toEqual(compiled('chwall'));
});

it('names a change of the primary component among the differences', () => {
  expect(diffPolicies(orchard, { ...orchard, primary: 'ste' }).differences).toEqual([
    expect.objectContaining({ what: 'Primary policy', detail: 'Chinese Wall → Simple Type Enforcement' }),
  ]);
});
