/**
 * blkback: the backend domain's half of a virtual block device. Takes requests from the ring, checks every field, moves
 * the data between the guest's granted pages and a block device, and answers
 * (linux-2.6.18-xen drivers/xen/blkback and blktap; behaviour, not code).
 *
 * `vbd`: the hotplug script opens what the configuration names and writes its number to `physical-device`.
 * `tap`: this driver opens the image itself, as blktapctrl does.
 */
import { type BlkifLayout, blkifLayout, VDISK_CDROM, VDISK_READONLY } from '../../abi/io/blkif';
import { BackRing } from '../../abi/io/ring';
import { XenbusState } from '../../abi/io/xenbus';
import type { Domid, Gref, Port } from '../../abi/xen';
import type { BlockDevice, GrantMapping, KernelServices } from '../../guest/services';
import type { BackendDriver, BackendInstance } from '../device';
import { parseUnsigned, readKeys } from '../readKeys';
import { type BlkCosts, BlkRequests, FILE_COSTS, PHY_COSTS, TAP_COSTS } from './requests';

const LOOP_MAJOR = 7;

interface Ring {
  readonly mapping: GrantMapping;
  readonly port: Port;
  readonly requests: BlkRequests;
}

class VbdBackend implements BackendInstance {
  #frontend = '';
  #domid = 0 as Domid;
  #isReadonly = true;
  #isCdrom = false;
  #device: BlockDevice | undefined;
  #costs: BlkCosts = PHY_COSTS;
  #closeDevice: (() => void) | undefined;
  #frontendState: number = XenbusState.Unknown;
  #ring: Ring | undefined;
  #isConnecting = false;
  #isPaused = false;
  #isDetached = false;

