import { describe, expect, it } from 'vitest';
import type { Domid } from '../../abi/xen';
import { credit } from './credit';
import { account } from './creditAccounting';
import { type CreditDomain, type CreditState, CSCHED_PRI_TS_UNDER, startEarning } from './creditState';
import { roundRobin } from './roundRobin.testkind';
import type { SchedulerKind, SchedVcpu } from './scheduler';
import { Testbed, type Worker } from './testbed';

const MS = 1_000_000;
const SECOND = 1000 * MS;

/** Long enough for credits, which start at zero, to have come to their balance. */
const SETTLING_NS = SECOND;

/** Two spinning domains of weights 256 and 512 on one pcpu, for ten seconds. */
function shareOneToTwo(kind: SchedulerKind) {
  const bed = new Testbed(kind);
  const light = bed.spinner(1);
  const heavy = bed.spinner(2);
  if (kind.option === 'credit') bed.setCredit(2, 512);
  bed.runFor(SETTLING_NS);
  const before = [light, heavy].map((worker) => ({ ran: bed.ranNs(worker), work: worker.workNs }));
  bed.runFor(10 * SECOND);
  const works = [light, heavy].map((worker, at) => ({
    ran: bed.ranNs(worker) - before[at]!.ran,
    work: worker.workNs - before[at]!.work,
  }));
  return { byRunstate: works[1]!.ran / works[0]!.ran, byWork: works[1]!.work / works[0]!.work, works };
}

/** Part of one pcpu that a worker got, in percent, and what it did itself. */
function percentOf(bed: Testbed, worker: Worker, overNs: number) {
  return { byRunstate: (100 * bed.ranNs(worker)) / overNs, byWork: (100 * worker.workNs) / overNs };
}

describe('credit: weights', () => {
  it('gives weights 256 and 512 one and two thirds of a pcpu, by run states and by work done', () => {
    const { byRunstate, byWork, works } = shareOneToTwo(credit);
    expect(Math.abs(byRunstate / 2 - 1)).toBeLessThan(0.01);
    expect(Math.abs(byWork / 2 - 1)).toBeLessThan(0.01);
    for (const { ran, work } of works) expect(Math.abs(ran - work)).toBeLessThan(2 * MS);
  });

  it('is what makes the difference: under round robin the same domains do not share 1 : 2', () => {
    const { byRunstate, byWork } = shareOneToTwo(roundRobin);
    expect(Math.abs(byRunstate / 2 - 1)).toBeGreaterThan(0.4);
    expect(Math.abs(byWork / 2 - 1)).toBeGreaterThan(0.4);
  });

  it.each([[[256, 256, 256]], [[100, 200, 300, 400]], [[64, 512]], [[300, 256, 200, 128]]])(
    'shares by weights %j',
    (weights) => {
      const bed = new Testbed(credit);
      const workers = weights.map((weight, at) => {
        const worker = bed.spinner(at + 1);
        bed.setCredit(at + 1, weight);
        return worker;
      });
      bed.runFor(20 * SECOND);
      const sum = weights.reduce((a, b) => a + b);
      workers.forEach((worker, at) => {
        const { byRunstate, byWork } = percentOf(bed, worker, 20 * SECOND);
        expect(Math.abs(byRunstate - (100 * weights[at]!) / sum)).toBeLessThan(1);
        expect(Math.abs(byWork - byRunstate)).toBeLessThan(0.1);
      });
    },
  );

  it('counts a domain once, however many vcpus it has', () => {
    const bed = new Testbed(credit, { sockets: 1, cores: 2, threads: 1 });
    const four = [0, 1, 2, 3].map((id) => bed.spinner(1, id));
    const two = [0, 1].map((id) => bed.spinner(2, id));
    bed.runFor(10 * SECOND);
    const ran = (workers: Worker[]) => workers.reduce((sum, worker) => sum + bed.ranNs(worker), 0) / SECOND;
    expect(ran(four) + ran(two)).toBeCloseTo(20, 3);
    expect(Math.abs(ran(four) - 10)).toBeLessThan(0.2);
  });

  it('the worked example: one accounting round gives A (512) 200 and B (256) 100 of 300 credits', () => {
    const state: CreditState = { credit: 300, weight: 0, balance: 0, sortEpoch: 0, active: [] };
    const [a, b] = [512, 256].map((weight) => {
      const domain: CreditDomain = { domid: weight as Domid, weight, cap: 0, active: [] };
      const own = { vcpu: {} as SchedVcpu, domain, credit: -100, pri: 0, isParked: false, queuedOn: -1 };
      startEarning(state, own);
      return own;
    });
    account(state, { pause: () => {}, unpause: () => {} });
    expect([a!.credit, b!.credit, state.balance]).toEqual([100, 0, 100]);
    expect([a!.pri, b!.pri]).toEqual([CSCHED_PRI_TS_UNDER, CSCHED_PRI_TS_UNDER]);
  });

  it('leaves weight 0 and cap 0xffff as they are', () => {
    const bed = new Testbed(credit);
    bed.spinner(1);
    bed.setCredit(1, 300, 40);
    bed.setCredit(1, 0, 0xffff);
    expect(bed.schedule.getParameters(1 as Domid)).toEqual({ kind: 'credit', weight: 300, cap: 40 });
  });
});

