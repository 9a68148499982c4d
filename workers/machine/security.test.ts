import { afterEach, describe, expect, it } from 'vitest';
import { type BootedHost, bootedHost } from '../platform/node/testing';

let machine: BootedHost;
afterEach(() => {
  expect(machine.bugs).toEqual([]);
  machine.close();
});

const output = async (command: string) => (await machine.exec(command)).output;

const reboot = () => machine.exec('reboot');

const MAKE = 'cd /usr/src/xen && make world | tail -1 && make install | tail -1';
const disable = (option: string) => `sed -i 's/^${option} ?= y/${option} ?= n/' /usr/src/xen/Config.mk`;
const enable = (option: string) => `sed -i 's/^${option} ?= n/${option} ?= y/' /usr/src/xen/Config.mk`;

describe('a machine', () => {
  it('enforces a policy after Xen was built with it, and only then; policy and labels outlast a reboot', async () => {
    machine = await bootedHost();
    expect(
      await output('cd /usr/src/xen; echo XSM_ENABLE y >>Config.mk; make world; sed -i "/ENABLE y/d" Config.mk'),
    ).toMatch(/^Config.mk:\d+: \*\*\* missing separator. {2}Stop.\n$/);
    await output(`${enable('XSM_ENABLE')}; ${MAKE}`);
    await reboot();
    expect(await output('xm dmesg')).not.toContain('ACM-XSM');
    expect(await output('xm list --label | tail -1')).toContain('INACTIVE');

    // The other line alone is not enough either.
    await output(`${disable('XSM_ENABLE')}; ${enable('ACM_SECURITY')}; ${MAKE}`);
    await reboot();
    expect(await output('xm dmesg')).not.toContain('ACM-XSM');

    await output(`${enable('XSM_ENABLE')}; ${MAKE}`);
    // What runs is what was booted, not what lies on the disk.
    expect(await output('xm list --label | tail -1')).toContain('INACTIVE');
    await reboot();
    expect(await output('xm dmesg')).toContain('ACM-XSM:  Initializing.');
    expect(await output('xm list --label | tail -1')).toContain('ACM:DEFAULT:SystemManagement');

    await output('xm setpolicy ACM mytest; xm addlabel A-Bank mgt Domain-0; xm new /root/domain1.xm');
    await output('xm addlabel A-Bank mgt domain1; xm addlabel A-Bank res phy:sda7');
    await reboot();
    const list = await output('xm list --label');
    expect(list).toMatch(/Domain-0.*ACM:mytest:A-Bank\n/);
    expect(list).toMatch(/domain1 +-1 .*ACM:mytest:A-Bank\n/);
    expect(await output('xm getlabel res phy:sda7')).toBe('ACM:mytest:A-Bank\n');

    // The file of the policy is not the one that the hypervisor has: xend goes back to what is safe.
    await output(
      'sed -i s/AutoCorp/AutoCorps/ /var/lib/xend/security/policies/mytest-security_policy.xml; service xend restart',
    );
    expect(await output('xm getpolicy')).toContain('DEFAULT');

    // And off again: labels are kept and in the way of nobody but labelled disks, until they are removed.
    await output(`${disable('ACM_SECURITY')}; ${MAKE}`);
    await reboot();
    expect(await output('xm list --label')).toMatch(/domain1 +-1 .*INACTIVE\n/);
    expect(await output('xm getlabel res phy:sda7')).toBe('ACM:mytest:A-Bank\n');
    const create = 'xm create /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=32 name=x disk=phy:sda7,xvda,w';
    expect(await output(create)).toContain(`Error: "Security is off, but 'phy:sda7' is labeled"`);
    expect(await output(`xm rmlabel res phy:sda7; ${create}`)).toContain('Started domain x');
  });

  it('can be given its policy by hand, as the manual says when setpolicy fails', async () => {
    machine = await bootedHost({ acm: true });
    await output('xm makepolicy mytest; cp /etc/xen/acm-security/policies/mytest.bin /boot/mytest.bin');
    await output('printf "\\tmodule /boot/mytest.bin\\n" >>/boot/grub/menu.lst');
    await reboot();
    expect(await output('xm dmesg')).toContain('acm_set_policy_reference: Activating policy mytest');
    expect(await output('xm list --label | tail -1')).toContain('ACM:mytest:SystemManagement');
    expect(await output('xm getpolicy')).toContain('loaded, activated for boot');
  });

  it.each([
    ['is cut', 'head -c 100 /boot/mytest.bin >/t; mv /t /boot/mytest.bin', 'Invalid policy.'],
    [
      'has another name than the boot line says',
      'sed -i s/ssidref=0x00010001:ACM:mytest:/ssidref=0x00010001:ACM:other:/ /boot/grub/menu.lst',
      "Policy's name 'mytest' is not the expected one 'other'.",
    ],
    [
      'has no row for the label of Domain-0',
      'sed -i s/ssidref=0x00010001/ssidref=0x00400040/ /boot/grub/menu.lst',
      'Invalid policy.',
    ],
  ])('starts with DEFAULT when the policy %s', async (_what, harm, message) => {
    machine = await bootedHost({ acm: true });
    await output(`xm setpolicy ACM mytest; ${harm}`);
    await reboot();
    expect(await output('xm dmesg')).toContain(message);
    expect(await output('xm list --label | tail -1')).toContain('ACM:DEFAULT:SystemManagement');
  });

  it('starts what the older commands have put into the boot entry', async () => {
    machine = await bootedHost({ acm: true });
    await output('xm makepolicy example.chwall_ste.test-wld; xm cfgbootpolicy example.chwall_ste.test-wld');
    await reboot();
    expect(await output('xm list --label | tail -1')).toContain('ACM:example.chwall_ste.test-wld:SystemManagement');
  });
});
