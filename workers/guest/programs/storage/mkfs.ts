/** mke2fs and its names mkfs, mkfs.ext2, mkfs.ext3: an empty ext2 on a device or in a file (e2fsprogs 1.39). */
import { hasSuperblock } from '../../fs/ext2/layout';
import { mkfs as layOut, type MkfsResult } from '../../fs/ext2/mkfs';
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { type Answer, isYes, readAnswer } from '../ask';
import { guarded, type Options, optionsOf, sizeOf, ToolError, type ToolSpec } from '../options';
import { isWritten } from './drain';

/** Neighbouring blocks are written together, so many bytes at once. */
const RUN_BYTES = 65536;

interface MkfsState {
  status: number;
  phase: 'ask' | 'plan' | 'write' | 'drain';
  readonly path: string;
  readonly fd: number;
  readonly quiet: boolean;
  readonly answer: Answer;
  /** What is still to be written: byte offset and bytes. */
  writes: [number, Uint8Array][];
  readonly label: string;
  /** 0: as mke2fs.conf says. */
  readonly blockSize: number;
  readonly bytesPerInode: number;
  /** Blocks asked for; 0: all there are. */
  readonly blocks: number;
}

const SPEC: ToolSpec = {
  usage:
    '[-c|-t|-l filename] [-b block-size] [-f fragment-size]\n\t[-i bytes-per-inode] [-j] [-J journal-options] [-N number-of-inodes]\n\t[-m reserved-blocks-percentage] [-o creator-os] [-g blocks-per-group]\n\t[-L volume-label] [-M last-mounted-directory] [-O feature[,...]]\n\t[-r fs-revision] [-R options] [-qvSV] device [blocks-count]',
  options: 't:b:i:jL:m:qFvcN:I:O:E:T:V',
};
const VERSION = 'mke2fs 1.39 (29-May-2006)\n';

const maker = (name: string): Program<MkfsState> => ({
  name,
  start(sys) {
    const options = optionsOf(sys, name, SPEC);
    const begun = typeof options === 'number' ? options : guarded(sys, name, SPEC, () => begin(sys, name, options));
    return typeof begun === 'number' ? { ...BLANK, answer: { text: '' }, writes: [], status: begun } : begun;
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    switch (state.phase) {
      case 'ask':
        return ask(sys, state);
      case 'plan':
        return plan(sys, name, state);
      case 'write':
        return write(sys, name, state);
      case 'drain':
        if (!isWritten(sys, state.fd)) return wait({ readable: state.fd });
        if (!state.quiet) sys.print('Writing superblocks and filesystem accounting information: done\n\n');
        return exit(0);
    }
  },
});

const BLANK = {
  status: -1,
  path: '',
  fd: -1,
  quiet: false,
  label: '',
  blockSize: 0,
  bytesPerInode: 0,
  blocks: 0,
  phase: 'plan',
} as const;

function begin(sys: Sys, name: string, options: Options): MkfsState | number {
  const type = options.value('t') ?? 'ext2';
  if (name === 'mkfs' && type !== 'ext2' && type !== 'ext3')
    throw new ToolError(`mkfs.${type}: No such file or directory`);
  const [path, blocksText] = options.words;
  if (!options.has('q') || options.has('V')) sys.eprint(VERSION);
  if (options.has('V')) return 0;
  if (path === undefined) {
    sys.eprint(`Usage: ${name} ${SPEC.usage}\n`);
    return 1;
  }
  const blockSize = Number(options.value('b') ?? 0);
  if (![0, 1024, 2048, 4096].includes(blockSize)) throw new ToolError(`invalid block size - ${options.value('b')}`);
  const blocks = blocksText === undefined ? 0 : sizeOf(blocksText);
  if (blocks === undefined) throw new ToolError(`invalid blocks count - ${blocksText}`);
  const bytesPerInode = Number(options.value('i') ?? 0);
  if (bytesPerInode !== 0 && !(bytesPerInode >= 1024))
    throw new ToolError(`invalid inode ratio ${options.value('i')} (min 1024/max 4194304)`);
  const fd = open(sys, path);
  const { kind } = sys.fstat(fd);
  if (kind === 'block' && sys.mounts().some(({ source }) => source === path))
    throw new ToolError(`${path} is mounted; will not make a filesystem here!`);
  const isAsking = kind !== 'block' && !options.has('F');
  if (isAsking) sys.print(`${path} is not a block special device.\nProceed anyway? (y,n) `);
  const wishes = { label: options.value('L') ?? '', blockSize, bytesPerInode, blocks };
  return {
    ...BLANK,
    path,
    fd,
    quiet: options.has('q'),
    answer: { text: '' },
    writes: [],
    phase: isAsking ? 'ask' : 'plan',
    ...wishes,
  };
}

