/**
 * The emulated processor's registers as a record of Xen's (struct hvm_hw_cpu), out of the emulator's memory and into it:
 * what a processor starts with, and all that it takes along to another host.
 */
import {
  AR_DEFAULT_BIG,
  AR_GRANULARITY,
  AR_UNUSABLE,
  fxsave,
  HVM_GDTR,
  HVM_HW_CPU_SIZE,
  HVM_IDTR,
  hvmHwCpu,
  hvmSegments,
} from '../abi/hvmSave';
import { place, register, type WasmExports } from './emulator';

/** v86's numbers of the segments. */
const SEGMENT = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5, tr: 6, ldtr: 7 } as const;
const GENERAL = {
  rax: 'eax',
  rbx: 'ebx',
  rcx: 'ecx',
  rdx: 'edx',
  rbp: 'ebp',
  rsi: 'esi',
  rdi: 'edi',
  rsp: 'esp',
} as const;
const CONTROL = { cr0: 0, cr2: 2, cr3: 3, cr4: 4 } as const;
const DEBUG = { dr0: 0, dr1: 1, dr2: 2, dr3: 3, dr6: 6, dr7: 7 } as const;
/** A task state segment of 32 bits, in its type. */
const TSS_32 = 8;
const LIMIT_NEEDS_GRANULARITY = 0xf_ffff;
const CR0_PE = 1;
const CR0_PG = 0x8000_0000;
const CR4_PAE = 0x20;
const STACK_TOP_SHIFT = 11;
const STACK_TOP_MASK = 7 << STACK_TOP_SHIFT;
const FPU_REGISTERS = 8;

export interface EmulatedCpu {
  /** The emulator's memory. */
  readonly view: DataView;
  readonly exports: WasmExports;
}

/** `tscNs`: what the time stamp counter shows. */
export function saveCpu({ view, exports }: EmulatedCpu, tscNs: bigint): Uint8Array {
  const bytes = new Uint8Array(HVM_HW_CPU_SIZE);
  const out = new DataView(bytes.buffer);
  const put = (offset: number, value: number) => out.setUint32(offset, value, true);
  saveFpu(view, out);
  for (const [name, own] of entries(GENERAL))
    put(hvmHwCpu[name], view.getUint32(place.reg32 + 4 * register[own], true));
  put(hvmHwCpu.rip, view.getUint32(place.instruction_pointer, true));
  put(hvmHwCpu.rflags, exports['get_eflags']!() >>> 0);
  for (const [name, n] of entries(CONTROL)) put(hvmHwCpu[name], view.getUint32(place.cr + 4 * n, true));
  for (const [name, n] of entries(DEBUG)) put(hvmHwCpu[name], view.getUint32(place.dreg + 4 * n, true));
  hvmSegments.forEach((name, i) => {
    const segment = SEGMENT[name];
    const limit = view.getUint32(place.segment_limits + 4 * segment, true);
    put(hvmHwCpu.selectors + 4 * i, view.getUint16(place.sreg + 2 * segment, true));
    put(hvmHwCpu.limits + 4 * i, limit);
    put(hvmHwCpu.bases + 8 * i, view.getUint32(place.segment_offsets + 4 * segment, true));
    const isBig =
      (name === 'cs' && view.getUint32(place.is_32, true) !== 0) ||
      (name === 'ss' && view.getUint32(place.stack_size_32, true) !== 0);
    put(
      hvmHwCpu.arbytes + 4 * i,
      view.getUint8(place.segment_access_bytes + segment) |
        (isBig ? AR_DEFAULT_BIG : 0) |
        (limit > LIMIT_NEEDS_GRANULARITY ? AR_GRANULARITY : 0) |
        (view.getUint8(place.segment_is_null + segment) !== 0 ? AR_UNUSABLE : 0),
    );
  });
  put(hvmHwCpu.limits + 4 * HVM_IDTR, view.getUint32(place.idtr_size, true));
  put(hvmHwCpu.bases + 8 * HVM_IDTR, view.getUint32(place.idtr_offset, true));
  put(hvmHwCpu.limits + 4 * HVM_GDTR, view.getUint32(place.gdtr_size, true));
  put(hvmHwCpu.bases + 8 * HVM_GDTR, view.getUint32(place.gdtr_offset, true));
  put(hvmHwCpu.sysenter_cs, view.getUint32(place.sysenter_cs, true));
  put(hvmHwCpu.sysenter_esp, view.getUint32(place.sysenter_esp, true));
  put(hvmHwCpu.sysenter_eip, view.getUint32(place.sysenter_eip, true));
  out.setBigUint64(hvmHwCpu.tsc, tscNs, true);
  return bytes;
}