  constructor(
    private readonly services: KernelServices,
    private readonly path: string,
    kind: 'vbd' | 'tap',
  ) {
    readKeys(services, path, ['frontend', 'frontend-id', 'mode', 'params', 'physical-device'], (keys) => {
      const domid = parseUnsigned(keys['frontend-id']);
      if (this.#isDetached || keys.frontend === undefined || domid === undefined) return;
      this.#frontend = keys.frontend;
      this.#domid = domid as Domid;
      this.#isReadonly = !(keys.mode ?? '').startsWith('w');
      services.xenbus.write({
        [`${path}/feature-barrier`]: '1',
        [`${path}/state`]: String(XenbusState.InitWait),
      });
      if (kind === 'tap') this.#openImage(keys.params ?? '');
      else if (keys['physical-device'] !== undefined) this.#openDevice(keys['physical-device']);
      this.#update();
    });
  }

  frontendChanged(state: number): void {
    this.#frontendState = state;
    switch (state) {
      case XenbusState.Initialising:
        this.#reopen();
        break;
      case XenbusState.Initialised:
      case XenbusState.Connected:
        this.#update();
        break;
      case XenbusState.Closing:
        this.#disconnect();
        this.#setState(XenbusState.Closing);
        break;
      case XenbusState.Closed:
        this.#disconnect();
        this.#setState(XenbusState.Closed);
        break;
    }
  }

  ownKeyChanged(key: string): void {
    if (key === 'pause') this.#pauseChanged();
    if (key !== 'physical-device' || this.#device) return;
    this.services.xenbus.read(`${this.path}/physical-device`, (text) => {
      if (text === undefined || this.#device || this.#isDetached) return;
      this.#openDevice(text);
      this.#update();
    });
  }

  /**
   * The toolstack wants the disk quiet: what the guest has asked for is finished and in the volume for good before
   * somebody else goes on with it. `pause-done` is 1 then, or says why not. (As the blktap of later Xens does it.)
   */
  #pauseChanged(): void {
    const { xenbus } = this.services;
    xenbus.read(`${this.path}/pause`, (text) => {
      const isWanted = text !== undefined;
      if (this.#isDetached || isWanted === this.#isPaused) return;
      this.#isPaused = isWanted;
      if (!isWanted) {
        xenbus.remove(`${this.path}/pause-done`);
        this.#ring?.requests.resume();
      } else if (this.#ring) this.#ring.requests.pause(() => this.#flushed());
      else this.#flushed();
    });
  }

  #flushed(): void {
    const tell = (ok: boolean) => {
      if (this.#isDetached || !this.#isPaused) return;
      this.services.xenbus.write({ [`${this.path}/pause-done`]: ok ? '1' : 'Input/output error' });
    };
    if (this.#device && !this.#isReadonly) this.#device.flush(tell);
    else tell(true);
  }

  detach(): void {
    this.#isDetached = true;
    this.#disconnect();
    this.#device = undefined;
    this.#closeDevice?.();
    this.#closeDevice = undefined;
  }

  /** `major:minor` in hex, as the hotplug script found it. */
  #openDevice(text: string): void {
    const match = /^([0-9a-f]+):([0-9a-f]+)$/i.exec(text);
    const major = Number.parseInt(match?.[1] ?? '', 16);
    const minor = Number.parseInt(match?.[2] ?? '', 16);
    this.#device = match ? this.services.block.find({ major, minor }) : undefined;
    if (!this.#device) {
      this.#fatal(`creating vbd structure: no device ${text}`);
      return;
    }
    this.#closeDevice = this.services.block.claim(this.#device.name, this.path);
    this.#costs = major === LOOP_MAJOR ? FILE_COSTS : PHY_COSTS;
    if (this.#device.readonly) this.#isReadonly = true;
  }

  /** `aio:/path`: the image file itself. */
  #openImage(params: string): void {
    const file = params.replace(/^[a-z0-9]+:/, '');
    try {
      if (!this.services.images) throw new Error('no image files in this kernel');
      const image = this.services.images.open(file, !this.#isReadonly);
      this.#device = image.device;
      this.#closeDevice = () => image.close();
      this.#costs = TAP_COSTS;
      this.services.xenbus.write({ [`${this.path}/hotplug-status`]: 'connected' });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.services.xenbus.write({
        [`${this.path}/hotplug-error`]: error.name === 'SysError' ? `${file} does not exist.` : error.message,
        [`${this.path}/hotplug-status`]: 'error',
      });
    }
  }

  /** A frontend that starts again (a reboot of its driver) finds the backend waiting. */
  #reopen(): void {
    if (!this.#ring) return;
    this.#disconnect();
    this.#setState(XenbusState.InitWait);
  }

  /** Connects when both halves are ready: the device is open and the frontend has published its ring. */
  #update(): void {
    const isReady = this.#frontendState === XenbusState.Initialised || this.#frontendState === XenbusState.Connected;
    if (!isReady || !this.#device || this.#ring || this.#isConnecting || this.#frontend === '') return;
    this.#isConnecting = true;
    readKeys(this.services, this.#frontend, ['ring-ref', 'event-channel', 'protocol', 'device-type'], (keys) => {
      this.#isConnecting = false;
      if (this.#isDetached || this.#ring || !this.#device) return;
      const gref = parseUnsigned(keys['ring-ref']);
      const port = parseUnsigned(keys['event-channel']);
      const layout = blkifLayout(keys.protocol);
      if (gref === undefined || port === undefined) this.#fatal(`reading ${this.#frontend}/ring-ref and event-channel`);
      else if (!layout) this.#fatal(`unknown fe protocol ${keys.protocol}`);
      else {
        this.#isCdrom = keys['device-type'] === 'cdrom';
        this.#connect(this.#device, gref as Gref, port as Port, layout);
      }
    });
  }

  #connect(device: BlockDevice, gref: Gref, remotePort: Port, layout: BlkifLayout): void {
    const { services, path } = this;
    let mapping: GrantMapping | undefined;
    let port: Port;
    try {
      mapping = services.grants.map(this.#domid, gref, false);
      port = services.events.bindInterdomain(this.#domid, remotePort);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'XenError') throw error;
      if (mapping) services.grants.unmap(mapping);
      this.#fatal(`mapping ring-ref ${gref} port ${remotePort}: ${error.message}`);
      return;
    }
    const requests = new BlkRequests(services, {
      domid: this.#domid,
      ring: new BackRing(mapping.bytes, layout.entryBytes),
      layout,
      device,
      isReadonly: this.#isReadonly,
      costs: this.#costs,
      notify: () => services.events.notify(port),
      corrupt: () => {
        this.#disconnect();
        this.#fatal('frontend provided bogus ring requests');
      },
    });
    this.#ring = { mapping, port, requests };
    services.events.handle(port, () => requests.work());
    services.xenbus.write({
      [`${path}/sectors`]: String(device.sectors),
      [`${path}/info`]: String((this.#isReadonly ? VDISK_READONLY : 0) | (this.#isCdrom ? VDISK_CDROM : 0)),
      [`${path}/sector-size`]: '512',
      [`${path}/state`]: String(XenbusState.Connected),
    });
    requests.work();
  }

  #disconnect(): void {
    const ring = this.#ring;
    if (!ring) return;
    this.#ring = undefined;
    ring.requests.stop();
    this.services.events.close(ring.port);
    this.services.grants.unmap(ring.mapping);
  }

  #setState(state: number): void {
    this.services.xenbus.write({ [`${this.path}/state`]: String(state) });
  }

  /** xenbus_dev_fatal: the reason into the store, and the device goes down. */
  #fatal(reason: string): void {
    this.services.log.printk(`blkback: ${this.path}: ${reason}`);
    this.services.xenbus.write({ [`error/${this.path}/error`]: reason });
    this.#setState(XenbusState.Closing);
  }
}

export const vbdBackend: BackendDriver = {
  attach: (services, path) => new VbdBackend(services, path, 'vbd'),
};

export const tapBackend: BackendDriver = {
  attach: (services, path) => new VbdBackend(services, path, 'tap'),
};
