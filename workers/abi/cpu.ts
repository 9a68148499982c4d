/**
 * The seam between the hypervisor and whatever executes a domain's instructions.
 *
 * On real hardware a vcpu is run by the processor. Here each kind of guest brings a runner (the mini kernel in
 * TypeScript, an x86 emulator); the hypervisor's scheduler decides when each vcpu gets a slice, and a guest reaches the
 * hypervisor by what stands in `GuestCpu` and by nothing else: the hypercall instruction, memory, the time stamp counter.
 */
import type { Mfn } from './xen';

/** A guest touched an address that nothing is mapped at. The guest kernel's bug: it crashes that domain only. */
export class PageFault extends Error {
  override readonly name = 'PageFault';
  constructor(readonly address: number) {
    super(`page fault at 0x${address.toString(16)}`);
  }
}

/** What a domain's virtual processors can do; handed to the runner of that domain, one object per domain. */
export interface GuestCpu {
  /**
   * The hypercall instruction on `vcpu`: number and up to six register values (unsigned 32 bit each; 64-bit arguments
   * take two, low half first; pointers are guest virtual addresses). Returns what lands in EAX as a signed number:
   * negative errno on failure. After SCHEDOP_block, _yield, _poll or _shutdown the runner must return from `run` soon.
   */
  hypercall(vcpu: number, op: number, ...args: readonly number[]): number;
  /**
   * The 4096 bytes of the page at virtual address `va` (low 12 bits ignored), as a view on the machine frame. It stays
   * valid while the mapping does: do not keep it across an unmap, a balloon operation or a grant unmap.
   * Throws PageFault when nothing is mapped there.
   */
  page(va: number): Uint8Array;
  /** The same for somebody who only reads, now: undefined when the page is all zeroes because nobody has written to it yet. */
  peek(va: number): Uint8Array | undefined;
  /** The time stamp counter of `vcpu`, which ticks at 1 GHz from host boot: ns as a safe integer, exact inside a slice. */
  tsc(vcpu: number): number;
  /**
   * The machine frame at a guest-physical frame: what the mini kernel would find in its P2M list. Undefined when the
   * frame is ballooned out.
   */
  mfnOf(pfn: number): Mfn | undefined;
  /** A translated domain's processor: present exactly when the domain has page tables of its own. */
  readonly translated?: TranslatedCpu;
}

/** Guest-physical address of a virtual one by the guest's own page tables; undefined: not mapped (for such an access). */
export type TranslateAddress = (va: number, isWrite: boolean) => number | undefined;

/**
 * What a domain whose pseudo-physical map Xen keeps (auto-translated, domctl shadow_op) has beyond `GuestCpu`: real page
 * tables, memory of its own, halting, interrupts. It is to the runner what VM entry and VM exit are to a processor.
 */
export interface TranslatedCpu {
  readonly domid: number;
  /** Guest frames that its memory must have room for; none at or above this number will ever be used. */
  readonly frames: number;
  /**
   * From now on the bytes of guest frame n are memory[4096·n …]. Contents that the domain has so far are copied there.
   * Call it again whenever the bytes have moved; nothing is copied then.
   */
  attachMemory(memory: Uint8Array, translate: TranslateAddress): void;
  /** The registers that the toolstack gave `vcpu` (struct hvm_hw_cpu), to start with. */
  registers(vcpu: number): Uint8Array;
  /** The interrupt that Xen wants delivered to `vcpu` as soon as it accepts one. */
  pendingVector(vcpu: number): number | undefined;
  /** The hlt instruction: waits for an event; with interrupts off the vcpu goes down for good (hvm_hlt in Xen 3.4). */
  halt(vcpu: number, acceptsInterrupts: boolean): void;
  /** The domain's power switch or reset line: a SHUTDOWN_* reason. */
  shutdown(reason: number): void;
  /** Fills a page of hypercall stubs (a write to Xen's MSR); false: there is no such frame, #GP is due. */
  writeHypercallPage(gpfn: number): boolean;
}

/** Runs the vcpus of one domain. */
export interface VcpuRunner {
  /**
   * Runs `vcpu` from now for at most about `budgetNs` of cpu time and returns how much it used (0 … may overshoot; the
   * excess is charged before the next call). All effects (hypercalls, memory) happen at the host's current time plus what
   * was reported so far through `GuestCpu.tsc`. Returns early when the vcpu blocks; a runner that returns 0 without
   * having blocked is a bug. An exception is a triple fault: the domain crashes.
   */
  run(vcpu: number, budgetNs: number): number;
  /**
   * Gets ready to run with new registers; for a translated domain asked when the toolstack sets them, again and again until
   * it answers true. Throws when it cannot get ready. Pages may be shared with others only afterwards: their bytes may move.
   */
  prepare?(): boolean;
  /**
   * The registers of `vcpu` between two slices: a vcpu_guest_context, of a translated domain a struct hvm_hw_cpu.
   * Undefined: still those that the toolstack gave it.
   */
  registers?(vcpu: number): Uint8Array | undefined;
  /** Somebody else than the vcpus has written to this guest frame: what was kept of the code in it is void. */
  written?(gpfn: number): void;
  /** The domain is gone: let go of everything. */
  dispose?(): void;
}

/** Register state with which a vcpu starts; the part of vcpu_guest_context that matters before the first instruction. */
export interface EntryState {
  readonly vcpu: number;
  readonly eip: number;
  readonly esp: number;
  /** PV: virtual address of start_info. */
  readonly esi: number;
  readonly ebx: number;
  readonly edx: number;
}

/**
 * Finds what can execute the instructions at `entry.eip`; asked once per domain, when its vcpu 0 is run for the first
 * time. Undefined: no runner understands this code, which crashes the domain (invalid opcode).
 */
export type FindRunner = (cpu: GuestCpu, entry: EntryState) => VcpuRunner | undefined;

/**
 * Guest virtual address space of a paravirtual mini guest. Page tables are not modelled as bytes; instead
 * [VIRT_BASE, VIRT_BASE + 4096·pages) is the direct map (pfn 0 first), and the window below it holds whatever the guest
 * maps by hypercall: grants (map_grant_ref) and, for privileged domains, foreign frames
 * (update_va_mapping_otherdomain).
 */
export const VIRT_BASE = 0x4000_0000;
export const MAP_WINDOW_START = 0x0040_0000;
export const MAP_WINDOW_END = VIRT_BASE;
