/**
 * The mini kernel: processes, files, terminals and devices of one guest, as a value that can be saved and continued.
 *
 * It knows nothing of Xen: it runs on a KernelMachine. START READING HERE: the constructor puts the parts together,
 * `boot` mounts the pseudo file systems, `startInit` starts the first process, and the machine then calls `runVcpu`.
 */

import type { QueuedEvent } from '../lib/clock';
import type { ErrnoName } from '../lib/errno';
import { BlockFiles } from './block/blockFiles';
import { LoopDevices, RamDisk } from './block/memoryDevices';
import { NbdDevices } from './block/nbd';
import type { NbdHost } from './block/nbdDevice';
import { BlockDevices } from './block/registry';
import { mountRoot, startInit } from './bootRoot';
import type { Core, SystemSettings } from './core';
import { costs } from './costs';
import { type NewFile, OpenFiles } from './descriptors';
import { makeDeviceNodes, syncBlockNodes } from './deviceNodes';
import { MemoryDevices } from './fs/devices';
import { Pipes } from './fs/pipe';
import { procRoot } from './fs/procfs';
import { GivenBytes, HostedOutput, RegularFiles, SyntheticFiles } from './fs/regularFiles';
import { sysRoot } from './fs/sysfs';
import { Vfs } from './fs/vfs';
import { type FileSystemType, Volume } from './fs/volume';
import { readHostFile, writeHostFile } from './hostFiles';
import { type HostedOptions, Hosting, type SessionOptions } from './hosting';
import { restoreKernel, restoreVolumes, saveKernel } from './kernelSerialize';
import type { KernelState } from './kernelState';
import { KernelLog } from './log';
import type { KernelMachine } from './machine';
import { memoryVolumeLimit } from './memory';
import { Mounting } from './mounting';
import type { NetHost, NetStack, NetStackFactory } from './netStack';
import { Opening } from './opening';
import { type Operation, Operations } from './operations';
import type { Process } from './process';
import { ProcessSys } from './processSys';
import { ProcessTable } from './processTable';
import { releaseProgramMemory } from './programMemory';
import { defaultRoot } from './rootfs';
import { fillVolume, type RootTree } from './rootTree';
import { Scheduler } from './scheduler';
import { Stepper } from './stepper';
import { type Program, type SignalName, SysError } from './sys';
import { Terminals } from './terminals';
import { deviceUsers, isVolumeBusy } from './usage';
import { holds, queueOf } from './waits';

export interface KernelOptions {
  readonly machine: KernelMachine;
  readonly programs: readonly Program[];
  /** What the root holds before a disk is mounted; without it the default tree. */
  readonly root?: RootTree;
  readonly hostname?: string;
  /** `uname -r`. */
  readonly release?: string;
  /** `uname -v`. */
  readonly version?: string;
  readonly cmdline?: string;
  /** File systems on block devices, by the name that `mount -t` uses. */
  readonly fileSystems?: readonly FileSystemType[];
  readonly net?: NetStackFactory;
}

const ROOT_VOLUME = 1;
const PROC_VOLUME = 2;
const SYS_VOLUME = 3;
const DEV_VOLUME = 4;
const PTS_VOLUME = 5;
const FIRST_FREE_VOLUME = 16;

export class Kernel implements Core {
  readonly machine: KernelMachine;
  readonly programs: ReadonlyMap<string, Program>;
  readonly fileSystems: ReadonlyMap<string, FileSystemType>;
  readonly settings: SystemSettings;
  readonly scheduler: Scheduler;
  readonly processes: ProcessTable;
  readonly stepper: Stepper;
  readonly files = new OpenFiles();
  readonly vfs: Vfs;
  readonly pipes = new Pipes();
  readonly terminals: Terminals;
  readonly opening: Opening;
  readonly mounting: Mounting;
  readonly block = new BlockDevices();
  readonly loops = new LoopDevices(this.block);
  readonly ramDisks = [new RamDisk(0), new RamDisk(1)] as const;
  readonly nbd: NbdDevices;
  readonly log: KernelLog;
  readonly operations: Operations;
  readonly net: NetStack | undefined;
  readonly hosting: Hosting;
  readonly hosted = new HostedOutput();
  nextVolumeId = FIRST_FREE_VOLUME;
  readonly #devVolume: Volume;
  readonly #procVolume: Volume;
  readonly #sysVolume: Volume;
  readonly #ptsVolume: Volume;
  #deferred: (() => void)[] = [];
  readonly #charDevices = new Map<string, () => NewFile>();

