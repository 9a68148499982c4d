import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultPolicy } from './defaultPolicy';
import { orchard } from './orchard.testkind';
import type { AcmPolicy } from './policyModel';
import { parseFullLabel, planUpdate, updatedLabel } from './policyUpdate';
import { PolicyError, readPolicy } from './policyXml';
import { findResource, normalResource, readResourceLabels, writeResourceLabels } from './resourceLabels';

const example = (name: string) =>
  readPolicy(readFileSync(join(import.meta.dirname, `../../public/policies/${name}.xml`), 'utf8')).policy;

/** The worked example's update: apple.press becomes apple.cider. */
const renamed: AcmPolicy = JSON.parse(JSON.stringify(orchard).replaceAll('apple.press', 'apple.cider'));
const cider: AcmPolicy = {
  ...renamed,
  version: '1.1',
  from: { name: 'orchard', version: '1.0' },
  vmLabels: renamed.vmLabels.map((label) => (label.name === 'apple.cider' ? { ...label, from: 'apple.press' } : label)),
  resourceLabels: renamed.resourceLabels.map((label) =>
    label.name === 'apple.cider' ? { ...label, from: 'apple.press' } : label,
  ),
};

function refusal(next: AcmPolicy, current = orchard): string {
  try {
    planUpdate(current, next);
  } catch (error) {
    if (error instanceof PolicyError) return `${error.code} ${error.problems[0]!.message}`;
    throw error;
  }
  return 'none';
}

describe('an update', () => {
  it('that renames a label moves those that carry it', () => {
    const plan = planUpdate(orchard, cider);
    expect([plan.deletions, plan.changes]).toEqual([[], []]);
    expect(plan.vmLabelNow('apple.press')).toBe('apple.cider');
    expect(plan.resourceLabelNow('pear')).toBe('pear');
    const full = (text: string) => updatedLabel(parseFullLabel(text)!, orchard, cider, plan.vmLabelNow);
    expect(full('ACM:orchard:apple.press')).toEqual({ type: 'ACM', policy: 'orchard', label: 'apple.cider' });
    expect(full('ACM:orchard:plum')).toEqual({ type: 'INV_ACM', policy: 'orchard', label: 'plum' });
    expect(full('ACM:vineyard:apple.press')).toEqual({ type: 'ACM', policy: 'vineyard', label: 'apple.press' });
  });

  it('of mytest deletes the unlabelled row and moves what changes its place', () => {
    const plan = planUpdate(example('mytest'), example('mytest_update'));
    // Old rows: unlabelled, SystemManagement, A-Bank, A-Bank.MarketAnalysis, A-Bank.SecurityUnderwriting, AutoCorp, B-Bank.
    // New rows: –, SystemManagement, A-Bank, A-Bank-WL, A-Bank.MA, A-Bank.SU, AutoCorp, B-Bank.
    expect(plan.deletions).toEqual([0]);
    expect([...plan.changes].sort()).toEqual([
      [3, 4],
      [4, 5],
      [5, 6],
      [6, 7],
    ]);
  });

  it('from DEFAULT gives Domain-0 the bootstrap label of the new policy, whatever its name', () => {
    const plan = planUpdate(defaultPolicy(), example('example.client_v1'));
    expect([plan.deletions, plan.changes]).toEqual([[], []]);
    expect(plan.vmLabelNow('SystemManagement')).toBe('dom_SystemManagement');
  });

  it('to DEFAULT takes Domain-0 along and deletes every other label', () => {
    const plan = planUpdate(orchard, defaultPolicy('apple'));
    expect(plan.changes).toEqual([[2, 1]]);
    expect([...plan.deletions].sort()).toEqual([0, 3, 4]);
  });

  it.each([
    ['without FromPolicy', { ...cider, from: undefined }, /^VERSION_PREVENTS_UPDATE FromPolicy is missing/],
    [
      'from another version',
      { ...cider, from: { name: 'orchard', version: '1.00' } },
      /^VERSION_PREVENTS_UPDATE made for/,
    ],
    [
      'from another policy',
      { ...cider, from: { name: 'vineyard', version: '1.0' } },
      /^VERSION_PREVENTS_UPDATE made for/,
    ],
    ['with the same version', { ...cider, version: '1.0' }, /^VERSION_PREVENTS_UPDATE version 1.0/],
    ['with a lower version', { ...cider, version: '0.9' }, /^VERSION_PREVENTS_UPDATE version 0.9/],
    ['without its bootstrap label', { ...cider, bootstrap: 'root' }, /^POLICY_INCONSISTENT/],
    [
      'that renames what there is not',
      { ...cider, vmLabels: cider.vmLabels.map((label) => (label.from ? { ...label, from: 'plum' } : label)) },
      /^BAD_LABEL VM label apple.cider: there is no plum/,
    ],
  ])('%s is refused', (_what, next, expected) => {
    expect(refusal(next)).toMatch(expected);
  });

  it('compares versions as numbers', () => {
    const at = (version: string) => ({ ...orchard, version });
    const from = (version: string) => ({ name: 'orchard', version });
    expect(refusal({ ...cider, version: '1.10', from: from('1.9') }, at('1.9'))).toBe('none');
    expect(refusal({ ...cider, version: '2.0', from: from('1.9') }, at('1.9'))).toBe('none');
  });
});

