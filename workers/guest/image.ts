/**
 * What an executable file is here: a small 32-bit ELF header whose note names the program, so that `file`, `cp` and
 * `chmod` treat it as one, and a renamed or copied executable still runs what it is.
 */

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const NOTE_NAME = 'XenLab';
const NOTE_TYPE_PROGRAM = 1;
const HEADER_SIZE = 52;
const PROGRAM_HEADER_SIZE = 32;
const PT_NOTE = 4;

/** An executable that runs the program of this name. */
export function makeExecutable(program: string): Uint8Array {
  const owner = new TextEncoder().encode(`${NOTE_NAME}\0`);
  const name = new TextEncoder().encode(program);
  const noteSize = 12 + align4(owner.length) + align4(name.length);
  const offset = HEADER_SIZE + PROGRAM_HEADER_SIZE;
  const bytes = new Uint8Array(offset + noteSize);
  const view = new DataView(bytes.buffer);
  bytes.set([...ELF_MAGIC, 1, 1, 1]); // 32-bit, little-endian, version 1
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 3, true); // EM_386
  view.setUint32(20, 1, true);
  view.setUint32(24, 0x0804_8000, true); // e_entry
  view.setUint32(28, HEADER_SIZE, true); // e_phoff
  view.setUint16(40, HEADER_SIZE, true);
  view.setUint16(42, PROGRAM_HEADER_SIZE, true);
  view.setUint16(44, 1, true); // e_phnum
  view.setUint32(HEADER_SIZE, PT_NOTE, true);
  view.setUint32(HEADER_SIZE + 4, offset, true);
  view.setUint32(HEADER_SIZE + 16, noteSize, true);
  view.setUint32(HEADER_SIZE + 28, 4, true);
  view.setUint32(offset, owner.length, true);
  view.setUint32(offset + 4, name.length, true);
  view.setUint32(offset + 8, NOTE_TYPE_PROGRAM, true);
  bytes.set(owner, offset + 12);
  bytes.set(name, offset + 12 + align4(owner.length));
  return bytes;
}

/** The program an executable names; undefined when the bytes are not such an executable. */
export function programOf(bytes: Uint8Array): string | undefined {
  if (bytes.length < HEADER_SIZE + PROGRAM_HEADER_SIZE + 12) return undefined;
  if (ELF_MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const note = view.getUint32(HEADER_SIZE + 4, true);
  if (view.getUint32(HEADER_SIZE, true) !== PT_NOTE || note + 12 > bytes.length) return undefined;
  const ownerSize = view.getUint32(note, true);
  const nameSize = view.getUint32(note + 4, true);
  const nameAt = note + 12 + align4(ownerSize);
  if (nameAt + nameSize > bytes.length || view.getUint32(note + 8, true) !== NOTE_TYPE_PROGRAM) return undefined;
  const decoder = new TextDecoder();
  if (decoder.decode(bytes.subarray(note + 12, note + 12 + ownerSize)) !== `${NOTE_NAME}\0`) return undefined;
  return decoder.decode(bytes.subarray(nameAt, nameAt + nameSize));
}

/** The interpreter line of a script, `#!/bin/sh -e` → ['/bin/sh', '-e']; undefined without one. */
export function interpreterOf(bytes: Uint8Array): readonly string[] | undefined {
  if (bytes[0] !== 0x23 || bytes[1] !== 0x21) return undefined;
  const end = bytes.indexOf(10);
  const line = new TextDecoder().decode(bytes.subarray(2, end < 0 ? Math.min(bytes.length, 128) : end)).trim();
  if (line === '') return undefined;
  const space = line.search(/[ \t]/);
  return space < 0 ? [line] : [line.slice(0, space), line.slice(space).trim()];
}

function align4(length: number): number {
  return (length + 3) & ~3;
}
