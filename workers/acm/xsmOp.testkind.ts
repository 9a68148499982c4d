/** xsm_op hypercalls of a test guest. */
import { ACM_INTERFACE_VERSION, ACM_OP_SIZE } from '../abi/acm';
import { hypercall } from '../abi/xen';
import type { TestGuest } from '../hypervisor/testing';

/** `fill` writes the operation's structure. */
export function xsmOp(
  guest: TestGuest,
  command: number,
  fill: (fields: DataView) => void,
  version = ACM_INTERFACE_VERSION,
) {
  const va = guest.alloc(ACM_OP_SIZE);
  const view = guest.view(va);
  view.setUint32(0, command, true);
  view.setUint32(4, version, true);
  const fields = new DataView(view.buffer, view.byteOffset + 8, ACM_OP_SIZE - 8);
  fill(fields);
  return { result: guest.call(hypercall.xsm_op, va), fields };
}

/** Bytes in the guest's memory. */
export function buffer(guest: TestGuest, bytes: Uint8Array): number {
  const va = guest.alloc(bytes.length);
  bytes.forEach((byte, i) => {
    guest.view(va + i).setUint8(0, byte);
  });
  return va;
}

export const words = (...list: readonly number[]) => new Uint8Array(Uint32Array.from(list).buffer);

/** Addresses and sizes of an operation's buffers, as they follow one another. */
export function fillBuffers(fields: DataView, ...buffers: readonly (readonly [va: number, bytes: number])[]): void {
  buffers.forEach(([va, bytes], i) => {
    fields.setBigUint64(16 * i, BigInt(va), true);
    fields.setUint32(16 * i + 8, bytes, true);
  });
}
