/** Programs about users and groups. */
import type { Program } from '../../sys';
import { passwd } from './passwd';
import { su } from './su';
import { groupadd, groupdel, useradd, userdel } from './users';

export const accountPrograms: readonly Program[] = [groupadd, groupdel, passwd, su, useradd, userdel];
