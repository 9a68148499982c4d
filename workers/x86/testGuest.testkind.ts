/**
 * A Linux guest on the real hypervisor for tests: built by Domain-0's hypercalls as the toolstack does it, with a console
 * that the test serves.
 */
import { readFileSync } from 'node:fs';
import {
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL,
  XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT,
  XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE,
  XEN_DOMCTL_SHADOW_OP_ENABLE,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_shadow_op,
  XEN_DOMCTL_unpausedomain,
} from '../abi/domctl';
import { EVTCHNOP_alloc_unbound, EVTCHNOP_bind_interdomain, EVTCHNOP_send } from '../abi/eventChannel';
import {
  HVM_PARAM_CONSOLE_EVTCHN,
  HVM_PARAM_CONSOLE_PFN,
  HVM_PARAM_STORE_EVTCHN,
  HVM_PARAM_STORE_PFN,
  HVMOP_set_param,
} from '../abi/hvmParams';
import { XENMEM_populate_physmap } from '../abi/memory';
import { userRegs, VCPU_GUEST_CONTEXT_SIZE, VGCF_online, vcpuGuestContext } from '../abi/vcpu';
import { type Domid, hypercall, PAGE_SIZE } from '../abi/xen';
import type { Domain } from '../hypervisor/domain';
import { failure, ok, type TestHypervisor } from '../hypervisor/testing';
import { seeded } from '../lib/random';
import { wasmHost } from '../platform/wasm';
import { readPvhKernel } from '../xend/image/pvhKernel';
import { layOutPvh } from '../xend/image/pvhLayout';
import type { V86Constructor } from './emulator';
import { X86Machine } from './x86Vcpu';

