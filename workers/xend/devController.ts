/**
 * Makes, watches and removes the store entries of devices, and waits for what Domain-0's hotplug scripts say about them.
 * The same for every class; what is special stands in devices/<class> (server/DevController.py in Xen 3.4).
 */
import type { DeviceContext, SplitDevice } from '../devices/device';
import { type Sxp, sxpText } from '../lib/sxp';
import type { DeviceConfig } from './domainConfig';
import { randomMac, randomUuid, type XendEnvironment } from './environment';
import { VmError, XendError } from './errors';
import type { XendLog } from './log';
import type { XendOptions } from './options';

/** How long a hotplug script may take, for a device to come and for one to go. */
const DEVICE_CREATE_TIMEOUT_MS = 100_000;
const DEVICE_DESTROY_TIMEOUT_MS = 100_000;

const STATE_INITIALISING = '1';
const STATE_CLOSING = '5';

export interface DeviceOwner {
  readonly domid: number;
  readonly name: string;
  /** `/vm/UUID`. */
  readonly vmPath: string;
}

export interface DeviceHost {
  readonly environment: XendEnvironment;
  readonly log: XendLog;
  readonly options: XendOptions;
  /** Domain id for what a configuration names as backend; undefined when there is none. */
  backendDomid(name: string): number | undefined;
}

type Outcome =
  | { readonly kind: 'connected' | 'missing' | 'timeout' }
  | { readonly kind: 'error' | 'busy'; readonly text: string | undefined };

export class DevController {
  constructor(
    readonly host: DeviceHost,
    readonly device: SplitDevice<unknown>,
  ) {}

