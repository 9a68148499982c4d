/** /dev as udev keeps it: the nodes that every system has, and one for each block device while it exists. */
import { LOOP_DEVICES, LOOP_MAJOR } from './block/memoryDevices';
import { NBD_DEVICES } from './block/nbd';
import { NBD_MAJOR } from './block/nbdDevice';
import type { BlockDevices } from './block/registry';
import type { Volume } from './fs/volume';
import { dir, fillVolume, type RootEntry, symlink } from './rootTree';

const char = (path: string, major: number, minor: number, mode: number, gid = 0): RootEntry => ({
  path,
  kind: 'char',
  mode,
  gid,
  major,
  minor,
});
const DISK_GID = 6;
const block = (path: string, major: number, minor: number): RootEntry => ({
  path,
  kind: 'block',
  mode: 0o660,
  gid: DISK_GID,
  major,
  minor,
});

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

const NODES: readonly RootEntry[] = [
  { path: '/', kind: 'dir', mode: 0o755 },
  char('/null', 1, 3, 0o666),
  char('/zero', 1, 5, 0o666),
  char('/full', 1, 7, 0o666),
  char('/random', 1, 8, 0o666),
  char('/urandom', 1, 9, 0o666),
  char('/kmsg', 1, 11, 0o600),
  char('/tty', 5, 0, 0o666, 5),
  char('/console', 5, 1, 0o600),
  char('/ptmx', 5, 2, 0o666, 5),
  char('/tty1', 4, 1, 0o600, 5),
  char('/xvc0', 204, 191, 0o600, 5),
  dir('/pts'),
  dir('/shm', 0o1777),
  symlink('/fd', '/proc/self/fd'),
  symlink('/stdin', '/proc/self/fd/0'),
  symlink('/stdout', '/proc/self/fd/1'),
  symlink('/stderr', '/proc/self/fd/2'),
  block('/ram0', 1, 0),
  block('/ram1', 1, 1),
  ...range(LOOP_DEVICES).map((number) => block(`/loop${number}`, LOOP_MAJOR, number)),
  ...range(NBD_DEVICES).map((number) => block(`/nbd${number}`, NBD_MAJOR, number)),
];

/** Block devices whose nodes stay while nothing is behind them. */
const STANDARD_MAJORS: ReadonlySet<number> = new Set([1, LOOP_MAJOR, NBD_MAJOR]);

/** Makes the standard nodes. */
export function makeDeviceNodes(volume: Volume, nowSeconds: number): void {
  fillVolume(volume, NODES, nowSeconds);
}

/** Adds nodes of new block devices and removes those that the kernel added for devices that are gone. */
export function syncBlockNodes(volume: Volume, devices: BlockDevices, nowSeconds: number): void {
  const entries = volume.root.entries!;
  for (const [name, inode] of entries) {
    const isStandard = STANDARD_MAJORS.has(inode.rdevMajor);
    if (inode.kind === 'block' && !isStandard && !devices.find({ major: inode.rdevMajor, minor: inode.rdevMinor }))
      entries.delete(name);
  }
  for (const device of devices.list()) {
    if (entries.has(device.name)) continue;
    fillVolume(volume, [block(`/${device.name}`, device.major, device.minor)], nowSeconds);
  }
}
