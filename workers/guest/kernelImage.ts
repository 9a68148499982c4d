/**
 * The kernel file /boot/vmlinuz-2.6.18-xenU: a valid 32-bit ELF executable with Xen's notes, which the domain builder
 * loads like any other. Its text does nothing on a processor; it carries the mark by which the host finds the runner.
 */
import { type EntryState, type GuestCpu, VIRT_BASE } from '../abi/cpu';
import { PAGE_SIZE } from '../abi/xen';

export const KERNEL_RELEASE = '2.6.18-xenU';

/** At the entry point: two bytes `jmp $` and a name. */
const SIGNATURE = Uint8Array.from([0xeb, 0xfe, ...new TextEncoder().encode('XenLinux mini kernel, ABI 1\0')]);
/** Where a suspended kernel wakes: the same, behind the first. */
const RESUME_OFFSET = 64;

const ELF_HEADER = 52;
const PROGRAM_HEADER = 32;
const TEXT_VA = VIRT_BASE;
const HYPERCALL_PAGE_VA = VIRT_BASE + PAGE_SIZE;

const NOTE_ENTRY = 1;
const NOTE_HYPERCALL_PAGE = 2;
const NOTE_VIRT_BASE = 3;
const NOTE_PADDR_OFFSET = 4;
const NOTE_XEN_VERSION = 5;
const NOTE_GUEST_OS = 6;
const NOTE_GUEST_VERSION = 7;
const NOTE_LOADER = 8;
const NOTE_PAE_MODE = 9;
const NOTE_FEATURES = 10;
const NOTE_SUSPEND_CANCEL = 14;

/** Virtual address at which a suspended kernel goes on. */
export const RESUME_VA = TEXT_VA + RESUME_OFFSET;

/** The bytes of the file. Two pages are loaded: text, and room for the hypercall stubs. */
export function kernelImage(): Uint8Array {
  const notes = [
    note(NOTE_GUEST_OS, text('linux')),
    note(NOTE_GUEST_VERSION, text('2.6')),
    note(NOTE_XEN_VERSION, text('xen-3.0')),
    note(NOTE_VIRT_BASE, word(VIRT_BASE)),
    note(NOTE_PADDR_OFFSET, word(VIRT_BASE)),
    note(NOTE_ENTRY, word(TEXT_VA)),
    note(NOTE_HYPERCALL_PAGE, word(HYPERCALL_PAGE_VA)),
    note(
      NOTE_FEATURES,
      text('writable_page_tables|writable_descriptor_tables|auto_translated_physmap|pae_pgdir_above_4gb'),
    ),
    note(NOTE_PAE_MODE, text('yes')),
    note(NOTE_LOADER, text('generic')),
    note(NOTE_SUSPEND_CANCEL, word(1)),
  ];
  const noteBytes = notes.reduce((sum, bytes) => sum + bytes.length, 0);
  const file = new Uint8Array(2 * PAGE_SIZE + PAGE_SIZE);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 3, true); // EM_386
  view.setUint32(20, 1, true);
  view.setUint32(24, TEXT_VA, true);
  view.setUint32(28, ELF_HEADER, true);
  view.setUint16(40, ELF_HEADER, true);
  view.setUint16(42, PROGRAM_HEADER, true);
  view.setUint16(44, 2, true);
  view.setUint16(46, 40, true);
  const notesAt = ELF_HEADER + 2 * PROGRAM_HEADER;
  const loaded = { type: 1, offset: PAGE_SIZE, va: TEXT_VA, size: 2 * PAGE_SIZE, flags: 7 };
  const noted = { type: 4, offset: notesAt, va: 0, size: noteBytes, flags: 4 };
  [loaded, noted].forEach((header, i) => {
    const at = ELF_HEADER + i * PROGRAM_HEADER;
    const fields = [
      header.type,
      header.offset,
      header.va,
      header.va,
      header.size,
      header.size,
      header.flags,
      PAGE_SIZE,
    ];
    fields.forEach((field, k) => {
      view.setUint32(at + 4 * k, field, true);
    });
  });
  let at = notesAt;
  for (const bytes of notes) {
    file.set(bytes, at);
    at += bytes.length;
  }
  file.set(SIGNATURE, PAGE_SIZE);
  file.set(SIGNATURE, PAGE_SIZE + RESUME_OFFSET);
  return file;
}

/** Whether the vcpu is about to execute this kernel. */
export function isMiniKernel(cpu: GuestCpu, entry: EntryState): boolean {
  if (entry.eip % PAGE_SIZE > PAGE_SIZE - SIGNATURE.length) return false;
  const at = entry.eip % PAGE_SIZE;
  const page = cpu.page(entry.eip - at);
  return SIGNATURE.every((byte, i) => page[at + i] === byte);
}

function note(type: number, content: Uint8Array): Uint8Array {
  const padded = (content.length + 3) & ~3;
  const bytes = new Uint8Array(16 + padded);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 4, true);
  view.setUint32(4, content.length, true);
  view.setUint32(8, type, true);
  bytes.set([0x58, 0x65, 0x6e, 0], 12);
  bytes.set(content, 16);
  return bytes;
}

function text(words: string): Uint8Array {
  return new TextEncoder().encode(`${words}\0`);
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
