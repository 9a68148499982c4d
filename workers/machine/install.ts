/**
 * The first start of a machine: partitions get their file systems, Domain-0 its files, and the partitions and images that
 * the documents' examples give to guests a small system of their own.
 */

import { xenImage } from '../abi/xenImage';
import { TOOL_PATHS } from '../dom0/bin/index';
import { membersOf, writeCpio } from '../guest/fs/cpio';
import { EXTENT_SIZE, type FileDataState } from '../guest/fs/fileData';
import { Volume } from '../guest/fs/volume';
import { makeExecutable } from '../guest/image';
import { kernelImage } from '../guest/kernelImage';
import { defaultRoot } from '../guest/rootfs';
import { dir, file, fillVolume, type RootTree, symlink } from '../guest/rootTree';
import type { Program } from '../guest/sys';
import type { Disk } from '../storage/disk';
import { SECTOR_SIZE } from '../storage/disk';
import { CHUNK_SIZE, HostDisk } from '../storage/hostDisk';
import { type Ext2Options, writeExt2 } from './ext2Image';
import { guestFiles } from './guestFiles';
import { type GuestImage, guestImageFiles } from './guestImages';
import { DOM0_ROOT, type PhysicalDisk } from './hardware';
import { securityFiles, withAcm } from './securityFiles';

/** A file of Domain-0 as the project ships it. */
export interface InstallFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

export interface Installation {
  readonly hostname: string;
  /** Domain-0's address on the local network. */
  readonly address: string;
  readonly gateway: string;
  readonly mac: string;
  /** Xen is built with ACM, and xend uses it. */
  readonly acm: boolean;
  readonly files: readonly InstallFile[];
  readonly guestImages: readonly GuestImage[];
  /** What Domain-0 has installed, and what guests have. */
  readonly dom0Programs: readonly Program[];
  readonly guestPrograms: readonly Program[];
  /** Seconds since 1970. */
  readonly nowSeconds: number;
}

/** Kernel of Domain-0, and the names under which the documents' examples look for kernels. */
export const DOM0_KERNEL = '/boot/vmlinuz-2.6.18.8-xen';
const KERNEL_NAMES = [
  'vmlinuz-2.6.18-xenU',
  'vmlinuz-2.6-xenU',
  'vmlinuz-2.6.10-xenU',
  'vmlinuz-2.6.12.6-xenU',
  'vmlinuz-2.6.16-xen',
  'vmlinuz-2.6.18-xen',
];
/** Partitions that examples give to guests as their root. */
const GUEST_ROOTS = ['hda1', 'hda2', 'hda3', 'hda6', 'sda7', 'sda8', 'sda9'];
/** What xmexample2 shares between its guests. */
const GUEST_USR = 'sda6';
const IMAGE_MIB = 16;
const XEND_CONFIG = '/etc/xen/xend-config.sxp';

/** Fills blank disks. Nothing is written beyond what the file systems need. */
export function install(disks: readonly PhysicalDisk[], given: Installation): void {
  const partition = (name: string) => {
    for (const disk of disks) {
      const found = disk.partitions.get(name);
      if (found) return found;
    }
    throw new Error(`this machine has no partition ${name}`);
  };
  const options: Ext2Options = { nowSeconds: given.nowSeconds };
  const guestRoot = [...defaultRoot(given.guestPrograms), ...guestFiles(given.files)];
  copyInto(GUEST_ROOTS.map(partition), imageOf(partition(GUEST_ROOTS[0]!).sectors, guestRoot, options));
  writeExt2(
    partition(GUEST_USR),
    [dir('/bin'), dir('/lib'), dir('/share'), file('/share/README', 'Shared by all guests, read-only.\n')],
    options,
  );
  writeExt2(partition(DOM0_ROOT), dom0Tree(given, guestRoot, options), { ...options, label: '/' });
}

/** The chunks of a file system on a disk of that size. */
function imageOf(sectors: number, tree: RootTree, options: Ext2Options): ReadonlyMap<number, Uint8Array> {
  const disk = new HostDisk('image', sectors);
  writeExt2(disk, tree, options);
  return disk.takeDirty();
}

function copyInto(targets: readonly Disk[], chunks: ReadonlyMap<number, Uint8Array>): void {
  for (const target of targets) {
    for (const [chunk, bytes] of chunks) target.write((chunk * CHUNK_SIZE) / SECTOR_SIZE, bytes);
  }
}

function dom0Tree(given: Installation, guestRoot: RootTree, options: Ext2Options): RootTree {
  const shipped = given.files.map(({ path, mode, text }) =>
    file(path, given.acm && path === XEND_CONFIG ? withAcm(text) : text, mode),
  );
  return [
    ...defaultRoot([]),
    ...directories(),
    ...given.dom0Programs.map(({ name }) => file(pathOf(name, given.guestPrograms), makeExecutable(name), 0o755)),
    ...bootFiles(given),
    ...images(guestRoot, options),
    ...guestImageFiles(given.guestImages),
    symlink('/bin/bash', 'sh'),
    ...securityFiles(),
    ...shipped,
    ...settings(given),
  ];
}

function pathOf(program: string, common: readonly Program[]): string {
  const tool = TOOL_PATHS[program];
  if (tool !== undefined) return tool;
  if (/^xenstore($|-)/.test(program)) return `/usr/bin/${program}`;
  if (!common.some(({ name }) => name === program)) return `/usr/sbin/${program}`;
  const entry = defaultRoot([{ name: program }]).find(({ path }) => path.endsWith(`/${program}`));
  return entry!.path;
}

