/**
 * The default root file system of a mini guest: what it finds when it is started with neither disk nor ramdisk, and what
 * disk images are filled with. /bin and /sbin hold one small executable for each program.
 */
import { makeExecutable } from './image';
import { IPTABLES, NETWORK, SERVICES } from './networkScripts';
import { dir, file, type RootEntry, type RootTree, symlink } from './rootTree';

/** Programs that belong into /sbin; everything else is in /bin. */
const SBIN = new Set([
  'init', 'getty', 'mingetty', 'halt', 'reboot', 'poweroff', 'shutdown', 'ifconfig', 'ip', 'route', 'arp', 'arping', 'losetup',
  'mkfs', 'mke2fs', 'mkfs.ext2', 'mkfs.ext3', 'fsck', 'fsck.ext2', 'fsck.ext3', 'e2fsck', 'mkswap', 'swapon', 'swapoff', 'sysctl', 'service', 'chkconfig', 'insmod', 'lsmod', 'modprobe',
  'nbd-client', 'nbd-server', 'nbd-reserve', 'telinit', 'runlevel', 'fdisk', 'brctl', 'hping2', 'ifup', 'ifdown', 'iptables', 'iptables-restore', 'iptables-save', 'useradd', 'userdel', 'groupadd', 'groupdel',
]); // biome-ignore format: a list

const DIRECTORIES: readonly (readonly [string, number])[] = [
  ['/bin', 0o755],
  ['/boot', 0o755],
  ['/dev', 0o755],
  ['/etc', 0o755],
  ['/etc/init.d', 0o755],
  ['/etc/rc.d', 0o755],
  ['/etc/sysconfig', 0o755],
  ['/etc/profile.d', 0o755],
  ['/home', 0o755],
  ['/lib', 0o755],
  ['/media', 0o755],
  ['/mnt', 0o755],
  ['/opt', 0o755],
  ['/proc', 0o555],
  ['/root', 0o700],
  ['/sbin', 0o755],
  ['/srv', 0o755],
  ['/sys', 0o755],
  ['/tmp', 0o1777],
  ['/usr', 0o755],
  ['/usr/bin', 0o755],
  ['/usr/sbin', 0o755],
  ['/usr/local', 0o755],
  ['/usr/local/bin', 0o755],
  ['/usr/share', 0o755],
  ['/var', 0o755],
  ['/var/lock', 0o755],
  ['/var/log', 0o755],
  ['/var/run', 0o755],
  ['/var/spool', 0o755],
  ['/var/tmp', 0o1777],
];

const INITTAB = `# inittab: what init runs, id:runlevels:action:process
id:3:initdefault:
si::sysinit:/etc/rc.d/rc.sysinit
l0:0:wait:/etc/rc.d/rc 0
l2:2:wait:/etc/rc.d/rc 2
l3:3:wait:/etc/rc.d/rc 3
l4:4:wait:/etc/rc.d/rc 4
l5:5:wait:/etc/rc.d/rc 5
l6:6:wait:/etc/rc.d/rc 6
ca::ctrlaltdel:/sbin/reboot
co:2345:respawn:/sbin/getty console
`;

const RC_SYSINIT = `#!/bin/sh
# First thing that init runs: the root file system, its name, the others.
PATH=/sbin:/bin:/usr/sbin:/usr/bin
[ -f /etc/sysconfig/network ] && . /etc/sysconfig/network
[ -n "$HOSTNAME" ] && hostname "$HOSTNAME"
if [ -f /etc/fstab ]; then
while read device point rest; do
        [ "$point" = / ] && mount -o remount,rw /
    done </etc/fstab
    mount -a
fi
ifconfig lo 127.0.0.1 up
`;

const RC = `#!/bin/sh
# Starts or stops the services of a runlevel: /etc/rc.d/rcN.d/K* with stop, then S* with start.
PATH=/sbin:/bin:/usr/sbin:/usr/bin
level=$1
for script in /etc/rc.d/rc$level.d/K*; do
    [ -x "$script" ] && "$script" stop
done
for script in /etc/rc.d/rc$level.d/S*; do
    [ -x "$script" ] && "$script" start
done
exit 0
`;

