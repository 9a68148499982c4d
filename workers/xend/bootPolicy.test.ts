import { describe, expect, it } from 'vitest';
import { BootPolicy } from './bootPolicy';
import { fakeHost } from './testing';

const MENU = `default=1
title Linux
\tkernel /vmlinuz
title XEN 3.4.0
\tkernel /boot/xen.gz console=com1
\tmodule /boot/vmlinuz root=/dev/sda3
\tmodule /boot/initrd.img
title XEN rescue
\tkernel /boot/xen.gz
\tmodule /boot/vmlinuz single
`;
const BINARY = Uint8Array.of(0, 1, 0xde, 0xbc);

function menu(files: Readonly<Record<string, string>> = { '/boot/grub/menu.lst': MENU }) {
  const host = fakeHost({ files });
  return { boot: new BootPolicy(host.environment.files), text: host.text };
}

describe('the boot policy', () => {
  it('stands behind the last module of the default entry, once', () => {
    const { boot, text } = menu();
    boot.install('mytest', BINARY);
    boot.install('a.b', BINARY);
    expect(boot.name).toBe('a.b');
    expect(text('/boot/grub/menu.lst')).toBe(
      MENU.replace('\tmodule /boot/initrd.img\n', '\tmodule /boot/initrd.img\n\tmodule /boot/a.b.bin\n'),
    );
    expect(text('/boot/grub/menu.lst_save')).toContain('mytest.bin');
    boot.remove();
    expect(boot.name).toBeUndefined();
    expect(text('/boot/grub/menu.lst')).toBe(MENU);
  });

  it('is named from the top of /boot where that is a partition of its own', () => {
    const { boot, text } = menu({ '/boot/grub/grub.conf': MENU, '/proc/mounts': '/dev/sda1 /boot ext3 rw 0 0\n' });
    boot.install('mytest', BINARY);
    expect(text('/boot/grub/grub.conf')).toContain('\tmodule /mytest.bin\n');
    expect(boot.name).toBe('mytest');
  });

  it("goes with Domain-0's label on Xen's line, once", () => {
    const { boot, text } = menu();
    boot.setSsidref('0x00010001:ACM:mytest:SystemManagement');
    boot.setSsidref('0x00020002:ACM:mytest:A-Bank');
    expect(text('/boot/grub/menu.lst')).toContain(
      '\tkernel /boot/xen.gz console=com1 ssidref=0x00020002:ACM:mytest:A-Bank\n',
    );
    boot.setSsidref(undefined);
    expect(text('/boot/grub/menu.lst')).toBe(MENU);
  });

  it('goes into the one entry whose title is meant', () => {
    const { boot, text } = menu();
    expect(boot.installInto(undefined, 'mytest', BINARY)).toEqual(['XEN 3.4.0', 'XEN rescue']);
    expect(boot.installInto('Linux 9', 'mytest', BINARY)).toEqual([]);
    expect(text('/boot/grub/menu.lst')).toBe(MENU);
    expect(boot.installInto('rescue', 'mytest', BINARY)).toBe('XEN rescue');
    expect(text('/boot/grub/menu.lst')).toContain('single\n\tmodule /boot/mytest.bin\n');
  });

  it('is kept in a file of its own on a machine without GRUB', () => {
    const { boot, text } = menu({});
    boot.install('mytest', BINARY);
    boot.setSsidref('0x00010001:ACM:mytest:SystemManagement');
    expect(text('/var/lib/xend/security/xen_boot_policy')).toBe(
      'POLICY=mytest\nssidref=0x00010001:ACM:mytest:SystemManagement\n',
    );
    expect(boot.name).toBe('mytest');
    boot.remove();
    expect(boot.name).toBeUndefined();
  });
});
