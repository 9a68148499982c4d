/**
 * Reads back from the store what a running domain was configured to be: after a restart of xend, and for Domain-0, which
 * no xend has made (XendDomainInfo.recreate in Xen 3.4).
 */
import { parseSxp, type Sxp } from '../lib/sxp';
import type { XenstoreClient } from '../xenstore/client';
import type { DevController } from './devController';
import { type ConfigContext, type DeviceConfig, type DomainConfig, parseDomainConfig } from './domainConfig';
import type { Channel } from './domainStore';
import { uuidText } from './environment';
import type { DomainInfo } from './xc';

const PAGES_PER_MIB = 256;
export const DOM0_UUID = '00000000-0000-0000-0000-000000000000';

/** Backend keys that were not in the device's configuration. */
const NOT_CONFIGURED: ReadonlySet<string> = new Set([
  'domain',
  'frontend',
  'frontend-id',
  'state',
  'online',
  'handle',
  'hotplug-status',
  'hotplug-error',
  'physical-device',
  'node',
  'sectors',
  'sector-size',
  'info',
  'type',
  'params',
]);

export interface Adopted {
  readonly config: DomainConfig;
  readonly vmPath: string;
  readonly startTime: number;
  readonly channels: { readonly store: Channel; readonly console: Channel } | undefined;
}

export function dom0Config(info: DomainInfo, hostMiB: number, context: ConfigContext): DomainConfig {
  const memory = String(Math.max(1, Math.floor(info.totalPages / PAGES_PER_MIB)));
  const vcpus = String(info.maxVcpuId + 1);
  return parseDomainConfig(
    [
      'domain',
      ['name', 'Domain-0'],
      ['uuid', DOM0_UUID],
      ['memory', memory],
      ['maxmem', String(Math.max(hostMiB, Number(memory)))],
      ['vcpus', vcpus],
      ['vcpu_avail', String((1n << BigInt(info.onlineVcpus)) - 1n)],
      ['on_poweroff', 'destroy'],
      ['on_reboot', 'restart'],
      ['on_crash', 'restart'],
      ['image', ['linux', ['kernel', ''], ['ramdisk', '']]],
    ],
    context,
  );
}

/** Undefined when the store knows nothing of the domain. */
export function readAdopted(
  store: XenstoreClient,
  info: DomainInfo,
  context: ConfigContext,
  controllers: readonly DevController[],
): Adopted | undefined {
  const domPath = `/local/domain/${info.domid}`;
  const vmPath = store.read(`${domPath}/vm`);
  if (vmPath === undefined) return undefined;
  const vm = (key: string) => store.read(`${vmPath}/${key}`);
  const number = (path: string) => Number(store.read(`${domPath}/${path}`) ?? Number.NaN);
  const image = vm('image');
  const targetKiB = Number(store.read(`${domPath}/memory/target`) ?? info.totalPages * 4);
  const plain = [
    'vcpus',
    'vcpu_avail',
    'on_poweroff',
    'on_reboot',
    'on_crash',
    'on_xend_start',
    'on_xend_stop',
    'security_label',
  ];
  const sxp: Sxp[] = [
    'domain',
    ['name', vm('name') ?? `Domain-${info.domid}`],
    ['uuid', vm('uuid') ?? uuidText(info.handle)],
    ['memory', String(Math.max(1, Math.floor(targetKiB / 1024)))],
    ['maxmem', String(Math.max(Math.ceil(targetKiB / 1024), Math.floor(info.maxPages / PAGES_PER_MIB)))],
    ...plain.flatMap((key) => (vm(key) === undefined ? [] : [[key, vm(key)!]])),
    ...(image === undefined ? [] : [['image', ...parseSxp(image)]]),
  ];
  const config = parseDomainConfig(sxp, context);
  config.devices = controllers.flatMap((controller) => readDevices(store, vmPath, controller, context));
  const channel = (kind: string): Channel => ({ mfn: number(`${kind}/ring-ref`), port: number(`${kind}/port`) });
  return {
    config,
    vmPath,
    startTime: Number(vm('start_time') ?? '0'),
    channels: { store: channel('store'), console: channel('console') },
  };
}

function readDevices(
  store: XenstoreClient,
  vmPath: string,
  controller: DevController,
  context: ConfigContext,
): DeviceConfig[] {
  const className = controller.device.class;
  return (store.list(`${vmPath}/device/${className}`) ?? []).flatMap((devid) => {
    const backend = store.read(`${vmPath}/device/${className}/${devid}/backend`);
    const names = backend === undefined ? undefined : store.list(backend);
    if (backend === undefined || names === undefined) return [];
    const read = (key: string) => store.read(`${backend}/${key}`);
    const sxp: Sxp[] = [className];
    if (className === 'vbd' || className === 'tap')
      sxp.push(['uname', `${className === 'tap' ? 'tap:' : `${read('type') ?? 'phy'}:`}${read('params') ?? ''}`]);
    for (const key of names) if (!NOT_CONFIGURED.has(key)) sxp.push([key, read(key) ?? '']);
    return [{ class: className, uuid: read('uuid') ?? context.randomUuid(), sxp }];
  });
}
