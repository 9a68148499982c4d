/**
 * One domain in xend's eyes: how it is built, what xend writes about it, and how it is taken away without leaving anything
 * behind (tools/python/xen/xend/XendDomainInfo.py in Xen 3.4).
 */
import { DOM0 } from '../abi/xen';
import { XenError } from '../lib/errno';
import { printSxp, type Sxp, sxpName } from '../lib/sxp';
import type { DomainSummary } from './api';
import { domainSxp } from './configSxp';
import type { DevController, DeviceOwner } from './devController';
import { checkDuplicate } from './deviceChecks';
import { buildDomain, createInXen, type DomainFiller, kernelFiller } from './domainBuilder';
import { type ConfigContext, type DeviceConfig, type DomainConfig, deviceConfig } from './domainConfig';
import { DomainPower } from './domainPower';
import { releaseDevices, removeRecords, untilReleased } from './domainRemains';
import { powerState, stateLetters } from './domainState';
import { type Channel, createDomPath, freeVmPath, storeDomDetails, storeVmDetails } from './domainStore';
import { randomMac, uuidBytes, type XendEnvironment, type XendFiles } from './environment';
import { asXendError, textOf, XendError, xcText } from './errors';
import type { XendLog } from './log';
import { schedulerName } from './node';
import type { XendOptions } from './options';
import { INACTIVE, type LabelledDomain, type XendSecurity } from './security';
import type { DomainInfo, Xc } from './xc';

/** What a domain needs from the daemon around it. */
export interface DomainHost {
  readonly environment: XendEnvironment;
  readonly xc: Xc;
  readonly log: XendLog;
  readonly options: XendOptions;
  readonly configContext: ConfigContext;
  readonly security: XendSecurity;
  /** In the order in which devices are made and waited for. */
  readonly controllers: readonly DevController[];
  /** Balloons Domain-0 down until so much is free, KiB. */
  freeMemory(kib: number): Promise<void>;
  /** The domain has no id any more: forget it. */
  forget(domain: XendDomainInfo): void;
  /** A dormant domain whose state lies in a file. */
  isSuspended(config: DomainConfig): boolean;
  /** A managed domain's configuration has changed: keep it, in `files` if they are given. */
  keep(config: DomainConfig, files?: XendFiles): void;
  /** Starts a domain from the same configuration, waits for its devices and lets it run. */
  restart(config: DomainConfig): Promise<XendDomainInfo>;
}

export class XendDomainInfo implements DeviceOwner, LabelledDomain {
  #domid: number | undefined;
  #vmPath = '';
  #startTime = 0;
  #info: DomainInfo | undefined;
  #channels: { store: Channel; console: Channel } | undefined;
  #isDestroyed = false;
  /** Backend directories of devices that were asked to close. */
  #closing: readonly string[] = [];
  /** Shutting down and suspending, and what follows from either. */
  readonly power = new DomainPower(this);

  constructor(
    readonly host: DomainHost,
    readonly config: DomainConfig,
  ) {}

  /** -1 while it has none. */
  get domid(): number {
    return this.#domid ?? -1;
  }

  get isRunning(): boolean {
    return this.#domid !== undefined;
  }

  get name(): string {
    return this.config.name;
  }

  get vmPath(): string {
    return this.#vmPath;
  }

  get domPath(): string {
    return `/local/domain/${this.domid}`;
  }

  get info(): DomainInfo | undefined {
    return this.#info;
  }

  /** It has been taken away. */
  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Seconds since 1970. */
  get startTime(): number {
    return this.#startTime;
  }

  get isPrivileged(): boolean {
    return this.#domid === DOM0;
  }

  // --- life

