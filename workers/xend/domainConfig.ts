/**
 * What a domain is configured to be: read from `(vm …)`, which xm sends, or from `(domain …)`, which `xm list --long`
 * prints, and checked (tools/python/xen/xend/XendConfig.py in Xen 3.4).
 */
import { printSxp, type Sxp, sxpChild, sxpChildren, sxpName, sxpText, sxpValue } from '../lib/sxp';
import { parseCpuList } from './cpuList';
import { pythonInt } from './environment';
import { VmError, XendConfigError } from './errors';

export type RestartAction =
  | 'destroy'
  | 'restart'
  | 'preserve'
  | 'rename-restart'
  | 'coredump-destroy'
  | 'coredump-restart';

/** One device: its class, its uuid, and the s-expression with which it was asked for. */
export interface DeviceConfig {
  readonly class: string;
  readonly uuid: string;
  readonly sxp: readonly Sxp[];
}

export interface ImageConfig {
  /** `linux` or `hvm`. */
  readonly type: string;
  readonly kernel: string;
  readonly ramdisk: string;
  /** The whole kernel command line. */
  readonly cmdline: string;
  /** Everything else, kept for printing. */
  readonly others: readonly (readonly Sxp[])[];
}

export interface DomainConfig {
  name: string;
  uuid: string;
  /** Dynamic maximum: what the domain is meant to have now. */
  memoryMiB: number;
  /** Static maximum. */
  maxmemMiB: number;
  shadowMemoryMiB: number;
  vcpus: number;
  /** Bit n: vcpu n is online at the start. */
  vcpuAvail: bigint;
  /** Per vcpu the cpus it may use; an empty list means any. */
  cpus: (readonly number[])[];
  weight: number;
  cap: number;
  features: string;
  onPoweroff: RestartAction;
  onReboot: RestartAction;
  onCrash: RestartAction;
  onXendStart: string;
  onXendStop: string;
  bootloader: string;
  bootloaderArgs: string;
  localtime: boolean;
  /** `blkif`, `netif`, …: what the domain may be a backend for. */
  backends: readonly string[];
  image: ImageConfig | undefined;
  devices: DeviceConfig[];
  /** `ACM:policy:label`; undefined: none was given. */
  securityLabel?: string | undefined;
}

export interface ConfigContext {
  randomUuid(): string;
  /** Device classes that the toolstack knows. */
  readonly deviceClasses: ReadonlySet<string>;
}

const ACTIONS: ReadonlySet<string> = new Set([
  'destroy',
  'restart',
  'preserve',
  'rename-restart',
  'coredump-destroy',
  'coredump-restart',
]);
const LEGACY_RESTART: Readonly<Record<string, readonly [string, string, string]>> = {
  onreboot: ['destroy', 'restart', 'destroy'],
  always: ['restart', 'restart', 'restart'],
  never: ['never', 'never', 'never'],
};

