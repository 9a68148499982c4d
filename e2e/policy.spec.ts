/** sHype in the browser: boot with ACM, design a policy, be refused, read why; and a wrong policy is refused at its line. */
import { readFile } from 'node:fs/promises';
import { expect, test } from './lab';

test.setTimeout(180_000);

test('an operator designs the policy of chapter 10, is refused, and reads why', async ({ lab, page }) => {
  const dom0 = lab.console('Domain-0');
  await dom0.waitForPrompt();

  await test.step('the machine boots with ACM in one click', async () => {
    await page.getByRole('button', { name: 'Boot with ACM …' }).click();
    expect(await lab.accessibilityViolations()).toEqual([]);
    await page.getByRole('button', { name: 'Build and reboot' }).click();
    await dom0.waitFor(/Restarting system[\s\S]*ACM-XSM: {2}Initializing\.[\s\S]*INIT/, 60_000);
    await expect(page.getByText('Xen enforces the policy DEFAULT.')).toBeVisible();
    expect(await dom0.run('cat /usr/src/xen/Config.mk | grep ACM')).toBe('ACM_SECURITY ?= y');
    expect(await dom0.run('xm labels')).toBe('SystemManagement');
  });

  await test.step('xensec_ezpolicy, with the keyboard alone', async () => {
    await dom0.type('xensec_ezpolicy');
    await expect(page.getByRole('button', { name: 'New Org' })).toBeFocused();
    const { keyboard } = page;
    const named = async (name: string) => {
      await expect(page.getByRole('textbox', { name: 'Please enter org/dept name:' })).toBeFocused();
      await keyboard.type(name);
      await keyboard.press('Enter');
      await expect(page.getByRole('treeitem', { name, exact: true })).toBeVisible();
    };
    for (const name of ['A-Bank', 'B-Bank', 'AutoCorp']) {
      await page.getByRole('button', { name: 'New Org' }).focus();
      await keyboard.press('Enter');
      await named(name);
    }
    await page.getByRole('treeitem', { name: '__UNLABELED__' }).focus();
    await keyboard.press('ArrowDown');
    for (const name of ['SecurityUnderwriting', 'MarketAnalysis']) {
      await keyboard.press('Space');
      await keyboard.press('Control+A');
      await named(name);
      await expect(page.getByRole('treeitem', { name: 'A-Bank', exact: true })).toBeFocused();
    }
    // A-Bank, B-Bank, __UNLABELED__: B-Bank stands behind the two departments.
    await keyboard.press('Space');
    await keyboard.press('Home');
    await keyboard.press('Control+Space');
    for (let i = 0; i < 4; i++) await keyboard.press('ArrowDown');
    await keyboard.press('Control+Space');
    await page.getByRole('button', { name: /^Create run-time exclusion rule/ }).focus();
    await keyboard.press('Enter');
    await expect(page.getByRole('textbox', { name: /name for the Run-time/ })).toBeFocused();
    await keyboard.type('RER');
    await keyboard.press('Enter');
    await expect(page.getByRole('group', { name: 'RER' }).getByRole('option')).toHaveText([
      'A-Bank',
      'B-Bank',
      '__UNLABELED__',
    ]);
    expect(await lab.accessibilityViolations()).toEqual([]);
    await keyboard.press('Control+s');
    await keyboard.press('Enter');
    await expect(page.getByText('Saved to /root/myspec.wld.')).toBeVisible();
    await keyboard.press('Alt+t');
    await keyboard.type('banks');
    await keyboard.press('Enter');
    await expect(page.getByRole('textbox', { name: '*.xml' })).toHaveValue(
      '/etc/xen/acm-security/policies/banks-security_policy.xml',
    );
    await keyboard.press('Enter');
    await expect(page.getByText(/^The policy is in/)).toBeVisible();
    await keyboard.press('Control+n');
    await expect(page.getByText('ezPolicy: *New File*')).toBeVisible();
    await expect(page.getByRole('treeitem')).toHaveCount(0);
    await keyboard.press('Control+x');
    await dom0.waitFor('Goodbye');
  });

  await test.step('the bench puts the policy in force', async () => {
    await lab.show('Policy');
    await expect(page.getByRole('combobox', { name: 'Policy' })).toHaveValue(/banks-security_policy.xml$/);
    await expect(page.getByRole('grid', { name: /^Labels against labels/ })).toBeVisible();
    await page.getByRole('button', { name: 'Put in force' }).click();
    await expect(page.getByText('Successfully set the new policy.')).toBeVisible();
    expect(await lab.accessibilityViolations()).toEqual([]);
    await lab.show('Terminal');
    // Xen has written its message behind the prompt.
    await dom0.press('Enter');
    expect(await dom0.run('xm getpolicy | grep name')).toContain('banks');
  });

  await test.step('a conflicting domain is refused; a click on the refusal says why', async () => {
    await dom0.run(
      'cd /root; xm addlabel A-Bank dom domain1.xm; xm addlabel B-Bank dom domain2.xm; for f in img swap; do xm addlabel A-Bank res file:/home/xen/dom_fc5/fedora.fc5.$f; done',
    );
    expect(await dom0.run('xm create domain1.xm')).toContain('Started domain domain1');
    expect(await dom0.run('xm create domain2.xm')).toContain('Domain in conflict set with running domains');
    await dom0.clickText('Domain in conflict set');
    const why = page.getByRole('region', { name: 'Why' });
    await expect(why).toContainText('domain2 may not start');
    await expect(why).toContainText('domain1 (A-Bank) runs and holds A-Bank: conflict set RER allows one of them.');
    expect(await lab.accessibilityViolations()).toEqual([]);
  });

  await test.step('each view of the policy is accessible', async () => {
    for (const view of ['Conflict sets', 'Flows', 'What if', 'Assertions', 'Form', 'Binary', 'Map', 'Side by side']) {
      await page.getByRole('tab', { name: new RegExp(`^${view}`) }).click();
      expect(await lab.accessibilityViolations(), view).toEqual([]);
    }
    await page.getByRole('tab', { name: 'Conflict sets' }).click();
    await expect(page.getByRole('row', { name: /^B-Bank B-Bank 0 1 nobody$/ })).toBeVisible();
  });

  await test.step('packets between labels that may not share pass, and the bench says so', async () => {
    await lab.show('Terminal');
    await dom0.run(
      'xm addlabel AutoCorp dom domain3.xm; for f in img swap; do xm addlabel AutoCorp res file:/home/xen/domain3/fedora.fc5.$f; done',
    );
    expect(await dom0.run('xm create domain3.xm')).toContain('Started domain domain3');
    const first = await lab.openConsole('domain1');
    const third = await lab.openConsole('domain3');
    await third.login();
    const address = /inet addr:(\S+)/.exec(await third.run('ifconfig eth0'))?.[1];
    expect(address).toBeDefined();
    await lab.showTab((await lab.tabs()).find((title) => title.startsWith('domain1'))!);
    await first.login();
    expect(await first.run(`ping -c 2 ${address}`)).toMatch(/2 (packets )?received/);
    await lab.show('Policy');
    await page.getByRole('tab', { name: 'Why' }).click();
    await expect(page.getByText(/have no type in common, and packets between them pass on xenbr0/)).toBeVisible();
  });
});

