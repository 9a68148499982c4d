/** Tiny programs of 32-bit machine code for Linux guests, which have no compiler: a loop that counts down, and ends or not. */

/** mov ecx, COUNT; again: add eax, ecx; xor edx, eax; dec ecx; jnz again */
const LOOP = [0x01, 0xc8, 0x31, 0xc2, 0x49, 0x75, 0xf9];
const JUMP_TO_START = [0xeb, 0xf2];
/** mov eax, 1 (exit); xor ebx, ebx; int 0x80 */
const EXIT = [0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80];
/** Each turn of the loop. */
export const INSTRUCTIONS_PER_TURN = 4;

const BASE = 0x0804_8000;
const HEADERS = 52 + 32;

/** A command line that writes the program to `path`; without `turns` it never ends. */
export function installLoop(path: string, turns?: number): string {
  const count = new Uint8Array(Uint32Array.of(turns ?? 1_000_000_000).buffer);
  const program = elf([0xb9, ...count, ...LOOP, ...(turns === undefined ? JUMP_TO_START : EXIT)]);
  const octal = [...program].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  return `printf '${octal}' > ${path}; chmod 755 ${path}`;
}

/**
 * A kernel of nothing but this code, entered at its first byte (note PHYS32_ENTRY) in flat 32-bit mode with interrupts off
 * and no tables of any kind, EBX = start info.
 */
export function kernelOf(code: readonly number[]): Uint8Array {
  const note = [4, 0, 0, 0, 4, 0, 0, 0, 18, 0, 0, 0, 0x58, 0x65, 0x6e, 0, 0, 0, 0x10, 0];
  const at = 52 + 2 * 32;
  const file = new Uint8Array(at + note.length + code.length);
  const entry = 0x10_0000;
  header(file, entry, 2);
  programHeader(file, 52, [4, at, 0, 0, note.length, note.length, 4, 4]);
  programHeader(file, 84, [1, at + note.length, entry, entry, code.length, code.length + 4096, 7, 0x1000]);
  file.set(note, at);
  file.set(code, at + note.length);
  return file;
}

/** An executable of one segment, headers included. */
function elf(code: readonly number[]): Uint8Array {
  const file = new Uint8Array(HEADERS + code.length);
  header(file, BASE + HEADERS, 1);
  // PT_LOAD: offset, address, physical address, size in the file and in memory, readable and executable, alignment.
  programHeader(file, 52, [1, 0, BASE, BASE, file.length, file.length, 5, 0x1000]);
  file.set(code, HEADERS);
  return file;
}

/** ELF-32 for the 80386, an executable (System V ABI). */
function header(file: Uint8Array, entry: number, programHeaders: number): void {
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, entry, true);
  view.setUint32(28, 52, true);
  view.setUint16(40, 52, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, programHeaders, true);
}

function programHeader(file: Uint8Array, at: number, words: readonly number[]): void {
  file.set(new Uint8Array(Uint32Array.from(words).buffer), at);
}