/** The processor goes on as the record says; `guest` is its memory, where the page tables stand. */
export function loadCpu({ view, exports }: EmulatedCpu, guest: Uint8Array, record: Uint8Array): void {
  const from = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const get = (offset: number) => from.getUint32(offset, true);
  exports['reset_cpu']!();
  loadFpu(view, from);
  for (const [name, own] of entries(GENERAL))
    view.setUint32(place.reg32 + 4 * register[own], get(hvmHwCpu[name]), true);
  view.setUint32(place.instruction_pointer, get(hvmHwCpu.rip), true);
  view.setUint32(place.previous_ip, get(hvmHwCpu.rip), true);
  view.setUint32(place.flags, get(hvmHwCpu.rflags), true);
  view.setUint32(place.flags_changed, 0, true);
  for (const [name, n] of entries(CONTROL)) view.setUint32(place.cr + 4 * n, get(hvmHwCpu[name]), true);
  for (const [name, n] of entries(DEBUG)) view.setUint32(place.dreg + 4 * n, get(hvmHwCpu[name]), true);
  view.setUint8(place.protected_mode, get(hvmHwCpu.cr0) & CR0_PE);
  hvmSegments.forEach((name, i) => {
    const segment = SEGMENT[name];
    const rights = get(hvmHwCpu.arbytes + 4 * i);
    const isBig = (rights & AR_DEFAULT_BIG) === 0 ? 0 : 1;
    view.setUint16(place.sreg + 2 * segment, get(hvmHwCpu.selectors + 4 * i), true);
    view.setUint32(place.segment_limits + 4 * segment, get(hvmHwCpu.limits + 4 * i), true);
    view.setUint32(place.segment_offsets + 4 * segment, get(hvmHwCpu.bases + 8 * i), true);
    view.setUint8(place.segment_access_bytes + segment, rights);
    view.setUint8(place.segment_is_null + segment, (rights & AR_UNUSABLE) === 0 ? 0 : 1);
    if (name === 'cs') view.setUint32(place.is_32, isBig, true);
    else if (name === 'ss') {
      view.setUint32(place.stack_size_32, isBig, true);
      view.setUint8(place.cpl, (rights >>> 5) & 3);
    } else if (name === 'tr') view.setUint32(place.tss_size_32, (rights & TSS_32) === 0 ? 0 : 1, true);
  });
  view.setUint32(place.idtr_size, get(hvmHwCpu.limits + 4 * HVM_IDTR), true);
  view.setUint32(place.idtr_offset, get(hvmHwCpu.bases + 8 * HVM_IDTR), true);
  view.setUint32(place.gdtr_size, get(hvmHwCpu.limits + 4 * HVM_GDTR), true);
  view.setUint32(place.gdtr_offset, get(hvmHwCpu.bases + 8 * HVM_GDTR), true);
  view.setUint32(place.sysenter_cs, get(hvmHwCpu.sysenter_cs), true);
  view.setUint32(place.sysenter_esp, get(hvmHwCpu.sysenter_esp), true);
  view.setUint32(place.sysenter_eip, get(hvmHwCpu.sysenter_eip), true);
  loadPageDirectoryPointers(view, guest);
  exports['update_state_flags']!();
  exports['full_clear_tlb']!();
}