function open(sys: Sys, path: string): number {
  try {
    return sys.open(path, { read: true, write: true });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const hint = error.code === 'ENOENT' ? '\nThe device apparently does not exist; did you specify it correctly?' : '';
    throw new ToolError(
      error.code === 'ENOENT'
        ? `Could not stat ${path} --- No such file or directory\n${hint}`
        : `${new SysError(error.code).message} while trying to open ${path}`,
    );
  }
}

function ask(sys: Sys, state: MkfsState): Step {
  const text = readAnswer(sys, state.answer);
  if (text === undefined) return wait({ readable: 0 });
  if (!isYes(text)) return exit(1);
  state.phase = 'plan';
  return again();
}

/** Lays the file system out and says what it will be. */
function plan(sys: Sys, name: string, state: MkfsState): Step {
  const stat = sys.fstat(state.fd);
  const whole = sys.seek(state.fd, 0, 'end');
  const bytes = state.blocks > 0 ? state.blocks * (state.blockSize || 1024) : whole;
  if (stat.kind === 'block' && bytes > whole) {
    sys.eprint(`${name}: Filesystem larger than apparent device size.\n`);
    return exit(1);
  }
  const uuid = Uint8Array.from({ length: 16 }, () => sys.random(256));
  uuid[6] = (uuid[6]! & 0x0f) | 0x40;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  const result = layOut(Math.floor(bytes / 512), {
    ...(state.blockSize ? { blockSize: state.blockSize } : {}),
    ...(state.bytesPerInode ? { bytesPerInode: state.bytesPerInode } : {}),
    label: state.label,
    uuid,
    time: Math.floor(sys.wallClock),
    isBlank: stat.kind === 'file' && stat.blocks === 0,
  });
  if (!result) {
    sys.eprint(`${name}: Device size reported to be too small while setting up superblock\n`);
    return exit(1);
  }
  state.writes = runsOf(result);
  if (!state.quiet) sys.print(`${describe(result, state.label)}Writing inode tables: `);
  state.phase = 'write';
  return again();
}

/** Neighbouring blocks joined, in the order of the disk. */
function runsOf({ writes, blockSize }: MkfsResult): [number, Uint8Array][] {
  const runs: { at: number; blocks: Uint8Array[] }[] = [];
  for (const [block, bytes] of [...writes].sort((a, b) => a[0] - b[0])) {
    const last = runs.at(-1);
    const isNext = last && last.at + last.blocks.length * blockSize === block * blockSize;
    if (isNext && (last.blocks.length + 1) * blockSize <= RUN_BYTES) last.blocks.push(bytes);
    else runs.push({ at: block * blockSize, blocks: [bytes] });
  }
  return runs.map(({ at, blocks }) => {
    const joined = new Uint8Array(blocks.length * blockSize);
    blocks.forEach((bytes, i) => {
      joined.set(bytes, i * blockSize);
    });
    return [at, joined];
  });
}

function describe({ blockSize, blocks, inodes }: MkfsResult, label: string): string {
  const perGroup = 8 * blockSize;
  const first = blockSize === 1024 ? 1 : 0;
  const groups = Math.ceil((blocks - first) / perGroup);
  const log = Math.log2(blockSize / 1024);
  const backups: number[] = [];
  for (let group = 1; group < groups; group++) if (hasSuperblock(group)) backups.push(group * perGroup + first);
  const backupText = backups.length > 0 ? `Superblock backups stored on blocks: \n\t${backups.join(', ')}\n` : '';
  return `Filesystem label=${label}
OS type: Linux
Block size=${blockSize} (log=${log})
Fragment size=${blockSize} (log=${log})
${inodes} inodes, ${blocks} blocks
${Math.floor(blocks / 20)} blocks (5.00%) reserved for the super user
First data block=${first}
${groups} block group${groups === 1 ? '' : 's'}
${perGroup} blocks per group, ${perGroup} fragments per group
${Math.round(inodes / groups)} inodes per group
${backupText}
`;
}

function write(sys: Sys, name: string, state: MkfsState): Step {
  for (let next = state.writes[0]; next; next = state.writes[0]) {
    const [at, bytes] = next;
    let taken: number;
    try {
      taken = sys.pwrite(state.fd, bytes, at);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`\n${name}: ${error.message} while writing out and closing file system\n`);
      return exit(1);
    }
    if (taken === 0) return wait({ writable: state.fd });
    if (taken === bytes.length) state.writes.shift();
    else state.writes[0] = [at + taken, bytes.slice(taken)];
  }
  if (!state.quiet) sys.print('done                            \n');
  sys.seek(state.fd, 0, 'set');
  state.phase = 'drain';
  return again();
}

export const mkfsPrograms = ['mkfs', 'mkfs.ext2', 'mkfs.ext3', 'mke2fs'].map(maker);
