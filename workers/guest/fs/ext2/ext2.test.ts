import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SysError } from '../../sys';
import { membersOf, unpackCpio, writeCpio } from '../cpio';
import { ext2, formatExt2 } from '../ext2';
import type { Inode } from '../inode';
import { Vfs } from '../vfs';
import { Volume, type VolumeDriver } from '../volume';
import type { MkfsOptions } from './mkfs';
import { MemoryDevice } from './testing/memoryDevice';

const E2FSCK = ['/sbin/e2fsck', '/usr/sbin/e2fsck'].find((path) => existsSync(path));
const MKE2FS = ['/sbin/mke2fs', '/usr/sbin/mke2fs'].find((path) => existsSync(path));
const DEBUGFS = ['/sbin/debugfs', '/usr/sbin/debugfs'].find((path) => existsSync(path));
const ROOT = { uid: 0, gid: 0 };

function blank(sectors: number, options: MkfsOptions = {}): MemoryDevice {
  const device = new MemoryDevice(sectors);
  let ok = false;
  formatExt2(device, { isBlank: true, time: 1_100_000_000, ...options }, (result) => {
    ok = result !== undefined;
  });
  if (!ok) throw new Error('not formatted');
  return device;
}

interface Mounted {
  readonly volume: Volume;
  readonly driver: VolumeDriver;
  readonly vfs: Vfs;
  now: number;
}

function mount(device: MemoryDevice): Mounted {
  const volume = new Volume(1, 'ext2', '/dev/xvda1');
  let driver: VolumeDriver | undefined;
  ext2.mount({ volume, device, options: [] }, (result) => {
    if (typeof result === 'string') throw new SysError(result);
    driver = result;
  });
  if (!driver) throw new Error('not mounted');
  volume.driver = driver;
  const mounted: Mounted = { volume, driver, vfs: undefined as unknown as Vfs, now: 1_200_000_000 };
  return Object.assign(mounted, { vfs: new Vfs(volume, 'rw', () => mounted.now) });
}

function succeeds(action: (done: (ok: boolean) => void) => void): void {
  let result: boolean | undefined;
  action((ok) => {
    result = ok;
  });
  expect(result).toBe(true);
}

function unmount({ driver }: Mounted): void {
  succeeds((done) => driver.writeBack(done));
  succeeds((done) => driver.umount(done));
}

/** Everything that can be seen of a tree; hard links by the path that comes first. */
function describeTree(root: Inode): unknown[] {
  const first = new Map<Inode, string>();
  const lines: unknown[] = [];
  const visit = (inode: Inode, path: string) => {
    const known = first.get(inode);
    if (known !== undefined) {
      lines.push([path, 'link', known]);
      return;
    }
    first.set(inode, path);
    const { kind, mode, uid, gid, nlink, atime, mtime, ctime, rdevMajor, rdevMinor, target } = inode;
    const content = inode.data && Buffer.from(inode.data.read(0, inode.data.size)).toString('base64');
    lines.push([path, kind, mode, uid, gid, nlink, atime, mtime, ctime, rdevMajor, rdevMinor, target, content]);
    for (const [name, child] of inode.entries ?? []) visit(child, `${path}/${name}`);
  };
  visit(root, '');
  return lines;
}

