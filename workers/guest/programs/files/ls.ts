/** ls: what is in a directory (coreutils 5.97). */

import { patternRegExp } from '../../shell/pattern';
import { type Stat, type Sys, SysError } from '../../sys';
import { formatDate, listingDate } from '../dates';
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
    options: 'laAdhiRtSr1FsnCxkLcuUgGopqbNBQZmXvfHw:I:T:',
    long: {
      all: 'a', 'almost-all': 'A', directory: 'd', 'human-readable': 'h', recursive: 'R', reverse: 'r',
      classify: 'F', size: 's', 'numeric-uid-gid': 'n', color: 'color::', dereference: 'L', 'full-time': 'full-time', 'no-group': 'G', 'time-style': 'time-style:', width: 'w', ignore: 'I', 'quote-name': 'Q', escape: 'b',
      'ignore-backups': 'B', literal: 'N', inode: 'i', 'dereference-command-line': 'H',
    }, // biome-ignore format: a table
    usageStatus: 2,
  },
  (sys, options, words) => new Listing(sys, options).list(words.length > 0 ? words : ['.'], words.length > 0),
);

/** Other names under which it is often called; `dir` lists in columns wherever it writes. */
export const dir = tool(
  'dir',
  { usage: '[OPTION]... [FILE]...', options: 'laAdhiRtSr1FsnCxw:I:T:', usageStatus: 2 },
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
      const follow =
        options.has('L') ||
        (isArgument && (options.has('H') || !options.has('l', 'd', 'F', 'n', 'g', 'o', 'full-time')));
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
    const ignored = options.list.flatMap(([it, value]) => (it === 'I' ? [patternRegExp(value)] : []));
    names = names.filter((it) => !ignored.some((regex) => regex.test(it)) && !(options.has('B') && it.endsWith('~')));
    if (options.has('a', 'f')) names = ['.', '..', ...names];
    else if (!options.has('A')) names = names.filter((name) => !name.startsWith('.'));
    const entries = names.flatMap((name) => this.#entry(joinPath(path, name), name, false) ?? []);
    const sorted = this.#sorted(entries);
    if (options.has('l', 's', 'n', 'g', 'o', 'full-time')) {
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
    const mode = options.list.filter(([name]) => 'tSUXvf'.includes(name)).at(-1)?.[0];
    if (mode === 't') order = (a, b) => time(b) - time(a) || byName(a, b);
    if (mode === 'S') order = (a, b) => b.stat.size - a.stat.size || byName(a, b);
    if (mode === 'X') order = (a, b) => ordinal(extension(a.name), extension(b.name)) || byName(a, b);
    if (mode === 'v') order = (a, b) => byVersion(a.name, b.name);
    const sorted = mode === 'U' || mode === 'f' ? [...entries] : [...entries].sort(order);
    return options.has('r') ? sorted.reverse() : sorted;
  }

  #time(stat: Stat): number {
    return this.options.has('c') ? stat.ctime : this.options.has('u') ? stat.atime : stat.mtime;
  }

  #print(entries: readonly Entry[]): void {
    const { sys, options } = this;
    this.#hasPrinted = true;
    if (options.has('l', 'n', 'g', 'o', 'full-time')) {
      this.#long(entries);
      return;
    }
    const cells = entries.map(
      (entry) => this.#prefix(entry, entries) + this.#quoted(entry.name) + this.#indicator(entry.stat),
    );
    const isTty = sys.isatty(1);
    const width = Number(options.value('w') ?? (isTty ? sys.winsize(1).cols || 80 : 80));
    if (options.has('m')) {
      sys.print(commas(cells, width));
      return;
    }
    if (options.has('1') || (!isTty && !options.has('C', 'x') && !this.alwaysColumns)) {
      sys.print(cells.map((cell) => `${cell}\n`).join(''));
      return;
    }
    sys.print(columns(cells, width, options.has('x'), options.value('T') === '0' ? 0 : 8));
  }

  #quoted(name: string): string {
    if (this.options.has('Q')) return `"${name.replace(/["\\]/g, '\\$&')}"`;
    if (this.options.has('b')) return name.replace(/[\\ ]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t');
    return this.sys.isatty(1) && !this.options.has('N') ? name.replace(/[\x00-\x1f\x7f]/g, '?') : name;
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
    const devices = entries.filter(({ stat }) => isDevice(stat));
    const major = Math.max(0, ...devices.map(({ stat }) => String(stat.rdevMajor).length));
    const minor = Math.max(0, ...devices.map(({ stat }) => String(stat.rdevMinor).length));
    const rows = entries.map((entry) => this.#row(entry, major, minor));
    const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
    const lines = rows.map((row, i) => {
      const [mode, links, user, group, size, date] = row;
      const owner = `${user!.padEnd(widths[2]!)}${widths[2] ? ' ' : ''}${group!.padEnd(widths[3]!)}${widths[3] ? ' ' : ''}`;
      const entry = entries[i]!;
      return `${this.#prefix(entry, entries)}${mode} ${links!.padStart(widths[1]!)} ${owner}${size!.padStart(widths[4]!)} ${date} ${this.#longName(entry)}\n`;
    });
    sys.print(lines.join(''));
  }

  /** `major` and `minor`: widths of device numbers. */
  #row({ stat }: Entry, major: number, minor: number): Row {
    const { sys, options } = this;
    const isNumeric = options.has('n');
    const size = isDevice(stat)
      ? `${String(stat.rdevMajor).padStart(major)}, ${String(stat.rdevMinor).padStart(minor)}`
      : options.has('h')
        ? humanSize(stat.size)
        : String(stat.size);
    return [
      modeText(stat),
      String(stat.nlink),
      options.has('g') ? '' : isNumeric ? String(stat.uid) : userName(sys, stat.uid),
      options.has('G', 'o') ? '' : isNumeric ? String(stat.gid) : groupName(sys, stat.gid),
      size,
      this.#date(this.#time(stat)),
    ];
  }

  #date(seconds: number): string {
    const style = this.options.has('full-time') ? 'full-iso' : this.options.value('time-style')?.replace(/^posix-/, '');
    if (style === 'full-iso') return formatDate('%Y-%m-%d %H:%M:%S.%N +0000', seconds);
    if (style === 'long-iso') return formatDate('%Y-%m-%d %H:%M', seconds);
    if (style === 'iso')
      return formatDate(Math.abs(this.sys.wallClock - seconds) > HALF_A_YEAR ? '%Y-%m-%d ' : '%m-%d %H:%M', seconds);
    if (style?.startsWith('+')) return formatDate(style.slice(1).split('\n')[0]!, seconds);
    return listingDate(seconds, this.sys.wallClock);
  }

  #longName({ name, path, stat }: Entry): string {
    if (stat.kind !== 'symlink') return this.#quoted(name) + this.#indicator(stat);
    return `${this.#quoted(name)} -> ${this.sys.readlink(path)}`;
  }
}

