/** ls: what is in a directory (coreutils 5.97). */
import { type Stat, type Sys, SysError } from '../../sys';
import { listingDate } from '../dates';
import { modeText } from '../modes';
import { humanSize } from '../numbers';
import { type Options, tool } from '../options';
import { joinPath } from '../paths';
import { groupName, userName } from '../users';

interface Entry {
  /** As it is shown. */
  readonly name: string;
  readonly path: string;
  readonly stat: Stat;
}

/** One row's columns in long format, before they are aligned. */
type Row = readonly string[];

export const ls = tool(
  'ls',
  {
    usage: '[OPTION]... [FILE]...',
    options: 'laAdhiRtSr1FsnCxkLcuUgGopqbNBQZ',
    long: {
      all: 'a', 'almost-all': 'A', directory: 'd', 'human-readable': 'h', inode: 'i', recursive: 'R', reverse: 'r',
      classify: 'F', size: 's', 'numeric-uid-gid': 'n', color: 'color::', dereference: 'L', 'full-time': 'full-time', 'no-group': 'G',
    }, // biome-ignore format: a table
    usageStatus: 2,
  },
  (sys, options, words) => new Listing(sys, options).list(words.length > 0 ? words : ['.'], words.length > 0),
);

/** Other names under which it is often called; `dir` lists in columns wherever it writes. */
export const dir = tool(
  'dir',
  { usage: '[OPTION]... [FILE]...', options: 'laAdhiRtSr1Fsn', usageStatus: 2 },
  (sys, options, words) => new Listing(sys, options, true).list(words.length > 0 ? words : ['.'], words.length > 0),
);

class Listing {
  #status = 0;
  #hasPrinted = false;

  constructor(
    private readonly sys: Sys,
    private readonly options: Options,
    private readonly alwaysColumns = false,
  ) {}

  list(words: readonly string[], isNamed: boolean): number {
    const { options } = this;
    const plain: Entry[] = [];
    const dirs: Entry[] = [];
    for (const word of words) {
      const entry = this.#entry(word, word, true);
      if (!entry) continue;
      (entry.stat.kind === 'dir' && !options.has('d') ? dirs : plain).push(entry);
    }
    if (plain.length > 0) this.#print(this.#sorted(plain));
    const withHeadings = (isNamed && words.length > 1) || options.has('R');
    for (const dir of this.#sorted(dirs)) this.#directory(dir.path, withHeadings);
    return this.#status;
  }

  #entry(path: string, name: string, isArgument: boolean): Entry | undefined {
    const { sys, options } = this;
    try {
      const follow = options.has('L') || (isArgument && !options.has('l', 'd', 'F', 'n', 'g', 'o'));
      if (!follow) return { name, path, stat: sys.lstat(path) };
      try {
        return { name, path, stat: sys.stat(path) };
      } catch (error) {
        // A link that leads nowhere is listed itself.
        if (error instanceof SysError && error.code === 'ENOENT') return { name, path, stat: sys.lstat(path) };
        throw error;
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`ls: ${new SysError(error.code, path).message}\n`);
      this.#status = Math.max(this.#status, isArgument ? 2 : 1);
      return undefined;
    }
  }

