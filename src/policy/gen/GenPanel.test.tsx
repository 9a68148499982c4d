import { File } from 'node:buffer';
import { act, cleanup, fireEvent, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { readPolicy } from '../../../workers/acm/policyXml';
import { renderWithLab } from '../../worker/testLab';
import { useBench } from '../bench';
import { watchDownloads } from '../downloads.testkind';
import { mytest, PolicyLab } from '../policyLab.testkind';
import { GenPanel } from './GenPanel';
import { useGen } from './state';

// Many renders one after the other, on a machine that may have other work.
vi.setConfig({ testTimeout: 30_000 });

beforeAll(() => {
  // jsdom knows the element but not its methods.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.setAttribute('open', '');
  };
});
afterEach(() => {
  cleanup();
  useGen.getState().reset();
  useBench.getState().replace({ xml: '', assertions: '' });
});

const click = (name: string) =>
  act(async () => {
    fireEvent.click(screen.getByRole('button', { name }));
  });
const add = (part: string, name: string) => {
  const field = screen.getByRole('textbox', { name: `Name of a new entry: ${part}` });
  fireEvent.change(field, { target: { value: name } });
  fireEvent.submit(field.closest('form')!);
};
const fill = (label: string, value: string) => {
  const field = screen.getByRole('textbox', { name: label });
  fireEvent.change(field, { target: { value } });
  fireEvent.blur(field);
};

it('makes a policy from nothing, and says what it still needs', async () => {
  const lab = new PolicyLab();
  const downloads = watchDownloads();
  await renderWithLab(<GenPanel />, lab);
  await click('Create');
  await click('Generate XML');
  expect(screen.getByRole('alert').textContent).toContain('The policy has no name.');
  fill('Name', 'small');
  add('Simple Type Enforcement types', 'a');
  add('Chinese Wall types', 'a');
  add('Virtual machine classes', 'Sys');
  fireEvent.click(screen.getAllByRole('checkbox', { name: 'a' })[0]!);
  add('Resource classes', 'disk');
  await click('Save in Domain-0');
  expect(screen.getByRole('alert').textContent).toContain('resource label disk: there is no STE type');
  fireEvent.change(screen.getByRole('combobox', { name: /of disk/ }), { target: { value: 'a' } });
  await click('Save in Domain-0');
  const path = '/etc/xen/acm-security/policies/small-security_policy.xml';
  await waitFor(() => expect(lab.files.has(path)).toBe(true));
  // The original writes Version before Date, which the schema refuses.
  expect(readPolicy(lab.files.get(path)!).policy).toMatchObject({ name: 'small', version: '1.0', bootstrap: 'Sys' });
  expect(downloads.size).toBe(0);
  await click('Generate XML');
  await waitFor(() => expect([...downloads.keys()]).toEqual(['security_policy.xml']));
  expect(await downloads.get('security_policy.xml')).toBe(lab.files.get(path));
});

it('writes which part is the primary one, and wants types in that part only', async () => {
  const lab = new PolicyLab();
  await renderWithLab(<GenPanel />, lab);
  await click('Create');
  expect(screen.getByRole<HTMLInputElement>('radio', { name: 'Chinese Wall' }).checked).toBe(true);
  fill('Name', 'small');
  add('Simple Type Enforcement types', 'a');
  add('Virtual machine classes', 'Sys');
  fireEvent.click(screen.getByRole('checkbox', { name: 'a' }));
  await click('Save in Domain-0');
  expect(screen.getByRole('alert').textContent).toContain('The primary policy, Chinese Wall, has no type.');
  fireEvent.click(screen.getByRole('radio', { name: 'Simple Type Enforcement' }));
  await click('Save in Domain-0');
  const path = '/etc/xen/acm-security/policies/small-security_policy.xml';
  await waitFor(() =>
    expect(lab.files.get(path)).toContain('<SimpleTypeEnforcement priority="PrimaryPolicyComponent">'),
  );
  expect(await screen.findByText('Without a ChineseWall part this policy cannot be loaded.')).toBeTruthy();
  add('Chinese Wall types', 'a');
  await click('Save in Domain-0');
  await waitFor(() => expect(lab.files.get(path)).toContain('<ChineseWall>'));
  expect(readPolicy(lab.files.get(path)!).policy.primary).toBe('ste');
  await click('Start again');
  fireEvent.change(screen.getByRole('textbox', { name: 'Policy File:' }), { target: { value: path } });
  await click('Create');
  const chosen = await screen.findByRole<HTMLInputElement>('radio', { name: 'Simple Type Enforcement' });
  expect(chosen.checked).toBe(true);
});

