/**
 * Reads a kernel that is entered directly in 32-bit mode: an ELF file with Xen's PHYS32_ENTRY note, as such, compressed
 * with gzip, or packed in a bzImage (Documentation/x86/boot.rst of Linux; xen/common/libelf in Xen 4).
 */
import { gunzipSync } from 'fflate';
import { XEN_ELFNOTE_PHYS32_ENTRY } from '../../abi/hvmStartInfo';
import { VmError } from '../errors';

export interface PvhKernel {
  /** Physical address of its first instruction. */
  readonly entry: number;
  /** `size` beyond the bytes is zero. */
  readonly segments: readonly { readonly address: number; readonly bytes: Uint8Array; readonly size: number }[];
  /** First physical address after it. */
  readonly end: number;
}

const ELF_MAGIC = 0x7f45_4c46;
const BZIMAGE_MAGIC = 0x5372_6448;
const SETUP_SECTS = 0x1f1;
const HEADER_MAGIC = 0x202;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const PT_LOAD = 1;
const PT_NOTE = 4;

const invalid = (reason: string) => new VmError(`(2, 'Invalid kernel', '${reason}\\n')`);

/** Undefined: the file is a kernel of another kind, or none. Throws VmError when it is one, but damaged. */
export function readPvhKernel(file: Uint8Array): PvhKernel | undefined {
  const elf = unpack(file);
  if (elf.length < 52 || dataView(elf).getUint32(0, false) !== ELF_MAGIC || elf[4] !== 1) return undefined;
  try {
    return readElf(elf);
  } catch (error) {
    if (error instanceof RangeError) throw invalid('xc_dom_parse_elf_kernel: ELF image is corrupted');
    throw error;
  }
}

function unpack(file: Uint8Array): Uint8Array {
  const view = dataView(file);
  const isBzImage = file.length > PAYLOAD_LENGTH + 4 && view.getUint32(HEADER_MAGIC, true) === BZIMAGE_MAGIC;
  if (!isBzImage) return gunzipped(file);
  const start = ((file[SETUP_SECTS]! || 4) + 1) * 512 + view.getUint32(PAYLOAD_OFFSET, true);
  const length = view.getUint32(PAYLOAD_LENGTH, true);
  const payload = file.subarray(start, start + length);
  if (payload.length < length) throw invalid('xc_dom_probe_bzimage_kernel: kernel is truncated');
  if (!isGzip(payload)) throw invalid('xc_dom_probe_bzimage_kernel: unable to decompress kernel');
  return gunzipped(payload);
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function gunzipped(bytes: Uint8Array): Uint8Array {
  if (!isGzip(bytes)) return bytes;
  try {
    return gunzipSync(bytes);
  } catch {
    throw invalid('xc_dom_do_gunzip: inflate failed');
  }
}

function readElf(elf: Uint8Array): PvhKernel | undefined {
  const view = dataView(elf);
  const u32 = (at: number) => view.getUint32(at, true);
  const [table, entrySize, count] = [u32(28), view.getUint16(42, true), view.getUint16(44, true)];
  let entry: number | undefined;
  const segments: { address: number; bytes: Uint8Array; size: number }[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * entrySize;
    const [type, offset, address, fileSize, size] = [u32(at), u32(at + 4), u32(at + 12), u32(at + 16), u32(at + 20)];
    if (type === PT_NOTE) entry ??= findEntry(slice(elf, offset, fileSize));
    if (type === PT_LOAD && fileSize > size) throw new RangeError('segment');
    if (type === PT_LOAD) segments.push({ address, bytes: slice(elf, offset, fileSize), size });
  }
  if (entry === undefined || segments.length === 0) return undefined;
  const end = Math.max(...segments.map(({ address, size }) => address + size));
  if (!segments.some(({ address, size }) => entry >= address && entry < address + size)) throw new RangeError('entry');
  return { entry, segments, end };
}

/** A note: u32 name size, u32 content size, u32 type, name, content, each padded to 4 bytes. */
function findEntry(notes: Uint8Array): number | undefined {
  const view = dataView(notes);
  const pad = (n: number) => Math.ceil(n / 4) * 4;
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const name = new TextDecoder().decode(notes.subarray(at + 12, at + 12 + nameSize));
    const content = at + 12 + pad(nameSize);
    if (name === 'Xen\0' && view.getUint32(at + 8, true) === XEN_ELFNOTE_PHYS32_ENTRY && size >= 4)
      return view.getUint32(content, true);
    at = content + pad(size);
  }
  return undefined;
}

function slice(bytes: Uint8Array, offset: number, size: number): Uint8Array {
  if (offset + size > bytes.length) throw new RangeError('outside of the file');
  return bytes.subarray(offset, offset + size);
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