/** With PAE the processor keeps the four entries that CR3 points at. */
function loadPageDirectoryPointers(view: DataView, guest: Uint8Array): void {
  const cr = (n: number) => view.getUint32(place.cr + 4 * n, true);
  if ((cr(0) & CR0_PG) === 0 || (cr(4) & CR4_PAE) === 0) return;
  const table = cr(3) & ~31;
  const SIZE = 32;
  const bytes = guest.subarray(table >>> 0, (table >>> 0) + SIZE);
  new Uint8Array(view.buffer, place.reg_pdpte, SIZE).set(bytes);
}

function saveFpu(view: DataView, out: DataView): void {
  const top = view.getUint8(place.fpu_stack_ptr) & 7;
  const status = view.getUint16(place.fpu_status_word, true) & ~STACK_TOP_MASK;
  out.setUint16(fxsave.fcw, view.getUint16(place.fpu_control_word, true), true);
  out.setUint16(fxsave.fsw, status | (top << STACK_TOP_SHIFT), true);
  out.setUint8(fxsave.ftw, ~view.getUint8(place.fpu_stack_empty));
  out.setUint16(fxsave.fop, view.getUint32(place.fpu_opcode, true), true);
  out.setUint32(fxsave.fip, view.getUint32(place.fpu_ip, true), true);
  out.setUint16(fxsave.fcs, view.getUint32(place.fpu_ip_selector, true), true);
  out.setUint32(fxsave.fdp, view.getUint32(place.fpu_dp, true), true);
  out.setUint16(fxsave.fds, view.getUint32(place.fpu_dp_selector, true), true);
  out.setUint32(fxsave.mxcsr, view.getUint32(place.mxcsr, true), true);
  for (let i = 0; i < FPU_REGISTERS; i++) {
    copy(view, place.fpu_st + 16 * ((top + i) & 7), out, fxsave.st + 16 * i, 10);
    copy(view, place.reg_xmm + 16 * i, out, fxsave.xmm + 16 * i, 16);
  }
}

function loadFpu(view: DataView, from: DataView): void {
  const status = from.getUint16(fxsave.fsw, true);
  const top = (status & STACK_TOP_MASK) >>> STACK_TOP_SHIFT;
  view.setUint8(place.fpu_stack_ptr, top);
  view.setUint16(place.fpu_status_word, status & ~STACK_TOP_MASK, true);
  view.setUint16(place.fpu_control_word, from.getUint16(fxsave.fcw, true), true);
  view.setUint8(place.fpu_stack_empty, ~from.getUint8(fxsave.ftw));
  view.setUint32(place.fpu_opcode, from.getUint16(fxsave.fop, true), true);
  view.setUint32(place.fpu_ip, from.getUint32(fxsave.fip, true), true);
  view.setUint32(place.fpu_ip_selector, from.getUint16(fxsave.fcs, true), true);
  view.setUint32(place.fpu_dp, from.getUint32(fxsave.fdp, true), true);
  view.setUint32(place.fpu_dp_selector, from.getUint16(fxsave.fds, true), true);
  view.setUint32(place.mxcsr, from.getUint32(fxsave.mxcsr, true), true);
  for (let i = 0; i < FPU_REGISTERS; i++) {
    copy(from, fxsave.st + 16 * i, view, place.fpu_st + 16 * ((top + i) & 7), 10);
    copy(from, fxsave.xmm + 16 * i, view, place.reg_xmm + 16 * i, 16);
  }
}

function copy(from: DataView, fromOffset: number, to: DataView, toOffset: number, length: number): void {
  const bytes = new Uint8Array(from.buffer, from.byteOffset + fromOffset, length);
  new Uint8Array(to.buffer, to.byteOffset + toOffset, length).set(bytes);
}

function entries<T extends object>(table: T): readonly [keyof T, T[keyof T]][] {
  return Object.entries(table) as [keyof T, T[keyof T]][];
}
