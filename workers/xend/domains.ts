/**
 * All domains that xend knows: kept in step with the hypervisor, found by name, id or uuid, started and restarted
 * (tools/python/xen/xend/XendDomain.py in Xen 3.4).
 */
import { DOM0 } from '../abi/xen';
import { SysError } from '../guest/sys';
import type { ByteSource } from '../lib/byteStream';
import { strerror } from '../lib/errno';
import type { Sxp } from '../lib/sxp';
import type { RestoreObserver } from '../migration/restore';
import { DOM0_UUID, dom0Config, readAdopted } from './adopt';
import type { DumpRequest } from './api';
import { freeMemory } from './balloon';
import { imageFiller, readConfig, saveCheckpoint } from './checkpoint/checkpoint';
import { withSink, withSource } from './checkpoint/stateFile';
import { pythonList } from './configSxp';
import { dumpDomain } from './coreDump/dumpDomain';
import { DevController } from './devController';
import type { DomainFiller } from './domainBuilder';
import { type ConfigContext, checkName, cloneConfig, type DomainConfig, parseDomainConfig } from './domainConfig';
import { type DomainHost, XendDomainInfo } from './domainInfo';
import { storeMemoryTarget } from './domainResources';
import { type Connection, randomUuid, sleep, type XendEnvironment, type XendFiles } from './environment';
import { asXendError, textOf, VmError, XendError, XendInvalidDomain } from './errors';
import type { XendLog } from './log';
import { ManagedStore } from './managed';
import type { XendOptions } from './options';
import { Departures } from './relocation/departures';
import { RelocationLedger } from './relocation/ledger';
import { type MigrateRequest, sendDomain } from './relocation/sender';
import { RelocationServer } from './relocation/server';
import { XendSecurity } from './security';
import { relabelAs } from './securityChange';
import type { Xc } from './xc';

const KIB_PER_PAGE = 4;
const PAGES_PER_MIB = 256;
/** Classes that xend makes before others, whatever the registry's order. */
const DEVICE_ORDER = ['vkbd', 'vfb', 'console', 'vbd', 'tap', 'vif', 'vtpm'];

export class XendDomain implements DomainHost {
  /** In the order in which they came; a domain that is being built has no id yet. */
  readonly #domains = new Set<XendDomainInfo>();
  readonly controllers: readonly DevController[];
  readonly configContext: ConfigContext;
  readonly security: XendSecurity;
  /** Managed domains as they lie dormant, by uuid. */
  readonly #managed = new Map<string, XendDomainInfo>();
  readonly #managedStore: ManagedStore;
  readonly #ledger = new RelocationLedger();
  readonly #departures: Departures;
  readonly #relocation: RelocationServer;
  #unwatch: (() => void) | undefined;
  /** Settles when the domain that is being built now is done: only one at a time, or they would count on the same memory. */
  #building: Promise<unknown> = Promise.resolve();

