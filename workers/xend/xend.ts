/**
 * xend: the daemon in Domain-0 that builds, watches and ends domains for xm. Guests do not need it to run
 * (tools/python/xen/xend/server/SrvDaemon.py in Xen 3.4).
 */
import type { DeviceSummary, DomainSummary, MigrateOptions, ShutdownWord, VcpuSummary, XendApi } from './api';
import { deviceConfig } from './domainConfig';
import type { XendDomainInfo } from './domainInfo';
import { pinVcpus, setCredit, setMaxMemory, setMemoryTarget, setVcpuCount } from './domainResources';
import { XendDomain } from './domains';
import type { XendEnvironment } from './environment';
import { asXendError, textOf, XendError } from './errors';
import { ctime, XendLog } from './log';
import { nodeInfo, schedulerName } from './node';
import { XEND_CONFIG, XendOptions } from './options';
import type { SecurityView } from './security';
import type { XendSecurityApi } from './securityApi';
import { SecurityCalls } from './securityCalls';
import { Xc } from './xc';

const PID_FILE = '/var/run/xend.pid';
const DEBUG_LOG = '/var/log/xen/xend-debug.log';
const SCRIPTS = '/etc/xen/scripts';
const CHANGESET = 'unavailable';

interface Running {
  readonly options: XendOptions;
  readonly domains: XendDomain;
}

export class Xend {
  readonly #xc: Xc;
  readonly #log: XendLog;
  #running: Running | undefined;
  #starting: Promise<number> | undefined;

  constructor(
    readonly environment: XendEnvironment,
    /** A broken invariant of ours, which must be seen. */
    readonly onBug: (error: unknown) => void = () => {},
  ) {
    this.#xc = new Xc(environment.privcmd);
    this.#log = new XendLog(environment);
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Policies and labels, for views from outside: asks nobody. Undefined while the daemon does not run. */
  get securityView(): SecurityView | undefined {
    const domains = this.#running?.domains;
    return domains && { security: domains.security, domains: domains.known() };
  }

  /** What xm talks to; undefined while the daemon does not run. */
  get api(): XendApi | undefined {
    return this.#running && new Api(this.environment, this.#xc, this.#log, this.#running);
  }

  /** `xend start`: 0 when it runs (also when it did already), 1 when it could not start. */
  start(): Promise<number> {
    if (this.#running) return Promise.resolve(0);
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** `xend stop`: guests keep running. Takes away the bridge that the network script made, as the manual describes. */
  async stop(): Promise<number> {
    const running = this.#running;
    if (!running) return 0;
    this.#running = undefined;
    for (const domain of running.domains.list()) {
      if (domain.isPrivileged) continue;
      const { onXendStop } = domain.config;
      if (onXendStop === 'shutdown') domain.power.shutdown('poweroff');
      else if (onXendStop === 'suspend') await this.#suspended(running.domains, domain);
      else this.#log.info('XendDomain:1420', `Domain ${domain.name} continues to run.`);
    }
    running.domains.close();
    await this.#networkScript(running.options, 'stop');
    this.environment.files.remove(PID_FILE);
    this.#log.info('SrvDaemon:220', 'Xend stopped due to signal 15.');
    return 0;
  }

  async restart(): Promise<number> {
    await this.stop();
    return this.start();
  }

  /** `xend status`: 0 running, 3 not. */
  status(): number {
    return this.#running ? 0 : 3;
  }

  async #start(): Promise<number> {
    const { environment } = this;
    const { files } = environment;
    files.append(DEBUG_LOG, `Xend started at ${ctime(environment.nowUnix())}.\n`);
    try {
      const config = files.read(XEND_CONFIG);
      const options = new XendOptions(config ? new TextDecoder().decode(config) : '');
      if (!config) files.append(DEBUG_LOG, `xend [ERROR] Config file does not exist: ${XEND_CONFIG}\n`);
      this.#log.configure(options.text('logfile')!, options.text('loglevel')!);
      this.#log.info('SrvDaemon:331', 'Xend Daemon started');
      this.#log.info('SrvDaemon:335', `Xend changeset: ${CHANGESET}.`);
      await this.#networkScript(options, 'start');
      const domains = new XendDomain(environment, this.#xc, this.#log, options, (error) => this.#unexpected(error));
      domains.open();
      const dom0Vcpus = options.int('dom0-cpus');
      const dom0 = domains.lookup('0');
      if (dom0Vcpus > 0) setVcpuCount(dom0, Math.min(dom0Vcpus, dom0.config.vcpus));
      this.#log.info('XMLRPCServer:148', 'Opening Unix domain socket XML-RPC server on /var/run/xend/xmlrpc.sock.');
      files.write(PID_FILE, `${environment.pid}\n`);
      this.#running = { options, domains };
      domains.autostart().catch((error: unknown) => this.#unexpected(error));
      environment.wake();
      return 0;
    } catch (error) {
      files.append(DEBUG_LOG, `Exception starting xend: ${textOf(error)}\n`);
      if (!(asXendError(error) instanceof XendError)) this.onBug(error);
      return 1;
    }
  }

  /** Rejects only for a bug of ours: a domain that cannot be suspended runs on. */
  async #suspended(domains: XendDomain, { name }: XendDomainInfo): Promise<void> {
    try {
      await domains.suspend(name);
    } catch (error) {
      if (!(error instanceof XendError)) throw error;
      this.#log.error('XendDomain:1430', `Failed to suspend domain ${name}: ${error.message}`);
    }
  }

  async #networkScript(options: XendOptions, word: 'start' | 'stop'): Promise<void> {
    const [name, ...args] = (options.text('network-script') ?? '').split(/\s+/).filter((part) => part !== '');
    if (name === undefined) return;
    const path = name.startsWith('/') ? name : `${SCRIPTS}/${name}`;
    if (!this.environment.files.exists(path)) {
      this.environment.files.append(DEBUG_LOG, `sh: ${path}: No such file or directory\n`);
      return;
    }
    await this.environment.runScript(path, [word, ...args], {});
  }

  #unexpected(error: unknown): void {
    this.#log.error('XendDomain:330', `Unexpected error: ${textOf(error)}`);
    if (!(asXendError(error) instanceof XendError)) this.onBug(error);
  }
}

/** The daemon's methods for xm. */
class Api implements XendApi {
  readonly security: XendSecurityApi;

