/**
 * Where a paravirtual kernel wants to be entered for traps and events. Runners of mini guests take events at the start of
 * a slice, so nothing is ever entered here; what the guest registered is kept in its vcpu's context, where save finds it.
 *
 * Source: xen/arch/x86/traps.c and x86_32/traps.c, Xen 3.4.
 */
import { VCPU_GUEST_CONTEXT_SIZE, vcpuGuestContext } from '../../abi/vcpu';
import { errno } from '../../lib/errno';
import type { Call } from '../hypercalls';

const TRAP_CTXT = 584;
const TRAP_INFO_SIZE = 8;
const TRAPS = 256;
const KERNEL_SS = 2708;
const FAILSAFE_CS = 2788;
const CALLBACKOP_register = 0;
const CALLBACKTYPE_event = 0;
const CALLBACKTYPE_failsafe = 1;

export function setTrapTable(call: Call, [table]: readonly number[]): number {
  const context = contextOf(call);
  const traps = new Uint8Array(context.buffer, context.byteOffset + TRAP_CTXT, TRAPS * TRAP_INFO_SIZE);
  if (table === 0) {
    traps.fill(0);
    return 0;
  }
  for (let va = table!; ; va += TRAP_INFO_SIZE) {
    const entry = call.domain.space.read(va, TRAP_INFO_SIZE);
    if (new DataView(entry.buffer).getUint32(4, true) === 0) return 0;
    traps.set(entry, entry[0]! * TRAP_INFO_SIZE);
  }
}

export function setCallbacks(call: Call, [cs, eip, failsafeCs, failsafeEip]: readonly number[]): number {
  putPair(call, vcpuGuestContext.event_callback_cs, cs!, eip!);
  putPair(call, FAILSAFE_CS, failsafeCs!, failsafeEip!);
  return 0;
}

export function stackSwitch(call: Call, [ss, esp]: readonly number[]): number {
  putPair(call, KERNEL_SS, ss!, esp!);
  return 0;
}

export function callbackOp(call: Call, [command, argument]: readonly number[]): number {
  if (command !== CALLBACKOP_register) return -errno.ENOSYS;
  const request = call.domain.space.struct(argument!, 12);
  const offsets: Readonly<Record<number, number>> = {
    [CALLBACKTYPE_event]: vcpuGuestContext.event_callback_cs,
    [CALLBACKTYPE_failsafe]: FAILSAFE_CS,
  };
  const offset = offsets[request.getUint16(0, true)];
  if (offset === undefined) return -errno.ENOSYS;
  putPair(call, offset, request.getUint32(4, true), request.getUint32(8, true));
  return 0;
}

function putPair(call: Call, offset: number, first: number, second: number): void {
  const context = contextOf(call);
  context.setUint32(offset, first, true);
  context.setUint32(offset + 4, second, true);
}

function contextOf({ vcpu }: Call): DataView {
  vcpu.context ??= new Uint8Array(VCPU_GUEST_CONTEXT_SIZE);
  return new DataView(vcpu.context.buffer, vcpu.context.byteOffset, vcpu.context.byteLength);
}
