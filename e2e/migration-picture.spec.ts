/** The picture of a live migration: in the tab that the guest leaves, and in the one where it arrives. */
import type { Locator, Page } from '@playwright/test';
import { anotherTab, expect, Lab, test } from './lab';

const CREATE = 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest';

const half = (page: Page, role: 'Source' | 'Destination') =>
  page.getByRole('region', { name: new RegExp(`^${role} host`) });

/** In how many colours a map is drawn. */
async function coloursOf(map: Locator): Promise<number> {
  return map.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
}

/** Milliseconds of the wall's clock that the table has for an observer. */
async function wallMs(page: Page, observer: string): Promise<number> {
  const row = page.getByRole('table', { name: /^How long the guest stood still/ }).getByRole('row', { name: observer });
  const [, value, unit] = /^([\d.]+) (ms|s)$/.exec((await row.getByRole('cell').last().textContent()) ?? '') ?? [];
  return Number(value) * (unit === 's' ? 1000 : 1);
}

for (const colorScheme of ['dark', 'light'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test(`both tabs draw what goes and what arrives, in ${colorScheme} colours`, async ({ lab, page, context }) => {
      test.setTimeout(180_000);
      const one = lab.console('Domain-0');
      await one.waitForPrompt();

      await test.step('the empty pane says how to begin', async () => {
        await lab.show('Migration');
        await expect(page.getByText('xm migrate --live guest host2')).toBeVisible();
        expect(await lab.accessibilityViolations()).toEqual([]);
        await page.getByRole('button', { name: 'Close Migration' }).click();
      });

      const other = new Lab(await context.newPage());
      await other.page.setViewportSize({ width: 683, height: 768 });
      await other.open();
      await other.console('Domain-0').waitForPrompt();
      await other.show('Migration');

      await test.step('the status bar offers the picture; nothing opens by itself', async () => {
        await page.bringToFront();
        await one.run(CREATE);
        await one.type('sleep 1; xm migrate --live guest host2');
        const offer = page.getByRole('contentinfo').getByRole('button', { name: 'Show the migration' });
        await expect(offer).toBeVisible({ timeout: 30_000 });
        expect(await lab.tabs()).not.toContain('Migration');
        await offer.click();
        await expect(page.getByRole('region', { name: 'Live migration' })).toBeVisible();
        await expect(offer).toBeHidden();
      });

      await test.step('rounds, maps and downtimes are there in both', async () => {
        for (const tab of [page, other.page]) {
          await expect(
            tab.getByRole('table', { name: /^Pages and speed of each round/ }).getByText('last'),
          ).toBeVisible({
            timeout: 60_000,
          });
          for (const role of ['Source', 'Destination'] as const) {
            await expect(half(tab, role).getByRole('listitem').filter({ hasText: 'round 1' })).toBeVisible();
            await expect.poll(() => coloursOf(half(tab, role))).toBeGreaterThanOrEqual(2);
          }
          for (const observer of ['Source', 'Destination', 'Guest’s heartbeat']) {
            await expect.poll(() => wallMs(tab, observer)).toBeGreaterThan(0);
            expect(await wallMs(tab, observer)).toBeLessThan(5000);
          }
        }
        await expect(half(page, 'Source')).toContainText('this tab');
        await expect(half(other.page, 'Destination')).toContainText('this tab');
        expect(await lab.accessibilityViolations()).toEqual([]);
        expect(await other.accessibilityViolations()).toEqual([]);
      });

      await test.step('Domain-0 has the same numbers', async () => {
        const round = page
          .getByRole('table', { name: /^Pages and speed/ })
          .getByRole('row')
          .nth(1);
        const [sent = '', skipped = ''] = (await round.getByRole('cell').allTextContents()).map((text) =>
          text.replaceAll(',', '').trim(),
        );
        const log = await one.run('grep XendCheckpoint /var/log/xen/xend.log | tail -n 40');
        expect(log.replace(/\s+/g, ' ')).toContain(`1: sent ${sent}, skipped ${skipped}`);
        expect(log).toContain('measured by the source');
      });

      await test.step('one page shows both halves to a room', async () => {
        await page.getByRole('button', { name: 'Presenter view' }).click();
        const presenter = page.getByRole('dialog', { name: /presenter view/ });
        for (const role of ['Source', 'Destination'] as const)
          await expect(
            presenter.getByRole('region', { name: new RegExp(`^${role}`) }).locator('canvas'),
          ).toBeInViewport({
            ratio: 1,
          });
        expect(await lab.accessibilityViolations()).toEqual([]);
        await page.keyboard.press('Escape');
        await expect(presenter).toBeHidden();
      });
    });
  });
}

test('a migration over a slow link is ended from the page, and by the reload of a tab', async ({
  lab,
  page,
  context,
}) => {
  test.setTimeout(180_000);
  const one = lab.console('Domain-0');
  await one.waitForPrompt();
  // Before there is another host: what that one has to show comes all the same.
  await lab.show('Migration');
  const other = await anotherTab(context);
  await page.bringToFront();
  await page.getByRole('combobox', { name: 'Speed' }).selectOption('10 Mbit/s');
  await one.run(CREATE);
  const beginsToMove = async () => {
    await one.type('xm migrate --live guest host2');
    await expect(half(page, 'Source').getByRole('listitem').filter({ hasText: 'round 1' })).toBeVisible({
      timeout: 30_000,
    });
  };
  await beginsToMove();
  await expect(half(page, 'Destination').getByRole('listitem').filter({ hasText: 'round 1' })).toBeVisible();
  await page.getByRole('button', { name: 'Presenter view' }).focus();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Cancel', exact: true })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByText('Cancelled: the guest goes on here.')).toBeVisible();
  await one.waitFor("Error: Migration of domain 'guest' to host2 was cancelled");
  await expect(lab.domainRow('guest')).toContainText('64 MiB');
  await expect(other.domainRow('guest')).toHaveCount(0);
  // What was on its way arrives first: some seconds at this speed.
  const log = await other
    .console('Domain-0')
    .run('until grep "was cancelled there" /var/log/xen/xend.log; do sleep 1; done', 60_000);
  expect(log).toContain('The migration from 192.0.2.11 was cancelled there.');

  // The other machine is off and on again: its tab is loaded anew in the middle of it.
  await beginsToMove();
  await other.reload();
  await other.console('Domain-0').waitForPrompt();
  await one.waitFor('Error: the connection was lost');
  await expect(lab.domainRow('guest')).toContainText('64 MiB');
  await expect(other.domainRow('guest')).toHaveCount(0);
  expect(await one.run('xm list')).not.toContain('migrating-');
  expect(await other.console('Domain-0').run('xm list')).not.toContain('guest');
  await page.getByRole('combobox', { name: 'Speed' }).selectOption('no limit');
  expect(await one.run('xm migrate --live guest host2')).toBe('');
  await expect(other.domainRow('guest')).toContainText('64 MiB');

  // A tab that is loaded anew while its guest leaves has lost it, as a machine that is switched off.
  await page.getByRole('combobox', { name: 'Speed' }).selectOption('10 Mbit/s');
  await other.console('Domain-0').type('xm migrate --live guest host1');
  await expect(half(page, 'Destination').getByRole('listitem').filter({ hasText: 'round 1' })).toBeVisible();
  await other.reload();
  await other.console('Domain-0').waitForPrompt();
  await expect(lab.domainRow('guest')).toHaveCount(0);
  expect(await one.run('xm list')).not.toContain('guest');
  expect(await other.console('Domain-0').run('xm list')).not.toContain('guest');
});
