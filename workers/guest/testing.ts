/** A kernel on a machine of virtual time, without Xen: what tests of programs, shell and file systems run on. */
import { VirtualClock } from '../lib/clock';
import { fromState, seeded } from '../lib/random';
import { Kernel, type KernelOptions } from './kernel';
import type { KernelState } from './kernelState';
import type { KernelMachine } from './machine';
import type { Program } from './sys';

export interface TestKernelOptions extends Partial<Omit<KernelOptions, 'machine' | 'programs'>> {
  readonly vcpus?: number;
  readonly memoryKiB?: number;
  readonly seed?: number;
  /** Starts /sbin/init (needs the programs for it); without it only what `run` starts exists. */
  readonly init?: boolean;
  /** How long a vcpu is run at once, ns. */
  readonly sliceNs?: number;
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  /** Virtual time after which it is killed (then `run` throws). */
  readonly limitMs?: number;
}

/** What a snapshot of the test machine holds. */
export interface TestState {
  readonly kernel: KernelState;
  readonly nowNs: number;
  readonly vcpuAtNs: readonly (number | undefined)[];
  readonly random: readonly number[];
}

const SLICE_NS = 10_000_000;

export class TestKernel {
  readonly clock = new VirtualClock();
  readonly kernel: Kernel;
  /** Why the system ended, once it has. */
  shutdownReason: 'poweroff' | 'reboot' | 'crash' | undefined;
  #console: Uint8Array[] = [];
  /** When each vcpu runs next; undefined = idle. */
  readonly #vcpuAtNs: (number | undefined)[] = [];
  #timer: { cancel(): void } | undefined;
  #random: ReturnType<typeof seeded>;
  readonly online = new Set<number>();

  constructor(
    readonly programs: readonly Program[],
    readonly options: TestKernelOptions,
    state?: TestState,
  ) {
    this.#random = state ? fromState(state.random) : seeded(options.seed ?? 1);
    if (state) this.clock.skipTo(state.nowNs);
    for (let vcpu = 0; vcpu < (options.vcpus ?? 1); vcpu++) {
      this.online.add(vcpu);
      this.#vcpuAtNs.push(undefined);
    }
    const given = { ...options, machine: this.#machine(), programs };
    this.kernel = new Kernel(given, state?.kernel);
    state?.vcpuAtNs.forEach((atNs, vcpu) => {
      if (atNs !== undefined) this.#schedule(vcpu, atNs);
    });
    if (state) return;
    this.kernel.boot();
    if (options.init) this.kernel.startInit();
  }

  #machine(): KernelMachine {
    const { clock, options } = this;
    return {
      get nowNs() {
        return clock.nowNs;
      },
      wallClockAtZero: 1_200_000_000,
      vcpus: options.vcpus ?? 1,
      memoryKiB: options.memoryKiB ?? 65536,
      isOnline: (vcpu) => this.online.has(vcpu),
      kick: (vcpu) => this.#schedule(vcpu, clock.nowNs),
      setTimer: (timeNs) => {
        this.#timer?.cancel();
        this.#timer = timeNs === undefined ? undefined : clock.at(timeNs, () => this.kernel.timerInterrupt());
      },
      consoleWrite: (bytes) => {
        this.#console.push(bytes.slice());
        return bytes.length;
      },
      shutdown: (reason) => {
        this.shutdownReason = reason;
      },
      random: (limit) => this.#random.below(limit),
      extraFiles: () => new Map(),
    };
  }

  #schedule(vcpu: number, atNs: number): void {
    if (this.#vcpuAtNs[vcpu] !== undefined) return;
    this.#vcpuAtNs[vcpu] = atNs;
    this.clock.at(atNs, () => {
      this.#vcpuAtNs[vcpu] = undefined;
      const { usedNs, idle } = this.kernel.runVcpu(vcpu, this.options.sliceNs ?? SLICE_NS);
      if (!idle) this.#schedule(vcpu, this.clock.nowNs + Math.max(usedNs, 1));
    });
  }

  /** Lets virtual time pass. */
  advance(ms: number): void {
    this.clock.advanceTo(this.clock.nowNs + ms * 1e6);
  }

  /** Everything that the console showed so far. */
  console(): string {
    return decode(this.#console);
  }

  /** Types on the console. */
  type(text: string): void {
    this.kernel.consoleInput(new TextEncoder().encode(text));
  }

  /** Runs a program as root until it ends. Throws when it does not within `limitMs` (default 1 h of virtual time). */
  run(argv: readonly string[] | string, options: RunOptions = {}): RunResult {
    const started = this.start(argv, options);
    const limitNs = this.clock.nowNs + (options.limitMs ?? 3_600_000) * 1e6;
    while (started.status === undefined && this.clock.runNext(limitNs));
    if (started.status === undefined) {
      started.kill('KILL');
      throw new Error(`${started.argv.join(' ')} does not end; so far: ${started.stdout}${started.stderr}`);
    }
    return { status: started.status, stdout: started.stdout, stderr: started.stderr };
  }

  /** Starts a program and returns at once; `advance` lets it go on. A string is run by /bin/sh -c. */
  start(argv: readonly string[] | string, options: RunOptions = {}) {
    const words = typeof argv === 'string' ? ['/bin/sh', '-c', argv] : argv;
    const out: Uint8Array[] = [];
    const err: Uint8Array[] = [];
    let status: number | undefined;
    const stdin = typeof options.stdin === 'string' ? new TextEncoder().encode(options.stdin) : options.stdin;
    const hosted = this.kernel.spawnHosted({
      argv: words,
      ...(options.env ? { env: options.env } : {}),
      cwd: options.cwd ?? '/',
      ...(stdin ? { stdin } : {}),
      onStdout: (bytes) => void out.push(bytes),
      onStderr: (bytes) => void err.push(bytes),
      onExit: (it) => {
        status = it;
      },
    });
    return {
      argv: words,
      pid: hosted.pid,
      kill: hosted.kill,
      get status() {
        return status;
      },
      get stdout() {
        return decode(out);
      },
      get stderr() {
        return decode(err);
      },
    };
  }

  /** A login session on a pseudo-terminal (or `argv` on one): `type` and `screen`. */
  session(argv?: readonly string[]) {
    const out: Uint8Array[] = [];
    let isClosed = false;
    const session = this.kernel.openSession({
      rows: 24,
      cols: 80,
      onOutput: (bytes) => void out.push(bytes.slice()),
      onClose: () => {
        isClosed = true;
      },
      ...(argv ? { argv } : {}),
    });
    return {
      type: (text: string) => session.input(new TextEncoder().encode(text)),
      resize: session.resize,
      close: session.close,
      ttyId: session.ttyId,
      get screen() {
        return decode(out);
      },
      get isClosed() {
        return isClosed;
      },
    };
  }

  save(): TestState {
    return {
      kernel: this.kernel.serialize(),
      nowNs: this.clock.nowNs,
      vcpuAtNs: [...this.#vcpuAtNs],
      random: this.#random.getState(),
    };
  }

  /** A second machine that goes on where the state was taken. */
  static restore(programs: readonly Program[], options: TestKernelOptions, state: TestState): TestKernel {
    return new TestKernel(programs, options, state);
  }
}

/** A booted kernel (pseudo file systems mounted) with these programs installed in /bin and /sbin. */
export function testKernel(programs: readonly Program[] = [], options: TestKernelOptions = {}): TestKernel {
  return new TestKernel(programs, options);
}

function decode(chunks: readonly Uint8Array[]): string {
  const total = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    total.set(chunk, at);
    at += chunk.length;
  }
  return new TextDecoder().decode(total);
}
