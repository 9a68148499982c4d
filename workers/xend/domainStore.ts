/**
 * A domain's records in the store: /local/domain/<domid>, which the guest reads, and /vm/<uuid>, xend's own
 * (XendDomainInfo.storeVmDetails, storeDomDetails in Xen 3.4).
 */
import { printSxp } from '../lib/sxp';
import type { XenstoreClient } from '../xenstore/client';
import { imageSxp, pythonFloat } from './configSxp';
import type { DomainConfig } from './domainConfig';
import type { XenNotes } from './elf';

export interface Channel {
  readonly mfn: number;
  readonly port: number;
}

/** The first free of /vm/UUID, /vm/UUID-1, …: a restarting or migrating twin may still hold the plain one. */
export function freeVmPath(store: XenstoreClient, uuid: string): string {
  for (let n = 0; ; n++) {
    const path = n === 0 ? `/vm/${uuid}` : `/vm/${uuid}-${n}`;
    if (store.list(path) === undefined) return path;
  }
}

/** A fresh directory for the domain, with the subtrees that the guest itself writes. */
export function createDomPath(store: XenstoreClient, domid: number, vmPath: string): void {
  const path = `/local/domain/${domid}`;
  store.transaction((t) => {
    t.remove(path);
    t.mkdir(path);
    t.setPermissions(path, [`r${domid}`]);
    t.write(`${path}/vm`, vmPath);
    for (const name of ['device', 'control', 'error', 'memory', 'guest', 'hvmpv']) {
      t.mkdir(`${path}/${name}`);
      t.setPermissions(`${path}/${name}`, [`n${domid}`]);
    }
  });
}

export function storeVmDetails(
  store: XenstoreClient,
  vmPath: string,
  domid: number,
  config: DomainConfig,
  startTime: number,
): void {
  const keys: Record<string, string> = {
    uuid: config.uuid,
    name: config.name,
    vcpus: String(config.vcpus),
    vcpu_avail: String(config.vcpuAvail),
    shadow_memory: String(config.shadowMemoryMiB),
    start_time: pythonFloat(startTime),
    on_poweroff: config.onPoweroff,
    on_reboot: config.onReboot,
    on_crash: config.onCrash,
    on_xend_start: config.onXendStart,
    on_xend_stop: config.onXendStop,
  };
  if (config.bootloader) keys['bootloader'] = config.bootloader;
  if (config.bootloaderArgs) keys['bootloader_args'] = config.bootloaderArgs;
  if (config.securityLabel !== undefined) keys['security_label'] = config.securityLabel;
  if (config.image) {
    keys['image'] = printSxp(imageSxp(config.image));
    keys['image/ostype'] = config.image.type;
    keys['image/kernel'] = config.image.kernel;
    keys['image/cmdline'] = config.image.cmdline;
    keys['image/ramdisk'] = config.image.ramdisk;
  }
  store.transaction((t) => {
    for (const [key, value] of Object.entries(keys)) t.write(`${vmPath}/${key}`, value);
    if (t.read(`${vmPath}/xend/restart_count`) === undefined) t.write(`${vmPath}/xend/restart_count`, '0');
    if (domid === 0) return;
    // What the guest itself may look at.
    for (const key of ['uuid', 'image/cmdline'])
      if (t.read(`${vmPath}/${key}`) !== undefined) t.setPermissions(`${vmPath}/${key}`, ['n0', `r${domid}`]);
  });
}

export function storeDomDetails(
  store: XenstoreClient,
  domid: number,
  config: DomainConfig,
  channels: { readonly store: Channel; readonly console: Channel } | undefined,
  consoleLimitKiB: number,
  notes: XenNotes | undefined,
): void {
  const path = `/local/domain/${domid}`;
  const keys: Record<string, string> = { domid: String(domid), name: config.name };
  keys['memory/target'] = String(config.memoryMiB * 1024);
  if (channels) {
    keys['console/ring-ref'] = String(channels.console.mfn);
    keys['console/port'] = String(channels.console.port);
    keys['console/limit'] = String(consoleLimitKiB * 1024);
    keys['console/type'] = 'xenconsoled';
    keys['store/ring-ref'] = String(channels.store.mfn);
    keys['store/port'] = String(channels.store.port);
    keys['control/platform-feature-multiprocessor-suspend'] = '1';
  }
  Object.assign(keys, availability(config), imageNotes(notes));
  store.transaction((t) => {
    for (const [key, value] of Object.entries(keys)) t.write(`${path}/${key}`, value);
  });
}

/** cpu/V/availability for every configured vcpu. */
export function availability(config: DomainConfig): Record<string, string> {
  const keys: Record<string, string> = {};
  for (let vcpu = 0; vcpu < config.vcpus; vcpu++)
    keys[`cpu/${vcpu}/availability`] = (config.vcpuAvail >> BigInt(vcpu)) & 1n ? 'online' : 'offline';
  return keys;
}

/** The kernel's notes as nodes below image/; a feature is 0 when the kernel insists on it (`!`). */
function imageNotes(notes: XenNotes | undefined): Record<string, string> {
  const keys: Record<string, string> = {};
  if (!notes) return keys;
  for (const [name, value] of notes.number) keys[`image/${name}`] = String(value);
  for (const [name, value] of notes.text) {
    if (name !== 'features') {
      keys[`image/${name}`] = value;
      continue;
    }
    for (const feature of value.split('|').filter((word) => word !== ''))
      keys[`image/features/${feature.replace(/^!/, '').replaceAll('_', '-')}`] = feature.startsWith('!') ? '0' : '1';
  }
  return keys;
}
