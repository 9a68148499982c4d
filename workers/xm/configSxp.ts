/**
 * The `(vm …)` that xm sends to xend, from the variables of a configuration (make_config of xm/create.py in Xen 3.4,
 * whose order of children it keeps).
 */
import type { Sxp } from '../lib/sxp';
import { accessControlSxp, deviceSxps } from './configDevices';
import { type ConfigValues, configError, isTruthy, valueSxp } from './configValues';

/** Children that appear when their variable is true in Python's sense. */
const PLAIN = [
  'name',
  'memory',
  'maxmem',
  'shadow_memory',
  'restart',
  'on_poweroff',
  'on_reboot',
  'on_crash',
  'vcpus',
  'vcpu_avail',
  'features',
  'on_xend_start',
  'on_xend_stop',
  'target',
  'cpuid',
  'cpuid_check',
  'machine_address_size',
  'suppress_spurious_page_faults',
] as const;

/** Keys of an HVM image, each present unless it has no value. */
const HVM_KEYS = [
  'device_model',
  'pae',
  'vcpus',
  'boot',
  'fda',
  'fdb',
  'timer_mode',
  'localtime',
  'serial',
  'stdvga',
  'isa',
  'nographic',
  'soundhw',
  'vnc',
  'vncdisplay',
  'vnclisten',
  'vncunused',
  'sdl',
  'display',
  'xauthority',
  'rtc_timeoffset',
  'monitor',
  'acpi',
  'apic',
  'usb',
  'usbdevice',
  'keymap',
  'pci',
  'hpet',
  'guest_os_type',
  'hap',
  'opengl',
  'cpuid',
  'cpuid_check',
  'viridian',
  'pci_msitranslate',
  'vpt_align',
  'pci_power_mgmt',
  'xen_platform_pci',
  'vncpasswd',
] as const;
const HVM_LISTS: ReadonlySet<string> = new Set(['pci', 'cpuid', 'cpuid_check']);

/** Stands in for the NFS server in `ip=` when there is none. */
const DUMMY_NFS_SERVER = '127.0.255.255';

export interface SxpFacts {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `-c` was given: the boot loader may ask. */
  readonly isInteractive: boolean;
  /** The security policy in force, '' without one; undefined: do not look. */
  readonly enforcedPolicy: string | undefined;
}

/** Throws XmError with the operator's text. */
export function makeConfig(values: ConfigValues, facts: SxpFacts): Sxp {
  const text = (name: string) => {
    const value = values.get(name);
    return value === undefined ? '' : String(valueSxp(value));
  };
  const vm: Sxp[] = ['vm'];
  const add = (name: string) => {
    if (isTruthy(values.get(name))) vm.push([name, valueSxp(values.get(name)!)]);
  };
  for (const name of PLAIN) add(name);
  add('uuid');
  // -1 is how the manual page writes "any".
  if (values.get('cpu') !== undefined && text('cpu') !== '-1') vm.push(['cpu', text('cpu')]);
  if (isTruthy(values.get('cpus'))) vm.push(['cpus', valueSxp(values.get('cpus')!)]);
  for (const name of ['cpu_cap', 'cpu_weight']) if (values.get(name) !== undefined) vm.push([name, text(name)]);
  for (const name of ['blkif', 'netif', 'tpmif']) if (isTruthy(values.get(name))) vm.push(['backend', [name]]);
  add('localtime');
  addBootloader(vm, text, facts);
  const image = imageSxp(values, text, facts);
  if (image) vm.push(['image', image]);
  if (values.get('s3_integrity') !== undefined) vm.push(['s3_integrity', text('s3_integrity')]);
  vm.push(...accessControlSxp(values, facts.enforcedPolicy));
  vm.push(...deviceSxps(values, facts.env));
  return vm;
}

function addBootloader(vm: Sxp[], text: (name: string) => string, facts: SxpFacts): void {
  const bootloader = text('bootloader');
  if (bootloader === '') return;
  vm.push(['bootloader', bootloader === 'pygrub' ? '/usr/bin/pygrub' : bootloader]);
  const args = text('bootargs') || (facts.isInteractive ? '' : '-q');
  if (args !== '') vm.push(['bootloader_args', args]);
}

function imageSxp(values: ConfigValues, text: (name: string) => string, facts: SxpFacts): Sxp | undefined {
  const builder = text('builder');
  if (builder === '') return undefined;
  const image: Sxp[] = [builder];
  const add = (key: string, value: string) => {
    if (value !== '') image.push([key, value]);
  };
  add('kernel', absolute(text('kernel'), facts.cwd));
  add('ramdisk', absolute(text('ramdisk'), facts.cwd));
  add('loader', absolute(text('loader'), facts.cwd));
  add('ip', kernelIp(text));
  add('root', text('root').replace(/^root=/, ''));
  if (isTruthy(values.get('videoram'))) add('videoram', text('videoram'));
  add('args', kernelArgs(text));
  if (builder === 'hvm' || builder === 'vmx') addHvmKeys(image, values);
  for (const name of ['vhpt', 'machine_address_size', 'suppress_spurious_page_faults'])
    if (isTruthy(values.get(name))) add(name, text(name));
  return image;
}

function addHvmKeys(image: Sxp[], values: ConfigValues): void {
  for (const key of HVM_KEYS) {
    const value = values.get(key);
    if (HVM_LISTS.has(key)) image.push([key, value === undefined ? [] : valueSxp(value)]);
    else if (value !== undefined) image.push([key, valueSxp(value)]);
  }
}

function absolute(path: string, cwd: string): string {
  if (path === '' || path.startsWith('/')) return path;
  const parts = cwd.split('/').filter((part) => part !== '');
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The kernel's `ip=`: IP:NFS:GATEWAY:NETMASK:HOSTNAME:INTERFACE:DHCP; '' when the kernel configures no network. */
function kernelIp(text: (name: string) => string): string {
  const dhcp = text('dhcp');
  if (text('ip') === '' && (dhcp === 'off' || dhcp === '')) return '';
  const fields = ['gateway', 'netmask', 'hostname', 'interface', 'dhcp'].map(text);
  return [text('ip'), text('nfs_server') || DUMMY_NFS_SERVER, ...fields].join(':');
}

function kernelArgs(text: (name: string) => string): string {
  if (text('nfs_root') === '') return text('extra');
  if (text('nfs_server') === '') throw configError('Must set nfs root and nfs server');
  return `nfsroot=${text('nfs_server')}:${text('nfs_root')} ${text('extra')}`;
}
