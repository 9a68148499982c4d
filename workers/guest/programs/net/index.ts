/** The network tools of the common userland. */
import type { Program } from '../../sys';
import { brctl } from './brctl';
import { dhclient } from './dhclient';
import { hping2 } from './hping2';
import { arp, ifconfig, route } from './ifconfig';
import { ip } from './ip';
import { firewallPrograms } from './iptables/index';
import { nc } from './nc';
import { ping } from './ping';
import { wget } from './wget';

export const netPrograms: readonly Program[] = [
  arp,
  brctl,
  dhclient,
  ...firewallPrograms,
  hping2,
  ifconfig,
  ip,
  nc,
  ping,
  route,
  wget,
];
