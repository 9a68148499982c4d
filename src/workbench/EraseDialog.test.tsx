import { act, cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { useLab } from '../store/labStore';
import { FakeLab } from '../worker/fakeLab';
import { renderWithLab } from '../worker/testLab';
import { EraseDialog } from './EraseDialog';
import { askToErase, stopAsking } from './eraseQuestion';
import { Notices } from './Notices';

// jsdom has no modal dialogs.
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = function showModal(this: HTMLDialogElement) {
    this.open = true;
  };
});
afterEach(() => {
  stopAsking();
  cleanup();
});

it('erases the disks and starts the machine anew once that was confirmed', async () => {
  const { lab, restarts } = await renderWithLab(<EraseDialog />);
  expect(screen.queryByRole('dialog')).toBeNull();
  act(() => askToErase());
  expect(screen.getByRole('dialog', { name: 'Erase the disks of this machine?' })).toBeTruthy();
  expect(lab.files.size).toBeGreaterThan(0);
  await act(async () => void fireEvent.click(screen.getByRole('button', { name: 'Erase and install anew' })));
  expect(lab.files.size).toBe(0);
  expect(restarts()).toBe(1);
  expect(screen.queryByRole('dialog')).toBeNull();
});

it('keeps the machine and says why when the storage refuses', async () => {
  class FullLab extends FakeLab {
    override async eraseDisks() {
      return { ok: false as const, error: { code: 'internal', message: 'the storage is locked' } };
    }
  }
  const { restarts } = await renderWithLab(<EraseDialog />, new FullLab());
  act(() => askToErase());
  await act(async () => void fireEvent.click(screen.getByRole('button', { name: 'Erase and install anew' })));
  expect(screen.getByRole('alert').textContent).toBe('the storage is locked');
  expect(restarts()).toBe(0);
});

it('is offered beside the notice that speaks of older disks', async () => {
  await renderWithLab(
    <>
      <Notices />
      <EraseDialog />
    </>,
  );
  act(() => useLab.getState().receive([{ type: 'notice', level: 'info', text: 'older disks', offers: 'eraseDisks' }]));
  fireEvent.click(screen.getByRole('button', { name: 'Erase its disks …' }));
  expect(screen.getByRole('dialog')).toBeTruthy();
});
