/** What a guest's disk holds beyond the default root: it asks the network for an address and says who it is. */
import { file, type RootTree, symlink } from '../guest/rootTree';

export function guestFiles(): RootTree {
  return [
    symlink('/bin/bash', 'sh'),
    file('/etc/sysconfig/network-scripts/ifcfg-eth0', 'DEVICE=eth0\nBOOTPROTO=dhcp\nONBOOT=yes\n'),
    symlink('/etc/rc.d/rc3.d/S10network', '../../init.d/network'),
  ];
}