  constructor(
    readonly environment: XendEnvironment,
    readonly xc: Xc,
    readonly xendLog: XendLog,
    readonly running: Running,
  ) {
    this.security = new SecurityCalls(running.domains);
  }

  get #domains(): XendDomain {
    return this.running.domains;
  }

  async domains(): Promise<readonly DomainSummary[]> {
    return this.#domains.all().map((domain) => domain.summary);
  }

  async domain(key: string): Promise<DomainSummary> {
    return this.#domains.lookup(key).summary;
  }

  async domainSxp(key: string) {
    return this.#domains.lookup(key).sxp;
  }

  create(config: Parameters<XendApi['create']>[0]): Promise<DomainSummary> {
    return refusals(async () => (await this.#domains.create(config)).summary);
  }

  newDomain(config: Parameters<XendApi['newDomain']>[0]): Promise<DomainSummary> {
    return refusals(async () => this.#domains.manage(config).summary);
  }

  startDomain(key: string): Promise<DomainSummary> {
    return refusals(async () => (await this.#domains.startManaged(key)).summary);
  }

  deleteDomain(key: string): Promise<void> {
    return refusals(async () => this.#domains.unmanage(key));
  }

  rename(key: string, name: string): Promise<void> {
    return refusals(async () => this.#domains.rename(key, name));
  }

  waitForDevices(key: string): Promise<void> {
    return refusals(() => this.#domains.lookup(key).waitForDevices());
  }

  unpause(key: string): Promise<void> {
    return refusals(async () => this.#unprivileged(key, 'unpause').unpause());
  }

  pause(key: string): Promise<void> {
    return refusals(async () => this.#unprivileged(key, 'pause').pause());
  }

  shutdown(key: string, reason: ShutdownWord): Promise<void> {
    return refusals(async () => this.#domains.lookup(key).power.shutdown(reason));
  }

  destroy(key: string): Promise<void> {
    return refusals(async () => {
      const domain = this.#unprivileged(key, 'destroy');
      domain.destroy();
      await domain.released();
    });
  }

  dump(...request: Parameters<XendApi['dump']>): Promise<void> {
    return refusals(() => this.#domains.dump(...request));
  }

  reset(key: string): Promise<void> {
    return refusals(() => this.#domains.reset(key));
  }

  save(key: string, path: string, isCheckpoint: boolean): Promise<void> {
    return refusals(() => this.#domains.save(key, path, isCheckpoint));
  }

  restore(path: string): Promise<DomainSummary> {
    return refusals(async () => (await this.#domains.restore(path)).summary);
  }

  suspend(key: string): Promise<void> {
    return refusals(() => this.#domains.suspend(key));
  }

  resume(key: string): Promise<DomainSummary> {
    return refusals(async () => (await this.#domains.resume(key)).summary);
  }

  migrate(key: string, host: string, { isLive, port, rateMbps }: MigrateOptions): Promise<void> {
    return refusals(() =>
      this.#domains.migrate(key, { host, isLive, rateMbps, ...(port === undefined ? {} : { port }) }),
    );
  }

  cancelMigration(key: string): Promise<void> {
    return refusals(() => this.#domains.cancelMigration(key));
  }

  setMemoryTarget(key: string, mebibytes: number): Promise<void> {
    return refusals(() => setMemoryTarget(this.#domains.lookup(key), mebibytes));
  }

  setMaxMemory(key: string, mebibytes: number): Promise<void> {
    return refusals(async () => setMaxMemory(this.#domains.lookup(key), mebibytes));
  }

  setVcpuCount(key: string, vcpus: number): Promise<void> {
    return refusals(async () => setVcpuCount(this.#domains.lookup(key), vcpus));
  }

  async vcpus(key: string): Promise<readonly VcpuSummary[]> {
    const domain = this.#domains.lookup(key);
    return Array.from({ length: domain.config.vcpus }, (_, number) => {
      const info = this.xc.vcpuInfo(domain.domid, number);
      return {
        number,
        online: info?.online ?? false,
        blocked: info?.blocked ?? false,
        running: info?.running ?? false,
        cpuTimeNs: info?.cpuTimeNs ?? 0,
        cpu: info?.online ? info.cpu : -1,
        affinity: this.xc.vcpuAffinity(domain.domid, number),
      };
    });
  }

  pinVcpu(key: string, vcpu: number | 'all', cpus: readonly number[]): Promise<void> {
    return refusals(async () => pinVcpus(this.#domains.lookup(key), vcpu, cpus));
  }

  schedCreditGet(key: string): Promise<{ weight: number; cap: number }> {
    return refusals(async () => this.xc.schedCreditGet(this.#domains.lookup(key).domid));
  }

  schedCreditSet(key: string, parameters: { weight?: number; cap?: number }): Promise<void> {
    return refusals(async () => {
      const domain = this.#domains.lookup(key);
      const { weight, cap } = this.xc.schedCreditGet(domain.domid);
      setCredit(domain, parameters.weight ?? weight, parameters.cap ?? cap);
    });
  }

  deviceCreate(key: string, device: Parameters<XendApi['deviceCreate']>[1]): Promise<void> {
    return refusals(async () => {
      if (typeof device === 'string') throw new XendError('XendConfig: None not a valid device type');
      deviceConfig(device, this.#domains.configContext);
      await this.#domains.lookup(key).attachDevice(device);
    });
  }

  deviceDestroy(key: string, className: string, devid: string, force: boolean): Promise<void> {
    return refusals(() => this.#domains.lookup(key).detachDevice(className, devid, force));
  }

  async devices(key: string, className: string): Promise<readonly DeviceSummary[]> {
    const domain = this.#domains.lookup(key);
    const controller = domain.controller(className);
    const { store } = this.environment;
    return controller.deviceIds(domain).map((devid) => {
      const path = controller.frontendPath(domain.domid, devid);
      const names = store.list(path) ?? [];
      return { devid, entries: names.map((name) => [name, store.read(`${path}/${name}`) ?? ''] as const) };
    });
  }

  async nodeInfo() {
    return nodeInfo(this.environment, this.xc);
  }

  async nodeConfig() {
    return this.running.options.entries();
  }

  async nodeDmesg(clear: boolean): Promise<string> {
    return this.xc.readConsoleRing(clear);
  }

  async nodeDebugKeys(keys: string): Promise<void> {
    this.xc.debugKeys(keys);
  }

  async schedulerName(): Promise<string> {
    return schedulerName(this.xc);
  }

  async log(): Promise<string> {
    const bytes = this.environment.files.read(this.xendLog.path);
    return bytes ? new TextDecoder().decode(bytes) : '';
  }

  sendSysrq(key: string, letter: string): Promise<void> {
    return refusals(async () => this.#domains.lookup(key).sendSysrq(letter));
  }

  /** Throws for Domain-0, which nobody may pause, unpause or destroy. */
  #unprivileged(key: string, verb: string): XendDomainInfo {
    const domain = this.#domains.lookup(key);
    if (domain.isPrivileged) throw new XendError(`Cannot ${verb} privileged domain ${key}`);
    return domain;
  }
}

/** The hypervisor's refusals become xend's. */
async function refusals<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw asXendError(error);
  }
}
