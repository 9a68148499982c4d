/**
 * Runs a translated domain, whose kernel is machine code, on an emulated processor: the other kind of guest besides the
 * mini kernel, behind the same interface.
 *
 * The emulator is made when the domain's builder sets the registers of its first vcpu. Making it takes real time but no virtual time: the
 * host's clock is held meanwhile (`hold`), so that a run does not depend on how fast a browser compiles WebAssembly.
 */
import type { GuestCpu, TranslatedCpu, VcpuRunner } from '../abi/cpu';
import { SCHEDOP_block, SCHEDOP_poll, SCHEDOP_shutdown, SCHEDOP_yield } from '../abi/sched';
import { VCPUOP_down } from '../abi/vcpu';
import { hypercall, SHUTDOWN_poweroff, SHUTDOWN_reboot } from '../abi/xen';
import type { Random } from '../lib/random';
import type { V86Constructor, WasmHost } from './emulator';
import { Engine, type EngineOwner, type EngineParts } from './engine';
import { patchEmulator } from './wasmPatch';

const PAGE_SIZE = 4096;
/** What it costs at least to enter and leave a guest that turns out to have nothing to do, ns. */
const EMPTY_SLICE_NS = 1_000;

const CPUID_BASE = 0x4000_0000;
const XEN_VERSION = (3 << 16) | 4;

/** ACPI's sleep control register (FADT): the value that the kernel writes for S5. */
const SLEEP_CONTROL_PORT = 0x604;
const SLEEP_S5 = 0x34;
const KEYBOARD_CONTROLLER_PORT = 0x64;
const PULSE_RESET_LINE = 0xfe;
const RESET_CONTROL_PORT = 0xcf9;
const RESET_CPU = 0x04;

export interface X86Parts {
  readonly V86: V86Constructor;
  /** The emulator's WebAssembly as v86 ships it. */
  readonly wasmBytes: Uint8Array;
  readonly wasm: WasmHost;
}

export interface X86World {
  /** Fetches the emulator; called once, for the first x86 domain. */
  load(): Promise<X86Parts>;
  /** Keeps virtual time from going on until the promise is settled. */
  hold(work: Promise<unknown>): void;
  /** One generator per domain. */
  random(): Random;
}

/** Makes runners for x86 domains; the emulator is loaded, patched and compiled once for all of them. */
export class X86Machine {
  #parts: Promise<EngineParts> | undefined;

  constructor(readonly world: X86World) {}

  /** Undefined: not a domain for an x86 processor. */
  readonly findRunner = (cpu: GuestCpu): VcpuRunner | undefined =>
    cpu.translated ? new X86Runner(this, cpu, cpu.translated) : undefined;

  /** Rejects with EmulatorMismatch when the emulator is not the one that the hooks were made for. */
  parts(): Promise<EngineParts> {
    // What could not be fetched this time may be there the next time.
    this.#parts ??= this.#load().catch((error: unknown) => {
      this.#parts = undefined;
      throw error;
    });
    return this.#parts;
  }

  async #load(): Promise<EngineParts> {
    const { V86, wasmBytes, wasm } = await this.world.load();
    return { V86, wasm, module: await wasm.compile(patchEmulator(wasmBytes)) };
  }
}

class X86Runner implements VcpuRunner {
  #engine: Engine | undefined;
  #failure: unknown;
  #isAsked = false;
  #isLoaded = false;
  #isGone = false;

  constructor(
    readonly machine: X86Machine,
    readonly cpu: GuestCpu,
    readonly translated: TranslatedCpu,
  ) {}

  run(vcpu: number, budgetNs: number): number {
    // The emulator has one processor; the kernel never starts others, as its ACPI tables name none.
    if (vcpu !== 0) {
      this.translated.halt(vcpu, true);
      return EMPTY_SLICE_NS;
    }
    const engine = this.#engine;
    if (!engine) throw new Error('run before it was prepared');
    if (!this.#isLoaded) {
      this.#isLoaded = true;
      engine.load(this.translated.registers(0));
    }
    const usedNs = engine.run(budgetNs);
    if (engine.isHalted) this.translated.halt(0, engine.acceptsInterrupts);
    return Math.max(usedNs, EMPTY_SLICE_NS);
  }

