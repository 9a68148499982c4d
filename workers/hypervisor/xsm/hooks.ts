/**
 * Questions that the hypervisor asks a security policy before it acts (xen/include/xsm/xsm.h, Xen 3.4).
 *
 * A policy sees domains as ids and security references, and answers yes or no; what a "no" becomes for the guest (an
 * errno, a grant status) is decided at the place that asks.
 */
import type { Domid } from '../../abi/xen';
import type { Call } from '../hypercalls';

/** What a policy module may use of the hypervisor. */
export interface SecurityHost {
  /** A line on Xen's console. */
  print(line: string): void;
  readonly nowNs: number;
}

export interface SecurityHooks {
  /** While Xen boots, before there is a domain. */
  start?(host: SecurityHost): void;
  /** Before event channels and grant table of a new domain exist. Counts the domain in when it says yes. */
  domainCreate(domid: Domid, ssidref: number): boolean;
  /** The domain's structure is freed, or its creation failed after a yes. */
  domainDestroy(domid: Domid): void;
  /** EVTCHNOP_alloc_unbound: a channel of `domid` that `remote` may bind. */
  evtchnUnbound(domid: Domid, remote: Domid): boolean;
  /** EVTCHNOP_bind_interdomain by `domid`. */
  evtchnInterdomain(domid: Domid, remote: Domid): boolean;
  /** `mapper` maps, or copies from or to, a page granted by `granter`. */
  grantMap(mapper: Domid, granter: Domid): boolean;
  /** `caller` sets up, or asks about, the grant table of `domid`. */
  grantSetup(caller: Domid, domid: Domid): boolean;
  /** The reference that getdomaininfo reports. */
  ssidrefOf(domid: Domid): number;
  /** Hypercall 27; undefined: this policy has none (ENOSYS). */
  xsmOp?(call: Call, argument: number): number;
}
