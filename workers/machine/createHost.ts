/**
 * One simulated physical machine, put together bottom up: disks and cards, the boot loader, the hypervisor, Domain-0's
 * kernel, and the toolstack that runs in it. START READING HERE.
 */
import type { FindRunner } from '../abi/cpu';
import { DOM0, type Domid } from '../abi/xen';
import { readXenBuild } from '../abi/xenImage';
import { AcmHooks } from '../acm/acmHooks';
import { isBinaryPolicy } from '../acm/policyBinary';
import { backendClasses, frontendClasses } from '../devices/registry';
import { dom0Programs } from '../dom0/bin/index';
import type { ConnectStore } from '../dom0/bin/xenstore';
import { type OpenTool, policyToolOperations } from '../dom0/policyTools';
import { Toolstack } from '../dom0/toolstack';
import { ext2, ext3 } from '../guest/fs/ext2';
import type { Kernel } from '../guest/kernel';
import type { MiniKernel } from '../guest/kernelCore';
import { isMiniKernel, KERNEL_RELEASE } from '../guest/kernelImage';
import { netStackFactory } from '../guest/net/netStackFactory';
import { commonPrograms } from '../guest/programs/index';
import { workload } from '../guest/programs/workload';
import { awaitOperation, xenstoreOperation, xenstoreTools } from '../guest/programs/xenstoreTools';
import { defaultRoot } from '../guest/rootfs';
import type { RootTree } from '../guest/rootTree';
import { shell } from '../guest/shell/index';
import { type Program, SysError } from '../guest/sys';
import { startXenLinux, type XenKernel } from '../guest/xenKernel';
import { parseCommandLine } from '../hypervisor/commandLine';
import { Hypervisor } from '../hypervisor/hypervisor';
import { chooseScheduler } from '../hypervisor/sched/index';
import { SwitchedQueue, type VirtualClock } from '../lib/clock';
import { fromState, seeded } from '../lib/random';
import type { BulkEnd, BulkListener } from '../net/bulk';
import { Cable } from '../net/cable';
import { GATEWAY_ADDRESS, type Gateway } from '../net/gateway';
import type { Lan } from '../net/lan';
import type { ChunkStorage } from '../storage/hostDisk';
import { X86Machine, type X86Parts } from '../x86/x86Vcpu';
import type { PythonRunner } from '../xm/python';
import { readExt2 } from './ext2Image';
import { boot as bootLoader, GrubError } from './grub';
import { guestFiles } from './guestFiles';
import { type GuestImageSource, provideGuestImage } from './guestImages';
import { DiskController, DOM0_ROOT, LanCard } from './hardware';
import { HostMigrations } from './hostMigrations';
import { type InstallFile, install } from './install';
import { installVersion, isNewerThanDisks } from './installVersion';
import { KeptDisks } from './keptDisks';
import { serveConsoles } from './remoteConsole';
import type { RunLoop } from './runLoop';

export interface HostOptions {
  readonly name: string;
  /** Which host of its network it is, from 1: gives it its address. */
  readonly number: number;
  readonly topology: { readonly sockets: number; readonly cores: number; readonly threads: number };
  readonly memoryMiB: number;
  readonly seed: number;
  /** Appended to Xen's command line by the boot loader. */
  readonly xenOptions: string;
  /** A machine without disks is installed with a Xen that has ACM, and with xend set to use it. */
  readonly acm?: boolean;
}

/** What a host stands in. */
export interface HostWorld {
  readonly clock: VirtualClock;
  readonly loop: RunLoop;
  readonly lan: Lan;
  readonly gateway: Gateway;
  readonly storage: ChunkStorage;
  /** The files that Domain-0 is installed from. */
  readonly installFiles: readonly InstallFile[];
  readonly python: PythonRunner;
  /** Fetches the x86 emulator; without it Linux guests crash when they are started. */
  readonly x86?: (() => Promise<X86Parts>) | undefined;
  /** Files of Domain-0 that are fetched on first use. */
  readonly guestImages?: GuestImageSource | undefined;
  /** UTC at virtual time 0, s. */
  readonly unixSecondsAtZero: number;
  /** The computer's clock, ms, the same for all hosts; undefined where the host's time does not follow it. */
  readonly wallMs?: (() => number) | undefined;
  /** A broken invariant of ours, to be shown at the worker's edge. */
  onBug(error: unknown): void;
}