const directories = (): RootTree =>
  [
    '/etc/xen', '/etc/xen/auto', '/etc/xen/scripts', '/etc/hotplug', '/etc/bash_completion.d', '/etc/sysconfig/network-scripts',
    '/boot/grub', '/usr/lib', '/usr/lib/xen', '/usr/lib/xen/bin', '/usr/lib/xen/boot', '/usr/src', '/var/lib', '/var/lib/xen',
    '/var/lib/xen/save', '/var/lib/xend', '/var/lib/xend/domains', '/var/lib/xend/state', '/var/lib/xend/storage',
    '/var/lib/xenstored', '/var/log/xen', '/var/xen', '/var/xen/dump', '/var/run/xend', '/var/lock/subsys', '/var/images', '/home/xen', '/home/xen/dom_fc5', '/mnt/guest',
  ].map((path) => dir(path)); // biome-ignore format: a list

function bootFiles(given: Installation): RootTree {
  const image = kernelImage();
  const ramdisk = writeCpio(membersOf(guestSystem(given)), { gzip: true });
  return [
    file(DOM0_KERNEL, image),
    ...KERNEL_NAMES.map((name) => symlink(`/boot/${name}`, DOM0_KERNEL.slice('/boot/'.length))),
    file('/boot/xen-3.4.0.gz', xenImage({ acm: given.acm })),
    symlink('/boot/xen.gz', 'xen-3.4.0.gz'),
    symlink('/boot/xen-3.4.gz', 'xen-3.4.0.gz'),
    file('/boot/initrd-2.6.18-xenU.img', ramdisk),
    symlink('/boot/U1_home_banking_ramdisk.img', 'initrd-2.6.18-xenU.img'),
  ];
}

/** A guest's whole system as a tree in memory. */
function guestSystem(given: Installation): Volume {
  const volume = new Volume(0, 'rootfs', 'ramdisk');
  fillVolume(volume, [...defaultRoot(given.guestPrograms), ...guestFiles(given.files)], given.nowSeconds);
  return volume;
}

/** Small systems in files, for the examples with `file:` and `tap:aio:`. */
function images(guestRoot: RootTree, options: Ext2Options): RootTree {
  const sectors = (IMAGE_MIB * 1024 * 1024) / SECTOR_SIZE;
  const system = sparseFile(sectors * SECTOR_SIZE, imageOf(sectors, guestRoot, options));
  const empty = sparseFile(64 * 1024 * 1024, new Map());
  return [
    { path: '/home/xen/dom_fc5/fedora.fc5.img', kind: 'file', mode: 0o644, sparse: system },
    symlink('/home/xen/dom_fc5/fedora.swap', 'fedora.fc5.swap'),
    { path: '/home/xen/dom_fc5/fedora.fc5.swap', kind: 'file', mode: 0o644, sparse: empty },
    ...[2, 3, 4].flatMap(
      (n): RootTree => [
        dir(`/home/xen/domain${n}`),
        { path: `/home/xen/domain${n}/fedora.fc5.img`, kind: 'file', mode: 0o644, sparse: system },
        { path: `/home/xen/domain${n}/fedora.fc5.swap`, kind: 'file', mode: 0o644, sparse: empty },
      ],
    ),
    { path: '/var/images/pv1.img', kind: 'file', mode: 0o644, sparse: system },
  ];
}

/** A disk's chunks as the content of a file; what is all zeros stays a hole. */
function sparseFile(size: number, chunks: ReadonlyMap<number, Uint8Array>): FileDataState {
  const extents: (readonly [number, Uint8Array])[] = [];
  for (const [chunk, bytes] of chunks) {
    for (let at = 0; at < bytes.length; at += EXTENT_SIZE) {
      const extent = bytes.subarray(at, at + EXTENT_SIZE);
      if (extent.some((byte) => byte !== 0)) extents.push([(chunk * CHUNK_SIZE + at) / EXTENT_SIZE, extent]);
    }
  }
  return { size, extents };
}

function settings(given: Installation): RootTree {
  return [
    file('/etc/sysconfig/network', `NETWORKING=yes\nHOSTNAME=${given.hostname}\nGATEWAY=${given.gateway}\n`),
    file(
      '/etc/sysconfig/network-scripts/ifcfg-eth0',
      `DEVICE=eth0\nBOOTPROTO=static\nHWADDR=${given.mac.toUpperCase()}\nIPADDR=${given.address}\nNETMASK=255.255.255.0\nONBOOT=yes\n`,
    ),
    file('/etc/hosts', `127.0.0.1\tlocalhost.localdomain localhost\n${given.address}\t${given.hostname}\n`),
    file('/etc/resolv.conf', `nameserver ${given.gateway}\n`),
    file('/etc/fstab', '/dev/sda3\t/\text3\tdefaults\t1 1\nproc\t/proc\tproc\tdefaults\t0 0\n'),
    file('/etc/issue', `Xen host \\n on \\l\n\n`),
    file('/etc/inittab', INITTAB),
    ...[2, 3, 4, 5].map((level) => symlink(`/etc/rc.d/rc${level}.d/S98xend`, '../../init.d/xend')),
    symlink('/etc/rc.d/rc0.d/K01xend', '../../init.d/xend'),
    symlink('/etc/rc.d/rc6.d/K01xend', '../../init.d/xend'),
  ];
}

/** The serial console of a lab machine is logged in as root. */
const INITTAB = `# inittab: what init runs, id:runlevels:action:process
id:3:initdefault:
si::sysinit:/etc/rc.d/rc.sysinit
l0:0:wait:/etc/rc.d/rc 0
l2:2:wait:/etc/rc.d/rc 2
l3:3:wait:/etc/rc.d/rc 3
l4:4:wait:/etc/rc.d/rc 4
l5:5:wait:/etc/rc.d/rc 5
l6:6:wait:/etc/rc.d/rc 6
ca::ctrlaltdel:/sbin/reboot
co:2345:respawn:/sbin/getty --autologin root console
`;
