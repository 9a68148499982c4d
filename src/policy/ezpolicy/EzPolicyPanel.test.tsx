import { File } from 'node:buffer';
import { act, cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { diffPolicies } from '../../../workers/acm/analysis/diff';
import { readPolicy } from '../../../workers/acm/policyXml';
import { renderWithLab } from '../../worker/testLab';
import { watchDownloads } from '../downloads.testkind';
import { mytest, PolicyLab } from '../policyLab.testkind';
import { EzPolicyPanel } from './EzPolicyPanel';
import { useEzPolicy } from './state';

beforeAll(() => {
  // jsdom knows the element but not its methods.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.setAttribute('open', '');
  };
  HTMLDialogElement.prototype.close = function close() {
    this.removeAttribute('open');
    this.dispatchEvent(new Event('close'));
  };
});
// Many renders one after the other, on a machine that may have other work.
vi.setConfig({ testTimeout: 30_000 });

afterEach(() => {
  cleanup();
  useEzPolicy.getState().reset();
});

const item = (name: string) => screen.getByRole('treeitem', { name });
const press = (key: string, modifiers: { ctrlKey?: boolean; altKey?: boolean }) =>
  fireEvent.keyDown(screen.getByRole('tree'), { key, ...modifiers });

/** Answers the question that is open, and waits until it is gone. */
async function answer(text?: string, button = 'OK') {
  const dialog = await screen.findByRole('dialog');
  if (text !== undefined) fireEvent.change(within(dialog).getByRole('textbox'), { target: { value: text } });
  await act(async () => {
    fireEvent.click(within(dialog).getByRole('button', { name: button }));
  });
}

async function chapter10() {
  const lab = new PolicyLab();
  await renderWithLab(<EzPolicyPanel />, lab);
  for (const name of ['A-Bank', 'B-Bank', 'AutoCorp']) {
    fireEvent.click(screen.getByRole('button', { name: 'New Org' }));
    await answer(name);
  }
  for (const name of ['SecurityUnderwriting', 'MarketAnalysis']) {
    fireEvent.click(item('A-Bank'));
    press('a', { ctrlKey: true });
    await answer(name);
  }
  return lab;
}

async function rule(name: string, ...workloads: string[]) {
  for (const [at, workload] of workloads.entries()) fireEvent.click(item(workload), { ctrlKey: at > 0 });
  fireEvent.click(screen.getByRole('button', { name: /^Create run-time/ }));
  await answer(name);
}

it('makes the policy of chapter 10', async () => {
  const lab = await chapter10();
  await rule('RER', 'A-Bank', 'B-Bank', '__UNLABELED__');
  await rule('RER2', 'SecurityUnderwriting', 'MarketAnalysis', '__UNLABELED__');
  press('t', { altKey: true });
  await answer('mytest');
  await answer('/root/new-security_policy.xml');
  await waitFor(() => expect(lab.files.has('/root/new-security_policy.xml')).toBe(true));
  const made = readPolicy(lab.files.get('/root/new-security_policy.xml')!).policy;
  expect(diffPolicies(readPolicy(mytest).policy, made)).toEqual({ differences: [], consequences: [] });
});

it('saves and opens the definition', async () => {
  const lab = await chapter10();
  await rule('', 'A-Bank', 'B-Bank');
  const before = useEzPolicy.getState().definition;
  press('s', { ctrlKey: true });
  await answer('/root/my.wld');
  expect(lab.files.get('/root/my.wld')).toContain("['A-Bank', ['SecurityUnderwriting', 'MarketAnalysis']]");
  press('n', { altKey: true });
  await waitFor(() => expect(screen.queryAllByRole('treeitem')).toEqual([]));
  fireEvent.click(screen.getByRole('menuitem', { name: 'File' }));
  fireEvent.click(screen.getByRole('menuitem', { name: /^Open Workload/ }));
  await answer('/root/my.wld');
  await waitFor(() => expect(useEzPolicy.getState().definition).toEqual(before));
});

it('gives the definition to the reader, under the name that it has in Domain-0', async () => {
  const lab = await chapter10();
  const downloads = watchDownloads();
  const toThisComputer = () => {
    fireEvent.click(screen.getByRole('menuitem', { name: 'File' }));
    fireEvent.click(screen.getByRole('menuitem', { name: /^Save to this computer/ }));
  };
  toThisComputer();
  await waitFor(() => expect([...downloads.keys()]).toEqual(['myspec.wld']));
  press('s', { ctrlKey: true });
  await answer('/root/my.wld');
  toThisComputer();
  await waitFor(() => expect([...downloads.keys()]).toEqual(['myspec.wld', 'my.wld']));
  for (const content of downloads.values()) expect(await content).toBe(lab.files.get('/root/my.wld'));
});

