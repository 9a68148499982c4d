/**
 * One emulated processor with its memory: a stock v86, hooked (wasmPatch.ts), that executes instructions only when it is
 * told to and for as long as it is told to.
 *
 * v86's devices are cut off: every port and interrupt line a PC would have is dead, time comes from whoever owns the
 * engine, and code that v86 translates is compiled at once, so that a run depends on nothing but its inputs.
 */
import { loadCpu, saveCpu } from './cpuState';
import {
  FLAG_INTERRUPT,
  JIT_TABLE_OFFSET,
  place,
  register,
  type V86Constructor,
  type V86Instance,
  type WasmExports,
  type WasmHost,
  type WasmImports,
  type WasmMemory,
} from './emulator';
import { walk } from './pageWalk';
import { EmulatorMismatch, hookPort } from './wasmPatch';

/** What one instruction costs in virtual time: a processor of 333 million instructions per second. */
export const NS_PER_INSTRUCTION = 3;
/**
 * Pages of guest code that v86 translates together. Its own number is 3; with 1 there is less to compile, and the boot of a
 * Linux kernel, most of whose code runs a few times only, takes two thirds of the time.
 */
const PAGES_TRANSLATED_TOGETHER = 1;
/** Number of that setting for `set_jit_config`. */
const JIT_CONFIG_MAX_PAGES = 1;
/** Room that the emulator's own data may take without its memory moving, bytes. */
const HEAP_RESERVE = 24 << 20;
const VGA_MEMORY = 1 << 18;
const PAGE_SIZE = 4096;
const SMALLEST_MEMORY = 1 << 20;
const HARDWARE_IDLE_MS = 100;
const MSR_HYPERCALL_PAGE = 0x4000_0000;

/** Whoever the processor leaves to. */
export interface EngineOwner {
  /** The time stamp counter at the beginning of this slice, ns. */
  sliceStartNs(): number;
  /** VMCALL: register values in the order EAX, EBX, ECX, EDX, ESI, EDI, EBP. Answers EAX. */
  hypercall(op: number, args: readonly number[]): number;
  /** cpuid with a leaf that the owner answers: EAX, EBX, ECX, EDX; undefined: the processor's own. */
  cpuid(leaf: number): readonly [number, number, number, number] | undefined;
  /** A vector to be delivered now; asked only while the guest accepts interrupts. */
  takeVector(): number | undefined;
  /** Write to the hypercall page's MSR. */
  writeHypercallPage(gpfn: number): void;
  /** 1, 2 or 4 bytes written to a port. */
  portWrite(port: number, value: number, bytes: number): void;
  portRead(port: number, bytes: number): number;
  /** The bytes of the guest's memory stand elsewhere now. */
  memoryMoved(memory: Uint8Array): void;
  /** For the guest's random number instruction. */
  randomU32(): number;
}

export interface EngineParts {
  readonly V86: V86Constructor;
  /** The patched emulator, compiled. */
  readonly module: object;
  readonly wasm: WasmHost;
}

export class Engine {
  readonly #exports: WasmExports;
  readonly #emulator: V86Instance;
  readonly #memory: WasmMemory;
  readonly #memoryBase: number;
  readonly #memoryBytes: number;
  #buffer: ArrayBuffer;
  #cpu: DataView;
  #guest: Uint8Array;
  #sliceStartCount = 0;
  #sliceStartNs = 0;
  #isEnteringLoop = false;
  #isResetting = false;
  #mustStop = false;
  #isHeld = false;
  #translated: (() => void)[] = [];
  /** What v86 has printed, which is why it gives up, if it does. */
  #lastWords = '';

  private constructor(
    readonly owner: EngineOwner,
    parts: { exports: WasmExports; emulator: V86Instance; memoryBase: number; memoryBytes: number },
  ) {
    this.#exports = parts.exports;
    this.#emulator = parts.emulator;
    this.#memory = parts.exports.memory;
    this.#memoryBase = parts.memoryBase;
    this.#memoryBytes = parts.memoryBytes;
    this.#buffer = this.#memory.buffer;
    this.#cpu = new DataView(this.#buffer);
    this.#guest = new Uint8Array(this.#buffer, this.#memoryBase, this.#memoryBytes);
  }

