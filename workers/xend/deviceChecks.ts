/** Refuses devices that a domain already has: the same name in the guest, the same backing file, the same address. */
import { sxpText } from '../lib/sxp';
import type { DeviceConfig } from './domainConfig';
import { VmError } from './errors';

const DISK_CLASSES: ReadonlySet<string> = new Set(['vbd', 'tap']);

/** Throws VmError when `added` clashes with one of `present` (XendConfig.device_duplicate_check in Xen 3.4). */
export function checkDuplicate(present: readonly DeviceConfig[], added: DeviceConfig): void {
  if (DISK_CLASSES.has(added.class)) checkDisk(present, added);
  else if (added.class === 'vif') checkVif(present, added);
}

function checkDisk(present: readonly DeviceConfig[], added: DeviceConfig): void {
  const uname = sxpText(added.sxp, 'uname') ?? '';
  const dev = deviceName(sxpText(added.sxp, 'dev'));
  const file = fileOf(uname);
  for (const other of present) {
    if (!DISK_CLASSES.has(other.class)) continue;
    if (dev === deviceName(sxpText(other.sxp, 'dev')))
      throw new VmError(`The device "${sxpText(added.sxp, 'dev')}" is already defined`);
    const otherUname = sxpText(other.sxp, 'uname') ?? '';
    if (uname === '') continue;
    if (uname === otherUname) throw new VmError(`The uname "${uname}" is already defined`);
    if (file !== undefined && file === fileOf(otherUname)) throw new VmError(`The file "${file}" is already used`);
  }
}

function checkVif(present: readonly DeviceConfig[], added: DeviceConfig): void {
  const mac = sxpText(added.sxp, 'mac');
  if (mac === undefined) return;
  if (!/^([0-9A-Fa-f]{1,2}:){5}[0-9A-Fa-f]{1,2}$/.test(mac))
    throw new VmError('Cannot create a new virtual network interface - MAC address is not valid!');
  const taken = present.some(
    (other) => other.class === 'vif' && sxpText(other.sxp, 'mac')?.toLowerCase() === mac.toLowerCase(),
  );
  if (taken) throw new VmError(`The mac "${mac}" is already defined`);
}

/** `sda1` of `/dev/sda1:disk` or `ioemu:sda1`. */
function deviceName(dev: string | undefined): string {
  return (dev ?? '')
    .replace(/^ioemu:/, '')
    .replace(/:(disk|cdrom)$/, '')
    .replace(/^\/dev\//, '');
}

/** The path behind `file:` or `tap:aio:`, whatever way it is opened. */
function fileOf(uname: string): string | undefined {
  const match = /^(?:file|tap:[a-z0-9]+):(.*)$/.exec(uname);
  return match?.[1]?.replace(/^\/+/, '/');
}
