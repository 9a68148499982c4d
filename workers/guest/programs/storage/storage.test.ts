import { describe, expect, it } from 'vitest';
import { ext2, ext3 } from '../../fs/ext2';
import { shell } from '../../shell/index';
import { testKernel } from '../../testing';
import { commonPrograms } from '../index';

const programs = [...commonPrograms.filter(({ name }) => name !== shell.name), shell];
const fresh = () => testKernel(programs, { hostname: 'vm1', fileSystems: [ext2, ext3] });

describe('an image file', () => {
  it('is made sparse, formatted, mounted through a loop device, and keeps its content', () => {
    const machine = fresh();
    const made = machine.run('dd if=/dev/zero of=/tmp/disk.img bs=1k seek=8191 count=1');
    expect(made.stderr).toMatch(/^1\+0 records in\n1\+0 records out\n1024 bytes \(1\.0 kB\) copied, .* seconds, /);
    expect(machine.run('stat -c %s /tmp/disk.img; du -s /tmp/disk.img').stdout).toBe('8388608\n4\t/tmp/disk.img\n');
    const formatted = machine.run(['mkfs', '-t', 'ext3', '/tmp/disk.img'], { stdin: 'y\n' });
    expect(formatted.stdout).toMatch(
      /^\/tmp\/disk\.img is not a block special device\.\nProceed anyway\? \(y,n\) Filesystem label=\nOS type: Linux\n/,
    );
    machine.run(['mkdir', '/mnt/a']);
    expect(machine.run('mount -o loop /tmp/disk.img /mnt/a')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(machine.run('mount | grep loop').stdout).toBe('/dev/loop0 on /mnt/a type ext2 (rw)\n');
    machine.run('echo hello >/mnt/a/f');
    expect(machine.run('df -T /mnt/a').stdout).toMatch(/\/dev\/loop0 +ext2 +\d+ +\d+ +\d+ +\d+% \/mnt\/a\n$/);
    expect(machine.run('cd /mnt/a; umount /mnt/a')).toMatchObject({
      status: 1,
      stderr: 'umount: /mnt/a: device is busy\n',
    });
    expect(machine.run('umount /mnt/a; losetup -a')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(machine.run('mount -o loop,ro /tmp/disk.img /mnt/a; cat /mnt/a/f; echo x >/mnt/a/g')).toMatchObject({
      status: 1,
      stdout: 'hello\n',
      stderr: expect.stringContaining('Read-only file system'),
    });
  });

  it('is left alone when the answer is no', () => {
    const machine = fresh();
    machine.run('dd if=/dev/zero of=/tmp/f bs=1M count=0 seek=4');
    expect(machine.run(['mkfs.ext3', '/tmp/f'], { stdin: 'n\n' }).status).toBe(1);
    expect(machine.run(['stat', '-c', '%b', '/tmp/f']).stdout).toBe('0\n');
  });
});

describe('mount and umount', () => {
  it('complain as util-linux does', () => {
    const machine = fresh();
    const mount = (line: string) => machine.run(`mkdir -p /mnt/a; mount ${line}`);
    expect(mount('/dev/nope /mnt/a')).toMatchObject({
      status: 32,
      stderr: 'mount: special device /dev/nope does not exist\n',
    });
    expect(mount('/dev/ram0 /nope').stderr).toBe('mount: mount point /nope does not exist\n');
    expect(mount('-t foo /dev/ram0 /mnt/a').stderr).toBe("mount: unknown filesystem type 'foo'\n");
    expect(mount('-t ext2 /dev/ram0 /mnt/a').stderr).toMatch(
      /^mount: wrong fs type, bad option, bad superblock on \/dev\/ram0,\n/,
    );
    expect(mount('/mnt/a').stderr).toBe("mount: can't find /mnt/a in /etc/fstab or /etc/mtab\n");
    expect(machine.run('umount /mnt/a').stderr).toBe('umount: /mnt/a: not mounted\n');
    expect(machine.run('umount /nope').stderr).toBe('umount: /nope: not found\n');
  });

  it('takes what is in /etc/fstab with -a, but noauto only by name', () => {
    const machine = fresh();
    machine.run('mke2fs -q /dev/ram0');
    machine.run(['tee', '-a', '/etc/fstab'], { stdin: '/dev/ram0 /mnt ext2 ro 0 0\nnone /media tmpfs noauto 0 0\n' });
    expect(machine.run('mount -a; mount -t ext2').stdout).toBe('/dev/ram0 on /mnt type ext2 (ro)\n');
    expect(machine.run('mount /media; mount | grep -c media').stdout).toBe('1\n');
    expect(machine.run('mount -o remount,rw /mnt; echo x >/mnt/f; mount -t ext2').stdout).toBe(
      '/dev/ram0 on /mnt type ext2 (rw)\n',
    );
  });
});

describe('losetup', () => {
  it('attaches, describes and detaches', () => {
    const machine = fresh();
    machine.run('dd if=/dev/zero of=/tmp/f bs=1M count=0 seek=1');
    expect(machine.run('losetup -f').stdout).toBe('/dev/loop0\n');
    machine.run('losetup /dev/loop0 /tmp/f; losetup -o 16384 -r /dev/loop1 /tmp/f');
    expect(machine.run('losetup -a').stdout).toMatch(
      /^\/dev\/loop0: \[[0-9a-f]{4}\]:\d+ \(\/tmp\/f\)\n\/dev\/loop1: .*\(\/tmp\/f\), offset 16384\n$/,
    );
    expect(machine.run('fdisk -s /dev/loop1').stdout).toBe(`${1024 - 16}\n`);
    expect(machine.run('losetup /dev/loop0 /tmp/f').stderr).toBe('ioctl: LOOP_SET_FD: Device or resource busy\n');
    expect(machine.run('losetup -d /dev/loop0; losetup /dev/loop0').stderr).toBe(
      "loop: can't get info on device /dev/loop0: No such device or address\n",
    );
  });
});

describe('dd', () => {
  it('counts full and partial blocks', () => {
    const machine = fresh();
    expect(machine.run(['dd', 'bs=2', 'of=/tmp/f'], { stdin: 'abc' }).stderr).toMatch(
      /^1\+1 records in\n1\+1 records out\n3 bytes \(3 B\) copied, /,
    );
    expect(machine.run('dd if=/dev/zero of=/tmp/g bs=1M count=0 seek=1024').stderr).toMatch(
      /^0\+0 records in\n0\+0 records out\n0 bytes \(0 B\) copied, .* seconds, 0\.0 kB\/s\n$/,
    );
    expect(machine.run('dd if=/tmp/f bs=1 skip=1 count=1').stdout).toBe('b');
    expect(machine.run(['dd', 'of=/tmp/f', 'bs=1', 'seek=1', 'conv=notrunc'], { stdin: 'X' }).status).toBe(0);
    expect(machine.run(['cat', '/tmp/f']).stdout).toBe('aXc');
    expect(machine.run('dd if=/nope').stderr).toBe("dd: opening `/nope': No such file or directory\n");
  });
});

describe('fsck', () => {
  it('says clean for what was unmounted in order, and refuses what is mounted', () => {
    const machine = fresh();
    machine.run('mke2fs -q /dev/ram0; mount /dev/ram0 /mnt; echo x >/mnt/f');
    expect(machine.run('fsck /dev/ram0')).toMatchObject({
      status: 8,
      stderr: expect.stringContaining('/dev/ram0 is mounted.'),
    });
    expect(machine.run('umount /mnt; fsck /dev/ram0')).toMatchObject({
      status: 0,
      stdout: 'fsck 1.39 (29-May-2006)\n/dev/ram0: clean, 12/4096 files, 535/16384 blocks\n',
    });
    expect(machine.run('fsck /dev/ram1').stderr).toContain(
      'Bad magic number in super-block while trying to open /dev/ram1',
    );
  });
});

describe('fdisk', () => {
  /** The partition at this place is the one to boot from. */
  const ACTIVE = 64;

  /** One table sector with entries (type, start, sectors). */
  const table = (...entries: readonly (readonly [number, number, number])[]) => {
    const sector = new Uint8Array(512);
    const view = new DataView(sector.buffer);
    entries.forEach(([type, start, sectors], i) => {
      const at = 446 + 16 * i;
      view.setUint8(at, start === ACTIVE ? 0x80 : 0);
      view.setUint8(at + 4, type);
      view.setUint32(at + 8, start, true);
      view.setUint32(at + 12, sectors, true);
    });
    sector.set([0x55, 0xaa], 510);
    return sector;
  };

  it('lists primary and logical partitions in cylinders', () => {
    const machine = fresh();
    const disk = new Uint8Array(8 << 20);
    disk.set(table([0x83, ACTIVE, 4032], [5, 4096, 8192]));
    disk.set(table([0x82, 32, 2017], [5, 4096, 2048]), 4096 * 512);
    disk.set(table([0x83, 32, 2016]), 8192 * 512);
    machine.kernel.writeFile('/tmp/disk', disk);
    machine.run('losetup /dev/loop0 /tmp/disk');
    expect(machine.run('fdisk -H 16 -S 32 -l /dev/loop0').stdout).toBe(`
Disk /dev/loop0: 8 MB, 8388608 bytes
16 heads, 32 sectors/track, 32 cylinders
Units = cylinders of 512 * 512 = 262144 bytes

      Device Boot      Start         End      Blocks   Id  System
/dev/loop0p1   *           1           8        2016   83  Linux
/dev/loop0p2               9          24        4096    5  Extended
/dev/loop0p5               9          13        1008+  82  Linux swap / Solaris
/dev/loop0p6              17          20        1008   83  Linux
`);
  });

  it('says when there is no table', () => {
    expect(fresh().run('fdisk -l /dev/ram0').stderr).toBe("Disk /dev/ram0 doesn't contain a valid partition table\n");
  });
});

describe('swap', () => {
  it('areas are made, but this kernel cannot use them', () => {
    const machine = fresh();
    expect(machine.run('mkswap /dev/ram0').stdout).toMatch(
      /^Setting up swapspace version 1, size = 16773 kB\nno label, UUID=[0-9a-f-]{36}\n$/,
    );
    expect(machine.run('swapon /dev/ram0').stderr).toBe('swapon: /dev/ram0: Function not implemented\n');
    expect(machine.run('swapon /dev/ram1').stderr).toBe('swapon: /dev/ram1: Invalid argument\n');
  });
});

describe('du and df', () => {
  it('count what is really allocated, once for each inode', () => {
    const machine = fresh();
    machine.run('mkdir /tmp/d; dd if=/dev/zero of=/tmp/d/f bs=1k count=8; ln /tmp/d/f /tmp/d/g');
    expect(machine.run('du -a /tmp/d').stdout).toBe('8\t/tmp/d/f\n12\t/tmp/d\n');
    expect(machine.run('du -sh /tmp/d').stdout).toBe('12K\t/tmp/d\n');
    expect(machine.run('du /nope').stderr).toBe("du: cannot access `/nope': No such file or directory\n");
    expect(machine.run('df -k /tmp').stdout).toMatch(
      /^Filesystem +1K-blocks +Used Available Use% Mounted on\nrootfs +\d+ +\d+ +\d+ +\d+% \/\n$/,
    );
  });
});
