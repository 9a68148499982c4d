/** Programs about disks and file systems. */
import type { Program } from '../../sys';
import { dd } from './dd';
import { fdisk } from './fdisk';
import { fsckPrograms } from './fsck';
import { losetup } from './losetup';
import { mkfsPrograms } from './mkfs';
import { mount, umount } from './mount';
import { nbdPrograms } from './nbd/index';
import { mkswap, swapoff, swapon } from './swap';
import { df, du } from './usage';

export const storagePrograms: readonly Program[] = [
  ...[dd, df, du, fdisk, losetup, mkswap, mount, swapoff, swapon, umount],
  ...mkfsPrograms,
  ...fsckPrograms,
  ...nbdPrograms,
];