  /** A processor after reset, with zeroed memory. Rejects when the emulator does not come up. */
  static create(parts: EngineParts, owner: EngineOwner, memoryBytes: number): Promise<Engine> {
    const bytes = Math.max(SMALLEST_MEMORY, memoryBytes);
    return new Promise((resolve, reject) => {
      let engine: Engine | undefined;
      let exports: WasmExports | undefined;
      let memoryBase = 0;
      const emulator: V86Instance = new parts.V86({
        memory_size: bytes,
        vga_memory_size: VGA_MEMORY,
        autostart: false,
        acpi: true,
        net_device: { type: 'none' },
        disable_keyboard: true,
        disable_mouse: true,
        disable_speaker: true,
        wasm_fn: async ({ env }) => {
          try {
            hookImports(env, owner, () => engine, parts.wasm);
            const instance = parts.wasm.instantiateModule(parts.module, { env }) as { exports: WasmExports };
            const allocate = (size: number) => {
              memoryBase = instance.exports['allocate_memory']!(size) >>> 0;
              return memoryBase;
            };
            exports = Object.assign({}, instance.exports, { allocate_memory: allocate });
            return exports;
          } catch (error) {
            reject(error);
            throw error;
          }
        },
      });
      emulator.add_listener('emulator-loaded', () => {
        try {
          checkPlaces(emulator);
          setJitConfig(exports!, JIT_CONFIG_MAX_PAGES, PAGES_TRANSLATED_TOGETHER);
          const reserve = exports!['v86_malloc']!(HEAP_RESERVE);
          exports!['v86_free']!(reserve);
          engine = new Engine(owner, { exports: exports!, emulator, memoryBase, memoryBytes: bytes });
          resolve(engine);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** The guest's memory from physical address 0; the view is void after `memoryMoved`. */
  get memory(): Uint8Array {
    return this.#guest;
  }

  /** This page of memory has been written to from outside: what v86 has translated of it is void. */
  forgetCode(page: number): void {
    this.#exports['jit_dirty_cache']!(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
  }

  /** Instructions executed since the engine was made (wraps at 2^32). */
  get instructionCount(): number {
    return this.#cpu.getUint32(place.instruction_counter, true);
  }

  get isHalted(): boolean {
    return this.#cpu.getUint8(place.in_hlt) !== 0 && !this.#isHeld;
  }

  get acceptsInterrupts(): boolean {
    return (this.#cpu.getUint32(place.flags, true) & FLAG_INTERRUPT) !== 0;
  }

  /** The processor gets the registers of a record (struct hvm_hw_cpu); its time stamp counter is the host's. */
  load(record: Uint8Array): void {
    // v86's counter is its clock less what that showed at the reset: nothing.
    this.#isResetting = true;
    loadCpu({ view: this.#cpu, exports: this.#exports }, this.#guest, record);
    this.#isResetting = false;
    this.#cpu.setUint8(place.in_hlt, 0);
    this.#isHeld = false;
  }

  /** The registers between two slices, as a record. */
  save(): Uint8Array {
    return saveCpu({ view: this.#cpu, exports: this.#exports }, BigInt(this.owner.sliceStartNs()));
  }

  /** Physical address of a guest address by the page tables in force. */
  translate(va: number, isWrite: boolean): number | undefined {
    return walk(this.#guest, { cr0: this.#cr(0), cr3: this.#cr(3), cr4: this.#cr(4) }, va, isWrite);
  }

  /**
   * Executes for about `budgetNs` of virtual time, or until the guest halts or `stop` is called; answers the virtual time
   * that it took. Throws what a real processor answers with a triple fault.
   */
  run(budgetNs: number): number {
    this.#beginSlice();
    this.#mustStop = false;
    if (this.#isHeld) {
      this.#isHeld = false;
      this.#cpu.setUint8(place.in_hlt, 0);
    }
    const main = this.#exports['main_loop']!;
    let usedNs = 0;
    do {
      this.#isEnteringLoop = true;
      this.#execute(main);
      this.#followMemory();
      usedNs = this.#sliceNs();
    } while (usedNs < budgetNs && !this.#mustStop && this.#cpu.getUint8(place.in_hlt) === 0);
    return usedNs;
  }

  #execute(main: WasmFunction): void {
    try {
      main();
    } catch (error) {
      throw this.#lastWords === '' ? error : new Error(this.#lastWords, { cause: error });
    }
  }

  /** Ends the slice after the instruction that is being executed: from inside `EngineOwner.hypercall`. */
  stop(): void {
    this.#mustStop = true;
    this.#isHeld = true;
    this.#cpu.setUint8(place.in_hlt, 1);
  }

  // --- called by the hooked imports

  /** v86's clock, ms. Its main loop asks first of all when it began: long ago, so that it returns after one round. */
  microtick(): number {
    if (this.#isResetting) return 0;
    if (this.#isEnteringLoop) {
      this.#isEnteringLoop = false;
      return -1e9;
    }
    return (this.#sliceStartNs + this.#sliceNs()) / 1e6;
  }

  /** Between two rounds of v86's loop: code that it has translated may be put in now. */
  finishTranslations(): void {
    if (this.#translated.length === 0) return;
    const ready = this.#translated;
    this.#translated = [];
    for (const finish of ready) finish();
  }

  /** v86 has translated a page of guest code: WebAssembly of `length` bytes at `address`. */
  translation(wasm: WasmHost, table: WasmImports['__indirect_function_table'], args: readonly number[]): void {
    const [index, start, stateFlags, address, length] = args as readonly [number, number, number, number, number];
    const code = new Uint8Array(this.#memory.buffer, address >>> 0, length >>> 0);
    const instance = wasm.instantiate(code, { e: this.#emulator.v86.cpu.jit_imports }) as { exports: { f: unknown } };
    this.#translated.push(() => {
      table.set(index + JIT_TABLE_OFFSET, instance.exports.f);
      this.#exports['codegen_finalize_finished']!(index, start, stateFlags);
    });
  }

  /** v86 prints a line. */
  say(address: number, length: number): void {
    this.#lastWords = new TextDecoder()
      .decode(new Uint8Array(this.#memory.buffer, address, length))
      .replace(/\s+/g, ' ')
      .trim();
  }

  /** Answers whether the hook has done the instruction's work. */
  hook(port: number): boolean {
    this.#followMemory();
    switch (port) {
      case hookPort.cpuid:
        return this.#cpuid();
      case hookPort.wrmsr:
        if (this.#reg(register.ecx) !== MSR_HYPERCALL_PAGE) return false;
        this.owner.writeHypercallPage(this.#reg(register.eax) >>> 12);
        return true;
      case hookPort.undefinedOpcode:
        return this.#vmcall();
      default:
        return false;
    }
  }

  /** v86 asks its interrupt controller: tag and vector go to `address`. */
  acknowledge(address: number): void {
    const vector = this.owner.takeVector();
    this.#cpu.setUint8(address, 1);
    if (vector === undefined) this.#cpu.setUint8(address, 0);
    else this.#cpu.setUint8(address + 1, vector);
  }

  // --- inside

  #reg(index: number): number {
    return this.#cpu.getUint32(place.reg32 + 4 * index, true);
  }

  #setReg(index: number, value: number): void {
    this.#cpu.setUint32(place.reg32 + 4 * index, value, true);
  }

  #cr(n: number): number {
    return this.#cpu.getUint32(place.cr + 4 * n, true);
  }

  #beginSlice(): void {
    this.#sliceStartNs = this.owner.sliceStartNs();
    this.#sliceStartCount = this.instructionCount;
  }

  #sliceNs(): number {
    return ((this.instructionCount - this.#sliceStartCount) >>> 0) * NS_PER_INSTRUCTION;
  }

  #cpuid(): boolean {
    const answer = this.owner.cpuid(this.#reg(register.eax));
    if (!answer) return false;
    this.#setReg(register.eax, answer[0]);
    this.#setReg(register.ebx, answer[1]);
    this.#setReg(register.ecx, answer[2]);
    this.#setReg(register.edx, answer[3]);
    return true;
  }

  /** 0F 01 C1 (VMCALL) or 0F 01 D9 (VMMCALL), in the kernel; anything else is an undefined opcode as ever. */
  #vmcall(): boolean {
    const eip = this.#cpu.getUint32(place.previous_ip, true);
    const third = this.#codeByte(eip + 2);
    if (this.#codeByte(eip) !== 0x0f || this.#codeByte(eip + 1) !== 0x01 || (third !== 0xc1 && third !== 0xd9))
      return false;
    if (this.#cpu.getUint8(place.cpl) !== 0) return false;
    const { eax, ebx, ecx, edx, esi, edi, ebp } = register;
    const args = [ebx, ecx, edx, esi, edi, ebp].map((index) => this.#reg(index));
    this.#setReg(eax, this.owner.hypercall(this.#reg(eax), args));
    return true;
  }

  /** −1 where nothing is mapped. */
  #codeByte(eip: number): number {
    const address = this.translate(eip >>> 0, false);
    return address === undefined ? -1 : this.#guest[address]!;
  }

  #followMemory(): void {
    if (this.#memory.buffer === this.#buffer) return;
    this.#buffer = this.#memory.buffer;
    this.#cpu = new DataView(this.#buffer);
    this.#guest = new Uint8Array(this.#buffer, this.#memoryBase, this.#memoryBytes);
    this.owner.memoryMoved(this.#guest);
  }
}

/** The processor's fields stand where we read and write them. Throws EmulatorMismatch. */
function checkPlaces({ v86: { cpu } }: V86Instance): void {
  const views = cpu as unknown as Readonly<Record<string, ArrayBufferView | undefined>>;
  const view = (name: string) => views[name === 'reg_xmm' ? 'reg_xmm32s' : name];
  const moved = Object.entries(place).filter(([name, at]) => view(name)?.byteOffset !== at);
  if (moved.length > 0) throw new EmulatorMismatch(moved.map(([name, at]) => `${name} at ${at}`));
}

function setJitConfig(exports: WasmExports, setting: number, value: number): void {
  const set = exports['set_jit_config'];
  if (!set || !exports['get_jit_config']) throw new EmulatorMismatch(['set_jit_config']);
  set(setting, value);
  if (exports['get_jit_config'](setting) !== value) throw new EmulatorMismatch([`set_jit_config ${setting}`]);
}

/** Replaces what v86 gives its WebAssembly: clock, ports, timers, random numbers, the compiler of translated code. */
function hookImports(env: WasmImports, owner: EngineOwner, engine: () => Engine | undefined, wasm: WasmHost): void {
  const portRead = (bytes: number) => (port: number) => {
    if (port >= 0x10_0000) return engine()?.hook(port) ? 1 : 0;
    return owner.portRead(port, bytes) | 0;
  };
  const portWrite = (bytes: number) => (port: number, value: number) => {
    if (port === hookPort.acknowledgeIrq) engine()?.acknowledge(value);
    else owner.portWrite(port, bytes === 4 ? value >>> 0 : value & (2 ** (8 * bytes) - 1), bytes);
    return 0;
  };
  const table = env.__indirect_function_table;
  const replaced: Record<string, WasmFunction> = {
    microtick: () => engine()?.microtick() ?? 0,
    run_hardware_timers: () => {
      engine()?.finishTranslations();
      return HARDWARE_IDLE_MS;
    },
    console_log_from_wasm: (address, length) => {
      engine()?.say(address!, length!);
      return 0;
    },
    get_rand_int: () => owner.randomU32() | 0,
    cpu_event_halt: () => 0,
    io_port_read8: (port) => portRead(1)(port!),
    io_port_read16: (port) => portRead(2)(port!),
    io_port_read32: (port) => portRead(4)(port!),
    io_port_write8: (port, value) => portWrite(1)(port!, value!),
    io_port_write16: (port, value) => portWrite(2)(port!, value!),
    io_port_write32: (port, value) => portWrite(4)(port!, value!),
    codegen_finalize: (...args) => {
      engine()?.translation(wasm, table, args);
      return 0;
    },
  };
  Object.assign(env, replaced);
}

type WasmFunction = (...args: readonly number[]) => number;
