/**
 * One host without a screen: each request runs the machine as fast as it can until it is answered; between requests its
 * time stands still.
 */

import { DOM0 } from '../../../abi/xen';
import type { LabState, LinkState, MigrationPages, MigrationRecord } from '../../../contract';
import { requireHostFile } from '../../../guest/hostFiles';
import type { Kernel } from '../../../guest/kernel';
import { SysError } from '../../../guest/sys';
import { Host, type HostOptions, type HostWorld } from '../../../machine/createHost';
import { FollowedConsole } from '../../../machine/followedConsole';
import { LabSampler } from '../../../machine/labState';
import { changeLink, linkState } from '../../../machine/linkState';
import { XendError } from '../../../xend/errors';
import { RequestError } from './protocol';

/** The latest end of a boot, ns of virtual time. */
const BOOT_LIMIT_NS = 600e9;
/** What an interrupted command may still do before it is killed: virtual time, and wall time. */
const GRACE_NS = 1e9;
const GRACE_MS = 500;
/** For a shutdown that has begun: the machine is off by then, ns. */
const SHUTDOWN_LIMIT_NS = 120e9;
/** `timeout`'s status, for a command that was interrupted. */
export const TIMED_OUT = 124;
const SERIAL_BACKLOG = 256 * 1024;

export interface OutputListener {
  stdout(bytes: Uint8Array): void;
  stderr(bytes: Uint8Array): void;
}

export interface ConsoleReader {
  data(bytes: Uint8Array): void;
  /** Given by who wants to follow the domain to other hosts: it runs on this one now. Others read to the domain's end here. */
  moved?: (host: string, domid: number) => void;
  /** The domain is gone, or the machine was switched off. */
  closed(): void;
}

export interface OpenConsole {
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}

export class HeadlessHost {
  readonly #sampler: LabSampler;
  readonly #serial = new SerialLine();
  /** Told when the machine goes off. */
  readonly #offListeners = new Set<() => void>();

  private constructor(
    readonly host: Host,
    private readonly nowMs: () => number,
  ) {
    this.#sampler = new LabSampler(host);
    host.onSerial = (bytes) => this.#serial.output(bytes);
    host.onPhase = (phase) => {
      if (phase !== 'running' && phase !== 'booting') for (const listener of [...this.#offListeners]) listener();
    };
  }

  /** A machine that has just been switched on. */
  static async create(options: HostOptions, world: HostWorld): Promise<HeadlessHost> {
    const { platform } = world.loop;
    const headless = new HeadlessHost(await Host.create(options, world), () => platform.nowMs());
    headless.host.boot();
    return headless;
  }

  get #loop() {
    return this.host.world.loop;
  }

  /** Ends when somebody could log in: Domain-0's services run. Throws RequestError when the machine is or stays off. */
  async ready(): Promise<Kernel> {
    const { host } = this;
    const isComing = () => host.phase === 'booting' || host.phase === 'rebooting';
    await this.#loop.runUntil(() => !isComing(), host.clock.nowNs + BOOT_LIMIT_NS);
    const { kernel } = host;
    if (host.phase === 'running' && kernel) return kernel;
    throw new RequestError(`${host.options.name} ${isComing() ? 'does not come up' : 'is switched off'}`);
  }

  // ---------------------------------------------------------------------------------------------- commands

  /**
   * Runs a command line in a root login shell; its status. After `timeoutMs` of wall time it is interrupted (Ctrl-C,
   * then SIGKILL) and the status is 124. A command that takes the machine down answers 0 when it is down.
   */
  async run(command: string, timeoutMs: number, output: OutputListener): Promise<number> {
    const kernel = await this.ready();
    const deadlineMs = this.nowMs() + timeoutMs;
    let status: number | undefined;
    const wentDown = () => {
      status ??= 0;
    };
    this.#offListeners.add(wentDown);
    try {
      const process = await this.#inKernel(() =>
        kernel.spawnHosted({
          argv: ['-sh', '-c', command],
          path: '/bin/sh',
          onStdout: (bytes) => output.stdout(bytes),
          onStderr: (bytes) => output.stderr(bytes),
          onExit: (exitStatus) => {
            status ??= exitStatus;
          },
        }),
      );
      const isOver = () => status !== undefined;
      await this.#loop.runUntil(() => isOver() || this.nowMs() >= deadlineMs);
      if (!isOver()) {
        await this.#stop(process, isOver);
        return TIMED_OUT;
      }
      return (await this.#goDown(kernel)) ? 0 : status!;
    } finally {
      this.#offListeners.delete(wentDown);
    }
  }

  async exec(command: string, timeoutMs: number): Promise<{ status: number; stdout: string; stderr: string }> {
    const stdout = new TextCollector();
    const stderr = new TextCollector();
    const status = await this.run(command, timeoutMs, {
      stdout: (bytes) => stdout.add(bytes),
      stderr: (bytes) => stderr.add(bytes),
    });
    return { status, stdout: stdout.end(), stderr: stderr.end() };
  }

  async #stop(process: ReturnType<Kernel['spawnHosted']>, isOver: () => boolean): Promise<void> {
    for (const signal of ['INT', 'KILL'] as const) {
      await this.#inKernel(() => process.kill(signal));
      const deadlineMs = this.nowMs() + GRACE_MS;
      await this.#loop.runUntil(() => isOver() || this.nowMs() >= deadlineMs, this.host.clock.nowNs + GRACE_NS);
      if (isOver()) return;
    }
  }

