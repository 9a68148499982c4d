/** Everything can be done without a mouse. */
import { expect, test } from './lab';

test('an operator without a mouse types, edits, and reaches every pane', async ({ lab, page }) => {
  const dom0 = lab.console('Domain-0');
  await dom0.waitForPrompt();

  const command = async (name: string) => {
    await page.keyboard.press('F1');
    const filter = page.getByRole('combobox', { name: 'Filter commands' });
    await expect(filter).toBeFocused();
    await page.keyboard.type(name);
    await expect(page.getByRole('option', { name }).first()).toBeVisible();
    await page.keyboard.press('Enter');
    await expect(filter).toHaveCount(0);
  };

  await command('Show: Terminal');
  await page.keyboard.type('echo typed by hand\n');
  await dom0.waitFor(/\ntyped by hand\n/);

  await page.keyboard.type('vi /root/notes\n');
  await expect(page.getByRole('textbox', { name: 'Text of /root/notes' })).toBeFocused();
  await page.keyboard.type('from the keyboard');
  await page.keyboard.press('ControlOrMeta+S');
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeDisabled();
  // Out of the text, whose Tab key belongs to it, and on to the button that closes the file.
  await page.keyboard.press('Control+M');
  const close = page.getByRole('button', { name: 'Close /root/notes', exact: true });
  for (let i = 0; i < 20 && !(await close.evaluate((element) => element === document.activeElement)); i++)
    await page.keyboard.press('Shift+Tab');
  await expect(close).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Serial console of the machine' })).toBeFocused();
  await page.keyboard.type('cat /root/notes\n');
  await dom0.waitFor(/\nfrom the keyboard\n?/);

  const seen = new Set<string>();
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('F6');
    seen.add(await lab.focusedPane());
  }
  expect([...seen].sort()).toEqual(expect.arrayContaining(['Domains', 'Home', 'Terminal']));

  await command('Colours of the system');
  await command('Speed of time: Pause');
  await expect(page.getByRole('contentinfo')).toContainText('paused');
  await command('Speed of time: ×1');
  await expect(page.getByRole('contentinfo')).toContainText('×1');
});
