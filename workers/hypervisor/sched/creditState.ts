/**
 * What the credit scheduler remembers, and the numbers it works with.
 *
 * Source: xen/common/sched_credit.c (Xen 3.4).
 */
import type { Domid } from '../../abi/xen';
import type { SchedVcpu } from './scheduler';

export const NS_PER_MS = 1_000_000;
export const CSCHED_MSECS_PER_TICK = 10;
export const CSCHED_TICKS_PER_TSLICE = 3;
export const CSCHED_TICKS_PER_ACCT = 3;
export const CSCHED_CREDITS_PER_TICK = 100;
export const CSCHED_CREDITS_PER_ACCT = CSCHED_CREDITS_PER_TICK * CSCHED_TICKS_PER_ACCT;
export const CSCHED_DEFAULT_WEIGHT = 256;

/** Woke up in credit: runs before all others until the next tick finds it. */
export const CSCHED_PRI_TS_BOOST = 0;
/** Has credits left. */
export const CSCHED_PRI_TS_UNDER = -1;
/** Has used more than its share. */
export const CSCHED_PRI_TS_OVER = -2;
export const CSCHED_PRI_IDLE = -64;

export interface CreditVcpu {
  readonly vcpu: SchedVcpu;
  /** None: an idle vcpu. */
  readonly domain: CreditDomain | undefined;
  credit: number;
  pri: number;
  /** Held back until its capped domain has earned enough. */
  isParked: boolean;
  /** The pcpu in whose queue it waits; −1: none. */
  queuedOn: number;
}

export interface CreditDomain {
  readonly domid: Domid;
  weight: number;
  /** Percent of one pcpu, for the whole domain; 0: no limit. */
  cap: number;
  /** Its vcpus that a tick has found running lately and that therefore earn credits. */
  readonly active: CreditVcpu[];
}

export interface CreditState {
  /** Credits handed out in one accounting round: 300 for each pcpu. */
  readonly credit: number;
  /** Sum of the weights of the active domains. */
  weight: number;
  /** Sum of the credits of the active vcpus after the last round. */
  balance: number;
  /** Counts the rounds that may have changed priorities. */
  sortEpoch: number;
  readonly active: CreditDomain[];
}

/** A vcpu that was idle or new has used a tick: it takes part in the accounting from now on. */
export function startEarning(state: CreditState, vcpu: CreditVcpu): void {
  const domain = vcpu.domain!;
  domain.active.unshift(vcpu);
  if (domain.active.length > 1) return;
  state.active.unshift(domain);
  state.weight += domain.weight;
}

/** A vcpu with more credits than it can use needs no more of them. */
export function stopEarning(state: CreditState, vcpu: CreditVcpu): void {
  const domain = vcpu.domain!;
  domain.active.splice(domain.active.indexOf(vcpu), 1);
  if (domain.active.length > 0) return;
  state.active.splice(state.active.indexOf(domain), 1);
  state.weight -= domain.weight;
}
