/**
 * How a domctl or sysctl goes through Domain-0's privcmd device: the operation's bytes in a buffer that the hypervisor can
 * read, and nothing left behind whatever comes of it.
 *
 * Layouts: xen/include/public/{domctl,sysctl}.h, Xen 3.4. 64-bit fields are 8-byte aligned, pointers take 8 bytes.
 */
import { DOMCTL_SIZE, XEN_DOMCTL_INTERFACE_VERSION } from '../abi/domctl';
import { SYSCTL_SIZE, XEN_SYSCTL_INTERFACE_VERSION } from '../abi/sysctl';
import { hypercall } from '../abi/xen';
import type { HypercallBuffer, Privcmd } from '../guest/services';

export class XcCalls {
  constructor(readonly privcmd: Privcmd) {}

  protected domctl(command: number, domid: number, fill?: (op: HypercallBuffer) => void): void;
  protected domctl<T>(
    command: number,
    domid: number,
    fill: (op: HypercallBuffer) => void,
    result: (op: HypercallBuffer) => T,
  ): T;
  protected domctl<T>(
    command: number,
    domid: number,
    fill: (op: HypercallBuffer) => void = () => {},
    result?: (op: HypercallBuffer) => T,
  ): T | undefined {
    return this.withBuffer(DOMCTL_SIZE, (op) => {
      op.u32(0, command);
      op.u32(4, XEN_DOMCTL_INTERFACE_VERSION);
      op.u16(8, domid);
      fill(op);
      this.privcmd.hypercall(hypercall.domctl, op.va);
      return result?.(op);
    });
  }

  protected sysctl(command: number, fill: (op: HypercallBuffer) => void): void;
  protected sysctl<T>(command: number, fill: (op: HypercallBuffer) => void, result: (op: HypercallBuffer) => T): T;
  protected sysctl<T>(
    command: number,
    fill: (op: HypercallBuffer) => void,
    result?: (op: HypercallBuffer) => T,
  ): T | undefined {
    return this.withBuffer(SYSCTL_SIZE, (op) => {
      op.u32(0, command);
      op.u32(4, XEN_SYSCTL_INTERFACE_VERSION);
      fill(op);
      this.privcmd.hypercall(hypercall.sysctl, op.va);
      return result?.(op);
    });
  }

  protected withBuffer<T>(size: number, body: (buffer: HypercallBuffer) => T): T {
    const buffer = this.privcmd.alloc(size);
    try {
      return body(buffer);
    } finally {
      buffer.free();
    }
  }
}
