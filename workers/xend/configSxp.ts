/** A domain as `xm list --long` prints it: `(domain …)` (XendConfig.to_sxp and XendDomainInfo.sxpr in Xen 3.4). */
import { type Sxp, sxpName } from '../lib/sxp';
import type { DeviceConfig, DomainConfig, ImageConfig } from './domainConfig';

/** What only a running domain has. */
export interface RunningState {
  readonly domid: number;
  /** Six letters or dashes. */
  readonly state: string;
  readonly cpuTimeSeconds: number;
  readonly onlineVcpus: number;
  readonly startTime: number;
  readonly storeMfn: number | undefined;
  readonly consoleMfn: number | undefined;
}

/** Status numbers: 0 halted, 1 paused, 2 running, 3 suspended, 4 shutting down, 5 crashed, 6 unknown. */
export function domainSxp(config: DomainConfig, running: RunningState | undefined, status: number): Sxp {
  const restricted = config.cpus.some((cpus) => cpus.length > 0);
  const out: Sxp[] = ['domain'];
  if (running) out.push(['domid', String(running.domid)]);
  out.push(
    ['bootloader', config.bootloader],
    ['on_crash', config.onCrash],
    ['uuid', config.uuid],
    ['bootloader_args', config.bootloaderArgs],
    ['vcpus', String(config.vcpus)],
    ['name', config.name],
    ['cpus', restricted ? config.cpus.map((cpus) => cpus.map(String)) : [[]]],
    ['on_reboot', config.onReboot],
    ['on_poweroff', config.onPoweroff],
    ['maxmem', String(config.maxmemMiB)],
    ['memory', String(config.memoryMiB)],
    ['shadow_memory', String(config.shadowMemoryMiB)],
    ['features', config.features],
    ['on_xend_start', config.onXendStart],
    ['on_xend_stop', config.onXendStop],
  );
  if (config.securityLabel !== undefined) out.push(['security_label', config.securityLabel]);
  if (running)
    out.push(
      ['start_time', pythonFloat(running.startTime)],
      ['cpu_time', pythonFloat(running.cpuTimeSeconds)],
      ['online_vcpus', String(running.onlineVcpus)],
    );
  if (config.image) out.push(['image', imageSxp(config.image)]);
  out.push(['status', String(status)]);
  if (running) {
    out.push(['state', running.state]);
    if (running.storeMfn !== undefined) out.push(['store_mfn', String(running.storeMfn)]);
    if (running.consoleMfn !== undefined) out.push(['console_mfn', String(running.consoleMfn)]);
  }
  for (const device of config.devices) out.push(['device', running ? runningDevice(device) : device.sxp]);
  return out;
}

const ONLY_RUNNING: ReadonlySet<string> = new Set(['driver', 'VDI']);

/** A device that is connected also says to whom, and a disk what kind it is. */
function runningDevice({ class: className, sxp }: DeviceConfig): Sxp {
  const hasBackend = sxp.some((child) => sxpName(child) === 'backend');
  const backend: Sxp[] = hasBackend ? [] : [['backend', '0']];
  if (className !== 'vbd' && className !== 'tap') return [...sxp, ...backend];
  // What was created from such a list has them already.
  const given = sxp.filter((child) => typeof child === 'string' || !ONLY_RUNNING.has(sxpName(child) ?? ''));
  const withKind = given.map((child) => {
    const [key, dev] = typeof child === 'string' ? [] : child;
    return key === 'dev' && typeof dev === 'string' && !/:(disk|cdrom)$/.test(dev) ? ['dev', `${dev}:disk`] : child;
  });
  return [...withKind, ...backend, ['driver', 'paravirtualised'], ['VDI', '']];
}

/** As Python prints nested lists of strings: what the log shows of a configuration. */
export function pythonList(sxp: Sxp): string {
  if (typeof sxp !== 'string') return `[${sxp.map(pythonList).join(', ')}]`;
  return sxp.includes("'") && !sxp.includes('"') ? `"${sxp}"` : `'${sxp.replace(/[\\']/g, '\\$&')}'`;
}

/** Also the value of the store node `image`. */
export function imageSxp(image: ImageConfig): Sxp {
  const out: Sxp[] = [image.type, ['kernel', image.kernel]];
  if (image.ramdisk) out.push(['ramdisk', image.ramdisk]);
  if (image.cmdline) out.push(['args', image.cmdline]);
  return [...out, ...image.others];
}

/** `str(float)` of Python 2: twelve significant digits, always with a fraction. */
export function pythonFloat(value: number): string {
  const text = String(Number(value.toPrecision(12)));
  return /[.e]/.test(text) ? text : `${text}.0`;
}
