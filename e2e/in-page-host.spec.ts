/** A second host inside the page, for browsers that open no tabs: a machine of its own, as one in a tab is. */
import { expect, test } from './lab';

const CREATE =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';

test('a guest moves to a second host in the same page and back', async ({ lab, page }) => {
  test.setTimeout(180_000);
  const one = lab.console('Domain-0');
  await one.waitForPrompt();
  const frame = page.locator('iframe');
  const other = lab.secondHost();
  const two = other.console('Domain-0');

  await test.step('the menu beside Host + opens it', async () => {
    await page.getByRole('button', { name: 'Ways to add a host' }).click();
    await page.getByRole('menuitem', { name: 'In this page' }).click();
    await two.waitForPrompt();
    await expect(page.getByRole('region', { name: 'Second host: host2' }).getByRole('heading')).toHaveText('host2');
    expect(await two.run('hostname')).toBe('host2');
  });

  await test.step('it has no hosts of its own, and the colours of the page', async () => {
    const inside = page.frameLocator('iframe');
    await expect(inside.getByRole('banner')).toBeVisible();
    await expect(inside.getByRole('button', { name: 'Ways to add a host' })).toHaveCount(0);
    await expect(inside.getByRole('button', { name: 'Host +' })).toHaveCount(0);
    await page.getByRole('button', { name: 'Light colours' }).click();
    await expect(inside.locator('html')).toHaveAttribute('data-theme', 'light');
    expect(await lab.accessibilityViolations()).toEqual([]);
    await page.getByRole('button', { name: 'Dark colours' }).click();
    await expect(inside.locator('html')).toHaveAttribute('data-theme', 'dark');
    expect(await lab.accessibilityViolations()).toEqual([]);
  });

  await test.step('the hosts see each other', async () => {
    expect(await two.run('ping -c 2 host1')).toContain('2 received, 0% packet loss');
    expect(await one.run('ping -c 2 host2')).toContain('2 received, 0% packet loss');
  });

  await test.step('a guest goes over live and comes back', async () => {
    await one.run(CREATE);
    await expect(lab.domainRow('guest')).toContainText('64 MiB');
    expect(await one.run('xm migrate --live guest host2')).toBe('');
    await expect(lab.domainRow('guest')).toHaveCount(0);
    await expect(other.domainRow('guest')).toContainText('64 MiB');
    expect(await one.run('ping -c 2 192.0.2.90')).toContain('2 received, 0% packet loss');
    expect(await two.run('xm migrate --live guest host1')).toBe('');
    await expect(other.domainRow('guest')).toHaveCount(0);
    await expect(lab.domainRow('guest')).toContainText('64 MiB');
  });

  await test.step('closing it stores its disks and switches it off', async () => {
    await two.run('echo kept >/root/note; sync');
    await page.getByRole('button', { name: 'Close host2' }).click();
    await expect(frame).toHaveCount(0);
    // xend waits long for an answer.
    await lab.setSpeed('×10');
    await one.type('xm migrate guest host2');
    await one.waitFor("can't connect: ", 60_000);
    await lab.setSpeed('×1');
    await expect(lab.domainRow('guest')).toContainText('64 MiB');
  });

  await test.step('it comes back when asked, not with a reload of the page', async () => {
    await page.keyboard.press('F1');
    await page.keyboard.type('add a host in this page');
    await page.keyboard.press('Enter');
    await two.waitForPrompt();
    expect(await two.run('hostname; cat /root/note')).toBe('host2\nkept');
    await lab.reload();
    await one.waitForPrompt();
    await expect(frame).toHaveCount(0);
    // The layout is the one from before.
    expect(await lab.tabs()).toEqual(expect.arrayContaining(['Home', 'Terminal', 'Editor', 'Domains']));
    await expect(page.getByRole('region', { name: 'Home' })).toBeVisible();
  });
});

test('the keyboard goes into the second host and out of it', async ({ lab, page }) => {
  await lab.console('Domain-0').waitForPrompt();
  await page.keyboard.press('F1');
  await page.keyboard.type('add a host in this page');
  await page.keyboard.press('Enter');
  await lab.secondHost().console('Domain-0').waitForPrompt();
  await lab.console('Domain-0').focus();

  const place = () =>
    page.evaluate(() => {
      const name = (active: Element | null) =>
        active?.closest('.dv-groupview')?.querySelector('.dv-active-tab')?.textContent ??
        (active?.closest('.toolbar') ? 'toolbar' : 'nothing');
      const active = document.activeElement;
      return active instanceof HTMLIFrameElement
        ? `second ${name(active.contentDocument?.activeElement ?? null)}`
        : name(active);
    });
  const follow = async (key: string, places: readonly string[]) => {
    for (const next of places) {
      await page.keyboard.press(key);
      await expect.poll(place, { message: `${key} leads to ${next}` }).toBe(next);
    }
  };
  await follow('F6', ['Domains', 'second toolbar', 'second Terminal', 'second Domains', 'toolbar', 'Terminal']);
  await follow('Shift+F6', ['toolbar', 'second Domains', 'second Terminal', 'second toolbar', 'Domains', 'Terminal']);
  await follow('F6', ['Domains', 'second toolbar', 'second Terminal']);
  await page.keyboard.type('echo typed there\n');
  await lab
    .secondHost()
    .console('Domain-0')
    .waitFor(/\ntyped there\n/);
});

test('a tab that the browser does not open is offered in the page', async ({ lab, page }) => {
  await page.evaluate(() => {
    window.open = () => null;
  });
  await page.getByRole('button', { name: 'Host +' }).click();
  await expect(page.getByText('This browser has not let the page open a tab.')).toBeVisible();
  await page.getByRole('button', { name: 'Open it in this page' }).click();
  await expect(page.getByText('This browser has not let the page open a tab.')).toHaveCount(0);
  await lab.secondHost().console('Domain-0').waitForPrompt();
});
