/**
 * A hypervisor for tests: real in every part, with guests whose "instructions" are a function given by the test.
 *
 * Guests are built by hypercalls of Domain-0, as the toolstack builds them. `TestGuest.call` makes a hypercall from outside
 * of a slice, which is how Domain-0's asynchronous tools do it too.
 */
import { type FindRunner, type GuestCpu, type TranslatedCpu, VIRT_BASE } from '../abi/cpu';
import {
  DOMCTL_SIZE,
  domctl,
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_INTERFACE_VERSION,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_sethvmcontext,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_shadow_op,
  XEN_DOMCTL_unpausedomain,
} from '../abi/domctl';
import { encodeHvmContext, HVM_HW_CPU_SIZE, HVM_SAVE_CODE_CPU } from '../abi/hvmSave';
import { XENMEM_populate_physmap } from '../abi/memory';
import { SCHEDOP_block } from '../abi/sched';
import { VCPU_GUEST_CONTEXT_SIZE, VGCF_online, vcpuGuestContext } from '../abi/vcpu';
import { type Domid, hypercall, PAGE_SIZE } from '../abi/xen';
import { VirtualClock } from '../lib/clock';
import { type ErrnoName, errnoName } from '../lib/errno';
import { seeded } from '../lib/random';
import type { Domain } from './domain';
import { Hypervisor, type MachineAction } from './hypervisor';
import { chooseScheduler } from './sched';
import type { Topology } from './topology';
import type { SecurityHooks } from './xsm/hooks';

/** What a vcpu does in a slice: its cost in ns. */
export type Script = (guest: TestGuest, vcpu: number, budgetNs: number) => number;

/** Waits for events and does nothing else. */
export const idle: Script = (guest, vcpu) => {
  guest.cpu.hypercall(vcpu, hypercall.sched_op, SCHEDOP_block, 0);
  return 1000;
};

/** A flat kernel image; what it does is the guest's script. */
const KERNEL = new Uint8Array(4096).fill(0x90);
/** Below this the test guests' own parts lie (image, start_info); scratch memory starts here. */
const XEN_DOMCTL_SHADOW_OP_ENABLE = 32;
const REFCOUNT_TRANSLATE_EXTERNAL = 2 | 8 | 16;
const SCRATCH = VIRT_BASE + 0x80_0000;

export class TestGuest {
  script: Script = idle;
  #next: number;

  constructor(
    readonly hv: Hypervisor,
    readonly domain: Domain,
    scratch: number,
  ) {
    this.#next = scratch;
    this.cpu = hv.guestCpu(domain);
  }

  cpu: GuestCpu;

  get domid(): Domid {
    return this.domain.domid;
  }

