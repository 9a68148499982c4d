/**
 * The vcpus of a guest: bringing the secondary ones up and down, and interrupting an idle one
 * (linux-2.6.18-xen drivers/xen/core/smpboot.c).
 */
import {
  userRegs,
  VCPU_GUEST_CONTEXT_SIZE,
  VCPUOP_down,
  VCPUOP_initialise,
  VCPUOP_is_up,
  VCPUOP_stop_periodic_timer,
  VCPUOP_up,
  VGCF_in_kernel,
  VGCF_online,
  vcpuGuestContext,
} from '../abi/vcpu';
import { MAX_VIRT_CPUS, type Port } from '../abi/xen';
import { XenError } from '../lib/errno';
import type { EventChannels } from './evtchn';
import type { Hypercalls } from './hypercall';

const FLAT_KERNEL_CS = 0xe019;
const FLAT_KERNEL_DS = 0xe021;
const EFLAGS_IF = 0x200;

/** Plain state. */
export interface SmpState {
  readonly online: boolean[];
  readonly ipiPorts: (Port | undefined)[];
}

export class Vcpus {
  constructor(
    private readonly hypercalls: Hypercalls,
    private readonly events: EventChannels,
    private readonly entry: { readonly eip: number; readonly esp: number; readonly esi: number },
    private readonly state: SmpState,
  ) {}

  /** How many vcpus the toolstack gave this domain. */
  static count(hypercalls: Hypercalls): number {
    for (let vcpu = 1; vcpu < MAX_VIRT_CPUS; vcpu++) {
      try {
        hypercalls.vcpuOp(VCPUOP_is_up, vcpu);
      } catch (error) {
        if (error instanceof XenError) return vcpu;
        throw error;
      }
    }
    return MAX_VIRT_CPUS;
  }

  static initialState(count: number): SmpState {
    return { online: Array.from({ length: count }, (_, i) => i === 0), ipiPorts: Array(count).fill(undefined) };
  }

  get count(): number {
    return this.state.online.length;
  }

  get onlineCount(): number {
    return this.state.online.filter((isOnline) => isOnline).length;
  }

  isOnline(vcpu: number): boolean {
    return this.state.online[vcpu] ?? false;
  }

  /** Vcpu 0 runs already; the timer that Xen gives every vcpu is not needed. */
  startFirst(): void {
    this.#bind(0);
    this.hypercalls.vcpuOp(VCPUOP_stop_periodic_timer, 0);
  }

  bringUp(vcpu: number): void {
    if (this.isOnline(vcpu) || vcpu >= this.count) return;
    try {
      this.hypercalls.vcpuOp(VCPUOP_initialise, vcpu, VCPU_GUEST_CONTEXT_SIZE, (view) => this.#fillContext(view));
    } catch (error) {
      // It was up before.
      if (!(error instanceof XenError) || error.code !== 'EEXIST') throw error;
    }
    if (this.state.ipiPorts[vcpu] === undefined) this.#bind(vcpu);
    this.hypercalls.vcpuOp(VCPUOP_stop_periodic_timer, vcpu);
    this.state.online[vcpu] = true;
    this.hypercalls.vcpuOp(VCPUOP_up, vcpu);
  }

  /** Vcpu 0 cannot go. */
  takeDown(vcpu: number): void {
    if (vcpu === 0 || !this.isOnline(vcpu)) return;
    this.state.online[vcpu] = false;
    this.hypercalls.vcpuOp(VCPUOP_down, vcpu);
  }

  /** Wakes the vcpu when it is idle. */
  kick(vcpu: number): void {
    const port = this.state.ipiPorts[vcpu];
    if (port !== undefined) this.events.notify(port);
  }

  #bind(vcpu: number): void {
    const port = this.events.bindIpi(vcpu);
    this.state.ipiPorts[vcpu] = port;
    // The interrupt has done its work by waking the vcpu.
    this.events.handle(port, () => {});
  }

  #fillContext(view: DataView): void {
    const regs = vcpuGuestContext.user_regs;
    view.setUint32(vcpuGuestContext.flags, VGCF_in_kernel | VGCF_online, true);
    view.setUint32(regs + userRegs.eip, this.entry.eip, true);
    view.setUint16(regs + userRegs.cs, FLAT_KERNEL_CS, true);
    view.setUint32(regs + userRegs.eflags, EFLAGS_IF, true);
    view.setUint32(regs + userRegs.esp, this.entry.esp, true);
    view.setUint16(regs + userRegs.ss, FLAT_KERNEL_DS, true);
    view.setUint32(regs + userRegs.esi, this.entry.esi, true);
  }
}
