/**
 * The bytes of a core file around its pages: headers, notes and what follows the pages. Everything has its place before
 * the first page is written, because the number of pages is fixed at the start (tools/libxc/xc_core.c, Xen 3.4).
 */
import {
  ELF64_HEADER_SIZE,
  ELF64_SECTION_SIZE,
  EM_386,
  ET_CORE,
  P2M_RECORD_SIZE,
  PFN_RECORD_SIZE,
  SHT_NOTE,
  SHT_PROGBITS,
  SHT_STRTAB,
  VERSION_NOTE_SIZE,
  versionNote,
  XEN_DUMPCORE_FORMAT_VERSION,
  XEN_DUMPCORE_MAGIC_HVM,
  XEN_DUMPCORE_MAGIC_PV,
  XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION,
  XEN_ELFNOTE_DUMPCORE_HEADER,
  XEN_ELFNOTE_DUMPCORE_NONE,
  XEN_ELFNOTE_DUMPCORE_XEN_VERSION,
  XEN_NOTE_NAME,
} from '../../abi/elfCore';
import { VCPU_GUEST_CONTEXT_SIZE } from '../../abi/vcpu';
import { PAGE_SIZE } from '../../abi/xen';
import type { Xc } from '../xc';

/** What a core file holds. */
export interface CoreContents {
  /** Xen keeps the domain's map: the pages are named by their guest frames alone. */
  readonly isTranslated: boolean;
  /** vcpu_guest_context of each vcpu that has one. */
  readonly contexts: readonly Uint8Array[];
  readonly sharedInfo: Uint8Array;
  readonly pages: number;
  readonly version: Uint8Array;
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly size: number;
  readonly entrySize: number;
  readonly align: number;
}

const WORD = 8;
const NOTE_HEAD = 16;
/** Of everything in it, for 32-bit tools. */
const ALIGN = 4;
const SHSTRTAB = 1;

/** Everything before the first page, padding included. */
export function beforePages(contents: CoreContents): Uint8Array {
  const notes = noteSection(contents);
  const all = sections(contents, notes.length);
  const offsets = placesOf(all);
  const bytes = new Uint8Array(offsets.get('.xen_pages')!);
  writeElfHeader(bytes, all.length);
  const names = nameTable(all);
  all.forEach((section, i) => {
    const offset = offsets.get(section.name) ?? 0;
    writeSection(bytes, ELF64_HEADER_SIZE + (i + 1) * ELF64_SECTION_SIZE, section, names.at.get(section.name)!, offset);
  });
  bytes.set(notes, offsets.get('.note.Xen')!);
  contents.contexts.forEach((context, i) => {
    bytes.set(context, offsets.get('.xen_prstatus')! + i * VCPU_GUEST_CONTEXT_SIZE);
  });
  bytes.set(contents.sharedInfo, offsets.get('.xen_shared_info')!);
  return bytes;
}

/** `frames`: of each page its guest frame and, for a paravirtual domain, its machine frame. */
export function afterPages(contents: CoreContents, frames: readonly (readonly [bigint, bigint])[]): Uint8Array {
  const words = contents.isTranslated ? frames.map(([pfn]) => pfn) : frames.flat();
  const names = nameTable(sections(contents, 0)).bytes;
  const bytes = new Uint8Array(words.length * WORD + names.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setBigUint64(i * WORD, word, true);
  });
  bytes.set(names, words.length * WORD);
  return bytes;
}

/** XEN_ELFNOTE_DUMPCORE_XEN_VERSION: which Xen the domain ran on. */
export function versionOf(xc: Xc): Uint8Array {
  const bytes = new Uint8Array(VERSION_NOTE_SIZE);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string) => bytes.set(new TextEncoder().encode(value), at);
  const { major, minor, extra } = xc.version();
  const compile = xc.compileInfo();
  view.setBigUint64(versionNote.major, BigInt(major), true);
  view.setBigUint64(versionNote.minor, BigInt(minor), true);
  text(versionNote.extraversion, extra);
  // struct xen_compile_info: compiler[64], by[16], domain[32], date[32].
  const parts = [compile.compiler, compile.by, compile.domain, compile.date];
  parts.forEach((part, i) => {
    text(versionNote.compile_info + [0, 64, 80, 112][i]!, part);
  });
  text(versionNote.capabilities, xc.capabilities());
  text(versionNote.changeset, xc.changeset());
  view.setUint32(versionNote.virt_start, xc.virtStart(), true);
  view.setBigUint64(versionNote.pagesize, BigInt(xc.pageSize()), true);
  return bytes;
}