  /** When init has begun to take the system down, runs until it is; true then. */
  async #goDown(kernel: Kernel): Promise<boolean> {
    const { host } = this;
    const isUp = () => host.kernel === kernel && host.phase === 'running';
    const isGoingDown = () => /[06]\s*$/.test(kernel.readText('/var/run/runlevel') ?? '');
    const isAsked = () => (kernel.readText('/proc/1/stat') ?? '').split(' ')[2] === 'R';
    if (isUp()) await this.#loop.runUntil(() => !isUp() || isGoingDown() || !isAsked(), host.clock.nowNs + GRACE_NS);
    if (isUp() && isGoingDown()) await this.#loop.runUntil(() => !isUp(), host.clock.nowNs + SHUTDOWN_LIMIT_NS);
    return !isUp();
  }

  /** Runs an action in Domain-0's kernel; its result. */
  async #inKernel<T>(action: () => T): Promise<T> {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    this.host.interrupt(() => {
      try {
        outcome = { value: action() };
      } catch (error) {
        outcome = { error };
      }
    });
    await this.#loop.runUntil(() => outcome !== undefined, this.host.clock.nowNs + GRACE_NS);
    if (!outcome) throw new RequestError(`${this.host.options.name} does not answer`);
    if ('value' in outcome) return outcome.value;
    throw outcome.error instanceof SysError ? new RequestError(outcome.error.message) : outcome.error;
  }

  // ---------------------------------------------------------------------------------------------- files

  async readFile(path: string): Promise<Uint8Array> {
    const { vfs } = await this.ready();
    return this.#inKernel(() => requireHostFile(vfs, path));
  }

  /** Missing directories are made; the file has reached the disk afterwards. */
  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    const kernel = await this.ready();
    await this.#inKernel(() => kernel.writeFile(path, bytes));
    let isClean = false;
    const sync = () => {
      isClean = kernel.mounting.sync();
    };
    for (let tries = 0; tries < 100 && !isClean; tries++) {
      await this.#inKernel(sync);
      if (!isClean) await this.#loop.runUntil(() => false, this.host.clock.nowNs + 10e6);
    }
  }

  // ---------------------------------------------------------------------------------------------- consoles

  /** Attaches to a domain's console, by name or id; Domain-0's is the serial line. */
  async openConsole(domain: string, reader: ConsoleReader): Promise<OpenConsole> {
    await this.ready();
    const domid = this.#domidOf(domain);
    if (domid === DOM0) return this.#openSerial(reader);
    let forget = () => {};
    const ended = () => {
      forget();
      reader.closed();
    };
    const attached = await this.#inKernel(() =>
      reader.moved
        ? FollowedConsole.open(this.host, domid, {
            data: (bytes) => reader.data(bytes),
            moved: reader.moved,
            closed: ended,
          })
        : this.host.toolstack?.consoles?.attach(domid, { data: (bytes) => reader.data(bytes), closed: ended }),
    );
    if (!attached) throw new RequestError(`Domain '${domain}' has no console.`);
    this.#offListeners.add(ended);
    forget = () => this.#offListeners.delete(ended);
    const { toolstack } = this.host;
    return {
      write: (bytes) => this.#inKernel(() => attached.write(bytes)),
      close: () => {
        forget();
        if (this.host.toolstack === toolstack) attached.detach();
      },
    };
  }

  #openSerial(reader: ConsoleReader): OpenConsole {
    const close = this.#serial.attach(reader);
    return {
      write: async (bytes) => this.host.serialInput(bytes),
      close,
    };
  }

  #domidOf(domain: string): number {
    const { domains } = this.snapshot();
    const found = domains.find(({ name }) => name === domain) ?? domains.find(({ domid }) => String(domid) === domain);
    if (!found) throw new RequestError(`Domain '${domain}' does not exist.`);
    return found.domid;
  }

  // ---------------------------------------------------------------------------------------------- migrations

  set onMigrationStep(listener: (migration: MigrationRecord) => void) {
    this.host.migrations.onStep = listener;
  }

  /** The host's cable as it is then. */
  changeLink(change: Partial<LinkState>): LinkState {
    if (!changeLink(this.host, change)) throw new RequestError('no cable has this speed or this latency');
    return linkState(this.host.cable);
  }

  /** Ends when the domain goes on here. */
  async cancelMigration(domain: string): Promise<void> {
    await this.ready();
    const cancelling = this.#inKernel(() => {
      let outcome: { readonly error?: unknown } | undefined;
      this.host.toolstack?.cancelMigration(domain).then(
        () => {
          outcome = {};
        },
        (error: unknown) => {
          outcome = { error };
        },
      );
      return () => outcome;
    });
    const outcome = await cancelling;
    await this.#loop.runUntil(() => outcome() !== undefined);
    const { error } = outcome() ?? {};
    if (error instanceof XendError) throw new RequestError(error.message);
    if (error !== undefined) throw error as Error;
  }

  migrationMap(id: string): MigrationPages {
    const found = this.host.migrations.recorder.pages('whole').find((pages) => pages.id === id);
    if (!found) throw new RequestError(`this host has no map of a migration ${id}`);
    return found;
  }

  snapshot(): LabState {
    return this.#sampler.sample();
  }

  /** What has reached the disks is kept from now on, whatever happens to the machine. */
  saveDisks(): Promise<void> {
    return this.host.disks.save();
  }

  get isOff(): boolean {
    return this.host.phase === 'off' || this.host.phase === 'halted';
  }

  /** The machine stops dead. */
  crash(): void {
    this.host.crash();
  }
}

/** The serial line's output with a bounded memory. */
class SerialLine {
  readonly #readers = new Set<ConsoleReader>();
  #kept: Uint8Array[] = [];
  #keptBytes = 0;

  output(bytes: Uint8Array): void {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    while (this.#keptBytes - this.#kept[0]!.length >= SERIAL_BACKLOG) this.#keptBytes -= this.#kept.shift()!.length;
    for (const reader of this.#readers) reader.data(bytes);
  }

  attach(reader: ConsoleReader): () => void {
    for (const bytes of this.#kept) reader.data(bytes);
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }
}

/** UTF-8 as it comes, characters cut in two included. */
class TextCollector {
  readonly #decoder = new TextDecoder();
  #text = '';

  add(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
  }

  end(): string {
    return this.#text + this.#decoder.decode();
  }
}
