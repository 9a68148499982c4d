/**
 * The bus of split devices in a guest: finds the directories that the toolstack writes under `device/`, gives each to the
 * driver of its class, and tells the driver how its backend gets on (linux-2.6.18-xen drivers/xen/xenbus/xenbus_probe.c).
 */
import { parseXenbusState, XenbusState } from '../abi/io/xenbus';
import type { KernelServices } from './services';

/** What the bus needs of a driver; devices/device.ts describes it in full. */
export interface FrontendClass {
  readonly class: string;
  attach(services: KernelServices, path: string, saved: unknown): FrontendHandle;
}

interface FrontendHandle {
  backendChanged(state: number): void;
  save(): unknown;
  readonly isConnected: boolean;
  /** False while somebody waits for an answer of the device. */
  readonly isQuiet?: boolean;
  /** It never will be: the boot does not wait for it. */
  readonly hasFailed?: boolean;
  /** The directory is gone: let go of everything. */
  detach?(): void;
}

interface Attached {
  readonly instance: FrontendHandle;
  readonly watch: string;
}

export class FrontendBus {
  readonly #devices = new Map<string, Attached>();
  readonly #probing = new Set<string>();
  #scans = 0;
  #hasScanned = false;

  /** `saved`: what `save` returned, by device path. */
  constructor(
    private readonly services: KernelServices,
    private readonly classes: readonly FrontendClass[],
    private readonly saved: Readonly<Record<string, unknown>> = {},
  ) {}

  start(): void {
    this.services.xenbus.watch('device', (path) => {
      const [, className, id] = path.split('/');
      if (className && id) this.#probe(className, id);
      else this.#scan();
    });
  }

  /** Every device found at boot works: the root disk may be mounted. */
  get isSettled(): boolean {
    if (!this.#hasScanned || this.#scans > 0 || this.#probing.size > 0) return false;
    return [...this.#devices.values()].every(({ instance }) => instance.isConnected || instance.hasFailed === true);
  }

  /** Every device works and nobody waits for one. */
  get isQuiet(): boolean {
    return this.isSettled && [...this.#devices.values()].every((device) => device.instance.isQuiet ?? true);
  }

  /** Devices that do not work yet, for the message while the boot waits. */
  get unsettled(): readonly string[] {
    return [...this.#devices].filter(([, device]) => !device.instance.isConnected).map(([path]) => path);
  }

  save(): Record<string, unknown> {
    return Object.fromEntries([...this.#devices].map(([path, device]) => [path, device.instance.save()]));
  }

  #scan(): void {
    this.#scans++;
    this.services.xenbus.list('device', (classes) => {
      for (const className of classes) {
        this.#scans++;
        this.services.xenbus.list(`device/${className}`, (ids) => {
          for (const id of ids) this.#probe(className, id);
          this.#scans--;
        });
      }
      this.#scans--;
      this.#hasScanned = true;
    });
  }

  #probe(className: string, id: string): void {
    const driver = this.classes.find((candidate) => candidate.class === className);
    const path = `device/${className}/${id}`;
    if (!driver || this.#probing.has(path)) return;
    this.#probing.add(path);
    this.services.xenbus.read(`${path}/state`, (state) => {
      this.services.xenbus.read(`${path}/backend`, (backend) => {
        this.#probing.delete(path);
        const attached = this.#devices.get(path);
        if (backend === undefined) {
          if (attached) this.#detach(path, attached);
        } else if (!attached && (parseXenbusState(state) === XenbusState.Initialising || path in this.saved)) {
          this.#attach(driver, path, backend);
        }
      });
    });
  }

  #attach(driver: FrontendClass, path: string, backend: string): void {
    const instance = driver.attach(this.services, path, this.saved[path]);
    const watch = this.services.xenbus.watch(`${backend}/state`, () => {
      this.services.xenbus.read(`${backend}/state`, (state) => {
        if (this.#devices.get(path)?.instance === instance) instance.backendChanged(parseXenbusState(state));
      });
    });
    this.#devices.set(path, { instance, watch });
  }

  #detach(path: string, device: Attached): void {
    this.services.xenbus.unwatch(device.watch);
    this.#devices.delete(path);
    device.instance.detach?.();
  }
}
