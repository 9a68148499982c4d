import { describe, expect, it } from 'vitest';
import type { FileSystemType } from '../fs/volume';
import { command } from '../programs/adapters';
import type { BlockDevice } from '../services';
import { again, exit, type Program, SysError, wait } from '../sys';
import { TestKernel, testKernel } from '../testing';

/** A disk that answers after a millisecond. */
function slowDisk(machine: TestKernel, name: string, bytes: Uint8Array): BlockDevice {
  const later = (action: () => void) => void machine.clock.at(machine.clock.nowNs + 1e6, action);
  return {
    name,
    major: 8,
    minor: 1,
    sectors: bytes.length / 512,
    readonly: false,
    read: (sector, count, done) => later(() => done(bytes.slice(sector * 512, (sector + count) * 512))),
    write: (sector, data, done) =>
      later(() => {
        bytes.set(data, sector * 512);
        done(true);
      }),
    flush: (done) => done(true),
  };
}

/** Copies standard input to standard output. */
const copy: Program<null> = {
  name: 'copy',
  start: (sys) => {
    const [, from, to] = sys.argv;
    sys.dup(sys.open(from!, { read: true }), 0);
    if (to) sys.dup(sys.open(to, { write: true }), 1);
    return null;
  },
  step: (sys) => {
    const bytes = sys.read(0, 1000);
    if (!bytes) return wait({ readable: 0 });
    if (bytes.length === 0) return exit(0);
    sys.print(bytes);
    return again();
  },
};
const mount = command('mount', (sys, [source, target, type, options]) => {
  sys.print('once ');
  sys.mount(source!, target!, type!, options ?? '');
  sys.print('mounted\n');
});
const umount = command('umount', (sys, [target]) => sys.umount(target!));
const put = command('put', (sys, [path, text]) => sys.writeFile(path!, text!));
const attach = command('attach', (sys, [device, path]) => sys.attachLoop(device!, path!));
const detach = command('detach', (sys, [device]) => sys.detachLoop(device!));
const programs = [copy, mount, umount, put, attach, detach];

/** A file system of one file that fills the device: /data. */
const flat: FileSystemType = {
  name: 'flat',
  needsDevice: true,
  mount({ volume, device }, done) {
    device!.read(0, device!.sectors, (bytes) => {
      if (!bytes || bytes[0] === 0) return done('EINVAL');
      const inode = volume.createInode('file', 0o644);
      volume.root.entries!.set('data', inode);
      inode.data!.write(0, bytes);
      done(flat.restore({ volume, device, options: [] }, null));
    });
  },
  restore: ({ volume, device }) => ({
    space: () => ({ blockSize: 512, blocks: 8, free: 0, inodes: 1, freeInodes: 0 }),
    writeBack: (done) => {
      volume.dirty.clear();
      device!.write(0, volume.root.entries!.get('data')!.data!.read(0, 512), done);
    },
    umount: (done) => done(true),
    save: () => null,
  }),
};

function machineWithDisk(bytes = new Uint8Array(4096).fill(65)) {
  const machine = testKernel(programs, { fileSystems: [flat] });
  machine.kernel.block.add(slowDisk(machine, 'sda1', bytes));
  return { machine, bytes };
}

describe('block devices', () => {
  it('are read and written byte by byte through their nodes', () => {
    const { machine, bytes } = machineWithDisk();
    expect(machine.run(['copy', '/dev/sda1']).stdout).toBe('A'.repeat(4096));
    machine.kernel.writeFile('/tmp/x', new TextEncoder().encode('B'.repeat(700)));
    machine.run(['copy', '/tmp/x', '/dev/sda1']);
    machine.advance(10);
    expect(new TextDecoder().decode(bytes)).toBe('B'.repeat(700) + 'A'.repeat(3396));
  });

  it('refuse more than they hold', () => {
    const { machine } = machineWithDisk();
    machine.kernel.writeFile('/tmp/x', new Uint8Array(5000));
    const result = machine.run(['copy', '/tmp/x', '/dev/sda1']);
    expect(result.stderr).toBe('copy: write error: No space left on device\n');
  });

  it('let programs wait for them after a restore until their driver is back, or has gone', () => {
    const { machine, bytes } = machineWithDisk();
    machine.kernel.writeFile('/tmp/x', new Uint8Array(0));
    const state = structuredClone(machine.save());
    const restored = () => TestKernel.restore(programs, { fileSystems: [flat] }, structuredClone(state));
    const other = restored();
    other.start(['copy', '/dev/sda1', '/tmp/x']);
    other.advance(50);
    expect(other.kernel.readText('/tmp/x')).toBe('');
    other.kernel.block.add(slowDisk(other, 'sda1', bytes));
    other.advance(50);
    expect(other.kernel.readText('/tmp/x')).toBe('A'.repeat(4096));
    const without = restored();
    const before = without.kernel.processes.processes.size;
    without.start(['copy', '/dev/sda1', '/tmp/x']);
    without.advance(50);
    expect(without.kernel.processes.processes.size).toBe(before + 1);
    without.kernel.block.remove('sda1');
    without.advance(50);
    expect(without.kernel.processes.processes.size).toBe(before);
    expect(without.kernel.readText('/tmp/x')).toBe('');
  });

  it('lose their node when they are removed', () => {
    const { machine } = machineWithDisk();
    machine.kernel.block.remove('sda1');
    expect(machine.kernel.vfs.locate('/', '/dev/sda1', { uid: 0, gid: 0 }).inode).toBeUndefined();
  });
});

