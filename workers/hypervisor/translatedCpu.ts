/**
 * The processor of a translated domain as its runner sees it: what happens at VM entry and VM exit besides hypercalls.
 *
 * Source: hvm_hlt, hvm_assert_evtchn_irq and the hypercall page in xen/arch/x86/hvm/hvm.c and irq.c (Xen 3.4; delivery by
 * vector as in Xen 4).
 */
import type { TranslatedCpu } from '../abi/cpu';
import { SHUTDOWN_poweroff } from '../abi/xen';
import type { Domain } from './domain';
import type { Hypervisor } from './hypervisor';
import { shutdownDomain } from './lifecycle';
import { attachMemory } from './memory/translated';
import { fillVmcallPage } from './ops/hypercallPage';

export function translatedCpu(hv: Hypervisor, domain: Domain): TranslatedCpu {
  return {
    domid: domain.domid,
    frames: domain.space.p2m.length,
    attachMemory: (memory, translate) => attachMemory(domain, memory, translate),
    registers: (id) => {
      const context = domain.vcpus[id]?.context;
      if (!context) throw new Error(`d${domain.domid}:v${id} has no registers`);
      return context;
    },
    pendingVector: (id) => {
      const vcpu = domain.vcpus[id];
      return vcpu?.isUpcallPending ? domain.callbackVector : undefined;
    },
    halt: (id, acceptsInterrupts) => {
      const vcpu = domain.vcpus[id];
      if (!vcpu) return;
      if (acceptsInterrupts) {
        if (!vcpu.hasDeliverableEvent) hv.schedule.block(vcpu.unit);
        return;
      }
      hv.schedule.setDown(vcpu.unit);
      if (domain.vcpus.every((each) => each === vcpu || !each.isOnline)) shutdownDomain(hv, domain, SHUTDOWN_poweroff);
    },
    shutdown: (reason) => shutdownDomain(hv, domain, reason),
    writeHypercallPage: (gpfn) => {
      const mfn = domain.space.p2m.get(gpfn);
      if (mfn === undefined || hv.memory.isXenheap(mfn)) return false;
      fillVmcallPage(hv.memory.bytes(mfn));
      return true;
    },
  };
}
