/** Programs about processes, users, time and the machine. */
import type { Program } from '../../sys';
import { free } from './free';
import { arch, dmesg, env, groups, hostname, id, logname, printenv, tty, uname, whoami } from './identity';
import { logger } from './logger';
import { nice, renice } from './nice';
import { ps } from './ps';
import { nohup, time, watch } from './run';
import { chkconfig, service } from './services';
import { halt, poweroff, reboot, runlevel, shutdown } from './shutdown';
import { kill, killall, pgrep, pidof, pkill } from './signals';
import { stress } from './stress';
import { sysctl } from './sysctl';
import { clear, reset, stty } from './terminal';
import { cal, date, sleep, uptime, usleep } from './time';
import { top } from './top';
import { vmstat } from './vmstat';
import { xargs } from './xargs';

export const systemPrograms: readonly Program[] = [
  ...[free, arch, dmesg, env, groups, hostname, id, logname, printenv, tty, uname, whoami, logger, ps],
  ...[nohup, time, watch, chkconfig, service, halt, poweroff, reboot, runlevel, shutdown],
  ...[kill, killall, pgrep, pidof, pkill, nice, renice, stress, sysctl, clear, reset, stty],
  ...[cal, date, sleep, top, uptime, usleep, vmstat, xargs],
];
