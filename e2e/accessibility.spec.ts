/** No violations of level serious or critical, in both colour schemes, with every pane open. */
import { expect, test } from './lab';

for (const colorScheme of ['dark', 'light'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test(`every pane is accessible in ${colorScheme} colours`, async ({ lab, page }) => {
      await lab.console('Domain-0').waitForPrompt();
      expect(await lab.accessibilityViolations()).toEqual([]);
      await lab.openShell();
      await lab.shell().waitForPrompt();
      await lab.openFile('/etc/xen/xmexample1');
      expect(await lab.accessibilityViolations()).toEqual([]);
      await lab.show('Migration');
      await expect(page.getByRole('combobox', { name: 'Latency' })).toBeVisible();
      expect(await lab.accessibilityViolations()).toEqual([]);
      // The panes that came last would share the room.
      await lab.closePane('Migration');
      await lab.show('Policy');
      await page.getByRole('combobox', { name: 'Policy' }).selectOption('mytest');
      await page.getByRole('gridcell', { name: /^A-Bank – B-Bank/ }).click();
      expect(await lab.accessibilityViolations()).toEqual([]);
      await page.getByRole('tab', { name: /^What if/ }).click();
      expect(await lab.accessibilityViolations()).toEqual([]);
      await lab.show('Terminal');
      await lab.console('Domain-0').type('xensec_gen; xensec_ezpolicy');
      await expect(page.getByRole('button', { name: 'New Org' })).toBeVisible();
      expect(await lab.accessibilityViolations()).toEqual([]);
      await page.keyboard.press('Alt+f');
      expect(await lab.accessibilityViolations()).toEqual([]);
      await page.keyboard.press('Escape');
      await lab.showTab('xensec_gen');
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      expect(await lab.accessibilityViolations()).toEqual([]);
      await page.keyboard.press('F1');
      await expect(page.getByRole('combobox', { name: 'Filter commands' })).toBeFocused();
      expect(await lab.accessibilityViolations()).toEqual([]);
    });
  });
}