const PROFILE = `# profile: settings of every login shell
PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin
export PATH
if [ "$(id -u)" = 0 ]; then
    PS1='[\\u@\\h \\W]# '
else
    PS1='[\\u@\\h \\W]$ '
fi
export PS1
for script in /etc/profile.d/*.sh; do
    [ -r "$script" ] && . "$script"
done
unset script
`;

/** The files that do not depend on which programs there are. */
const FILES: RootTree = [
  file('/etc/passwd', 'root::0:0:root:/root:/bin/sh\nnobody:*:99:99:Nobody:/:/sbin/nologin\n'),
  file('/etc/group', 'root:x:0:root\nbin:x:1:\ntty:x:5:\ndisk:x:6:\nusers:x:100:\nnobody:x:99:\n'),
  file('/etc/hosts', '127.0.0.1\tlocalhost localhost.localdomain\n'),
  file('/etc/sysconfig/network', 'NETWORKING=yes\nHOSTNAME=\n'),
  dir('/etc/sysconfig/network-scripts'),
  file('/etc/fstab', '# device\tmount point\ttype\toptions\tdump\tpass\n'),
  file('/etc/inittab', INITTAB),
  file('/etc/rc.d/rc.sysinit', RC_SYSINIT, 0o755),
  file('/etc/rc.d/rc', RC, 0o755),
  ...[0, 1, 2, 3, 4, 5, 6].map((level) => dir(`/etc/rc.d/rc${level}.d`)),
  file('/etc/init.d/network', NETWORK, 0o755),
  ...[2, 3, 4, 5].map((level) => symlink(`/etc/rc.d/rc${level}.d/S10network`, '../../init.d/network')),
  file('/etc/init.d/iptables', IPTABLES, 0o755),
  ...[2, 3, 4, 5].map((level) => symlink(`/etc/rc.d/rc${level}.d/S08iptables`, '../../init.d/iptables')),
  file('/etc/services', SERVICES),
  file('/etc/issue', '\\n \\l\n\n'),
  file('/etc/motd', ''),
  file('/etc/profile', PROFILE),
  file('/etc/shells', '/bin/sh\n/bin/bash\n'),
  symlink('/etc/mtab', '/proc/mounts'),
  file('/var/log/wtmp', ''),
];

/** Other names, where their target exists and nothing else has the name. */
const ALIASES: RootTree = [
  symlink('/bin/bash', '/bin/sh'),
  symlink('/sbin/telinit', '/sbin/init'),
  symlink('/sbin/mingetty', '/sbin/getty'),
  symlink('/usr/bin/env', '/bin/env'),
];

const executables = new Map<string, RootEntry>();

/** The executable of a program, the same object each time. `su` and the like run as root whoever starts them. */
function executable(program: string, path: string): RootEntry {
  const key = `${program} ${path}`;
  let entry = executables.get(key);
  if (!entry) {
    const mode = SET_UID.has(program) ? 0o4755 : 0o755;
    entry = file(path, makeExecutable(program), mode);
    executables.set(key, entry);
  }
  return entry;
}

const SET_UID = new Set(['su', 'passwd', 'ping']);

/** Where the executable of a program is installed. */
export function pathOfProgram(program: string): string {
  return `${SBIN.has(program) ? '/sbin' : '/bin'}/${program}`;
}

/** The whole default tree for a system that has these programs. Content is shared between all callers. */
export function defaultRoot(programs: Iterable<{ readonly name: string }>): RootTree {
  const entries: RootEntry[] = [{ path: '/', kind: 'dir', mode: 0o755 }];
  for (const [path, mode] of DIRECTORIES) entries.push(dir(path, mode));
  for (const { name } of programs) entries.push(executable(name, pathOfProgram(name)));
  entries.push(...FILES);
  const names = new Set(entries.map(({ path }) => path));
  entries.push(...ALIASES.filter(({ path, target }) => !names.has(path) && names.has(target!)));
  return entries;
}
