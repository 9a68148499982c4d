/** All hosts of one process: one clock, one local network with its router, and a memory for their disks. */

import { VirtualClock } from '../../../lib/clock';
import type { GuestImageSource } from '../../../machine/guestImages';
import type { InstallFile } from '../../../machine/install';
import { RunLoop } from '../../../machine/runLoop';
import { Gateway } from '../../../net/gateway';
import { Lan } from '../../../net/lan';
import { MemoryStorage } from '../../../storage/memoryStorage';
import type { X86Parts } from '../../../x86/x86Vcpu';
import { readDom0Files } from '../dom0Files';
import { guestImages, loadEmulator } from '../guestAssets';
import { createPythonRunner } from '../pythonRunner';
import { nodeRunLoopPlatform } from '../runLoopPlatform';
import { HeadlessHost } from './headlessHost';
import { type CreateOptions, DEFAULT_OPTIONS, RequestError } from './protocol';

/** The same at each start, so that the same requests have the same answers: 18 May 2009, 17:21:38 UTC. */
const UNIX_SECONDS_AT_ZERO = 1_242_667_298;
/** Hosts have 192.0.2.11 and following; addresses from 192.0.2.100 are given to guests. */
const MAX_HOSTS = 89;

/** What Linux guests need besides Domain-0's files. */
export interface LabAssets {
  x86(): Promise<X86Parts>;
  readonly guestImages: GuestImageSource;
}

export class HeadlessLab {
  readonly clock = new VirtualClock();
  readonly loop: RunLoop;
  readonly #lan = new Lan();
  readonly #gateway = new Gateway(this.#lan, this.clock);
  readonly #storage = new MemoryStorage();
  readonly #python = createPythonRunner();
  readonly #installFiles = readDom0Files();
  /** Every host that was ever made; its number does not change over a crash. */
  readonly #hosts = new Map<
    string,
    { readonly number: number; readonly options: CreateOptions; boots: number; host: HeadlessHost }
  >();

  /** `onBug` is told of broken invariants of ours. */
  constructor(
    readonly onBug: (error: unknown) => void,
    readonly assets: LabAssets = { x86: loadEmulator, guestImages: guestImages() },
  ) {
    this.loop = new RunLoop(this.clock, nodeRunLoopPlatform(), onBug);
    this.loop.speed = 0;
  }

  /** Puts a new host on the network and switches it on. */
  async create(name: string, options: CreateOptions = DEFAULT_OPTIONS): Promise<HeadlessHost> {
    if (this.#hosts.has(name)) throw new RequestError(`${name} exists already`);
    const number = this.#hosts.size + 1;
    if (number > MAX_HOSTS) throw new RequestError(`this network has room for ${MAX_HOSTS} hosts`);
    const host = await this.#start(name, { number, boots: 0 }, options);
    this.#hosts.set(name, { number, boots: 0, options, host });
    return host;
  }

  #start(
    name: string,
    { number, boots }: { number: number; boots: number },
    options: CreateOptions,
  ): Promise<HeadlessHost> {
    const { topology, memoryMb, seed, scheduler, acm } = options;
    return HeadlessHost.create(
      {
        name,
        number,
        topology,
        memoryMiB: memoryMb,
        seed: seedOf(seed, number, boots),
        xenOptions: scheduler === 'credit' ? '' : `sched=${scheduler}`,
        acm,
      },
      {
        clock: this.clock,
        loop: this.loop,
        lan: this.#lan,
        gateway: this.#gateway,
        storage: this.#storage,
        installFiles: options.relocation ? this.#installFiles : this.#installFiles.map(withoutRelocation),
        python: this.#python,
        x86: () => this.assets.x86(),
        guestImages: this.assets.guestImages,
        unixSecondsAtZero: UNIX_SECONDS_AT_ZERO,
        onBug: this.onBug,
      },
    );
  }

  host(name: string): HeadlessHost {
    return this.#entry(name).host;
  }

  /** Switches a host on that is off; only what was stored of its disks is there. */
  async boot(name: string): Promise<void> {
    const entry = this.#entry(name);
    if (!entry.host.isOff) throw new RequestError(`${name} is running`);
    const { model } = entry.host.host.cable;
    entry.host.host.dispose();
    entry.boots++;
    entry.host = await this.#start(name, entry, entry.options);
    this.#lan.changeCable(entry.host.host.cable, model);
  }

  #entry(name: string) {
    const entry = this.#hosts.get(name);
    if (!entry) throw new RequestError(`there is no host ${name}`);
    return entry;
  }

  /** Lets the time of all hosts pass; virtual ms since the first of them was switched on. */
  async advance(ms: number): Promise<number> {
    const untilNs = this.clock.nowNs + Math.round(ms * 1e6);
    if (untilNs > Number.MAX_SAFE_INTEGER) throw new RequestError('ms: the clock does not go that far');
    await this.loop.runUntil(() => false, untilNs);
    return this.nowMs;
  }

  get nowMs(): number {
    return Math.floor(this.clock.nowNs / 1e6);
  }

  /** Stores what has reached the disks of all hosts. */
  async saveDisks(): Promise<void> {
    for (const { host } of this.#hosts.values()) await host.saveDisks();
  }

  dispose(): void {
    this.loop.stop();
    this.#python.dispose();
  }
}

/**
 * Hosts that were given one seed differ nevertheless, as do a host's lives, or each would give its first domain the same
 * uuid and refuse the other's. The first host has the seed as it is when it is first switched on.
 */
function seedOf(seed: number, number: number, boots: number): number {
  return (seed ^ Math.imul(number - 1, 0x9e37_79b1) ^ Math.imul(boots, 0x85eb_ca6b)) >>> 0;
}

function withoutRelocation(given: InstallFile): InstallFile {
  if (given.path !== '/etc/xen/xend-config.sxp') return given;
  return { ...given, text: given.text.replace('(xend-relocation-server yes)', '(xend-relocation-server no)') };
}
