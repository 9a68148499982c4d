/**
 * The registers of vcpus: as their runner has them now, in the form in which the toolstack and Xen's own dumps want them.
 *
 * Source: arch_get_info_guest (xen/arch/x86/domctl.c) and hvm_store_cpu_guest_regs (xen/arch/x86/hvm/hvm.c), Xen 3.4.
 */
import type { EntryState } from '../abi/cpu';
import { hvmHwCpu, hvmSegments } from '../abi/hvmSave';
import { userRegs, VCPU_GUEST_CONTEXT_SIZE, vcpuGuestContext } from '../abi/vcpu';
import type { Vcpu } from './vcpu';

/** A vcpu_guest_context, or for a translated domain a struct hvm_hw_cpu; undefined before it has any. */
export function registersOf(vcpu: Vcpu): Uint8Array | undefined {
  return vcpu.context && (vcpu.domain.runner?.registers?.(vcpu.id) ?? vcpu.context);
}

/** A vcpu_guest_context of any domain's vcpu, a copy; undefined before it has registers. */
export function guestContextOf(vcpu: Vcpu): Uint8Array | undefined {
  const registers = registersOf(vcpu);
  return registers && (vcpu.domain.isTranslated ? fromHvm(registers) : registers.slice());
}

/** Where the first vcpu begins. */
export function entryState(vcpu: Vcpu): EntryState | undefined {
  const context = vcpu.context && (vcpu.domain.isTranslated ? fromHvm(vcpu.context) : vcpu.context);
  if (!context) return undefined;
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength);
  const register = (offset: number) => view.getUint32(vcpuGuestContext.user_regs + offset, true);
  return {
    vcpu: 0,
    eip: register(userRegs.eip),
    esp: register(userRegs.esp),
    esi: register(userRegs.esi),
    ebx: register(userRegs.ebx),
    edx: register(userRegs.edx),
  };
}

function fromHvm(record: Uint8Array): Uint8Array {
  const from = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const context = new Uint8Array(VCPU_GUEST_CONTEXT_SIZE);
  const to = new DataView(context.buffer);
  const put = (name: keyof typeof userRegs, value: number) =>
    to.setUint32(vcpuGuestContext.user_regs + userRegs[name], value, true);
  const general = ['ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'eax', 'eip', 'esp'] as const;
  for (const name of general) put(name, from.getUint32(hvmHwCpu[`r${name.slice(1)}` as keyof typeof hvmHwCpu], true));
  put('eflags', from.getUint32(hvmHwCpu.rflags, true));
  for (const name of ['cs', 'ss', 'es', 'ds', 'fs', 'gs'] as const)
    put(name, from.getUint32(hvmHwCpu.selectors + 4 * hvmSegments.indexOf(name), true));
  for (const n of [0, 2, 3, 4] as const)
    to.setUint32(vcpuGuestContext.ctrlreg + 4 * n, from.getUint32(hvmHwCpu[`cr${n}`], true), true);
  return context;
}
