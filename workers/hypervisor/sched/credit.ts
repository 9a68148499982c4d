/**
 * The credit scheduler: every domain earns credits in proportion to its weight, and its vcpus pay with them for the ticks
 * that find them running.
 *
 * Those in credit (UNDER) go before those in debt (OVER); one that wakes up in credit goes before all (BOOST); a pcpu
 * without anything better to do takes work from another. Numbers are 32-bit integers as in Xen.
 * Source: xen/common/sched_credit.c (Xen 3.4); the accounting round stands in creditAccounting.ts.
 */
import type { Domid } from '../../abi/xen';
import { XenError } from '../../lib/errno';
import { account } from './creditAccounting';
import { CreditPlacement } from './creditPlacement';
import {
  type CreditDomain,
  type CreditState,
  type CreditVcpu,
  CSCHED_CREDITS_PER_TICK,
  CSCHED_DEFAULT_WEIGHT,
  CSCHED_MSECS_PER_TICK,
  CSCHED_PRI_IDLE,
  CSCHED_PRI_TS_BOOST,
  CSCHED_PRI_TS_OVER,
  CSCHED_PRI_TS_UNDER,
  CSCHED_TICKS_PER_ACCT,
  CSCHED_TICKS_PER_TSLICE,
  NS_PER_MS,
  startEarning,
} from './creditState';
import { isOptionOn, numberOption } from './options';
import type { Decision, SchedHost, SchedParameters, Scheduler, SchedulerKind, SchedVcpu } from './scheduler';

const TICK_NS = CSCHED_MSECS_PER_TICK * NS_PER_MS;
const TSLICE_NS = CSCHED_TICKS_PER_TSLICE * TICK_NS;
/** In `setParameters`: leave the cap as it is. */
const CAP_UNCHANGED = 0xffff;

interface CreditPcpu {
  /** Waiting vcpus, highest priority first, first come first served among equals. */
  readonly runq: CreditVcpu[];
  /** The accounting round after which the queue was last sorted. */
  sortLast: number;
}

class CreditScheduler implements Scheduler {
  readonly #host: SchedHost;
  readonly #pcpus: readonly CreditPcpu[];
  readonly #placement: CreditPlacement;
  readonly #vcpus = new Map<SchedVcpu, CreditVcpu>();
  readonly #domains = new Map<Domid, CreditDomain>();
  /** pcpus that run their idle vcpu and have not been given another. */
  readonly #idlers: boolean[];
  #idlerCount: number;
  readonly #state: CreditState;
  readonly #migrationDelayNs: number;

