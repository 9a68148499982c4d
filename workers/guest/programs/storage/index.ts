/** Programs about disks, file systems and archives. */
import type { Program } from '../../sys';
import { dd } from './dd';
import { losetup } from './losetup';
import { mount, umount } from './mount';
import { df, du } from './usage';

export const storagePrograms: readonly Program[] = [dd, df, du, losetup, mount, umount];