export type HostPhase = 'off' | 'booting' | 'running' | 'rebooting' | 'halted';

const userland: readonly Program[] = [...commonPrograms, shell];
const guestPrograms: readonly Program[] = [...userland, ...xenstoreTools, workload];

/** Time for which the machine is dark between two boots, ns. */
const REBOOT_NS = 500e6;

export class Host {
  readonly clock: VirtualClock;
  phase: HostPhase = 'off';
  hypervisor: Hypervisor | undefined;
  /** The policy module of the hypervisor, when it was built with one. */
  acm: AcmHooks | undefined;
  toolstack: Toolstack | undefined;
  onSerial: (bytes: Uint8Array) => void = () => {};
  onPhase: (phase: HostPhase) => void = () => {};
  onFileChanged: (path: string) => void = () => {};
  /** `vi FILE`: resolves when the page's editor was closed; undefined: there is no page. */
  onEdit: ((path: string) => Promise<void>) | undefined;
  /** A policy tool in Domain-0 opens its window, a pane of the page; resolves when that is closed. */
  onTool: OpenTool | undefined;
  /** Of eth0. */
  readonly cable = new Cable();
  readonly migrations: HostMigrations;
  readonly disks: KeptDisks;
  /** What a guest without disk or ramdisk finds. */
  readonly #guestRoot: RootTree;
  #random: ReturnType<typeof seeded>;
  #dom0: MiniKernel<XenKernel> | undefined;
  #card: LanCard | undefined;
  /** Of this boot. */
  #x86: X86Machine | undefined;
  #serialBytes = 0;
  #hasOlderDisks = false;
  /** Everything that this boot has queued; a machine that is switched off does nothing any more. */
  #power: SwitchedQueue | undefined;
  readonly #endConsoles: () => void;
  /** Counts boots: what belongs to an earlier one is ignored. */
  #generation = 0;

  private constructor(
    readonly options: HostOptions,
    readonly world: HostWorld,
  ) {
    this.clock = world.clock;
    this.#random = seeded(options.seed);
    this.disks = new KeptDisks(world.storage, options.name);
    this.migrations = new HostMigrations(this);
    this.#endConsoles = serveConsoles(this);
    this.#guestRoot = [...defaultRoot(guestPrograms), ...guestFiles(world.installFiles)];
  }

  /** A machine that is switched off, its disks as they were left; blank ones are installed. */
  static async create(options: HostOptions, world: HostWorld): Promise<Host> {
    const host = new Host(options, world);
    const isBlank = !(await host.disks.load());
    if (isBlank) {
      install(host.disks.all, {
        hostname: options.name,
        address: host.address,
        gateway: GATEWAY_ADDRESS,
        mac: host.#mac,
        acm: options.acm ?? false,
        files: world.installFiles,
        guestImages: world.guestImages?.images ?? [],
        dom0Programs: [...userland, ...dom0Programs(() => undefined)],
        guestPrograms,
        nowSeconds: Math.floor(world.unixSecondsAtZero),
      });
      for (const { disk } of host.disks.all) disk.flush();
    }
    const version = installVersion(world.installFiles, [...guestPrograms, ...dom0Programs(() => undefined)]);
    host.#hasOlderDisks = await isNewerThanDisks(world.storage, options.name, version, isBlank);
    world.gateway.setName(options.name, host.address);
    return host;
  }

  /** Domain-0's address. */
  get address(): string {
    return `192.0.2.${10 + this.options.number}`;
  }

