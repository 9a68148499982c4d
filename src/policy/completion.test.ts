import { expect, it } from 'vitest';
import { type ElementRule, policySchema } from '../../workers/acm/policySchema';
import { completionPlace, completionsAt } from './completion';
import { emptyForm } from './form/formEdits';

const form = { ...emptyForm, steTypes: ['a'], chwallTypes: ['w'] };
const at = (before: string) => {
  const place = completionPlace(before);
  return place && completionsAt(place, form);
};

it('offers the elements that the schema has in each place', () => {
  const check = (rule: ElementRule, before: string) => {
    const open = `${before}<${rule.name}${rule.name === 'Conflict' ? ' name="a>b"' : ''}>\n`;
    if (!rule.children) return;
    expect(at(`${open}<`)).toEqual(rule.children.map(({ name }) => name));
    for (const child of rule.children) check(child, open);
  };
  check(policySchema, '<?xml version="1.0"?>\n<!-- <a> -->\n');
});

it('offers the types of the part that the list belongs to', () => {
  expect(at('<VirtualMachineLabel><Name>x</Name><SimpleTypeEnforcementTypes><Type>')).toEqual(['a']);
  expect(at('<ConflictSets><Conflict name="c"><Type>b</Type><Type/><Type>')).toEqual(['w']);
});

it('offers nothing in comments, attributes and other texts', () => {
  expect(at('<PolicyHeader><!-- <')).toBeUndefined();
  expect(at('<SubjectLabels bootstrap="')).toBeUndefined();
  expect(at('<PolicyHeader><PolicyName>')).toEqual([]);
});
