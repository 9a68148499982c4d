/** The flagship in the browser: an unmodified Linux kernel as a guest, fetched on first use and kept for later. */
import { expect, test } from './lab';

const SHELL = /linux:\S*# ?$/;

test('an unmodified Linux kernel runs as a guest in the browser', async ({ lab, page, context }) => {
  test.setTimeout(180_000);
  const dom0 = lab.console('Domain-0');
  await dom0.waitForPrompt();

  await test.step('its files arrive with a bar that shows how far they are', async () => {
    const bars: string[] = [];
    await page.exposeFunction('barSeen', (label: string) => bars.push(label));
    await page.evaluate(() => {
      new MutationObserver(() => {
        for (const bar of document.querySelectorAll('label.download'))
          (window as unknown as { barSeen(label: string): void }).barSeen(bar.textContent ?? '');
      }).observe(document.body, { childList: true, subtree: true });
    });
    // Slow enough that there is something to see.
    await context.route('**/guests/vmlinuz*', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await route.continue();
    });
    await dom0.type('xm create -c /etc/xen/linux');
    await dom0.waitFor('Started domain linux');
    await dom0.waitFor(SHELL);
    await expect(page.locator('label.download')).toHaveCount(0);
    expect(bars.join('\n')).toMatch(/Fetching (x86 emulator|vmlinuz|initrd|linux\.img)/);
  });

  await test.step('it sees Xen, and its devices are those of Domain-0', async () => {
    await dom0.type('cat /sys/hypervisor/type; ls /sys/bus/xen/devices; dmesg | grep "Hypervisor detected"');
    await dom0.waitFor(/xen\s+vbd-51712\s+vif-0[\s\S]*Hypervisor detected: Xen HVM[\s\S]*linux:\S*# ?$/);
    await dom0.type('until ip addr show eth0 | grep -q "inet "; do sleep 1; done; ping -c 2 192.0.2.1');
    await dom0.waitFor('2 packets received, 0% packet loss');
    await dom0.type('echo kept > /root/f; sync');
    await dom0.waitFor(SHELL);
  });

  await test.step('it is suspended into a file and goes on from there', async () => {
    await dom0.press('Control+]');
    await dom0.waitFor(/\[root@host1 ~\]# ?$/);
    await expect(lab.domainRow('linux')).toContainText('32 MiB');
    await dom0.run('xm save linux /root/linux.chk');
    await expect(lab.domainRow('linux')).toHaveCount(0);
    await dom0.run('xm restore /root/linux.chk');
    await expect(lab.domainRow('linux')).toContainText('32 MiB');
    const console = await lab.openConsole('linux');
    await page.keyboard.press('Enter');
    await console.waitFor(SHELL);
    await console.type('cat /root/f');
    await console.waitFor(/kept\s+linux:\S*# ?$/);
    await lab.closePane('linux');
    await lab.show('Terminal');
    await dom0.run('xm shutdown -w linux');
  });

  await test.step('without a network it starts from what the browser has kept', async () => {
    await lab.setSpeed('×1');
    await dom0.run('rm /root/linux.chk; sync; sleep 1');
    await lab.disksAreSaved();
    await context.route('**/guests/vmlinuz*', (route) => route.abort());
    await context.route('**/*.wasm', (route) => route.abort());
    await lab.reload();
    await dom0.waitForPrompt();
    await dom0.type('xm create -c /etc/xen/linux');
    await dom0.waitFor('Started domain linux');
    await dom0.waitFor(SHELL);
    await dom0.type('cat /root/f');
    await dom0.waitFor(/kept\s+linux:\S*# ?$/);
  });
});
