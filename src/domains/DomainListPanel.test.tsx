import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';
import { useLab } from '../store/labStore';
import { fakeDomains } from '../worker/fakeLab';
import { renderWithLab } from '../worker/testLab';
import { commandFor } from './commands';
import { DomainListPanel } from './DomainListPanel';
import { mainStateWord } from './stateLetters';

afterEach(cleanup);

const row = (name: string) => within(screen.getByRole('rowheader', { name }).closest('tr')!);

it('shows a row for each domain with its state in letters and words', async () => {
  await renderWithLab(<DomainListPanel />);
  expect(screen.getAllByRole('rowheader').map((cell) => cell.textContent)).toEqual(fakeDomains.map(({ name }) => name));
  expect(row('VM2').getByText('--p---')).toBeTruthy();
  expect(row('VM2').getByText('paused')).toBeTruthy();
});

it('runs the xm command of a button in Domain-0 and shows it', async () => {
  const { lab } = await renderWithLab(<DomainListPanel />);
  await act(async () => {
    fireEvent.click(row('VM1').getByRole('button', { name: 'Pause VM1' }));
  });
  expect(lab.commands).toEqual(['xm pause VM1']);
  expect(screen.getByRole('status').textContent).toContain('xm pause VM1');
});

it('offers unpause for a paused domain, and nothing for Domain-0', async () => {
  await renderWithLab(<DomainListPanel />);
  expect(row('VM2').getByRole('button', { name: 'Unpause VM2' })).toBeTruthy();
  expect(row('Domain-0').queryAllByRole('button')).toEqual([]);
});

it('drops the row of a domain that is gone', async () => {
  await renderWithLab(<DomainListPanel />);
  act(() => useLab.getState().receive([{ type: 'domainGone', domid: 2 }]));
  expect(screen.queryByRole('rowheader', { name: 'VM1' })).toBeNull();
});

it('quotes a name that the shell would take apart', () => {
  expect(commandFor('destroy', { ...fakeDomains[1]!, name: "it's" })).toBe("xm destroy 'it'\\''s'");
});

it('calls a domain that crashed and shut down crashed', () => {
  expect(mainStateWord('---sc-').word).toBe('crashed');
  expect(mainStateWord('------').word).toBe('ready');
});
