/** mount and umount (util-linux 2.13): the list, one file system, or all of /etc/fstab; `-o loop` makes the loop device. */
import { strerror } from '../../../lib/errno';
import { type Sys, SysError } from '../../sys';
import { guarded, type Options, quietly, ToolError, type ToolSpec, tool } from '../options';
import { freeLoop } from './losetup';

const SPEC: ToolSpec = {
  usage: '[-lhV] | -a [-t fstype] | [-o opts] [-t fstype] device dir',
  options: 'at:o:rwnvlfFhVL:U:s',
  long: { bind: 'bind', move: 'move' },
};

/** What to mount where. */
interface MountRequest {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
}

/** A line of /etc/fstab. */
export interface FstabEntry extends MountRequest {
  /** When fsck -A looks at it: 0 never, 1 first. */
  readonly pass: number;
}

export const mount = tool('mount', SPEC, (sys, options, words) => {
  if (options.has('a')) return mountAll(sys, options);
  if (words.length === 0) {
    const type = options.value('t');
    for (const it of sys.mounts())
      if (it.type !== 'rootfs' && (type === undefined || type === it.type))
        sys.print(`${it.source} on ${it.target} type ${it.type} (${it.options})\n`);
    return;
  }
  if (sys.uid !== 0) throw new ToolError('only root can do that', 1);
  if (words.length > 2) {
    sys.eprint(
      'Usage: mount -V                 : print version\n       mount -h                 : print this help\n       mount                    : list mounted filesystems\nMount -l and so on are in the manual page.\n',
    );
    return 1;
  }
  const given = (options.value('o') ?? '').split(',').filter((it) => it !== '');
  if (options.has('r')) given.push('ro');
  if (options.has('w')) given.push('rw');
  if (words.length === 1) {
    const [word = ''] = words;
    if (given.includes('remount')) {
      const target = [...sys.mounts()]
        .reverse()
        .find((it) => it.target === word.replace(/(.)\/+$/, '$1') || it.source === word)?.target;
      if (target === undefined) throw new ToolError(`${word} not mounted already, or bad option`, 32);
      return mountOne(sys, { source: '', target, type: '', options: given.join(',') });
    }
    const entry = fstab(sys).find(({ source, target }) => source === word || target === word);
    if (!entry) throw new ToolError(`can't find ${word} in /etc/fstab or /etc/mtab`);
    return mountOne(sys, {
      ...entry,
      type: options.value('t') ?? entry.type,
      options: [entry.options, ...given].join(','),
    });
  }
  return mountOne(sys, {
    source: words[0]!,
    target: words[1]!,
    type: options.value('t') ?? '',
    options: given.join(','),
  });
});

/** Entries of /etc/fstab. */
export function fstab(sys: Sys): FstabEntry[] {
  return (quietly(() => sys.readText('/etc/fstab')) ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.length >= 3 && !words[0]!.startsWith('#'))
    .map(([source = '', target = '', type = '', options = 'defaults', , pass = '0']) => ({
      source,
      target,
      type,
      options,
      pass: Number(pass) || 0,
    }));
}

/** Options that are for mount(8) and fstab, not for the kernel. */
const OWN_OPTIONS = new Set([
  'defaults',
  'auto',
  'noauto',
  'user',
  'nouser',
  'users',
  'owner',
  'loop',
  '_netdev',
  'async',
]);

function mountOne(sys: Sys, entry: MountRequest): number {
  const { target } = entry;
  const given = entry.options.split(',').filter((it) => it !== '');
  const offset = Number(given.find((it) => it.startsWith('offset='))?.slice(7) ?? 0);
  const passed = given
    .filter((it) => !OWN_OPTIONS.has(it) && !it.startsWith('loop=') && !it.startsWith('offset='))
    .join(',');
  const isRemount = given.includes('remount');
  let { source } = entry;
  let loop: string | undefined;
  if (!isRemount) checkPlaces(sys, entry);
  const isFile = quietly(() => sys.stat(source))?.kind === 'file';
  if (!isRemount && given.some((it) => it === 'loop' || it.startsWith('loop='))) {
    if (!isFile) throw new ToolError(`${source} is not a block device (maybe try \`-o loop'?)`, 32);
    // The step may be run again from its start while the device is read: the loop device is then there already.
    loop = attachedFor(sys, source, offset) ?? given.find((it) => it.startsWith('loop='))?.slice(5) ?? freeLoop(sys);
    if (loop === undefined) throw new ToolError('could not find any free loop device', 2);
    if (attachedFor(sys, source, offset) === undefined)
      sys.attachLoop(loop, source, { offset, readonly: given.includes('ro') });
    source = loop;
  } else if (!isRemount && isFile && needsDevice(entry.type))
    throw new ToolError(`${source} is not a block device (maybe try \`-o loop'?)`, 32);
  try {
    tryTypes(sys, source, target, entry.type, passed);
    return 0;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (loop !== undefined) quietly(() => sys.detachLoop(loop));
    sys.eprint(`mount: ${complaint(sys, error, source, target, entry.type)}\n`);
    return 32;
  }
}

const needsDevice = (type: string) => type === '' || type === 'auto' || type.startsWith('ext');

