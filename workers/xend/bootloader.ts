/**
 * Runs a domain's boot loader, a program of Domain-0 that looks into the first bootable disk and says which kernel to
 * start (tools/python/xen/xend/XendBootloader.py in Xen 3.4).
 */
import { parseSxp, type Sxp, SxpError, sxpText } from '../lib/sxp';
import type { DomainConfig, ImageConfig } from './domainConfig';
import type { XendEnvironment } from './environment';
import { VmError } from './errors';

/** The image that the boot loader found. Rejects with VmError. */
export async function runBootloader(environment: XendEnvironment, config: DomainConfig): Promise<ImageConfig> {
  const { files } = environment;
  const disk = config.devices.find((device) => device.class === 'vbd' || device.class === 'tap');
  if (!disk) throw new VmError('Had a bootloader specified, but no disks are bootable');
  if (!files.isExecutable(config.bootloader)) throw new VmError("Bootloader isn't executable");
  const path = diskPath(sxpText(disk.sxp, 'uname') ?? '');
  if (!files.exists(path)) throw new VmError("Disk isn't accessible");
  const output = `/var/run/xend/boot/xenbl.${environment.random.below(32768)}`;
  const extra = config.bootloaderArgs.split(' ').filter((word) => word !== '');
  await environment.runScript(config.bootloader, [`--output=${output}`, ...extra, path], {});
  const answer = files.read(output);
  files.remove(output);
  const found = answer && parseAnswer(new TextDecoder().decode(answer));
  if (!found) throw new VmError("Boot loader didn't return any data!");
  return {
    type: 'linux',
    kernel: sxpText(found, 'kernel') ?? '',
    ramdisk: sxpText(found, 'ramdisk') ?? '',
    cmdline: sxpText(found, 'args') ?? config.image?.cmdline ?? '',
    others: config.image?.others ?? [],
  };
}

/** `linux (kernel FILE)(ramdisk FILE)(args "…")`, with or without a parenthesis around it. */
function parseAnswer(text: string): Sxp | undefined {
  try {
    const [first, ...rest] = parseSxp(text);
    if (first === undefined) return undefined;
    return typeof first === 'string' ? [first, ...rest] : first;
  } catch (error) {
    if (error instanceof SxpError) return undefined;
    throw error;
  }
}

/** `phy:hda1` → /dev/hda1; `file:/a`, `tap:aio:/a` → /a. */
function diskPath(uname: string): string {
  const path = uname.replace(/^(phy|file|tap:[a-z0-9]+):/, '');
  return path.startsWith('/') ? path : `/dev/${path}`;
}
