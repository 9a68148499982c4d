import { act, cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { useLab } from '../store/labStore';
import { renderWithLab } from '../worker/testLab';
import { useBench } from './bench';
import { watchDownloads } from './downloads.testkind';
import { extract } from './embedded';
import { PolicyBenchPanel } from './PolicyBenchPanel';
import { mytest, PolicyLab } from './policyLab.testkind';
import { openWhy } from './why';

// Monaco needs a browser's layout: a text area stands in for it.
vi.mock('./PolicyXmlEditor', () => ({
  PolicyXmlEditor: ({ value, onChange }: { value: string; onChange: (value: string) => void }) => (
    <textarea aria-label="xml" value={value} onChange={(event) => onChange(event.target.value)} />
  ),
}));

beforeAll(() => {
  // jsdom lays nothing out.
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      disconnect() {}
    },
  );
  Element.prototype.scrollIntoView = () => undefined;
  // It knows the element but not its methods.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.setAttribute('open', '');
  };
});
beforeEach(() => useBench.getState().replace({ xml: '', assertions: '' }));
// Many renders one after the other, on a machine that may have other work.
vi.setConfig({ testTimeout: 30_000 });

afterEach(cleanup);

async function bench() {
  const lab = new PolicyLab();
  await renderWithLab(<PolicyBenchPanel />, lab);
  act(() => useLab.getState().receive([{ type: 'host', host: { ...lab.host, policy: 'mytest' } }]));
  const xml = await screen.findByRole<HTMLTextAreaElement>('textbox', { name: 'xml' });
  await waitFor(() => expect(xml.value).toBe(mytest));
  await screen.findByText(/^no errors/);
  return { lab, write: (text: string) => fireEvent.change(xml, { target: { value: text } }) };
}

const view = (name: string) => fireEvent.click(screen.getByRole('tab', { name: new RegExp(`^${name}`) }));

it('begins with the policy in force, and says of each pair of labels what they may', async () => {
  await bench();
  const cell = await screen.findByRole('gridcell', {
    name: 'A-Bank – B-Bank: no type in common, may not run at the same time',
  });
  fireEvent.click(cell);
  expect(screen.getByText(/^Conflict set RER/)).toBeTruthy();
  expect(screen.getByRole('grid', { name: /against resources/ })).toBeTruthy();
  fireEvent.keyDown(cell, { key: 'ArrowLeft' });
  expect(document.activeElement?.getAttribute('aria-label')).toMatch(/^A-Bank – AutoCorp: no type in common$/);
  // The headers are places as well: there Enter points at the label everywhere.
  fireEvent.keyDown(document.activeElement!, { key: 'Home' });
  fireEvent.keyDown(document.activeElement!, { key: 'ArrowLeft' });
  expect(document.activeElement).toBe(screen.getAllByRole('rowheader', { name: 'A-Bank' })[0]);
  fireEvent.keyDown(document.activeElement!, { key: 'Enter' });
  expect(useBench.getState().label).toBe('A-Bank');
  expect(screen.getAllByRole('gridcell').filter(({ tabIndex }) => tabIndex === 0)).toHaveLength(1);
});

it('lists what is wrong with the line, and goes there', async () => {
  const { write } = await bench();
  write(
    mytest.replace(
      '<Type>B-Bank</Type>\n        </SimpleTypeEnforcementTypes>',
      '<Type>C-Bank</Type>\n        </SimpleTypeEnforcementTypes>',
    ),
  );
  const problems = await screen.findByRole('list', { name: 'Problems of this policy' });
  const row = within(problems).getByRole('button', { name: /VM label B-Bank: there is no STE type C-Bank/ });
  fireEvent.click(row);
  const { reveal } = useBench.getState();
  expect(mytest.split('\n')[reveal!.line - 1]).toContain('<Type>B-Bank</Type>');
  view('Binary');
  expect(screen.getByText('A policy with errors is not compiled.')).toBeTruthy();
});

