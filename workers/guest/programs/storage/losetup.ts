/** losetup: files as block devices (util-linux 2.13). */
import { strerror } from '../../../lib/errno';
import { type LoopInfo, type Sys, SysError } from '../../sys';
import { quietly, ToolError, tool } from '../options';

const LOOP_DEVICES = 8;

/** The first loop device that is not in use. */
export function freeLoop(sys: Sys): string | undefined {
  const used = new Set(sys.loopDevices().map(({ device }) => device));
  for (let i = 0; i < LOOP_DEVICES; i++)
    if (!used.has(`/dev/loop${i}`) && sys.exists(`/dev/loop${i}`)) return `/dev/loop${i}`;
  return undefined;
}

/** `/dev/loop0: [0802]:1234 (/root/disk.img)`, with the offset when there is one. */
function describe(sys: Sys, { device, path, offset }: LoopInfo): string {
  const stat = quietly(() => sys.stat(path));
  const dev = (stat?.dev ?? 0).toString(16).padStart(4, '0');
  return `${device}: [${dev}]:${stat?.ino ?? 0} (${path})${offset > 0 ? `, offset ${offset}` : ''}\n`;
}

const USAGE = `usage:
  losetup loop_device                                  # give info
  losetup -d loop_device                               # delete
  losetup -f                                           # find unused
  losetup -a                                           # list all used
  losetup [-e encryption] [-o offset] {-f|loop_device} file # setup
`;

export const losetup = tool(
  'losetup',
  {
    usage: 'loop_device [file]',
    options: 'adfro:vs',
    long: { all: 'a', detach: 'd', find: 'f', 'read-only': 'r', offset: 'o', show: 's' },
  },
  (sys, options, words) => {
    if (options.has('a')) {
      for (const info of sys.loopDevices()) sys.print(describe(sys, info));
      return 0;
    }
    if (options.has('d')) return detach(sys, words);
    let [device, file] = words;
    if (options.has('f')) {
      file = device;
      device = freeLoop(sys);
      if (device === undefined) throw new ToolError('could not find any free loop device');
      if (file === undefined) {
        sys.print(`${device}\n`);
        return 0;
      }
    }
    if (device === undefined || words.length > 2) {
      sys.eprint(USAGE);
      return 1;
    }
    if (file === undefined) return show(sys, device);
    const offsetText = options.value('o') ?? '0';
    if (!/^\d+$/.test(offsetText)) throw new ToolError(`invalid offset '${offsetText}' specified`);
    if (!sys.exists(file)) throw new ToolError(`${file}: No such file or directory`);
    const stat = quietly(() => sys.stat(device));
    if (!stat) throw new ToolError(`${device}: No such file or directory`);
    try {
      sys.attachLoop(device, file, { readonly: options.has('r'), offset: Number(offsetText) });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(
        error.code === 'EBUSY' || error.code === 'EINVAL'
          ? `ioctl: LOOP_SET_FD: ${strerror[error.code]}\n`
          : `${device}: ${strerror[error.code]}\n`,
      );
      return 1;
    }
    if (options.has('s') || options.has('v'))
      sys.print(options.has('s') ? `${device}\n` : `Loop device is ${device}\n`);
    return 0;
  },
);

function show(sys: Sys, device: string): number {
  const info = sys.loopDevices().find((it) => it.device === device);
  if (info) {
    sys.print(describe(sys, info));
    return 0;
  }
  sys.eprint(
    sys.exists(device)
      ? `loop: can't get info on device ${device}: No such device or address\n`
      : `loop: can't open device ${device}: No such file or directory\n`,
  );
  return 1;
}

function detach(sys: Sys, words: readonly string[]): number {
  let status = 0;
  for (const device of words) {
    try {
      sys.detachLoop(device);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(
        error.code === 'ENOENT'
          ? `loop: can't delete device ${device}: No such file or directory\n`
          : `ioctl: LOOP_CLR_FD: ${strerror[error.code]}\n`,
      );
      status = 1;
    }
  }
  return status;
}