  get #mac(): string {
    return `00:0c:29:00:01:${this.options.number.toString(16).padStart(2, '0')}`;
  }

  /** One end of a pipe of the network, through this machine's cable; undefined while the machine is off. */
  bulk(name: string, listener: BulkListener): BulkEnd | undefined {
    return this.#card?.bulk(name, listener);
  }

  /** Whether a machine of this network is on, as its management processor would say. */
  isPoweredOn(name: string): boolean {
    const address = this.world.gateway.resolve(name);
    return address !== undefined && this.world.lan.poweredOn.has(address);
  }

  get kernel(): Kernel | undefined {
    return this.#dom0?.kernel.core;
  }

  /** Runs an action in Domain-0's kernel, as an interrupt from outside. */
  interrupt(action: () => void): void {
    this.#dom0?.interrupt(action);
  }

  // ---------------------------------------------------------------------------------------------- power

  /** Switches the machine on: GRUB, Xen, Domain-0. A boot that fails leaves its last words on the serial line. */
  boot(): void {
    this.#setPhase('booting');
    this.#generation++;
    try {
      this.#boot();
    } catch (error) {
      if (!(error instanceof GrubError)) throw error;
      this.#serial(`${error.message}\n`);
      this.#setPhase('halted');
    }
  }

  #boot(): void {
    const generation = this.#generation;
    const power = new SwitchedQueue(this.clock);
    this.#power = power;
    const rootDisk = this.disks.all
      .map(({ partitions }) => partitions.get(DOM0_ROOT))
      .find((each) => each !== undefined)!;
    const selection = bootLoader(readExt2(rootDisk), (text) => this.#serial(text));
    const commandLine = `${selection.xenLine} ${this.options.xenOptions}`.trim();
    const modules = selection.modules.map(({ bytes }) => bytes);
    const acm = readXenBuild(selection.xen).acm
      ? new AcmHooks({ modules, ssidrefOption: parseCommandLine(commandLine).options.get('ssidref') })
      : undefined;
    const hypervisor = new Hypervisor({
      clock: power,
      random: this.#fork(),
      topology: this.options.topology,
      memoryMiB: this.options.memoryMiB,
      scheduler: chooseScheduler(parseCommandLine(commandLine).options.get('sched')),
      commandLine,
      findRunner: this.#findRunner(),
      serialOut: (bytes) => this.#serialBytesOut(bytes),
      bootUnixSeconds: this.world.unixSecondsAtZero,
      onMachineAction: (action) => {
        if (generation === this.#generation) this.#powerAction(action);
      },
      onGuestFault: (domid, error) => {
        if (domid === DOM0) this.world.onBug(error);
      },
      ...(acm ? { hooks: acm } : {}),
    });
    this.hypervisor = hypervisor;
    this.acm = acm;
    hypervisor.boot();
    // Only a Xen with ACM knows a policy when it sees one; for any other the second module is Domain-0's ramdisk.
    const [kernel, ramdisk] = selection.modules.filter(({ bytes }, at) => at === 0 || !acm || !isBinaryPolicy(bytes));
    if (!kernel) throw new GrubError('dom0 kernel not specified. Check bootloader configuration.');
    hypervisor.createDom0({
      kernel: kernel.bytes,
      cmdline: kernel.line.split(/\s+/).slice(1).join(' '),
      ...(ramdisk ? { ramdisk: ramdisk.bytes } : {}),
    });
  }

  /** Domain-0's end is the machine's end. */
  #powerAction(action: 'halt' | 'reboot'): void {
    this.#switchOff();
    if (action === 'halt') {
      this.#setPhase('halted');
      return;
    }
    this.#setPhase('rebooting');
    const generation = this.#generation;
    this.clock.at(this.clock.nowNs + REBOOT_NS, () => {
      if (generation === this.#generation) this.boot();
    });
  }

  /** The machine stops dead, as when its plug is pulled; what has reached its disks stays. */
  crash(): void {
    this.#generation++;
    this.#switchOff();
    for (const { disk } of this.disks.all) disk.loseCache();
    this.#setPhase('off');
  }

  /** For a machine that is off and will not be switched on again: the network forgets it. */
  dispose(): void {
    this.migrations.dispose();
    this.#endConsoles();
  }

  #switchOff(): void {
    this.migrations.recorder.interrupted();
    this.#card?.unplug();
    this.#card = undefined;
    this.world.lan.poweredOn.delete(this.address);
    this.#power?.switchOff();
    this.#dom0 = undefined;
    this.toolstack = undefined;
    this.hypervisor = undefined;
    this.acm = undefined;
  }

  #setPhase(phase: HostPhase): void {
    this.phase = phase;
    this.onPhase(phase);
  }

  #fork(): ReturnType<typeof seeded> {
    return fromState(seeded(this.#random.u32()).getState());
  }

  // ---------------------------------------------------------------------------------------------- kernels

  /** The processor: what runs the instructions that a domain starts with. */
  #findRunner(): FindRunner {
    const { x86: load, loop } = this.world;
    const x86 = load && new X86Machine({ load, hold: (work) => void loop.hold(work), random: () => this.#fork() });
    this.#x86 = x86;
    return (cpu, entry) => {
      if (cpu.translated) return x86?.findRunner(cpu);
      if (!isMiniKernel(cpu, entry)) return undefined;
      const isFirst = this.#dom0 === undefined;
      return isFirst ? this.#startDom0(cpu, entry) : this.#startGuest(cpu, entry);
    };
  }

  #startGuest(...[cpu, entry]: Parameters<FindRunner>) {
    const guest = startXenLinux(cpu, entry, {
      kernel: {
        programs: guestPrograms,
        root: this.#guestRoot,
        release: KERNEL_RELEASE,
        fileSystems: [ext2, ext3],
        net: netStackFactory({ lookup: (name) => this.world.gateway.resolve(name) }),
      },
      frontends: frontendClasses,
      backends: backendClasses,
      seed: this.#random.u32(),
      onUevent: (kernel, variables) => this.#hotplug(kernel, variables),
    });
    for (const make of [xenstoreOperation, awaitOperation]) {
      const { name, run } = make(guest.services.xenbus, () => this.world.loop.wake());
      guest.kernel.core.registerOperation(name, run);
    }
    return guest;
  }

  #startDom0(...[cpu, entry]: Parameters<FindRunner>) {
    const connect: ConnectStore = (way) => this.toolstack?.connect(way);
    const programs = [...userland, ...dom0Programs(connect)];
    const dom0 = startXenLinux(cpu, entry, {
      kernel: {
        programs,
        root: defaultRoot(programs),
        hostname: this.options.name,
        release: '2.6.18.8-xen',
        fileSystems: [ext2, ext3],
        net: netStackFactory({
          lookup: (name) => this.world.gateway.resolve(name),
          pairs: [
            ['veth0', '00:00:00:00:00:00', 'vif0.0', 'fe:ff:ff:ff:ff:ff'],
            ['veth1', '00:00:00:00:00:00', 'vif0.1', 'fe:ff:ff:ff:ff:ff'],
          ],
        }),
      },
      frontends: [],
      backends: backendClasses,
      seed: this.#random.u32(),
      onUevent: (kernel, variables) => this.#hotplug(kernel, variables),
    });
    this.#dom0 = dom0;
    this.#plugHardware(dom0);
    const { core } = dom0.kernel;
    core.vfs.onFileChanged = (path) => this.onFileChanged(path);
    core.registerOperation('edit', async (argument, io) => {
      if (!this.onEdit) return { status: 1, value: 'no editor' };
      const { path } = argument as { path: string };
      const cancelled = new Promise<void>((resolve) => io.cancelled.onCancel(resolve));
      await Promise.race([this.onEdit(path), cancelled]);
      io.print('');
      this.world.loop.wake();
      return { status: 0 };
    });
    const tools = policyToolOperations(
      () => this.onTool,
      () => this.world.loop.wake(),
    );
    for (const [tool, operation] of Object.entries(tools)) core.registerOperation(tool, operation);
    this.toolstack = new Toolstack(core, dom0.services, {
      random: this.#fork(),
      ...(this.world.guestImages ? { provideFile: this.#provideFile(this.world.guestImages) } : {}),
      python: { run: (...args) => this.world.loop.hold(this.world.python.run(...args)) },
      wake: () => this.world.loop.wake(),
      openBulk: (name, listener) => this.#card!.bulk(name, listener),
      isPoweredOn: (address) => this.world.lan.poweredOn.has(address),
      migrations: this.migrations.recorder,
      connectStore: (store) => dom0.connectStore(store),
      onVerdict: (verdict) => this.acm?.judge(verdict),
      onBug: (error) => this.world.onBug(error),
    });
    return dom0;
  }

  #provideFile(source: GuestImageSource) {
    return (kernel: Kernel, path: string) => {
      // Whoever fetches a kernel will want the processor for it next; what goes wrong with it is said then.
      if (source.images.some((image) => image.path === path)) this.#x86?.parts().catch(() => {});
      return this.world.loop.hold(provideGuestImage(kernel, source, path));
    };
  }

  #plugHardware(dom0: MiniKernel<XenKernel>): void {
    const power = this.#power!;
    const controller = new DiskController(this.disks.all, power, () =>
      dom0.interrupt(() => controller.serviceInterrupt()),
    );
    for (const device of controller.devices) dom0.kernel.block.add(device);
    const card = new LanCard('eth0', this.#mac, { lan: this.world.lan, clock: this.clock, cable: this.cable }, () =>
      dom0.interrupt(() => card.serviceInterrupt()),
    );
    card.connect(dom0.kernel.net.add(card));
    this.#card = card;
    this.world.lan.poweredOn.add(this.address);
  }

  /** The kernel's hotplug helper: a script of Domain-0 for each subsystem. */
  #hotplug(kernel: Kernel, variables: Readonly<Record<string, string>>): void {
    const agent = `/etc/hotplug/${variables['SUBSYSTEM'] ?? ''}.agent`;
    try {
      kernel.runHelper([agent], variables);
    } catch (error) {
      // No such script, or it may not be run: then nobody reacts, which is what the administrator asked for.
      if (!(error instanceof SysError)) throw error;
      kernel.printk(`hotplug: ${error.message}`);
    }
  }

  // ---------------------------------------------------------------------------------------------- serial line

  #serial(text: string): void {
    this.#serialBytesOut(new TextEncoder().encode(text.replace(/\n/g, '\r\n')));
  }

  #serialBytesOut(bytes: Uint8Array): void {
    this.#serialBytes += bytes.length;
    this.onSerial(bytes);
    // Domain-0 is up when somebody can log in: a session owns its console.
    if (this.phase === 'booting' && (this.kernel?.terminals.console.session ?? 0) > 0) this.#setPhase('running');
  }

  /** Bytes sent on the serial line since the machine was made, for measurements. */
  get serialBytes(): number {
    return this.#serialBytes;
  }

  serialInput(bytes: Uint8Array): void {
    this.hypervisor?.serialInput(bytes);
  }

  // ---------------------------------------------------------------------------------------------- storage

  /** Pulls the plug and forgets what is on the disks: the next start from this storage installs new ones. */
  eraseDisks(): Promise<void> {
    this.crash();
    return this.disks.erase();
  }

  /** True when the disks were installed by an earlier version of the lab, at the first start that finds it out. */
  get hasOlderDisks(): boolean {
    return this.#hasOlderDisks;
  }

  /** Domains' names as the store knows them. */
  nameOf(domid: Domid): string {
    const store = this.toolstack?.connect();
    const name = store?.read(`/local/domain/${domid}/name`);
    store?.close();
    return name ?? (domid === DOM0 ? 'Domain-0' : `Domain-${domid}`);
  }
}
