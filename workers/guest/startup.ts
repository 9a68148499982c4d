/**
 * The mini kernel on Xen: from the entry state of vcpu 0 to a running kernel, and the main loop of each vcpu.
 *
 * A vcpu's slice: take the pending event channels, run due timers and deferred driver work, then let the kernel's core
 * run processes; when nothing is left, arm the timer and block. Everything that the kernel knows about Xen comes from
 * start_info, shared_info and hypercalls.
 */
import type { EntryState, GuestCpu, VcpuRunner } from '../abi/cpu';
import { SHUTDOWN_crash, SHUTDOWN_poweroff, SHUTDOWN_reboot, VIRQ_TIMER } from '../abi/xen';
import { seeded } from '../lib/random';
import { BackendBus, type BackendClass } from './backendBus';
import { Balloon } from './balloon';
import { type BootInfo, parseCommandLine, readBootInfo, readRamdiskBytes } from './bootInfo';
import { type BootFacts, earlyMessages, lateMessages } from './bootMessages';
import { EventChannels } from './evtchn';
import { FrontendBus, type FrontendClass } from './frontendBus';
import { GrantTable } from './gnttab';
import { type HvcConsole, RingConsole, XenConsole } from './hvc';
import { Hypercalls } from './hypercall';
import { type LocalStore, LocalXenbus } from './localXenbus';
import type { KernelMachine } from './machine';
import { MapWindow } from './mapWindow';
import { P2m } from './p2m';
import { PageAllocator, vaOf } from './pages';
import { PrivilegedCommands } from './privcmd';
import type { BlockRegistry, ImageFiles, KernelServices, NetDeviceRegistry, XenbusServices } from './services';
import { watchControl } from './shutdownWatch';
import { Vcpus } from './smp';
import { KernelTime } from './time';
import { Xenbus } from './xenbus';

/** Entering and leaving a slice with an upcall; each event handled. */
const SLICE_NS = 1_000;
const EVENT_NS = 1_500;
/** The kernel's own initialisation. */
const BOOT_NS = 25_000_000;
/** How long the boot waits for devices that do not connect. */
const DEVICES_TIMEOUT_NS = 10_000_000_000;
/** How long the boot waits for the root device when devices are still connecting. */
const ROOT_TIMEOUT_NS = 10_000_000_000;

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
  uevent(variables: Readonly<Record<string, string>>): void;
}

/** What the core is made from. */
export interface CoreSetup {
  readonly machine: KernelMachine;
  readonly commandLine: string;
  readonly isInitialDomain: boolean;
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

export function startMiniKernel<K extends KernelCore>(
  cpu: GuestCpu,
  entry: EntryState,
  options: MiniKernelOptions<K>,
): MiniKernel<K> {
  return new XenMachine(cpu, entry, options);
}

class XenMachine<K extends KernelCore> implements MiniKernel<K>, KernelMachine {
  readonly kernel: K;
  readonly services: KernelServices;
  readonly vcpus: number;
  readonly wallClockAtZero: number;
  /** The time stamp counter's rate, and what the processor calls itself. */
  readonly cpu = { mhz: 1000, model: 'Intel(R) Core(TM)2 CPU' };
  readonly #info: BootInfo;
  readonly #hypercalls: Hypercalls;
  readonly #time: KernelTime;
  readonly #events: EventChannels;
  readonly #pages: PageAllocator;
  readonly #smp: Vcpus;
  readonly #console: HvcConsole;
  readonly #balloon: Balloon;
  readonly #frontends: FrontendBus;
  readonly #localXenbus: LocalXenbus | undefined;
  readonly #random: (limit: number) => number;
  readonly #facts: BootFacts;
  #deferred: (() => void)[] = [];
  #coreTimerNs: number | undefined;
  #inSlice = false;
  #isDown = false;
  /** Charged outside of slices; paid by vcpu 0's next one. */
  #owedNs = BOOT_NS;