  /** Zeroed memory that does not cross a page when it fits one. */
  alloc(bytes: number): number {
    if ((this.#next % PAGE_SIZE) + bytes > PAGE_SIZE) this.#next = Math.ceil(this.#next / PAGE_SIZE) * PAGE_SIZE;
    const va = this.#next;
    this.#next += Math.ceil(bytes / 8) * 8;
    return va;
  }

  view(va: number): DataView {
    const page = this.cpu.page(va);
    return new DataView(page.buffer, page.byteOffset + (va % PAGE_SIZE), PAGE_SIZE - (va % PAGE_SIZE));
  }

  /** A hypercall on vcpu 0. */
  call(op: number, ...args: readonly number[]): number {
    return this.cpu.hypercall(0, op, ...args);
  }

  /** A hypercall with a structure of 32-bit words; answers the result and the words afterwards. */
  callWith(op: number, command: number, words: readonly number[], ...more: readonly number[]) {
    const va = this.alloc(words.length * 4);
    const view = this.view(va);
    words.forEach((word, i) => {
      view.setUint32(4 * i, word, true);
    });
    const result = this.call(op, command, va, ...more);
    return { result, words: words.map((_, i) => view.getUint32(4 * i, true)), view };
  }

  /** A domctl; `fill` writes the union. Answers the result and the union afterwards. */
  domctl(command: number, domid: number, fill: (union: DataView) => void = () => {}) {
    const va = this.alloc(DOMCTL_SIZE);
    const view = this.view(va);
    view.setUint32(domctl.cmd, command, true);
    view.setUint32(domctl.interface_version, XEN_DOMCTL_INTERFACE_VERSION, true);
    view.setUint16(domctl.domain, domid, true);
    const union = new DataView(view.buffer, view.byteOffset + domctl.u, 128);
    fill(union);
    const result = this.call(hypercall.domctl, va);
    return { result, domid: view.getUint16(domctl.domain, true) as Domid, union };
  }
}

export interface TestHypervisorOptions {
  readonly memoryMiB?: number;
  readonly dom0MiB?: number;
  readonly topology?: Topology;
  readonly commandLine?: string;
  readonly hooks?: SecurityHooks;
  /** Asked before a domain's script is looked for. */
  readonly findRunner?: FindRunner;
}

export class TestHypervisor {
  readonly clock = new VirtualClock();
  readonly hv: Hypervisor;
  readonly dom0: TestGuest;
  readonly actions: MachineAction[] = [];
  /** What runners threw. */
  readonly faults: unknown[] = [];
  readonly #guests = new Map<Domid, TestGuest>();
  #serial = '';

  constructor(options: TestHypervisorOptions = {}) {
    const commandLine = options.commandLine ?? '';
    const decoder = new TextDecoder();
    this.hv = new Hypervisor({
      clock: this.clock,
      random: seeded(1),
      topology: options.topology ?? { sockets: 1, cores: 2, threads: 1 },
      memoryMiB: options.memoryMiB ?? 256,
      scheduler: chooseScheduler(/sched=(\S+)/.exec(commandLine)?.[1]),
      commandLine,
      bootUnixSeconds: 1_200_000_000,
      serialOut: (bytes) => {
        this.#serial += decoder.decode(bytes);
      },
      onMachineAction: (action) => this.actions.push(action),
      onGuestFault: (_domid, error) => this.faults.push(error),
      findRunner: (cpu, entry) =>
        options.findRunner?.(cpu, entry) ?? {
          run: (vcpu, budgetNs) => {
            const guest = [...this.#guests.values()].find(({ domain }) => domain.cpu === cpu)!;
            return guest.script(guest, vcpu, budgetNs);
          },
          prepare: () => {
            if (cpu.translated) attachFlatMemory(cpu.translated);
            return true;
          },
        },
      ...(options.hooks ? { hooks: options.hooks } : {}),
    });
    this.hv.boot();
    const dom0 = this.hv.createDom0({ memoryMiB: options.dom0MiB ?? 64, kernel: KERNEL, cmdline: 'root=/dev/sda3' });
    this.dom0 = new TestGuest(this.hv, dom0, SCRATCH);
    this.#guests.set(dom0.domid, this.dom0);
  }

  /** Everything printed on the serial line, without carriage returns. */
  get serial(): string {
    return this.#serial.replaceAll('\r', '');
  }

  /** A running domain of `pages` pages (pfn 0 up), built by Domain-0; translated ones find them at VIRT_BASE too. */
  createGuest({
    pages = 64,
    vcpus = 1,
    script = idle,
    ssidref = 0,
    isTranslated = false,
  }: {
    pages?: number;
    vcpus?: number;
    script?: Script;
    ssidref?: number;
    isTranslated?: boolean;
  } = {}) {
    const { dom0 } = this;
    const { domid } = ok(dom0.domctl(XEN_DOMCTL_createdomain, 0, (u) => u.setUint32(0, ssidref, true)));
    if (isTranslated)
      ok(
        dom0.domctl(XEN_DOMCTL_shadow_op, domid, (u) => {
          u.setUint32(0, XEN_DOMCTL_SHADOW_OP_ENABLE, true);
          u.setUint32(4, REFCOUNT_TRANSLATE_EXTERNAL, true);
        }),
      );
    ok(dom0.domctl(XEN_DOMCTL_max_vcpus, domid, (u) => u.setUint32(0, vcpus, true)));
    ok(dom0.domctl(XEN_DOMCTL_max_mem, domid, (u) => u.setBigUint64(0, BigInt(pages * 4), true)));
    for (let first = 0; first < pages; first += 1024) this.#populate(domid, first, Math.min(1024, pages - first));
    const guest = new TestGuest(this.hv, this.hv.domain(domid), VIRT_BASE);
    guest.script = script;
    this.#guests.set(domid, guest);
    ok({ result: isTranslated ? this.setHvmContext(domid) : this.#setContext(domid) });
    ok(dom0.domctl(XEN_DOMCTL_unpausedomain, domid));
    return guest;
  }

  #setContext(domid: Domid): number {
    const context = this.dom0.alloc(VCPU_GUEST_CONTEXT_SIZE);
    this.dom0.view(context).setUint32(vcpuGuestContext.flags, VGCF_online, true);
    return this.dom0.domctl(XEN_DOMCTL_setvcpucontext, domid, (u) => {
      u.setUint32(0, 0, true);
      u.setBigUint64(8, BigInt(context), true);
    }).result;
  }

  /** Registers of zero for vcpu 0 of a translated domain. */
  setHvmContext(domid: Domid): number {
    const cpu = { type: HVM_SAVE_CODE_CPU, instance: 0, bytes: new Uint8Array(HVM_HW_CPU_SIZE) };
    const context = encodeHvmContext([cpu]);
    const buffer = this.dom0.alloc(context.length);
    context.forEach((byte, i) => {
      this.dom0.view(buffer + i).setUint8(0, byte);
    });
    return this.dom0.domctl(XEN_DOMCTL_sethvmcontext, domid, (u) => {
      u.setUint32(0, context.length, true);
      u.setBigUint64(8, BigInt(buffer), true);
    }).result;
  }

  #populate(domid: Domid, first: number, count: number): void {
    const { dom0 } = this;
    const list = dom0.alloc(4 * count);
    for (let i = 0; i < count; i++) dom0.view(list + 4 * i).setUint32(0, first + i, true);
    const { result } = dom0.callWith(hypercall.memory_op, XENMEM_populate_physmap, [list, count, 0, 0, domid]);
    if (result !== count) throw new Error(`populate_physmap did ${result} of ${count}`);
  }

  /** Runs everything for so long. */
  advance(ns: number): void {
    this.clock.advanceTo(this.clock.nowNs + ns);
  }
}

/** A processor of which nothing is there but its memory, mapped from VIRT_BASE on. */
function attachFlatMemory(cpu: TranslatedCpu): void {
  const memory = new Uint8Array(cpu.frames * PAGE_SIZE);
  cpu.attachMemory(memory, (va) => {
    const address = va - VIRT_BASE;
    return address >= 0 && address < memory.length ? address : undefined;
  });
}

/** Throws when a hypercall failed. */
export function ok<T extends { readonly result: number }>(answer: T): T {
  if (answer.result < 0) throw new Error(`hypercall failed: ${errnoName(-answer.result)}`);
  return answer;
}

/** The errno's name of a negative result. */
export function failure(result: number): ErrnoName | undefined {
  return result < 0 ? errnoName(-result) : undefined;
}
