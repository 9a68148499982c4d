/**
 * For tests of the kernel's Xen side: a processor and just enough of a hypervisor for one domain. Ports are numbers
 * counted up, grants are entries that nobody else looks at, time stands where the test puts it.
 */
import { type EntryState, type GuestCpu, MAP_WINDOW_START, PageFault, VIRT_BASE } from '../abi/cpu';
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_ipi,
  EVTCHNOP_bind_virq,
  EVTCHNOP_send,
  EVTCHNOP_unmask,
} from '../abi/eventChannel';
import { GNTTABOP_query_size, GNTTABOP_setup_table } from '../abi/grantTable';
import { XENMEM_decrease_reservation, XENMEM_memory_map, XENMEM_populate_physmap } from '../abi/memory';
import { SCHEDOP_block, SCHEDOP_shutdown } from '../abi/sched';
import { SharedInfoPage, sharedInfo, VCPU_INFO_SIZE, vcpuInfo, vcpuTimeInfo } from '../abi/sharedInfo';
import { SIF_INITDOMAIN, SIF_PRIVILEGED, START_INFO_MAGIC, startInfo } from '../abi/startInfo';
import { VCPUOP_is_up } from '../abi/vcpu';
import { hypercall, type Mfn, PAGE_SIZE } from '../abi/xen';
import { errno } from '../lib/errno';
import { kernelImage } from './kernelImage';

const FIRST_MFN = 1000;
const SHARED_MFN = 50;
const GRANT_MFN = 60;
/** Pages of the builder's: kernel 2, ramdisk, P2M, start_info, store, console, page table, stack. */
const KERNEL_PAGES = 2;

export interface FakeOptions {
  readonly pages?: number;
  readonly maxPages?: number;
  readonly vcpus?: number;
  readonly commandLine?: string;
  readonly ramdisk?: Uint8Array;
  readonly isDom0?: boolean;
}

export class FakeCpu implements GuestCpu {
  readonly entry: EntryState;
  readonly frames = new Map<number, Uint8Array>();
  readonly shared: SharedInfoPage;
  readonly storePage: Uint8Array;
  readonly consolePage: Uint8Array;
  readonly storePort = 1;
  readonly consolePort = 2;
  /** Ports that were notified, in order. */
  readonly sent: number[] = [];
  readonly xenConsole: number[] = [];
  nowNs = 5_000_000_000;
  timerNs = 0;
  isBlocked = false;
  shutdownReason: number | undefined;
  online = new Set([0]);
  readonly p2m: (number | undefined)[] = [];
  readonly #window = new Map<number, number>();
  readonly #portVcpu = new Map<number, number>();
  readonly #ipis = new Set<number>();
  #nextPort = 3;
  #nextMfn: number;
  virqTimerPort = 0;

