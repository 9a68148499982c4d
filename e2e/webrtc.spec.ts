/** Two browsers, which share neither storage nor tabs, become one network by two texts that are copied by hand. */
import type { Browser, BrowserContext, Locator } from '@playwright/test';
import { expect, Lab, test } from './lab';

const CREATE =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';

async function openDialog(lab: Lab): Promise<Locator> {
  const dialog = lab.page.getByRole('dialog', { name: 'Connect to another computer' });
  if (!(await dialog.isVisible())) {
    await lab.page.getByRole('button', { name: 'Ways to add a host' }).click();
    await lab.page.getByRole('menuitem', { name: 'On another computer' }).click();
  }
  return dialog;
}

async function close(lab: Lab): Promise<void> {
  await lab.page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
}

async function invite(dialog: Locator): Promise<string> {
  await dialog.getByRole('button', { name: 'Make an invitation' }).click();
  return dialog.getByRole('textbox', { name: 'Invitation', exact: true }).inputValue();
}

async function answer(dialog: Locator, invitation: string): Promise<string> {
  await dialog.getByRole('textbox', { name: 'Invitation of the other computer' }).fill(invitation);
  await dialog.getByRole('button', { name: 'Make the answer' }).click();
  return dialog.getByRole('textbox', { name: 'Answer', exact: true }).inputValue();
}

async function accept(dialog: Locator, text: string): Promise<void> {
  await dialog.getByRole('textbox', { name: 'Answer of the other computer' }).fill(text);
  await dialog.getByRole('button', { name: 'Connect', exact: true }).click();
}

async function otherBrowser(browser: Browser): Promise<{ context: BrowserContext; other: Lab }> {
  const context = await browser.newContext();
  const other = new Lab(await context.newPage());
  await other.open();
  return { context, other };
}

test('a guest moves between two browsers, and a lost connection is a pulled cable', async ({ lab, browser }) => {
  test.setTimeout(240_000);
  const { context, other } = await otherBrowser(browser);
  const one = lab.console('Domain-0');
  const two = other.console('Domain-0');
  await one.waitForPrompt();
  await two.waitForPrompt();

  await test.step('both are host1: the one that joins restarts as host2', async () => {
    expect(await two.run('hostname')).toBe('host1');
    const a = await openDialog(lab);
    const invitation = await invite(a);
    const b = await openDialog(other);
    await b.getByRole('textbox', { name: 'Invitation of the other computer' }).fill(invitation);
    await b.getByRole('button', { name: 'Make the answer' }).click();
    await b.getByRole('button', { name: 'Restart as host2' }).click();
    await expect(b.getByRole('textbox', { name: 'Invitation of the other computer' })).toHaveValue(invitation);
    await accept(a, await answer(b, invitation));
    await expect(a.getByText('Connected with host2.')).toBeVisible();
    await expect(b.getByText('Connected with host1.')).toBeVisible();
    expect(await lab.accessibilityViolations()).toEqual([]);
    await close(lab);
    await close(other);
    await two.waitForPrompt();
    expect(await two.run('hostname')).toBe('host2');
  });

  await test.step('the hosts see each other', async () => {
    expect(await two.run('ping -c 2 host1')).toContain('2 received, 0% packet loss');
    expect(await one.run('ping -c 2 host2')).toContain('2 received, 0% packet loss');
  });

  await test.step('a guest goes over live and comes back', async () => {
    await one.run(CREATE);
    await expect(lab.domainRow('guest')).toContainText('64 MiB');
    expect(await one.run('xm migrate --live guest host2', 60_000)).toBe('');
    await expect(lab.domainRow('guest')).toHaveCount(0);
    await expect(other.domainRow('guest')).toContainText('64 MiB');
    expect(await one.run('ping -c 2 192.0.2.90')).toContain('2 received, 0% packet loss');
    expect(await two.run('xm migrate --live guest host1', 60_000)).toBe('');
    await expect(other.domainRow('guest')).toHaveCount(0);
    await expect(lab.domainRow('guest')).toContainText('64 MiB');
  });

  await test.step('disconnected, the other machine cannot be reached and counts as switched on', async () => {
    const a = await openDialog(lab);
    await a.getByRole('button', { name: 'Disconnect' }).click();
    await expect(a.getByText('The connection to host2 is lost')).toBeVisible();
    await expect(a.getByText('host2 counts as switched on')).toBeVisible();
    await close(lab);
    await expect(other.page.getByRole('button', { name: 'host1 (not connected)' })).toBeVisible();
    expect(await one.run('ping -c 2 host2')).toContain('0 received, 100% packet loss');
  });

  await test.step('a new invitation connects them again, under the same names', async () => {
    const a = await openDialog(lab);
    const b = await openDialog(other);
    await accept(a, await answer(b, await invite(a)));
    await expect(a.getByText('Connected with host2.')).toBeVisible();
    await close(lab);
    await close(other);
    expect(await one.run('ping -c 2 host2')).toContain('2 received, 0% packet loss');
  });

  await test.step('a browser that is closed is a connection that is lost', async () => {
    await context.close();
    await lab.page.getByRole('button', { name: 'host2 (not connected)' }).click();
    const a = await openDialog(lab);
    await a.getByRole('button', { name: 'host2 is switched off …' }).click();
    await a.getByRole('button', { name: 'host2 is off', exact: true }).click();
    await expect(a.getByText('host2')).toHaveCount(0);
  });
});

test('a text that is none says why, and nothing is connected', async ({ lab, browser }) => {
  const { context, other } = await otherBrowser(browser);
  const a = await openDialog(lab);
  const b = await openDialog(other);
  const pasted = a.getByRole('textbox', { name: 'Invitation of the other computer' });
  const refusal = a.getByRole('alert');
  const theirs = await invite(b);

  await pasted.fill('Dear colleague');
  await a.getByRole('button', { name: 'Make the answer' }).click();
  await expect(refusal).toHaveText('This is not an invitation of the Xen lab.');
  await pasted.fill(theirs.slice(0, -30));
  await a.getByRole('button', { name: 'Make the answer' }).click();
  await expect(refusal).toHaveText('A part of this text is missing or changed: copy all of it again.');
  await a.getByRole('textbox', { name: 'STUN server' }).fill('http://example.org');
  const own = await (async () => {
    await a.getByRole('button', { name: 'Make an invitation' }).click();
    await expect(refusal).toHaveText('This is not the address of a STUN server.');
    await a.getByRole('textbox', { name: 'STUN server' }).fill('');
    return invite(a);
  })();
  await accept(a, theirs);
  await expect(refusal).toHaveText('This is an invitation; what belongs here is the answer to yours.');
  await a.getByRole('button', { name: 'Cancel' }).click();
  await pasted.fill(own);
  await a.getByRole('button', { name: 'Make the answer' }).click();
  await expect(refusal).toHaveText('This invitation was made in this browser, whose tabs are on one network already.');
  await context.close();
});
