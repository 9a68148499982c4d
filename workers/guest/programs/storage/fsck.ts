/** fsck, e2fsck and their names: whether ext2 file systems were left in order (e2fsprogs 1.39). */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { guarded, optionsOf, ToolError, type ToolSpec } from '../options';
import { fstab } from './mount';
import { readSuperblock } from './superblock';

const SPEC: ToolSpec = {
  usage: '[-AaCfnpPRsTvyV] [-t fstype] [filesys ...]',
  options: 'AaC::fnpPRsTvyVt:cdkDFb:B:l:L:',
};
/** Exit statuses of fsck(8), or-ed together. */
const ERRORS_LEFT = 4;
const OPERATIONAL = 8;
const USAGE = 16;

interface FsckState {
  status: number;
  /** Devices that are still to be checked; the first is open as `fd`. */
  readonly queue: string[];
  fd: number;
  isOver: boolean;
}

const checker = (name: string): Program<FsckState> => ({
  name,
  start(sys) {
    const begun = guarded(sys, name, { usageStatus: USAGE }, () => devices(sys, name));
    return typeof begun === 'number'
      ? { status: begun, queue: [], fd: -1, isOver: true }
      : { status: 0, queue: begun, fd: -1, isOver: false };
  },
  step(sys, state) {
    const [device] = state.queue;
    if (state.isOver || device === undefined) return exit(state.status);
    if (state.fd < 0) {
      const problem = open(sys, state, device);
      if (problem !== undefined) return next(sys, state, problem, OPERATIONAL);
    }
    const superblock = readSuperblock(sys, state.fd);
    if (superblock === undefined) return wait({ readable: state.fd });
    if (superblock === null) return next(sys, state, badMagic(device), OPERATIONAL);
    const { inodes, freeInodes, blocks, freeBlocks, isClean } = superblock;
    if (!isClean) {
      const text = `${device} was not cleanly unmounted, check forced.\n${device}: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n\t(i.e., without -a or -p options)\n`;
      return next(sys, state, text, ERRORS_LEFT);
    }
    sys.print(`${device}: clean, ${inodes - freeInodes}/${inodes} files, ${blocks - freeBlocks}/${blocks} blocks\n`);
    return next(sys, state, '', 0);
  },
});

/** The arguments, or with -A what /etc/fstab wants checked: the root first. */
function devices(sys: Sys, name: string): string[] | number {
  const options = optionsOf(sys, name, SPEC);
  if (typeof options === 'number') return options;
  const isFront = name === 'fsck';
  if (isFront && !options.has('T')) sys.print('fsck 1.39 (29-May-2006)\n');
  if (options.has('V')) return 0;
  const entries = fstab(sys).filter(({ type, pass }) => /^ext[23]$/.test(type) && pass > 0);
  const ordered = [...entries]
    .sort((a, b) => a.pass - b.pass)
    .filter(({ target }) => target !== '/' || !options.has('R'));
  const named = options.words.map((word) => fstab(sys).find(({ target }) => target === word)?.source ?? word);
  if (!isFront && named.length === 0) throw new ToolError(`Usage: ${name} ${SPEC.usage}`, USAGE);
  const chosen = named.length > 0 ? named : ordered.map(({ source }) => source);
  if (chosen.length > 0) sys.eprint('e2fsck 1.39 (29-May-2006)\n');
  return chosen;
}

/** Opens the device as `fd`; what hinders the check is returned. */
function open(sys: Sys, state: FsckState, device: string): string | undefined {
  const mount = sys.mounts().find(({ source }) => source === device);
  if (mount && !mount.options.split(',').includes('ro')) {
    return `${device} is mounted.  \n\nWARNING!!!  Running e2fsck on a mounted filesystem may cause\nSEVERE filesystem damage.\n\nDo you really want to continue (y/n)? no\n\ncheck aborted.\n`;
  }
  try {
    state.fd = sys.open(device, { read: true });
    return undefined;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const reason = new SysError(error.code).message;
    return `fsck.ext2: ${reason} while trying to open ${device}\n${error.code === 'ENOENT' || error.code === 'ENXIO' ? SUPERBLOCK_HINT : ''}`;
  }
}

const SUPERBLOCK_HINT = `
The superblock could not be read or does not describe a correct ext2
filesystem.  If the device is valid and it really contains an ext2
filesystem (and not swap or ufs or something else), then the superblock
is corrupt, and you might try running e2fsck with an alternate superblock:
    e2fsck -b 8193 <device>

`;
const badMagic = (device: string) =>
  `fsck.ext2: Bad magic number in super-block while trying to open ${device}\n${SUPERBLOCK_HINT}`;

function next(sys: Sys, state: FsckState, problem: string, status: number): Step {
  if (problem !== '') sys.eprint(problem);
  if (state.fd >= 0) sys.close(state.fd);
  state.fd = -1;
  state.status |= status;
  state.queue.shift();
  return again();
}

export const fsckPrograms = ['fsck', 'fsck.ext2', 'fsck.ext3', 'e2fsck'].map(checker);