describe('credit: caps', () => {
  it.each([5, 10, 25, 33, 50, 75, 90])(
    'holds a spinning domain to %i percent of a pcpu that is otherwise idle',
    (cap) => {
      const bed = new Testbed(credit);
      const worker = bed.spinner(1);
      bed.setCredit(1, 256, cap);
      bed.runFor(SECOND);
      const [ranNs, workNs] = [bed.ranNs(worker), worker.workNs];
      bed.runFor(10 * SECOND);
      expect(Math.abs((bed.ranNs(worker) - ranNs) / (10 * SECOND) - cap / 100)).toBeLessThan(0.01);
      expect(Math.abs((worker.workNs - workNs) / (10 * SECOND) - cap / 100)).toBeLessThan(0.01);
    },
  );

  it('is for the domain: 150 on two pcpus lets two vcpus have one and a half', () => {
    const bed = new Testbed(credit, { sockets: 1, cores: 2, threads: 1 });
    const workers = [bed.spinner(1, 0), bed.spinner(1, 1)];
    bed.setCredit(1, 256, 150);
    bed.runFor(10 * SECOND);
    const ran = workers.reduce((sum, worker) => sum + bed.ranNs(worker), 0);
    expect(Math.abs(ran / (10 * SECOND) - 1.5)).toBeLessThan(0.015);
  });

  it('leaves what a capped domain may not have to the others', () => {
    const bed = new Testbed(credit);
    const capped = bed.spinner(1);
    const free = bed.spinner(2);
    bed.setCredit(1, 1024, 25);
    bed.runFor(10 * SECOND);
    expect(Math.abs(percentOf(bed, capped, 10 * SECOND).byRunstate - 25)).toBeLessThan(1);
    expect(Math.abs(percentOf(bed, free, 10 * SECOND).byRunstate - 75)).toBeLessThan(1);
  });

  it('counts a parked vcpu as offline, and runs it at once when the cap is lifted and it has earned enough', () => {
    const bed = new Testbed(credit);
    const worker = bed.spinner(1);
    bed.setCredit(1, 256, 10);
    bed.runFor(35 * MS);
    expect(bed.schedule.runstate(worker.unit).state).toBe(3);
    expect(worker.unit.pauseCount).toBe(1);
    bed.setCredit(1, 256, 0);
    bed.runFor(SECOND);
    expect(worker.unit.pauseCount).toBe(0);
    expect(bed.schedule.currentOn(0)).toBe(worker.unit);
  });
});

describe('credit: boost', () => {
  it('lets a vcpu that mostly waits run at once when it wakes, among vcpus that never wait', () => {
    const bed = new Testbed(credit);
    for (let domid = 1; domid <= 4; domid++) bed.spinner(domid);
    const latencies: number[] = [];
    bed.periodic(9, 200_000, 7 * MS, (ns) => latencies.push(ns));
    bed.runFor(10 * SECOND);
    const late = latencies.slice(5).filter((ns) => ns > 1 * MS);
    expect(latencies.length).toBeGreaterThan(1000);
    expect(late.length / latencies.length).toBeLessThan(0.02);
  });
});

