/** iptables and its two companions. */
import type { Program } from '../../../sys';
import { iptables } from './iptables';
import { iptablesRestore } from './iptablesRestore';
import { iptablesSave } from './iptablesSave';

export const firewallPrograms: readonly Program[] = [iptables, iptablesRestore, iptablesSave];