  #directory(path: string, withHeading: boolean): void {
    const { sys, options } = this;
    let names: readonly string[];
    try {
      names = sys.readdir(path);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`ls: ${new SysError(error.code, path).message}\n`);
      this.#status = Math.max(this.#status, 1);
      return;
    }
    if (withHeading) sys.print(`${this.#hasPrinted ? '\n' : ''}${path}:\n`);
    if (options.has('a')) names = ['.', '..', ...names];
    else if (!options.has('A')) names = names.filter((name) => !name.startsWith('.'));
    const entries = names.flatMap((name) => this.#entry(joinPath(path, name), name, false) ?? []);
    const sorted = this.#sorted(entries);
    if (options.has('l', 's', 'n', 'g', 'o')) {
      const kib = entries.reduce((sum, { stat }) => sum + stat.blocks / 2, 0);
      sys.print(`total ${options.has('h') ? humanSize(kib * 1024) : Math.ceil(kib)}\n`);
    }
    this.#print(sorted);
    this.#hasPrinted = true;
    if (!options.has('R')) return;
    for (const { name, path: inner, stat } of sorted)
      if (stat.kind === 'dir' && name !== '.' && name !== '..') this.#directory(inner, true);
  }

  #sorted(entries: readonly Entry[]): Entry[] {
    const { options } = this;
    const byName = (a: Entry, b: Entry) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
    const time = (entry: Entry) => this.#time(entry.stat);
    let order: (a: Entry, b: Entry) => number = byName;
    const mode = options.list.filter(([name]) => 'tSU'.includes(name)).at(-1)?.[0];
    if (mode === 't') order = (a, b) => time(b) - time(a) || byName(a, b);
    if (mode === 'S') order = (a, b) => b.stat.size - a.stat.size || byName(a, b);
    const sorted = mode === 'U' ? [...entries] : [...entries].sort(order);
    return options.has('r') ? sorted.reverse() : sorted;
  }

  #time(stat: Stat): number {
    return this.options.has('c') ? stat.ctime : this.options.has('u') ? stat.atime : stat.mtime;
  }

  #print(entries: readonly Entry[]): void {
    const { sys, options } = this;
    this.#hasPrinted = true;
    if (options.has('l', 'n', 'g', 'o')) {
      this.#long(entries);
      return;
    }
    const cells = entries.map((entry) => this.#prefix(entry, entries) + entry.name + this.#indicator(entry.stat));
    const isTty = sys.isatty(1);
    if (options.has('1') || (!isTty && !options.has('C', 'x') && !this.alwaysColumns)) {
      sys.print(cells.map((cell) => `${cell}\n`).join(''));
      return;
    }
    sys.print(columns(cells, isTty ? sys.winsize(1).cols || 80 : 80, options.has('x')));
  }

  /** Inode number and blocks, aligned. */
  #prefix(entry: Entry, all: readonly Entry[]): string {
    const { options } = this;
    const width = (of: (entry: Entry) => string) => Math.max(...all.map((it) => of(it).length));
    const inode = (it: Entry) => String(it.stat.ino);
    const blocks = (it: Entry) =>
      options.has('h') ? humanSize(it.stat.blocks * 512) : String(Math.ceil(it.stat.blocks / 2));
    let text = '';
    if (options.has('i')) text += `${inode(entry).padStart(width(inode))} `;
    if (options.has('s')) text += `${blocks(entry).padStart(width(blocks))} `;
    return text;
  }

  #indicator({ kind, mode }: Stat): string {
    const { options } = this;
    if (options.has('p') && kind === 'dir') return '/';
    if (!options.has('F')) return '';
    if (kind === 'file') return mode & 0o111 ? '*' : '';
    return { dir: '/', symlink: '@', fifo: '|', socket: '=', char: '', block: '' }[kind];
  }

  #long(entries: readonly Entry[]): void {
    const { sys } = this;
    const rows = entries.map((entry) => this.#row(entry));
    const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
    const lines = rows.map((row, i) => {
      const [mode, links, user, group, size, date] = row;
      const owner = `${user!.padEnd(widths[2]!)}${widths[2] ? ' ' : ''}${group!.padEnd(widths[3]!)}${widths[3] ? ' ' : ''}`;
      const entry = entries[i]!;
      return `${this.#prefix(entry, entries)}${mode} ${links!.padStart(widths[1]!)} ${owner}${size!.padStart(widths[4]!)} ${date} ${this.#longName(entry)}\n`;
    });
    sys.print(lines.join(''));
  }

  #row({ stat }: Entry): Row {
    const { sys, options } = this;
    const isNumeric = options.has('n');
    const isDevice = stat.kind === 'char' || stat.kind === 'block';
    const size = isDevice
      ? `${String(stat.rdevMajor).padStart(3)}, ${String(stat.rdevMinor).padStart(3)}`
      : options.has('h')
        ? humanSize(stat.size)
        : String(stat.size);
    return [
      modeText(stat),
      String(stat.nlink),
      options.has('g') ? '' : isNumeric ? String(stat.uid) : userName(sys, stat.uid),
      options.has('G', 'o') ? '' : isNumeric ? String(stat.gid) : groupName(sys, stat.gid),
      size,
      listingDate(this.#time(stat), sys.wallClock),
    ];
  }

  #longName({ name, path, stat }: Entry): string {
    if (stat.kind !== 'symlink') return name + this.#indicator(stat);
    return `${name} -> ${this.sys.readlink(path)}`;
  }
}

/** Names in as many columns as fit into the width; down the columns, or across the rows. */
export function columns(cells: readonly string[], width: number, isAcross = false): string {
  if (cells.length === 0) return '';
  const count = cells.length;
  const lengths = cells.map((cell) => [...cell].length);
  for (let columnCount = Math.min(count, Math.max(1, Math.floor(width / 3))); ; columnCount--) {
    const rowCount = Math.ceil(count / columnCount);
    const columnOf = (i: number) => (isAcross ? i % columnCount : Math.floor(i / rowCount));
    const widths: number[] = [];
    lengths.forEach((length, i) => {
      widths[columnOf(i)] = Math.max(widths[columnOf(i)] ?? 0, length);
    });
    const total = widths.reduce((sum, it) => sum + it + 2, -2);
    if (total >= width && columnCount > 1) continue;
    let text = '';
    for (let row = 0; row < rowCount; row++) {
      let line = '';
      let pad = 0;
      for (let column = 0; column < widths.length; column++) {
        const i = isAcross ? row * columnCount + column : column * rowCount + row;
        if (i >= count) continue;
        line += ' '.repeat(pad) + cells[i];
        pad = widths[column]! + 2 - lengths[i]!;
      }
      text += `${line}\n`;
    }
    return text;
  }
}