  constructor(cpu: GuestCpu, entry: EntryState, options: MiniKernelOptions<K>) {
    const info = readBootInfo(cpu, entry);
    this.#info = info;
    const random = seeded(options.seed);
    this.#random = (limit) => random.below(limit);

    const bootPages = new PageAllocator(cpu, PageAllocator.initialState(info.firstFreePfn, info.nrPages, info.nrPages));
    const scratch = bootPages.alloc();
    this.#hypercalls = new Hypercalls(cpu, scratch.va);
    const maxPfn = Math.max(info.nrPages, info.isInitialDomain ? 0 : (this.#hypercalls.memoryMapEnd() ?? 0));
    this.#pages = new PageAllocator(cpu, PageAllocator.initialState(scratch.pfn + 1, info.nrPages, maxPfn));

    const window = new MapWindow();
    const sharedVa = window.allocate(1);
    this.#hypercalls.mapFrame(sharedVa, info.sharedInfoMfn);
    const shared = cpu.page(sharedVa);
    this.#time = new KernelTime(cpu, shared, () => this.#hypercalls.vcpu);
    this.wallClockAtZero = this.#time.wallClockAtBoot() + this.#time.zeroNs / 1e9;
    this.#events = new EventChannels(this.#hypercalls, shared);
    this.#events.maskAll();

    const p2m = new P2m(this.#pages, info.mfnList, info.nrPages, maxPfn);
    p2m.publish(shared);
    const grants = new GrantTable(this.#hypercalls, window, this.#pages.alloc());
    this.vcpus = Vcpus.count(this.#hypercalls);
    this.#smp = new Vcpus(this.#hypercalls, this.#events, entry, Vcpus.initialState(this.vcpus));
    this.#smp.startFirst();
    this.#events.handle(this.#events.bindVirq(VIRQ_TIMER, 0), () => {});
    this.#console = info.isInitialDomain
      ? new XenConsole(this.#hypercalls, this.#events)
      : new RingConsole(this.#ownPage(cpu, info.consoleMfn), info.consolePort, this.#events);
    const xenbus = this.#makeXenbus(cpu);
    this.#localXenbus = xenbus instanceof LocalXenbus ? xenbus : undefined;

    const privcmd = info.isPrivileged ? new PrivilegedCommands(this.#hypercalls, this.#pages, window) : undefined;
    let services: KernelServices | undefined;
    this.kernel = options.createKernel({
      machine: this,
      commandLine: info.commandLine,
      isInitialDomain: info.isInitialDomain,
      services: () => services!,
    });
    services = this.#makeServices(xenbus, grants, privcmd);
    this.services = services;
    this.#balloon = new Balloon(services, this.#hypercalls, this.#pages, p2m);
    this.#frontends = new FrontendBus(services, options.frontends);
    this.#facts = {
      info,
      release: options.release,
      vcpus: this.vcpus,
      maxPfn,
      freePages: this.#pages.freePages,
      xen: this.#hypercalls.version(),
    };
    this.#boot(options);
  }

  // ------------------------------------------------------------------------------------------------------- bring-up

  #ownPage(cpu: GuestCpu, mfn: number): Uint8Array {
    for (let pfn = 0; pfn < this.#info.nrPages; pfn++) if (cpu.mfnOf(pfn) === mfn) return cpu.page(vaOf(pfn));
    throw new Error(`machine frame ${mfn} is not one of this guest's`);
  }

  #makeXenbus(cpu: GuestCpu): XenbusServices {
    const info = this.#info;
    if (info.isInitialDomain) return new LocalXenbus((action) => this.#defer(action));
    return new Xenbus(this.#ownPage(cpu, info.storeMfn), info.storePort, this.#events);
  }

  #makeServices(xenbus: XenbusServices, grants: GrantTable, privcmd: PrivilegedCommands | undefined): KernelServices {
    const { kernel } = this;
    const time = this.#time;
    return {
      time: {
        get nowNs() {
          return time.nowNs;
        },
        at: (timeNs, action) => this.#at(timeNs, action),
      },
      events: this.#events,
      pages: this.#pages,
      grants,
      xenbus,
      block: kernel.block,
      net: kernel.net,
      images: kernel.images,
      log: { printk: (line) => kernel.printk(line) },
      charge: (ns) => this.#charge(ns),
      defer: (action) => this.#defer(action),
      privcmd,
      uevent: (variables) => kernel.uevent(variables),
    };
  }

  #boot(options: MiniKernelOptions<K>): void {
    const { kernel, services } = this;
    for (const line of earlyMessages(this.#facts)) kernel.printk(line);
    this.#console.attach({
      input: (bytes) => kernel.consoleInput(bytes),
      writable: () => kernel.consoleWritable(),
    });
    for (let vcpu = 1; vcpu < this.vcpus; vcpu++) this.#smp.bringUp(vcpu);
    kernel.vcpusChanged();
    for (const line of lateMessages(this.#facts)) kernel.printk(line);
    this.#frontends.start();
    this.#balloon.start();
    watchControl(services, this.vcpus, {
      powerOff: () => kernel.shutdownRequested('poweroff'),
      reboot: () => kernel.shutdownRequested('reboot'),
      suspend: () => kernel.printk('Ignoring shutdown request: suspend'),
      sysrq: (key) => kernel.sysrq(key),
      setVcpuOnline: (vcpu, online) => this.#plug(vcpu, online),
    });
    if (options.backends.length > 0) new BackendBus(services, options.backends).start();
    const findRoot = () => this.#findRoot(parseCommandLine(this.#info.commandLine));
    if (this.#info.isInitialDomain || options.frontends.length === 0) findRoot();
    else this.#awaitDevices(this.#time.nowNs + DEVICES_TIMEOUT_NS, findRoot);
  }

  /** The devices that a guest finds at boot connect first, so that its scripts find them all (wait_for_devices). */
  #awaitDevices(deadlineNs: number, ready: () => void): void {
    if (this.#frontends.isSettled) ready();
    else if (this.#time.nowNs >= deadlineNs) {
      for (const path of this.#frontends.unsettled) this.kernel.printk(`XENBUS: Timeout connecting to device: ${path}`);
      ready();
    } else this.#at(this.#time.nowNs + 1_000_000, () => this.#awaitDevices(deadlineNs, ready));
  }

  #plug(vcpu: number, online: boolean): void {
    if (vcpu === 0 || online === this.#smp.isOnline(vcpu)) return;
    if (online) this.#smp.bringUp(vcpu);
    else this.#smp.takeDown(vcpu);
    this.kernel.vcpusChanged();
  }

  #findRoot(words: ReadonlyMap<string, string>): void {
    const name = rootDevice(words.get('root'));
    const ramdisk = this.#info.ramdisk;
    if (name !== undefined) {
      this.#awaitRoot(name, this.#time.nowNs + ROOT_TIMEOUT_NS, () =>
        this.#mount({
          kind: 'device',
          name,
          isReadonly: words.has('ro') && !words.has('rw'),
          type: words.get('rootfstype') || undefined,
        }),
      );
    } else if (ramdisk) {
      const bytes = readRamdiskBytes(this.#hypercalls.cpu, ramdisk);
      this.kernel.printk(`Freeing initrd memory: ${Math.ceil(ramdisk.length / 1024)}k freed`);
      this.#mount({ kind: 'ramdisk', bytes });
    } else this.#mount({ kind: 'builtin' });
  }

  #awaitRoot(name: string, deadlineNs: number, found: () => void): void {
    if (this.kernel.block.find(name)) found();
    else if (this.#time.nowNs >= deadlineNs || (this.#frontends.isSettled && !this.#info.isInitialDomain)) {
      this.kernel.printk(`VFS: Cannot open root device "${name}" or unknown-block(0,0)`);
      this.kernel.printk('Please append a correct "root=" boot option');
      this.#panic('VFS: Unable to mount root fs on unknown-block(0,0)');
    } else this.#at(this.#time.nowNs + 10_000_000, () => this.#awaitRoot(name, deadlineNs, found));
  }

  #mount(root: RootSource): void {
    this.kernel.mountRoot(root, (failure) => {
      if (failure !== undefined) this.#panic(failure);
      else this.kernel.startInit();
    });
  }

  #panic(reason: string): void {
    this.kernel.printk(`Kernel panic - not syncing: ${reason}`);
    this.shutdown('crash');
  }

  // ------------------------------------------------------------------------------------------------ the vcpus' slices

  run(vcpu: number, budgetNs: number): number {
    const time = this.#time;
    this.#hypercalls.vcpu = vcpu;
    this.#inSlice = true;
    this.#events.executing = vcpu;
    time.chargedNs = SLICE_NS;
    if (vcpu === 0) {
      time.chargedNs += this.#owedNs;
      this.#owedNs = 0;
    }
    try {
      while (!this.#isDown && this.#smp.isOnline(vcpu)) {
        this.#interrupts(vcpu);
        if (this.#isDown || time.chargedNs >= budgetNs) break;
        const { usedNs, idle } = this.kernel.runVcpu(vcpu, budgetNs - time.chargedNs);
        time.chargedNs += usedNs;
        if (this.#isDown || time.chargedNs >= budgetNs) break;
        if (!idle || this.#hasInterruptWork(vcpu)) continue;
        this.#idle(vcpu);
        break;
      }
      return time.chargedNs;
    } finally {
      this.#inSlice = false;
      this.#events.executing = undefined;
      this.#hypercalls.vcpu = 0;
      time.chargedNs = 0;
    }
  }

  #interrupts(vcpu: number): void {
    do {
      this.#charge(this.#events.handlePending(vcpu) * EVENT_NS);
      if (vcpu === 0) this.#runTimers();
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const action of deferred) action();
    } while (!this.#isDown && this.#deferred.length > 0);
  }

  #runTimers(): void {
    this.#time.runDue();
    if (this.#coreTimerNs === undefined || this.#coreTimerNs > this.#time.nowNs) return;
    this.#coreTimerNs = undefined;
    this.kernel.timerInterrupt();
  }

  #hasInterruptWork(vcpu: number): boolean {
    const due = vcpu === 0 && (this.#nextTimerNs() ?? Number.POSITIVE_INFINITY) <= this.#time.nowNs;
    return due || this.#deferred.length > 0 || this.#events.isPending(vcpu);
  }

  #nextTimerNs(): number | undefined {
    const own = this.#time.nextNs;
    if (own === undefined || this.#coreTimerNs === undefined) return own ?? this.#coreTimerNs;
    return Math.min(own, this.#coreTimerNs);
  }

  #idle(vcpu: number): void {
    if (vcpu === 0) {
      const next = this.#nextTimerNs();
      this.#hypercalls.setTimer(next === undefined ? 0 : Math.max(1, Math.ceil(next) + this.#time.zeroNs));
    }
    this.#hypercalls.block();
  }

  #charge(ns: number): void {
    if (this.#inSlice) this.#time.chargedNs += ns;
    else this.#owedNs += ns;
  }

  #defer(action: () => void): void {
    this.#deferred.push(action);
    this.#wakeFirst();
  }

  #at(timeNs: number, action: () => void): { cancel(): void } {
    const timer = this.#time.at(timeNs, action);
    this.#wakeFirst();
    return timer;
  }

  /** Vcpu 0 looks again at timers and deferred work, when it is not at it already. */
  #wakeFirst(): void {
    if (this.#isDown || (this.#inSlice && this.#hypercalls.vcpu === 0)) return;
    this.#smp.kick(0);
  }

  interrupt(action: () => void): void {
    this.#defer(action);
  }

  connectStore(store: LocalStore): void {
    this.#localXenbus?.connect(store);
  }

  dispose(): void {
    this.#isDown = true;
    this.#deferred = [];
  }

  // -------------------------------------------------------------------------------------- what the core is offered

  get nowNs(): number {
    return this.#time.nowNs;
  }

  isOnline(vcpu: number): boolean {
    return this.#smp.isOnline(vcpu);
  }

  kick(vcpu: number): void {
    if (!this.#isDown && !(this.#inSlice && this.#hypercalls.vcpu === vcpu)) this.#smp.kick(vcpu);
  }

  setTimer(timeNs: number | undefined): void {
    const isSooner = timeNs !== undefined && timeNs < (this.#coreTimerNs ?? Number.POSITIVE_INFINITY);
    this.#coreTimerNs = timeNs;
    if (isSooner) this.#wakeFirst();
  }

  consoleWrite(bytes: Uint8Array): number {
    return this.#isDown ? bytes.length : this.#console.write(bytes);
  }

  shutdown(reason: 'poweroff' | 'reboot' | 'crash'): void {
    if (this.#isDown) return;
    this.#isDown = true;
    const codes = { poweroff: SHUTDOWN_poweroff, reboot: SHUTDOWN_reboot, crash: SHUTDOWN_crash };
    this.#hypercalls.shutdown(codes[reason]);
  }

  random(limit: number): number {
    return this.#random(limit);
  }

  get memoryKiB(): number {
    return this.#pages.populatedPages * 4;
  }

  extraFiles(): ReadonlyMap<string, () => string> {
    const { major, minor, extra } = this.#facts.xen;
    const files = new Map<string, () => string>([
      ['/proc/xen/balloon', () => this.#balloon.describe()],
      ['/proc/xen/capabilities', () => (this.#info.isInitialDomain ? 'control_d\n' : '')],
      ['/sys/hypervisor/type', () => 'xen\n'],
      ['/sys/hypervisor/version/major', () => `${major}\n`],
      ['/sys/hypervisor/version/minor', () => `${minor}\n`],
      ['/sys/hypervisor/version/extra', () => `${extra}\n`],
      ['/sys/hypervisor/properties/capabilities', () => `${this.#hypercalls.versionText(3, 1024)}\n`],
      ['/sys/hypervisor/properties/changeset', () => `${this.#hypercalls.versionText(4, 64)}\n`],
    ]);
    return files;
  }
}

/** The block device that `root=` names; undefined: none, or the ramdisk. */
function rootDevice(root: string | undefined): string | undefined {
  const name = (root ?? '').split(/\s/)[0]!.replace(/^\/dev\//, '');
  return name === '' || /^(xen\/)?ram\d*$/.test(name) ? undefined : name;
}
