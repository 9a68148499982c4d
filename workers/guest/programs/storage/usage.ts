/** How full file systems are (df) and what takes the space (du); coreutils 5.97. */
import { strerror } from '../../../lib/errno';
import { type Sys, SysError } from '../../sys';
import { mountOf } from '../files/stat';
import { humanSize } from '../numbers';
import { type Options, tool } from '../options';
import { joinPath } from '../paths';

interface DfRow {
  readonly source: string;
  readonly type: string;
  readonly target: string;
  readonly cells: readonly [total: string, used: string, free: string, percent: string];
}

export const df = tool(
  'df',
  {
    usage: '[OPTION]... [FILE]...',
    options: 'hHkmTiPalt:x:B:',
    long: {
      'human-readable': 'h',
      'print-type': 'T',
      inodes: 'i',
      portability: 'P',
      all: 'a',
      local: 'l',
      type: 't',
      'exclude-type': 'x',
    },
  },
  (sys, options, words) => {
    let status = 0;
    const mounts = [];
    for (const word of words) {
      try {
        mounts.push(mountOf(sys, word));
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        sys.eprint(`df: \`${word}': ${strerror[error.code]}\n`);
        status = 1;
      }
    }
    if (words.length === 0) mounts.push(...visibleMounts(sys));
    const rows: DfRow[] = [];
    for (const mount of mounts) {
      if (options.has('t') && options.value('t') !== mount.type) continue;
      if (options.has('x') && options.value('x') === mount.type) continue;
      const space = sys.statfs(mount.target);
      const [total, free] = options.has('i')
        ? [space.inodes, space.freeInodes]
        : [space.blocks * space.blockSize, space.free * space.blockSize];
      if (words.length === 0 && total === 0 && !options.has('a')) continue;
      const used = total - free;
      const show = (value: number) => {
        if (options.has('i')) return options.has('h') ? humanSize(value) : String(value);
        if (options.has('h', 'H')) return humanSize(value);
        return String(Math.ceil(value / (options.has('m') ? 1048576 : 1024)));
      };
      const percent = total === 0 ? '-' : `${Math.ceil((100 * used) / total)}%`;
      rows.push({
        source: mount.source,
        type: mount.type,
        target: mount.target,
        cells: [show(total), show(used), show(free), percent],
      });
    }
    if (rows.length > 0) print(sys, options, rows);
    return status;
  },
);

/** The last mount on each target, without those that hold no files. */
function visibleMounts(sys: Sys) {
  const all = sys.mounts();
  return all.filter(
    (mount, i) => mount.type !== 'rootfs' && !all.slice(i + 1).some(({ target }) => target === mount.target),
  );
}

function print(sys: Sys, options: Options, rows: readonly DfRow[]): void {
  const unit = options.has('i')
    ? 'Inodes'
    : options.has('h', 'H')
      ? 'Size'
      : options.has('m')
        ? '1M-blocks'
        : options.has('P')
          ? '1024-blocks'
          : '1K-blocks';
  const titles = options.has('i')
    ? ['IUsed', 'IFree', 'IUse%']
    : options.has('h', 'H')
      ? ['Used', 'Avail', 'Use%']
      : ['Used', 'Available', options.has('P') ? 'Capacity' : 'Use%'];
  const widths =
    options.has('h', 'H') && !options.has('i')
      ? [5, 5, 5, 4]
      : options.has('i')
        ? [7, 7, 7, 5]
        : [options.has('P') ? 11 : 9, 9, 9, options.has('P') ? 8 : 4];
  const type = (text: string) => (options.has('T') ? ` ${text.padStart(7)}` : '');
  const numbers = (cells: readonly string[]) => cells.map((cell, i) => cell.padStart(widths[i]!)).join(' ');
  sys.print(
    `${'Filesystem'.padEnd(20)}${options.has('T') ? '    Type' : ''} ${numbers([unit, ...titles])} Mounted on\n`,
  );
  for (const row of rows) {
    // A long device name has a line of its own, as ever.
    const name =
      row.source.length > 20 && !options.has('P') ? `${row.source}\n${' '.repeat(20)}` : row.source.padEnd(20);
    sys.print(`${name}${type(row.type)} ${numbers(row.cells)} ${row.target}\n`);
  }
}

export const du = tool(
  'du',
  {
    usage: '[OPTION]... [FILE]...',
    options: 'ashkmbcxd:SlLD',
    long: {
      all: 'a',
      summarize: 's',
      'human-readable': 'h',
      bytes: 'b',
      total: 'c',
      'one-file-system': 'x',
      'max-depth': 'd',
      'apparent-size': 'apparent-size',
    },
  },
  (sys, options, words) => {
    let status = 0;
    let total = 0;
    const seen = new Set<string>();
    const isApparent = options.has('b', 'apparent-size');
    const depthLimit = options.has('s') ? 0 : Number(options.value('d') ?? Number.MAX_SAFE_INTEGER);
    const show = (bytes: number, path: string) => {
      const text = options.has('h')
        ? humanSize(bytes)
        : String(Math.ceil(bytes / (options.has('b') ? 1 : options.has('m') ? 1048576 : 1024)));
      sys.print(`${text}\t${path}\n`);
    };
    const visit = (path: string, depth: number, dev: number): number => {
      try {
        const stat = sys.lstat(path);
        if (options.has('x') && dev >= 0 && stat.dev !== dev) return 0;
        const key = `${stat.dev}:${stat.ino}`;
        if (stat.nlink > 1 && stat.kind !== 'dir') {
          if (seen.has(key)) return 0;
          seen.add(key);
        }
        let bytes = isApparent ? stat.size : stat.blocks * 512;
        if (stat.kind === 'dir')
          for (const name of sys.readdir(path)) bytes += visit(joinPath(path, name), depth + 1, stat.dev);
        if (depth === 0 || (depth <= depthLimit && (stat.kind === 'dir' || options.has('a')))) show(bytes, path);
        return bytes;
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        sys.eprint(`du: cannot access \`${path}': ${strerror[error.code]}\n`);
        status = 1;
        return 0;
      }
    };
    for (const word of words.length > 0 ? words : ['.']) total += visit(word, 0, -1);
    if (options.has('c')) show(total, 'total');
    return status;
  },
);