function sections({ isTranslated, contexts, sharedInfo, pages }: CoreContents, noteSize: number): readonly Section[] {
  const section = (name: string, size: number, entrySize = 0, align = ALIGN, type = SHT_PROGBITS): Section => ({
    name,
    type,
    size,
    entrySize,
    align,
  });
  const frames = isTranslated ? (['.xen_pfn', PFN_RECORD_SIZE] as const) : (['.xen_p2m', P2M_RECORD_SIZE] as const);
  const rest = [
    section('.note.Xen', noteSize, 0, 0, SHT_NOTE),
    section('.xen_prstatus', contexts.length * VCPU_GUEST_CONTEXT_SIZE, VCPU_GUEST_CONTEXT_SIZE),
    section('.xen_shared_info', sharedInfo.length, sharedInfo.length),
    section('.xen_pages', pages * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE),
    section(frames[0], pages * frames[1], frames[1]),
  ];
  const names = ['', '.shstrtab', ...rest.map(({ name }) => name)].map((name) => `${name}\0`).join('');
  return [section('.shstrtab', names.length, 0, 0, SHT_STRTAB), ...rest];
}

/** In the file the names come last, and the pages begin on a page. */
function placesOf(all: readonly Section[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  const [names, ...rest] = all;
  let at = ELF64_HEADER_SIZE + (all.length + 1) * ELF64_SECTION_SIZE;
  for (const { name, size } of [...rest, names!]) {
    if (name === '.xen_pages') at = Math.ceil(at / PAGE_SIZE) * PAGE_SIZE;
    places.set(name, at);
    at += size;
  }
  return places;
}

function nameTable(all: readonly Section[]): { readonly bytes: Uint8Array; readonly at: ReadonlyMap<string, number> } {
  const at = new Map<string, number>();
  let text = '\0';
  for (const { name } of all) {
    at.set(name, text.length);
    text += `${name}\0`;
  }
  return { bytes: new TextEncoder().encode(text), at };
}

function noteSection({ isTranslated, contexts, pages, version }: CoreContents): Uint8Array {
  const magic = isTranslated ? XEN_DUMPCORE_MAGIC_HVM : XEN_DUMPCORE_MAGIC_PV;
  const notes = [
    note(XEN_ELFNOTE_DUMPCORE_NONE, new Uint8Array(0)),
    note(XEN_ELFNOTE_DUMPCORE_HEADER, words(magic, BigInt(contexts.length), BigInt(pages), BigInt(PAGE_SIZE))),
    note(XEN_ELFNOTE_DUMPCORE_XEN_VERSION, version),
    note(XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION, words(XEN_DUMPCORE_FORMAT_VERSION)),
  ];
  const bytes = new Uint8Array(notes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of notes) {
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}

function note(type: number, description: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(NOTE_HEAD + description.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, XEN_NOTE_NAME.length, true);
  view.setUint32(4, description.length, true);
  view.setUint32(8, type, true);
  bytes.set(new TextEncoder().encode(XEN_NOTE_NAME), 12);
  bytes.set(description, NOTE_HEAD);
  return bytes;
}

function words(...values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(values.length * WORD);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setBigUint64(i * WORD, value, true);
  });
  return bytes;
}

/** Elf64_Ehdr: a 64-bit file whatever the guest is; the sections' headers follow at once. */
function writeElfHeader(bytes: Uint8Array, sectionCount: number): void {
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ET_CORE, true);
  view.setUint16(18, EM_386, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(40, BigInt(ELF64_HEADER_SIZE), true);
  view.setUint16(52, ELF64_HEADER_SIZE, true);
  view.setUint16(58, ELF64_SECTION_SIZE, true);
  view.setUint16(60, sectionCount + 1, true);
  view.setUint16(62, SHSTRTAB, true);
}

/** Elf64_Shdr. */
function writeSection(bytes: Uint8Array, at: number, section: Section, nameAt: number, offset: number): void {
  const view = new DataView(bytes.buffer, at, ELF64_SECTION_SIZE);
  view.setUint32(0, nameAt, true);
  view.setUint32(4, section.type, true);
  view.setBigUint64(24, BigInt(offset), true);
  view.setBigUint64(32, BigInt(section.size), true);
  view.setBigUint64(48, BigInt(section.align), true);
  view.setBigUint64(56, BigInt(section.entrySize), true);
}