/** The table of the original's menus (tools/security/xensec_ezpolicy, Xen 3.4), in a browser's tab. */
const keysOfMenus: readonly (readonly [menu: string, item: RegExp, key: string | undefined])[] = [
  ['File', /^Open Workload Definition\.\.\./, 'Ctrl-O'],
  ['File', /^Save Workload Definition/, 'Ctrl-S'],
  ['File', /^Save Workload Defintion as\.\.\./, 'Alt-S'],
  ['File', /^Save as Xen ACM Security Policy \.\.\./, 'Alt-T'],
  ['File', /^New/, 'Alt-N'],
  ['File', /^Exit/, 'Ctrl-X'],
  ['Edit', /^Rename/, 'Ctrl-R'],
  ['Edit', /^Add/, 'Ctrl-A'],
  ['Edit', /^Delete/, 'Ctrl-D'],
  ['View', /^Sort All/, undefined],
  ['View', /^Collapse All/, 'Ctrl-C'],
  ['View', /^Expand All/, 'Ctrl-E'],
  ['Help', /^Step-By-Step Help/, 'Ctrl-H'],
  ['Help', /^About/, undefined],
];

it('has the keys of the original in its menus', async () => {
  await renderWithLab(<EzPolicyPanel />, new PolicyLab());
  for (const [menu, item, key] of keysOfMenus) {
    press(menu[0]!.toLowerCase(), { altKey: true });
    const shown = within(screen.getByRole('menu', { name: menu })).getByRole('menuitem', { name: item }).textContent;
    expect(/(Ctrl|Alt)-[A-Z]$/.exec(shown!)?.[0]).toBe(key);
  }
});

it('does with each key what its menu says', async () => {
  const lab = await chapter10();
  const dialogSays = async (key: string, modifiers: { ctrlKey?: boolean; altKey?: boolean }, words: string) => {
    press(key, modifiers);
    expect((await screen.findByRole('dialog')).textContent).toContain(words);
    await answer(undefined, /Help/.test(words) || words.startsWith('HELP') ? 'OK' : 'Cancel');
  };
  press('c', { ctrlKey: true });
  expect(screen.queryByRole('treeitem', { name: 'MarketAnalysis' })).toBeNull();
  press('e', { ctrlKey: true });
  expect(item('MarketAnalysis')).toBeTruthy();
  fireEvent.click(item('A-Bank'));
  await dialogSays('r', { ctrlKey: true }, 'Please enter org/dept name:');
  await dialogSays('a', { ctrlKey: true }, 'Please enter org/dept name:');
  await dialogSays('h', { ctrlKey: true }, 'HELP: Creating a Xen Security Policy in 3 Steps');
  await dialogSays('s', { ctrlKey: true }, 'Select Workload Definition file name');
  await dialogSays('s', { altKey: true }, 'Select Workload Definition file name');
  await dialogSays('t', { altKey: true }, 'POLICYNAME');
  fireEvent.click(item('MarketAnalysis'));
  press('d', { ctrlKey: true });
  expect(screen.queryByRole('treeitem', { name: 'MarketAnalysis' })).toBeNull();
  press('o', { ctrlKey: true });
  await answer(undefined, 'No');
  press('x', { ctrlKey: true });
  await answer(undefined, 'No');
  expect(lab.files.has('/root/myspec.wld')).toBe(false);
  // A browser may keep this one for itself; what arrives counts.
  press('n', { ctrlKey: true });
  await answer(undefined, 'Yes');
  await waitFor(() => expect(screen.queryAllByRole('treeitem')).toEqual([]));
});

it('keeps the keys from the browser also while their items are disabled, and no others', async () => {
  await renderWithLab(<EzPolicyPanel />, new PolicyLab());
  // fireEvent answers false when the default was prevented.
  expect(press('r', { ctrlKey: true })).toBe(false);
  expect(screen.queryByRole('dialog')).toBeNull();
  expect(press('k', { ctrlKey: true })).toBe(true);
  const tree = screen.getByRole('tree');
  expect(fireEvent.keyDown(tree, { key: 'S', ctrlKey: true, shiftKey: true })).toBe(true);
  // A Cyrillic keyboard.
  fireEvent.keyDown(tree, { key: 'р', code: 'KeyH', ctrlKey: true });
  expect((await screen.findByRole('dialog')).textContent).toContain('HELP');
  await answer();
});