  constructor(host: SchedHost) {
    this.#host = host;
    this.#pcpus = host.pcpus.map(() => ({ runq: [], sortLast: 0 }));
    this.#placement = new CreditPlacement(host.pcpus, isOptionOn(host.options, 'sched_smt_power_savings'));
    this.#idlers = host.pcpus.map(() => true);
    this.#idlerCount = host.pcpus.length;
    this.#migrationDelayNs = numberOption(host.options, 'vcpu_migration_delay', 0) * 1000;
    this.#state = {
      credit: host.pcpus.length * CSCHED_CREDITS_PER_TICK * CSCHED_TICKS_PER_ACCT,
      weight: 0,
      balance: 0,
      sortEpoch: 0,
      active: [],
    };
  }

  start(): void {
    this.#host.at(this.#host.nowNs + TICK_NS, () => this.#tickAll(1));
  }

  addDomain(domid: Domid): void {
    this.#domains.set(domid, { domid, weight: CSCHED_DEFAULT_WEIGHT, cap: 0, active: [] });
  }

  removeDomain(domid: Domid): void {
    this.#domains.delete(domid);
  }

  addVcpu(vcpu: SchedVcpu): void {
    const own: CreditVcpu = {
      vcpu,
      domain: vcpu.isIdle ? undefined : this.#domains.get(vcpu.domid),
      credit: 0,
      pri: vcpu.isIdle ? CSCHED_PRI_IDLE : CSCHED_PRI_TS_UNDER,
      isParked: false,
      queuedOn: -1,
    };
    this.#vcpus.set(vcpu, own);
  }

  removeVcpu(vcpu: SchedVcpu): void {
    const own = this.#of(vcpu);
    this.#unlink(own);
    const { domain } = own;
    const at = domain?.active.indexOf(own) ?? -1;
    if (domain && at >= 0) {
      domain.active.splice(at, 1);
      if (domain.active.length === 0) {
        this.#state.active.splice(this.#state.active.indexOf(domain), 1);
        this.#state.weight -= domain.weight;
      }
    }
    this.#vcpus.delete(vcpu);
  }

  wake(vcpu: SchedVcpu): void {
    const own = this.#of(vcpu);
    if (vcpu.isRunning || own.queuedOn >= 0) return;
    if (own.pri === CSCHED_PRI_TS_UNDER && !own.isParked) own.pri = CSCHED_PRI_TS_BOOST;
    const home = vcpu.processor;
    this.#insert(own, home);
    if (own.pri > this.#of(this.#host.currentOn(home)).pri) this.#host.reschedule(home);
    if (this.#idlers[home]) this.#setIdler(home, false);
    else this.#tickleIdlers(own);
  }

  sleep(vcpu: SchedVcpu): void {
    if (vcpu.isRunning) this.#host.reschedule(vcpu.processor);
    else this.#unlink(this.#of(vcpu));
  }

  pickCpu(vcpu: SchedVcpu): number {
    return this.#placement.pick(vcpu.processor, vcpu.affinity, this.#idlers);
  }

  schedule(pcpu: number): Decision {
    const { runq } = this.#pcpus[pcpu]!;
    const current = this.#of(this.#host.currentOn(pcpu));
    if (current.vcpu.isRunnable) this.#insert(current, pcpu);
    const head = runq[0]!;
    const next = head.pri > CSCHED_PRI_TS_OVER ? head : (this.#steal(pcpu, head.pri) ?? head);
    this.#unlink(next);
    next.vcpu.processor = pcpu;
    const isIdle = next.pri === CSCHED_PRI_IDLE;
    this.#setIdler(pcpu, isIdle);
    // Behind one that may run nowhere else may wait another that can.
    for (const left of runq) if (left.pri > CSCHED_PRI_IDLE) this.#tickleIdlers(left);
    return { vcpu: next.vcpu, sliceNs: isIdle ? -1 : TSLICE_NS };
  }

  getParameters(domid: Domid): SchedParameters {
    const { weight, cap } = this.#domainOf(domid);
    return { kind: 'credit', weight, cap };
  }

  /** Weight 0 and cap 0xFFFF leave the value as it is. EINVAL for another scheduler's parameters. */
  setParameters(domid: Domid, parameters: SchedParameters): void {
    if (parameters.kind !== 'credit') throw new XenError('EINVAL', `${parameters.kind} parameters`);
    const domain = this.#domainOf(domid);
    if (parameters.weight !== 0) {
      if (domain.active.length > 0) this.#state.weight += parameters.weight - domain.weight;
      domain.weight = parameters.weight;
    }
    if (parameters.cap !== CAP_UNCHANGED) domain.cap = parameters.cap;
  }

  dumpSettings(print: (line: string) => void): void {
    const state = this.#state;
    const field = (name: string, value: string | number) => print(`\t${name.padEnd(18)} = ${value}`);
    print('info:');
    field('ncpus', this.#pcpus.length);
    field('master', 0);
    field('credit', state.credit);
    field('credit balance', state.balance);
    field('weight', state.weight);
    field('runq_sort', state.sortEpoch);
    field('default-weight', CSCHED_DEFAULT_WEIGHT);
    field('msecs per tick', `${CSCHED_MSECS_PER_TICK}ms`);
    field('credits per tick', CSCHED_CREDITS_PER_TICK);
    field('ticks per tslice', CSCHED_TICKS_PER_TSLICE);
    field('ticks per acct', CSCHED_TICKS_PER_ACCT);
    field('migration delay', `${this.#migrationDelayNs / 1000}us`);
    print(`idlers: ${cpumask(this.#pcpus.length, (id) => this.#idlers[id]!)}`);
    print('active vcpus:');
    let number = 0;
    for (const domain of state.active)
      for (const own of domain.active) print(`\t${String(++number).padStart(3)}: ${describe(own)}`);
  }

  dumpPcpu(pcpu: number, print: (line: string) => void): void {
    const { runq, sortLast } = this.#pcpus[pcpu]!;
    const { core, socket } = this.#host.pcpus[pcpu]!;
    const mask = (test: (id: number) => boolean) => cpumask(this.#pcpus.length, test);
    const sibling = mask((id) => this.#host.pcpus[id]!.core === core);
    const sameSocket = mask((id) => this.#host.pcpus[id]!.socket === socket);
    print(` sort=${sortLast}, sibling=${sibling}, core=${sameSocket}`);
    print(`\trun: ${describe(this.#of(this.#host.currentOn(pcpu)))}`);
    runq.forEach((own, at) => {
      print(`\t${String(at + 1).padStart(3)}: ${describe(own)}`);
    });
  }

  /**
   * The tick of every pcpu (they are started at the same moment), and after every third the accounting, which thus sees
   * all that was spent in its period.
   */
  #tickAll(number: number): void {
    for (const { id } of this.#host.pcpus) this.#tick(id);
    if (number % CSCHED_TICKS_PER_ACCT === 0) account(this.#state, this.#host);
    this.#host.at(this.#host.nowNs + TICK_NS, () => this.#tickAll(number + 1));
  }

  #tick(pcpu: number): void {
    const current = this.#host.currentOn(pcpu);
    if (!current.isIdle) this.#charge(this.#of(current), pcpu);
    if (this.#pcpus[pcpu]!.sortLast !== this.#state.sortEpoch) this.#sort(pcpu);
  }

  /** The tick found `own` running: it pays, and gets off the pcpu if it would do better elsewhere. */
  #charge(own: CreditVcpu, pcpu: number): void {
    if (own.pri === CSCHED_PRI_TS_BOOST) own.pri = CSCHED_PRI_TS_UNDER;
    own.credit -= CSCHED_CREDITS_PER_TICK;
    if (!own.domain!.active.includes(own)) startEarning(this.#state, own);
    else if (this.pickCpu(own.vcpu) !== pcpu) this.#host.migrate(own.vcpu);
  }

  /** Accounting changes priorities of waiting vcpus: brings those in credit to the front, otherwise keeping the order. */
  #sort(pcpu: number): void {
    const own = this.#pcpus[pcpu]!;
    own.sortLast = this.#state.sortEpoch;
    const { runq } = own;
    if (runq.length < 2) return;
    const inCredit = runq.filter((v) => v.pri >= CSCHED_PRI_TS_UNDER);
    const rest = runq.filter((v) => v.pri < CSCHED_PRI_TS_UNDER);
    runq.splice(0, runq.length, ...inCredit, ...rest);
  }

  #insert(own: CreditVcpu, pcpu: number): void {
    const { runq } = this.#pcpus[pcpu]!;
    let at = 0;
    while (at < runq.length && runq[at]!.pri >= own.pri) at++;
    if (at === runq.length) runq.push(own);
    else runq.splice(at, 0, own);
    own.queuedOn = pcpu;
  }

  #unlink(own: CreditVcpu): void {
    if (own.queuedOn < 0) return;
    const { runq } = this.#pcpus[own.queuedOn]!;
    if (runq[0] === own) runq.shift();
    else runq.splice(runq.indexOf(own), 1);
    own.queuedOn = -1;
  }

  #setIdler(pcpu: number, isIdle: boolean): void {
    if (this.#idlers[pcpu] === isIdle) return;
    this.#idlers[pcpu] = isIdle;
    this.#idlerCount += isIdle ? 1 : -1;
  }

  /**
   * Has idle pcpus look for work, since `waiting` cannot run at once where it is queued.
   *
   * Differs from Xen: it does so only on a wake-up that finds the vcpu's own pcpu busy. Here many things happen at the same
   * instant, so a pcpu counts as busy from the moment when it is given a vcpu, and the idle ones are asked too when a
   * pcpu has chosen and leaves somebody waiting. Otherwise a vcpu could wait for a slice beside an idle pcpu.
   */
  #tickleIdlers({ vcpu }: CreditVcpu): void {
    if (this.#idlerCount === 0) return;
    for (let id = 0; id < this.#idlers.length; id++)
      if (this.#idlers[id] && vcpu.affinity.has(id)) this.#host.reschedule(id);
  }

  /** Takes the first vcpu of a higher priority than `pri` that waits on another pcpu and may run here. */
  #steal(pcpu: number, pri: number): CreditVcpu | undefined {
    const count = this.#pcpus.length;
    for (let step = 1; step < count; step++) {
      const peer = (pcpu + step) % count;
      if (this.#host.currentOn(peer).isIdle) continue;
      for (const own of this.#pcpus[peer]!.runq) {
        if (own.pri <= pri) break;
        if (!own.vcpu.isRunning && own.vcpu.affinity.has(pcpu) && !this.#isCacheHot(own.vcpu)) return own;
      }
    }
    return undefined;
  }

  #isCacheHot(vcpu: SchedVcpu): boolean {
    return this.#host.nowNs - vcpu.lastRunNs < this.#migrationDelayNs;
  }

  #of(vcpu: SchedVcpu): CreditVcpu {
    const own = this.#vcpus.get(vcpu);
    if (!own) throw new Error(`d${vcpu.domid}v${vcpu.vcpuId} is not ours`);
    return own;
  }

  #domainOf(domid: Domid): CreditDomain {
    const domain = this.#domains.get(domid);
    if (!domain) throw new XenError('ESRCH', `no domain ${domid}`);
    return domain;
  }
}

/** cpumask_scnprintf: 8 hex digits for each 32 pcpus, the highest first. */
function cpumask(count: number, test: (id: number) => boolean): string {
  const words: string[] = [];
  for (let first = 0; first < Math.max(count, 1); first += 32) {
    let word = 0;
    for (let bit = 0; bit < 32 && first + bit < count; bit++) if (test(first + bit)) word += 2 ** bit;
    words.unshift(word.toString(16).padStart(8, '0'));
  }
  return words.join(',');
}

function describe({ vcpu, domain, pri, isParked, credit }: CreditVcpu): string {
  const place = `[${vcpu.domid}.${vcpu.vcpuId}] pri=${pri} flags=${isParked ? 1 : 0} cpu=${vcpu.processor}`;
  return domain ? `${place} credit=${credit} [w=${domain.weight}]` : place;
}

export const credit: SchedulerKind = {
  option: 'credit',
  title: 'SMP Credit Scheduler',
  id: 5,
  create: (host) => new CreditScheduler(host),
};
