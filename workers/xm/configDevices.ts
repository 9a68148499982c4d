/** Device lists of a configuration as s-expressions (the configure_* functions of xm/create.py in Xen 3.4). */
import type { Sxp } from '../lib/sxp';
import { XmError } from './command';
import { type ConfigValue, type ConfigValues, configError, itemsOf, itemText, valueSxp } from './configValues';
import { diskSxp } from './disk';

const VIF_KEYS: ReadonlySet<string> = new Set([
  'type',
  'mac',
  'bridge',
  'ip',
  'script',
  'backend',
  'vifname',
  'rate',
  'model',
  'accel',
  'policy',
  'label',
]);
const VFB_KEYS: ReadonlySet<string> = new Set([
  'vnc',
  'sdl',
  'vncdisplay',
  'vnclisten',
  'vncunused',
  'vncpasswd',
  'videoram',
  'display',
  'xauthority',
  'opengl',
  'keymap',
  'type',
]);

/** Every device of the domain, in the order in which xm sends them. */
export function deviceSxps(values: ConfigValues, env: Readonly<Record<string, string | undefined>>): readonly Sxp[] {
  const texts = (name: string) => itemsOf(values, name).map(itemText);
  return [
    ...texts('disk').map(diskSxp),
    ...pciSxp(texts('pci')),
    ...texts('vscsi').map(vscsiSxp),
    ...texts('ioports').map(ioportsSxp),
    ...itemsOf(values, 'irq').map((irq): Sxp => ['irq', ['irq', itemText(irq)]]),
    ...texts('vif').map(vifSxp),
    ...texts('vtpm').slice(0, 1).map(vtpmSxp),
    ...texts('vfb').flatMap((text) => [['vkbd'], vfbSxp(text, values, env)]),
  ].map((device): Sxp => ['device', device]);
}

/** `key=value,key=value`, blanks around parts ignored. */
function pairs(text: string): readonly (readonly [string, string])[] {
  if (text.trim() === '') return [];
  return text.split(',').map((word) => {
    const at = word.indexOf('=');
    if (at < 0) throw configError(`${word.trim()} should be a pair, separated by an equals sign.`);
    return [word.slice(0, at).trim(), word.slice(at + 1).trim()];
  });
}

function vifSxp(text: string): Sxp {
  const vif: Sxp[] = ['vif'];
  let policy: string | undefined;
  let label: string | undefined;
  for (const [key, value] of pairs(text)) {
    if (!VIF_KEYS.has(key)) throw configError(`Invalid vif option: ${key}`);
    if (key === 'policy') policy = value;
    else if (key === 'label') label = value;
    else vif.push([key, value]);
  }
  if (policy !== undefined && label !== undefined) vif.push(['security_label', `ACM:${policy}:${label}`]);
  return vif;
}

function vfbSxp(text: string, values: ConfigValues, env: Readonly<Record<string, string | undefined>>): Sxp {
  const keys = new Map<string, string>();
  for (const [key, value] of pairs(text)) {
    if (!VFB_KEYS.has(key)) throw configError(`configuration option ${key} unknown to vfbs`);
    if (key === 'type') keys.set(value, '1');
    else keys.set(key, value);
  }
  const extras: readonly (readonly [string, ConfigValue | undefined])[] = [
    ['keymap', values.get('keymap')],
    ['display', values.get('display') ?? env['DISPLAY']],
    ['xauthority', values.get('xauthority') ?? env['XAUTHORITY'] ?? `${env['HOME'] ?? '/root'}/.Xauthority`],
  ];
  for (const [key, value] of extras) if (!keys.has(key) && value) keys.set(key, String(valueSxp(value)));
  return ['vfb', ...keys];
}

function vtpmSxp(text: string): Sxp {
  const vtpm: Sxp[] = ['vtpm'];
  for (const [key, value] of pairs(text)) {
    if (key === 'backend') vtpm.push(['backend', value]);
    else if (key === 'instance') vtpm.push(['pref_instance', vtpmInstance(value)]);
    else throw configError(`Invalid vtpm specifier: ${text}`);
  }
  return vtpm;
}

function vtpmInstance(text: string): string {
  if (text === 'VTPMD') return '0';
  if (!/^\d+$/.test(text)) throw configError('Vm config error: could not parse instance number.');
  if (Number(text) === 0) throw configError('VM config error: vTPM instance must not be 0.');
  return text;
}

/** All functions go into one device; entries that do not look like an address are left out without a word. */
function pciSxp(texts: readonly string[]): readonly Sxp[] {
  const devices = texts.flatMap((text): Sxp[] => {
    const match =
      /^(?:([0-9a-fA-F]{1,4})[:,])?([0-9a-fA-F]{1,2})[:,]([0-9a-fA-F]{1,2})[.,]([0-7])(?:@([01]?[0-9a-fA-F]))?((?:,[^,]+)*)$/.exec(
        text.trim(),
      );
    if (!match) return [];
    const [, domain = '0', bus, slot, func, vslot = '20', rest = ''] = match;
    const device: Sxp[] = [
      'dev',
      ['domain', `0x${domain}`],
      ['bus', `0x${bus}`],
      ['slot', `0x${slot}`],
      ['func', `0x${func}`],
      ['requested_vslot', `0x${vslot}`],
    ];
    const opts = pairs(rest.replace(/^,/, '')).map(([key, value]): Sxp => {
      if (key !== 'msitranslate' && key !== 'power_mgmt') throw configError(`Invalid pci option: ${key}`);
      return [key, value];
    });
    if (opts.length > 0) device.push(['opts', opts]);
    return [device];
  });
  return devices.length === 0 ? [] : [['pci', ...devices]];
}

function vscsiSxp(text: string): Sxp {
  const fields = text.split(',');
  if (fields.length < 2 || fields.length > 3) throw configError(`vscsi syntax error "${text}"`);
  throw configError(`Cannot find device "${fields[0]}"`);
}

function ioportsSxp(text: string): Sxp {
  const match = /^(0x)?([0-9a-fA-F]+)(?:-(0x)?([0-9a-fA-F]+))?$/.exec(text);
  if (!match) throw configError(`Invalid i/o port range specifier: ${text}`);
  const hex = (digits: string) => `0x${digits.toLowerCase().padStart(4, '0')}`;
  return ['ioports', ['from', hex(match[2]!)], ['to', hex(match[4] ?? match[2]!)]];
}

/**
 * `policy=P,label=L`, one element. `enforced` is the policy in force: '' without ACM, when no label can be accepted; undefined accepts any.
 */
export function accessControlSxp(values: ConfigValues, enforced: string | undefined): readonly Sxp[] {
  const items = itemsOf(values, 'access_control').map(itemText);
  if (items.length === 0) return [];
  if (items.length > 1) throw configError('Multiple access_control definitions.');
  const text = items[0]!;
  const words = text.split(',').map((word) => word.trim());
  if (words.length > 2) throw configError(`Too many elements in access_control specifier: ${text}`);
  const value = (key: string) =>
    words
      .find((word) => word.startsWith(`${key}=`))
      ?.slice(key.length + 1)
      .trim();
  const policy = value('policy');
  const label = value('label');
  if (policy === undefined || label === undefined) throw configError(`Invalid access_control specifier: ${text}`);
  if (enforced !== undefined && policy !== enforced)
    throw new XmError(`Security policy (${policy}) incompatible with enforced policy (${enforced}).`, { usage: false });
  return [['security', [['access_control', ['policy', policy], ['label', label]]]]];
}
