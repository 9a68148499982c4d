/** One tab owns a machine; a tab opened beside it is a machine of its own. */
import type { Page } from '@playwright/test';
import { anotherTab, expect, test } from './lab';

test('a second tab is a second machine with disks of its own', async ({ lab, context }) => {
  const first = lab.console('Domain-0');
  await first.waitForPrompt();
  await first.run('echo first >/root/who; sync; sleep 1');
  await lab.disksAreSaved();

  const other = await anotherTab(context);
  const second = other.console('Domain-0');
  expect(await second.run('hostname')).toBe('host2');
  const markOf = (page: Page) =>
    page
      .getByRole('banner')
      .locator('.host-mark')
      .evaluate((mark) => getComputedStyle(mark).backgroundColor);
  for (const [page, name] of [
    [lab.page, 'host1'],
    [other.page, 'host2'],
  ] as const) {
    await expect(page).toHaveTitle(`${name} – Xen lab`);
    await expect(page.getByRole('banner')).toContainText(name);
    await expect(page.getByRole('contentinfo')).toContainText(name);
  }
  expect(await markOf(other.page)).not.toBe(await markOf(lab.page));
  expect(await other.accessibilityViolations()).toEqual([]);
  expect(await second.run('cat /root/who')).toContain('No such file or directory');
  await other.page.close();

  await lab.reload();
  await first.waitForPrompt();
  expect(await first.run('hostname; cat /root/who')).toBe('host1\nfirst');
});