  get #frontendClass(): string {
    return this.device.frontendClass ?? this.device.class;
  }

  /** Writes the entries of both ends; answers the device's number. Throws XendError. */
  create(owner: DeviceOwner, config: DeviceConfig): number {
    const { store } = this.host.environment;
    const context = this.#context(owner);
    const { devid, frontend, backend } = this.#storeEntries(config.sxp, context);
    const backendDomid = this.#backendDomid(config.sxp);
    const frontendPath = this.frontendPath(owner.domid, devid);
    const backendPath = `/local/domain/${backendDomid}/backend/${this.device.class}/${owner.domid}/${devid}`;
    const indexPath = this.#indexPath(owner, devid);

    const frontendKeys: Record<string, string> = {
      ...frontend,
      backend: backendPath,
      'backend-id': String(backendDomid),
      state: STATE_INITIALISING,
    };
    const backendKeys: Record<string, string> = {
      ...backend,
      domain: owner.name,
      frontend: frontendPath,
      'frontend-id': String(owner.domid),
      state: STATE_INITIALISING,
      online: '1',
    };
    const { log } = this.host;
    log.debug('DevController:95', `DevController: writing ${pythonDict(frontendKeys)} to ${frontendPath}.`);
    log.debug('DevController:97', `DevController: writing ${pythonDict(backendKeys)} to ${backendPath}.`);

    store.transaction((t) => {
      if (t.read(`${frontendPath}/backend`) !== undefined)
        throw new VmError(`Device ${devid} (${this.device.class}) is already connected.`);
      t.remove(frontendPath);
      t.remove(backendPath);
      t.remove(indexPath);
      t.mkdir(backendPath);
      t.setPermissions(backendPath, [`n${backendDomid}`, `r${owner.domid}`]);
      t.mkdir(frontendPath);
      t.setPermissions(frontendPath, [`n${owner.domid}`, `r${backendDomid}`]);
      for (const [key, value] of Object.entries(frontendKeys)) t.write(`${frontendPath}/${key}`, value);
      for (const [key, value] of Object.entries(backendKeys)) t.write(`${backendPath}/${key}`, value);
      t.write(`${indexPath}/frontend`, frontendPath);
      t.write(`${indexPath}/frontend-id`, String(owner.domid));
      t.write(`${indexPath}/backend`, backendPath);
      t.write(`${indexPath}/backend-id`, String(backendDomid));
    });
    return devid;
  }

  /** Waits for every device of this class; rejects with VmError in the words of xm's manual. */
  async waitForDevices(owner: DeviceOwner): Promise<void> {
    if (!this.device.waitsForHotplug) return;
    this.host.log.debug('DevController:139', `Waiting for devices ${this.device.class}.`);
    for (const devid of this.deviceIds(owner)) await this.waitForDevice(owner, devid);
  }

  async waitForDevice(owner: DeviceOwner, devid: number): Promise<void> {
    if (!this.device.waitsForHotplug) return;
    this.host.log.debug('DevController:144', `Waiting for ${devid}.`);
    const outcome = await this.#hotplugOutcome(owner, devid);
    if (outcome.kind === 'connected') return;
    if (outcome.kind !== 'missing') this.destroy(owner, devid, false);
    const failed = `Device ${devid} (${this.device.class}) could not be connected.`;
    switch (outcome.kind) {
      case 'timeout':
        throw new VmError(`${failed} Hotplug scripts not working.`);
      case 'missing':
        throw new VmError(`${failed} Device not found.`);
      case 'error':
        throw new VmError(`${failed} ${outcome.text || 'Backend device not found.'}`);
      case 'busy':
        throw new VmError(`${failed}\n${outcome.text || 'Busy.'}`);
    }
  }

  /**
   * Asks the backend to close (online 0, state 5); with `force` the entries go at once. Nothing happens for a device that
   * is gone already.
   */
  destroy(owner: DeviceOwner, devid: number, force: boolean): void {
    const { store } = this.host.environment;
    const backendPath = store.read(`${this.#indexPath(owner, devid)}/backend`);
    const frontendPath = this.frontendPath(owner.domid, devid);
    if (backendPath !== undefined && store.list(backendPath) !== undefined) {
      store.transaction((t) => {
        t.write(`${backendPath}/online`, '0');
        t.write(`${backendPath}/state`, STATE_CLOSING);
      });
    }
    if (!force) return;
    store.remove(frontendPath);
    if (backendPath !== undefined) store.remove(backendPath);
    store.remove(this.#indexPath(owner, devid));
  }

  /** After `destroy`: waits until the scripts have taken the backend away. Rejects after 100 s. */
  async waitForGone(devid: number, backendPath: string | undefined): Promise<void> {
    if (backendPath === undefined) return;
    const { store } = this.host.environment;
    const gone = await this.#waitForStore(`${backendPath}/hotplug-status`, DEVICE_DESTROY_TIMEOUT_MS, () =>
      store.read(`${backendPath}/hotplug-status`) === undefined ? true : undefined,
    );
    if (!gone) throw new VmError(`Device ${devid} (${this.device.class}) could not be disconnected. `);
  }

  /** The number that an operator's word means: a number, a name in the guest, an address. Throws VmError. */
  resolveId(owner: DeviceOwner, word: string): number {
    const known = this.deviceIds(owner);
    if (/^\d+$/.test(word) && known.includes(Number(word))) return Number(word);
    const { store } = this.host.environment;
    const plain = word.replace(/^\/dev\//, '');
    for (const devid of known) {
      const backend = this.backendPath(owner, devid);
      const dev = backend && store.read(`${backend}/dev`);
      if (dev && dev.replace(/^\/dev\//, '').replace(/:.*$/, '') === plain) return devid;
      if (store.read(`${this.frontendPath(owner.domid, devid)}/mac`)?.toLowerCase() === word.toLowerCase())
        return devid;
    }
    const number = /^(0x[0-9a-fA-F]+|\d+)$/.test(word) ? Number(word) : undefined;
    if (number !== undefined && known.includes(number)) return number;
    if (this.device.class === 'vif') throw new VmError(`unknown devid ${word}`);
    throw new VmError(`Device ${word} not connected`);
  }

  /** Numbers of the devices that xend's index lists, ascending. */
  deviceIds(owner: DeviceOwner): readonly number[] {
    const names = this.host.environment.store.list(`${owner.vmPath}/device/${this.device.class}`) ?? [];
    return names.map(Number).sort((a, b) => a - b);
  }

  backendPath(owner: DeviceOwner, devid: number): string | undefined {
    return this.host.environment.store.read(`${this.#indexPath(owner, devid)}/backend`);
  }

  frontendPath(domid: number, devid: number): string {
    return `/local/domain/${domid}/device/${this.#frontendClass}/${devid}`;
  }

  #indexPath(owner: DeviceOwner, devid: number): string {
    return `${owner.vmPath}/device/${this.device.class}/${devid}`;
  }

  #backendDomid(sxp: Sxp): number {
    const name = sxpText(sxp, 'backend');
    if (name === undefined || name === '') return 0;
    const domid = this.host.backendDomid(name);
    if (domid === undefined) throw new VmError(`Cannot configure device for unknown backend ${name}`);
    return domid;
  }

  #storeEntries(sxp: Sxp, context: DeviceContext) {
    try {
      return this.device.storeEntries(this.device.parseConfig(sxp, context), context);
    } catch (error) {
      if (error instanceof XendError || !(error instanceof Error)) throw error;
      throw new VmError(error.message);
    }
  }

  #context(owner: DeviceOwner): DeviceContext {
    const { environment, options } = this.host;
    return {
      domid: owner.domid,
      allocateDeviceId: (className) => {
        const path = `/local/domain/${owner.domid}/device-misc/${className}/nextDeviceID`;
        return environment.store.transaction((t) => {
          const next = Number(t.read(path) ?? '0');
          t.write(path, String(next + 1));
          return next;
        });
      },
      deviceNumber: (path) => environment.files.deviceNumber(path),
      randomMac: () => randomMac(environment.random),
      randomUuid: () => randomUuid(environment.random),
      option: (name) => options.text(name),
      hasBlockScript: (type) => environment.files.isExecutable(`/etc/xen/scripts/block-${type}`),
      protocol: 'x86_32-abi',
    };
  }

  async #hotplugOutcome(owner: DeviceOwner, devid: number): Promise<Outcome> {
    const { store } = this.host.environment;
    const backend = this.backendPath(owner, devid);
    if (backend === undefined) return { kind: 'missing' };
    const statusPath = `${backend}/hotplug-status`;
    const look = (): Outcome | undefined => {
      const status = store.read(statusPath);
      this.host.log.debug('DevController:629', `hotplugStatusCallback ${statusPath}.`);
      if (status === undefined) return store.list(backend) === undefined ? { kind: 'missing' } : undefined;
      if (status === 'error' || status === 'busy')
        return { kind: status, text: store.read(`${backend}/hotplug-error`) };
      this.host.log.debug('DevController:643', 'hotplugStatusCallback 1.');
      return { kind: 'connected' };
    };
    return (await this.#waitForStore(statusPath, DEVICE_CREATE_TIMEOUT_MS, look)) ?? { kind: 'timeout' };
  }

  /** What `look` finds, asked at every change of `path`; undefined when the time is over. */
  #waitForStore<T>(path: string, timeoutMs: number, look: () => T | undefined): Promise<T | undefined> {
    const { environment } = this.host;
    return new Promise((resolve, reject) => {
      let isOver = false;
      let unwatch: (() => void) | undefined;
      const finish = (settle: () => void) => {
        if (isOver) return;
        isOver = true;
        timer.cancel();
        unwatch?.();
        settle();
        environment.wake();
      };
      const timer = environment.after(timeoutMs, () => finish(() => resolve(undefined)));
      unwatch = environment.store.watch(path, () => {
        if (isOver) return;
        try {
          const found = look();
          if (found !== undefined) finish(() => resolve(found));
        } catch (error) {
          finish(() => reject(error));
        }
      });
      if (isOver) unwatch();
    });
  }
}

/** As xend's log shows Python dictionaries. */
function pythonDict(entries: Readonly<Record<string, string>>): string {
  return `{${Object.entries(entries)
    .map(([key, value]) => `'${key}': '${value}'`)
    .join(', ')}}`;
}
