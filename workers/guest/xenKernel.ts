/**
 * The kernel's core as the Xen machine below it wants it: root file system by `root=` or ramdisk, the toolstack's
 * requests, image files for backends. `startXenLinux` is what the host calls for a domain whose code is this kernel.
 */
import type { EntryState, GuestCpu } from '../abi/cpu';
import type { BackendClass } from './backendBus';
import { LoopDevice } from './block/memoryDevices';
import { KERNEL_VERSION_TEXT } from './bootMessages';
import type { FrontendClass } from './frontendBus';
import { unpackCpio } from './fs/cpio';
import { Kernel, type KernelOptions } from './kernel';
import type { CoreSetup, KernelCore, MiniKernel, RootSource } from './kernelCore';
import type { KernelState } from './kernelState';
import type { BlockDevice, BlockRegistry, ImageFiles, KernelServices, NetDeviceRegistry } from './services';
import { startMiniKernel } from './startup';
import { SysError } from './sys';
import { sysrq } from './sysrq';

/** The kernel where it has no network stack: devices are there and nobody uses them. */
const NO_NETWORK: NetDeviceRegistry = {
  add: () => () => {},
  remove: () => {},
  nameOf: (device) => device.name,
};

export interface XenLinuxOptions {
  /** Everything but the machine and the command line, which come from Xen. */
  readonly kernel: Omit<KernelOptions, 'machine' | 'cmdline'>;
  readonly frontends: readonly FrontendClass[];
  readonly backends: readonly BackendClass[];
  readonly seed: number;
  /** What runs the hotplug scripts. Without it uevents have no listener. */
  readonly onUevent?: (kernel: Kernel, variables: Readonly<Record<string, string>>) => void;
}

/** Starts the kernel on this domain's vcpus. `kernel.kernel` is the core itself, `services` the drivers' view. */
export function startXenLinux(cpu: GuestCpu, entry: EntryState, options: XenLinuxOptions): MiniKernel<XenKernel> {
  return startMiniKernel(cpu, entry, {
    createKernel: (setup) => new XenKernel(setup, options),
    frontends: options.frontends,
    backends: options.backends,
    seed: options.seed,
    release: options.kernel.release,
  });
}

export class XenKernel implements KernelCore {
  readonly core: Kernel;
  readonly block: BlockRegistry;
  readonly net: NetDeviceRegistry;
  readonly images: ImageFiles;
  readonly services: () => KernelServices;

  constructor(
    setup: CoreSetup,
    private readonly options: XenLinuxOptions,
  ) {
    const kernel = {
      version: KERNEL_VERSION_TEXT,
      ...options.kernel,
      machine: setup.machine,
      cmdline: setup.commandLine,
    };
    this.core = setup.state === undefined ? new Kernel(kernel) : Kernel.restore(kernel, setup.state as KernelState);
    this.services = setup.services;
    this.block = this.core.block;
    this.net = this.core.net?.devices ?? NO_NETWORK;
    this.images = { open: (path, writable) => this.#openImage(path, writable) };
  }

  runVcpu(vcpu: number, budgetNs: number): { usedNs: number; idle: boolean } {
    return this.core.runVcpu(vcpu, budgetNs);
  }

  timerInterrupt(): void {
    this.core.timerInterrupt();
  }

  consoleInput(bytes: Uint8Array): void {
    this.core.consoleInput(bytes);
  }

  consoleWritable(): void {
    this.core.consoleWritable();
  }

  printk(line: string): void {
    this.core.printk(line);
  }

  vcpusChanged(): void {
    this.core.vcpusChanged();
  }

  uevent(variables: Readonly<Record<string, string>>): void {
    this.options.onUevent?.(this.core, variables);
  }

  mountRoot(root: RootSource, done: (failure?: string) => void): void {
    switch (root.kind) {
      case 'builtin':
        this.core.boot();
        done();
        break;
      case 'ramdisk':
        this.#unpack(root.bytes, done);
        break;
      case 'device':
        this.#mountDevice(root, done);
    }
  }

  startInit(): void {
    this.core.startInit();
  }

  /** In order, by the userland; a system that has none just stops. */
  shutdownRequested(how: 'poweroff' | 'reboot'): void {
    if (how === 'reboot') {
      this.core.ctrlAltDel();
      return;
    }
    try {
      this.core.runHelper(['/sbin/poweroff']);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.core.shutdown('poweroff');
    }
  }

  programPages(): readonly number[] {
    return this.core.programPages();
  }

  serialize(): KernelState {
    return this.core.serialize();
  }

  sysrq(key: string): void {
    sysrq(this.core, key);
  }

  #unpack(bytes: Uint8Array, done: (failure?: string) => void): void {
    try {
      unpackCpio(bytes, this.core.vfs.mounts.rootVolume);
    } catch (error) {
      if (!(error instanceof Error) || (error.name !== 'CpioError' && error.name !== 'SysError')) throw error;
      done(`VFS: Unable to mount root fs on ram0: ${error.message}`);
      return;
    }
    this.core.boot();
    done();
  }

  /** The type is that of `rootfstype=`, else the first file system that recognises the disk. */
  #mountDevice(root: RootSource & { kind: 'device' }, done: (failure?: string) => void): void {
    this.core.boot();
    const known = [...this.core.fileSystems.values()].filter((type) => type.needsDevice).map((type) => type.name);
    const types = root.type ? [root.type] : known;
    const attempt = (index: number): void => {
      const type = types[index];
      if (type === undefined) {
        const device = this.block.find(root.name);
        const number = `unknown-block(${device?.major ?? 0},${device?.minor ?? 0})`;
        done(`VFS: Unable to mount root fs on ${number}`);
        return;
      }
      this.core.mountRoot(root.name, type, { readonly: root.isReadonly }, (error) => {
        if (error !== undefined) {
          attempt(index + 1);
          return;
        }
        this.printk(`VFS: Mounted root (${type} filesystem)${root.isReadonly ? ' readonly' : ''}.`);
        done();
      });
    };
    attempt(0);
  }

  #openImage(path: string, writable: boolean): { device: BlockDevice; close(): void } {
    const { vfs } = this.core;
    const inode = vfs.find('/', path);
    if (inode.kind !== 'file') throw new SysError('EINVAL', path);
    if (writable) vfs.requireWritable(inode, path, { uid: 0, gid: 0 });
    inode.opens++;
    return {
      device: new LoopDevice(0, inode, path, 0, !writable),
      close: () => {
        inode.opens--;
        inode.volume.drop(inode);
      },
    };
  }
}
