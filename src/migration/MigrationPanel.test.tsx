import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LabEvent, MigrationRecord } from '../../workers/contract';
import { useLab } from '../store/labStore';
import { FakeLab } from '../worker/fakeLab';
import { renderWithLab } from '../worker/testLab';
import { MigrationOffer } from './MigrationOffer';
import { MigrationPanel } from './MigrationPanel';
import { forgetMaps, receivePages } from './maps';
import { useOffer } from './offer';
import { destinationRecord, sourceRecord } from './records.testkind';

// uPlot asks for it as soon as it is loaded.
vi.hoisted(() => {
  globalThis.matchMedia ??= () => new EventTarget() as MediaQueryList;
});

afterEach(cleanup);
beforeEach(() => {
  forgetMaps();
  useOffer.setState({ seen: undefined });
  // jsdom has no dialogs and no canvas.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() {
    this.open = false;
    this.dispatchEvent(new Event('close'));
  };
  HTMLCanvasElement.prototype.getContext = () => null;
});

const labWith = (...migrations: MigrationRecord[]) => {
  const lab = new FakeLab();
  lab.migrations = migrations;
  return lab;
};
const hear = (...events: LabEvent[]) =>
  act(() => {
    receivePages(events);
    useLab.getState().receive(events);
  });
const cellsOf = (table: HTMLElement) =>
  within(table)
    .getAllByRole('row')
    .slice(1)
    .map((row) => [...row.children].map((cell) => cell.textContent));

