/**
 * The credit scheduler's accounting: every 30 ms the credits of one period are divided among the domains by weight.
 *
 * Source: csched_acct in xen/common/sched_credit.c (Xen 3.4).
 */
import {
  type CreditDomain,
  type CreditState,
  type CreditVcpu,
  CSCHED_CREDITS_PER_ACCT,
  CSCHED_PRI_TS_OVER,
  CSCHED_PRI_TS_UNDER,
  stopEarning,
} from './creditState';
import type { SchedHost } from './scheduler';

/** How a capped vcpu is held back and let go. */
type Parking = Pick<SchedHost, 'pause' | 'unpause'>;

/** One round: credits out, priorities anew, vcpus of capped domains parked and released. */
export function account(state: CreditState, parking: Parking): void {
  const weight = state.weight;
  // A negative balance means that more was spent than earned: hand out more, so that credits converge to zero.
  const owed = Math.max(0, -state.balance);
  let credit = state.credit + owed;
  if (weight === 0) {
    state.balance = 0;
    return;
  }
  let weightLeft = weight;
  let balance = 0;
  let isCreditWanted = false;
  for (const domain of state.active.slice()) {
    weightLeft -= domain.weight;
    const { peak, capPerVcpu } = limits(domain, owed, weight);
    let fair = ceilDiv(credit * domain.weight, weight);
    if (fair < peak) {
      isCreditWanted = true;
    } else {
      // It cannot use all of its share: the rest goes to the domains that follow, and next time this one comes first,
      // so that those who could have used more follow it.
      if (weightLeft !== 0) credit += ceilDiv((fair - peak) * weight, weightLeft);
      if (isCreditWanted) moveToFront(state.active, domain);
      fair = peak;
    }
    const each = ceilDiv(fair, domain.active.length);
    for (const vcpu of domain.active.slice()) balance += pay(state, parking, vcpu, each, capPerVcpu);
  }
  state.balance = balance;
  state.sortEpoch++;
}

/** The most a domain may earn in a round: what its vcpus can spend, and not above its cap. */
function limits(domain: CreditDomain, owed: number, weight: number): { peak: number; capPerVcpu: number } {
  const activeCount = domain.active.length;
  let peak = activeCount * CSCHED_CREDITS_PER_ACCT + ceilDiv(owed * domain.weight, weight);
  if (domain.cap === 0) return { peak, capPerVcpu: 0 };
  const capCredits = ceilDiv(domain.cap * CSCHED_CREDITS_PER_ACCT, 100);
  peak = Math.min(peak, capCredits);
  return { peak, capPerVcpu: ceilDiv(capCredits, activeCount) };
}

/** Gives one vcpu its credits and the priority that follows from them; returns what it has now. */
function pay(state: CreditState, parking: Parking, own: CreditVcpu, earned: number, capPerVcpu: number): number {
  own.credit += earned;
  if (own.credit < 0) {
    own.pri = CSCHED_PRI_TS_OVER;
    if (own.domain!.cap !== 0 && own.credit < -capPerVcpu && !own.isParked) {
      parking.pause(own.vcpu);
      own.isParked = true;
    }
    own.credit = Math.max(own.credit, -CSCHED_CREDITS_PER_ACCT);
    return own.credit;
  }
  own.pri = CSCHED_PRI_TS_UNDER;
  if (own.isParked) {
    // Still marked while it wakes: no boost for having been held back.
    parking.unpause(own.vcpu);
    own.isParked = false;
  }
  if (own.credit > CSCHED_CREDITS_PER_ACCT) {
    stopEarning(state, own);
    own.credit = 0;
  }
  return own.credit;
}

function moveToFront(domains: CreditDomain[], domain: CreditDomain): void {
  domains.splice(domains.indexOf(domain), 1);
  domains.unshift(domain);
}

function ceilDiv(a: number, b: number): number {
  return Math.ceil(a / b);
}
