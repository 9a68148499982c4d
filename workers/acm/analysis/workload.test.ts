import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyProblems } from '../policyRules';
import { readPolicy } from '../policyXml';
import { diffPolicies } from './diff';
import { translateWorkload } from './translateWorkload';
import { readWorkload, WorkloadError, writeWorkload } from './workload';

const DATE = 'Fri Sep 29 14:44:38 2006';
/** Users' Manual, figure 10.2. */
const chapter10 = {
  organizations: [
    { name: '__UNLABELED__', departments: [] },
    { name: 'A-Bank', departments: ['SecurityUnderwriting', 'MarketAnalysis'] },
    { name: 'B-Bank', departments: [] },
    { name: 'AutoCorp', departments: [] },
  ],
  rules: [
    { name: 'RER', workloads: ['A-Bank', 'B-Bank', '__UNLABELED__'] },
    { name: 'RER2', workloads: ['A-Bank.SecurityUnderwriting', 'A-Bank.MarketAnalysis', '__UNLABELED__'] },
  ],
};

describe('workload definition files', () => {
  it('are written as the original writes them', () => {
    expect(
      writeWorkload({
        organizations: [{ name: 'A', departments: ['x', "y'z"] }],
        rules: [{ name: 'r', workloads: ['A'] }],
      }),
    ).toBe(`ezpolicy = {'cons': [[u'r', [u'A']]], 'orgs': [['A', ['x', "y'z"]]]}`);
  });

  it('are read with either quotation mark, line breaks, comments, tuples and trailing commas', () => {
    expect(
      readWorkload(`# saved by hand
ezpolicy = {
  "orgs": (("Avis", []), ['Coca' 'Cola', ['Intra\\x6eet',],],),  # two
  u'cons': [],
}
`),
    ).toEqual({
      organizations: [
        { name: 'Avis', departments: [] },
        { name: 'CocaCola', departments: ['Intranet'] },
      ],
      rules: [],
    });
  });

  it('survive being written and read', () => {
    const name = fc.string({ maxLength: 12 });
    const definition = fc.record({
      organizations: fc.array(fc.record({ name, departments: fc.array(name, { maxLength: 3 }) }), { maxLength: 4 }),
      rules: fc.array(fc.record({ name, workloads: fc.array(name, { maxLength: 3 }) }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(definition, (value) => {
        expect(readWorkload(writeWorkload(value))).toEqual(value);
      }),
    );
  });

  it('are never run: what is not a literal is refused with its line', () => {
    const bad = (text: string) => {
      try {
        readWorkload(text);
      } catch (error) {
        if (error instanceof WorkloadError) return error.message;
        throw error;
      }
      return 'read';
    };
    expect(bad("import os\nezpolicy = {'orgs': [], 'cons': []}")).toBe('line 1: expected ezpolicy');
    expect(bad("ezpolicy = {'orgs': [],\n 'cons': open('x')}")).toMatch(/^line 2: expected a string/);
    expect(bad("ezpolicy = {'orgs': []}")).toBe("line 1: 'cons' is not a list");
    expect(bad("ezpolicy = {'orgs': [['a', ['b']]], 'cons': [[1, []]]}")).toBe(
      "line 1: a name in 'cons' is not a string",
    );
    expect(bad(`ezpolicy = ${'['.repeat(100_000)}`)).toBe('line 1: nested too deep');
    expect(bad("ezpolicy = {'orgs': [], 'cons': []}; x = 1")).toBe('line 1: nothing may follow the definition');
    expect(bad(`ezpolicy = {'orgs': ['${'x'.repeat(2 << 20)}`)).toMatch(/larger than/);
  });
});

describe('translation', () => {
  it('makes the policy of chapter 10', () => {
    const { xml, messages } = translateWorkload(chapter10, 'mytest', DATE);
    const { policy } = readPolicy(xml);
    expect(policyProblems(policy)).toEqual([]);
    expect(messages).toEqual([]);
    const shipped = readPolicy(readFileSync(new URL('../../../public/policies/mytest.xml', import.meta.url)));
    const different = diffPolicies(shipped.policy, policy);
    expect(different.differences.map(({ what }) => what)).toEqual(['Date']);
    expect(different.consequences).toEqual([]);
  });

  it('leaves out rules with one workload and says so', () => {
    const { xml, messages } = translateWorkload(
      { ...chapter10, rules: [{ name: '', workloads: ['A-Bank'] }] },
      'p',
      DATE,
    );
    expect(messages).toEqual(['Ignoring Run-time exclusion set RER (less than 2 types}']);
    expect(xml).not.toContain('ConflictSets');
  });

  it('refuses names that no policy can have', () => {
    const org = (...names: string[]) => ({
      organizations: names.map((name) => ({ name, departments: ['B'] })),
      rules: [],
    });
    for (const bad of [org('a:b'), org('a b'), org(''), org('SystemManagement'), org('A', 'A.B')])
      expect(() => translateWorkload(bad, 'p', DATE)).toThrow(/label/);
    expect(() => translateWorkload(chapter10, 'a:b', DATE)).toThrow(/cannot be named/);
    expect(readPolicy(translateWorkload(org('<&>'), 'p', DATE).xml).policy.vmLabels.map(({ name }) => name)).toContain(
      '<&>',
    );
  });
});

describe('the difference of two policies', () => {
  const read = (name: string) =>
    readPolicy(readFileSync(new URL(`../../../public/policies/${name}.xml`, import.meta.url))).policy;

  it('is nothing between a policy and itself', () => {
    expect(diffPolicies(read('mytest'), read('mytest'))).toEqual({ differences: [], consequences: [] });
  });

  it("is what the manual's update changes", () => {
    const { differences } = diffPolicies(read('mytest'), read('mytest_update'));
    const lines = differences.map(({ kind, what, detail }) => `${kind} ${what} ${detail}`.trim());
    expect(lines).toContain('changed Version 1.0 → 1.1');
    expect(lines).toContain('renamed VM label A-Bank.MA was A-Bank.MarketAnalysis');
    expect(lines).toContain('removed VM label __UNLABELED__');
    expect(lines.some((line) => line.startsWith('added VM label A-Bank-WL'))).toBe(true);
  });

  it('says what labels may do now that they could not', () => {
    const old = read('mytest');
    const now = { ...old, chwall: old.chwall && { ...old.chwall, conflictSets: [] } };
    const { consequences } = diffPolicies(old, now);
    expect(consequences).toContainEqual(
      expect.objectContaining({ kind: 'added', what: 'A-Bank – B-Bank', detail: 'may run together' }),
    );
    expect(consequences.every(({ detail }) => detail === 'may run together')).toBe(true);
  });
});
