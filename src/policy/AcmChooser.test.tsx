import { act, cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { renderWithLab } from '../worker/testLab';
import { AcmChooser } from './AcmChooser';
import { PolicyLab } from './policyLab.testkind';

beforeAll(() => {
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.setAttribute('open', '');
  };
  HTMLDialogElement.prototype.close = function close() {
    this.dispatchEvent(new Event('close'));
  };
});
afterEach(cleanup);

const build = () =>
  act(async () => {
    fireEvent.click(screen.getByRole('button', { name: 'Boot with ACM …' }));
    fireEvent.click(await screen.findByRole('button', { name: 'Build and reboot' }));
  });

it("runs the manual's steps in Domain-0, and reboots", async () => {
  const lab = new PolicyLab();
  await renderWithLab(<AcmChooser />, lab);
  await build();
  expect(lab.commands).toEqual([
    "cd /usr/src/xen && sed -i 's/^XSM_ENABLE ?= n/XSM_ENABLE ?= y/; s/^ACM_SECURITY ?= n/ACM_SECURITY ?= y/' Config.mk && make world && make install",
    'reboot',
  ]);
});

it('does not reboot when the build fails, and says why', async () => {
  const lab = new PolicyLab();
  lab.status = 2;
  await renderWithLab(<AcmChooser />, lab);
  await build();
  expect(lab.commands).toHaveLength(1);
  expect(screen.getByRole('alert')).toBeTruthy();
});
