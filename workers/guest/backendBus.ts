/**
 * The bus of split devices in a backend domain: finds the directories that the toolstack writes under `backend/`, gives
 * each to the driver of its class, raises the uevents that start the hotplug scripts, and lets go of a device when its
 * frontend has closed it or its domain is gone (linux-2.6.18-xen drivers/xen/xenbus/xenbus_probe_backend.c).
 */
import { parseXenbusState, XenbusState } from '../abi/io/xenbus';
import type { KernelServices } from './services';

/** What the bus needs of a driver; devices/device.ts describes it in full. */
export interface BackendClass {
  readonly class: string;
  attach(services: KernelServices, path: string): BackendHandle;
}

interface BackendHandle {
  frontendChanged(state: number): void;
  ownKeyChanged(key: string): void;
  detach(): void;
}

interface Attached {
  readonly instance: BackendHandle;
  readonly watch: string;
}

/** Raises a uevent of a backend device; `path` is `backend/<class>/<domid>/<devid>`. */
export function backendUevent(
  services: Pick<KernelServices, 'uevent'>,
  path: string,
  action: 'add' | 'remove' | 'online' | 'offline',
  more: Readonly<Record<string, string>> = {},
): void {
  const [, className = '', domid = '', devid = ''] = path.split('/');
  const kernelName = `${className}-${domid}-${devid}`;
  services.uevent({
    ACTION: action,
    SUBSYSTEM: 'xen-backend',
    DEVPATH: `/devices/xen-backend/${kernelName}`,
    KERNEL: kernelName,
    XENBUS_TYPE: className,
    XENBUS_PATH: path,
    XENBUS_BASE_PATH: 'backend',
    ...more,
  });
}

export class BackendBus {
  readonly #devices = new Map<string, Attached>();
  readonly #probing = new Set<string>();

  constructor(
    private readonly services: KernelServices,
    private readonly classes: readonly BackendClass[],
  ) {}

  start(): void {
    this.services.xenbus.watch('backend', (path) => {
      const [, className, domid, devid, key] = path.split('/');
      if (!className || !domid || !devid) this.#scan(path);
      else {
        const device = `backend/${className}/${domid}/${devid}`;
        const attached = this.#devices.get(device);
        if (attached && key) attached.instance.ownKeyChanged(key);
        else this.#probe(className, device);
      }
    });
  }

  get paths(): readonly string[] {
    return [...this.#devices.keys()];
  }

  /** Looks at everything at or below a directory that is not a device's own. */
  #scan(path: string): void {
    const depth = path.split('/').length;
    for (const device of this.#devices.keys())
      if (device.startsWith(`${path}/`)) this.#probe(device.split('/')[1]!, device);
    this.services.xenbus.list(path, (names) => {
      for (const name of names) {
        const child = `${path}/${name}`;
        if (depth < 3) this.#scan(child);
        else this.#probe(child.split('/')[1]!, child);
      }
    });
  }

  #probe(className: string, path: string): void {
    const driver = this.classes.find((candidate) => candidate.class === className);
    if (!driver || this.#probing.has(path)) return;
    this.#probing.add(path);
    this.services.xenbus.read(`${path}/frontend`, (frontend) => {
      this.services.xenbus.read(`${path}/state`, (state) => {
        this.#probing.delete(path);
        const attached = this.#devices.get(path);
        if (frontend === undefined) {
          if (attached) this.#detach(path, attached);
        } else if (!attached && parseXenbusState(state) === XenbusState.Initialising) {
          this.#attach(driver, path, frontend);
        }
      });
    });
  }

  #attach(driver: BackendClass, path: string, frontend: string): void {
    backendUevent(this.services, path, 'add');
    const instance = driver.attach(this.services, path);
    const watch = this.services.xenbus.watch(`${frontend}/state`, () => {
      this.services.xenbus.read(`${frontend}/state`, (text) => {
        const attached = this.#devices.get(path);
        if (attached?.instance === instance) this.#frontendChanged(path, attached, text);
      });
    });
    this.#devices.set(path, { instance, watch });
  }

  #frontendChanged(path: string, attached: Attached, text: string | undefined): void {
    const state = parseXenbusState(text);
    attached.instance.frontendChanged(state);
    // The frontend's directory is gone: so is its domain.
    if (text === undefined) this.#detach(path, attached);
    else if (state === XenbusState.Closed) {
      this.services.xenbus.read(`${path}/online`, (online) => {
        if (online !== '1' && this.#devices.get(path) === attached) this.#detach(path, attached);
      });
    }
  }

  #detach(path: string, attached: Attached): void {
    this.services.xenbus.unwatch(attached.watch);
    this.#devices.delete(path);
    attached.instance.detach();
    backendUevent(this.services, path, 'remove');
  }
}
