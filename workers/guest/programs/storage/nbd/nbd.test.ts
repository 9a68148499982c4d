import { describe, expect, it } from 'vitest';
import { ext2, ext3 } from '../../../fs/ext2';
import { netStackFactory } from '../../../net/netStackFactory';
import { shell } from '../../../shell/index';
import { TestKernel, testKernel } from '../../../testing';
import { commonPrograms } from '../../index';

const programs = [...commonPrograms.filter(({ name }) => name !== shell.name), shell];
const options = { hostname: 'vm1', fileSystems: [ext2, ext3], net: netStackFactory() };
const KEYS = ['06ed00fe-1162-4fc4-b5d8-11993ee4a8b9', '16ed00fe-1162-4fc4-b5d8-11993ee4a8b9'];

/** A machine that exports /dev/ram0 to itself. */
function machine() {
  const made = testKernel(programs, options);
  made.run('ifconfig lo 127.0.0.1 up');
  return made;
}

function exporting(line = 'nbd-server 2000 /dev/ram0') {
  const made = machine();
  expect(made.run(line)).toEqual({ status: 0, stdout: '', stderr: '' });
  return made;
}

const IMPORT = 'nbd-client 127.0.0.1 2000 /dev/nbd0';

describe('a volume that is exported and imported', () => {
  it('is a block device like any other', () => {
    const vm = exporting();
    expect(vm.run(IMPORT)).toEqual({
      status: 0,
      stdout: 'Negotiation: ..size = 16384KB\n',
      stderr: 'bs=1024, sz=16777216 bytes\n',
    });
    expect(vm.run('cat /sys/block/nbd0/size; nbd-client -c /dev/nbd0').stdout).toMatch(/^32768\n\d+\n$/);
    expect(vm.run('mke2fs -q /dev/nbd0; mount /dev/nbd0 /mnt; echo hello > /mnt/f; cat /mnt/f').stdout).toBe('hello\n');
    vm.run('dd if=/dev/urandom of=/mnt/big bs=64k count=20');
    const sum = vm.run('md5sum < /mnt/big').stdout;
    expect(vm.run('umount /mnt; mount /dev/nbd0 /mnt; md5sum < /mnt/big; umount /mnt').stdout).toBe(sum);
    expect(vm.run('nbd-client -d /dev/nbd0')).toEqual({
      status: 0,
      stdout: 'Disconnecting: que, disconnect, sock, done\n',
      stderr: '',
    });
    vm.advance(100);
    expect(vm.run('nbd-client -c /dev/nbd0').status).toBe(1);
    // What was written is in the exported device.
    expect(vm.run('kill $(cat /var/run/nbd-server.pid); mount /dev/ram0 /mnt; md5sum < /mnt/big').stdout).toBe(sum);
  });

  it('may be a file, of which -r lets nobody write', () => {
    const vm = machine();
    vm.run('dd if=/dev/zero of=/tmp/disk bs=1k count=0 seek=64; nbd-server 2000 /tmp/disk');
    vm.run(`${IMPORT}; echo changed | dd of=/dev/nbd0 conv=notrunc,fsync`);
    expect(vm.run('head -c 8 /tmp/disk').stdout).toBe('changed\n');
    vm.run('nbd-server -r 2001 /tmp/disk; nbd-client 127.0.0.1 2001 /dev/nbd1');
    expect(vm.run('cat /sys/block/nbd1/ro; head -c 8 /dev/nbd1').stdout).toBe('1\nchanged\n');
    expect(vm.run('echo no | dd of=/dev/nbd1').stderr).toContain('Operation not permitted');
  });

  it('takes the size, the hosts and the number of connections that it is told', () => {
    const vm = exporting('nbd-server -M 1 127.0.0.1:2000 /dev/ram0 8k');
    expect(vm.run(IMPORT).stderr).toBe('bs=1024, sz=8192 bytes\n');
    expect(vm.run('dd if=/dev/zero of=/dev/nbd0 bs=1k').stderr).toContain('No space left on device');
    expect(vm.run('nbd-client 127.0.0.1 2000 /dev/nbd1').stderr).toBe('Error: Server closed connection\nExiting.\n');
    vm.run('echo 192.0.2.7 > /etc/hosts.nbd; nbd-server -l /etc/hosts.nbd -p /var/run/other.pid 2001 /dev/ram1');
    expect(vm.run('nbd-client 127.0.0.1 2001 /dev/nbd1').status).toBe(1);
    const log = vm.kernel.readText('/var/log/messages')!;
    expect(log).toMatch(/nbd_server\[\d+\]: Max connections reached\n/);
    expect(log).toMatch(/nbd_server\[\d+\]: Unauthorized client\n/);
  });

  it('is exported from a configuration file', () => {
    const vm = machine();
    const config = (text: string) => vm.kernel.writeFile('/etc/nbd-server/config', new TextEncoder().encode(text));
    const complaint = () => vm.run('nbd-server').stderr.replace(/^.*Could not parse config file: /, '');
    expect(complaint()).toBe('Could not open config file /etc/nbd-server/config.\n');
    config('[generic]\n');
    expect(complaint()).toBe('The config file does not specify any exports\n');
    config('[generic]\n[one]\nport = 2000\n');
    expect(complaint()).toBe('Could not find required value exportname in group one\n');
    config('[generic]\n[one]\n  exportname = /dev/ram0\n  port = 2000\n  readonly = maybe\n');
    expect(complaint()).toBe('Could not parse readonly in group one\n');
    config('[generic]\n[a]\nexportname = /dev/ram0\nport = 2000\n[b]\nexportname = /dev/ram0\nport = 2001\n');
    expect(complaint()).toBe('/dev/ram0 is exported already in group b\n');
    config(
      '[generic]\n# ours\n[one]\nexportname = /dev/ram0\nport = 2000\n[two]\nexportname = /dev/ram1\nport = 2001\n',
    );
    expect(vm.run('nbd-server').status).toBe(0);
    expect(vm.run(`${IMPORT} && nbd-client 127.0.0.1 2001 /dev/nbd1`).status).toBe(0);
  });
});

