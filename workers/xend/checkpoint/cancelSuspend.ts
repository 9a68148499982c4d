/** A guest that has suspended is told that nothing came of it, and goes on (xc_resume.c, the cooperative way, Xen 3.4). */

import { HVM_PARAM_STORE_PFN } from '../../abi/hvmParams';
import { decodeHvmContext, encodeHvmContext, HVM_SAVE_CODE_CPU, hvmHwCpu } from '../../abi/hvmSave';
import { userRegs, vcpuGuestContext } from '../../abi/vcpu';
import { viewOf } from '../../migration/stream';
import type { Xc } from '../xc';

/** What SCHEDOP_shutdown answers to a guest that is still where it was. */
const CANCELLED = 1;

export function cancelSuspend(xc: Xc, domid: number): void {
  if (xc.hvmParam(domid, HVM_PARAM_STORE_PFN) === undefined) {
    const context = xc.vcpuContext(domid, 0);
    viewOf(context).setUint32(vcpuGuestContext.user_regs + userRegs.eax, CANCELLED, true);
    xc.setVcpuContext(domid, 0, context);
  } else {
    const records = (decodeHvmContext(xc.hvmContext(domid)) ?? []).map((record) => ({
      ...record,
      bytes: record.bytes.slice(),
    }));
    const cpu = records.find(({ type, instance }) => type === HVM_SAVE_CODE_CPU && instance === 0);
    if (cpu) viewOf(cpu.bytes).setBigUint64(hvmHwCpu.rax, BigInt(CANCELLED), true);
    xc.setHvmContext(domid, encodeHvmContext(records));
  }
  xc.resumeDomain(domid);
}
