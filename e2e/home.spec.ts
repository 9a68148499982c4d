/** The first round, as somebody goes through it who only presses the button. */
import { expect, test } from './lab';

test('the home panel leads through the first round', async ({ lab, page }) => {
  const dom0 = lab.console('Domain-0');
  const home = page.getByRole('region', { name: 'Next steps and the machine' });
  const typeIt = home.getByRole('button', { name: 'Type it for me' });
  await dom0.waitForPrompt();

  for (let done = 1; done <= 13; done++) {
    const command = (await home.locator('.step-command').textContent())?.replace(/^# /, '') ?? '';
    await typeIt.click();
    await dom0.waitFor(command);
    if (command.startsWith('xm create -c')) {
      await dom0.waitFor(/login: ?$/);
      await dom0.type('root');
      await dom0.waitFor(/\[root@localhost ~\]# ?$/);
      // A guest's prompt is not the one that the next command is for.
      await typeIt.click();
      await expect(home.getByText('does not show an empty prompt')).toBeVisible();
      await dom0.press('Control+]');
    }
    await dom0.waitFor(/\[root@host1 ~\]# ?$/);
    await expect(home).toContainText(`${done} of 13 steps done`);
  }
  await expect(home).toContainText('xm help --long');
});
