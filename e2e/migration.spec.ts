/** Two tabs are two hosts on one network: what one of them runs can go on in the other. */
import { expect, Lab, type TerminalPane, test } from './lab';

const CREATE =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';

/** Every number that the guest's counter has shown. */
const counted = async (pane: TerminalPane) =>
  [...(await pane.text()).matchAll(/n=(\d+)$/gm)].map((match) => Number(match[1]));

test('guests move between two tabs', async ({ lab, context }) => {
  test.setTimeout(240_000);
  const one = lab.console('Domain-0');
  await one.waitForPrompt();
  const other = new Lab(await context.newPage());
  await other.open();
  const two = other.console('Domain-0');
  await two.waitForPrompt();

  await test.step('the hosts see each other', async () => {
    expect(await two.run('hostname')).toBe('host2');
    expect(await two.run('ping -c 2 host1')).toContain('2 received, 0% packet loss');
    expect(await one.run('ping -c 2 host2')).toContain('2 received, 0% packet loss');
  });

  await test.step('a guest goes over live and comes back, and its counter goes on', async () => {
    await one.run(CREATE);
    const console = await lab.openConsole('guest');
    await console.waitFor(/login: ?$/);
    await console.type('root');
    await console.waitForPrompt();
    await console.type('(i=0; while :; do i=$((i+1)); echo n=$i; sleep 0.2; done) &');
    await console.waitFor('n=5');
    await lab.show('Terminal');
    expect(await two.run('ping -c 2 192.0.2.90')).toContain('2 received, 0% packet loss');
    expect(await one.run('xm migrate --live guest host2')).toBe('');
    await expect(lab.domainRow('guest')).toHaveCount(0);
    await expect(other.domainRow('guest')).toContainText('64 MiB');
    const there = await other.openConsole('guest');
    await expect.poll(async () => (await counted(there)).length).toBeGreaterThan(3);
    const numbers = await counted(there);
    expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
    expect(numbers[0]).toBeGreaterThan(5);
    await other.show('Terminal');
    expect(await one.run('ping -c 2 192.0.2.90')).toContain('2 received, 0% packet loss');
    expect(await two.run('xm migrate guest host1')).toBe('');
    await expect(other.domainRow('guest')).toHaveCount(0);
    await expect(lab.domainRow('guest')).toContainText('64 MiB');
    await one.run('xm destroy guest');
  });

  await test.step('so does an unmodified Linux guest', async () => {
    await one.run(
      `sed "/^disk/d; s/^root.*/root = '\\/dev\\/ram0'/" /etc/xen/linux > /etc/xen/moving; xm create -q /etc/xen/moving name=linux memory=48`,
    );
    await expect(lab.domainRow('linux')).toContainText('48 MiB');
    const console = await lab.openConsole('linux');
    await console.waitFor(/linux:\S*# ?$/);
    await console.type('(i=0; while :; do i=$((i+1)); echo n=$i; sleep 0.2; done) &');
    await console.waitFor('n=5');
    await lab.show('Terminal');
    expect(await one.run('xm migrate --live linux host2')).toBe('');
    const there = await other.openConsole('linux');
    await expect.poll(async () => (await counted(there)).length).toBeGreaterThan(3);
    const numbers = await counted(there);
    expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
    await other.show('Terminal');
    expect(await two.run('xm migrate --live linux host1')).toBe('');
    await expect(lab.domainRow('linux')).toContainText('48 MiB');
  });

  await test.step('a tab that is closed is a machine that is off', async () => {
    await other.page.close();
    await one.type('xm migrate linux host2');
    // As long as xend waits for an answer.
    await one.waitFor("can't connect: ", 60_000);
    await expect(lab.domainRow('linux')).toContainText('48 MiB');
  });
});