export const guestImage = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../public/guests/${name}`, import.meta.url)));
export const emulatorWasm = () =>
  new Uint8Array(readFileSync(new URL('../../node_modules/v86/build/v86.wasm', import.meta.url)));

/** Resolves when everything that was held so far is done. */
export class Holds {
  readonly #pending = new Set<Promise<unknown>>();
  readonly hold = (work: Promise<unknown>) => {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  };
  get any(): boolean {
    return this.#pending.size > 0;
  }
  async settled(): Promise<void> {
    while (this.any) await Promise.all(this.#pending);
  }
}

export function testMachine(holds: Holds): X86Machine {
  return new X86Machine({
    load: async () => {
      // @ts-expect-error the package declares no types for this file
      const { V86 } = (await import('v86/build/libv86.mjs')) as { V86: V86Constructor };
      return { V86, wasmBytes: emulatorWasm(), wasm: wasmHost };
    },
    hold: holds.hold,
    random: () => seeded(7),
  });
}

export interface LinuxPlan {
  readonly kernel: Uint8Array;
  readonly ramdisk?: Uint8Array;
  readonly cmdline: string;
  readonly memoryMiB: number;
}

/** A domain with its console; paused until `start`. */
export class TestLinux {
  readonly domain: Domain;
  output = '';
  readonly #consolePfn: number;
  readonly #port: number;
  readonly #entry: readonly [Domid, number, number];
  readonly #xen: TestHypervisor;

  constructor(xen: TestHypervisor, plan: LinuxPlan) {
    const { dom0, hv } = xen;
    this.#xen = xen;
    const { domid } = ok(dom0.domctl(XEN_DOMCTL_createdomain, 0));
    const kernel = readPvhKernel(plan.kernel)!;
    const layout = layOutPvh({
      kernel,
      ramdisk: plan.ramdisk,
      cmdline: plan.cmdline,
      pages: plan.memoryMiB * 256,
    });
    ok(
      dom0.domctl(XEN_DOMCTL_shadow_op, domid, (u) => {
        u.setUint32(0, XEN_DOMCTL_SHADOW_OP_ENABLE, true);
        const mode =
          XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT | XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE | XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL;
        u.setUint32(4, mode, true);
      }),
    );
    ok(dom0.domctl(XEN_DOMCTL_max_vcpus, domid, (u) => u.setUint32(0, 1, true)));
    ok(dom0.domctl(XEN_DOMCTL_max_mem, domid, (u) => u.setBigUint64(0, BigInt(plan.memoryMiB * 1024), true)));
    const list = dom0.alloc(4096);
    for (let first = 0; first < layout.frames.length; first += 1024) {
      const frames = layout.frames.slice(first, first + 1024);
      frames.forEach((frame, i) => {
        dom0.view(list).setUint32(4 * i, frame, true);
      });
      const words = [list, frames.length, 0, 0, domid];
      const { result } = dom0.callWith(hypercall.memory_op, XENMEM_populate_physmap, words);
      if (result !== frames.length) throw new Error(`populate_physmap did ${result}`);
    }
    this.domain = hv.domain(domid);
    for (const { address, bytes } of layout.pieces) this.write(address, bytes);
    this.#consolePfn = layout.consolePfn;
    const allocate = () => {
      const { words } = ok(dom0.callWith(hypercall.event_channel_op, EVTCHNOP_alloc_unbound, [domid, 0]));
      return words[1]!;
    };
    const storePort = allocate();
    const consolePort = allocate();
    for (const [index, value] of [
      [HVM_PARAM_STORE_PFN, layout.storePfn],
      [HVM_PARAM_STORE_EVTCHN, storePort],
      [HVM_PARAM_CONSOLE_PFN, layout.consolePfn],
      [HVM_PARAM_CONSOLE_EVTCHN, consolePort],
    ] as const)
      ok(dom0.callWith(hypercall.hvm_op, HVMOP_set_param, [domid, index, value, 0]));
    this.#port = ok(dom0.callWith(hypercall.event_channel_op, EVTCHNOP_bind_interdomain, [domid, consolePort, 0]))
      .words[2]!;
    this.#entry = [domid, layout.entry, layout.startInfo];
  }

  start(): void {
    ok(this.#xen.dom0.domctl(XEN_DOMCTL_unpausedomain, this.domain.domid));
  }

  write(address: number, bytes: Uint8Array): void {
    const { memory, p2m } = this.domain.space;
    for (let done = 0; done < bytes.length; ) {
      const offset = (address + done) % PAGE_SIZE;
      const part = bytes.subarray(done, done + PAGE_SIZE - offset);
      memory.bytes(p2m.get(Math.floor((address + done) / PAGE_SIZE))!).set(part, offset);
      done += part.length;
    }
  }

  /** Takes what stands in the console ring, as the console daemon does. */
  serveConsole(): void {
    const page = this.#ring();
    let cons = page.getUint32(3080, true);
    const prod = page.getUint32(3084, true);
    if (cons === prod) return;
    const bytes: number[] = [];
    for (; cons !== prod; cons = (cons + 1) >>> 0) bytes.push(page.getUint8(1024 + (cons & 2047)));
    page.setUint32(3080, cons, true);
    this.output += new TextDecoder().decode(Uint8Array.from(bytes));
    this.#notify();
  }

  type(text: string): void {
    const page = this.#ring();
    let prod = page.getUint32(3076, true);
    for (const byte of new TextEncoder().encode(text)) {
      page.setUint8(prod & 1023, byte);
      prod = (prod + 1) >>> 0;
    }
    page.setUint32(3076, prod, true);
    this.#notify();
  }

  #ring(): DataView {
    const { memory, p2m } = this.domain.space;
    const bytes = memory.bytes(p2m.get(this.#consolePfn)!);
    return new DataView(bytes.buffer, bytes.byteOffset, PAGE_SIZE);
  }

  #notify(): void {
    this.#xen.dom0.callWith(hypercall.event_channel_op, EVTCHNOP_send, [this.#port]);
  }

  /** Gives vcpu 0 its registers, waiting for the processor. */
  async prepare(holds: Holds): Promise<void> {
    while (!this.#setEntry()) await holds.settled();
  }

  #setEntry(): boolean {
    const [domid, entry, startInfo] = this.#entry;
    const { dom0 } = this.#xen;
    const context = dom0.alloc(VCPU_GUEST_CONTEXT_SIZE);
    const view = dom0.view(context);
    view.setUint32(vcpuGuestContext.flags, VGCF_online, true);
    view.setUint32(vcpuGuestContext.user_regs + userRegs.eip, entry, true);
    view.setUint32(vcpuGuestContext.user_regs + userRegs.ebx, startInfo, true);
    const { result } = dom0.domctl(XEN_DOMCTL_setvcpucontext, domid, (u) => {
      u.setUint32(0, 0, true);
      u.setBigUint64(8, BigInt(context), true);
    });
    if (failure(result) === 'EAGAIN') return false;
    ok({ result });
    return true;
  }
}

/** Runs the host until `isDone` or for so many virtual seconds; serves the console all the time. */
export async function runUntil(
  xen: TestHypervisor,
  holds: Holds,
  guests: readonly TestLinux[],
  isDone: () => boolean,
  seconds: number,
): Promise<boolean> {
  const endNs = xen.clock.nowNs + seconds * 1e9;
  while (xen.clock.nowNs < endNs) {
    if (holds.any) await holds.settled();
    if (!xen.clock.runNext(xen.clock.nowNs + 1_000_000))
      xen.clock.skipTo(Math.min(xen.clock.nowNs + 1_000_000, xen.clock.nextNs));
    for (const guest of guests) guest.serveConsole();
    if (isDone()) return true;
  }
  return false;
}
