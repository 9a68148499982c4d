/** stat: what an inode says (coreutils 5.97). */
import { strerror } from '../../../lib/errno';
import { type Stat, type Sys, SysError } from '../../sys';
import { formatDate } from '../dates';
import { kindBits, modeText } from '../modes';
import { tool, UsageError } from '../options';
import { groupName, userName } from '../users';

const KIND: Readonly<Record<Stat['kind'], string>> = {
  file: 'regular file',
  dir: 'directory',
  symlink: 'symbolic link',
  char: 'character special file',
  block: 'block special file',
  fifo: 'fifo',
  socket: 'socket',
};

const date = (seconds: number) => formatDate('%Y-%m-%d %H:%M:%S.%N +0000', seconds);

const DEFAULT = `  File: %N
  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F
Device: %Dh/%dd\tInode: %-10i  Links: %-5h`;

/** `-t`: everything in one line. */
const TERSE = '%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %o';

export const stat = tool(
  'stat',
  {
    usage: '[OPTION] FILE...',
    options: 'Lfc:t',
    long: { dereference: 'L', 'file-system': 'f', format: 'c', printf: 'printf:', terse: 't' },
  },
  (sys, options, words) => {
    if (words.length === 0) throw new UsageError('missing operand');
    let status = 0;
    for (const path of words) {
      try {
        const print = options.value('printf');
        const format = print ?? options.value('c') ?? (options.has('t') ? TERSE : undefined);
        if (options.has('f')) sys.print(`${fileSystem(sys, path, format)}\n`);
        else {
          const it = options.has('L') ? sys.stat(path) : sys.lstat(path);
          if (print !== undefined) sys.print(expand(sys, path, it, print.replace(/\\n/g, '\n').replace(/\\t/g, '\t')));
          else sys.print(`${format === undefined ? usual(sys, path, it) : expand(sys, path, it, format)}\n`);
        }
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        sys.eprint(`stat: cannot stat \`${path}': ${strerror[error.code]}\n`);
        status = 1;
      }
    }
    return status;
  },
);

function usual(sys: Sys, path: string, it: Stat): string {
  const isDevice = it.kind === 'char' || it.kind === 'block';
  return expand(
    sys,
    path,
    it,
    `${DEFAULT}${isDevice ? ' Device type: %t,%T' : ''}
Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)
Access: %x
Modify: %y
Change: %z`,
  );
}

function expand(sys: Sys, path: string, it: Stat, format: string): string {
  return format.replace(
    /%([-0]*)(\d*)(?:\.\d+)?([a-zA-Z%])/g,
    (whole, flags: string, width: string, letter: string) => {
      const text = field(sys, path, it, letter);
      if (text === undefined) return whole;
      if (flags.includes('-')) return text.padEnd(Number(width));
      return text.padStart(Number(width), flags.includes('0') ? '0' : ' ');
    },
  );
}

function field(sys: Sys, path: string, it: Stat, letter: string): string | undefined {
  switch (letter) {
    case 'a': return it.mode.toString(8);
    case 'A': return modeText(it);
    case 'b': return String(it.blocks);
    case 'B': return '512';
    case 'd': return String(it.dev);
    case 'D': return it.dev.toString(16);
    case 'f': return (kindBits[it.kind] | it.mode).toString(16);
    case 'F': return it.kind === 'file' && it.size === 0 ? 'regular empty file' : KIND[it.kind];
    case 'g': return String(it.gid);
    case 'G': return groupName(sys, it.gid);
    case 'h': return String(it.nlink);
    case 'i': return String(it.ino);
    case 'n': return path;
    case 'N': return it.kind === 'symlink' ? `\`${path}' -> \`${sys.readlink(path)}'` : `\`${path}'`;
    case 'o': return '4096';
    case 's': return String(it.size);
    case 't': return it.rdevMajor.toString(16);
    case 'T': return it.rdevMinor.toString(16);
    case 'u': return String(it.uid);
    case 'U': return userName(sys, it.uid);
    case 'x': return date(it.atime);
    case 'X': return String(Math.floor(it.atime));
    case 'y': return date(it.mtime);
    case 'Y': return String(Math.floor(it.mtime));
    case 'z': return date(it.ctime);
    case 'Z': return String(Math.floor(it.ctime));
    case '%': return '%';
    default: return undefined;
  }
} // biome-ignore format: a table

function fileSystem(sys: Sys, path: string, format: string | undefined): string {
  const it = sys.statfs(path);
  const { target } = mountOf(sys, path);
  const type =
    sys
      .mounts()
      .filter((mount) => mount.target === target)
      .at(-1)?.type ?? '?';
  const shown = type === 'ext2' || type === 'ext3' ? 'ext2/ext3' : type;
  if (format !== undefined) {
    const fields: Record<string, string | number> = {
      n: path,
      T: shown,
      s: it.blockSize,
      S: it.blockSize,
      b: it.blocks,
      f: it.free,
      a: it.free,
      c: it.inodes,
      d: it.freeInodes,
      '%': '%',
    };
    return format.replace(/%([a-zA-Z%])/g, (whole, letter: string) => String(fields[letter] ?? whole));
  }
  return `  File: "${path}"
    ID: 0        Namelen: 255     Type: ${shown}
Block size: ${String(it.blockSize).padEnd(10)} Fundamental block size: ${it.blockSize}
Blocks: Total: ${String(it.blocks).padEnd(10)} Free: ${String(it.free).padEnd(10)} Available: ${it.free}
Inodes: Total: ${String(it.inodes).padEnd(10)} Free: ${it.freeInodes}`;
}

/** The mount a path lies on: the longest mount point that its real path starts with. */
export function mountOf(sys: Sys, path: string): { source: string; target: string; type: string; options: string } {
  const real = sys.realpath(path);
  let best = { source: 'none', target: '/', type: 'rootfs', options: 'rw' };
  for (const mount of sys.mounts()) {
    const isAbove = mount.target === '/' || real === mount.target || real.startsWith(`${mount.target}/`);
    if (isAbove && mount.target.length >= best.target.length) best = mount;
  }
  return best;
}