  constructor(readonly options: FakeOptions = {}) {
    const pages = options.pages ?? 512;
    for (let pfn = 0; pfn < pages; pfn++) this.p2m[pfn] = FIRST_MFN + pfn;
    this.#nextMfn = FIRST_MFN + pages;
    this.shared = new SharedInfoPage(this.frame(SHARED_MFN));
    for (let vcpu = 0; vcpu < 32; vcpu++) {
      const time = vcpu * VCPU_INFO_SIZE + vcpuInfo.time;
      this.shared.view.setUint32(time + vcpuTimeInfo.version, 2, true);
      this.shared.view.setUint32(time + vcpuTimeInfo.tsc_to_system_mul, 0x8000_0000, true);
      this.shared.view.setInt8(time + vcpuTimeInfo.tsc_shift, 1);
    }
    this.shared.view.setUint32(sharedInfo.wc_sec, 1_200_000_000, true);
    const ramdisk = options.ramdisk ?? new Uint8Array(0);
    const ramdiskPages = Math.ceil(ramdisk.length / PAGE_SIZE);
    const image = kernelImage().subarray(PAGE_SIZE);
    for (let i = 0; i < KERNEL_PAGES; i++) this.pfnBytes(i).set(image.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
    for (let i = 0; i < ramdiskPages; i++)
      this.pfnBytes(KERNEL_PAGES + i).set(ramdisk.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
    const p2mPfn = KERNEL_PAGES + ramdiskPages;
    const info = p2mPfn + Math.ceil(pages / 1024);
    const va = (pfn: number) => VIRT_BASE + pfn * PAGE_SIZE;
    const bytes = this.pfnBytes(info);
    const view = new DataView(bytes.buffer);
    const put = (field: number, value: number) => view.setUint32(field, value, true);
    bytes.set(new TextEncoder().encode(START_INFO_MAGIC));
    put(startInfo.nr_pages, pages);
    put(startInfo.shared_info, SHARED_MFN * PAGE_SIZE);
    put(startInfo.flags, options.isDom0 ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0);
    put(startInfo.store_mfn, FIRST_MFN + info + 1);
    put(startInfo.store_evtchn, this.storePort);
    put(startInfo.console_mfn, FIRST_MFN + info + 2);
    put(startInfo.console_evtchn, this.consolePort);
    put(startInfo.pt_base, va(info + 3));
    put(startInfo.nr_pt_frames, 1);
    put(startInfo.mfn_list, va(p2mPfn));
    if (ramdisk.length > 0) put(startInfo.mod_start, va(KERNEL_PAGES));
    put(startInfo.mod_len, ramdisk.length);
    bytes.set(new TextEncoder().encode(options.commandLine ?? ''), startInfo.cmd_line);
    this.storePage = this.pfnBytes(info + 1);
    this.consolePage = this.pfnBytes(info + 2);
    this.entry = { vcpu: 0, eip: VIRT_BASE, esp: va(info + 5), esi: va(info), ebx: 0, edx: 0 };
  }

  frame(mfn: number): Uint8Array {
    const known = this.frames.get(mfn);
    if (known) return known;
    const bytes = new Uint8Array(PAGE_SIZE);
    this.frames.set(mfn, bytes);
    return bytes;
  }

  pfnBytes(pfn: number): Uint8Array {
    return this.frame(this.p2m[pfn]!);
  }

  peek(va: number): Uint8Array {
    return this.page(va);
  }

  page(va: number): Uint8Array {
    const mfn = va >= VIRT_BASE ? this.p2m[(va - VIRT_BASE) >>> 12] : this.#window.get(va >>> 12);
    if (mfn === undefined) throw new PageFault(va);
    return this.frame(mfn);
  }

  mfnOf(pfn: number): Mfn | undefined {
    return this.p2m[pfn] as Mfn | undefined;
  }

  tsc(): number {
    return this.nowNs;
  }

  /** An event arrives. */
  raise(port: number): void {
    if (this.shared.testAndSetPending(port) || this.shared.isMasked(port)) return;
    this.#deliver(port);
  }

  /** Tells the vcpu that the port belongs to. */
  #deliver(port: number): void {
    const info = (this.#portVcpu.get(port) ?? 0) * VCPU_INFO_SIZE;
    const selector = info + vcpuInfo.evtchn_pending_sel;
    this.shared.view.setUint32(selector, this.shared.view.getUint32(selector, true) | (1 << (port >>> 5)), true);
    this.shared.view.setUint8(info + vcpuInfo.evtchn_upcall_pending, 1);
    this.isBlocked = false;
  }

  hypercall(vcpu: number, op: number, ...args: readonly number[]): number {
    const [first = 0, second = 0] = args;
    switch (op) {
      case hypercall.update_va_mapping:
        return this.#map(first, second, args[2] ?? 0);
      case hypercall.event_channel_op:
        return this.#evtchnOp(first, second);
      case hypercall.grant_table_op:
        return this.#grantOp(first, second);
      case hypercall.vcpu_op:
        return second >= (this.options.vcpus ?? 1)
          ? -errno.ENOENT
          : first === VCPUOP_is_up
            ? 0
            : this.#vcpuOp(first, second);
      case hypercall.set_timer_op:
        this.timerNs = first + second * 2 ** 32;
        return 0;
      case hypercall.sched_op:
        return this.#schedOp(vcpu, first, second);
      case hypercall.memory_op:
        return this.#memoryOp(first, second);
      case hypercall.console_io:
        if (first === 1) return 0;
        this.xenConsole.push(...this.page(args[2]!).subarray(0, second));
        return 0;
      case hypercall.xen_version:
        if (first === 0) return 0x30004;
        this.page(second).set(new TextEncoder().encode('.0\0'), second % PAGE_SIZE);
        return 0;
      default:
        return -errno.ENOSYS;
    }
  }

  #view(va: number): DataView {
    const page = this.page(va);
    return new DataView(page.buffer, page.byteOffset + (va % PAGE_SIZE));
  }

  #map(va: number, low: number, high: number): number {
    if (va < MAP_WINDOW_START || va >= VIRT_BASE) return -errno.EINVAL;
    if ((low & 1) === 0) this.#window.delete(va >>> 12);
    else this.#window.set(va >>> 12, (low >>> 12) | (high << 20));
    return 0;
  }

