/** The main job: from switching the machine on to guests that come and go, in one session of one operator. */
import { expect, test } from './lab';

test('the first guest boots in the browser', async ({ lab, page }) => {
  test.setTimeout(150_000);
  const dom0 = lab.console('Domain-0');

  await test.step('the machine shows GRUB, Xen, Linux and a root prompt, in that order', async () => {
    await dom0.waitForPrompt();
    const text = await dom0.text();
    const places = ['GRUB', '(XEN) Xen version 3.4', 'Linux version 2.6.18', '[root@host1 ~]#'].map((part) =>
      text.indexOf(part),
    );
    expect(places.every((place) => place >= 0)).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    await expect(lab.domainRow('Domain-0')).toContainText('running');
  });

  await test.step('the operator looks around', async () => {
    expect(await dom0.run('xm list')).toMatch(
      /^Name +ID +Mem VCPUs +State +Time\(s\)\nDomain-0 +0 +\d+ +2 +r----- +\d/,
    );
    expect(await dom0.run('xm info')).toMatch(/xen_major +: 3[\s\S]*xen_minor +: 4/);
    expect(await dom0.run('xm dmesg | tail -n 3')).toContain('(XEN)');
    expect(await dom0.run('xend status; echo $?')).toBe('0');
    expect(await dom0.run('cat /etc/xen/xmexample1')).toContain('kernel = "/boot/vmlinuz-2.6.18-xenU"');
    const listing = await dom0.run('ls /etc/xen /boot /var/log/xen');
    for (const name of ['xmexample1', 'xmexample2', 'vmlinuz-2.6.18-xenU', 'xen.gz', 'xend.log'])
      expect(listing).toContain(name);
  });

  await test.step('the editor knows domain configurations', async () => {
    const editor = await lab.openFile('/etc/xen/xmexample1');
    await expect(editor).toContainText('kernel');
    expect(await lab.tokenColours()).toBeGreaterThan(2);
    await expect(lab.problems()).toHaveText('no problems');

    await lab.replaceText(`${MINE}vcpus = 2 +\n`);
    await expect(lab.problems()).toHaveText(/\d+ problems?/);
    await lab.hoverError();
    await expect(lab.hover()).toContainText(/syntax|expected|expression|value/i);

    await lab.replaceText(`${MINE}vcpus = "many"\n`);
    await expect(lab.problems()).toHaveText(/\d+ problems?/);

    await lab.replaceText(MINE);
    await expect(lab.problems()).toHaveText('no problems');
    await page.keyboard.press('ControlOrMeta+End');
    await page.keyboard.type('on_cra');
    await expect(lab.suggestion('on_crash')).toBeVisible();
    await page.keyboard.press('Escape');
    await lab.hoverWord('memory');
    await expect(lab.hover()).toContainText('MiB');
    await expect(lab.hover().locator('.hover-row')).toHaveCount(1);
  });

  await test.step('what is saved is in Domain-0, and what the shell changes is in the editor', async () => {
    await lab.replaceText(MINE);
    await lab.save();
    await lab.show('Terminal');
    expect(await dom0.run('cat /etc/xen/xmexample1')).toBe(MINE.trimEnd());
    await dom0.run("echo 'vcpus = 2' >>/etc/xen/xmexample1");
    await lab.show('Editor');
    await expect(lab.editor()).toContainText('vcpus');
    await lab.replaceText(EXAMPLE);
    await lab.save();
    await lab.show('Terminal');
  });

  await test.step('xm create -c attaches the console of a new guest', async () => {
    await dom0.type('xm create -c xmexample1');
    await dom0.waitFor('Started domain ExampleDomain (id=1)');
    await dom0.waitFor(/Linux version 2\.6\.18[\s\S]*login: ?$/);
    await dom0.type('root');
    await dom0.waitForPrompt();
    expect(await dom0.run('ls /proc')).toContain('cpuinfo');
    expect(await dom0.run('cat /proc/cpuinfo')).toMatch(/^processor\s*: 0/);
    expect(await dom0.run('mount')).toMatch(/ on \/ type ext[23]/);
    expect(await dom0.run('echo hi >/root/f; cat /root/f')).toBe('hi');
    expect(await dom0.run('ping -c2 192.0.2.11')).toContain('2 packets transmitted, 2 received, 0% packet loss');
    await dom0.press('Control+]');
    await dom0.waitFor(/\[root@host1 ~\]# ?$/);
    expect(await dom0.run('hostname')).toBe('host1');
    await expect(lab.domainRow('ExampleDomain')).toContainText('64 MiB');
  });

  await test.step('a second pane shows the same console', async () => {
    const console = await lab.openConsole('ExampleDomain');
    await console.waitFor('echo hi >/root/f');
    await expect(page.getByRole('textbox', { name: 'Console of ExampleDomain' })).toBeFocused();
    await page.keyboard.press('Enter');
    await console.waitForPrompt();
    expect(await console.run('cat /root/f')).toBe('hi');
    await lab.closePane('ExampleDomain');
    await lab.show('Terminal');
  });

  await test.step('configurations are programs, and need no file', async () => {
    await dom0.run('xm create xmexample2 vmid=1');
    await dom0.run('xm create xmexample2 vmid=2');
    expect(
      await dom0.run(
        "xm create /dev/null kernel=/boot/vmlinuz-2.6.18-xenU name=ramdisk vif='' vcpus=1 memory=64 root=/dev/ram0",
      ),
    ).toContain('Started domain ramdisk');
    const list = await dom0.run('xm list');
    for (const name of ['ExampleDomain', 'VM1', 'VM2', 'ramdisk']) {
      expect(list).toMatch(new RegExp(`^${name} +\\d+ +64 +[14] `, 'm'));
      await expect(lab.domainRow(name)).toBeVisible();
    }
    await page.screenshot({ path: 'docs/screenshot.png' });
  });

  await test.step('pause, unpause, shutdown, reboot and destroy are seen everywhere', async () => {
    await dom0.run('xm pause VM1');
    expect(await dom0.run('xm list VM1')).toMatch(/^VM1 .* -[b-]p--- /m);
    await expect(lab.domainRow('VM1')).toContainText('paused');
    await dom0.run('xm unpause VM1');
    await expect(lab.domainRow('VM1')).not.toContainText('paused');
    expect(await dom0.run('xm list VM1')).toMatch(/^VM1 .* [r-][b-]---- /m);

    expect(await dom0.run('xm shutdown -w ramdisk')).toContain('Domain ramdisk terminated');
    await expect(lab.domainRow('ramdisk')).toHaveCount(0);

    // xend does not restart a domain that has run for less than a minute.
    await lab.setSpeed('Max');
    await dom0.run('sleep 60');
    await lab.setSpeed('×1');
    const before = await lab.domidOf('VM1');
    const console = await lab.openConsole('VM1');
    await console.waitFor(/login: ?$/);
    await lab.show('Terminal');
    await dom0.run('xm reboot VM1');
    await expect.poll(() => lab.domidOf('VM1')).toBeGreaterThan(before);
    const after = await lab.domidOf('VM1');
    await expect.poll(() => lab.tabs()).toContain(`VM1 (${after})`);
    await lab.showTab(`VM1 (${after})`);
    await console.waitFor(new RegExp(`VM1 is back with id ${after}[\\s\\S]*login: ?$`));
    await console.type('root');
    await console.waitForPrompt();
    await lab.closePane('VM1');
    await lab.show('Terminal');

    await dom0.run('xm destroy VM2');
    await expect(lab.domainRow('VM2')).toHaveCount(0);
    expect(await dom0.run('xm list VM2; echo $?')).toMatch(/3$/);

    await lab.domainButton('VM1', 'Destroy').click();
    await expect(lab.domainRow('VM1')).toHaveCount(0);
    const log = await dom0.run('grep -c XendDomainInfo /var/log/xen/xend.log');
    expect(Number(log)).toBeGreaterThan(5);
    expect(await dom0.run('grep -i -E "paus|shutdown|reboot|destroy" /var/log/xen/xend.log')).not.toBe('');
  });

  await test.step('a reload boots the machine again with its files', async () => {
    expect(await dom0.run('xm new -q xmexample1 name=Before')).toBe('');
    await dom0.run('echo kept >/root/kept; sync; sleep 1');
    await lab.disksAreSaved();
    await lab.reload();
    await dom0.waitForPrompt();
    expect(await dom0.text()).toContain('GRUB');
    expect(await dom0.run('cat /root/kept')).toBe('kept');
    expect(await dom0.run('xm new -q xmexample1 name=After; xm list')).toMatch(/^After +-1 .*\nBefore +-1 /m);
  });
});

const MINE = 'kernel = "/boot/vmlinuz-2.6.18-xenU"\nname = "Mine"\nmemory = 64\n';

/** What xmexample1 says, without its comments. */
const EXAMPLE = `kernel = "/boot/vmlinuz-2.6.18-xenU"
memory = 64
name = "ExampleDomain"
vif = [ '' ]
disk = [ 'phy:hda1,hda1,w' ]
root = "/dev/hda1 ro"
extra = "4"
`;
