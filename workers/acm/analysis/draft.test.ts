import { describe, expect, it } from 'vitest';
import { orchard } from '../orchard.testkind';
import { writePolicy } from '../policyWriter';
import { readDraft } from './draft';

const sound = writePolicy(orchard);
const lineOf = (text: string, part: string) => text.split('\n').findIndex((line) => line.includes(part)) + 1;

/** Changes the text once and answers what is wrong then. */
function errorsAfter(from: string, to: string) {
  expect(sound).toContain(from);
  const text = sound.replace(from, to);
  return { text, errors: readDraft(text).issues.filter(({ severity }) => severity === 'error') };
}

describe('a policy that is being written', () => {
  it('has no errors when nothing is wrong', () => {
    expect(readDraft(sound)).toMatchObject({ issues: [], isSound: true });
  });

  it('has errors of the XML where the parser stopped', () => {
    const { text, errors } = errorsAfter('<Version>1.0</Version>', '<Version>1.0');
    expect(errors).toEqual([expect.objectContaining({ code: 'XML_PROCESSING', line: lineOf(text, '<Version>') + 1 })]);
  });

  it('has errors of the schema at their element', () => {
    const { text, errors } = errorsAfter('<Version>1.0</Version>', '<Versio>1.0</Versio>');
    expect(errors[0]).toMatchObject({ code: 'BAD_XML', line: lineOf(text, '<Versio>') });
  });

  it('names the line of the type that does not exist, not of its label', () => {
    const { text, errors } = errorsAfter(
      '<Name>pear</Name>\n        <SimpleTypeEnforcementTypes>\n          <Type>pear</Type>',
      '<Name>pear</Name>\n        <SimpleTypeEnforcementTypes>\n          <Type>pears</Type>',
    );
    expect(errors).toEqual([
      expect.objectContaining({ code: 'BAD_LABEL', message: 'VM label pear: there is no STE type pears' }),
    ]);
    expect(errors[0]!.line).toBe(lineOf(text, 'pears'));
  });

  it('finds duplicates at the second of them', () => {
    const { text, errors } = errorsAfter(
      '<Type>apple</Type>\n',
      '<Type>apple</Type><!-- twice -->\n<Type>apple</Type>\n',
    );
    expect(errors).toEqual([
      expect.objectContaining({ code: 'POLICY_HAS_DUPLICATES', line: lineOf(text, 'twice') + 1 }),
    ]);
  });

  it('finds a bootstrap label that is missing, at the attribute that names it', () => {
    const { text, errors } = errorsAfter('bootstrap="SystemManagement"', 'bootstrap="nobody"');
    expect(errors).toEqual([
      expect.objectContaining({ code: 'POLICY_INCONSISTENT', line: lineOf(text, 'bootstrap="nobody"') }),
    ]);
  });

  it('finds a label that holds two types of a conflict set', () => {
    const { errors } = errorsAfter(
      '<ChineseWallTypes>\n          <Type>pear</Type>',
      '<ChineseWallTypes>\n          <Type>pear</Type>\n          <Type>apple</Type>',
    );
    expect(errors).toEqual([expect.objectContaining({ code: 'BAD_CONFLICTSET' })]);
  });

  it('refuses document types, so that no entity expands and nothing is fetched', () => {
    for (const doctype of [
      '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
      '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">',
      '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
    ]) {
      const { errors } = errorsAfter('<SecurityPolicyDefinition', `${doctype}\n<SecurityPolicyDefinition`);
      expect(errors).toEqual([expect.objectContaining({ message: 'a document type is not allowed', line: 2 })]);
    }
  });

  it('refuses ten megabytes at once', () => {
    const started = performance.now();
    expect(readDraft(sound + ' '.repeat(10 << 20)).issues[0]).toMatchObject({ code: 'XML_PROCESSING', line: 1 });
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('notes what is legal and has no effect', () => {
    const chwall = { ...orchard.chwall!, conflictSets: [{ name: 'fruit', types: ['apple'] }] };
    const text = writePolicy({ ...orchard, chwall });
    expect(readDraft(text).issues.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'warning: Conflict set fruit has one type: it forbids nothing.',
    ]);
  });

  it('notes that Domain-0 could not run a label', () => {
    const policy = {
      ...orchard,
      vmLabels: orchard.vmLabels.map((label) =>
        label.name === 'SystemManagement' ? { ...label, ste: ['SystemManagement'] } : label,
      ),
    };
    expect(readDraft(writePolicy(policy)).issues.map(({ message }) => message)).toContain(
      "Domain-0's label SystemManagement lacks type apple: it may not run apple.",
    );
  });
});