  /**
   * Builds the domain; it stays paused. `filler`: what its memory holds, by default the configured kernel. On any failure
   * everything is taken back and the error goes on.
   */
  async start(filler: DomainFiller = kernelFiller(this.host, this.config)): Promise<void> {
    const { log } = this.host;
    log.debug('XendDomainInfo:2100', 'XendDomainInfo.constructDomain');
    try {
      await this.#construct(filler);
      this.#createDevices();
      this.#storeDetails();
      this.power.watch();
      if (schedulerName(this.host.xc) === 'credit')
        this.host.xc.schedCreditSet(this.domid, this.config.weight, this.config.cap);
    } catch (error) {
      log.error('XendDomainInfo:1981', `VM start failed: ${textOf(error)}`);
      this.destroy();
      throw asXendError(error);
    }
  }

  async #construct(filler: DomainFiller): Promise<void> {
    const { host, config } = this;
    await filler.check();
    await host.freeMemory(4096);
    this.#domid = createInXen(host, config);
    this.#startTime = host.environment.nowUnix();
    this.#vmPath = freeVmPath(host.environment.store, config.uuid);
    storeVmDetails(host.environment.store, this.#vmPath, this.domid, config, this.#startTime);
    createDomPath(host.environment.store, this.domid, this.#vmPath);
    this.#channels = await buildDomain(host, config, filler, this.domid);
  }

  #createDevices(): void {
    const { devices } = this.config;
    devices.forEach((device, at) => {
      checkDuplicate(devices.slice(0, at), device);
    });
    const firstDisk = devices.findIndex(isDisk);
    this.config.devices = devices.map((device, at) =>
      this.#withMac(isDisk(device) ? withKey(device, 'bootable', at === firstDisk ? '1' : '0') : device),
    );
    for (const controller of this.host.controllers) {
      for (const device of this.config.devices) {
        if (device.class !== controller.device.class) continue;
        this.host.security.checkDevice(this.config, device);
        this.host.log.info('XendDomainInfo:1781', `createDevice: ${device.class} : ${sxpDict(device.sxp)}`);
        controller.create(this, device);
      }
    }
  }

