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

test('a machine whose disks are erased is installed anew, after a question', async ({ lab, page }) => {
  const dom0 = lab.console('Domain-0');
  await dom0.waitForPrompt();
  await dom0.run('echo mine >/root/mine; sync');
  await lab.disksAreSaved();

  const erase = async () => {
    await page.keyboard.press('F1');
    await page.keyboard.type('erase');
    await page.keyboard.press('Enter');
  };
  await erase();
  await expect(page.getByRole('button', { name: 'Keep them' })).toBeFocused();
  expect(await lab.accessibilityViolations()).toEqual([]);
  await page.keyboard.press('Enter');
  expect(await dom0.run('cat /root/mine')).toBe('mine');

  await erase();
  await page.getByRole('button', { name: 'Erase and install anew' }).click();
  await expect.poll(() => dom0.text()).not.toContain('mine');
  await dom0.waitForPrompt();
  expect(await dom0.run('cat /root/mine')).toContain('No such file or directory');
});
