/** A tab that stands still in the middle of a migration, at either end: the other host waits, and there is one copy throughout. */
import type { Browser, Page } from '@playwright/test';
import { anotherTab, expect, test } from './lab';

const CREATE = 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 name=guest';
const FROZEN_MS = 4000;
/** A tab that is awake answers sooner, even on a busy computer. */
const ANSWER_MS = 2000;

/** Stops the process of a tab with its workers, as an operating system does that is short of memory. Answers what wakes it. */
async function freeze(browser: Browser, tab: Page): Promise<() => void> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  for (const { id } of processInfo.filter(({ type }) => type === 'renderer')) {
    process.kill(id, 'SIGSTOP');
    const isItsOwn = await Promise.race([
      tab.evaluate(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, ANSWER_MS, true)),
    ]);
    if (isItsOwn) return () => process.kill(id, 'SIGCONT');
    process.kill(id, 'SIGCONT');
  }
  throw new Error('no process has this tab');
}

test('a tab that is frozen in the middle of a migration goes on where it was', async ({ lab, context, browser }) => {
  test.setTimeout(120_000);
  const one = lab.console('Domain-0');
  await one.waitForPrompt();
  const other = await anotherTab(context);
  await one.run(CREATE);

  for (const [from, to, frozen] of [
    [lab, other, other],
    [other, lab, other],
  ] as const) {
    const seen = frozen === from ? to : from;
    await seen.page.bringToFront();
    await seen.show('Migration');
    await seen.page.getByRole('combobox', { name: 'Speed' }).selectOption('10 Mbit/s');
    const source = from.console('Domain-0');
    await source.type(`xm migrate --live guest ${to === lab ? 'host1' : 'host2'}`);
    await expect(seen.page.getByRole('listitem').filter({ hasText: 'round 1' }).first()).toBeVisible();
    const thaw = await freeze(browser, frozen.page);
    try {
      await seen.page.waitForTimeout(FROZEN_MS);
      const migration = seen.page.getByRole('region', { name: 'Live migration' });
      await expect(migration).toContainText('copying while the guest runs');
    } finally {
      thaw();
    }
    await seen.page.getByRole('combobox', { name: 'Speed' }).selectOption('no limit');
    await source.waitForPrompt();
    await expect(to.domainRow('guest')).toContainText('16 MiB');
    expect(await from.console('Domain-0').run('xm list')).not.toContain('guest');
    expect(await to.console('Domain-0').run('xm list')).toMatch(/^guest .* [r-][b-]---- /m);
    expect(await to.console('Domain-0').run('tail -n 3 /var/log/xen/xend.log')).not.toContain('lost');
    await seen.page.getByRole('button', { name: 'Close Migration' }).click();
  }
});
