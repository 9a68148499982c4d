import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createPythonRunner } from '../platform/node/pythonRunner';
import { XendError } from '../xend/errors';
import { domainSummary, fakeXend, type XmWorld, xm } from './testing';

const python = createPythonRunner();
afterAll(() => python.dispose());
const shipped = (name: string) => readFileSync(new URL(`../../public/dom0/etc/xen/${name}`, import.meta.url), 'utf8');
const dry = (words: string, files: XmWorld['files'] = {}) => xm(`create -n ${words}`, { files, python });
/** The printed (vm …), without the line about the file. */
const sxpOf = async (words: string, files?: XmWorld['files']) => (await dry(`-q ${words}`, files)).stdout;

const PV1 = `
kernel = "/boot/vmlinuz-2.6.18-xen"
ramdisk = "/boot/initrd-2.6.18-xen.img"
memory = 128
name = "pv1"
vcpus = 2
cpus = "0-3,^1"
dhcp = "dhcp"
root = "/dev/sda1 ro"
extra = "4"
on_crash = 'preserve'
disk = ['file:/var/images/pv1.img,sda1,w', 'phy:vg/swap,sda2,w', 'tap:aio:/var/images/d.img,xvda,r']
vif = ['bridge=xenbr0, mac=00:16:3e:00:00:11']
vtpm = ['instance=1,backend=0']
vfb = ['vnc=1,vncdisplay=3']
`;