describe('resources', () => {
  const links: Readonly<Record<string, string>> = { '/tmp/link': '/disks/a.img' };
  const files = {
    realPath: (path: string) => links[path] ?? path,
    kindOf: (path: string) =>
      path === '/disks/a.img' ? ('file' as const) : path === '/dev/hda1' ? ('block' as const) : undefined,
  };

  it('have one name each', () => {
    expect(normalResource('phy:hda1', files)).toBe('phy:/dev/hda1');
    expect(normalResource('file:/tmp/link', files)).toBe('file:/disks/a.img');
    expect(normalResource('tap:aio:/tmp/link', files)).toBe('tap:aio:/disks/a.img');
    expect(normalResource('vlan:7', files)).toBe('vlan:7');
    expect(normalResource('phy:hda1', files, true)).toBe('phy:/dev/hda1');
  });

  it.each([
    ['a.img', "Resource spec 'a.img' contains no ':' delimiter"],
    ['tap:/a.img', "Resource spec 'tap:/a.img' contains no tap subtype"],
    ['file:a.img', 'Invalid resource.'],
    ['nbd:/a', 'Invalid resource.'],
    ['vlan:0', 'VLAN ID 0 out of range.'],
    ['vlan:x', 'Invalid VLAN : x'],
  ])('cannot be named %s', (name, message) => {
    expect(() => normalResource(name, files)).toThrow(message);
  });

  it('must exist where that is asked for', () => {
    expect(() => normalResource('file:/disks/b.img', files, true)).toThrow('Invalid resource');
    expect(() => normalResource('phy:hda9', files, true)).toThrow('Invalid resource');
  });

  it('keep their labels in a file that older tools have written differently', () => {
    const text = "resources = {\n    'phy:/dev/hda1': ('ACM', 'p', 'l'),\n    'file:/disks/a.img': ('q', 'm'),\n}\n";
    const entries = readResourceLabels(text);
    expect(entries.map(({ type, policy }) => `${type}:${policy}`)).toEqual(['ACM:p', 'ACM:q']);
    expect(readResourceLabels(writeResourceLabels(entries))).toEqual(entries);
    expect(findResource(entries, 'file:/tmp/link', files)?.label).toBe('m');
    const odd = [{ name: `file:/it's "odd"\\`, type: 'ACM', policy: 'p', label: 'l' }];
    expect(readResourceLabels(writeResourceLabels(odd))).toEqual(odd);
    expect(writeResourceLabels([])).toBe('resources = {\n}\n');
  });
});