it('names Ctrl-N where the browser gives it to the page', async () => {
  const media = { matches: true, addEventListener: vi.fn(), removeEventListener: vi.fn() };
  vi.stubGlobal('matchMedia', () => media);
  Object.defineProperty(navigator, 'keyboard', { value: {}, configurable: true });
  try {
    await renderWithLab(<EzPolicyPanel />, new PolicyLab());
    press('f', { altKey: true });
    expect(screen.getByRole('menuitem', { name: /^New/ }).textContent).toBe('NewCtrl-N');
  } finally {
    vi.unstubAllGlobals();
    Reflect.deleteProperty(navigator, 'keyboard');
  }
});

it('takes a definition of this computer, and asks before its name overwrites one of Domain-0', async () => {
  const lab = new PolicyLab();
  lab.files.set('/root/a.wld', 'another');
  await renderWithLab(<EzPolicyPanel />, lab);
  const picker = screen.getByLabelText('From this computer …', { selector: 'input' });
  const content = "ezpolicy = {'orgs': [['Avis', []]], 'cons': []}";
  await act(async () => {
    fireEvent.change(picker, { target: { files: [new File([content], 'a.wld')] } });
  });
  expect(await screen.findByRole('treeitem', { name: 'Avis' })).toBeTruthy();
  press('s', { ctrlKey: true });
  await answer();
  expect((await screen.findByRole('dialog')).textContent).toContain('/root/a.wld exists.');
  await answer(undefined, 'No');
  expect(lab.files.get('/root/a.wld')).toBe('another');
  await act(async () => {
    fireEvent.change(picker, { target: { files: [new File([Uint8Array.of(0xff)], 'b.wld')] } });
  });
  expect((await screen.findByRole('dialog')).textContent).toContain('b.wld is not UTF-8 text.');
  await answer();
  expect(screen.getByRole('treeitem', { name: 'Avis' })).toBeTruthy();
});

it('refuses what the original refuses, in its words', async () => {
  await chapter10();
  fireEvent.click(screen.getByRole('button', { name: 'New Org' }));
  await answer('A-Bank');
  expect((await screen.findByRole('dialog')).textContent).toContain('Item with name A-Bank already exists!');
  await answer();
  useEzPolicy.getState().clearSelection();
  fireEvent.click(screen.getByRole('button', { name: /^Create run-time/ }));
  expect((await screen.findByRole('dialog')).textContent).toContain('You must select first at least one');
  await answer();
  fireEvent.click(item('A-Bank'));
  fireEvent.click(item('MarketAnalysis'), { ctrlKey: true });
  fireEvent.click(screen.getByRole('button', { name: /^Create run-time/ }));
  expect((await screen.findByRole('dialog')).textContent).toContain(
    'Invalid Selection [ A-Bank, A-Bank.MarketAnalysis ].',
  );
  await answer();
});

it('lets rules follow renamed and deleted workloads', async () => {
  await chapter10();
  await rule('RER', 'A-Bank', 'B-Bank', 'AutoCorp');
  fireEvent.click(item('A-Bank'));
  press('r', { ctrlKey: true });
  await answer('Bank');
  expect(screen.getByRole('option', { name: 'Bank' })).toBeTruthy();
  fireEvent.click(item('AutoCorp'));
  press('d', { ctrlKey: true });
  expect(screen.queryByRole('option', { name: 'AutoCorp' })).toBeNull();
  const list = screen.getByRole<HTMLSelectElement>('listbox', { name: 'Run-time Exclusion Rules: RER' });
  list.options[0]!.selected = true;
  fireEvent.change(list);
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name: '<-- Del RER' }));
  });
  await answer(undefined, 'Yes');
  expect(screen.queryByRole('group', { name: 'RER' })).toBeNull();
});

it('explains a control instead of using it after the help button', async () => {
  await renderWithLab(<EzPolicyPanel />, new PolicyLab());
  fireEvent.click(screen.getByRole('button', { name: 'Context help' }));
  fireEvent.click(screen.getByRole('button', { name: 'New Org' }));
  expect((await screen.findByRole('dialog')).textContent).toContain('Adds an organization');
  await answer();
  fireEvent.click(screen.getByRole('button', { name: 'New Org' }));
  expect(await screen.findByRole('textbox', { name: 'Please enter org/dept name:' })).toBeTruthy();
});