test('a wrong policy shows its errors while it is typed, and the policy in force stays', async ({ lab, page }) => {
  await lab.console('Domain-0').waitForPrompt();
  await lab.show('Policy');
  await page.getByRole('combobox', { name: 'Policy' }).selectOption('mytest');
  const editor = page.getByTestId('policy-editor');
  await expect(editor.locator('.view-lines')).toContainText('PolicyHeader');
  await expect(page.getByText('no errors')).toBeVisible();

  await page.getByRole('textbox', { name: 'Policy text' }).focus();
  await page.keyboard.press('ControlOrMeta+Home');
  for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await page.keyboard.type('<Type>A-Bank</Type>');
  const problem = page.getByRole('button', { name: /^line 14 STE type A-Bank is defined twice$/ });
  await expect(problem).toBeVisible();
  await problem.click();
  await expect(editor.locator('.squiggly-error')).toHaveCount(1);
  await page.getByRole('tab', { name: /^Binary/ }).click();
  await expect(page.getByText('A policy with errors is not compiled.')).toBeVisible();

  await page.getByRole('textbox', { name: 'Policy text' }).focus();
  // The editor undoes what was typed in pieces; it ends at the text that was opened.
  for (let i = 0; i < 20; i++) await page.keyboard.press('ControlOrMeta+z');
  await expect(page.getByText('no errors')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeDisabled();
  await page.getByRole('tab', { name: /^Assertions/ }).click();
  await page.getByRole('textbox', { name: /^Assertions/ }).fill('A-Bank may not run with B-Bank');
  await expect(page.getByText('1 of 1 hold')).toBeVisible();

  await test.step('an exported file carries policy and assertions', async () => {
    const [kept] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export' }).click(),
    ]);
    expect(kept.suggestedFilename()).toBe('mytest-security_policy.xml');
    const content = await readFile(await kept.path(), 'utf8');
    expect(content).toContain('<PolicyName>mytest</PolicyName>');
    expect(content).toContain('A-Bank may not run with B-Bank');
  });

  await test.step('so does a link', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Share link' }).click();
    await expect(page.getByText(/^The link is in the clipboard/)).toBeVisible();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const other = await page.context().newPage();
    await other.goto(link);
    await expect(other.getByTestId('policy-editor').locator('.view-lines')).toContainText('PolicyHeader');
    await other.getByRole('tab', { name: /^Assertions/ }).click();
    await expect(other.getByRole('textbox', { name: /^Assertions/ })).toHaveValue('A-Bank may not run with B-Bank');
    expect(new URL(other.url()).hash).toBe('');
  });
});

