/**
 * What a guest's disk holds beyond the default root: it asks the network for an address and says who it is; as a driver
 * domain it attaches disks with the scripts that Domain-0 uses.
 */
import { dir, file, type RootTree, symlink } from '../guest/rootTree';

const HOTPLUG = [
  '/etc/hotplug/xen-backend.agent',
  '/etc/xen/scripts/block',
  '/etc/xen/scripts/block-common.sh',
  '/etc/xen/scripts/block-nbd',
  '/etc/xen/scripts/xen-hotplug-cleanup',
  '/etc/xen/scripts/xen-hotplug-common.sh',
  '/etc/xen/scripts/xen-script-common.sh',
];

/** `shipped`: the files that Domain-0 is installed from. */
export function guestFiles(shipped: readonly { path: string; mode: number; text: string }[]): RootTree {
  const scripts = HOTPLUG.flatMap((path) => shipped.filter((each) => each.path === path));
  return [
    symlink('/bin/bash', 'sh'),
    file('/etc/sysconfig/network-scripts/ifcfg-eth0', 'DEVICE=eth0\nBOOTPROTO=dhcp\nONBOOT=yes\n'),
    file('/etc/fstab', '/dev/root / ext3 defaults 1 1\nproc /proc proc defaults 0 0\n'),
    ...['/etc/hotplug', '/etc/xen', '/etc/xen/scripts', '/var/log/xen'].map((path) => dir(path)),
    ...scripts.map(({ path, mode, text }) => file(path, text, mode)),
  ];
}
