/** Programs about processes, users, time and the machine. */
import type { Program } from '../../sys';
import { free } from './free';
import { arch, dmesg, env, groups, hostname, id, logname, printenv, tty, uname, whoami } from './identity';
import { logger } from './logger';
import { ps } from './ps';
import { halt, poweroff, reboot, runlevel, shutdown } from './shutdown';
import { kill, killall, pgrep, pidof, pkill } from './signals';
import { cal, date, sleep, uptime, usleep } from './time';
import { xargs } from './xargs';

export const systemPrograms: readonly Program[] = [
  ...[arch, cal, date, dmesg, env, free, groups, halt, hostname, id, kill, killall, logger, logname, pgrep, pidof, pkill],
  ...[poweroff, printenv, ps, reboot, runlevel, shutdown, sleep, tty, uname, uptime, usleep, whoami, xargs],
];