it('foresees what the edited policy would do to what runs, with each keystroke', async () => {
  const { write } = await bench();
  view('What if');
  expect(await screen.findByText(/This is the policy in force/)).toBeTruthy();
  // Also from a file, with another layout.
  const before = useBench.getState().whatIf;
  write(mytest.replaceAll('  ', '\t').replace('Nov\t5', 'Nov  5'));
  await waitFor(() => expect(useBench.getState().whatIf).not.toBe(before));
  expect(screen.getByText(/This is the policy in force/)).toBeTruthy();
  expect(screen.getByRole('tab', { name: /^What if/ }).textContent).toBe('What if');
  write(
    mytest
      .replace(
        '<Version>1.0</Version>',
        '<Version>1.1</Version><FromPolicy><PolicyName>mytest</PolicyName><Version>1.0</Version></FromPolicy>',
      )
      .replace(/<ResourceLabel>\s*<Name>A-Bank<\/Name>[\s\S]*?<\/ResourceLabel>/, ''),
  );
  expect(await screen.findByText(/Error accessing resource: domain1 uses file:\/a.img/)).toBeTruthy();
  expect(screen.getByText('INV_ACM:mytest:A-Bank')).toBeTruthy();
  view('Assertions');
  fireEvent.change(screen.getByRole('textbox', { name: /^Assertions/ }), {
    target: { value: 'A-Bank may not run with B-Bank\ndomain1 may read file:/a.img' },
  });
  expect(await screen.findByText('1 of 2 hold')).toBeTruthy();
});

it('shows counts of the conflict sets, flows, and what is different from the policy in force', async () => {
  const { write } = await bench();
  view('Conflict sets');
  const set = await screen.findByRole('table', { name: 'RER' });
  expect(within(set).getByRole('row', { name: /^B-Bank B-Bank 0 1 nobody/ })).toBeTruthy();
  view('Flows');
  fireEvent.click(await screen.findByRole('checkbox', { name: 'SystemManagement' }));
  expect((await screen.findAllByText(/__UNLABELED__ → SystemManagement → B-Bank/)).length).toBe(1);
  write(mytest.replace('<Version>1.0</Version>', '<Version>2.0</Version>'));
  view('Differences');
  expect(await screen.findByText('1.0 → 2.0')).toBeTruthy();
});

it('opens the decision behind a refusal', async () => {
  const { lab } = await bench();
  await act(() => openWhy(lab, 'Domain in conflict set with running domains', 0));
  const why = screen.getByRole('region', { name: 'Why' });
  expect(why.textContent).toContain('domain2 may not start');
  expect(why.textContent).toContain('domain1 (A-Bank) runs and holds A-Bank: conflict set RER allows one of them.');
});

it('writes what the form changes, and puts it in force with xm', async () => {
  const { lab } = await bench();
  view('Form');
  fireEvent.click(await screen.findByRole('button', { name: 'Next version' }));
  await waitFor(() => expect(useBench.getState().xml).toContain('<Version>1.1</Version>'));
  const name = screen.getByRole('textbox', { name: /Name of a new entry: Chinese Wall types/ });
  fireEvent.change(name, { target: { value: 'a b' } });
  fireEvent.submit(name.closest('form')!);
  expect(screen.getByRole('alert').textContent).toMatch(/cannot be a name/);
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name: 'Put in force' }));
  });
  const path = '/etc/xen/acm-security/policies/mytest-security_policy.xml';
  await waitFor(() => expect(lab.commands).toContain('xm setpolicy ACM mytest'));
  expect(lab.files.get(path)).toContain('<FromPolicy>');
  expect(await screen.findByText('Successfully set the new policy.')).toBeTruthy();
});