describe('mount', () => {
  it('lets only the mounting process wait, and runs its step again without repeating its output', () => {
    const { machine } = machineWithDisk();
    expect(machine.run(['mount', '/dev/sda1', '/mnt', 'flat'])).toMatchObject({ status: 0, stdout: 'once mounted\n' });
    expect(machine.kernel.readText('/proc/mounts')).toContain('/dev/sda1 /mnt flat rw 0 0\n');
    expect(machine.kernel.block.usersOf('sda1')).toEqual(['mount /mnt']);
    expect(machine.run(['mount', '/dev/sda1', '/media', 'flat']).stderr).toBe(
      'mount: /dev/sda1: Device or resource busy\n',
    );
  });

  it('fails as the file system says', () => {
    const { machine } = machineWithDisk(new Uint8Array(512));
    expect(machine.run(['mount', '/dev/sda1', '/mnt', 'flat'])).toMatchObject({
      status: 1,
      stderr: 'mount: /dev/sda1: Invalid argument\n',
    });
    expect(machine.run(['mount', '/dev/sda1', '/mnt', 'ntfs']).stderr).toContain('No such device');
  });

  it('writes changes back at umount, and by itself after five seconds', () => {
    const { machine, bytes } = machineWithDisk();
    machine.run(['mount', '/dev/sda1', '/mnt', 'flat']);
    machine.run(['put', '/mnt/data', 'first']);
    expect(bytes[0]).toBe(65);
    machine.advance(5100);
    expect(new TextDecoder().decode(bytes.subarray(0, 5))).toBe('first');
    machine.run(['put', '/mnt/data', 'other']);
    expect(machine.run(['umount', '/mnt']).status).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(0, 5))).toBe('other');
  });

  it('asks again when the state was taken in the middle of it', () => {
    const { machine } = machineWithDisk();
    machine.start(['mount', '/dev/sda1', '/mnt', 'flat']);
    machine.advance(0.5);
    const copyOf = TestKernel.restore(programs, { fileSystems: [flat] }, structuredClone(machine.save()));
    copyOf.kernel.block.add(slowDisk(copyOf, 'sda1', new Uint8Array(4096).fill(66)));
    copyOf.advance(50);
    expect(copyOf.kernel.readText('/mnt/data')).toContain('BBB');
  });

  it('keeps a mounted disk over a restore, whenever its driver comes back', () => {
    const { machine } = machineWithDisk();
    machine.run(['mount', '/dev/sda1', '/mnt', 'flat']);
    machine.run(['put', '/mnt/data', 'dirty']);
    const other = TestKernel.restore(programs, { fileSystems: [flat] }, structuredClone(machine.save()));
    const bytes = new Uint8Array(4096);
    other.advance(6000);
    other.kernel.block.add(slowDisk(other, 'sda1', bytes));
    other.advance(100);
    expect(new TextDecoder().decode(bytes.subarray(0, 5))).toBe('dirty');
  });
});

describe('loop devices', () => {
  it('show a file as a device, and are busy while mounted', () => {
    const { machine } = machineWithDisk();
    machine.kernel.writeFile('/tmp/image', new Uint8Array(2048).fill(67));
    expect(machine.run(['attach', '/dev/loop3', '/tmp/image']).status).toBe(0);
    expect(machine.run(['attach', '/dev/loop3', '/tmp/image']).stderr).toContain('Device or resource busy');
    machine.run(['mount', '/dev/loop3', '/mnt', 'flat']);
    machine.run(['put', '/mnt/data', 'written']);
    expect(machine.run(['detach', '/dev/loop3']).stderr).toContain('Device or resource busy');
    machine.run(['umount', '/mnt']);
    expect(machine.kernel.readText('/tmp/image')).toContain('written');
    expect(machine.run(['detach', '/dev/loop3']).status).toBe(0);
  });

  it('throw what programs can tell apart', () => {
    expect(() => testKernel().kernel.loops.detach(1)).toThrow(SysError);
  });
});