  registers(vcpu: number): Uint8Array | undefined {
    return vcpu === 0 && this.#isLoaded ? this.#engine?.save() : undefined;
  }

  written(gpfn: number): void {
    this.#engine?.forgetCode(gpfn);
  }

  dispose(): void {
    this.#isGone = true;
    this.#engine = undefined;
  }

  prepare(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.machine.world.hold(this.#create());
    }
    this.#isLoaded = false;
    return this.#engine !== undefined;
  }

  async #create(): Promise<void> {
    try {
      const parts = await this.machine.parts();
      const engine = await Engine.create(parts, this.#owner(), this.translated.frames * PAGE_SIZE);
      if (this.#isGone) return;
      this.#attach(engine, engine.memory);
      this.#engine = engine;
    } catch (error) {
      this.#failure = error ?? new Error('the emulator could not be started');
    }
  }

  #attach(engine: Engine, memory: Uint8Array): void {
    this.translated.attachMemory(memory, (va, isWrite) => engine.translate(va, isWrite));
  }

  #owner(): EngineOwner {
    const { cpu, translated } = this;
    const random = this.machine.world.random();
    return {
      sliceStartNs: () => cpu.tsc(0),
      hypercall: (op, args) => {
        const result = cpu.hypercall(0, op, ...args);
        if (givesUpProcessor(op, args[0]!)) this.#engine?.stop();
        return result;
      },
      cpuid: (leaf) => xenLeaf(leaf, translated.domid),
      takeVector: () => translated.pendingVector(0),
      writeHypercallPage: (gpfn) => {
        if (!translated.writeHypercallPage(gpfn)) throw new Error(`no hypercall page at frame ${gpfn}`);
      },
      // Where nothing answers, the bus reads as ones.
      portRead: (port, bytes) => (port === SLEEP_CONTROL_PORT + 1 ? 0 : 2 ** (8 * bytes) - 1),
      portWrite: (port, value, bytes) => {
        if (bytes === 1) this.#portWrite(port, value);
      },
      memoryMoved: (memory) => {
        if (this.#engine) this.#attach(this.#engine, memory);
      },
      randomU32: () => random.u32(),
    };
  }

  #portWrite(port: number, value: number): void {
    const isReset =
      (port === KEYBOARD_CONTROLLER_PORT && value === PULSE_RESET_LINE) ||
      (port === RESET_CONTROL_PORT && (value & RESET_CPU) !== 0);
    if (isReset) this.translated.shutdown(SHUTDOWN_reboot);
    else if (port === SLEEP_CONTROL_PORT && value === SLEEP_S5) this.translated.shutdown(SHUTDOWN_poweroff);
    else return;
    this.#engine?.stop();
  }
}

/** Hypercalls after which the vcpu may not go on at once. */
function givesUpProcessor(op: number, command: number): boolean {
  if (op === hypercall.sched_op)
    return [SCHEDOP_yield, SCHEDOP_block, SCHEDOP_shutdown, SCHEDOP_poll].some((each) => each === command);
  return op === hypercall.vcpu_op && command === VCPUOP_down;
}

/** Xen's cpuid leaves (xen/arch/x86/traps.c, cpuid_hypervisor_leaves; leaf 4 from Xen 4). */
function xenLeaf(leaf: number, domid: number): readonly [number, number, number, number] | undefined {
  switch (leaf) {
    case CPUID_BASE:
      return [CPUID_BASE + 4, 0x566e_6558, 0x6558_4d4d, 0x4d4d_566e]; // "XenVMMXenVMM"
    case CPUID_BASE + 1:
      return [XEN_VERSION, 0, 0, 0];
    case CPUID_BASE + 2:
      return [1, CPUID_BASE, 0, 0]; // one page, written through this MSR
    case CPUID_BASE + 3:
      return [0, 0, 0, 0];
    case CPUID_BASE + 4:
      return [8 | 16, 0, domid, 0]; // vcpu id and domid are given
    default:
      return undefined;
  }
}
