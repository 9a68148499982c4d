/**
 * The steps that make a paravirtual domain out of a configuration, up to the point where xenstored knows it; devices come
 * afterwards (XendDomainInfo._constructDomain, _initDomain and image.py in Xen 3.4).
 */
import { DOM0 } from '../abi/xen';
import { XenError } from '../lib/errno';
import { sxpText } from '../lib/sxp';
import { runBootloader } from './bootloader';
import type { DomainConfig, ImageConfig } from './domainConfig';
import type { DomainHost } from './domainInfo';
import { type Channel, storeDomDetails } from './domainStore';
import { uuidBytes } from './environment';
import { VmError, XendError, xcText } from './errors';
import { type BuildRequest, type BuildResult, buildLinux } from './image/linux';
import { buildPvh } from './image/pvh';
import { readPvhKernel } from './image/pvhKernel';

/** What puts something into a new domain's memory. */
export interface DomainFiller {
  /** Called first: throws VmError when it is known already that it cannot be done. */
  check(): Promise<void>;
  /** The domain has vcpus and a memory limit, and no memory. */
  fill(domid: number, ports: { readonly storePort: number; readonly consolePort: number }): Promise<BuildResult>;
}

/** Loads the configured kernel, or the one that the boot loader finds. */
export function kernelFiller(host: DomainHost, config: DomainConfig): DomainFiller {
  let image: ImageConfig;
  return {
    async check() {
      image = await bootImage(host, config);
      checkImage(host, image);
    },
    fill: (domid, ports) => loadKernel(host, config, image, { domid, ...ports }),
  };
}

async function bootImage(host: DomainHost, config: DomainConfig): Promise<ImageConfig> {
  const { image } = config;
  if (config.bootloader !== '' && image?.type !== 'hvm') return runBootloader(host.environment, config);
  if (!image) throw new VmError('unknown image type: None');
  return image;
}

/** Throws VmError when the host cannot run such an image or its files are not there. */
function checkImage(host: DomainHost, image: ImageConfig): void {
  if (image.type === 'hvm' && !host.xc.physInfo().hvm)
    throw new VmError('HVM guest support is unavailable: is VT/AMD-V supported by your CPU and enabled in your BIOS?');
  if (image.type !== 'linux') throw new VmError(`unknown image type: ${image.type}`);
  readImage(host, image.kernel, 'Kernel image');
  if (image.ramdisk !== '') readImage(host, image.ramdisk, 'Kernel ramdisk');
}

/** The new domain's id; it is paused and has no memory yet. The security policy may forbid it. */
export function createInXen(host: DomainHost, config: DomainConfig): number {
  const ssidref = host.security.authorise(config);
  try {
    return host.xc.domainCreate(uuidBytes(config.uuid), ssidref);
  } catch (error) {
    if (!(error instanceof XenError)) throw error;
    throw (
      host.security.creationRefused(ssidref, config.name) ?? new VmError(`Creating domain failed: name=${config.name}`)
    );
  }
}

/** Vcpus, memory, event channels; answers the two channels to Domain-0. */
export async function buildDomain(
  host: DomainHost,
  config: DomainConfig,
  filler: DomainFiller,
  domid: number,
): Promise<{ store: Channel; console: Channel }> {
  const { xc, log, environment } = host;
  xc.maxVcpus(domid, config.vcpus);
  log.debug('XendDomainInfo:2136', `XendDomainInfo.initDomain: ${domid} ${config.weight}`);
  config.cpus.forEach((cpus, vcpu) => {
    if (cpus.length > 0) pinVcpu(host, domid, vcpu, cpus);
  });
  const maxmemKiB = config.maxmemMiB * 1024;
  xc.setMaxMem(domid, maxmemKiB);
  xc.setMemoryMap(domid, maxmemKiB + 8192);
  const overheadKiB = Math.ceil((4 * config.maxmemMiB) / 1024) * 1024;
  await host.freeMemory(config.memoryMiB * 1024 + overheadKiB);
  const storePort = xc.evtchnAllocUnbound(domid, DOM0);
  const consolePort = xc.evtchnAllocUnbound(domid, DOM0);
  const built = await filler.fill(domid, { storePort, consolePort });
  const channels = {
    store: { mfn: built.storeMfn, port: storePort },
    console: { mfn: built.consoleMfn, port: consolePort },
  };
  storeDomDetails(environment.store, domid, config, channels, host.options.int('console-limit'), built.notes);
  environment.store.introduce(domid, built.storeMfn, storePort);
  return channels;
}

async function loadKernel(
  host: DomainHost,
  config: DomainConfig,
  image: ImageConfig,
  { domid, storePort, consolePort }: { domid: number; storePort: number; consolePort: number },
): Promise<BuildResult> {
  const { log } = host;
  const details = [
    ['domid', domid],
    ['memsize', config.memoryMiB],
    ['image', image.kernel],
    ['store_evtchn', storePort],
    ['console_evtchn', consolePort],
    ['cmdline', image.cmdline],
    ['ramdisk', image.ramdisk],
    ['vcpus', config.vcpus],
    ['features', config.features],
  ] as const;
  log.info('image:125', `buildDomain os=${image.type} dom=${domid} vcpus=${config.vcpus}`);
  for (const [key, value] of details) log.debug('image:700', `${key.padEnd(14)} = ${value}`);
  await provideFiles(host, config, image);
  const kernel = readImage(host, image.kernel, 'Kernel image');
  const request: BuildRequest = {
    domid,
    kernel,
    ramdisk: image.ramdisk === '' ? undefined : readImage(host, image.ramdisk, 'Kernel ramdisk'),
    cmdline: image.cmdline,
    memoryMiB: config.memoryMiB,
    storePort,
    consolePort,
  };
  const pvhKernel = readPvhKernel(kernel);
  return pvhKernel ? buildPvh(host, request, pvhKernel) : buildLinux(host.xc, request);
}

/** Files that this host gets only when they are used: kernel, RAM disk and disk images of a domain. */
async function provideFiles({ environment }: DomainHost, { devices }: DomainConfig, image: ImageConfig): Promise<void> {
  const images = devices.flatMap(({ sxp }) => /^(?:file|tap:aio):(.*)/.exec(sxpText(sxp, 'uname') ?? '')?.[1] ?? []);
  const provide = async (path: string) => {
    try {
      await environment.files.provide?.(path);
    } catch (error) {
      throw new VmError(`cannot get ${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await Promise.all([image.kernel, image.ramdisk, ...images].map(provide));
}

/** Throws XendError in the words of `xm vcpu-pin`. */
export function pinVcpu(host: DomainHost, domid: number, vcpu: number, cpus: readonly number[]): void {
  try {
    host.xc.setVcpuAffinity(domid, vcpu, cpus);
  } catch (error) {
    if (!(error instanceof XenError)) throw error;
    throw new XendError(`Cannot pin vcpu: ${vcpu} to cpu: [${cpus.join(', ')}] - ${xcText(error)}`);
  }
}

function readImage(host: DomainHost, path: string, what: string): Uint8Array {
  const bytes = path === '' ? undefined : host.environment.files.read(path);
  if (!bytes) throw new VmError(`${what} does not exist: ${path}`);
  return bytes;
}