describe('xm create -n', () => {
  it('prints what the original client printed for this file', async () => {
    const run = await dry('pv1', { '/etc/xen/pv1': PV1 });
    expect(run.stdout).toBe(`Using config file "/etc/xen/pv1".
(vm
    (name pv1)
    (memory 128)
    (on_crash preserve)
    (vcpus 2)
    (on_xend_start ignore)
    (on_xend_stop ignore)
    (cpus '0-3,^1')
    (image
        (linux
            (kernel /boot/vmlinuz-2.6.18-xen)
            (ramdisk /boot/initrd-2.6.18-xen.img)
            (ip :127.0.255.255::::eth0:dhcp)
            (root '/dev/sda1 ro')
            (videoram 4)
            (args 4)
        )
    )
    (s3_integrity 1)
    (device (vbd (uname file:/var/images/pv1.img) (dev sda1) (mode w)))
    (device (vbd (uname phy:vg/swap) (dev sda2) (mode w)))
    (device (tap (uname tap:aio:/var/images/d.img) (dev xvda) (mode r)))
    (device (vif (bridge xenbr0) (mac 00:16:3e:00:00:11)))
    (device (vtpm (pref_instance 1) (backend 0)))
    (device (vkbd))
    (device (vfb (vnc 1) (vncdisplay 3) (xauthority /root/.Xauthority)))
)
`);
  });

  it('shows relative files with ./ and prefers them', async () => {
    const files = { '/root/a': 'memory = 32\n', '/etc/xen/a': 'memory = 64\n' };
    expect((await dry('a', files)).stdout).toMatch(
      /^Using config file "\.\/a"\.\n\(vm\n {4}\(name a\)\n {4}\(memory 32\)/,
    );
  });

  it('lets the command line win over the file, and replaces lists', async () => {
    const out = await sxpOf('pv1 memory=96 disk=phy:a,sda1,w disk=phy:b,sdb1,r vif=', { '/etc/xen/pv1': PV1 });
    expect(out).toContain('(memory 96)');
    expect(out.match(/\(device \(vbd/g)).toHaveLength(2);
    expect(out).not.toContain('vif');
    expect(out).not.toContain('file:');
  });

  it("gives one default interface for vif=[''] in a file", async () => {
    expect(await sxpOf('a', { '/etc/xen/a': "vif = ['']\n" })).toContain('(device (vif))');
  });

  it('takes a domain without a file, as the manual page has it', async () => {
    const out = await sxpOf(
      "/dev/null kernel=/boot/vmlinuz-2.6.18-xenU name=ramdisk vif='' vcpus=1 memory=64 root=/dev/ram0".replace(
        "''",
        '',
      ),
      { '/dev/null': '' },
    );
    expect(out).toMatch(/\(name ramdisk\)\n {4}\(memory 64\)\n {4}\(vcpus 1\)/);
    expect(out).not.toContain('device');
  });

  it('runs the example files as they are shipped', async () => {
    const files = {
      '/etc/xen/xmexample1': shipped('xmexample1'),
      '/etc/xen/xmexample2': shipped('xmexample2'),
      '/etc/xen/xmexample3': shipped('xmexample3'),
    };
    const one = await sxpOf('xmexample1', files);
    expect(one).toContain('(device (vbd (uname phy:hda1) (dev hda1) (mode w)))');
    expect(one).toContain('(name ExampleDomain)');
    const two = await sxpOf('xmexample2 vmid=2', files);
    expect(two).toContain('(name VM2)');
    expect(two).toContain('(device (vbd (uname phy:sda9) (dev sda1) (mode w)))');
    expect(two).toContain("(args '4 VMID=2 usr=/dev/sda6')");
    expect(await sxpOf('xmexample3 vmid=1', files)).toContain('192.168.1.254:255.255.255.0:domain-1-vm:eth0:off');
    expect(await dry('xmexample2', files)).toMatchObject({
      status: 1,
      stderr: "Error: vmid - int() argument must be a string or a number, not 'NoneType'\n",
    });
  });
});

describe('a bad configuration', () => {
  it.each([
    ['memory = = 4\n', 'Errors were found at line 1 while processing /etc/xen/a:\n\tmemory = = 4'],
    ['x = 1\nfull-screen=1\n', 'Errors were found at line 2 while processing /etc/xen/a:\n\tfull-screen=1'],
    ['memory = nosuch\n', "name 'nosuch' is not defined"],
    ["disk = ['phy:a,b']\n", 'Invalid disk specifier: phy:a,b'],
    ["disk = 'phy:a,b,w'\n", 'Invalid disk specifier: p'],
    ['disk = 5\n', "'int' object is not iterable"],
    ["vif = ['foo=1']\n", 'Invalid vif option: foo'],
    ["vif = ['foo']\n", 'foo should be a pair, separated by an equals sign.'],
    ["vfb = ['foo=1']\n", 'configuration option foo unknown to vfbs'],
    ["vtpm = ['type=1']\n", 'Invalid vtpm specifier: type=1'],
    ["vtpm = ['instance=0']\n", 'VM config error: vTPM instance must not be 0.'],
    ["ioports = ['x']\n", 'Invalid i/o port range specifier: x'],
    ["nfs_root = '/a'\n", 'Must set nfs root and nfs server'],
    ["access_control = ['policy=p,label=l']\n", 'Security policy (p) incompatible with enforced policy ().'],
    ["access_control = ['a', 'b']\n", 'Multiple access_control definitions.'],
  ])('%j', async (source, message) => {
    const run = await dry('a', { '/etc/xen/a': source });
    expect(run.stderr).toBe(`Error: ${message}\n`);
    expect(run.stdout).toBe('Using config file "/etc/xen/a".\n');
    expect(run.status).toBe(1);
  });

  it.each([
    ['/etc/xen', "Error: [Errno 21] Is a directory: '/etc/xen'\n"],
    ['nosuch', 'Error: Unable to open config file: nosuch\n'],
    ['', 'Error: Unable to open config file: xmdefconfig\n'],
    ['-F nosuch', 'Error: Cannot read file nosuch: No such file or directory\n'],
    ['a memory=abc', 'Error: Invalid value: abc\n'],
    ['a vncunused=1', 'Error: Invalid value:1\n'],
    ['a --nosuch', 'Error: option --nosuch not recognized\n'],
  ])('xm create %s', async (words, stderr) => {
    expect(await xm(`create ${words}`, { files: { '/etc/xen/a': '' }, python })).toMatchObject({ status: 1, stderr });
  });
});

describe('xm create', () => {
  const created = domainSummary({ name: 'a', domid: 7 });
  const files = { '/etc/xen/a': 'kernel="/k"\n' };

  it('builds, waits, unpauses and says so', async () => {
    const calls: string[] = [];
    const note = (name: string) => async () => void calls.push(name);
    const xend = fakeXend([created], {
      create: async () => {
        calls.push('create');
        return created;
      },
      waitForDevices: note('wait'),
      unpause: note('unpause'),
    });
    expect(await xm('create a', { xend, files, python })).toMatchObject({
      status: 0,
      stdout: 'Using config file "/etc/xen/a".\nStarted domain a (id=7)\n',
    });
    expect(calls).toEqual(['create', 'wait', 'unpause']);
    calls.length = 0;
    expect(await xm('create -qp a', { xend, files, python })).toMatchObject({ status: 0, stdout: '' });
    expect(calls).toEqual(['create', 'wait']);
    expect((await xm('create -c a', { xend, files, python })).exec).toEqual(['/usr/lib/xen/bin/xenconsole', '7']);
  });

  it('shows a refusal without the usage', async () => {
    const xend = fakeXend([], { create: () => Promise.reject(new XendError('Kernel image does not exist: /k')) });
    expect(await xm('create a', { xend, files, python })).toMatchObject({
      status: 1,
      stdout: 'Using config file "/etc/xen/a".\n',
      stderr: 'Error: Kernel image does not exist: /k\n',
    });
  });

  it('destroys a domain whose device does not connect', async () => {
    let destroyed = '';
    const message = 'Device 0 (vif) could not be connected. Hotplug scripts not working.';
    const xend = fakeXend([created], {
      create: async () => created,
      waitForDevices: () => Promise.reject(new XendError(message)),
      destroy: async (key) => {
        destroyed = key;
      },
    });
    expect(await xm('create a', { xend, files, python })).toMatchObject({ status: 1, stderr: `Error: ${message}\n` });
    expect(destroyed).toBe(created.uuid);
  });

  it('lists variables and options', async () => {
    expect((await xm('create --help_config')).stdout).toMatch(/^Values:\n\nvncpasswd=NAME {7}Password/);
    expect((await xm('help create')).stdout).toMatch(/\nOptions:\n\n-h, --help {11}Print this help\.\n/);
  });
});