  #evtchnOp(command: number, va: number): number {
    const view = this.#view(va);
    if (command === EVTCHNOP_send) {
      const port = view.getUint32(0, true);
      this.sent.push(port);
      if (this.#ipis.has(port)) this.raise(port);
    } else if (command === EVTCHNOP_unmask) {
      const port = view.getUint32(0, true);
      if (this.shared.testAndClearMask(port) && this.shared.isPending(port)) this.#deliver(port);
    } else if (command === EVTCHNOP_alloc_unbound) view.setUint32(4, this.#nextPort++, true);
    else if (command === EVTCHNOP_bind_ipi) {
      this.#ipis.add(this.#nextPort);
      this.#portVcpu.set(this.#nextPort, view.getUint32(0, true));
      view.setUint32(4, this.#nextPort++, true);
    } else if (command === EVTCHNOP_bind_virq) {
      if (view.getUint32(0, true) === 0) this.virqTimerPort = this.#nextPort;
      view.setUint32(8, this.#nextPort++, true);
    }
    return 0;
  }

  #grantOp(command: number, va: number): number {
    const view = this.#view(va);
    if (command === GNTTABOP_setup_table) {
      const list = this.#view(view.getUint32(12, true));
      for (let i = 0; i < view.getUint32(4, true); i++) list.setUint32(4 * i, GRANT_MFN + i, true);
    } else if (command === GNTTABOP_query_size) view.setUint32(8, 32, true);
    return 0;
  }

  #vcpuOp(command: number, vcpu: number): number {
    if (command === 1) this.online.add(vcpu);
    if (command === 2) this.online.delete(vcpu);
    return 0;
  }

  #schedOp(vcpu: number, command: number, va: number): number {
    if (command === SCHEDOP_block) {
      const info = vcpu * VCPU_INFO_SIZE;
      this.shared.view.setUint8(info + vcpuInfo.evtchn_upcall_mask, 0);
      this.isBlocked = this.shared.view.getUint8(info + vcpuInfo.evtchn_upcall_pending) === 0;
    } else if (command === SCHEDOP_shutdown) this.shutdownReason = this.#view(va).getUint32(0, true);
    return 0;
  }

  #memoryOp(command: number, va: number): number {
    const view = this.#view(va);
    if (command === XENMEM_memory_map) {
      if (this.options.maxPages === undefined) return -errno.ENOSYS;
      const list = this.#view(view.getUint32(4, true));
      list.setBigUint64(8, BigInt(this.options.maxPages * PAGE_SIZE), true);
      list.setUint32(16, 1, true);
      view.setUint32(0, 1, true);
      return 0;
    }
    const list = this.#view(view.getUint32(0, true));
    const count = view.getUint32(4, true);
    for (let i = 0; i < count; i++) {
      const frame = list.getUint32(4 * i, true);
      if (command === XENMEM_decrease_reservation) this.p2m[this.p2m.indexOf(frame)] = undefined;
      else if (command === XENMEM_populate_physmap) {
        this.p2m[frame] = this.#nextMfn;
        list.setUint32(4 * i, this.#nextMfn++, true);
      }
    }
    return count;
  }
}
