/**
 * Reads a kernel file: an ELF executable for 32-bit x86 whose notes (or `__xen_guest` section) say how Xen must load it
 * (tools/libxc/xc_dom_elfloader.c and xen/common/libelf in Xen 3.4).
 */
import { VmError } from './errors';

/** `name` is the note's name in xend's spelling (lower case, `-`): `guest-os`, `virt-base`, `features` … */
export interface XenNotes {
  readonly text: ReadonlyMap<string, string>;
  readonly number: ReadonlyMap<string, number>;
}

export interface Kernel {
  readonly entry: number;
  readonly virtBase: number;
  /** Page with room for hypercall stubs, virtual address; undefined when the kernel has none. */
  readonly hypercallPage: number | undefined;
  /** Pieces of the file, each with its virtual address; `size` beyond the bytes is zero. */
  readonly segments: readonly { readonly va: number; readonly bytes: Uint8Array; readonly size: number }[];
  /** First address after the last segment. */
  readonly end: number;
  readonly notes: XenNotes;
}

const NOTE_NAMES = [
  'info',
  'entry',
  'hypercall-page',
  'virt-base',
  'paddr-offset',
  'xen-version',
  'guest-os',
  'guest-version',
  'loader',
  'pae-mode',
  'features',
  'bsd-symtab',
  'hv-start-low',
  'l1-mfn-valid',
  'suspend-cancel',
  'init-p2m',
] as const;
/** Notes whose contents are words; the others are addresses and numbers. */
const TEXT_NOTES: ReadonlySet<string> = new Set([
  'xen-version',
  'guest-os',
  'guest-version',
  'loader',
  'pae-mode',
  'features',
]);

const PT_LOAD = 1;
const PT_NOTE = 4;
const SHT_NOTE = 7;

/** As Python prints libxc's error tuple, which is what xend hands to the operator. */
function invalidKernel(reason: string): VmError {
  return new VmError(`(2, 'Invalid kernel', '${reason}\\n')`);
}

const noLoader = () => invalidKernel('xc_dom_find_loader: no loader found');
const notXen = () =>
  new VmError(
    `(2, 'Invalid kernel', "elf_xen_note_check: ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found.\\n")`,
  );

/** Throws VmError with libxc's texts when Xen could not start this file. */
export function parseKernel(file: Uint8Array): Kernel {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 52 || view.getUint32(0, false) !== 0x7f454c46) throw noLoader();
  if (file[4] !== 1 || view.getUint16(18, true) !== 3)
    throw invalidKernel('xc_dom_compat_check: guest type not supported by this Xen');
  try {
    return readElf32(file, view);
  } catch (error) {
    if (error instanceof RangeError) throw invalidKernel('xc_dom_parse_elf_kernel: ELF image is corrupted');
    throw error;
  }
}

function readElf32(file: Uint8Array, view: DataView): Kernel {
  const u32 = (at: number) => view.getUint32(at, true);
  const u16 = (at: number) => view.getUint16(at, true);
  const notes = { text: new Map<string, string>(), number: new Map<string, number>() };
  const segments: { va: number; bytes: Uint8Array; size: number }[] = [];
  const programHeaders = headers(u32(28), u16(42), u16(44));
  for (const at of programHeaders) {
    const [type, offset, va, fileSize, size] = [u32(at), u32(at + 4), u32(at + 8), u32(at + 16), u32(at + 20)];
    if (type === PT_NOTE) readNotes(slice(file, offset, fileSize), notes);
    if (type === PT_LOAD) segments.push({ va, bytes: slice(file, offset, fileSize), size });
  }
  for (const at of headers(u32(32), u16(46), u16(48))) {
    if (u32(at + 4) === SHT_NOTE && notes.text.size + notes.number.size === 0)
      readNotes(slice(file, u32(at + 16), u32(at + 20)), notes);
  }
  if (notes.text.size + notes.number.size === 0) readGuestSection(file, u32, u16, notes);
  if (notes.text.size + notes.number.size === 0) throw notXen();
  if (notes.text.get('xen-version') !== 'xen-3.0')
    throw invalidKernel('xc_dom_parse_elf_kernel: ERROR: Kernel does not support this version of Xen');
  if (segments.length === 0) throw invalidKernel('xc_dom_parse_elf_kernel: ERROR: no loadable segment');
  const virtBase = notes.number.get('virt-base') ?? 0;
  const end = Math.max(...segments.map((segment) => segment.va + segment.size));
  const entry = notes.number.get('entry') ?? u32(24);
  const hypercallPage = notes.number.get('hypercall-page');
  const isOutside = (va: number | undefined) => va !== undefined && (va < virtBase || va >= end);
  if (isOutside(hypercallPage) || segments.some(({ va, bytes, size }) => va < virtBase || bytes.length > size))
    throw invalidKernel('elf_xen_addr_calc_check: ERROR: ELF start or entries are out of bounds.');
  return { entry, virtBase, hypercallPage, segments, end, notes };
}

function headers(offset: number, size: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => offset + i * size);
}

function slice(file: Uint8Array, offset: number, size: number): Uint8Array {
  if (offset + size > file.length) throw new RangeError('outside of the file');
  return file.subarray(offset, offset + size);
}

interface NoteMaps {
  readonly text: Map<string, string>;
  readonly number: Map<string, number>;
}

/** A note: u32 name size, u32 content size, u32 type, name, content, each padded to 4 bytes. */
function readNotes(bytes: Uint8Array, notes: NoteMaps): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pad = (n: number) => (n + 3) & ~3;
  for (let at = 0; at + 12 <= bytes.length; ) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const name = cText(slice(bytes, at + 12, nameSize));
    const content = slice(bytes, at + 12 + pad(nameSize), size);
    if (name === 'Xen' && type < NOTE_NAMES.length) addNote(NOTE_NAMES[type]!, content, notes);
    at += 12 + pad(nameSize) + pad(size);
  }
}

function addNote(name: string, content: Uint8Array, notes: NoteMaps): void {
  if (TEXT_NOTES.has(name)) notes.text.set(name, cText(content));
  else if (content.length >= 4)
    notes.number.set(name, new DataView(content.buffer, content.byteOffset, content.byteLength).getUint32(0, true));
}

/** Kernels from before the notes carry words: `GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,…`. */
function readGuestSection(
  file: Uint8Array,
  u32: (at: number) => number,
  u16: (at: number) => number,
  notes: NoteMaps,
): void {
  const sections = headers(u32(32), u16(46), u16(48));
  const names = sections[u16(50)];
  if (names === undefined) return;
  for (const at of sections) {
    if (cText(file.subarray(u32(names + 16) + u32(at))) !== '__xen_guest') continue;
    const words = cText(slice(file, u32(at + 16), u32(at + 20))).split(',');
    const aliases: Readonly<Record<string, string>> = {
      'guest-ver': 'guest-version',
      'xen-ver': 'xen-version',
      pae: 'pae-mode',
    };
    for (const word of words) {
      const [key, value = ''] = word.split('=');
      const lower = key!.toLowerCase().replaceAll('_', '-');
      const name = aliases[lower] ?? lower;
      if (TEXT_NOTES.has(name)) notes.text.set(name, value);
      else if (name === 'hypercall-page')
        notes.number.set(name, (notes.number.get('virt-base') ?? 0) + Number(value) * 4096);
      else if (value !== '' && Number.isFinite(Number(value))) notes.number.set(name, Number(value));
    }
  }
}

function cText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
