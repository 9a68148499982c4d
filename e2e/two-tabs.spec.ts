/** One tab owns a machine; a tab opened beside it is a machine of its own. */
import { expect, Lab, test } from './lab';

test('a second tab is a second machine with disks of its own', async ({ lab, context }) => {
  const first = lab.console('Domain-0');
  await first.waitForPrompt();
  await first.run('echo first >/root/who; sync; sleep 1');
  await lab.disksAreSaved();

  const other = new Lab(await context.newPage());
  await other.open();
  const second = other.console('Domain-0');
  await second.waitForPrompt();
  expect(await second.run('hostname')).toBe('host2');
  expect(await second.run('cat /root/who')).toContain('No such file or directory');
  await other.page.close();

  await lab.reload();
  await first.waitForPrompt();
  expect(await first.run('hostname; cat /root/who')).toBe('host1\nfirst');
});
