import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { numberPolicy } from './numbering';
import { compilePolicy, decodePolicy } from './policyBinary';
import { PolicyMap, writeMap } from './policyMap';
import { policyProblems } from './policyRules';
import { readPolicy } from './policyXml';

const folder = join(import.meta.dirname, '../../public/policies');
const read = (name: string) => readPolicy(readFileSync(join(folder, `${name}.xml`), 'utf8'));
const labels = (name: string) => new PolicyMap(writeMap(read(name).policy, { policy: '', binary: '' })).labels('dom');

describe('the policies that come with the machine', () => {
  it.each(readdirSync(folder).map((file) => file.replace(/\.xml$/, '')))('%s breaks no rule and compiles', (name) => {
    const file = read(name);
    expect(policyProblems(file.policy)).toEqual([]);
    expect(decodePolicy(compilePolicy(file)).name).toBe(file.policy.name);
    expect(numberPolicy(file.policy).vmLabels.length).toBeGreaterThan(3);
  });

  it('have the labels that the documents print', () => {
    expect(labels('mytest')).toEqual([
      'A-Bank',
      'A-Bank.MarketAnalysis',
      'A-Bank.SecurityUnderwriting',
      'AutoCorp',
      'B-Bank',
      'SystemManagement',
      '__UNLABELED__',
    ]);
    expect(labels('mytest_update')).toEqual([
      'A-Bank',
      'A-Bank-WL',
      'A-Bank.MA',
      'A-Bank.SU',
      'AutoCorp',
      'B-Bank',
      'SystemManagement',
    ]);
    expect(labels('example.test')).toEqual(['CocaCola', 'PepsiCo', 'SystemManagement', 'VIO']);
    expect(labels('example.client_v1')).toEqual([
      'dom_BoincClient',
      'dom_Fun',
      'dom_HomeBanking',
      'dom_NetworkDomain',
      'dom_StorageDomain',
      'dom_SystemManagement',
    ]);
    expect(labels('example.chwall_ste.test-wld')).toEqual([
      'Avis',
      'CocaCola',
      'CocaCola.Extranet',
      'CocaCola.HumanResources',
      'CocaCola.Intranet',
      'CocaCola.Payroll',
      'Hertz',
      'PepsiCo',
      'PepsiCo.Extranet',
      'PepsiCo.Intranet',
      'SystemManagement',
    ]);
  });
});