function attachedFor(sys: Sys, file: string, offset: number): string | undefined {
  const real = sys.realpath(file);
  const mounted = new Set(sys.mounts().map(({ source }) => source));
  return sys.loopDevices().find((it) => it.path === real && it.offset === offset && !mounted.has(it.device))?.device;
}

function checkPlaces(sys: Sys, { source, target, type }: MountRequest): void {
  const stat = quietly(() => sys.stat(target));
  if (!stat) throw new ToolError(`mount point ${target} does not exist`, 32);
  if (stat.kind !== 'dir') throw new ToolError(`mount point ${target} is not a directory`, 32);
  if (needsDevice(type) && !sys.exists(source)) throw new ToolError(`special device ${source} does not exist`, 32);
}

/** Without a type the disk file systems are tried one after the other. */
function tryTypes(sys: Sys, source: string, target: string, type: string, options: string): void {
  const known = (quietly(() => sys.readText('/proc/filesystems')) ?? '')
    .split('\n')
    .filter((line) => /^\t/.test(line))
    .map((line) => line.trim());
  // ext3 without its journal is ext2.
  const wanted = type === '' || type === 'auto' ? known : [type === 'ext3' && !known.includes('ext3') ? 'ext2' : type];
  if (options.includes('remount')) {
    sys.mount(source, target, type, options);
    return;
  }
  let failure: SysError | undefined;
  for (const each of wanted) {
    try {
      sys.mount(source, target, each, options);
      return;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      failure = error;
      if (error.code !== 'EINVAL') break;
    }
  }
  throw failure ?? new SysError('ENODEV', source);
}

function complaint(sys: Sys, error: SysError, source: string, target: string, type: string): string {
  switch (error.code) {
    case 'EBUSY':
      return `${source} already mounted or ${target} busy`;
    case 'ENODEV':
      return type === '' ? 'you must specify the filesystem type' : `unknown filesystem type '${type}'`;
    case 'ENOTBLK':
      return `${source} is not a block device`;
    case 'ENXIO':
      return `${source} is not a valid block device`;
    case 'EPERM':
      return 'permission denied';
    case 'EINVAL':
      if (type === '' || type === 'auto') return 'you must specify the filesystem type';
      return `wrong fs type, bad option, bad superblock on ${source},\n       missing codepage or other error\n       In some cases useful info is found in syslog - try\n       dmesg | tail  or so\n`;
    case 'EIO':
      return `${source}: can't read superblock`;
    default:
      return sys.exists(source) ? strerror[error.code] : `special device ${source} does not exist`;
  }
}

function mountAll(sys: Sys, options: Options): number {
  let status = 0;
  const wanted = options.value('t');
  for (const entry of fstab(sys)) {
    const given = entry.options.split(',');
    if (given.includes('noauto') || entry.type === 'swap' || entry.type === 'ignore' || !entry.target.startsWith('/'))
      continue;
    if (wanted !== undefined && !wanted.split(',').includes(entry.type)) continue;
    if (sys.mounts().some((it) => it.target === entry.target)) continue;
    const result = guarded(sys, 'mount', {}, () => mountOne(sys, entry));
    if (result !== 0) status = 32;
  }
  return status;
}

export const umount = tool(
  'umount',
  { usage: '[-hV] | -a [-t vfstype] | [-dflnrv] special | node...', options: 'adflnrvt:hV' },
  (sys, options, words) => {
    if (sys.uid !== 0) throw new ToolError('only root can do that');
    const all = [...sys.mounts()].reverse();
    const targets = options.has('a')
      ? all
          .filter(
            (it) =>
              !['rootfs', 'proc', 'sysfs', 'devpts'].includes(it.type) && it.target !== '/' && it.target !== '/dev',
          )
          .map((it) => it.target)
      : words;
    if (targets.length === 0 && !options.has('a')) {
      sys.eprint(
        'Usage: umount [-hV]\n       umount -a [-f] [-r] [-n] [-v] [-t vfstypes] [-O opts]\n       umount [-f] [-r] [-n] [-v] special | node...\n',
      );
      return 2;
    }
    let status = 0;
    for (const word of targets) if (!umountOne(sys, word)) status = 1;
    return status;
  },
);

function umountOne(sys: Sys, word: string): boolean {
  if (!sys.exists(word) && !sys.mounts().some(({ source }) => source === word)) {
    sys.eprint(`umount: ${word}: not found\n`);
    return false;
  }
  const real = quietly(() => sys.realpath(word)) ?? word;
  const loopFile = sys.loopDevices().find(({ path }) => path === real)?.device;
  const found = [...sys.mounts()]
    .reverse()
    .find((it) => it.target === real || it.source === word || it.source === loopFile);
  const target = found?.target ?? word;
  try {
    sys.umount(target);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const text = {
      EINVAL: `${word}: not mounted`,
      ENOENT: `${word}: not found`,
      EBUSY: `${target}: device is busy`,
      EPERM: `${word}: must be superuser to umount`,
    }[error.code as 'EINVAL'];
    sys.eprint(`umount: ${text ?? `${word}: ${strerror[error.code]}`}\n`);
    return false;
  }
  // A loop device that a mount set up goes with it.
  if (found?.source.startsWith('/dev/loop')) quietly(() => sys.detachLoop(found.source));
  return true;
}
