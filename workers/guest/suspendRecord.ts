/**
 * What a suspended kernel leaves in its own pages for the kernel that wakes up in its place, perhaps in another domain on
 * another host: everything that is not in memory anyway. Nothing else crosses.
 */
import { decode, encode } from 'cborg';
import type { EntryState, GuestCpu } from '../abi/cpu';
import { userRegs, VCPU_GUEST_CONTEXT_SIZE, VGCF_in_kernel, VGCF_online, vcpuGuestContext } from '../abi/vcpu';
import { PAGE_SIZE, type Pfn } from '../abi/xen';
import { RESUME_VA } from './kernelImage';
import { type PageAllocator, vaOf } from './pages';

export const SUSPEND_FORMAT = 2;

export interface SuspendRecord {
  readonly format: typeof SUSPEND_FORMAT;
  /** What the kernel's core is made from again; plain data. */
  readonly core: unknown;
  /** The kernel's clock. */
  readonly nowNs: number;
  readonly random: readonly number[];
  /** Frames that the builder populated, and the first of them that it left free. */
  readonly nrPages: number;
  readonly firstFreePfn: number;
  readonly maxPfn: number;
  /** Frames that are not free when it wakes: the memory of programs. */
  readonly programPages: readonly number[];
  readonly onlineVcpus: readonly number[];
}

const FLAT_KERNEL_CS = 0xe019;
const FLAT_KERNEL_DS = 0xe021;
const EFLAGS_IF = 0x200;
/** A page that says where the record is: its length, the next such page, then page numbers. */
const HEAD_WORDS = 2;
const ENTRIES = PAGE_SIZE / 4 - HEAD_WORDS;
const NO_PAGE = 0xffff_ffff;
/** No domain has more frames: 4 GiB. */
const MAX_FRAMES = 1 << 20;

/** Where a record stands. */
export interface StoredRecord {
  readonly index: Pfn;
  readonly pages: readonly Pfn[];
}

/** SysError ENOMEM when the guest has no room for its own record; nothing is taken then. */
export function storeRecord(pages: PageAllocator, record: SuspendRecord): StoredRecord {
  const bytes = encode(record);
  const taken: Pfn[] = [];
  const take = () => {
    const { pfn } = pages.alloc();
    taken.push(pfn);
    return pfn;
  };
  try {
    const data = Array.from({ length: Math.ceil(bytes.length / PAGE_SIZE) }, take);
    data.forEach((pfn, i) => {
      pages.at(pfn).bytes.set(bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
    });
    let next = NO_PAGE;
    for (let start = Math.floor((data.length - 1) / ENTRIES) * ENTRIES; start >= 0; start -= ENTRIES) {
      const index = take();
      const view = viewOf(pages.at(index).bytes);
      view.setUint32(0, bytes.length, true);
      view.setUint32(4, next, true);
      data.slice(start, start + ENTRIES).forEach((pfn, i) => {
        view.setUint32(4 * (HEAD_WORDS + i), pfn, true);
      });
      next = index;
    }
    return { index: next as Pfn, pages: taken };
  } catch (error) {
    for (const pfn of taken) pages.free({ pfn });
    throw error;
  }
}

/** Reads a record back; throws when the pages hold none (somebody has tampered with them). */
export function readRecord(cpu: GuestCpu, index: number): SuspendRecord {
  const length = viewOf(cpu.page(vaOf(index))).getUint32(0, true);
  const pieces: Uint8Array[] = [];
  // Each page is read once: a guest's record is never longer than its memory.
  const seen = new Set<number>();
  const once = (pfn: number) => {
    if (seen.has(pfn)) throw new Error(`suspend record names page ${pfn} twice`);
    seen.add(pfn);
    return cpu.page(vaOf(pfn));
  };
  let done = 0;
  for (let page = index; page !== NO_PAGE && done < length; ) {
    const view = viewOf(once(page));
    for (let i = 0; i < ENTRIES && done < length; i++, done += PAGE_SIZE)
      pieces.push(once(view.getUint32(4 * (HEAD_WORDS + i), true)).subarray(0, length - done));
    page = view.getUint32(4, true);
  }
  if (done < length) throw new Error('suspend record is incomplete');
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return checked(decode(bytes) as SuspendRecord);
}

/** What this module itself needs of a record; the kernel's core looks after its own part. */
function checked(record: SuspendRecord): SuspendRecord {
  const { format, nowNs, nrPages, firstFreePfn, maxPfn, random, programPages, onlineVcpus } = record;
  if (format !== SUSPEND_FORMAT) throw new Error(`suspend record of format ${String(format)}`);
  const areNumbers = [nowNs, nrPages, firstFreePfn, maxPfn, ...random, ...onlineVcpus].every(Number.isFinite);
  if (!areNumbers || nowNs < 0 || firstFreePfn > nrPages || nrPages > maxPfn || maxPfn > MAX_FRAMES)
    throw new Error('suspend record makes no sense');
  const isTheirs = (pfn: number) => Number.isInteger(pfn) && pfn >= firstFreePfn && pfn < maxPfn;
  if (!programPages.every(isTheirs) || new Set(programPages).size < programPages.length)
    throw new Error('suspend record gives programs frames that are not theirs');
  return record;
}

/** The registers with which vcpu 0 wakes: at the kernel's other entry, told where start_info and the record are. */
export function suspendedContext(entry: EntryState, startInfoMfn: number, index: Pfn): Uint8Array {
  const context = new Uint8Array(VCPU_GUEST_CONTEXT_SIZE);
  const view = new DataView(context.buffer);
  const put = (name: keyof typeof userRegs, value: number) =>
    view.setUint32(vcpuGuestContext.user_regs + userRegs[name], value, true);
  view.setUint32(vcpuGuestContext.flags, VGCF_in_kernel | VGCF_online, true);
  put('eip', RESUME_VA);
  put('esp', entry.esp);
  put('esi', entry.esi);
  put('ebx', index);
  put('edx', startInfoMfn);
  put('eflags', EFLAGS_IF);
  put('cs', FLAT_KERNEL_CS);
  for (const segment of ['ss', 'ds', 'es', 'fs', 'gs'] as const) put(segment, FLAT_KERNEL_DS);
  return context;
}

function viewOf(page: Uint8Array): DataView {
  return new DataView(page.buffer, page.byteOffset, page.byteLength);
}