  /** Addresses are chosen once and kept over restarts. */
  #withMac(device: DeviceConfig): DeviceConfig {
    if (device.class !== 'vif' || device.sxp.some((child) => sxpName(child) === 'mac')) return device;
    return withKey(device, 'mac', randomMac(this.host.environment.random));
  }

  #storeDetails(): void {
    const { store } = this.host.environment;
    storeVmDetails(store, this.#vmPath, this.domid, this.config, this.#startTime);
    this.host.log.debug(
      'XendDomainInfo:1095',
      `Storing VM details: {'uuid': '${this.config.uuid}', 'name': '${this.name}'}`,
    );
    this.host.log.debug(
      'XendDomainInfo:1131',
      `Storing domain details: {'domid': '${this.domid}', 'vm': '${this.#vmPath}'}`,
    );
  }

  /** Takes over a domain that runs already: Domain-0, or guests after a restart of xend. */
  adopt(info: DomainInfo, vmPath: string, startTime: number, channels?: { store: Channel; console: Channel }): void {
    this.#domid = info.domid;
    this.#info = info;
    this.#vmPath = vmPath;
    this.#startTime = startTime;
    this.#channels = channels;
    if (info.domid === DOM0) {
      const { store } = this.host.environment;
      storeVmDetails(store, vmPath, DOM0, this.config, startTime);
      store.write('/local/domain/0/vm', vmPath);
      storeDomDetails(store, DOM0, this.config, undefined, 0, undefined);
    } else this.power.watch();
  }

  /** Lets go without touching the domain: xend stops. */
  detach(): void {
    this.power.ignore();
  }

  async waitForDevices(): Promise<void> {
    for (const controller of this.host.controllers) await controller.waitForDevices(this);
  }

  pause(): void {
    this.host.xc.domainPause(this.running());
  }

  unpause(): void {
    this.host.xc.domainUnpause(this.running());
    this.host.log.info('XendDomain:1180', `Domain ${this.name} (${this.domid}) unpaused.`);
  }

  /** Its state as it is at this moment; what follows from it comes with the next `refresh`. */
  look(): void {
    this.#info = this.host.xc.domainInfo(this.domid);
  }

  /** New facts from the hypervisor. Resolves when what follows from them (a restart, for instance) is done. */
  async refresh(info: DomainInfo): Promise<void> {
    this.#info = info;
    await this.power.follow(info);
  }

  rename(name: string): void {
    this.callFor(name);
    this.host.keep(this.config);
  }

  /** The name under which others see it, for a while: a managed domain's configuration keeps its own. */
  callFor(name: string): void {
    const { store } = this.host.environment;
    this.config.name = name;
    if (!this.isRunning || this.#isDestroyed) return;
    store.write(`${this.#vmPath}/name`, name);
    store.write(`${this.domPath}/name`, name);
  }

  /** The label in the configuration has changed. */
  storeLabel(files: XendFiles): void {
    const { securityLabel } = this.config;
    const { store } = this.host.environment;
    if (this.isRunning) {
      if (securityLabel === undefined) store.remove(`${this.#vmPath}/security_label`);
      else store.write(`${this.#vmPath}/security_label`, securityLabel);
    }
    this.host.keep(this.config, files);
  }

  sendSysrq(letter: string): void {
    this.running();
    this.host.environment.store.write(`${this.domPath}/control/sysrq`, letter);
  }

  /** Takes the domain away at once, with devices and records. Harmless when it is gone. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    const { xc, log } = this.host;
    this.detach();
    if (this.isRunning) {
      log.debug('XendDomainInfo:1977', `XendDomainInfo.destroy: domid=${this.domid}`);
      this.#closing = releaseDevices(this);
      try {
        xc.domainDestroy(this.domid);
      } catch (error) {
        if (!(error instanceof XenError)) throw error;
        log.error('XendDomainInfo:1990', `XendDomainInfo.destroy: xc.domain_destroy failed: ${xcText(error)}`);
      }
      removeRecords(this, this.#closing);
    }
    this.#info = undefined;
    this.host.forget(this);
  }

  /** After `destroy`: waits until the backends have gone, so that a domain created next finds the disks free. */
  released(): Promise<void> {
    return untilReleased(this.host.environment, this.#closing);
  }

  /** The hypervisor has no such domain any more: clear away what it left in the store. */
  cleanUp(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.detach();
    removeRecords(this, releaseDevices(this));
    this.#info = undefined;
    this.host.forget(this);
  }

  /** rename-restart: the dead domain keeps its memory for study and gives its name, uuid and devices away. */
  becomeZombie(): void {
    const { store } = this.host.environment;
    const uuid = this.host.configContext.randomUuid();
    this.#closing = releaseDevices(this);
    // A dead kernel answers no backend: they let go when the other end's directory is gone.
    store.remove(`${this.domPath}/device`);
    this.detach();
    this.host.log.info(
      'XendDomainInfo:1575',
      `Renaming dead domain ${this.name} (${this.domid}, ${this.config.uuid}) to Domain-${uuid} (${uuid}).`,
    );
    store.remove(this.#vmPath);
    this.config.name = `Domain-${uuid}`;
    this.config.uuid = uuid;
    this.config.devices = [];
    this.#vmPath = freeVmPath(store, uuid);
    this.host.xc.setHandle(this.domid, uuidBytes(uuid));
    storeVmDetails(store, this.#vmPath, this.domid, this.config, this.#startTime);
    store.write(`${this.domPath}/vm`, this.#vmPath);
    store.write(`${this.domPath}/name`, this.name);
    store.write(`${this.domPath}/xend/shutdown_completed`, 'True');
  }

  // --- devices

  async attachDevice(sxp: readonly Sxp[]): Promise<void> {
    this.running();
    const device = this.#withMac(deviceConfig(sxp, this.host.configContext));
    checkDuplicate(this.config.devices, device);
    this.host.security.checkDevice(this.config, device);
    const controller = this.controller(device.class);
    const devid = controller.create(this, device);
    const backend = controller.backendPath(this, devid);
    try {
      await controller.waitForDevice(this, devid);
    } catch (error) {
      this.#closing = backend === undefined ? [] : [backend];
      await this.released();
      throw error;
    }
    this.config.devices.push(device);
  }

  async detachDevice(className: string, word: string, force: boolean): Promise<void> {
    const controller = this.controller(className);
    const devid = controller.resolveId(this, word);
    const backend = controller.backendPath(this, devid);
    const uuid = backend && this.host.environment.store.read(`${backend}/uuid`);
    const mac = backend && this.host.environment.store.read(`${backend}/mac`);
    controller.destroy(this, devid, force);
    if (!force) await controller.waitForGone(devid, backend);
    this.config.devices = this.config.devices.filter(
      (device) => device.uuid !== uuid && !(mac && device.sxp.some((child) => child[0] === 'mac' && child[1] === mac)),
    );
  }

  /** Throws XendError for a class that the toolstack does not know. */
  controller(className: string): DevController {
    const found = this.host.controllers.find((controller) => controller.device.class === className);
    if (!found) throw new XendError(`XendConfig: ${className} not a valid device type`);
    return found;
  }

  // --- what others see

  get powerState(): DomainSummary['powerState'] {
    if (!this.isRunning && this.host.isSuspended(this.config)) return 'suspended';
    return powerState(this.#info);
  }

  get summary(): DomainSummary {
    const { config } = this;
    const info = this.#info;
    return {
      name: config.name,
      uuid: config.uuid,
      domid: this.#domid,
      memoryMiB: config.memoryMiB,
      maxmemMiB: config.maxmemMiB,
      vcpus: this.#info?.onlineVcpus ?? config.vcpus,
      state: info && stateLetters(info),
      powerState: this.powerState,
      cpuTimeNs: this.#info?.cpuTimeNs ?? 0,
      startTime: this.#startTime,
      weight: config.weight,
      cap: config.cap,
      label: this.host.security.labelOf(this) ?? INACTIVE,
      restartCount: Number(this.host.environment.store.read(`${this.#vmPath}/xend/restart_count`) ?? '0'),
    };
  }

  get sxp(): Sxp {
    const STATUS = ['halted', 'paused', 'running', 'suspended', 'shutting down', 'crashed', 'unknown'];
    const running = this.isRunning && {
      domid: this.domid,
      state: this.#info ? stateLetters(this.#info) : '------',
      cpuTimeSeconds: (this.#info?.cpuTimeNs ?? 0) / 1e9,
      onlineVcpus: this.#info?.onlineVcpus ?? 0,
      startTime: this.#startTime,
      storeMfn: this.#channels?.store.mfn,
      consoleMfn: this.#channels?.console.mfn,
    };
    return domainSxp(this.config, running || undefined, STATUS.indexOf(this.powerState));
  }

  /** Its id; throws XendError while it has none. */
  running(): number {
    if (this.#domid === undefined) throw new XendError(`Domain '${this.name}' is not started`);
    return this.#domid;
  }
}

function isDisk(device: DeviceConfig): boolean {
  return device.class === 'vbd' || device.class === 'tap';
}

function withKey(device: DeviceConfig, key: string, value: string): DeviceConfig {
  const others = device.sxp.filter((child) => sxpName(child) !== key);
  return { ...device, sxp: [...others, [key, value]] };
}

function sxpDict(sxp: readonly Sxp[]): string {
  const pairs = sxp.slice(1).filter((child): child is readonly Sxp[] => typeof child !== 'string');
  return `{${pairs.map(([key, value]) => `'${printSxp(key ?? '')}': '${printSxp(value ?? '')}'`).join(', ')}}`;
}
