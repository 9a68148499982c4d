/** The registers of a vcpu as Xen prints them when a domain crashes (show_registers in xen/arch/x86/x86_32/traps.c, 3.4). */
import { userRegs, VCPU_GUEST_CONTEXT_SIZE, vcpuGuestContext } from '../abi/vcpu';
import { XEN_VERSION } from './build';
import { guestContextOf } from './registers';
import type { Vcpu } from './vcpu';

/** The lines, without a prefix. A vcpu that never had registers shows zeroes. */
export function crashDump(vcpu: Vcpu, pcpu: number): readonly string[] {
  const context = guestContextOf(vcpu) ?? new Uint8Array(VCPU_GUEST_CONTEXT_SIZE);
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength);
  const word = (offset: number) => view.getUint32(vcpuGuestContext.user_regs + offset, true);
  const hex = (value: number, digits = 8) => value.toString(16).padStart(digits, '0');
  const register = (name: keyof typeof userRegs) => `${name}: ${hex(word(userRegs[name]))}`;
  const control = (n: number) => `cr${n}: ${hex(view.getUint32(vcpuGuestContext.ctrlreg + 4 * n, true))}`;
  const segment = (name: keyof typeof userRegs) => `${name}: ${hex(word(userRegs[name]) & 0xffff, 4)}`;
  return [
    `----[ Xen-${XEN_VERSION}  x86_32p  debug=n  Not tainted ]----`,
    `CPU:    ${pcpu}`,
    `EIP:    ${hex(word(userRegs.cs) & 0xffff, 4)}:[<${hex(word(userRegs.eip))}>]`,
    `EFLAGS: ${hex(word(userRegs.eflags))}   CONTEXT: guest`,
    (['eax', 'ebx', 'ecx', 'edx'] as const).map(register).join('   '),
    (['esi', 'edi', 'ebp', 'esp'] as const).map(register).join('   '),
    [0, 4, 3, 2].map(control).join('   '),
    (['ds', 'es', 'fs', 'gs', 'ss', 'cs'] as const).map(segment).join('   '),
  ];
}