  constructor(options: KernelOptions, state?: KernelState) {
    this.machine = options.machine;
    this.programs = new Map(options.programs.map((program) => [program.name, program]));
    this.fileSystems = new Map((options.fileSystems ?? []).map((type) => [type.name, type]));
    this.settings = {
      hostname: state?.settings.hostname ?? options.hostname ?? 'localhost',
      release: state?.settings.release ?? options.release ?? '2.6.18-xenU',
      version: state?.settings.version ?? options.version ?? '#1 SMP',
      cmdline: state?.settings.cmdline ?? options.cmdline ?? '',
      wallOffset: state?.settings.wallOffset ?? 0,
      sysctl: new Map(state?.settings.sysctl ?? []),
    };
    this.scheduler = new Scheduler(this.machine, {
      holds: (process, wait) => holds(this, process, wait),
      queueOf: (process, wait) => queueOf(this, process, wait),
      runStep: (process) => this.stepper.run(process),
      runDeferred: () => this.runDeferred(),
    });
    this.log = new KernelLog((line) => this.terminals.console.writeAlways(new TextEncoder().encode(`${line}\n`)));
    this.processes = new ProcessTable({
      scheduler: this.scheduler,
      files: this.files,
      programs: this.programs,
      onExit: (process) => this.#processExited(process),
      onInitExit: () => this.panic('Attempted to kill init!'),
    });

    const restored = state && restoreVolumes(state, { block: this.block, fileSystems: this.fileSystems });
    const volumes = restored?.volumes;
    const nowSeconds = this.wallClock();
    const root = volumes?.get(state!.mounts[0]!.volume) ?? new Volume(ROOT_VOLUME, 'rootfs', 'rootfs');
    this.#procVolume = new Volume(PROC_VOLUME, 'proc', 'proc', 1, procRoot(this)).dated(this.machine.wallClockAtZero);
    this.#sysVolume = new Volume(SYS_VOLUME, 'sysfs', 'sysfs', 1, sysRoot(this)).dated(this.machine.wallClockAtZero);
    this.#devVolume = volumes?.get(DEV_VOLUME) ?? new Volume(DEV_VOLUME, 'tmpfs', 'udev');
    this.#ptsVolume = volumes?.get(PTS_VOLUME) ?? new Volume(PTS_VOLUME, 'devpts', 'devpts').dated(nowSeconds);
    if (!state) {
      fillVolume(root, options.root ?? defaultRoot(options.programs), nowSeconds);
      makeDeviceNodes(this.#devVolume, nowSeconds);
    }
    this.vfs = new Vfs(root, state?.mounts[0]?.options ?? 'rw', () => this.wallClock());
    this.terminals = new Terminals(
      {
        machine: this.machine,
        processes: this.processes,
        ptsVolume: this.#ptsVolume,
        nowSeconds: () => this.wallClock(),
      },
      this.files,
    );
    this.operations = new Operations((name, error) =>
      this.printk(`operation ${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`),
    );
    this.stepper = new Stepper({
      scheduler: this.scheduler,
      processes: this.processes,
      files: this.files,
      programs: this.programs,
      sysOf: (process) => (process.sys ??= new ProcessSys(this, process)),
      printk: (line) => this.printk(line),
    });
    this.opening = new Opening({
      vfs: this.vfs,
      files: this.files,
      pipes: this.pipes,
      terminals: this.terminals,
      block: this.block,
      charDevice: (major, minor) => this.#charDevices.get(`${major}:${minor}`)?.(),
    });
    this.mounting = new Mounting({
      printk: (line) => this.printk(line),
      vfs: this.vfs,
      block: this.block,
      types: this.fileSystems,
      pseudoVolume: (type, source, id) => this.#pseudoVolume(type, source, id),
      allocateVolumeId: () => this.nextVolumeId++,
      nowNs: () => this.scheduler.nowNs,
      at: (timeNs, action) => void this.scheduler.at(timeNs, action),
      isBusy: (volume, target) => isVolumeBusy(this, volume, target),
    });
    this.hosting = new Hosting(this, this.hosted);
    this.net = options.net?.(this.#netHost(), state?.net);
    this.nbd = this.#makeNbd();
    this.#registerFiles();
    this.block.knownUsers = ({ name, major, minor }) => deviceUsers(this, name, major, minor);
    for (const disk of this.ramDisks) this.block.add(disk);
    this.block.onChange(() => syncBlockNodes(this.#devVolume, this.block, this.wallClock()));
    for (const volume of [root, this.#devVolume]) this.#limitToMemory(volume);
    if (state) {
      this.#addPseudo(restored!.volumes);
      restoreKernel(this, state, restored!);
    }
  }

  /** The kernel that goes on where `state` was taken; the machine then runs its vcpus as if nothing had happened. */
  static restore(options: KernelOptions, state: KernelState): Kernel {
    return new Kernel(options, state);
  }

  /** Guest frames that belong to programs: a kernel made from `serialize` needs them as they are. */
  programPages(): readonly number[] {
    return [...this.processes.processes.values()].flatMap(({ record }) => record.memory);
  }

  /** Plain data: JSON, CBOR and structuredClone carry it. Only between two calls of `runVcpu`. */
  serialize(): KernelState {
    return saveKernel(this, [this.#devVolume, this.#ptsVolume]);
  }

  #netHost(): NetHost {
    const { scheduler, machine, settings } = this;
    return {
      get nowNs() {
        return scheduler.nowNs;
      },
      at: (timeNs, action) => scheduler.at(timeNs, action),
      random: (limit) => machine.random(limit),
      charge: (ns) => scheduler.charge(ns),
      printk: (line) => this.printk(line),
      readText: (path) => this.readText(path),
      hostname: () => settings.hostname,
    };
  }

  #makeNbd(): NbdDevices {
    const kernel = this;
    const host: NbdHost = {
      get nowNs() {
        return kernel.scheduler.nowNs;
      },
      at: (timeNs, action) => kernel.scheduler.at(timeNs, action),
      charge: () => kernel.scheduler.charge(costs.blockRequestNs),
      printk: (line) => kernel.printk(line),
      get sockets() {
        // A connection is made by a program, with a socket of this stack.
        return kernel.net!.daemons;
      },
    };
    return new NbdDevices(host, this.block, this.files);
  }

  #registerFiles(): void {
    this.files.register(this.pipes);
    this.files.register(new RegularFiles(this.vfs, () => this.wallClock()));
    this.files.register(new SyntheticFiles());
    this.files.register(new GivenBytes());
    this.files.register(this.hosted);
    this.files.register(new BlockFiles(this.block, () => this.scheduler.charge(costs.blockRequestNs)));
    this.files.register(
      new MemoryDevices({
        random: (limit) => this.machine.random(limit),
        charge: (ns) => this.scheduler.charge(ns),
        kernelLog: () => this.log.text(),
        printk: (line) => this.printk(line),
      }),
    );
    if (this.net) this.files.register(this.net.fileOps);
  }

  // --- boot and end

  /** Mounts /proc, /sys, /dev and /dev/pts, as an initial ramdisk does before it starts init. */
  boot(): void {
    const now: [string, string, Volume, string][] = [
      ['proc', '/proc', this.#procVolume, 'rw'],
      ['sysfs', '/sys', this.#sysVolume, 'rw'],
      ['tmpfs', '/dev', this.#devVolume, 'rw,mode=0755'],
      ['devpts', '/dev/pts', this.#ptsVolume, 'rw,gid=5,mode=620'],
    ];
    for (const [, target, volume, options] of now) {
      const location = this.vfs.locate('/', target, { uid: 0, gid: 0 });
      if (location.inode?.kind === 'dir') this.vfs.mounts.add(volume, target, location.inode, options);
    }
  }

  /**
   * Mounts a disk as the root, `sda1` of type `ext2`; /proc, /sys and /dev stay mounted. `done` gets the reason when it
   * could not be read. Before `startInit`.
   */
  mountRoot(
    device: string,
    type: string,
    options: { readonly: boolean },
    done: (error: ErrnoName | undefined) => void,
  ): void {
    mountRoot(this, device, type, options.readonly, done);
  }

  /** Adds or replaces files of the root, e.g. those of an unpacked ramdisk. */
  addFiles(tree: RootTree): void {
    fillVolume(this.vfs.mounts.rootVolume, tree, this.wallClock());
  }

  /** Process 1 on the console: `init=` of the command line, else /sbin/init. Panics without one. */
  startInit(): void {
    if (!startInit(this)) this.panic('No init found.  Try passing init= option to kernel.');
  }

  /** What a kernel does when it cannot go on. */
  panic(reason: string): void {
    if (this.scheduler.isHalted) return;
    this.printk(`Kernel panic - not syncing: ${reason}`);
    this.scheduler.isHalted = true;
    this.machine.shutdown('crash');
  }

  /** Ends the system for good; nothing runs afterwards. */
  shutdown(how: 'halt' | 'poweroff' | 'reboot'): void {
    if (this.scheduler.isHalted) return;
    this.printk(how === 'reboot' ? 'Restarting system.' : how === 'halt' ? 'System halted.' : 'Power down.');
    this.scheduler.isHalted = true;
    this.machine.shutdown(how === 'reboot' ? 'reboot' : 'poweroff');
  }

  /** Ctrl-Alt-Del, as the toolstack's reboot request: init runs its `ctrlaltdel` entry. */
  ctrlAltDel(): void {
    const init = this.processes.get(1);
    if (init) this.processes.signal(init, 'INT');
  }

  /** The kernel starts a program of its own (call_usermodehelper), e.g. /sbin/poweroff or a hotplug script. */
  runHelper(
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
    onExit: (status: number) => void = () => {},
  ): void {
    const path = '/sbin:/bin:/usr/sbin:/usr/bin';
    try {
      this.hosting.spawn({ argv, env: { HOME: '/', PATH: path, ...env }, cwd: '/', onExit });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.printk(`${argv[0]}: ${error.message}`);
      onExit(127);
    }
  }

  // --- work

  /** Runs processes of this vcpu for about `budgetNs`; `idle`: it has nothing left to do until an interrupt. */
  runVcpu(vcpu: number, budgetNs: number): { usedNs: number; idle: boolean } {
    return this.scheduler.runVcpu(vcpu, budgetNs);
  }

  /** The time asked for with KernelMachine.setTimer has come. */
  timerInterrupt(): void {
    this.scheduler.timerInterrupt();
  }

  vcpusChanged(): void {
    this.scheduler.vcpusChanged();
  }

  /** Runs after the current interrupt work, in order. */
  defer(action: () => void): void {
    this.#deferred.push(action);
  }

  runDeferred(): void {
    while (this.#deferred.length > 0) for (const action of this.#deferred.splice(0)) action();
  }

  at(timeNs: number, action: () => void): QueuedEvent {
    return this.scheduler.at(timeNs, action);
  }

  printk(line: string): void {
    this.log.printk(line);
  }

  wallClock(): number {
    return this.machine.wallClockAtZero + this.scheduler.nowNs / 1e9 + this.settings.wallOffset;
  }

  consoleInput(bytes: Uint8Array): void {
    this.terminals.console.input(bytes);
  }

  /** The machine's console has room again. */
  consoleWritable(): void {
    this.terminals.pump(this.terminals.console);
  }

  // --- for the machine

  spawnHosted(options: HostedOptions): { readonly pid: number; kill(signal: SignalName): void } {
    return this.hosting.spawn(options);
  }

  openSession(options: SessionOptions) {
    return this.hosting.openSession(options);
  }

  registerOperation(name: string, run: Operation): void {
    this.operations.register(name, run);
  }

  /** A character device of a driver; `make` gives the open file (its kind must be registered with `files.register`). */
  registerCharDevice(name: string, major: number, minor: number, make: () => NewFile): void {
    this.#charDevices.set(`${major}:${minor}`, make);
    fillVolume(this.#devVolume, [{ path: `/${name}`, kind: 'char', mode: 0o600, major, minor }], this.wallClock());
  }

  uname(): { sysname: string; nodename: string; release: string; version: string; machine: string } {
    const { hostname, release, version } = this.settings;
    return { sysname: 'Linux', nodename: hostname, release, version, machine: 'i686' };
  }

  /** A file's text as root sees it; undefined when there is none. */
  readText(path: string): string | undefined {
    const bytes = this.readFile(path);
    return bytes && new TextDecoder().decode(bytes);
  }

  readFile(path: string): Uint8Array | undefined {
    return readHostFile(this.vfs, path);
  }

  /** Writes a file as root; missing directories are made. Throws SysError. */
  writeFile(path: string, bytes: Uint8Array, mode = 0o644): void {
    writeHostFile(this.vfs, path, bytes, mode);
  }

  // --- glue between the parts

  #processExited(process: Process): void {
    this.operations.abandon(process);
    this.nbd.clientExited(process.pid);
    const { record } = process;
    releaseProgramMemory(this.machine, record);
    const tty = record.tty === 0 ? undefined : this.terminals.find(record.tty);
    if (tty && tty.session === record.pid) {
      const { foreground } = tty;
      tty.session = 0;
      tty.foreground = 0;
      for (const other of this.processes.all()) if (other.record.sid === record.pid) other.record.tty = 0;
      if (foreground > 0) this.processes.signalGroup(foreground, 'HUP');
      this.hosting.sessionEnded(tty.id);
    }
    this.hosting.processExited(process);
  }

  #pseudoVolume(type: string, source: string, id: number): Volume | undefined {
    switch (type) {
      case 'proc':
        return this.#procVolume;
      case 'sysfs':
        return this.#sysVolume;
      case 'devpts':
        return this.#ptsVolume;
      case 'tmpfs': {
        const volume = new Volume(id, 'tmpfs', source).dated(this.wallClock());
        volume.root.mode = 0o1777;
        this.#limitToMemory(volume);
        return volume;
      }
      default:
        return undefined;
    }
  }

  #limitToMemory(volume: Volume): void {
    if (!volume.driver && volume.type !== 'proc') volume.capacityExtents = () => memoryVolumeLimit(this, volume);
  }

  #addPseudo(volumes: Map<number, Volume>): void {
    for (const volume of volumes.values()) this.#limitToMemory(volume);
    volumes.set(PROC_VOLUME, this.#procVolume).set(SYS_VOLUME, this.#sysVolume);
  }
}