/** Throws XendError subclasses with the operator's text. */
export function parseDomainConfig(sxp: Sxp, context: ConfigContext): DomainConfig {
  const head = sxpName(sxp);
  if (head !== 'vm' && head !== 'domain') throw new XendConfigError('Invalid configuration');
  const text = (name: string, fallback = '') => sxpText(sxp, name) ?? fallback;
  const number = (name: string, fallback: number) => {
    const value = sxpText(sxp, name);
    return value === undefined || value === '' ? fallback : intOf(value);
  };
  const memoryMiB = number('memory', 0);
  const vcpus = number('vcpus', 1);
  const legacy = LEGACY_RESTART[text('restart')];
  const action = (name: string, event: string, fallback: string, index: number) => {
    const word = legacy?.[index] ?? (text(name) || fallback);
    if (!ACTIONS.has(word)) throw new XendConfigError(`Invalid event handling mode: ${event}`);
    return word as RestartAction;
  };
  const config: DomainConfig = {
    name: text('name'),
    uuid: checkUuid(text('uuid')) || context.randomUuid(),
    memoryMiB,
    maxmemMiB: number('maxmem', 0) || memoryMiB,
    shadowMemoryMiB: number('shadow_memory', 0),
    vcpus,
    vcpuAvail: vcpuMask(text('vcpu_avail'), vcpus),
    cpus: parseCpus(sxp, vcpus),
    weight: number('cpu_weight', 256),
    cap: number('cpu_cap', 0),
    features: text('features'),
    onPoweroff: action('on_poweroff', 'shutdown', 'destroy', 0),
    onReboot: action('on_reboot', 'reboot', 'restart', 1),
    onCrash: action('on_crash', 'crash', 'restart', 2),
    onXendStart: text('on_xend_start', 'ignore'),
    onXendStop: text('on_xend_stop', 'ignore'),
    bootloader: text('bootloader'),
    bootloaderArgs: text('bootloader_args'),
    localtime: number('localtime', 0) !== 0,
    backends: sxpChildren(sxp, 'backend').flatMap((backend) => sxpChildren(backend).map((kind) => sxpName(kind) ?? '')),
    image: parseImage(sxp),
    devices: sxpChildren(sxp, 'device').map((device) => parseDevice(device, context)),
    ...parseSecurity(sxp),
  };
  validate(config);
  return config;
}

function intOf(text: string): number {
  try {
    return pythonInt(text);
  } catch (error) {
    throw new XendConfigError((error as Error).message);
  }
}

/** Throws in the words of xend's uuid.fromString, which reads pairs of digits. */
function checkUuid(text: string): string {
  const digits = text.replaceAll('-', '');
  if (text === '' || /^[0-9a-f]{32}$/i.test(digits)) return text.toLowerCase();
  const pairs = Array.from({ length: 16 }, (_, i) => digits.slice(2 * i, 2 * i + 2));
  const bad = pairs.find((pair) => !/^[0-9a-f]{2}$/i.test(pair)) ?? digits.slice(32);
  throw new XendConfigError(`invalid literal for int() with base 16: '${bad}'`);
}

function vcpuMask(text: string, vcpus: number): bigint {
  const all = (1n << BigInt(Math.max(0, Math.min(vcpus, 4096)))) - 1n;
  if (text === '') return all;
  return BigInt(intOf(text)) & all;
}

function validate(config: DomainConfig): void {
  if (config.name === '') throw new VmError('Missing VM Name');
  checkName(config.name);
  checkMemory(config.memoryMiB, config.maxmemMiB);
  if (config.vcpus < 1) throw new XendConfigError('Zero or less VCPUs is invalid');
  if (config.weight < 1 || config.weight > 65535)
    throw new XendConfigError('Cpu weight out of range, valid values are within range from 1 to 65535');
  if (config.cap < 0 || config.cap > 100 * config.vcpus)
    throw new XendConfigError(
      `Cpu cap out of range, valid range is from 0 to ${100 * config.vcpus} for specified number of vcpus`,
    );
}

/** The characters that a domain's name may have. Throws VmError. */
export function checkName(name: string): void {
  if (!/^[A-Za-z0-9_\-.:/+]+$/.test(name)) throw new VmError('Invalid VM Name');
}

/** Throws XendConfigError; both in MiB. */
export function checkMemory(dynamicMaxMiB: number, staticMaxMiB: number): void {
  if (dynamicMaxMiB > staticMaxMiB)
    throw new XendConfigError('memory_dynamic_max must be less than or equal to memory_static_max');
  if (dynamicMaxMiB <= 0) throw new XendConfigError('memory_dynamic_max must be greater than zero');
}

