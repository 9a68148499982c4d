/**
 * Rewrites the emulator's WebAssembly before it is compiled, so that a stock v86 asks us at the few places where a
 * processor under a hypervisor leaves to it: cpuid, rdmsr and wrmsr, the undefined opcode (VMCALL is one to v86), and the
 * question for the next interrupt.
 *
 * Nothing is imported that v86 does not import anyway: a hooked function first calls an I/O port function with a "port"
 * number that no program can name, and returns if the answer says so. Functions are found by their export, or by the
 * `name` section that v86's release keeps. Binary format: WebAssembly core specification 1.0, §5.
 */

/** "Port" numbers by which hooked functions report; real ports end at 0xffff. */
export const hookPort = {
  cpuid: 0x10_0001,
  wrmsr: 0x10_0002,
  rdmsr: 0x10_0003,
  undefinedOpcode: 0x10_0004,
  acknowledgeIrq: 0x10_0005,
} as const;

export class EmulatorMismatch extends Error {
  override readonly name = 'EmulatorMismatch';
  constructor(missing: readonly string[]) {
    super(`this build of v86 cannot run Xen guests: not found in its WebAssembly: ${missing.join(', ')}`);
  }
}

interface Hook {
  readonly what: string;
  /** By export, or by a Rust symbol. */
  readonly isIt: (name: string) => boolean;
  readonly port: number;
  /** `ask`: return early when io_port_read32(port) is not 0. `answer`: io_port_write32(port, first parameter), then return early when the byte there is not 0. */
  readonly kind: 'ask' | 'answer';
}

const exported = (name: string) => (other: string) => other === name;
const rustSymbol = (path: string) => (other: string) => other.startsWith('_R') && other.endsWith(path);

const hooks: readonly Hook[] = [
  { what: 'instr_0FA2 (cpuid)', isIt: exported('instr_0FA2'), port: hookPort.cpuid, kind: 'ask' },
  { what: 'instr_0F30 (wrmsr)', isIt: exported('instr_0F30'), port: hookPort.wrmsr, kind: 'ask' },
  { what: 'instr_0F32 (rdmsr)', isIt: exported('instr_0F32'), port: hookPort.rdmsr, kind: 'ask' },
  { what: 'cpu::trigger_ud', isIt: rustSymbol('3cpu10trigger_ud'), port: hookPort.undefinedOpcode, kind: 'ask' },
  {
    what: 'pic::pic_acknowledge_irq',
    isIt: rustSymbol('3pic19pic_acknowledge_irq'),
    port: hookPort.acknowledgeIrq,
    kind: 'answer',
  },
];

const SECTION_CUSTOM = 0;
const SECTION_IMPORT = 2;
const SECTION_EXPORT = 7;
const SECTION_CODE = 10;
const EXTERNAL_FUNCTION = 0;
const NAMES_OF_FUNCTIONS = 1;

/** The same module with its hooks in place. Throws EmulatorMismatch, which says what this build lacks. */
export function patchEmulator(wasm: Uint8Array): Uint8Array {
  const module = readModule(wasm);
  const missing: string[] = [];
  const imported = (name: string) => {
    const index = module.importedFunctions.indexOf(name);
    if (index < 0) missing.push(`import ${name}`);
    return index;
  };
  const read = imported('io_port_read32');
  const write = imported('io_port_write32');
  const prologues = new Map<number, Uint8Array>();
  for (const hook of hooks) {
    const indices = new Set([...module.names].filter(([, name]) => hook.isIt(name)).map(([index]) => index));
    if (indices.size !== 1) missing.push(hook.what);
    else
      prologues.set(
        [...indices][0]!,
        hook.kind === 'ask' ? askPrologue(read, hook.port) : answerPrologue(write, hook.port),
      );
  }
  const { code } = module;
  if (!code || missing.length > 0) throw new EmulatorMismatch(code ? missing : ['code section']);
  const body = patchCode(wasm.subarray(code.start, code.end), module.importedFunctions.length, prologues);
  return concat([
    wasm.subarray(0, code.header),
    Uint8Array.of(SECTION_CODE),
    leb(body.length),
    body,
    wasm.subarray(code.end),
  ]);
}

