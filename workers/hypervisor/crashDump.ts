/** The registers of a vcpu as Xen prints them when a domain crashes (show_registers in xen/arch/x86/x86_32/traps.c, 3.4). */
import { userRegs, vcpuGuestContext } from '../abi/vcpu';
import { XEN_VERSION } from './build';
import type { Vcpu } from './vcpu';

const SEGMENTS = { es: 52, ds: 56, fs: 60, gs: 64 } as const;

/** The lines, without a prefix. A vcpu that never had registers shows zeroes. */
export function crashDump(vcpu: Vcpu, pcpu: number): readonly string[] {
  const context = vcpu.context ?? new Uint8Array(2800);
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength);
  const word = (offset: number) => view.getUint32(vcpuGuestContext.user_regs + offset, true);
  const hex = (value: number, digits = 8) => value.toString(16).padStart(digits, '0');
  const register = (name: keyof typeof userRegs) => `${name}: ${hex(word(userRegs[name]))}`;
  const control = (n: number) => `cr${n}: ${hex(view.getUint32(vcpuGuestContext.ctrlreg + 4 * n, true))}`;
  const segment = (name: string, offset: number) => `${name}: ${hex(word(offset) & 0xffff, 4)}`;
  return [
    `----[ Xen-${XEN_VERSION}  x86_32p  debug=n  Not tainted ]----`,
    `CPU:    ${pcpu}`,
    `EIP:    ${hex(word(userRegs.cs) & 0xffff, 4)}:[<${hex(word(userRegs.eip))}>]`,
    `EFLAGS: ${hex(word(userRegs.eflags))}   CONTEXT: guest`,
    (['eax', 'ebx', 'ecx', 'edx'] as const).map(register).join('   '),
    (['esi', 'edi', 'ebp', 'esp'] as const).map(register).join('   '),
    [0, 4, 3, 2].map(control).join('   '),
    [
      segment('ds', SEGMENTS.ds),
      segment('es', SEGMENTS.es),
      segment('fs', SEGMENTS.fs),
      segment('gs', SEGMENTS.gs),
      segment('ss', userRegs.ss),
      segment('cs', userRegs.cs),
    ].join('   '),
  ];
}