  constructor(
    readonly environment: XendEnvironment,
    readonly xc: Xc,
    readonly log: XendLog,
    readonly options: XendOptions,
    /** A failure that nobody waits for: a bug of ours or a refusal worth a log line. */
    readonly onError: (error: unknown) => void,
  ) {
    const rank = (name: string) => (DEVICE_ORDER.includes(name) ? DEVICE_ORDER.indexOf(name) : DEVICE_ORDER.length);
    const deviceHost = { environment, log, options, backendDomid: (name: string) => this.#backendDomid(name) };
    this.controllers = [...environment.devices]
      .sort((a, b) => rank(a.class) - rank(b.class))
      .map((device) => new DevController(deviceHost, device));
    this.configContext = {
      randomUuid: () => randomUuid(environment.random),
      deviceClasses: new Set(environment.devices.map((device) => device.class)),
    };
    this.security = new XendSecurity({ environment, log, options, labelledDomains: () => this.all() });
    const directory = options.text('xend-domains-path')!;
    this.#managedStore = new ManagedStore(environment.files, directory, this.configContext, log);
    this.#departures = new Departures(environment);
    this.#relocation = new RelocationServer({
      environment,
      log,
      options,
      ledger: this.#ledger,
      receive: (connection, check) => this.#receiveFrom(connection, check),
      onError,
    });
  }

  /** Takes over Domain-0 and whatever runs, and listens to the hypervisor from now on. */
  open(): void {
    for (const info of this.xc.domainInfoList()) {
      if (info.dying) continue;
      if (info.domid === DOM0) {
        const hostMiB = Math.floor(this.xc.physInfo().totalPages / PAGES_PER_MIB);
        const dom0 = new XendDomainInfo(this, dom0Config(info, hostMiB, this.configContext));
        dom0.adopt(info, `/vm/${DOM0_UUID}`, this.environment.nowUnix());
        this.#domains.add(dom0);
        continue;
      }
      const adopted = readAdopted(this.environment.store, info, this.configContext, this.controllers);
      if (!adopted) continue;
      const domain = new XendDomainInfo(this, adopted.config);
      domain.adopt(info, adopted.vmPath, adopted.startTime, adopted.channels);
      this.#domains.add(domain);
    }
    for (const config of this.#managedStore.load()) this.#managed.set(config.uuid, new XendDomainInfo(this, config));
    this.security.open();
    this.#relocation.open();
    this.#unwatch = this.environment.store.watch('@releaseDomain', () => this.refresh());
  }

  /** xend stops: the domains go on without it. */
  close(): void {
    this.#unwatch?.();
    this.#relocation.close();
    for (const domain of this.#domains) domain.detach();
    this.#domains.clear();
  }

  /** Asks the hypervisor for everything anew; starts what follows from a shutdown without waiting for it. */
  refresh(): void {
    const infos = new Map(this.xc.domainInfoList().map((info) => [info.domid, info]));
    // A restart adds to the set on the way.
    const domains = Array.from(this.#domains);
    for (const domain of domains) {
      if (!domain.isRunning) continue;
      const info = infos.get(domain.domid);
      if (info) domain.refresh(info).catch(this.onError);
      else domain.cleanUp();
    }
  }

  /** Every domain with an id, and those whose destruction Xen has not finished. */
  list(): readonly XendDomainInfo[] {
    this.refresh();
    return [...this.#domains].filter((domain) => domain.isRunning).sort((a, b) => a.domid - b.domid);
  }

  /** Those with an id, then the dormant ones. */
  all(): readonly XendDomainInfo[] {
    const active = this.list();
    const uuids = new Set(active.map(({ config }) => config.uuid));
    return [...active, ...[...this.#managed.values()].filter(({ config }) => !uuids.has(config.uuid))];
  }

  /** The same as xend last heard of them, without asking the hypervisor: for views from outside. */
  known(): readonly XendDomainInfo[] {
    const active = [...this.#domains].filter((domain) => domain.isRunning);
    const uuids = new Set(active.map(({ config }) => config.uuid));
    return [...active, ...[...this.#managed.values()].filter(({ config }) => !uuids.has(config.uuid))];
  }

  // --- managed domains

  isManaged(domain: XendDomainInfo): boolean {
    return this.#managed.has(domain.config.uuid);
  }

  keep(config: DomainConfig, files?: XendFiles): void {
    const dormant = this.#managed.get(config.uuid);
    if (!dormant) return;
    if (dormant.config !== config) Object.assign(dormant.config, cloneConfig(config));
    this.#managedStore.save(dormant.config, files);
  }

  /** Keeps a configuration without starting anything (`xm new`). */
  manage(sxp: Sxp): XendDomainInfo {
    const config = parseDomainConfig(sxp, this.configContext);
    this.#checkFree(config);
    const domain = new XendDomainInfo(this, config);
    this.#managed.set(config.uuid, domain);
    this.#managedStore.save(config);
    return domain;
  }

  /** Builds a dormant domain and leaves it paused. */
  startManaged(key: string): Promise<XendDomainInfo> {
    return this.#oneAtATime(async () => {
      const domain = this.lookup(key);
      if (!this.isManaged(domain)) throw new XendError('Domain is not managed by Xend lifecycle support.');
      // A suspended domain is continued, not started: its disks go on from where it was.
      if (domain.powerState !== 'halted') throw new VmError('Domain is already running');
      return this.#start(cloneConfig(domain.config));
    });
  }

  /** `on_xend_start = 'start'`: dormant domains begin, or go on where they were suspended. */
  async autostart(): Promise<void> {
    const names = [...this.#managed.values()]
      .filter(({ config }) => config.onXendStart === 'start' && !this.#find(config.uuid)?.isRunning)
      .map(({ name }) => name);
    for (const name of names) {
      try {
        const isSuspended = this.lookup(name).powerState === 'suspended';
        const domain = await (isSuspended ? this.resume(name) : this.startManaged(name));
        await domain.waitForDevices();
        domain.unpause();
      } catch (error) {
        if (!(asXendError(error) instanceof XendError)) throw error;
        this.log.error('XendDomain:470', `Failed to start domain ${name}: ${textOf(error)}`);
      }
    }
  }

  /** Forgets a dormant domain. */
  unmanage(key: string): void {
    const domain = this.lookup(key);
    if (!this.isManaged(domain)) throw new XendError('Domain is not managed by Xend lifecycle support.');
    if (domain.isRunning) throw new VmError('Domain is not halted.');
    this.#managed.delete(domain.config.uuid);
    this.#managedStore.remove(domain.config.uuid);
  }

  /** Throws VmError for a name that is none, or that another domain has. */
  rename(key: string, name: string): void {
    const domain = this.lookup(key);
    if (domain.isPrivileged) throw new XendError(`Cannot rename privileged domain ${key}`);
    if (name === '') throw new VmError('Missing VM Name');
    checkName(name);
    const twin = this.#find(name);
    if (twin && twin !== domain) throw new VmError(`VM name '${name}' already exists as domain ${twin.domid}`);
    domain.rename(name);
  }

  #checkFree(config: DomainConfig): void {
    const twin = this.#find(config.name) ?? this.#find(config.uuid);
    if (twin?.isRunning) throw new VmError(`Domain '${config.name}' already exists with ID '${twin.domid}'`);
    if (twin) throw new VmError(`VM name '${config.name}' already exists`);
  }

  /** By name, then id, then uuid. Throws XendInvalidDomain. */
  lookup(key: string): XendDomainInfo {
    this.refresh();
    const found = this.#find(key);
    if (!found) throw new XendInvalidDomain(key);
    return found;
  }

  /** Builds a domain and leaves it paused. */
  create(sxp: Sxp): Promise<XendDomainInfo> {
    return this.#oneAtATime(() => this.#create(sxp));
  }

  async #create(sxp: Sxp): Promise<XendDomainInfo> {
    this.log.debug('XendDomainInfo:92', `XendDomainInfo.create(${pythonList(sxp)})`);
    this.refresh();
    const config = parseDomainConfig(sxp, this.configContext);
    this.#checkFree(config);
    return this.#start(config);
  }

  async restart(config: DomainConfig): Promise<XendDomainInfo> {
    const domain = await this.#oneAtATime(() => this.#start(config));
    try {
      await domain.waitForDevices();
      domain.unpause();
    } catch (error) {
      domain.destroy();
      throw error;
    }
    return domain;
  }

  // --- saved domains

  /** Rejects with XendError; the domain goes on then. */
  async save(key: string, path: string, isCheckpoint: boolean): Promise<void> {
    const domain = this.#savable(key, 'save');
    await this.#saveTo(domain, path, isCheckpoint);
  }

  /** Saves a managed domain beside its configuration; it lies dormant afterwards. */
  async suspend(key: string): Promise<void> {
    const domain = this.lookup(key);
    if (domain.isPrivileged) throw new XendError(`Cannot suspend privileged domain ${key}`);
    if (domain.powerState !== 'running') throw new VmError('Domain is not running');
    if (!this.isManaged(domain)) throw new XendError('Domain is not managed by Xend lifecycle support.');
    await this.#saveTo(domain, this.#managedStore.checkpoint(domain.config.uuid), false);
  }

  /** Continues a domain that was suspended; it is left paused. */
  async resume(key: string): Promise<XendDomainInfo> {
    const domain = this.lookup(key);
    const path = this.#managedStore.checkpoint(domain.config.uuid);
    if (domain.isPrivileged) throw new XendError(`Cannot resume privileged domain ${key}`);
    if (domain.isRunning) throw new XendError('Cannot resume domain that is not suspended.');
    if (!this.environment.files.exists(path)) throw new XendError('Domain was not suspended by Xend');
    const resumed = await this.restore(path, (config) => {
      config.name = domain.config.name;
      relabelAs(config, domain.config);
      return undefined;
    });
    this.environment.files.remove(path);
    return resumed;
  }

  /** Makes a domain from a state file; it is left paused. `adjust`: what has become of its configuration meanwhile. */
  restore(path: string, adjust?: (config: DomainConfig) => undefined): Promise<XendDomainInfo> {
    return withSource(this.environment, path, (source) => this.receive(source, adjust)).catch((error: unknown) => {
      if (!(error instanceof SysError)) throw error;
      throw new XendError(`can't read guest state file ${path}: ${strerror[error.code]}`);
    });
  }

  /** A dormant domain whose state lies in a file. */
  isSuspended({ uuid }: DomainConfig): boolean {
    return this.environment.files.exists(this.#managedStore.checkpoint(uuid));
  }

  /**
   * Makes a domain from a stream; it is left paused. Nothing is left of it on failure. `adjust` sees the configuration before
   * anything is done, and may change it or throw; what it answers looks on.
   */
  async receive(
    source: ByteSource,
    adjust: (config: DomainConfig, sxp: Sxp) => RestoreObserver | undefined = () => undefined,
  ): Promise<XendDomainInfo> {
    const sxp = await readConfig(source);
    const config = parseDomainConfig(sxp, this.configContext);
    const observer = adjust(config, sxp);
    return this.#oneAtATime(async () => {
      this.refresh();
      const twin = [...this.#domains].find(
        ({ name, config: { uuid } }) => name === config.name || uuid === config.uuid,
      );
      if (twin) throw new VmError(`Domain '${config.name}' already exists with ID '${twin.domid}'`);
      return this.#start(config, imageFiller(this, source, observer));
    });
  }

  /** Sends a domain to another host. Rejects with XendError; the domain goes on here then. */
  async migrate(key: string, request: Omit<MigrateRequest, 'port'> & { readonly port?: number }): Promise<void> {
    const domain = this.#savable(key, 'migrate');
    const port = request.port ?? this.options.int('xend-relocation-port');
    await this.#departures.run(domain, (cancellation) =>
      sendDomain(this.environment, this.#ledger, domain, { ...request, port }, cancellation),
    );
  }

  /** Ends a migration that leaves from here; resolves when the domain goes on. Rejects with XendError. */
  cancelMigration(key: string): Promise<void> {
    return this.#departures.cancel(this.#find(`migrating-${key}`) ?? this.lookup(key));
  }

  /** Makes a domain that another host sends, up to its devices; it is left paused. */
  async #receiveFrom(
    connection: Connection,
    check: (config: Sxp) => RestoreObserver | undefined,
  ): Promise<XendDomainInfo> {
    const domain = await this.receive(connection, (_config, sxp) => check(sxp));
    try {
      await domain.waitForDevices();
    } catch (error) {
      domain.destroy();
      throw error;
    }
    return domain;
  }

  /** Writes a core file; `after`: what becomes of the domain then. */
  async dump(key: string, request: DumpRequest): Promise<void> {
    const { isLive, after } = request;
    const domain = this.lookup(key);
    if (domain.isPrivileged) throw new XendError(`Cannot dump core for privileged domain ${key}`);
    const state = domain.powerState;
    if (state !== 'paused' && state !== 'running') throw new VmError(`Domain '${domain.name}' is not started`);
    const isToPause = !isLive && state === 'running';
    if (isToPause) domain.pause();
    const flag = (is: boolean) => (is ? 1 : 0);
    this.log.info(
      'XendDomain:1250',
      `Domain core dump requested for domain ${domain.name} (${domain.domid}) live=${flag(isLive)} crash=${flag(after === 'destroy')}.`,
    );
    let isGoing = false;
    try {
      await dumpDomain(domain, request.path);
      isGoing = after !== undefined;
    } finally {
      // Differs from Xen 3.4, which leaves a domain paused whose dump failed when it was to go afterwards.
      if (isToPause && !isGoing && this.#domains.has(domain)) domain.unpause();
    }
    if (after === 'destroy') await this.#end(domain);
    else if (after === 'reset') await this.reset(key);
  }

  /** A domain ends at once, and another begins from the same configuration. */
  async reset(key: string): Promise<void> {
    const domain = this.lookup(key);
    if (domain.isPrivileged) throw new XendError(`Cannot reset privileged domain ${key}`);
    if (!domain.isRunning) throw new VmError(`Domain '${domain.name}' is not started`);
    const config = cloneConfig(domain.config);
    await this.#end(domain);
    await this.restart(config);
  }

  async #end(domain: XendDomainInfo): Promise<void> {
    domain.destroy();
    await domain.released();
  }

  async #saveTo(domain: XendDomainInfo, path: string, isCheckpoint: boolean): Promise<void> {
    const { files } = this.environment;
    try {
      await withSink(this.environment, path, (sink) => saveCheckpoint(domain, sink, { isLive: false, isCheckpoint }));
    } catch (error) {
      if (files.kindOf(path) === 'file') files.remove(path);
      if (error instanceof SysError)
        throw new XendError(`can't write guest state file ${path}: ${strerror[error.code]}`);
      throw error;
    }
  }

  #savable(key: string, verb: string): XendDomainInfo {
    const domain = this.lookup(key);
    if (domain.isPrivileged) throw new XendError(`Cannot ${verb} privileged domain ${key}`);
    if (domain.powerState !== 'running') throw new VmError('Domain is not running');
    return domain;
  }

  #oneAtATime<T>(build: () => Promise<T>): Promise<T> {
    const built = this.#building.then(build);
    this.#building = built.catch(() => {});
    return built;
  }

  async #start(config: DomainConfig, filler?: DomainFiller): Promise<XendDomainInfo> {
    const domain = new XendDomainInfo(this, config);
    this.#domains.add(domain);
    await domain.start(filler);
    this.refresh();
    return domain;
  }

  forget(domain: XendDomainInfo): void {
    this.#domains.delete(domain);
  }

  /** Rejects with VmError when so much cannot be had; see balloon.ts. */
  async freeMemory(kib: number): Promise<void> {
    const dom0 = this.#find('0');
    await freeMemory(
      {
        memory: () => {
          const physical = this.xc.physInfo();
          return {
            totalKiB: physical.totalPages * KIB_PER_PAGE,
            freeKiB: physical.freePages * KIB_PER_PAGE,
            scrubKiB: physical.scrubPages * KIB_PER_PAGE,
          };
        },
        dom0AllocationKiB: () => (this.xc.domainInfo(DOM0)?.totalPages ?? 0) * KIB_PER_PAGE,
        setDom0TargetMiB: (mebibytes) => dom0 && storeMemoryTarget(dom0, mebibytes),
        dom0MinMemKiB: this.options.dom0MinMemMiB * 1024,
        ballooningEnabled: this.options.dom0Ballooning,
        sleep: (ms) => sleep(this.environment, ms),
        log: this.log,
      },
      kib,
    );
  }

  #find(key: string): XendDomainInfo | undefined {
    const domains = [...this.#domains];
    const dormant = [...this.#managed.values()].filter(
      ({ config }) => !domains.some((domain) => domain.config.uuid === config.uuid),
    );
    return (
      domains.find((domain) => domain.name === key) ??
      dormant.find((domain) => domain.name === key) ??
      (/^\d+$/.test(key) ? domains.find((domain) => domain.domid === Number(key)) : undefined) ??
      [...domains, ...dormant].find((domain) => domain.config.uuid === key.toLowerCase())
    );
  }

  #backendDomid(name: string): number | undefined {
    const found = this.#find(name);
    return found?.isRunning ? found.domid : undefined;
  }
}
