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

/** An executable of one segment, headers included (ELF-32, System V ABI). */
function elf(code: readonly number[]): Uint8Array {
  const file = new Uint8Array(HEADERS + code.length);
  const view = new DataView(file.buffer);
  const u16 = (at: number, value: number) => view.setUint16(at, value, true);
  const u32 = (at: number, ...values: readonly number[]) =>
    values.forEach((value, i) => {
      view.setUint32(at + 4 * i, value, true);
    });
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  u16(16, 2); // an executable
  u16(18, 3); // for the 80386
  u32(20, 1, BASE + HEADERS, 52); // version, entry, program headers
  u16(40, 52);
  u16(42, 32);
  u16(44, 1);
  // PT_LOAD: offset, address, physical address, size in the file and in memory, readable and executable, alignment.
  u32(52, 1, 0, BASE, BASE, file.length, file.length, 5, 0x1000);
  file.set(code, HEADERS);
  return file;
}
