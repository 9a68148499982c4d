import { expect, it } from 'vitest';
import { added, emptyForm, nextVersion, removed, renamedLabel, withLabelTypes, withSetTypes } from './formEdits';

const build = () => {
  let form = { ...emptyForm, name: 'p' };
  for (const type of ['b', ' a ', 'b', '']) form = added(added(form, 'steTypes', type), 'chwallTypes', type);
  form = added(added(added(form, 'vmLabels', 'Sys'), 'vmLabels', 'App'), 'conflictSets', 'set');
  form = withLabelTypes(withLabelTypes(form, 'Sys', 'ste', ['b', 'a', 'a']), 'App', 'chwall', ['a']);
  return withSetTypes(added(form, 'resourceLabels', 'disk'), 'set', ['b', 'a']);
};

it('keeps lists sorted and without duplicates, and ignores empty and known names', () => {
  const form = build();
  expect(form.steTypes).toEqual(['a', 'b']);
  expect(form.vmLabels.map(({ name }) => name)).toEqual(['App', 'Sys']);
  expect(form.vmLabels[1]!.ste).toEqual(['a', 'b']);
  expect(added(form, 'vmLabels', 'App')).toBe(form);
});

it('makes the first class that of Domain-0, and passes the role on', () => {
  const form = build();
  expect(form.bootstrap).toBe('Sys');
  expect(removed(form, 'vmLabels', ['Sys']).bootstrap).toBe('App');
  expect(removed(form, 'vmLabels', ['Sys', 'App']).bootstrap).toBe('');
});

it('takes a deleted type out of sets and classes, too', () => {
  const form = removed(removed(build(), 'chwallTypes', ['a']), 'steTypes', ['a']);
  expect(form.conflictSets).toEqual([{ name: 'set', types: ['b'] }]);
  expect(form.vmLabels).toEqual([
    { name: 'App', ste: [], chwall: [] },
    { name: 'Sys', ste: ['b'], chwall: [] },
  ]);
});

it('remembers the old name of a label only in an update', () => {
  expect(renamedLabel(build(), 'vmLabels', 'App', 'Job').vmLabels).toContainEqual({
    name: 'Job',
    ste: [],
    chwall: ['a'],
  });
  const update = nextVersion({ ...build(), version: '1.9' });
  expect(update).toMatchObject({ version: '1.10', from: { name: 'p', version: '1.9' } });
  const renamed = renamedLabel(renamedLabel(update, 'vmLabels', 'Sys', 'S'), 'vmLabels', 'S', 'T');
  expect(renamed.vmLabels.find(({ name }) => name === 'T')?.from).toBe('Sys');
  expect(renamed.bootstrap).toBe('T');
  expect(nextVersion(renamed).vmLabels.every(({ from }) => from === undefined)).toBe(true);
});
