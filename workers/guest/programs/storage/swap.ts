/** mkswap, swapon and swapoff (util-linux 2.13). The kernel of this lab does not swap: it refuses to turn swap on. */
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Sys, SysError, wait } from '../../sys';
import { guarded, optionsOf, ToolError, type ToolSpec } from '../options';
import { isWritten } from './drain';
import { fstab } from './mount';

const PAGE = 4096;
const SIGNATURE = 'SWAPSPACE2';
const PAGES_MIN = 10;

interface MkswapState {
  status: number;
  readonly fd: number;
  header: Uint8Array;
  report: string;
}

const MKSWAP: ToolSpec = { usage: '[-c] [-v0|-v1] [-pPAGESZ] [-L label] /dev/name [blocks]', options: 'cfv:p:L:' };

export const mkswap: Program<MkswapState> = {
  name: 'mkswap',
  start(sys) {
    const begun = guarded(sys, 'mkswap', {}, () => planSwap(sys));
    return typeof begun === 'number' ? { status: begun, fd: -1, header: new Uint8Array(0), report: '' } : begun;
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (state.header.length > 0) {
      const taken = sys.pwrite(state.fd, state.header, 0);
      state.header = new Uint8Array(0);
      return taken === 0 ? wait({ writable: state.fd }) : again();
    }
    if (!isWritten(sys, state.fd)) return wait({ readable: state.fd });
    sys.print(state.report);
    return exit(0);
  },
};

function planSwap(sys: Sys): MkswapState | number {
  const options = optionsOf(sys, 'mkswap', MKSWAP);
  if (typeof options === 'number') return options;
  const [path, blocks] = options.words;
  if (path === undefined) {
    sys.eprint(`mkswap: error: Nowhere to set up swap on?\nUsage: mkswap ${MKSWAP.usage}\n`);
    return 1;
  }
  if (sys.mounts().some(({ source }) => source === path))
    throw new ToolError(`${path} is mounted; will not make swapspace.`);
  const fd = sys.open(path, { read: true, write: true });
  const available = sys.seek(fd, 0, 'end');
  sys.seek(fd, 0, 'set');
  const bytes = blocks === undefined ? available : Number(blocks) * 1024;
  if (!(bytes <= available))
    throw new ToolError(`error: size ${blocks} is larger than device size ${Math.floor(available / 1024)}`);
  const pages = Math.floor(bytes / PAGE);
  if (pages < PAGES_MIN) throw new ToolError(`error: swap area needs to be at least ${(PAGES_MIN * PAGE) / 1024}kB`);
  const label = (options.value('L') ?? '').slice(0, 15);
  const uuid = Uint8Array.from({ length: 16 }, () => sys.random(256));
  uuid[6] = (uuid[6]! & 0x0f) | 0x40;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  const hex = [...uuid].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const uuidText = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const size = Math.floor(((pages - 1) * PAGE) / 1000);
  const report = `Setting up swapspace version 1, size = ${size} kB\n${label === '' ? 'no label' : `LABEL=${label}`}, UUID=${uuidText}\n`;
  return { status: -1, fd, header: swapHeader(pages, uuid, label), report };
}

/** The first page of a swap area, version 1 (union swap_header of linux/swap.h). */
function swapHeader(pages: number, uuid: Uint8Array, label: string): Uint8Array {
  const page = new Uint8Array(PAGE);
  const view = new DataView(page.buffer);
  view.setUint32(1024, 1, true);
  view.setUint32(1028, pages - 1, true);
  page.set(uuid, 1036);
  page.set(new TextEncoder().encode(label), 1052);
  page.set(new TextEncoder().encode(SIGNATURE), PAGE - SIGNATURE.length);
  return page;
}

interface SwaponState {
  status: number;
  readonly queue: string[];
  fd: number;
}

const SWAPON: ToolSpec = { usage: '[-hV] | -a [-e] [-v] | [-v] [-p priority] special | -s', options: 'ahVsevp:' };

export const swapon: Program<SwaponState> = {
  name: 'swapon',
  start(sys) {
    const options = optionsOf(sys, 'swapon', SWAPON);
    if (typeof options === 'number') return { status: options, queue: [], fd: -1 };
    if (options.has('s')) sys.print(sys.readText('/proc/swaps'));
    const fromTable = fstab(sys).filter(({ type }) => type === 'swap');
    const queue = options.has('a') ? fromTable.map(({ source }) => source) : [...options.words];
    const isWrong = queue.length === 0 && !options.has('a', 's');
    if (isWrong)
      sys.eprint(
        'usage: swapon [-hV]\n       swapon -a [-e] [-v]\n       swapon [-v] [-p priority] special|LABEL=volume_name ...\n       swapon [-s]\n',
      );
    return { status: isWrong ? 2 : 0, queue, fd: -1 };
  },
  step(sys, state) {
    const [device] = state.queue;
    if (device === undefined) return exit(state.status);
    const fail = (text: string) => {
      sys.eprint(`swapon: ${text}\n`);
      if (state.fd >= 0) sys.close(state.fd);
      state.fd = -1;
      state.queue.shift();
      state.status = 255;
      return again();
    };
    try {
      if (sys.uid !== 0) return fail(`${device}: ${strerror.EPERM}`);
      if (state.fd < 0) state.fd = sys.open(device, { read: true });
      const end = sys.pread(state.fd, SIGNATURE.length, PAGE - SIGNATURE.length);
      if (end === undefined) return wait({ readable: state.fd });
      const isSwap = new TextDecoder().decode(end) === SIGNATURE;
      return fail(`${device}: ${strerror[isSwap ? 'ENOSYS' : 'EINVAL']}`);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return fail(
        error.code === 'ENOENT' ? `cannot stat ${device}: ${strerror.ENOENT}` : `${device}: ${strerror[error.code]}`,
      );
    }
  },
};

/** Nothing ever is swap space, so there is nothing to be turned off. */
export const swapoff: Program<null> = {
  name: 'swapoff',
  start: () => null,
  step(sys) {
    const options = optionsOf(sys, 'swapoff', { usage: '[-hV] | -a [-v] | [-v] special ...', options: 'ahVv' });
    if (typeof options === 'number') return exit(options);
    for (const word of options.words)
      sys.eprint(`swapoff: ${word}: ${strerror[sys.exists(word) ? (sys.uid === 0 ? 'EINVAL' : 'EPERM') : 'ENOENT']}\n`);
    return exit(options.words.length > 0 ? 255 : 0);
  },
};
