/**
 * The mini kernel on Xen: from the entry state of vcpu 0 to a running kernel, and the main loop of each vcpu.
 *
 * A vcpu's slice: take the pending event channels, run due timers and deferred driver work, then let the kernel's core
 * run processes; when nothing is left, arm the timer and block. Everything that the kernel knows about Xen comes from
 * start_info, shared_info and hypercalls.
 */
import type { EntryState, GuestCpu } from '../abi/cpu';
import { SHUTDOWN_crash, SHUTDOWN_poweroff, SHUTDOWN_reboot, VIRQ_TIMER } from '../abi/xen';
import { fromState, seeded } from '../lib/random';
import { BackendBus } from './backendBus';
import { Balloon } from './balloon';
import { type BootInfo, readBootInfo } from './bootInfo';
import { type BootFacts, earlyMessages, lateMessages } from './bootMessages';
import { EventChannels } from './evtchn';
import { FrontendBus } from './frontendBus';
import { GrantTable } from './gnttab';
import { type HvcConsole, RingConsole, XenConsole } from './hvc';
import { Hypercalls } from './hypercall';
import type { KernelCore, MiniKernel, MiniKernelOptions } from './kernelCore';
import { RESUME_VA } from './kernelImage';
import { type LocalStore, LocalXenbus } from './localXenbus';
import type { KernelMachine } from './machine';
import { MapWindow } from './mapWindow';
import { P2m } from './p2m';
import { PageAllocator, vaOf } from './pages';
import { PrivilegedCommands } from './privcmd';
import { RootSearch } from './rootSearch';
import type { KernelServices, PageServices, XenbusServices } from './services';
import { watchControl } from './shutdownWatch';
import { Vcpus } from './smp';
import { readRecord, type SuspendRecord } from './suspendRecord';
import { pfnOfFrame, Suspension } from './suspension';
import { KernelTime } from './time';
import { Xenbus } from './xenbus';

