/**
 * What xend knows of block devices: the s-expression of a configuration, checked, and what is written into the store for
 * the two ends (tools/python/xen/xend/server/blkif.py; the operator's texts are its texts).
 */
import type { DeviceContext, DeviceEntries } from '../device';
import { deviceNumber } from './deviceNumbers';

export interface VbdConfig {
  /** `phy`, `file`, `tap` or another word with a script of its own; empty for an empty drive. */
  readonly type: string;
  /** What follows the type: `/dev/sda7`, `aio:/path`. */
  readonly params: string;
  /** Name in the guest, without `ioemu:` and `:cdrom`. */
  readonly dev: string;
  readonly deviceType: 'disk' | 'cdrom';
  readonly mode: 'r' | 'w' | 'w!';
  readonly devid: number;
  readonly uuid: string;
  readonly bootable: string | undefined;
  readonly protocol: string | undefined;
}

const TAP_TYPES: ReadonlySet<string> = new Set(['aio', 'sync', 'vmdk', 'ram', 'qcow', 'qcow2', 'ioemu', 'tapdisk']);
/** DESIGN: the man page's words are accepted beside xend's own. */
const MODES: Readonly<Record<string, VbdConfig['mode']>> = { r: 'r', w: 'w', 'w!': 'w!', ro: 'r', rw: 'w' };

/** `key` → value of the pairs in a device's s-expression. */
export function sxpPairs(sxp: unknown): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  if (!Array.isArray(sxp)) return pairs;
  for (const item of sxp.slice(1))
    if (Array.isArray(item) && typeof item[0] === 'string')
      pairs.set(item[0], typeof item[1] === 'string' ? item[1] : '');
  return pairs;
}

/** Throws Error with the operator's text. */
export function parseVbd(sxp: unknown, context: DeviceContext): VbdConfig {
  const pairs = sxpPairs(sxp);
  const [dev, deviceType] = frontName(pairs.get('dev') ?? '');
  const { type, params } = backName(pairs.get('uname') ?? '', deviceType, context);
  const mode = MODES[pairs.get('mode') ?? 'r'];
  if (mode === undefined) throw new Error('Invalid mode');
  const devid = context.deviceNumber(dev.startsWith('/') ? dev : `/dev/${dev}`) ?? deviceNumber(dev);
  if (devid === undefined) throw new Error(`Unable to find number for device (${dev})`);
  return {
    type,
    params,
    dev,
    deviceType,
    mode,
    devid,
    uuid: pairs.get('uuid') ?? context.randomUuid(),
    bootable: pairs.get('bootable'),
    protocol: pairs.get('protocol'),
  };
}

/** `ioemu:hdc:cdrom` → `hdc`, `cdrom`. */
function frontName(text: string): [string, 'disk' | 'cdrom'] {
  const [name = '', kind] = text.replace(/^ioemu:/, '').split(':');
  return [name, kind === 'cdrom' ? 'cdrom' : 'disk'];
}

function backName(uname: string, deviceType: string, context: DeviceContext): { type: string; params: string } {
  if (uname === '') {
    if (deviceType === 'cdrom') return { type: '', params: '' };
    throw new Error('Block device must have physical details specified');
  }
  const colon = uname.indexOf(':');
  if (colon < 0) throw new Error(`Block device type "${uname}" is invalid.`);
  const type = uname.slice(0, colon);
  const params = uname.slice(colon + 1).replace(/^\/+/, '/');
  if (type === 'tap') {
    const format = params.split(':')[0]!;
    if (!TAP_TYPES.has(format)) throw new Error(`tap:${format} not a valid disk type`);
  } else if (type !== 'phy' && type !== 'file' && !context.hasBlockScript?.(type)) {
    throw new Error(`Block device type "${type}" is invalid.`);
  }
  return { type, params };
}

export function vbdEntries(config: VbdConfig, _context: DeviceContext): DeviceEntries {
  const isExtended = config.devid >= 2 ** 28;
  return {
    devid: config.devid,
    frontend: {
      [isExtended ? 'virtual-device-ext' : 'virtual-device']: String(config.devid),
      'device-type': config.deviceType,
      ...(config.protocol === undefined ? {} : { protocol: config.protocol }),
    },
    backend: {
      dev: config.dev,
      type: config.type,
      params: config.params,
      mode: config.mode,
      uuid: config.uuid,
      ...(config.bootable === undefined ? {} : { bootable: config.bootable }),
    },
  };
}