describe('what goes wrong is said once', () => {
  it('by nbd-client', () => {
    const vm = exporting();
    const stderr = (line: string) => vm.run(line).stderr;
    expect(stderr('nbd-client')).toMatch(/^nbd-client version 2\.9\.11\nUsage: nbd-client \[bs=blocksize\]/);
    expect(stderr('nbd-client nowhere 2000 /dev/nbd0')).toBe('Error: Gethostname failed: Unknown host\nExiting.\n');
    expect(stderr('nbd-client 127.0.0.1 2001 /dev/nbd0')).toBe('Error: Connect: Connection refused\nExiting.\n');
    expect(stderr('nbd-client 127.0.0.1 2000 /dev/nbd99')).toBe(
      "Error: Cannot open NBD: No such file or directory\nPlease ensure the 'nbd' module is loaded.\nExiting.\n",
    );
    expect(stderr('nbd-client -d /dev/nbd0')).toContain('Error: Ioctl failed: Transport endpoint is not connected\n');
    expect(vm.run(IMPORT).status).toBe(0);
    expect(stderr(IMPORT)).toContain('Error: Ioctl NBD_SET_SOCK failed: Device or resource busy\n');
    expect(vm.run('head -c 512 /dev/nbd0 | cmp - /dev/ram0').stderr).toMatch(/^cmp: EOF on -/);
  });

  it('by nbd-server', () => {
    const vm = exporting();
    expect(vm.run('nbd-server 2000 /dev/ram1').stderr).toBe('Error: bind: Address already in use\nExiting.\n');
    expect(vm.run('nbd-server 2000').stderr).toMatch(/^This is nbd-server version 2\.9\.11\nUsage: /);
    expect(vm.run('nbd-server 2001 disk').stderr).toContain('needs to be an absolute filename!\n');
    expect(vm.run('nbd-server 2001 /nosuch; nbd-client 127.0.0.1 2001 /dev/nbd0').stderr).toBe(
      'Error: Server closed connection\nExiting.\n',
    );
    expect(vm.kernel.readText('/var/log/messages')).toContain(
      'Could not open exported file /nosuch: No such file or directory\n',
    );
  });

  it('when somebody else speaks on that port', () => {
    const vm = machine();
    vm.start('yes "this is no volume" | nc -l -p 2000');
    vm.advance(10);
    expect(vm.run(IMPORT).stderr).toBe('Error: INIT_PASSWD bad\nExiting.\n');
    vm.run('nbd-server 2001 /dev/ram0');
    expect(vm.run('yes | nc -q 1 127.0.0.1 2001 > /dev/null; nbd-client 127.0.0.1 2001 /dev/nbd0').status).toBe(0);
    expect(vm.kernel.readText('/var/log/messages')).toContain('Not enough magic.\n');
  });
});

describe('a server that is gone', () => {
  const kill = 'kill $(cat /var/run/nbd-server.pid)';

  it('leaves errors to those who read and write, and the device free for another', () => {
    const vm = exporting();
    vm.run(`${IMPORT}; ${kill}`);
    vm.advance(1000);
    expect(vm.run('dd if=/dev/nbd0 of=/dev/null count=1').stderr).toContain('No such device or address');
    expect(vm.run('nbd-client -c /dev/nbd0').status).toBe(1);
    expect(vm.kernel.log.text()).toContain('nbd0: Receive control failed (result -32)');
    expect(vm.run(`nbd-server 2000 /dev/ram0; ${IMPORT}`).status).toBe(0);
  });

  it('is found again by a client with -persist, which says anew what it had reserved', () => {
    const vm = exporting();
    vm.run(`${IMPORT} -persist; nbd-reserve /dev/nbd0 ${KEYS[0]} w; ${kill}`);
    vm.advance(1000);
    expect(vm.run('dd if=/dev/nbd0 of=/dev/null count=1').stderr).toContain('Input/output error');
    vm.run('nbd-server 2000 /dev/ram0');
    vm.advance(3000);
    expect(vm.run('dd if=/dev/nbd0 of=/dev/null count=1').status).toBe(0);
    expect(vm.run('nbd-reserve -l /dev/nbd0').stdout).toBe(`${KEYS[0]} w 127.0.0.1\n`);
  });

  it('is given up when it does not answer in time', () => {
    const vm = exporting();
    vm.run('nbd-client timeout=5 127.0.0.1 2000 /dev/nbd0; kill -STOP $(cat /var/run/nbd-server.pid)');
    const { stderr } = vm.run('dd if=/dev/nbd0 of=/dev/null count=1');
    expect(stderr).toMatch(/Input\/output error|No such device or address/);
    expect(vm.kernel.log.text()).toContain('nbd0: Receive control failed (result -110)');
  });
});

