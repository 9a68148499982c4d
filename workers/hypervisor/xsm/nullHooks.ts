/** The policy of a hypervisor without a security module: everything is allowed (xen/xsm/dummy.c). */
import type { Domid } from '../../abi/xen';
import type { SecurityHooks } from './hooks';

export function nullHooks(): SecurityHooks {
  const ssidrefs = new Map<Domid, number>();
  return {
    domainCreate: (domid, ssidref) => {
      ssidrefs.set(domid, ssidref);
      return true;
    },
    domainDestroy: (domid) => {
      ssidrefs.delete(domid);
    },
    evtchnUnbound: () => true,
    evtchnInterdomain: () => true,
    grantMap: () => true,
    grantSetup: () => true,
    ssidrefOf: (domid) => ssidrefs.get(domid) ?? 0,
  };
}
