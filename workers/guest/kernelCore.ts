/** What the machine below a kernel's core needs of it, and what it gives: the seam between startup.ts and the kernel. */
import type { VcpuRunner } from '../abi/cpu';
import type { BackendClass } from './backendBus';
import type { FrontendClass } from './frontendBus';
import type { LocalStore } from './localXenbus';
import type { KernelMachine } from './machine';
import type { BlockRegistry, ImageFiles, KernelServices, NetDeviceRegistry } from './services';

/** Where the root file system comes from. */
export type RootSource =
  | { readonly kind: 'builtin' }
  | { readonly kind: 'ramdisk'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'device';
      readonly name: string;
      readonly isReadonly: boolean;
      /** `rootfstype=`. */
      readonly type: string | undefined;
    };

/** What the machine below needs of the kernel's core (processes, files, terminals). */
export interface KernelCore {
  /** Runs processes of this vcpu for about `budgetNs`; `idle`: nothing is left to run. */
  runVcpu(vcpu: number, budgetNs: number): { readonly usedNs: number; readonly idle: boolean };
  /** The time given to KernelMachine.setTimer has come. */
  timerInterrupt(): void;
  consoleInput(bytes: Uint8Array): void;
  consoleWritable(): void;
  /** One line into the kernel log and onto the console. */
  printk(line: string): void;
  readonly block: BlockRegistry;
  readonly net: NetDeviceRegistry;
  readonly images?: ImageFiles;
  /** `done` gets the reason when it failed. */
  mountRoot(root: RootSource, done: (failure?: string) => void): void;
  startInit(): void;
  vcpusChanged(): void;
  /** What the toolstack asks for: the userland shuts down in order. */
  shutdownRequested(how: 'poweroff' | 'reboot'): void;
  sysrq(key: string): void;
  /** Guest frames that the core has handed out to programs and that its plain data refers to. */
  programPages(): readonly number[];
  /** Plain data of which `CoreSetup.state` makes the same core again; only between two calls of `runVcpu`. */
  serialize(): unknown;
  uevent(variables: Readonly<Record<string, string>>): void;
}

/** What the core is made from. */
export interface CoreSetup {
  readonly machine: KernelMachine;
  readonly commandLine: string;
  readonly isInitialDomain: boolean;
  /** What `serialize` answered: the core goes on from there. */
  readonly state?: unknown;
  /** The services below the core; `block`, `net`, `log`, `uevent` come from the core itself. */
  readonly services: () => KernelServices;
}

export interface MiniKernelOptions<K extends KernelCore> {
  createKernel(setup: CoreSetup): K;
  readonly frontends: readonly FrontendClass[];
  /** A domain serves the devices whose backend the toolstack says it is. */
  readonly backends: readonly BackendClass[];
  /** Seed of the guest's own chance. */
  readonly seed: number;
  /** `uname -r`, as the boot messages say it. */
  readonly release?: string;
}

export interface MiniKernel<K extends KernelCore> extends VcpuRunner {
  readonly kernel: K;
  readonly services: KernelServices;
  /** Domain-0: xenstored is up, the kernel's xenbus talks to it from now on. */
  connectStore(store: LocalStore): void;
  /** Runs an action in Domain-0's kernel from outside of any slice (a terminal's input, a toolstack's answer). */
  interrupt(action: () => void): void;
}
