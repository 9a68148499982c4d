/** fdisk -l and -s: the partition tables of disks (util-linux 2.13); tables are shown here, not changed. */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { guarded, type Options, optionsOf, type ToolSpec } from '../options';
import { entriesOf, hasSignature, isExtended, type Partition, typeName } from './partitions';

const SPEC: ToolSpec = { usage: '[-l] [-b SSZ] [-u] device', options: 'lsub:C:H:S:v' };
const USAGE = `Usage: fdisk [-b SSZ] [-u] -l DISK     List partition table(s)
       fdisk -s PARTITION             Give partition size(s) in blocks
       fdisk -v                       Give fdisk version
Here DISK is something like /dev/hdb or /dev/sda
and PARTITION is something like /dev/hda7
-u: give Start and End in sector (instead of cylinder) units
`;
const SECTOR = 512;

interface FdiskState {
  status: number;
  readonly sizesOnly: boolean;
  readonly inSectors: boolean;
  readonly heads: number;
  readonly sectorsPerTrack: number;
  /** Disks still to be shown; the first is open as `fd`. */
  readonly queue: string[];
  /** Named by the operator: what cannot be opened is reported. */
  readonly isNamed: boolean;
  fd: number;
  found: Partition[];
  /** The sector to read next; −1: the table is complete. */
  next: number;
  hasTable: boolean;
}

export const fdisk: Program<FdiskState> = {
  name: 'fdisk',
  start(sys) {
    const options = optionsOf(sys, 'fdisk', SPEC);
    const begun = typeof options === 'number' ? options : guarded(sys, 'fdisk', {}, () => begin(sys, options));
    return typeof begun === 'number' ? { ...BLANK, queue: [], found: [], status: begun } : begun;
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    const [disk] = state.queue;
    if (disk === undefined) return exit(0);
    if (state.fd < 0 && !open(sys, state, disk)) return again();
    if (state.sizesOnly) {
      sys.print(`${Math.floor(sys.seek(state.fd, 0, 'end') / 1024)}\n`);
      return done(sys, state);
    }
    if (state.next >= 0) return readTable(sys, state);
    show(sys, state, disk);
    return done(sys, state);
  },
};

const BLANK = {
  status: -1,
  sizesOnly: false,
  inSectors: false,
  heads: 255,
  sectorsPerTrack: 63,
  isNamed: false,
  fd: -1,
  next: 0,
  hasTable: false,
} as const;

function begin(sys: Sys, options: Options): FdiskState | number {
  if (options.has('v')) {
    sys.print('fdisk (util-linux 2.13-pre7)\n');
    return 0;
  }
  const sizesOnly = options.has('s');
  if (!options.has('l', 's') || (sizesOnly && options.words.length === 0)) {
    sys.eprint(USAGE);
    return 1;
  }
  const heads = Number(options.value('H') ?? BLANK.heads);
  const sectorsPerTrack = Number(options.value('S') ?? BLANK.sectorsPerTrack);
  const isNamed = options.words.length > 0;
  const queue = isNamed ? [...options.words] : wholeDisks(sys);
  return { ...BLANK, sizesOnly, inSectors: options.has('u'), heads, sectorsPerTrack, isNamed, queue, found: [] };
}

/** The disks of /proc/partitions: names that end in a digit are partitions. */
function wholeDisks(sys: Sys): string[] {
  const names = [...sys.readText('/proc/partitions').matchAll(/^\s*\d+\s+\d+\s+\d+\s+(\S+)$/gm)].map(
    ([, name = '']) => name,
  );
  return names.filter((name) => !/\d$/.test(name)).map((name) => `/dev/${name}`);
}

function open(sys: Sys, state: FdiskState, disk: string): boolean {
  try {
    state.fd = sys.open(disk, { read: true });
    return true;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (state.isNamed) sys.eprint(state.sizesOnly ? `\nUnable to open ${disk}\n` : `Cannot open ${disk}\n`);
    state.queue.shift();
    if (state.sizesOnly) state.status = 1;
    return false;
  }
}

function done(sys: Sys, state: FdiskState): Step {
  sys.close(state.fd);
  Object.assign(state, { fd: -1, found: [], next: 0, hasTable: false });
  state.queue.shift();
  return again();
}

/** One sector of the table: the first, or one of the chain in the extended partition. */
function readTable(sys: Sys, state: FdiskState): Step {
  const sector = sys.pread(state.fd, SECTOR, state.next * SECTOR);
  if (sector === undefined) return wait({ readable: state.fd });
  if (sector.length < SECTOR || !hasSignature(sector)) {
    state.next = -1;
    return again();
  }
  const extended = state.found.find(isExtended);
  if (state.next === 0) {
    state.hasTable = true;
    state.found = entriesOf(sector);
    state.next = state.found.find(isExtended)?.start ?? -1;
    return again();
  }
  // The first entry is the logical partition, the second names the next link, counted from the extended partition.
  const number = Math.max(4, ...state.found.map((it) => it.number)) + 1;
  const [logical] = entriesOf(sector, state.next).filter((it) => !isExtended(it));
  if (logical) state.found.push({ ...logical, number });
  const link = entriesOf(sector, extended?.start ?? 0).find(isExtended);
  state.next = link && link.start > state.next ? link.start : -1;
  return again();
}

function show(sys: Sys, state: FdiskState, disk: string): void {
  const bytes = sys.seek(state.fd, 0, 'end');
  const { heads, sectorsPerTrack, inSectors, found } = state;
  const cylinder = heads * sectorsPerTrack;
  const cylinders = Math.floor(bytes / SECTOR / cylinder);
  sys.print(
    `\nDisk ${disk}: ${sizeText(bytes)}, ${bytes} bytes\n${heads} heads, ${sectorsPerTrack} sectors/track, ${cylinders} cylinders`,
  );
  sys.print(
    inSectors
      ? `, total ${Math.floor(bytes / SECTOR)} sectors\nUnits = sectors of 1 * 512 = 512 bytes\n\n`
      : `\nUnits = cylinders of ${cylinder} * 512 = ${cylinder * SECTOR} bytes\n\n`,
  );
  if (!state.hasTable) {
    sys.eprint(`Disk ${disk} doesn't contain a valid partition table\n`);
    return;
  }
  if (found.length === 0) return;
  const stem = /\d$/.test(disk) ? `${disk}p` : disk;
  const width = Math.max(stem.length, 5) + 2;
  sys.print(
    `${'Device'.padStart(Math.max(stem.length, 5) + 1)} Boot      Start         End      Blocks   Id  System\n`,
  );
  const place = (sector: number) => (inSectors ? sector : Math.floor(sector / cylinder) + 1);
  for (const it of found) {
    const numbers = [place(it.start), place(it.start + it.sectors - 1), Math.floor(it.sectors / 2)];
    const cells = numbers.map((value) => String(value).padStart(11)).join(' ');
    const type = it.type.toString(16).padStart(2);
    const name = `${stem}${it.number}`.padEnd(width);
    sys.print(
      `${name}  ${it.isActive ? '*' : ' '} ${cells}${it.sectors % 2 === 1 ? '+' : ' '}  ${type}  ${typeName(it.type)}\n`,
    );
  }
}

/** Megabytes below ten thousand of them, then gigabytes with one digit. */
function sizeText(bytes: number): string {
  const megabytes = Math.floor(bytes / 1e6);
  if (megabytes < 10000) return `${megabytes} MB`;
  const tenths = Math.floor((megabytes + 50) / 100);
  return `${Math.floor(tenths / 10)}.${tenths % 10} GB`;
}