describe('credit: several pcpus', () => {
  it('gives as many spinners as there are pcpus one each, wherever they started', () => {
    const bed = new Testbed(credit, { sockets: 2, cores: 2, threads: 1 });
    const workers = [1, 2, 3, 4].map((domid) => bed.spinner(domid, 0, 0));
    bed.runFor(SECOND);
    for (const worker of workers) expect(bed.ranNs(worker)).toBeGreaterThan(0.98 * SECOND);
  });

  it('spreads over sockets first, then cores, then threads', () => {
    const placed = (count: number) => {
      const bed = new Testbed(credit, { sockets: 2, cores: 2, threads: 2 });
      const workers = Array.from({ length: count }, (_, at) => bed.spinner(at + 1, 0, at));
      bed.runFor(SECOND);
      return workers.map(({ unit }) => bed.schedule.pcpus[unit.processor]!);
    };
    expect(new Set(placed(2).map((p) => p.socket)).size).toBe(2);
    expect(new Set(placed(4).map((p) => p.core)).size).toBe(4);
    expect(new Set(placed(8).map((p) => p.id)).size).toBe(8);
  });

  it('packs with sched_smt_power_savings', () => {
    const bed = new Testbed(credit, { sockets: 2, cores: 2, threads: 1 }, { sched_smt_power_savings: '' });
    const workers = [bed.spinner(1, 0, 0), bed.spinner(2, 0, 2)];
    bed.runFor(SECOND);
    expect(new Set(workers.map(({ unit }) => bed.schedule.pcpus[unit.processor]!.socket)).size).toBe(1);
  });

  it('runs a vcpu only where its affinity allows', () => {
    const bed = new Testbed(credit, { sockets: 1, cores: 4, threads: 1 });
    const workers = [1, 2, 3].map((domid) => bed.spinner(domid));
    for (const { unit } of workers) bed.schedule.setAffinity(unit, new Set([1]));
    bed.runFor(3 * SECOND);
    expect(bed.schedule.idleNs(1)).toBe(0);
    expect(bed.schedule.idleNs(0)).toBe(3 * SECOND);
    for (const worker of workers) expect(Math.abs(bed.ranNs(worker) / SECOND - 1)).toBeLessThan(0.1);
  });
});

describe('credit: debug key r', () => {
  it('prints its state as Xen 3.4 does', () => {
    const bed = new Testbed(credit, { sockets: 1, cores: 2, threads: 1 });
    bed.spinner(0);
    bed.runFor(95 * MS);
    const lines: string[] = [];
    bed.schedule.dumpRunq((line) => lines.push(line));
    expect(lines).toEqual([
      'Scheduler: SMP Credit Scheduler (credit)',
      'info:',
      '\tncpus              = 2',
      '\tmaster             = 0',
      '\tcredit             = 600',
      expect.stringMatching(/^\tcredit balance {5}= -?\d+$/),
      '\tweight             = 256',
      expect.stringMatching(/^\trunq_sort {10}= [123]$/),
      '\tdefault-weight     = 256',
      '\tmsecs per tick     = 10ms',
      '\tcredits per tick   = 100',
      '\tticks per tslice   = 3',
      '\tticks per acct     = 3',
      '\tmigration delay    = 0us',
      'idlers: 00000002',
      'active vcpus:',
      expect.stringMatching(/^\t {2}1: \[0\.0\] pri=-1 flags=0 cpu=0 credit=-?\d+ \[w=256\]$/),
      'sched_smt_power_savings: disabled',
      'NOW=0x0000000005A995C0',
      expect.stringMatching(/^CPU\[00\] {2}sort=\d+, sibling=00000001, core=00000003$/),
      expect.stringMatching(/^\trun: \[0\.0\] pri=-1 flags=0 cpu=0 credit=-?\d+ \[w=256\]$/),
      '\t  1: [32767.0] pri=-64 flags=0 cpu=0',
      expect.stringMatching(/^CPU\[01\] {2}sort=\d+, sibling=00000002, core=00000003$/),
      '\trun: [32767.1] pri=-64 flags=0 cpu=1',
    ]);
  });
});

describe('credit: idle pcpus', () => {
  it('takes a vcpu that waits behind one which may not leave its pcpu', () => {
    const bed = new Testbed(credit, { sockets: 1, cores: 2, threads: 1 });
    const [, , third] = [1, 2, 3].map((domid) => {
      const worker = bed.spinner(domid, 0, 0);
      bed.schedule.setAffinity(worker.unit, new Set([0]));
      return worker;
    });
    // The others are always in credit, and before it.
    bed.setCredit(3, 1);
    bed.runFor(SECOND);
    bed.schedule.setAffinity(third!.unit, new Set([0, 1]));
    bed.runFor(31 * MS);
    expect(third!.unit.processor).toBe(1);
  });
});
