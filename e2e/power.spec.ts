/** Domain-0's end is the machine's end; its disks outlast both. */
import { expect, test } from './lab';

test('a machine reboots, is switched off, and comes back with its files', async ({ lab, page }) => {
  const dom0 = lab.console('Domain-0');
  await dom0.waitForPrompt();
  await dom0.run('echo kept >/root/kept');
  await dom0.type('reboot');
  await dom0.waitFor(/Restarting system[\s\S]*GRUB[\s\S]*INIT/);
  await dom0.waitForPrompt();
  expect(await dom0.run('cat /root/kept')).toBe('kept');

  await dom0.type('poweroff');
  await dom0.waitFor('(XEN) Domain 0 halted: halting machine.');
  await expect(lab.domainRow('Domain-0')).toHaveCount(0);
  await lab.disksAreSaved();
  await page.getByRole('button', { name: 'Switch on' }).click();
  await dom0.waitForPrompt();
  expect(await dom0.run('cat /root/kept')).toBe('kept');
});