test('every pair of a policy with 200 labels can be reached, and the keys keep up', async ({ lab, page }) => {
  await lab.console('Domain-0').waitForPrompt();
  await lab.show('Policy');
  await page.getByLabel('Open a policy file of this computer').setInputFiles({
    name: 'large-security_policy.xml',
    mimeType: 'text/xml',
    buffer: Buffer.from(largePolicy(200)),
  });
  const grid = page.getByRole('grid', { name: /^Labels against labels/ });
  // And the label of what has none.
  await expect(grid).toHaveAttribute('aria-rowcount', '202');
  // Of 40 000 pairs those in view are in the page.
  expect(await grid.getByRole('gridcell').count()).toBeLessThan(2000);
  await grid.getByRole('gridcell').first().click();
  await page.keyboard.press('Control+End');
  const focused = page.locator(':focus');
  await expect(focused).toHaveAttribute('aria-label', 'w199 – w199: may share');
  await expect(focused).toBeInViewport({ ratio: 1 });
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('rowheader', { name: 'w199' }).and(focused)).toBeInViewport({ ratio: 1 });
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('PageDown');
  const started = Date.now();
  for (let i = 0; i < 50; i++) await page.keyboard.press(i % 2 ? 'ArrowDown' : 'ArrowRight');
  // A press is drawn before the next is taken.
  expect(Date.now() - started).toBeLessThan(10_000);
  await expect(focused).toBeInViewport({ ratio: 1 });
  await page.mouse.wheel(0, 3000);
  await expect(focused).toHaveCount(1);
  expect(await lab.accessibilityViolations()).toEqual([]);
});

function largePolicy(count: number): string {
  const names = Array.from({ length: count }, (_, i) => `w${String(i).padStart(3, '0')}`);
  const types = (list: readonly string[]) => list.map((name) => `<Type>${name}</Type>`).join('');
  const label = (name: string) =>
    `<VirtualMachineLabel><Name>${name}</Name><SimpleTypeEnforcementTypes><Type>${name}</Type></SimpleTypeEnforcementTypes></VirtualMachineLabel>`;
  return `<SecurityPolicyDefinition xmlns="http://www.ibm.com">
<PolicyHeader><PolicyName>large</PolicyName><Version>1.0</Version></PolicyHeader>
<SimpleTypeEnforcement><SimpleTypeEnforcementTypes>${types(names)}</SimpleTypeEnforcementTypes></SimpleTypeEnforcement>
<ChineseWall><ChineseWallTypes>${types(names)}</ChineseWallTypes></ChineseWall>
<SecurityLabelTemplate><SubjectLabels bootstrap="w000">${names.map(label).join('\n')}</SubjectLabels></SecurityLabelTemplate>
</SecurityPolicyDefinition>`;
}