it('changes one label by form and leaves comments and all other elements where they are', async () => {
  const { write } = await bench();
  const noted = mytest
    .replace('<Name>B-Bank</Name>', '<!-- the rival --> <Name>B-Bank</Name>')
    .replace('<SubjectLabels', '<!-- labels -->\n\n    <SubjectLabels');
  write(noted);
  await waitFor(() => expect(useBench.getState().analysedXml).toBe(noted));
  view('Form');
  const name = screen.getByRole('textbox', { name: 'Virtual machine classes: new name of AutoCorp' });
  fireEvent.change(name, { target: { value: 'Cars' } });
  fireEvent.blur(name);
  // Two changes, one upon the other, before the text has been read again.
  const boxes = screen.getByRole('group', { name: 'Chinese Wall types of B-Bank' });
  fireEvent.click(within(boxes).getByRole('checkbox', { name: 'AutoCorp' }));
  await waitFor(() => expect(useBench.getState().xml).not.toBe(noted));
  await waitFor(() => expect(useBench.getState().analysedXml).not.toBe(noted));
  const [old, now] = [noted.split('\n'), useBench.getState().xml.split('\n')];
  expect(now.filter((line) => !old.includes(line))).toEqual(['        <Name>Cars</Name>']);
  expect(now.length).toBe(old.length + 1);
  expect(now.join('\n')).toContain('<!-- the rival --> <Name>B-Bank</Name>');
  expect(useBench.getState().xml.match(/<!--/g)).toEqual(noted.match(/<!--/g));
});

it('keeps a conflict set without types until it has some, and an update half typed', async () => {
  await bench();
  view('Form');
  const name = screen.getByRole('textbox', { name: /Name of a new entry: Chinese Wall conflict sets/ });
  fireEvent.change(name, { target: { value: 'cars' } });
  await act(async () => fireEvent.submit(name.closest('form')!));
  const set = screen.getByRole('group', { name: 'Chinese Wall types of cars' });
  expect(useBench.getState().xml).toBe(mytest);
  fireEvent.click(within(set).getByRole('checkbox', { name: 'AutoCorp' }));
  await waitFor(() => expect(useBench.getState().xml).toContain('<Conflict name="cars">'));
  await waitFor(() => expect(useBench.getState().analysedXml).toBe(useBench.getState().xml));
  const fill = (label: string, value: string) => {
    const field = screen.getByRole('textbox', { name: label });
    fireEvent.change(field, { target: { value } });
    fireEvent.blur(field);
  };
  fill('From policy', 'mytest');
  expect(screen.getByRole('alert').textContent).toMatch(/both are needed/);
  fill('From version', '0.9');
  await waitFor(() => expect(useBench.getState().xml).toMatch(/<FromPolicy>\s*<PolicyName>mytest<\/PolicyName>/));
});

it('does not take over from the form what could not be read again', async () => {
  await bench();
  view('Form');
  const field = screen.getByRole('textbox', { name: 'Version' });
  fireEvent.change(field, { target: { value: 'two' } });
  await act(async () => fireEvent.blur(field));
  expect(await screen.findByText(/^Not taken over: "two" is not a version/)).toBeTruthy();
  expect(useBench.getState().xml).toBe(mytest);
  const name = screen.getByRole('textbox', { name: 'Virtual machine classes: new name of AutoCorp' });
  fireEvent.change(name, { target: { value: 'Auto Corp' } });
  await act(async () => fireEvent.blur(name));
  expect(screen.getByRole('alert').textContent).toMatch(/^“Auto Corp” cannot be a name/);
  fireEvent.change(name, { target: { value: 'B-Bank' } });
  await act(async () => fireEvent.keyDown(name, { key: 'Enter' }));
  expect(screen.getByRole('alert').textContent).toBe('B-Bank is there already.');
  fireEvent.change(name, { target: { value: 'Auto,Corp' } });
  await act(async () => fireEvent.keyDown(name, { key: 'Enter' }));
  expect(screen.queryByRole('alert')).toBeNull();
  expect(await screen.findByText(/^Not taken over: "Auto,Corp" is no name for a label/)).toBeTruthy();
  expect(useBench.getState().xml).toBe(mytest);
});

it('asks before changes are lost to the policy of a link', async () => {
  const { write } = await bench();
  write(mytest.replace('mytest', 'mine'));
  const shared = { xml: mytest.replace('mytest', 'theirs'), assertions: 'a may start' };
  act(() => useBench.getState().offer(shared));
  fireEvent.click(await screen.findByRole('button', { name: 'No' }));
  expect(useBench.getState().xml).toContain('<PolicyName>mine<');
  act(() => useBench.getState().offer(shared));
  await act(async () => {
    fireEvent.click(await screen.findByRole('button', { name: 'Yes' }));
  });
  expect(useBench.getState()).toMatchObject(shared);
});

