/** Two tabs are two hosts on one network: what one of them runs can go on in the other. */
import { anotherTab, expect, type Lab, type TerminalPane, test } from './lab';

const CREATE =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';
const CREATE_LINUX = `sed "/^disk/d; s/^root.*/root = '\\/dev\\/ram0'/" /etc/xen/linux > /etc/xen/moving; xm create -q /etc/xen/moving name=linux memory=48`;

/** There and back. */
const TURNS = 5;
/** 64 KiB each, with a number before it: what comes twice, late or not at all changes the sum. */
const PARTS = 40;
const SENDER = `i=0; while [ $i -lt ${PARTS} ]; do i=$((i+1)); echo part $i; cat /tmp/piece; sleep $1; done`;

/** What the pane says when the domain has moved, wherever on a line the guest was. */
const moved = /\n\[The domain [^\]]*\]\n/g;

/** Every number that the guest's counter has shown, on whichever host it was. */
async function counted(pane: TerminalPane): Promise<readonly number[]> {
  const text = (await pane.text()).replace(moved, '');
  return [...text.matchAll(/n=(\d+)$/gm)].map((match) => Number(match[1]));
}

interface Guest {
  readonly name: string;
  readonly port: number;
  /** `xm migrate`'s options in each turn. */
  options(turn: number): string;
}

/** A guest at its prompt goes there and back; its counter and its connection to host1 go on. */
async function goesThereAndBack(lab: Lab, other: Lab, guest: Guest): Promise<void> {
  const { name, port, options } = guest;
  const one = lab.console('Domain-0');
  const two = other.console('Domain-0');
  const console = lab.console(name);
  const show = () => lab.page.getByRole('tab', { name: new RegExp(`^${name} \\(`) }).click();

  await console.run(`echo '${SENDER}' > /tmp/sender; dd if=/dev/urandom of=/tmp/piece bs=64k count=1 2>/dev/null`);
  const sum = /[0-9a-f]{32}/.exec(await console.run('sh /tmp/sender 0 | md5sum'))![0];
  await lab.show('Terminal');
  // nc says that it has nothing more to send when its own input ends.
  await one.run(`rm -f /root/got; sleep 600 | nc -l -p ${port} | md5sum > /root/got &`);
  await show();
  await console.type(`sh /tmp/sender 0.3 </dev/null | nc 192.0.2.11 ${port} &`);
  await console.waitForPrompt();
  await console.type('(i=0; while :; do i=$((i+1)); echo n=$i; sleep 0.1; done) &');
  await console.waitFor('n=5');

  for (let turn = 0; turn < TURNS; turn++) {
    await lab.show('Terminal');
    expect(await one.run(`xm migrate ${options(turn)} ${name} host2`)).toBe('');
    await expect(lab.domainRow(name)).toHaveCount(0);
    await expect(other.domainRow(name)).toHaveCount(1);
    if (turn === 0) {
      expect(await one.run('wc -c < /root/got')).toMatch(/^\s*0$/);
      await show();
      await console.waitFor('The domain runs on host2 now');
      const before = (await counted(console)).length;
      await expect.poll(async () => (await counted(console)).length).toBeGreaterThan(before + 3);
      await console.type('echo sum=$((40+2))');
      await console.waitFor(/sum=42$/m);
    }
    expect(await two.run(`xm migrate ${options(turn)} ${name} host1`)).toBe('');
    await expect(other.domainRow(name)).toHaveCount(0);
    await expect(lab.domainRow(name)).toHaveCount(1);
  }

  await lab.show('Terminal');
  expect(await one.run('until [ -s /root/got ]; do sleep 0.5; done; cat /root/got')).toContain(sum);
  await show();
  await expect.poll(async () => [...(await console.text()).matchAll(moved)].length).toBe(2 * TURNS);
  const last = (await counted(console)).at(-1)!;
  await expect.poll(async () => (await counted(console)).at(-1)).toBeGreaterThan(last + 3);
  const numbers = await counted(console);
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
}

test('guests move between two tabs', async ({ lab, context }) => {
  test.setTimeout(240_000);
  const one = lab.console('Domain-0');
  await one.waitForPrompt();
  const other = await anotherTab(context);
  const two = other.console('Domain-0');

  await test.step('the hosts see each other', async () => {
    expect(await two.run('hostname')).toBe('host2');
    expect(await two.run('ping -c 2 host1')).toContain('2 received, 0% packet loss');
    expect(await one.run('ping -c 2 host2')).toContain('2 received, 0% packet loss');
  });

  await test.step('a guest goes there and back five times; nothing of its work is lost or done twice', async () => {
    await one.run(CREATE);
    const console = await lab.openConsole('guest');
    await console.waitFor(/login: ?$/);
    await console.type('root');
    await goesThereAndBack(lab, other, { name: 'guest', port: 5001, options: (turn) => (turn === 2 ? '' : '--live') });
    expect(await two.run('ping -c 2 192.0.2.90')).toContain('2 received, 0% packet loss');
  });

  await test.step('so does an unmodified Linux guest', async () => {
    await lab.show('Terminal');
    await one.run(CREATE_LINUX);
    const console = await lab.openConsole('linux');
    await console.waitFor(/linux:\S*# ?$/);
    await console.run('until ip addr show eth0 | grep -q "inet "; do sleep 1; done');
    await goesThereAndBack(lab, other, { name: 'linux', port: 5002, options: () => '--live' });
  });

  await test.step('a tab that is closed is a machine that is off', async () => {
    await lab.show('Terminal');
    expect(await one.run('xm migrate --live guest host2')).toBe('');
    await lab.page.getByRole('tab', { name: 'guest (on host2)' }).click();
    await other.page.close();
    await lab.console('guest').waitFor('[host2, where the domain was, is switched off.]');
    await lab.show('Terminal');
    // xend waits long for an answer.
    await lab.setSpeed('×10');
    await one.type('xm migrate linux host2');
    await one.waitFor("can't connect: ", 60_000);
    await lab.setSpeed('×1');
    await expect(lab.domainRow('linux')).toContainText('48 MiB');
  });
});
