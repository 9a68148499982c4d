/** A kernel's boot from the moment when it looks for its devices to its first process: `root=`, the ramdisk, or its own tree. */
import type { GuestCpu } from '../abi/cpu';
import { type BootInfo, parseCommandLine, readRamdiskBytes } from './bootInfo';
import type { KernelCore, RootSource } from './kernelCore';

/** How long the boot waits for devices that do not connect. */
const DEVICES_TIMEOUT_NS = 10_000_000_000;
/** How long the boot waits for the root device when devices are still connecting. */
const ROOT_TIMEOUT_NS = 10_000_000_000;

export interface RootSearchHost {
  readonly cpu: GuestCpu;
  readonly info: BootInfo;
  readonly core: KernelCore;
  readonly nowNs: number;
  at(timeNs: number, action: () => void): void;
  /** The frontends of the devices that the guest found. */
  readonly devices: { readonly isSettled: boolean; readonly unsettled: readonly string[] };
  /** The first process runs. */
  started(): void;
  /** The kernel cannot go on. */
  panic(): void;
}

export class RootSearch {
  constructor(private readonly host: RootSearchHost) {}

  /** The devices that a guest finds at boot connect first, so that its scripts find them all (wait_for_devices). */
  awaitDevices(deadlineNs = this.host.nowNs + DEVICES_TIMEOUT_NS): void {
    const { host } = this;
    if (host.devices.isSettled) this.find();
    else if (host.nowNs >= deadlineNs) {
      for (const path of host.devices.unsettled) host.core.printk(`XENBUS: Timeout connecting to device: ${path}`);
      this.find();
    } else host.at(host.nowNs + 1_000_000, () => this.awaitDevices(deadlineNs));
  }

  find(): void {
    const { info, core, cpu, nowNs } = this.host;
    const words = parseCommandLine(info.commandLine);
    const name = rootDevice(words.get('root'));
    if (name !== undefined) {
      this.#awaitRoot(name, nowNs + ROOT_TIMEOUT_NS, () =>
        this.#mount({
          kind: 'device',
          name,
          isReadonly: words.has('ro') && !words.has('rw'),
          type: words.get('rootfstype') || undefined,
        }),
      );
    } else if (info.ramdisk) {
      const bytes = readRamdiskBytes(cpu, info.ramdisk);
      core.printk(`Freeing initrd memory: ${Math.ceil(info.ramdisk.length / 1024)}k freed`);
      this.#mount({ kind: 'ramdisk', bytes });
    } else this.#mount({ kind: 'builtin' });
  }

  #awaitRoot(name: string, deadlineNs: number, found: () => void): void {
    const { host } = this;
    if (host.core.block.find(name)) found();
    else if (host.nowNs >= deadlineNs || (host.devices.isSettled && !host.info.isInitialDomain)) {
      host.core.printk(`VFS: Cannot open root device "${name}" or unknown-block(0,0)`);
      host.core.printk('Please append a correct "root=" boot option');
      this.#panic('VFS: Unable to mount root fs on unknown-block(0,0)');
    } else host.at(host.nowNs + 10_000_000, () => this.#awaitRoot(name, deadlineNs, found));
  }

  #mount(root: RootSource): void {
    const { host } = this;
    host.core.mountRoot(root, (failure) => {
      if (failure !== undefined) {
        this.#panic(failure);
        return;
      }
      host.core.startInit();
      host.started();
    });
  }

  #panic(reason: string): void {
    this.host.core.printk(`Kernel panic - not syncing: ${reason}`);
    this.host.panic();
  }
}

/** The block device that `root=` names; undefined: none, or the ramdisk. */
function rootDevice(root: string | undefined): string | undefined {
  const name = (root ?? '').split(/\s/)[0]!.replace(/^\/dev\//, '');
  return name === '' || /^(xen\/)?ram\d*$/.test(name) ? undefined : name;
}
