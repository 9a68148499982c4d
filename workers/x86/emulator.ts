/**
 * What we use of v86, as types: the emulator's constructor, its WebAssembly exports and imports, and where it keeps the
 * processor's registers in its memory. Checked against version 0.5.462, which package.json pins.
 */

/** A WebAssembly memory; its buffer is another one after the memory has grown. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export interface WasmTable {
  set(index: number, value: unknown): void;
}

export type WasmFunction = (...args: readonly number[]) => number;
export type WasmExports = Readonly<Record<string, WasmFunction>> & { readonly memory: WasmMemory };
export type WasmImports = Record<string, WasmFunction> & { readonly __indirect_function_table: WasmTable };

/** What a worker or Node knows of WebAssembly. */
export interface WasmHost {
  /** Compiles and instantiates at once. */
  instantiate(bytes: Uint8Array, imports: object): object;
  /** Compiles away from this thread: for large modules. */
  compile(bytes: Uint8Array): Promise<object>;
  instantiateModule(module: object, imports: object): object;
}

export interface V86Options {
  readonly wasm_fn: (imports: { readonly env: WasmImports }) => Promise<WasmExports>;
  readonly memory_size: number;
  readonly vga_memory_size: number;
  readonly autostart: boolean;
  readonly acpi: boolean;
  readonly net_device: { readonly type: 'none' };
  readonly disable_keyboard: boolean;
  readonly disable_mouse: boolean;
  readonly disable_speaker: boolean;
}

export interface V86Instance {
  add_listener(event: string, listener: () => void): void;
  readonly v86: {
    readonly cpu: {
      readonly jit_imports: object;
      jit_clear_func(index: number): void;
      readonly acpi_enabled: object;
    };
  };
}

export type V86Constructor = new (options: V86Options) => V86Instance;

/** Where compiled guest code goes in the function table. */
export const JIT_TABLE_OFFSET = 1024;

/** Byte addresses in the emulator's memory. */
export const place = {
  reg32: 64, // eax ecx edx ebx esp ebp esi edi
  flags_changed: 100,
  flags: 120,
  segment_access_bytes: 512,
  instruction_pointer: 556,
  previous_ip: 560,
  idtr_size: 564,
  idtr_offset: 568,
  gdtr_size: 572,
  gdtr_offset: 576,
  cr: 580,
  cpl: 612,
  in_hlt: 616,
  sysenter_cs: 636,
  sysenter_esp: 640,
  sysenter_eip: 644,
  instruction_counter: 664,
  sreg: 668, // es cs ss ds fs gs tr ldtr
  dreg: 684,
  segment_is_null: 724,
  segment_offsets: 736,
  segment_limits: 768,
  protected_mode: 800,
  is_32: 804,
  stack_size_32: 808,
  fpu_stack_empty: 816,
  mxcsr: 824,
  reg_xmm: 832,
  reg_pdpte: 968,
  fpu_stack_ptr: 1032,
  fpu_control_word: 1036,
  fpu_status_word: 1040,
  fpu_opcode: 1044,
  fpu_ip: 1048,
  fpu_ip_selector: 1052,
  fpu_dp: 1056,
  fpu_dp_selector: 1060,
  tss_size_32: 1128,
  fpu_st: 1152,
} as const;

export const register = { eax: 0, ecx: 1, edx: 2, ebx: 3, esp: 4, ebp: 5, esi: 6, edi: 7 } as const;
export const FLAG_INTERRUPT = 0x200;