it('adds all names that have been typed on Enter in any field, and its own with a button', async () => {
  await renderWithLab(<GenPanel />, new PolicyLab());
  await click('Create');
  const field = (part: string) =>
    screen.getByRole<HTMLInputElement>('textbox', { name: `Name of a new entry: ${part}` });
  const type = (part: string, name: string) => fireEvent.change(field(part), { target: { value: name } });
  type('Simple Type Enforcement types', 'one');
  type('Chinese Wall types', ' two ');
  type('Virtual machine classes', 'bad name');
  await click('New: Simple Type Enforcement types');
  expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(['one']);
  type('Simple Type Enforcement types', 'one');
  fireEvent.keyDown(screen.getByRole('textbox', { name: 'Name' }), { key: 'Enter' });
  expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(['one', 'two']);
  expect(field('Chinese Wall types').value).toBe('');
  // What cannot be added stays, with the reason.
  expect(field('Virtual machine classes').value).toBe('bad name');
  expect(screen.getAllByRole('alert').map((alert) => alert.textContent)).toEqual([
    'one is there already.',
    '“bad name” cannot be a name: blanks, / and : may not stand in it.',
  ]);
  type('Virtual machine classes', 'Sys');
  fireEvent.keyDown(field('Resource classes'), { key: 'Enter' });
  expect(screen.getByRole('radio', { name: 'SetDom0 Sys' })).toBeTruthy();
});

it('asks before it overwrites another policy, or loses a form; a closed pane keeps it', async () => {
  const lab = new PolicyLab();
  const { unmount } = await renderWithLab(<GenPanel />, lab);
  await click('Create');
  fill('Name', 'mytest');
  for (const part of ['Simple Type Enforcement types', 'Chinese Wall types', 'Virtual machine classes']) add(part, 'a');
  const path = '/etc/xen/acm-security/policies/mytest-security_policy.xml';
  await click('Save in Domain-0');
  expect((await screen.findByRole('dialog')).textContent).toContain(`${path} exists.`);
  await click('No');
  expect(lab.files.get(path)).toBe(mytest);
  unmount();
  await renderWithLab(<GenPanel />, lab);
  expect(screen.getByDisplayValue('mytest')).toBeTruthy();
  await click('Start again');
  expect((await screen.findByRole('dialog')).textContent).toContain('changes that are not saved');
  await click('No');
  await click('Save in Domain-0');
  await screen.findByRole('dialog');
  await click('Yes');
  await waitFor(() => expect(lab.files.get(path)).not.toBe(mytest));
  await click('Start again');
  expect(screen.getByRole('textbox', { name: 'Policy File:' })).toBeTruthy();
});

it('does not take the bench’s unsaved text away', async () => {
  const lab = new PolicyLab();
  await renderWithLab(<GenPanel />, lab);
  useBench.getState().edit('<half written');
  await click('Create');
  fill('Name', 'small');
  add('Chinese Wall types', 'a');
  add('Simple Type Enforcement types', 'a');
  add('Virtual machine classes', 'Sys');
  await click('Save in Domain-0');
  expect(await screen.findByText(/The policy bench keeps its own text/)).toBeTruthy();
  expect(useBench.getState().xml).toBe('<half written');
});

it('takes a file of this computer, and says what is no text', async () => {
  await renderWithLab(<GenPanel />, new PolicyLab());
  const picker = screen.getByLabelText('From this computer …', { selector: 'input' });
  const give = (bytes: Uint8Array | string) =>
    act(async () => {
      fireEvent.change(picker, { target: { files: [new File([bytes], 'a.xml')] } });
    });
  await give(Uint8Array.of(0x3c, 0xe4, 0x3e));
  expect((await screen.findByRole('alert')).textContent).toContain('a.xml is not UTF-8 text.');
  await give('x'.repeat(5 << 20));
  await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('a.xml is too large'));
  await give(mytest);
  expect(await screen.findByDisplayValue('mytest')).toBeTruthy();
});

it('opens a policy of Domain-0, and shows what is wrong with one that is none', async () => {
  const lab = new PolicyLab();
  lab.files.set('/root/bad.xml', mytest.replace('</Version>', ''));
  await renderWithLab(<GenPanel />, lab);
  fireEvent.change(screen.getByRole('textbox', { name: 'Policy File:' }), { target: { value: '/root/bad.xml' } });
  await click('Create');
  expect((await screen.findByRole('alert')).textContent).toMatch(
    /XML parsing error occurred at line \d+, column \d+: reason = /,
  );
  fireEvent.change(screen.getByRole('textbox', { name: 'Policy File:' }), {
    target: { value: '/etc/xen/acm-security/policies/mytest-security_policy.xml' },
  });
  await click('Create');
  expect(await screen.findByDisplayValue('mytest')).toBeTruthy();
  expect(screen.getByRole<HTMLInputElement>('radio', { name: 'SetDom0 SystemManagement' }).checked).toBe(true);
  add('Chinese Wall types', 'zzz');
  await click('Save in Domain-0');
  const saved = () => lab.files.get('/etc/xen/acm-security/policies/mytest-security_policy.xml')!;
  await waitFor(() => expect(saved()).not.toBe(mytest));
  expect(
    saved()
      .split('\n')
      .filter((line) => !mytest.split('\n').includes(line)),
  ).toEqual(['      <Type>zzz</Type>']);
});