function inTemporaryFile(image: Uint8Array | undefined, use: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'ext2-'));
  try {
    const path = join(folder, 'image');
    if (image) writeFileSync(path, image);
    use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Debian's checker finds nothing to complain about; where it is not installed, only our own reader judges. */
function check(device: MemoryDevice): void {
  if (!E2FSCK) return;
  inTemporaryFile(device.image(), (path) => {
    const { status, stdout, stderr } = spawnSync(E2FSCK, ['-fn', path], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`.match(/Fix\?|Error|WARNING|corrupt/) ? `${stdout}${stderr}` : '').toBe('');
    expect(status).toBe(0);
  });
}

function put({ vfs, volume }: Mounted, path: string, content: string | Uint8Array, offset = 0): Inode {
  const location = vfs.locate('/', path, ROOT);
  const inode = location.inode ?? vfs.create('/', path, 'file', 0o644, ROOT);
  if (!inode.data) throw new SysError('EISDIR', path);
  volume.write(inode, offset, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  return inode;
}

describe.each([1024, 2048, 4096])('with blocks of %i bytes', (blockSize) => {
  it('makes an empty file system with lost+found', () => {
    const device = blank(16384, { blockSize, label: 'root' });
    const { volume } = mount(device);
    expect([...volume.root.entries!.keys()]).toEqual(['lost+found']);
    expect([volume.root.nlink, volume.root.mode]).toEqual([3, 0o755]);
    check(device);
  });

  it('keeps files, links, devices and directories', () => {
    const device = blank(16384, { blockSize });
    const m = mount(device);
    m.vfs.mkdir('/', '/etc', 0o755, ROOT);
    put(m, '/etc/fstab', '/dev/sda1 / ext2\n');
    put(m, '/big', new Uint8Array(900_000).fill(7));
    put(m, '/sparse', 'end', 5_000_000);
    m.vfs.symlink('/', 'etc/fstab', '/short', ROOT);
    m.vfs.symlink('/', 'x/'.repeat(40), '/long', ROOT);
    m.vfs.symlink('/', 'y'.repeat(60), '/sixty', ROOT);
    m.vfs.link('/', '/big', '/etc/also', ROOT);
    const device1 = m.vfs.create('/', '/sda10', 'block', 0o660, ROOT);
    [device1.rdevMajor, device1.rdevMinor] = [8, 10];
    const device2 = m.vfs.create('/', '/huge', 'char', 0o600, ROOT);
    [device2.rdevMajor, device2.rdevMinor] = [300, 70000];
    m.vfs.create('/', '/pipe', 'fifo', 0o644, ROOT);
    m.vfs.chown('/', '/pipe', 70000, 100, ROOT);
    for (let i = 0; i < 300; i++) put(m, `/etc/a-file-with-a-rather-long-name-${i}`, '');
    const before = describeTree(m.volume.root);
    unmount(m);
    check(device);
    expect(describeTree(mount(device).volume.root)).toEqual(before);
  });

  it('gives the same tree back after any operations', () => {
    const path = fc.constantFrom('/a', '/b', '/a/c', '/a/d', '/a/c/e', '/b/f', '/lost+found/g');
    const operation = fc.oneof(
      fc.record({ do: fc.constant('mkdir' as const), path }),
      fc.record({
        do: fc.constant('write' as const),
        path,
        at: fc.nat({ max: 400_000 }),
        length: fc.nat({ max: 20_000 }),
      }),
      fc.record({ do: fc.constant('truncate' as const), path, at: fc.nat({ max: 300_000 }) }),
      fc.record({ do: fc.constant('symlink' as const), path, at: fc.integer({ min: 1, max: 100 }) }),
      fc.record({ do: fc.constant('unlink' as const), path }),
      fc.record({ do: fc.constant('rmdir' as const), path }),
      fc.record({ do: fc.constant('rename' as const), path, to: path }),
      fc.record({ do: fc.constant('link' as const), path, to: path }),
      fc.record({ do: fc.constant('sync' as const) }),
      fc.record({ do: fc.constant('remount' as const) }),
    );
    let isFirst = true;
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const device = blank(8192, { blockSize });
        let m = mount(device);
        for (const o of operations) {
          m.now++;
          try {
            switch (o.do) {
              case 'mkdir':
                m.vfs.mkdir('/', o.path, 0o750, { uid: 7, gid: 8 });
                break;
              case 'write':
                put(m, o.path, new Uint8Array(o.length).fill(m.now & 0xff), o.at);
                break;
              case 'truncate': {
                const inode = m.vfs.find('/', o.path);
                if (inode.data) m.volume.truncate(inode, o.at);
                break;
              }
              case 'symlink':
                m.vfs.symlink('/', 'q'.repeat(o.at), o.path, ROOT);
                break;
              case 'unlink':
              case 'rmdir':
                m.vfs[o.do]('/', o.path, ROOT);
                break;
              case 'rename':
              case 'link':
                m.vfs[o.do]('/', o.path, o.to, ROOT);
                break;
              case 'sync':
                succeeds((done) => m.driver.writeBack(done));
                break;
              case 'remount':
                unmount(m);
                m = mount(device);
            }
          } catch (error) {
            if (!(error instanceof SysError)) throw error;
          }
        }
        const before = describeTree(m.volume.root);
        const space = m.driver.space();
        unmount(m);
        const again = mount(device);
        expect(describeTree(again.volume.root)).toEqual(before);
        expect(again.driver.space().freeInodes).toBe(space.freeInodes);
        if (isFirst || operations.length > 35) check(device);
        isFirst = false;
      }),
      { numRuns: 40 },
    );
  });
});

describe('writing back', () => {
  it('writes only what changed', () => {
    const device = blank(65536, { blockSize: 4096 });
    const m = mount(device);
    const big = put(m, '/big', new Uint8Array(4_000_000).fill(1));
    succeeds((done) => m.driver.writeBack(done));
    device.writtenSectors = 0;
    m.volume.write(big, 2_000_000, Uint8Array.of(9));
    succeeds((done) => m.driver.writeBack(done));
    expect(device.writtenSectors * 512).toBeLessThan(5 * 4096);
    expect(mount(device).vfs.find('/', '/big').data!.read(2_000_000, 2)).toEqual(Uint8Array.of(9, 1));
  });
  it('gives back the room of what is removed', () => {
    const device = blank(16384);
    const m = mount(device);
    const before = m.driver.space();
    put(m, '/big', new Uint8Array(1_000_000));
    succeeds((done) => m.driver.writeBack(done));
    expect(m.driver.space().free).toBeLessThan(before.free - 970);
    m.vfs.unlink('/', '/big', ROOT);
    expect(m.driver.space().free).toBe(before.free);
    unmount(m);
    expect(mount(device).driver.space()).toEqual(before);
    check(device);
  });
  it('counts what is not written yet once, and no more when it is removed before', () => {
    const m = mount(blank(2048));
    const before = m.driver.space().free;
    const file = put(m, '/f', new Uint8Array(500_000));
    for (let i = 0; i < 20; i++) m.volume.write(file, 0, new Uint8Array(500_000).fill(i));
    expect(m.driver.space().free).toBeGreaterThan(before - 510);
    m.vfs.unlink('/', '/f', ROOT);
    expect(m.driver.space().free).toBe(before);
    put(m, '/g', new Uint8Array(500_000));
  });
  it('refuses more than fits before it is too late, and lets the rest be written', () => {
    const device = blank(2048);
    const m = mount(device);
    expect(() => {
      for (let i = 0; ; i++) put(m, `/f${i}`, new Uint8Array(50_000).fill(i));
    }).toThrow(new SysError('ENOSPC'));
    const before = describeTree(m.volume.root);
    unmount(m);
    check(device);
    expect(describeTree(mount(device).volume.root)).toEqual(before);
  });
  it('runs out of inodes', () => {
    const m = mount(blank(2048, { bytesPerInode: 65536 }));
    expect(() => {
      for (let i = 0; ; i++) put(m, `/f${i}`, '');
    }).toThrow(new SysError('ENOSPC'));
    expect(m.driver.space().freeInodes).toBe(0);
  });
  it('tries again after the device has failed', () => {
    const device = blank(16384);
    const m = mount(device);
    put(m, '/a', 'important');
    device.isBroken = true;
    let result: boolean | undefined;
    m.driver.writeBack((ok) => {
      result = ok;
    });
    expect(result).toBe(false);
    device.isBroken = false;
    unmount(m);
    check(device);
    expect(new TextDecoder().decode(mount(device).vfs.find('/', '/a').data!.read(0, 20))).toBe('important');
  });
  it('goes on in a restored guest, whatever was under way', () => {
    const device = blank(16384);
    const m = mount(device);
    put(m, '/a', 'first');
    device.waiting = [];
    m.driver.writeBack(() => {});
    put(m, '/b', 'second');
    // Saved now: of the first write-back nothing has been confirmed, and its answers never come.
    const saved = structuredClone(m.driver.save());
    device.waiting = undefined;
    m.volume.driver = undefined;
    m.volume.dirty.clear();
    m.volume.driver = ext2.restore({ volume: m.volume, device, options: [] }, saved);
    const restored = { ...m, driver: m.volume.driver };
    const before = describeTree(m.volume.root);
    unmount(restored);
    check(device);
    expect(describeTree(mount(device).volume.root)).toEqual(before);
  });
});

describe('building an image', () => {
  it('takes a cpio archive as its content', () => {
    const source = new Volume(9, 'rootfs', 'none');
    const vfs = new Vfs(source, 'rw', () => 1_150_000_000);
    for (const path of ['/etc', '/dev', '/etc/init.d']) vfs.mkdir('/', path, 0o755, ROOT);
    source.write(vfs.create('/', '/etc/init.d/rc', 'file', 0o755, ROOT), 0, new Uint8Array(5000).fill(35));
    vfs.link('/', '/etc/init.d/rc', '/etc/rc', ROOT);
    const archive = writeCpio(membersOf(source), { gzip: true });
    const device = blank(8192);
    const m = mount(device);
    unpackCpio(archive, m.volume);
    unmount(m);
    check(device);
    const again = mount(device);
    expect(again.vfs.readdir('/', '/', ROOT)).toEqual(['lost+found', 'etc', 'dev']);
    expect(again.vfs.stat('/', '/etc/rc', ROOT)).toMatchObject({ size: 5000, nlink: 2, mode: 0o755 });
  });
});

describe('a disk that is no sound ext2', () => {
  const errorOf = (device: MemoryDevice) => {
    let code: unknown;
    ext2.mount({ volume: new Volume(1, 'ext2', 'x'), device, options: [] }, (result) => {
      code = typeof result === 'string' ? result : 'mounted';
    });
    return code;
  };
  it('is refused with EINVAL when blank, cut off, or with an unknown incompatible feature', () => {
    expect(errorOf(new MemoryDevice(64))).toBe('EINVAL');
    const image = blank(16384).image();
    expect(errorOf(MemoryDevice.of(image.slice(0, image.length / 2)))).toBe('EINVAL');
    image[1024 + 97] = 0x80; // inline_data
    expect(errorOf(MemoryDevice.of(image))).toBe('EINVAL');
  });
  it('is mounted read-only with a feature that forbids writing', () => {
    const image = blank(16384).image();
    image[1024 + 101] = 0x4; // metadata_csum
    expect(mount(MemoryDevice.of(image)).volume.readonly).toBe(true);
  });
  it('is reported, and never hangs or crashes the reader, wherever bytes are damaged', () => {
    const device = blank(4096);
    const m = mount(device);
    m.vfs.mkdir('/', '/d', 0o755, ROOT);
    put(m, '/d/f', new Uint8Array(300_000).fill(3));
    m.vfs.symlink('/', 'z'.repeat(80), '/d/l', ROOT);
    unmount(m);
    const image = device.image();
    const used = [...image.keys()].filter((at) => at < 300 * 1024 && image[at] !== 0 && image[at] !== 3);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...used), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
        (damages) => {
          const copy = image.slice();
          for (const [at, value] of damages) copy[at] = value;
          expect(['mounted', 'EIO', 'EINVAL']).toContain(errorOf(MemoryDevice.of(copy)));
        },
      ),
      { numRuns: 60 },
    );
  });
});

if (MKE2FS && DEBUGFS) {
  describe('together with e2fsprogs', () => {
    const make = (options: readonly string[], use: (path: string) => void) =>
      inTemporaryFile(new Uint8Array(24 * 1024 * 1024), (path) => {
        execFileSync(MKE2FS, ['-q', '-F', ...options, path]);
        use(path);
      });
    const debugfs = (path: string, ...commands: readonly string[]) => {
      writeFileSync(`${path}.commands`, `${commands.join('\n')}\n`);
      return execFileSync(DEBUGFS, ['-w', '-f', `${path}.commands`, path], { encoding: 'utf8', stdio: 'pipe' });
    };

    it.each([
      ['ext2', ['-t', 'ext2']],
      ['ext2 with 128-byte inodes and 4 KiB blocks', ['-t', 'ext2', '-I', '128', '-b', '4096']],
      ['ext3', ['-t', 'ext3']],
    ])('reads and writes %s as mke2fs makes it', (_name, options) => {
      make(options, (path) => {
        writeFileSync(`${path}.data`, Buffer.alloc(700_000, 'abc'));
        debugfs(path, 'mkdir d', `write ${path}.data d/f`, 'symlink l d/f');
        const device = MemoryDevice.of(new Uint8Array(readFileSync(path)));
        const m = mount(device);
        const file = m.vfs.find('/', '/l').data!;
        expect([file.size, new TextDecoder().decode(file.read(699_996, 9))]).toEqual([700_000, 'abca']);
        put(m, '/d/new', 'from the lab');
        m.vfs.unlink('/', '/d/f', ROOT);
        unmount(m);
        check(device);
        writeFileSync(path, device.image());
        expect(debugfs(path, 'cat d/new')).toContain('from the lab');
      });
    });

    it('reads ext4 with extents, but does not write it', () => {
      make(['-t', 'ext4'], (path) => {
        writeFileSync(`${path}.data`, Buffer.alloc(3_000_000, 'xyz'));
        debugfs(path, `write ${path}.data f`);
        const m = mount(MemoryDevice.of(new Uint8Array(readFileSync(path))));
        expect(m.volume.readonly).toBe(true);
        expect(new TextDecoder().decode(m.vfs.find('/', '/f').data!.read(2_999_997, 3))).toBe('xyz');
      });
    });
  });
}
