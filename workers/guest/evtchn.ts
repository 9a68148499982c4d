/**
 * Event channels as a kernel sees them: one-bit notifications that arrive in the shared page and are handed to whoever
 * has a handler on the port.
 *
 * The two levels: a vcpu's selector word says which of 32 words of pending bits to look at. Order matters and follows
 * the ABI: clear the vcpu's pending flag, take the selector, then scan the words.
 */
import { NR_EVENT_CHANNELS, sharedInfo, VCPU_INFO_SIZE, vcpuInfo } from '../abi/sharedInfo';
import type { Domid, Port } from '../abi/xen';
import type { Hypercalls } from './hypercall';
import type { EventServices } from './services';

/** Plain state: the vcpu that each port notifies. */
export interface EvtchnState {
  readonly vcpuOfPort: Uint8Array;
}

export class EventChannels implements EventServices {
  readonly #view: DataView;
  readonly #handlers = new Map<Port, () => void>();
  /** The vcpu that executes this code; undefined when daemons or devices act from outside of any slice. */
  executing: number | undefined;
  /** Ports that are held back by `setMasked`. */
  readonly #held = new Set<Port>();

  /** `shared`: the mapped shared_info page. */
  constructor(
    private readonly hypercalls: Hypercalls,
    shared: Uint8Array,
    private readonly state: EvtchnState = { vcpuOfPort: new Uint8Array(NR_EVENT_CHANNELS) },
  ) {
    this.#view = new DataView(shared.buffer, shared.byteOffset, shared.byteLength);
  }

  /** No port has a handler at boot: masks them all. */
  maskAll(): void {
    for (let at = 0; at < NR_EVENT_CHANNELS / 8; at += 4) this.#view.setUint32(sharedInfo.evtchn_mask + at, ~0, true);
  }

  allocUnbound(remote: Domid): Port {
    return this.#opened(this.hypercalls.allocUnbound(remote), 0);
  }

  bindInterdomain(remote: Domid, remotePort: Port): Port {
    return this.#opened(this.hypercalls.bindInterdomain(remote, remotePort), 0);
  }

  bindVirq(virq: number, vcpu = 0): Port {
    return this.#opened(this.hypercalls.bindVirq(virq, vcpu), vcpu);
  }

  bindIpi(vcpu: number): Port {
    return this.#opened(this.hypercalls.bindIpi(vcpu), vcpu);
  }

  /** Sets the handler and unmasks the port; what is pending already is delivered. */
  handle(port: Port, handler: () => void): void {
    this.#handlers.set(port, handler);
    this.unmask(port);
  }

  notify(port: Port): void {
    this.hypercalls.sendEvent(port);
  }

  close(port: Port): void {
    this.mask(port);
    this.#handlers.delete(port);
    this.#held.delete(port);
    this.#held.delete(port);
    this.hypercalls.closePort(port);
  }

  /** Holds a port back (its events stay pending) until it is let go. */
  setMasked(port: Port, masked: boolean): void {
    if (masked) {
      this.#held.add(port);
      this.mask(port);
    } else if (this.#held.delete(port)) this.unmask(port);
  }

  mask(port: Port): void {
    this.#set(sharedInfo.evtchn_mask, port);
  }

  /**
   * Clearing the bit is not enough when the port is pending: the selector must be raised again. For a port of the vcpu
   * that runs, the kernel does so itself; for another vcpu's it asks Xen.
   */
  unmask(port: Port): void {
    const vcpu = this.state.vcpuOfPort[port]!;
    if (vcpu !== this.executing) {
      this.hypercalls.unmaskEvent(port);
      return;
    }
    this.#clear(sharedInfo.evtchn_mask, port);
    if (!this.#isSet(sharedInfo.evtchn_pending, port)) return;
    const info = vcpu * VCPU_INFO_SIZE;
    const selector = info + vcpuInfo.evtchn_pending_sel;
    this.#view.setUint32(selector, this.#view.getUint32(selector, true) | (1 << (port >>> 5)), true);
    this.#view.setUint8(info + vcpuInfo.evtchn_upcall_pending, 1);
  }

  /** Something waits for this vcpu. */
  isPending(vcpu: number): boolean {
    return this.#view.getUint8(vcpu * VCPU_INFO_SIZE + vcpuInfo.evtchn_upcall_pending) !== 0;
  }

  /** The upcall: handles every port that is pending for the vcpu; how many there were. */
  handlePending(vcpu: number): number {
    const info = vcpu * VCPU_INFO_SIZE;
    let handled = 0;
    this.#view.setUint8(info + vcpuInfo.evtchn_upcall_mask, 1);
    while (this.#view.getUint8(info + vcpuInfo.evtchn_upcall_pending) !== 0) {
      this.#view.setUint8(info + vcpuInfo.evtchn_upcall_pending, 0);
      let selector = this.#view.getUint32(info + vcpuInfo.evtchn_pending_sel, true);
      this.#view.setUint32(info + vcpuInfo.evtchn_pending_sel, 0, true);
      while (selector !== 0) {
        const word = 31 - Math.clz32(selector & -selector);
        selector &= selector - 1;
        handled += this.#handleWord(vcpu, word);
      }
    }
    return handled;
  }

  #handleWord(vcpu: number, word: number): number {
    let handled = 0;
    for (;;) {
      const active = this.#activePort(vcpu, word);
      if (active === undefined) return handled;
      this.mask(active);
      this.#clear(sharedInfo.evtchn_pending, active);
      const handler = this.#handlers.get(active);
      // Without a handler the port stays masked: nothing is lost, `handle` unmasks it.
      if (!handler) continue;
      handled++;
      handler();
      if (this.#handlers.has(active) && !this.#held.has(active)) this.unmask(active);
    }
  }

  #activePort(vcpu: number, word: number): Port | undefined {
    const pending = this.#view.getUint32(sharedInfo.evtchn_pending + 4 * word, true);
    let active = pending & ~this.#view.getUint32(sharedInfo.evtchn_mask + 4 * word, true);
    while (active !== 0) {
      const port = word * 32 + 31 - Math.clz32(active & -active);
      if (this.state.vcpuOfPort[port] === vcpu) return port as Port;
      active &= active - 1;
    }
    return undefined;
  }

  #opened(port: Port, vcpu: number): Port {
    this.state.vcpuOfPort[port] = vcpu;
    return port;
  }

  #set(base: number, port: number): void {
    const at = base + 4 * (port >>> 5);
    this.#view.setUint32(at, this.#view.getUint32(at, true) | (1 << (port & 31)), true);
  }

  #clear(base: number, port: number): void {
    const at = base + 4 * (port >>> 5);
    this.#view.setUint32(at, this.#view.getUint32(at, true) & ~(1 << (port & 31)), true);
  }

  #isSet(base: number, port: number): boolean {
    return (this.#view.getUint32(base + 4 * (port >>> 5), true) & (1 << (port & 31))) !== 0;
  }
}
