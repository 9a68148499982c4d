/**
 * What xend knows of network interfaces: the s-expression of a configuration, checked, and what is written into the
 * store for the two ends (tools/python/xen/xend/server/netif.py; the operator's texts are its texts).
 */
import type { DeviceContext, DeviceEntries } from '../device';
import { sxpPairs } from '../vbd/controller';

export interface VifConfig {
  readonly devid: number;
  readonly mac: string;
  /** Path of the hotplug script. */
  readonly script: string;
  readonly uuid: string;
  /** Bytes and microseconds; the guest's transmission is held to it. */
  readonly rate: string | undefined;
  /** type, ip, bridge, vifname, model, accel, security_label: passed on as they are. */
  readonly others: Readonly<Record<string, string>>;
}

const PASSED_ON = ['type', 'ip', 'bridge', 'vifname', 'model', 'accel', 'security_label'] as const;
const SCRIPTS = '/etc/xen/scripts';
const DEFAULT_INTERVAL_US = 50_000;
const UNLIMITED = '4294967295,0';

/** Throws Error with the operator's text. */
export function parseVif(sxp: unknown, context: DeviceContext): VifConfig {
  const pairs = sxpPairs(sxp);
  const mac = pairs.get('mac') || context.randomMac();
  if (!isMac(mac)) throw new Error('Cannot create a new virtual network interface - MAC address is not valid!');
  const script = pairs.get('script') || context.option('vif-script') || 'vif-bridge';
  const rate = pairs.get('rate');
  const others: Record<string, string> = {};
  for (const key of PASSED_ON) {
    const value = pairs.get(key);
    if (value) others[key] = value;
  }
  return {
    devid: context.allocateDeviceId('vif'),
    mac,
    script: script.startsWith('/') ? script : `${SCRIPTS}/${script}`,
    uuid: pairs.get('uuid') ?? context.randomUuid(),
    rate: rate === undefined || rate === '' ? undefined : parseRate(rate),
    others,
  };
}

export function isMac(text: string): boolean {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text);
}

/**
 * `N[GMK](B|b)/s[@N[mu]s]` → `bytes,microseconds`: how many bytes in each interval (default 50 ms); the decimal K, M, G.
 * What cannot be read is no limit, as in xend.
 */
export function parseRate(text: string): string {
  if (/^\d+,\d+$/.test(text)) return text;
  const match = /^([0-9]+)([GMK]?)([Bb])\/s(?:@([0-9]+)([mu]?)s)?$/.exec(text.trim());
  if (!match) return UNLIMITED;
  const scale = { '': 1, K: 1e3, M: 1e6, G: 1e9 }[match[2]!]!;
  const bytesPerSecond = (Number(match[1]) * scale) / (match[3] === 'b' ? 8 : 1);
  const unit = { '': 1e6, m: 1e3, u: 1 }[match[5] ?? '']!;
  const interval = match[4] === undefined ? DEFAULT_INTERVAL_US : Number(match[4]) * unit;
  if (interval === 0) return UNLIMITED;
  const bytes = Math.floor((bytesPerSecond * interval) / 1e6);
  return bytes > 0 && bytes < 0xffff_ffff ? `${bytes},${interval}` : UNLIMITED;
}

export function vifEntries(config: VifConfig, _context: DeviceContext): DeviceEntries {
  const isEmulated = config.others['type'] === 'ioemu';
  return {
    devid: config.devid,
    frontend: { handle: String(config.devid), ...(isEmulated ? {} : { mac: config.mac }) },
    backend: {
      script: config.script,
      mac: config.mac,
      handle: String(config.devid),
      uuid: config.uuid,
      ...config.others,
      ...(config.rate === undefined ? {} : { rate: config.rate }),
    },
  };
}