/** i32.const PORT; call io_port_read32; if; return; end */
function askPrologue(read: number, port: number): Uint8Array {
  return Uint8Array.of(0x41, ...signedLeb(port), 0x10, ...leb(read), 0x04, 0x40, 0x0f, 0x0b);
}

/** i32.const PORT; local.get 0; call io_port_write32; local.get 0; i32.load8_u; if; return; end */
function answerPrologue(write: number, port: number): Uint8Array {
  return Uint8Array.of(
    ...[0x41, ...signedLeb(port), 0x20, 0x00, 0x10, ...leb(write)],
    ...[0x20, 0x00, 0x2d, 0x00, 0x00, 0x04, 0x40, 0x0f, 0x0b],
  );
}

interface ModuleInfo {
  readonly importedFunctions: readonly string[];
  /** Function index and one of its names; a function may have several. */
  readonly names: readonly (readonly [number, string])[];
  readonly code: { readonly header: number; readonly start: number; readonly end: number } | undefined;
}

function readModule(wasm: Uint8Array): ModuleInfo {
  const reader = new Reader(wasm, 8);
  const importedFunctions: string[] = [];
  const names: (readonly [number, string])[] = [];
  let code: ModuleInfo['code'];
  while (!reader.atEnd) {
    const header = reader.at;
    const id = reader.byte();
    const size = reader.u32();
    const start = reader.at;
    const end = start + size;
    const section = new Reader(wasm.subarray(0, end), start);
    if (id === SECTION_IMPORT) importedFunctions.push(...readImports(section));
    else if (id === SECTION_EXPORT) names.push(...readExports(section));
    else if (id === SECTION_CODE) code = { header, start, end };
    else if (id === SECTION_CUSTOM && section.text() === 'name') names.push(...readNames(section));
    reader.at = end;
  }
  return { importedFunctions, names, code };
}

function readImports(section: Reader): string[] {
  const functions: string[] = [];
  for (let left = section.u32(); left > 0; left--) {
    section.text();
    const name = section.text();
    switch (section.byte()) {
      case 0: // function: type
        section.u32();
        functions.push(name);
        break;
      case 1: // table: element type, limits
        section.byte();
        section.limits();
        break;
      case 2: // memory: limits
        section.limits();
        break;
      default: // global: type, mutability
        section.byte();
        section.byte();
    }
  }
  return functions;
}

function readExports(section: Reader): (readonly [number, string])[] {
  const functions: (readonly [number, string])[] = [];
  for (let left = section.u32(); left > 0; left--) {
    const name = section.text();
    const kind = section.byte();
    const index = section.u32();
    if (kind === EXTERNAL_FUNCTION) functions.push([index, name]);
  }
  return functions;
}

function readNames(section: Reader): (readonly [number, string])[] {
  const names: (readonly [number, string])[] = [];
  while (!section.atEnd) {
    const id = section.byte();
    const end = section.u32() + section.at;
    if (id === NAMES_OF_FUNCTIONS)
      for (let left = section.u32(); left > 0; left--) names.push([section.u32(), section.text()]);
    section.at = end;
  }
  return names;
}

/** The code section's contents with a prologue in front of the instructions of some functions. */
function patchCode(section: Uint8Array, firstIndex: number, prologues: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const reader = new Reader(section, 0);
  const pieces: Uint8Array[] = [];
  const count = reader.u32();
  pieces.push(section.subarray(0, reader.at));
  let copied = reader.at;
  for (let i = 0; i < count; i++) {
    const start = reader.at;
    const end = reader.u32() + reader.at;
    const prologue = prologues.get(firstIndex + i);
    if (prologue) {
      const locals = reader.at;
      for (let groups = reader.u32(); groups > 0; groups--) {
        reader.u32();
        reader.byte();
      }
      pieces.push(section.subarray(copied, start), leb(end - locals + prologue.length));
      pieces.push(section.subarray(locals, reader.at), prologue, section.subarray(reader.at, end));
      copied = end;
    }
    reader.at = end;
  }
  pieces.push(section.subarray(copied));
  return concat(pieces);
}

class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  limits(): void {
    const hasMaximum = this.byte() === 1;
    this.u32();
    if (hasMaximum) this.u32();
  }

  text(): string {
    const length = this.u32();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
}

function leb(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
    if (rest === 0) return Uint8Array.from(bytes);
  }
}

function signedLeb(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return Uint8Array.from(bytes);
  }
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
