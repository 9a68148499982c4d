/** A volume that one tab exports: a guest has its root on it, moves between the tabs, and what it wrote outlives a reload. */
import { anotherTab, expect, type TerminalPane, test } from './lab';

/** Every number that the guest's counter has shown. */
const counted = async (pane: TerminalPane) =>
  [...(await pane.text()).matchAll(/n=(\d+)$/gm)].map((match) => Number(match[1]));

test('a guest with its root on a shared volume moves between two tabs', async ({ lab, context }) => {
  test.setTimeout(240_000);
  const one = lab.console('Domain-0');
  await one.waitForPrompt();
  const other = await anotherTab(context);
  const two = other.console('Domain-0');

  await test.step('one tab exports it, and a guest boots from it', async () => {
    expect(await one.run('service nbd-server start')).toContain('Starting nbd-server: done.');
    expect(await one.run('xm create -q /etc/xen/san')).toBe('');
    const console = await lab.openConsole('san');
    await console.login();
    await console.type('(i=0; while :; do i=$((i+1)); echo $i >> /root/count; sync; echo n=$i; sleep 0.2; done) &');
    await console.waitFor('n=5');
    await lab.show('Terminal');
  });

  await test.step('the other tab may not write to it meanwhile', async () => {
    expect(await two.run('xm create -q /etc/xen/san name=second')).toContain(
      'is mounted in a guest domain on 192.0.2.11,',
    );
  });

  await test.step('the guest goes over live and comes back, writing', async () => {
    expect(await one.run('xm migrate --live san host2', 60_000)).toBe('');
    await expect(other.domainRow('san')).toContainText('64 MiB');
    const there = await other.openConsole('san');
    await expect.poll(async () => (await counted(there)).length, { timeout: 30_000 }).toBeGreaterThan(3);
    const numbers = await counted(there);
    expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
    await other.show('Terminal');
    expect(await two.run('xm migrate --live san host1', 60_000)).toBe('');
    await expect(lab.domainRow('san')).toContainText('64 MiB');
  });

  await test.step('what it wrote is in the stored disks of the tab that exports', async () => {
    await one.run('xm shutdown -w san', 60_000);
    await one.run('service nbd-server stop; sync');
    await lab.disksAreSaved();
    await lab.reload();
    await one.waitForPrompt();
    const written = (await one.run('mount -o ro /dev/hda2 /mnt; cat /mnt/root/count; umount /mnt'))
      .split('\n')
      .map(Number);
    expect(written.length).toBeGreaterThan(8);
    expect(written).toEqual(written.map((_, i) => i + 1));
  });
});