/** Entering and leaving a slice with an upcall; each event handled. */
const SLICE_NS = 1_000;
const EVENT_NS = 1_500;
/** The kernel's own initialisation. */
const BOOT_NS = 25_000_000;
/** Starts a kernel at its entry, or lets one that was suspended go on. */
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
  readonly #xenbus: Xenbus | LocalXenbus;
  readonly #chance: ReturnType<typeof seeded>;
  readonly #suspension: Suspension;
  readonly #facts: BootFacts;
  #deferred: (() => void)[] = [];
  #coreTimerNs: number | undefined;
  #inSlice = false;
  #isDown = false;
  /** The first process has been started. */
  #isUp = false;
  /** Charged outside of slices; paid by vcpu 0's next one. */
  #owedNs = BOOT_NS;

  constructor(cpu: GuestCpu, entry: EntryState, options: MiniKernelOptions<K>) {
    const saved = entry.eip === RESUME_VA ? readRecord(cpu, entry.ebx) : undefined;
    const info = saved ? { ...readBootInfo(cpu, entry), ...laidOut(saved) } : readBootInfo(cpu, entry);
    this.#info = info;
    this.#chance = saved ? fromState(saved.random) : seeded(options.seed);

    const isPopulated = (pfn: number) => cpu.mfnOf(pfn) !== undefined;
    const bootState = saved
      ? PageAllocator.movedState(info.firstFreePfn, saved.maxPfn, isPopulated, saved.programPages)
      : PageAllocator.initialState(info.firstFreePfn, info.nrPages, info.nrPages);
    const bootPages = new PageAllocator(cpu, bootState);
    const scratch = bootPages.alloc();
    this.#hypercalls = new Hypercalls(cpu, scratch.va);
    const maxPfn =
      saved?.maxPfn ?? Math.max(info.nrPages, info.isInitialDomain ? 0 : (this.#hypercalls.memoryMapEnd() ?? 0));
    this.#pages = saved
      ? bootPages
      : new PageAllocator(cpu, PageAllocator.initialState(scratch.pfn + 1, info.nrPages, maxPfn));

    const window = new MapWindow();
    const sharedVa = window.allocate(1);
    this.#hypercalls.mapFrame(sharedVa, info.sharedInfoMfn);
    const shared = cpu.page(sharedVa);
    this.#time = new KernelTime(cpu, shared, () => this.#hypercalls.vcpu, saved?.nowNs);
    this.wallClockAtZero = this.#time.wallClockAtBoot() + this.#time.zeroNs / 1e9;
    this.#events = new EventChannels(this.#hypercalls, shared);
    this.#events.maskAll();

    const p2m = new P2m(this.#pages, info.mfnList, info.nrPages, maxPfn);
    if (saved) p2m.fill((pfn) => cpu.mfnOf(pfn));
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
    this.#xenbus = xenbus;

    const privcmd = info.isPrivileged ? new PrivilegedCommands(this.#hypercalls, this.#pages, window) : undefined;
    let services: KernelServices | undefined;
    this.kernel = options.createKernel({
      machine: this,
      commandLine: info.commandLine,
      isInitialDomain: info.isInitialDomain,
      ...(saved ? { state: saved.core } : {}),
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
    this.#suspension = new Suspension({
      entry,
      layout: { nrPages: info.nrPages, firstFreePfn: info.firstFreePfn, maxPfn },
      hypercalls: this.#hypercalls,
      pages: this.#pages,
      smp: this.#smp,
      core: this.kernel,
      time: services.time,
      random: () => this.#chance.getState(),
      isQuiet: () =>
        this.#isUp &&
        this.#deferred.length === 0 &&
        this.#frontends.isQuiet &&
        xenbus instanceof Xenbus &&
        xenbus.isQuiet,
    });
    if (saved) this.#wake(saved, options);
    else this.#boot(options);
  }

  // ------------------------------------------------------------------------------------------------------- bring-up

  #ownPage(cpu: GuestCpu, mfn: number): Uint8Array {
    return cpu.page(vaOf(pfnOfFrame(cpu, mfn, this.#pages.maxPfn)));
  }

  #makeXenbus(cpu: GuestCpu): Xenbus | LocalXenbus {
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
    const { kernel } = this;
    for (const line of earlyMessages(this.#facts)) kernel.printk(line);
    this.#attachConsole();
    for (let vcpu = 1; vcpu < this.vcpus; vcpu++) this.#smp.bringUp(vcpu);
    kernel.vcpusChanged();
    for (const line of lateMessages(this.#facts)) kernel.printk(line);
    this.#startDrivers(options);
    const time = this.#time;
    const search = new RootSearch({
      cpu: this.#hypercalls.cpu,
      info: this.#info,
      core: kernel,
      devices: this.#frontends,
      get nowNs() {
        return time.nowNs;
      },
      at: (timeNs, action) => void this.#at(timeNs, action),
      started: () => {
        this.#isUp = true;
      },
      panic: () => this.shutdown('crash'),
    });
    if (this.#info.isInitialDomain || options.frontends.length === 0) search.find();
    else search.awaitDevices();
  }

  /** A kernel that was suspended goes on: its core is there again, everything of Xen's is new. */
  #wake({ onlineVcpus }: SuspendRecord, options: MiniKernelOptions<K>): void {
    this.#isUp = true;
    this.#attachConsole();
    for (const vcpu of onlineVcpus) this.#smp.bringUp(vcpu);
    this.kernel.vcpusChanged();
    this.#startDrivers(options);
  }

  #attachConsole(): void {
    const { kernel } = this;
    this.#console.attach({
      input: (bytes) => kernel.consoleInput(bytes),
      writable: () => kernel.consoleWritable(),
    });
  }

  #startDrivers(options: MiniKernelOptions<K>): void {
    const { kernel, services } = this;
    this.#frontends.start();
    this.#balloon.start();
    watchControl(services, this.vcpus, {
      powerOff: () => kernel.shutdownRequested('poweroff'),
      reboot: () => kernel.shutdownRequested('reboot'),
      suspend: () => this.#suspension.request(),
      sysrq: (key) => kernel.sysrq(key),
      setVcpuOnline: (vcpu, online) => this.#plug(vcpu, online),
    });
    if (options.backends.length > 0) new BackendBus(services, options.backends).start();
  }

  #plug(vcpu: number, online: boolean): void {
    if (vcpu === 0 || online === this.#smp.isOnline(vcpu)) return;
    if (online) this.#smp.bringUp(vcpu);
    else this.#smp.takeDown(vcpu);
    this.kernel.vcpusChanged();
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
    if (this.#suspension.isSuspended) this.#suspension.cancelled();
    try {
      while (!this.#isDown && this.#smp.isOnline(vcpu)) {
        this.#interrupts(vcpu);
        if (this.#isDown || this.#suspension.isSuspended || time.chargedNs >= budgetNs) break;
        const { usedNs, idle } = this.#suspension.isFrozen
          ? { usedNs: 0, idle: true }
          : this.kernel.runVcpu(vcpu, budgetNs - time.chargedNs);
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
    } while (!this.#isDown && !this.#suspension.isSuspended && this.#deferred.length > 0);
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
    if (this.#xenbus instanceof LocalXenbus) this.#xenbus.connect(store);
  }

  registers(vcpu: number): Uint8Array | undefined {
    return vcpu === 0 ? this.#suspension.context : undefined;
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
    return this.#chance.below(limit);
  }

  get pages(): PageServices {
    return this.#pages;
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

/** What start_info does not say any more once the toolstack has rewritten it. */
function laidOut({ nrPages, firstFreePfn }: SuspendRecord): Pick<BootInfo, 'nrPages' | 'firstFreePfn'> {
  return { nrPages, firstFreePfn };
}