it('points at a label in every view once it is selected in one', async () => {
  const scrolled = vi.spyOn(Element.prototype, 'scrollIntoView');
  await bench();
  view('Matrix');
  fireEvent.click((await screen.findAllByRole('rowheader', { name: 'AutoCorp' }))[0]!);
  expect(mytest.split('\n')[useBench.getState().reveal!.line]).toContain('<Name>AutoCorp</Name>');
  scrolled.mockClear();
  view('Side by side');
  const marked = () => [...document.querySelectorAll('.together .selected')].map((each) => each.tagName);
  expect(new Set(marked())).toEqual(new Set(['FIELDSET', 'TR', 'LI']));
  expect(scrolled).toHaveBeenCalledTimes(3);
  fireEvent.click(screen.getAllByRole('button', { name: /LABEL->SSID VM +STE +B-Bank/ })[0]!);
  const names = () => [...document.querySelectorAll('.form-item.selected input[type=text]')];
  expect(names().map((input) => (input as HTMLInputElement).value)).toEqual(['B-Bank', 'B-Bank']);
  scrolled.mockRestore();
});

it('says whether nothing was refused, or nothing is like that', async () => {
  await bench();
  view('Why');
  expect(screen.getByRole('button', { name: /domain2 may not start/ })).toBeTruthy();
  fireEvent.change(screen.getByRole('searchbox', { name: 'Filter decisions' }), { target: { value: 'zebra' } });
  expect(screen.getByText('No decision has these letters in its reason.')).toBeTruthy();
});

it('exports policy and assertions as one file', async () => {
  await bench();
  const downloads = watchDownloads();
  act(() => useBench.getState().editAssertions('A-Bank may not run with B-Bank'));
  fireEvent.click(screen.getByRole('button', { name: 'Export' }));
  expect([...downloads.keys()]).toEqual(['mytest-security_policy.xml']);
  const { xml, assertions } = extract(await downloads.get('mytest-security_policy.xml')!);
  expect(xml.trim()).toBe(mytest.trim());
  expect(assertions).toBe('A-Bank may not run with B-Bank');
});

it('keeps the assertions in Domain-0 beside the policy', async () => {
  const { lab } = await bench();
  const choice = screen.getByRole<HTMLSelectElement>('combobox', { name: 'Policy' });
  const policy = '/etc/xen/acm-security/policies/mytest-security_policy.xml';
  const open = async () => {
    await screen.findByRole('option', { name: 'mytest' });
    fireEvent.change(choice, { target: { value: policy } });
    await waitFor(() => expect(useBench.getState().path).toBe(policy));
    view('Assertions');
  };
  const field = () => screen.getByRole<HTMLTextAreaElement>('textbox', { name: /^Assertions/ });
  const file = '/etc/xen/acm-security/policies/mytest-assertions.txt';
  const write = async (text: string) => {
    fireEvent.change(field(), { target: { value: text } });
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    });
    await waitFor(() => expect(lab.files.get(file)).toBe(text));
  };
  await open();
  expect(field().value).toBe('');
  await write('domain1 may start');
  expect(lab.files.get(policy)).toBe(mytest);
  act(() => useBench.getState().replace({ xml: '', assertions: '' }));
  await open();
  expect(field().value).toBe('domain1 may start');
  // Assertions that were all taken out do not come back either.
  await write('');
});

it('asks before changes are lost to another policy', async () => {
  const { write } = await bench();
  const choice = screen.getByRole<HTMLSelectElement>('combobox', { name: 'Policy' });
  await screen.findByRole('option', { name: 'mytest' });
  write(mytest.replace('mytest', 'mine'));
  const choose = () =>
    fireEvent.change(choice, { target: { value: '/etc/xen/acm-security/policies/mytest-security_policy.xml' } });
  choose();
  fireEvent.click(await screen.findByRole('button', { name: 'No' }));
  expect(useBench.getState().xml).toContain('<PolicyName>mine<');
  choose();
  await act(async () => {
    fireEvent.click(await screen.findByRole('button', { name: 'Yes' }));
  });
  expect(useBench.getState()).toMatchObject({ xml: mytest, savedXml: mytest });
});
