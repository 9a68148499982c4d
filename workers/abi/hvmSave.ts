/**
 * The state of a processor that runs a guest with page tables of its own, as Xen's tools carry it between hosts: records
 * with a small head each (xen/include/public/hvm/save.h and arch-x86/hvm/save.h, Xen 3.4).
 */
export const HVM_SAVE_CODE_END = 0;
export const HVM_SAVE_CODE_HEADER = 1;
export const HVM_SAVE_CODE_CPU = 2;
export const HVM_FILE_MAGIC = 0x5438_1286;
export const HVM_FILE_VERSION = 1;

const DESCRIPTOR_SIZE = 8; // type u16 0, instance u16 2, length u32 4
const HEADER_SIZE = 24; // magic u32 0, version u32 4, changeset u64 8, cpuid u32 16, padding

/** struct hvm_hw_cpu, bytes; registers are 64 bits wide, selectors, limits and rights 32. */
export const HVM_HW_CPU_SIZE = 1016;
export const hvmHwCpu = {
  /** As FXSAVE stores it. */
  fpu_regs: 0,
  rax: 512,
  rbx: 520,
  rcx: 528,
  rdx: 536,
  rbp: 544,
  rsi: 552,
  rdi: 560,
  rsp: 568,
  rip: 640,
  rflags: 648,
  cr0: 656,
  cr2: 664,
  cr3: 672,
  cr4: 680,
  dr0: 688,
  dr1: 696,
  dr2: 704,
  dr3: 712,
  dr6: 720,
  dr7: 728,
  /** Of each segment, in the order of `hvmSegments`. */
  selectors: 736,
  /** Segments, then IDTR and GDTR. */
  limits: 768,
  bases: 808,
  arbytes: 888,
  sysenter_cs: 920,
  sysenter_esp: 928,
  sysenter_eip: 936,
  tsc: 1000,
} as const;
/** The order of the segments in hvm_hw_cpu. */
export const hvmSegments = ['cs', 'ds', 'es', 'fs', 'gs', 'ss', 'tr', 'ldtr'] as const;
export const HVM_IDTR = hvmSegments.length;
export const HVM_GDTR = hvmSegments.length + 1;
/** Access rights: bits 0–7 as in a descriptor, then these. */
export const AR_DEFAULT_BIG = 1 << 14;
export const AR_GRANULARITY = 1 << 15;
export const AR_UNUSABLE = 1 << 16;

/** FXSAVE's image, the part that 32-bit code has. */
export const fxsave = {
  fcw: 0,
  fsw: 2,
  ftw: 4,
  fop: 6,
  fip: 8,
  fcs: 12,
  fdp: 16,
  fds: 20,
  mxcsr: 24,
  st: 32,
  xmm: 160,
};

export interface HvmRecord {
  readonly type: number;
  readonly instance: number;
  readonly bytes: Uint8Array;
}

/** A whole context: the header, the records, the end. */
export function encodeHvmContext(records: readonly HvmRecord[]): Uint8Array {
  const header = new Uint8Array(HEADER_SIZE);
  const headerView = new DataView(header.buffer);
  headerView.setUint32(0, HVM_FILE_MAGIC, true);
  headerView.setUint32(4, HVM_FILE_VERSION, true);
  const all: readonly HvmRecord[] = [
    { type: HVM_SAVE_CODE_HEADER, instance: 0, bytes: header },
    ...records,
    { type: HVM_SAVE_CODE_END, instance: 0, bytes: new Uint8Array(0) },
  ];
  const whole = new Uint8Array(all.reduce((sum, { bytes }) => sum + DESCRIPTOR_SIZE + bytes.length, 0));
  const view = new DataView(whole.buffer);
  let at = 0;
  for (const { type, instance, bytes } of all) {
    view.setUint16(at, type, true);
    view.setUint16(at + 2, instance, true);
    view.setUint32(at + 4, bytes.length, true);
    whole.set(bytes, at + DESCRIPTOR_SIZE);
    at += DESCRIPTOR_SIZE + bytes.length;
  }
  return whole;
}

/** The records between header and end; undefined when the bytes are no context of this version, or cut off. */
export function decodeHvmContext(bytes: Uint8Array): readonly HvmRecord[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: HvmRecord[] = [];
  for (let at = 0; at + DESCRIPTOR_SIZE <= bytes.length; ) {
    const type = view.getUint16(at, true);
    const instance = view.getUint16(at + 2, true);
    const length = view.getUint32(at + 4, true);
    at += DESCRIPTOR_SIZE;
    if (length > bytes.length - at) return undefined;
    records.push({ type, instance, bytes: bytes.subarray(at, at + length) });
    at += length;
    if (type === HVM_SAVE_CODE_END) return isHeader(records[0]!) ? records.slice(1, -1) : undefined;
  }
  return undefined;
}

function isHeader({ type, bytes }: HvmRecord): boolean {
  if (type !== HVM_SAVE_CODE_HEADER || bytes.length !== HEADER_SIZE) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(0, true) === HVM_FILE_MAGIC && view.getUint32(4, true) === HVM_FILE_VERSION;
}