function parseCpus(sxp: Sxp, vcpus: number): (readonly number[])[] {
  const count = Math.max(0, Math.min(vcpus, 4096));
  const value = sxpValue(sxp, 'cpus');
  const single = sxpText(sxp, 'cpu');
  const extra = single !== undefined && /^\d+$/.test(single) ? [Number(single)] : [];
  const list = (text: string) => {
    try {
      return parseCpuList(text);
    } catch (error) {
      throw new XendConfigError(`cpus = ${text}: ${(error as Error).message}`);
    }
  };
  if (value === undefined || value === '' || value.length === 0) return Array.from({ length: count }, () => extra);
  if (typeof value === 'string') {
    const cpus = [...extra, ...list(value).filter((cpu) => !extra.includes(cpu))];
    return Array.from({ length: count }, () => cpus);
  }
  const perVcpu = value.map((item) => (typeof item === 'string' ? list(item) : item.map((cpu) => intOf(String(cpu)))));
  if (perVcpu.length === 1 && perVcpu[0]!.length === 0) return Array.from({ length: count }, () => []);
  if (perVcpu.length !== vcpus) throw new XendConfigError('vcpus and the item number of cpus are not same');
  return perVcpu;
}

const IMAGE_KEYS: ReadonlySet<string> = new Set(['kernel', 'ramdisk', 'args', 'root', 'ip', 'notes']);

function parseImage(sxp: Sxp): ImageConfig | undefined {
  const image = sxpChild(sxp, 'image')?.[1];
  if (image === undefined || typeof image === 'string') return undefined;
  const type = sxpName(image) ?? '';
  return {
    type: type === 'vmx' ? 'hvm' : type,
    kernel: sxpText(image, 'kernel') ?? '',
    ramdisk: sxpText(image, 'ramdisk') ?? '',
    cmdline: commandLine(sxpText(image, 'root') ?? '', sxpText(image, 'ip') ?? '', sxpText(image, 'args') ?? ''),
    others: sxpChildren(image).filter((child) => !IMAGE_KEYS.has(sxpName(child) ?? '')),
  };
}

/** `root=R ip=I EXTRA`, without a second root= or ip= when the operator's own text has one. */
function commandLine(root: string, ip: string, extra: string): string {
  const words: string[] = [];
  if (root && !extra.includes('root=')) words.push(`root=${root}`);
  if (ip && !extra.includes('ip=')) words.push(`ip=${ip}`);
  if (extra) words.push(extra);
  return words.join(' ');
}

/** `(security_label ACM:P:L)`, or from xm `(security ((access_control (policy P) (label L))))`. */
function parseSecurity(sxp: Sxp): Pick<DomainConfig, 'securityLabel'> {
  const label = sxpText(sxp, 'security_label');
  if (label) return { securityLabel: label };
  const list = sxpChild(sxp, 'security')?.[1];
  if (list === undefined || typeof list === 'string') return {};
  const control = list.find((child) => sxpName(child) === 'access_control');
  if (control === undefined || typeof control === 'string')
    throw new XendConfigError(`Badly formatted security label: ${printSxp(list)}`);
  return { securityLabel: `ACM:${sxpText(control, 'policy') ?? ''}:${sxpText(control, 'label') ?? ''}` };
}

function parseDevice(device: readonly Sxp[], context: ConfigContext): DeviceConfig {
  const inner = device[1];
  const name = sxpName(inner);
  if (inner === undefined || typeof inner === 'string' || name === undefined)
    throw new XendConfigError('XendConfig: None not a valid device type');
  return deviceConfig(inner, context);
}

/** A device from its own s-expression, `(vbd (uname …) …)`. Throws XendConfigError for an unknown class. */
export function deviceConfig(sxp: readonly Sxp[], context: ConfigContext): DeviceConfig {
  const name = sxpName(sxp) ?? 'None';
  if (!context.deviceClasses.has(name)) throw new XendConfigError(`XendConfig: ${name} not a valid device type`);
  const uuid = sxpText(sxp, 'uuid') || context.randomUuid();
  return { class: name, uuid, sxp: sxpText(sxp, 'uuid') ? sxp : [...sxp, ['uuid', uuid]] };
}

export function cloneConfig(config: DomainConfig): DomainConfig {
  return { ...config, cpus: [...config.cpus], devices: [...config.devices], vcpuAvail: config.vcpuAvail };
}