const HALF_A_YEAR = 15_778_476;
const isDevice = ({ kind }: Stat) => kind === 'char' || kind === 'block';
const ordinal = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const extension = (name: string) => (name.lastIndexOf('.') > 0 ? name.slice(name.lastIndexOf('.')) : '');

/** Numbers within names count as numbers. */
function byVersion(a: string, b: string): number {
  const [x, y] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const [p = '', q = ''] = [x[i], y[i]];
    const order = /^\d/.test(p) && /^\d/.test(q) ? Number(p) - Number(q) : ordinal(p, q);
    if (order !== 0) return order;
  }
  return ordinal(a, b);
}

/** `a, b, c`, broken to the width. */
function commas(cells: readonly string[], width: number): string {
  let text = '';
  let column = 0;
  cells.forEach((cell, i) => {
    if (i > 0) {
      const fits = column + 2 + cell.length + 1 < width;
      text += fits ? ', ' : ',\n';
      column = fits ? column + 2 : 0;
    }
    text += cell;
    column += cell.length;
  });
  return text === '' ? '' : `${text}\n`;
}

/** Blanks from one column to another; tabs where they reach, as GNU's. */
function gap(from: number, to: number, tab: number): string {
  let text = '';
  let at = from;
  while (at < to) {
    const next = tab > 0 ? (Math.floor(at / tab) + 1) * tab : Infinity;
    const isTab = tab > 0 && Math.floor(to / tab) > Math.floor((at + 1) / tab);
    text += isTab ? '\t' : ' ';
    at = isTab ? next : at + 1;
  }
  return text;
}

/**
 * Names in as many columns as fit into the width; down the columns, or across the rows. The room between them is made of
 * tabs with stops every `tab` columns where they reach (0: of blanks).
 */
export function columns(cells: readonly string[], width: number, isAcross = false, tab = 0): string {
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
      let at = 0;
      let start = 0;
      for (let column = 0; column < widths.length; column++) {
        const i = isAcross ? row * columnCount + column : column * rowCount + row;
        if (i >= count) continue;
        line += gap(at, start, tab) + cells[i];
        at = start + lengths[i]!;
        start += widths[column]! + 2;
      }
      text += `${line}\n`;
    }
    return text;
  }
}
