/**
 * A PC on stock v86, with no hypervisor anywhere near: what a guest's processor is measured against. The kernel is entered
 * as a guest's is (PVH, flat protected mode), finds no Xen, and works with v86's own clock, interrupts and serial line.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readPvhKernel } from '../workers/xend/image/pvhKernel';
import { layOutPvh } from '../workers/xend/image/pvhLayout';

const v86 = dirname(createRequire(import.meta.url).resolve('v86/build/v86.wasm'));
const PAGE_SIZE = 4096;
const EBX = 3;
const CODE_SEGMENT = 1;

interface Cpu {
  readonly mem8: Uint8Array;
  readonly reg32: Int32Array;
  readonly cr: Int32Array;
  readonly flags: Int32Array;
  readonly protected_mode: Int32Array;
  readonly is_32: Int32Array;
  readonly stack_size_32: Int32Array;
  readonly segment_is_null: Uint8Array;
  readonly segment_access_bytes: Uint8Array;
  readonly segment_offsets: Int32Array;
  readonly segment_limits: Uint32Array;
  readonly instruction_pointer: Int32Array;
  readonly previous_ip: Int32Array;
  reset_cpu(): void;
  update_state_flags(): void;
  full_clear_tlb(): void;
}

interface Emulator {
  add_listener(event: string, listener: (value: number) => void): void;
  readonly v86: { readonly cpu: Cpu };
  run(): Promise<void>;
  stop(): Promise<void>;
  destroy(): Promise<void>;
  serial0_send(text: string): void;
}

type EmulatorConstructor = new (options: object) => Emulator;

export interface PlainOptions {
  readonly kernel: Uint8Array;
  readonly ramdisk: Uint8Array;
  readonly cmdline: string;
  readonly memoryMiB: number;
}

export class PlainMachine {
  #shown = '';
  #isWanted: (() => boolean) | undefined;
  #arrived: () => void = () => {};
  #count = 0;

  private constructor(readonly emulator: Emulator) {
    emulator.add_listener('serial0-output-byte', (byte) => {
      this.#shown += String.fromCharCode(byte);
      if (this.#isWanted?.()) this.#arrived();
    });
  }

  /** Starts the kernel; what happens then happens in real time. */
  static async start({ kernel, ramdisk, cmdline, memoryMiB }: PlainOptions): Promise<PlainMachine> {
    const { V86 } = (await import(pathToFileURL(join(v86, 'libv86.mjs')).href)) as { V86: EmulatorConstructor };
    const emulator = new V86({
      wasm_fn: async (imports: WebAssembly.Imports) => {
        const module = await WebAssembly.compile(new Uint8Array(await readFile(join(v86, 'v86.wasm'))));
        return (await WebAssembly.instantiate(module, imports)).exports;
      },
      memory_size: memoryMiB << 20,
      vga_memory_size: 1 << 20,
      autostart: false,
      net_device: { type: 'none' },
      disable_keyboard: true,
      disable_mouse: true,
      disable_speaker: true,
    });
    const machine = new PlainMachine(emulator);
    await new Promise<void>((resolve) => emulator.add_listener('emulator-loaded', () => resolve()));
    const layout = layOutPvh({
      kernel: readPvhKernel(kernel)!,
      ramdisk,
      cmdline,
      pages: (memoryMiB << 20) / PAGE_SIZE,
    });
    const { cpu } = emulator.v86;
    for (const { address, bytes } of layout.pieces) cpu.mem8.set(bytes, address);
    enter(cpu, layout.entry, layout.startInfo);
    machine.resume();
    return machine;
  }

  /** No instruction is executed until `resume`. */
  pause(): Promise<void> {
    return this.emulator.stop();
  }

  resume(): void {
    void this.emulator.run();
  }

  stop(): Promise<void> {
    return this.emulator.destroy();
  }

  /** Resolves when the serial line has shown it. */
  until(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = () => {
        this.#isWanted = undefined;
        resolve();
      };
      this.#isWanted = () => pattern.test(this.#shown.slice(-500));
      if (this.#isWanted()) this.#arrived();
    });
  }

  /** Types a command line for the shell and waits for its end. */
  async run(command: string): Promise<void> {
    const n = ++this.#count;
    this.#shown = '';
    this.emulator.serial0_send(`${command}; echo "en""d${n}"\n`);
    await this.until(new RegExp(`end${n}\\r*\\n`));
  }
}

function enter(cpu: Cpu, entry: number, startInfo: number): void {
  cpu.reset_cpu();
  cpu.cr[0] = 0x11;
  cpu.protected_mode[0] = 1;
  cpu.flags[0] = 2;
  cpu.is_32[0] = 1;
  cpu.stack_size_32[0] = 1;
  for (let segment = 0; segment < 6; segment++) {
    cpu.segment_is_null[segment] = 0;
    cpu.segment_access_bytes[segment] = segment === CODE_SEGMENT ? 0x9b : 0x93;
    cpu.segment_offsets[segment] = 0;
    cpu.segment_limits[segment] = 0xffff_ffff;
  }
  cpu.reg32[EBX] = startInfo;
  cpu.instruction_pointer[0] = entry;
  cpu.previous_ip[0] = entry;
  cpu.update_state_flags();
  cpu.full_clear_tlb();
}
