/** What a guest's disk holds beyond the default root: it asks the network for an address and says who it is. */
import { file, type RootTree, symlink } from '../guest/rootTree';

export function guestFiles(): RootTree {
  return [
    symlink('/bin/bash', 'sh'),
    file('/etc/sysconfig/network-scripts/ifcfg-eth0', 'DEVICE=eth0\nBOOTPROTO=dhcp\nONBOOT=yes\n'),
    file('/etc/fstab', '/dev/root / ext3 defaults 1 1\nproc /proc proc defaults 0 0\n'),
  ];
}
