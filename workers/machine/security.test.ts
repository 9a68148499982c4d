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

    await output(`${enable('ACM_SECURITY')}; ${MAKE}`);
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
  });

  it('starts what the older commands have put into the boot entry', async () => {
    machine = await bootedHost({ acm: true });
    await output('xm makepolicy example.chwall_ste.test-wld; xm cfgbootpolicy example.chwall_ste.test-wld');
    await reboot();
    expect(await output('xm list --label | tail -1')).toContain('ACM:example.chwall_ste.test-wld:SystemManagement');
  });
});
