import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootedHost, bootedHost } from '../platform/node/testing';

let machine: BootedHost;
beforeAll(async () => {
  machine = await bootedHost({ acm: true });
});
afterAll(() => {
  expect(machine.bugs).toEqual([]);
  machine.close();
});

const output = async (command: string) => (await machine.exec(command)).output;

/** Everything that a change of policy or labels touches: the hypervisor, xend, the store, files. */
const everything = () =>
  output(`xm getpolicy; xm dumppolicy; xm list --label | awk '{ print $1, $2, $NF }'; xm resources
    md5sum /boot/grub/* $(find /boot /etc/xen/acm-security /var/lib/xend -type f)
    for vm in $(xenstore-list /vm); do xenstore-read /vm/$vm/security_label; done 2>/dev/null`);

/** While `obstacle` lasts, `command` fails in these words and changes nothing. */
async function failsCleanly(obstacle: string, command: string, message: RegExp, remedy: string): Promise<void> {
  const before = await everything();
  await output(obstacle);
  const { status, output: text } = await machine.exec(command);
  await output(remedy);
  expect(text).toMatch(message);
  expect(status).toBe(1);
  expect(await everything()).toBe(before);
}

const READ_ONLY = 'sync; mount -o remount,ro /';
const WRITABLE = 'mount -o remount,rw /';
const NOT_SET = "Error: 'An error occurred trying to set the policy: A file access error occurred\\.'\n";

describe('when a file cannot be written nothing changes', () => {
  it('for a first policy', async () => {
    await output('xm new /root/domain4.xm');
    await failsCleanly(
      READ_ONLY,
      'xm setpolicy ACM mytest',
      new RegExp(`^${NOT_SET}  /var/lib/xend/.*: Read-only file system\n$`),
      WRITABLE,
    );
    await failsCleanly(
      'mkdir /boot/mytest.bin',
      'xm setpolicy ACM mytest',
      new RegExp(`^${NOT_SET}  /boot/mytest.bin: Is a directory\n$`),
      'rmdir /boot/mytest.bin',
    );
  });

  it('on a full disk', async () => {
    const policies = '/var/lib/xend/security/policies';
    await output(`dd if=/dev/zero of=/img bs=1k count=64; mke2fs -q -F /img; mkdir /s; cp -a ${policies}/. /s`);
    await output(`mount -o loop /img ${policies}; cp -a /s/. ${policies}; dd if=/dev/zero of=${policies}/fill bs=1k`);
    await failsCleanly(':', 'xm setpolicy ACM mytest', new RegExp(`${NOT_SET}.*No space left on device`), ':');
    await output(`rm ${policies}/fill; umount ${policies}`);
    expect(await output('xm setpolicy ACM mytest')).toContain('Successfully set the new policy.');
  });

  it('for an update that renames the labels of what runs', async () => {
    await output('xm addlabel A-Bank.SecurityUnderwriting mgt domain4');
    await output(
      'for f in img swap; do xm addlabel A-Bank.SecurityUnderwriting res file:/home/xen/domain4/fedora.fc5.$f; done',
    );
    expect(await output('xm start domain4; xm list --label')).toContain('ACM:mytest:A-Bank.SecurityUnderwriting');
    await failsCleanly(READ_ONLY, 'xm setpolicy ACM mytest_update', new RegExp(NOT_SET), WRITABLE);
    await failsCleanly(
      'mv /boot/grub/menu.lst_save /boot/grub/m; mkdir /boot/grub/menu.lst_save',
      'xm setpolicy ACM mytest_update',
      new RegExp(`${NOT_SET}  /boot/grub/menu.lst_save: Is a directory`),
      'rmdir /boot/grub/menu.lst_save; mv /boot/grub/m /boot/grub/menu.lst_save',
    );
    // What the hypervisor refuses leaves the files alone as well.
    const directory = '/etc/xen/acm-security/policies';
    await output(
      `sed '/<Name from="A-Bank.SecurityU/s/ from="[^"]*"//' ${directory}/mytest_update-security_policy.xml >/tmp/u-security_policy.xml`,
    );
    await failsCleanly(
      'cd /tmp',
      'cd /tmp; xm setpolicy ACM u',
      /Error: 'An error occurred trying to set the policy: /,
      ':',
    );
    expect(await output('xm setpolicy ACM mytest_update; xm list --label')).toMatch(/domain4 .*ACM:mytest:A-Bank.SU\n/);
  });

  it('for labels', async () => {
    const [resource, domain] = ['labeling the resource', 'relabeling the domain'].map(
      (what) =>
        new RegExp(
          `^Error: 'An error occurred ${what}: A file access error occurred'\n  /.*: Read-only file system\n$`,
        ),
    ) as [RegExp, RegExp];
    await failsCleanly(READ_ONLY, 'xm addlabel A-Bank res phy:hda6', resource, WRITABLE);
    await failsCleanly(READ_ONLY, 'xm addlabel A-Bank-WL mgt Domain-0', domain, WRITABLE);
    await output('xm new /root/domain3.xm');
    await failsCleanly(READ_ONLY, 'xm addlabel B-Bank mgt domain3', domain, WRITABLE);
    await failsCleanly(READ_ONLY, 'xm makepolicy example.test', /Read-only file system/, WRITABLE);
  });

  it('for going back to DEFAULT', async () => {
    await output('xm destroy domain4; sleep 1');
    const message =
      /^Error: "Could not reset the system's policy. Try to halt all guests."\n {2}\/.*: Read-only file system\n$/;
    await failsCleanly(READ_ONLY, 'xm resetpolicy', message, WRITABLE);
    await output('xm addlabel A-Bank mgt Domain-0; xm addlabel A-Bank mgt domain3');
    expect(await output('xm resetpolicy')).toBe("Successfully reset the system's policy.\n");
    // Domain-0 alone is taken along to DEFAULT, though domain3 had the same label.
    const list = await output('xm list --label');
    expect(list).toMatch(/Domain-0 .*ACM:DEFAULT:SystemManagement\n/);
    expect(list).toMatch(/domain3 .*INV_ACM:mytest:A-Bank\n/);
  });
});