describe('reservations', () => {
  it('keep a second writer and those without one from writing, and end with the connection', () => {
    const vm = exporting();
    vm.run(`${IMPORT}; nbd-client 127.0.0.1 2000 /dev/nbd1`);
    const reserve = (device: string, key: number, mode: string) =>
      vm.run(`nbd-reserve /dev/${device} ${KEYS[key]} '${mode}'`);
    expect(reserve('nbd0', 0, 'w')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(reserve('nbd1', 1, 'w')).toEqual({
      status: 2,
      stdout: '',
      stderr: 'nbd-reserve: /dev/nbd1: Device or resource busy\n',
    });
    expect(vm.run('echo x | dd of=/dev/nbd1 conv=fsync').stderr).toContain('Input/output error');
    expect(vm.run('echo x | dd of=/dev/nbd0 conv=fsync').status).toBe(0);
    expect(reserve('nbd1', 1, 'w!').status).toBe(0);
    expect(vm.run('nbd-reserve -l /dev/nbd0').stdout).toBe(`${KEYS[0]} w 127.0.0.1\n${KEYS[1]} w! 127.0.0.1\n`);
    vm.run('nbd-client -d /dev/nbd0');
    vm.advance(100);
    expect(vm.run('nbd-reserve -l /dev/nbd1').stdout).toBe(`${KEYS[1]} w! 127.0.0.1\n`);
    expect(reserve('nbd1', 1, 'release').status).toBe(0);
    expect(vm.run('nbd-reserve -l /dev/nbd1').stdout).toBe('');
  });

  it('are asked for in words that make sense', () => {
    const vm = exporting();
    expect(vm.run('nbd-reserve /dev/nbd0 key w').stderr).toMatch(/^Usage: /);
    expect(vm.run(`nbd-reserve /dev/nbd0 ${KEYS[0]} w`).stderr).toBe(
      'nbd-reserve: /dev/nbd0: Transport endpoint is not connected\n',
    );
  });
});

describe('an exported device', () => {
  it('is not mounted beside, nor exported while it is mounted', () => {
    const vm = exporting();
    vm.run('mke2fs -q /dev/ram0; mke2fs -q /dev/ram1; mount /dev/ram1 /mnt');
    vm.run(IMPORT);
    expect(vm.run('mkdir /mnt/a; mount /dev/ram0 /mnt/a').stderr).toContain('/dev/ram0 already mounted or /mnt/a busy');
    expect(vm.run('ls /sys/block/ram0/holders').stdout).toMatch(/^nbd-server\[\d+\]\n$/);
    const busy = (device: string) => ({
      status: 1,
      stdout: '',
      stderr: `Error: ${device}: Device or resource busy\nExiting.\n`,
    });
    expect(vm.run('nbd-server 2001 /dev/ram1')).toEqual(busy('/dev/ram1'));
    // Nor twice: two servers would not know of each other's writers.
    expect(vm.run('nbd-server 2001 /dev/ram0')).toEqual(busy('/dev/ram0'));
    vm.run('nbd-client -d /dev/nbd0; umount /mnt; kill $(cat /var/run/nbd-server.pid)');
    expect(vm.run('mount /dev/ram0 /mnt').status).toBe(0);
  });
});

describe('over a save', () => {
  it('connections go on at any moment, and no answer gets lost', () => {
    const vm = exporting();
    vm.run(`${IMPORT}; dd if=/dev/urandom of=/tmp/data bs=64k count=16`);
    const sum = vm.run('md5sum < /tmp/data').stdout;
    vm.start('dd if=/tmp/data of=/dev/nbd0 bs=64k conv=fsync; md5sum < /dev/nbd0 > /tmp/whole; echo done > /tmp/done');
    for (const ms of [0.1, 1, 3, 10]) {
      vm.advance(ms);
      expect(vm.kernel.readText('/tmp/done')).toBeUndefined();
      const copy = TestKernel.restore(programs, options, structuredClone(vm.save()));
      copy.advance(60_000);
      expect(copy.kernel.readText('/tmp/done')).toBe('done\n');
      expect(copy.run('head -c 1048576 /dev/nbd0 | md5sum').stdout).toBe(sum);
      expect(copy.run('nbd-client -c /dev/nbd0; nbd-client -d /dev/nbd0').status).toBe(0);
    }
  });
});