describe('without a migration', () => {
  it('says what to type for one, with the guest and the host that are there', async () => {
    const { terminals } = await renderWithLab(<MigrationPanel />);
    const steps = screen.getByRole('region', { name: 'Move a running guest from this host to another one' });
    const commands = [...steps.querySelectorAll('code')].map((code) => code.textContent);
    expect(commands[0]).toMatch(/^# xm create \/dev\/null kernel=.* name=guest$/);
    expect(commands[1]).toBe('# xm migrate --live ExampleDomain host2');
    expect(within(steps).getByRole('button', { name: 'Host +' })).toBeTruthy();
    fireEvent.click(within(steps).getByRole('button', { name: /^Type it for me: xm migrate/ }));
    expect(terminals.typed).toEqual(['xm migrate --live ExampleDomain host2\r']);
  });

  it('watches while it is there, and not longer', async () => {
    const { lab, unmount } = await renderWithLab(<MigrationPanel />);
    expect(lab.isWatchingMigrations).toBe(true);
    unmount();
    expect(lab.isWatchingMigrations).toBe(false);
  });
});

describe('a migration that both hosts have written down', () => {
  it('has a row for each round, with what the source counted', async () => {
    await renderWithLab(<MigrationPanel />, labWith(sourceRecord(), destinationRecord()));
    expect(cellsOf(screen.getByRole('table', { name: /^Pages and speed of each round/ }))).toEqual([
      ['1', '16,384', '7', '40', '537 ms', '538 ms', '999'],
      ['2', '31', '9', '17', '1.0 ms', '2.0 ms', '990'],
      ['3last', '17', '0', '–', '2.0 ms', '3.0 ms', '279'],
    ]);
  });

  it('has three downtimes, the published ones, and the rule', async () => {
    await renderWithLab(<MigrationPanel />, labWith(sourceRecord(), destinationRecord()));
    const rows = cellsOf(screen.getByRole('table', { name: /^How long the guest stood still/ }));
    expect(rows.map(([, virtual, wall]) => [virtual, wall])).toEqual([
      ['15 ms', '16 ms'],
      ['13 ms', '14 ms'],
      ['-240.5 ms', '13 ms'],
      ['–', '60 ms'],
      ['–', '210 ms'],
      ['–', '60–300 ms'],
    ]);
    expect(screen.getByRole('img', { name: /^Downtime: Source 16 ms; Destination 14 ms; Guest 13 ms/ })).toBeTruthy();
    expect(screen.getByText('fewer than 50 pages were left for the round')).toBeTruthy();
  });

  it('says so when nobody has measured', async () => {
    await renderWithLab(<MigrationPanel />, labWith(sourceRecord({ downtime: null, phase: 'stopped', span: null })));
    expect(screen.getByRole('img', { name: /^Downtime: Source not measured; Destination not measured/ })).toBeTruthy();
  });

  it('shows only what the destination can see when the source is not there', async () => {
    await renderWithLab(<MigrationPanel />, labWith(destinationRecord()));
    const table = screen.getByRole('table', { name: /^Pages and speed/ });
    expect(within(table).getByRole('columnheader', { name: 'Arrived' })).toBeTruthy();
    expect(cellsOf(table)[0]!.slice(1, 4)).toEqual(['16,384', '–', '–']);
    expect(screen.getByText('The destination cannot see what was skipped and dirtied.')).toBeTruthy();
    expect(screen.getByText(/^The source is not on this network/)).toBeTruthy();
  });

  it('counts the pages of each colour in words', async () => {
    await renderWithLab(<MigrationPanel />, labWith(sourceRecord({ pages: 6 }), destinationRecord({ pages: 6 })));
    const source = sourceRecord();
    // Not sent, round 1 twice, the last round, one that is stale, one that was skipped.
    const codes = Uint8Array.of(0, 1, 1, 3, 0x81, 0x80);
    hear({ type: 'migrationPages', pages: { id: source.id, host: 'host1', role: 'source', pages: 6, from: 0, codes } });
    const words = () =>
      within(screen.getByRole('region', { name: 'Source host1' }))
        .getAllByRole('listitem')
        .map((item) => item.textContent);
    await expect
      .poll(words)
      .toEqual([
        'not sent, or without memory: 1',
        'skipped: written again before it was sent: 1',
        'round 1: 2',
        'last round, the guest stands: 1',
        'stale: written again since it was sent: 1',
      ]);
    expect(screen.getByRole('region', { name: 'Source host1' }).textContent).toContain('this tab');
    expect(screen.getByRole('region', { name: 'Destination host2' }).textContent).not.toContain('this tab');
  });

  it('turns to a new migration by itself, and back by choice', async () => {
    await renderWithLab(<MigrationPanel />, labWith(sourceRecord()));
    hear({
      type: 'migration',
      migration: sourceRecord({ id: 'next', domain: 'other', phase: 'connecting', rounds: [] }),
    });
    const list = screen.getByRole<HTMLSelectElement>('combobox', { name: 'Migration' });
    expect(list.value).toBe('next');
    expect([...list.options].map((option) => option.textContent)).toEqual([
      'other: host1 → host2, 0:01:02.0, connecting',
      'guest: host1 → host2, 0:01:02.0, done',
    ]);
    fireEvent.change(list, { target: { value: 'token' } });
    expect(screen.getByRole('table', { name: /^Pages and speed/ })).toBeTruthy();
    expect(screen.getByText('Memory maps are kept for the last migration only.')).toBeTruthy();
  });

  it('is shown to a room on one page, until Escape or its button', async () => {
    await renderWithLab(<MigrationPanel />, labWith(sourceRecord(), destinationRecord()));
    fireEvent.click(screen.getByRole('button', { name: 'Presenter view' }));
    const page = within(screen.getByRole('dialog', { name: 'Live migration, presenter view' }));
    expect(page.getByRole('heading', { name: 'guest: host1 → host2' })).toBeTruthy();
    expect(page.getByRole('region', { name: 'Source host1' })).toBeTruthy();
    expect(page.getByRole('region', { name: 'Destination host2' })).toBeTruthy();
    expect(page.getByRole('table')).toBeTruthy();
    fireEvent.click(page.getByRole('button', { name: 'Close (Esc)' }));
    expect(screen.queryByRole('dialog')).toBeNull();
  });
});

describe('the controls', () => {
  it('end a migration that leaves from here, and show what xend answers', async () => {
    const running = sourceRecord({ phase: 'copying', span: null });
    const { lab } = await renderWithLab(<MigrationPanel />, labWith(running));
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Cancel' })));
    expect(lab.cancelled).toEqual([3]);
    expect(screen.getByText('Cancelled: the guest goes on here.')).toBeTruthy();
    lab.cancelMigration = async () => ({
      ok: false,
      error: { code: 'XendError', message: "Domain 'guest' has been handed over already." },
    });
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Cancel' })));
    expect(screen.getByText("Domain 'guest' has been handed over already.")).toBeTruthy();
    hear({ type: 'migration', migration: sourceRecord() });
    expect(screen.queryByRole('button', { name: 'Cancel' })).toBeNull();
  });

  it('do not offer to end what leaves from another host', async () => {
    await renderWithLab(<MigrationPanel />, labWith(sourceRecord({ host: 'host2', phase: 'copying' })));
    expect(screen.queryByRole('button', { name: 'Cancel' })).toBeNull();
  });

  it('choose the cable, a value that was set elsewhere included', async () => {
    const lab = new FakeLab();
    lab.host = { ...lab.host, link: { mbitPerS: 250, latencyMs: 0.05, isUp: true } };
    await renderWithLab(<MigrationPanel />, lab);
    const speed = screen.getByRole<HTMLSelectElement>('combobox', { name: 'Speed' });
    expect([...speed.options].map((option) => option.textContent)).toEqual([
      '250 Mbit/s',
      '10 Mbit/s',
      '100 Mbit/s',
      '1 Gbit/s',
      '10 Gbit/s',
      'no limit',
    ]);
    await act(async () => fireEvent.change(speed, { target: { value: 'null' } }));
    expect(lab.host.link).toEqual({ mbitPerS: null, latencyMs: 0.05, isUp: true });
    await act(async () => fireEvent.click(screen.getByRole('checkbox', { name: 'plugged in' })));
    expect(lab.host.link.isUp).toBe(false);
    // Of which the page has not heard yet.
    lab.host = { ...lab.host, link: { mbitPerS: 10, latencyMs: 0.05, isUp: true } };
    await act(async () => fireEvent.change(screen.getByLabelText('Latency'), { target: { value: '1' } }));
    expect(lab.host.link).toEqual({ mbitPerS: 10, latencyMs: 1, isUp: true });
  });

  it('write the workload of a guest that offers one, and say why not of another', async () => {
    const { lab } = await renderWithLab(<MigrationPanel />);
    const slider = () => screen.getByRole<HTMLInputElement>('slider', { name: /^Pages written per second/ });
    expect(slider().disabled).toBe(true);
    expect(screen.getByText(/there is no key \/local\/domain\/1\/data\/workload/)).toBeTruthy();
    hear({ type: 'workloads', workloads: { 1: 'web 100' } });
    expect(slider().disabled).toBe(false);
    expect(slider().getAttribute('aria-valuetext')).toBe('100 pages/s');
    await act(async () => fireEvent.change(slider(), { target: { value: '7' } }));
    expect(lab.commands).toEqual(["xenstore-write /local/domain/1/data/workload 'web 1000'"]);
    await act(async () =>
      fireEvent.change(screen.getByRole('combobox', { name: 'Kind of work' }), { target: { value: 'memory' } }),
    );
    expect(lab.commands.at(-1)).toBe("xenstore-write /local/domain/1/data/workload 'memory 100'");
  });
});

describe('the status bar', () => {
  it('offers a migration that has begun, until its pane is looked at', async () => {
    await renderWithLab(<MigrationOffer />);
    expect(screen.queryByRole('button')).toBeNull();
    hear({ type: 'migration', migration: destinationRecord({ phase: 'copying', span: null }) });
    expect(screen.getByRole('status').textContent).toContain('guest: 192.0.2.11 → host2');
    expect(screen.getByRole('button', { name: 'Show the migration' })).toBeTruthy();
    act(() => useOffer.setState({ seen: 'token' }));
    expect(screen.queryByRole('button')).toBeNull();
  });
});
