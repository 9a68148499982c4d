import { describe, expect, it } from 'vitest';
import type { Domid } from '../abi/xen';
import { chooseScheduler } from './sched';
import { credit } from './sched/credit';
import { Testbed } from './sched/testbed';
import { SchedUnit, VPF_down } from './schedUnit';
import { IDLE_DOMID, Schedule } from './schedule';
import { initialPcpu } from './topology';

const US = 1000;
const MS = 1000 * US;
const TWO = { sockets: 1, cores: 2, threads: 1 };

describe('choice of the scheduler', () => {
  it('is credit without the option', () => {
    expect(chooseScheduler().messages).toEqual(['Using scheduler: SMP Credit Scheduler (credit)']);
  });

  it('finds sedf by name', () => {
    const { kind, messages } = chooseScheduler('sedf');
    expect([kind.id, messages]).toEqual([4, ['Using scheduler: Simple EDF Scheduler (sedf)']]);
  });

  it('reports an unknown name and uses the last of the table', () => {
    const { kind, messages } = chooseScheduler('bvt');
    expect(kind).toBe(credit);
    expect(messages).toEqual(['Could not find scheduler: bvt', 'Using scheduler: SMP Credit Scheduler (credit)']);
  });
});

describe('run states', () => {
  it('are exact: time spent running, waiting, blocked and offline', () => {
    const bed = new Testbed(credit);
    const worker = bed.periodic(1, 300 * US, 700 * US);
    bed.runFor(9_500 * US);
    bed.schedule.pause(worker.unit);
    bed.runFor(5 * MS);
    // Paused while it was blocked: it stays blocked until its wake-up at 10 ms makes it offline.
    expect(bed.schedule.runstate(worker.unit)).toEqual({
      state: 3,
      entryNs: 10 * MS,
      timesNs: [3 * MS, 0, 7 * MS, 4_500 * US],
    });
    expect(bed.schedule.idleNs(0)).toBe(11_500 * US);
  });

  it('count a vcpu as running until what it did before it blocked is paid', () => {
    const bed = new Testbed(credit);
    const worker = bed.add(1, 0, ({ unit }) => {
      bed.schedule.block(unit);
      return 400 * US;
    });
    bed.runFor(100 * US);
    expect([worker.unit.isBlocked, worker.unit.isRunnable, bed.schedule.runstate(worker.unit).state]).toEqual([
      true,
      true,
      0,
    ]);
    bed.runFor(900 * US);
    expect(bed.schedule.runstate(worker.unit)).toEqual({
      state: 2,
      entryNs: 400 * US,
      timesNs: [400 * US, 0, 600 * US, 0],
    });
  });

  it('a wake-up before the price is paid undoes the block', () => {
    const bed = new Testbed(credit);
    const worker = bed.add(1, 0, ({ unit }) => {
      bed.schedule.block(unit);
      return 400 * US;
    });
    bed.runFor(100 * US);
    bed.schedule.wake(worker.unit);
    bed.runFor(600 * US);
    expect(worker.workNs).toBe(800 * US);
    expect(bed.schedule.runstate(worker.unit).timesNs).toEqual([700 * US, 0, 0, 0]);
  });
});

describe('preemption', () => {
  it('leaves what is not paid as debt, worked off before anything new is done', () => {
    const bed = new Testbed(credit);
    const calls: number[] = [];
    const spinner = bed.add(1, 0, () => {
      calls.push(bed.clock.nowNs);
      return 10 * MS;
    });
    const waker = bed.add(2, 0, ({ unit }) => {
      bed.schedule.block(unit);
      return 2 * MS;
    });
    bed.schedule.setDown(waker.unit);
    // The tick at 10 ms ends the boost of the first wake-up.
    bed.runFor(14 * MS);
    bed.schedule.setUp(waker.unit);
    bed.runFor(1 * MS);
    expect(bed.schedule.currentOn(0)).toBe(waker.unit);
    expect(spinner.unit.debtNs).toBe(6 * MS);
    bed.runFor(6 * MS);
    expect(calls).toEqual([0, 10 * MS]);
    bed.runFor(2 * MS);
    expect(calls).toEqual([0, 10 * MS, 22 * MS]);
    expect(bed.ranNs(spinner)).toBe(21 * MS);
  });

  it('charges a price even for work that claims to be free', () => {
    const bed = new Testbed(credit);
    bed.add(1, 0, () => 0);
    bed.add(2, 0, ({ unit }) => {
      bed.schedule.yield(unit);
      return 0;
    });
    bed.runFor(1 * MS);
    expect(bed.clock.nowNs).toBe(1 * MS);
  });

  it('offers no more than 1 ms, the slice, or the time to the next event', () => {
    const bed = new Testbed(credit);
    const budgets: number[] = [];
    const worker = bed.add(1, 0, (_, budgetNs) => {
      budgets.push(budgetNs);
      return budgetNs;
    });
    bed.schedule.setPeriodic(worker.unit, 0);
    bed.clock.at(2_300 * US, () => {});
    bed.runFor(4 * MS);
    expect(budgets.slice(0, 5)).toEqual([MS, MS, 300 * US, MS, MS]);
  });

  it('yield lets the next of the same priority go first', () => {
    const bed = new Testbed(credit);
    const order: number[] = [];
    for (const domid of [1, 2, 3])
      bed.add(domid, 0, ({ unit }) => {
        order.push(domid);
        bed.schedule.yield(unit);
        return 100 * US;
      });
    bed.runFor(590 * US);
    expect(order).toEqual([1, 2, 3, 1, 2, 3]);
  });
});

describe('pausing', () => {
  it('is counted, for a vcpu and for its domain', () => {
    const bed = new Testbed(credit);
    const worker = bed.spinner(1);
    const { schedule } = bed;
    schedule.pause(worker.unit);
    schedule.pause(worker.unit);
    schedule.pauseDomain(1 as Domid);
    schedule.unpause(worker.unit);
    schedule.unpause(worker.unit);
    bed.runFor(5 * MS);
    expect(worker.workNs).toBe(0);
    schedule.unpauseDomain(1 as Domid);
    bed.runFor(5 * MS);
    expect(bed.ranNs(worker)).toBe(5 * MS);
    expect(() => schedule.unpause(worker.unit)).toThrow('not paused');
  });

  it('of itself takes effect when the work is paid', () => {
    const bed = new Testbed(credit);
    const worker = bed.add(1, 0, ({ unit }) => {
      bed.schedule.pauseDomain(unit.domid);
      return 300 * US;
    });
    bed.runFor(1 * MS);
    expect(bed.schedule.runstate(worker.unit)).toMatchObject({ state: 3, timesNs: [300 * US, 0, 0, 700 * US] });
  });
});

describe('affinity', () => {
  it('refuses a mask without a pcpu', () => {
    const bed = new Testbed(credit, TWO);
    const { unit } = bed.spinner(1);
    expect(() => bed.schedule.setAffinity(unit, new Set([7]))).toThrow('Invalid argument');
    expect(() => bed.schedule.setAffinity(unit, new Set())).toThrow('Invalid argument');
  });

  it('moves a running vcpu at once', () => {
    const bed = new Testbed(credit, TWO);
    const { unit } = bed.spinner(1, 0, 0);
    bed.runFor(500 * US);
    bed.schedule.setAffinity(unit, new Set([1, 9]));
    bed.runFor(1);
    expect(bed.schedule.currentOn(1)).toBe(unit);
    expect(bed.schedule.currentOn(0).domid).toBe(IDLE_DOMID);
    expect(unit.isPinned).toBe(true);
    expect([...unit.affinity]).toEqual([1]);
  });

  it('of Domain-0 is fixed with dom0_vcpus_pin', () => {
    const bed = new Testbed(credit, TWO, { dom0_vcpus_pin: '' });
    bed.spinner(0, 0);
    const { unit } = bed.spinner(0, 1);
    expect([...unit.affinity]).toEqual([1]);
    expect(() => bed.schedule.setAffinity(unit, new Set([0]))).toThrow('Invalid argument');
    expect(bed.spinner(1).unit.affinity.size).toBe(2);
  });
});

describe('placement of new vcpus', () => {
  it('deals out those of Domain-0 in turn', () => {
    const bed = new Testbed(credit, TWO);
    expect([0, 1, 2].map((id) => bed.spinner(0, id).unit.processor)).toEqual([0, 1, 0]);
  });

  it('puts vcpu 0 where the fewest vcpus are up, a tie going to the higher pcpu, the others behind it', () => {
    const bed = new Testbed(credit, { sockets: 1, cores: 4, threads: 1 });
    expect(bed.spinner(1, 0).unit.processor).toBe(3);
    expect(bed.spinner(1, 1).unit.processor).toBe(0);
    expect(bed.spinner(1, 2).unit.processor).toBe(1);
    expect(bed.spinner(2, 0).unit.processor).toBe(2);
  });

  it('prefers second threads', () => {
    const { pcpus } = new Testbed(credit, { sockets: 1, cores: 2, threads: 2 }).schedule;
    expect(pcpus.map((p) => p.core)).toEqual([0, 0, 1, 1]);
    expect(initialPcpu(1 as Domid, 0, pcpus, [])).toBe(3);
    const busy = { domid: 1 as Domid, vcpuId: 0, processor: 3, isDown: false };
    expect(initialPcpu(2 as Domid, 0, pcpus, [busy])).toBe(1);
    expect(initialPcpu(2 as Domid, 0, pcpus, [{ ...busy, isDown: true }])).toBe(3);
  });
});

describe('periodic timer', () => {
  it('ticks at 100 Hz unless told otherwise, and only while the vcpu has a pcpu', () => {
    const bed = new Testbed(credit);
    const worker = bed.spinner(1);
    bed.runFor(1000 * MS - 1);
    expect(worker.periodicTicks).toBe(99);
    bed.schedule.pause(worker.unit);
    bed.runFor(1000 * MS);
    expect(worker.periodicTicks).toBe(99);
    bed.schedule.unpause(worker.unit);
    bed.runFor(1 * MS);
    expect(worker.periodicTicks).toBe(100);
    bed.schedule.setPeriodic(worker.unit, 0);
    bed.runFor(1000 * MS);
    expect(worker.periodicTicks).toBe(100);
    bed.schedule.setPeriodic(worker.unit, 2 * MS);
    bed.runFor(999 * MS);
    expect(worker.periodicTicks).toBe(100 + 500);
  });
});

describe.each(['0', '-5', 'soon', '0x10'])('timer_slop=%s', (slop) => {
  it('leaves the periodic timer at its rate', () => {
    const bed = new Testbed(credit, undefined, { timer_slop: slop, vcpu_migration_delay: slop });
    const worker = bed.spinner(1);
    bed.runFor(1000 * MS - 1);
    expect(worker.periodicTicks).toBe(99);
  });
});

describe('time inside a slice', () => {
  it('is the host time plus what the hypervisor has charged for so far, and is paid', () => {
    const bed = new Testbed(credit);
    const seen: number[] = [];
    const worker = bed.add(1, 0, ({ unit }) => {
      seen.push(bed.schedule.nowInSlice(unit));
      bed.schedule.consume(unit, 30 * US);
      seen.push(bed.schedule.nowInSlice(unit));
      bed.schedule.block(unit);
      return 70 * US;
    });
    bed.runFor(1 * MS);
    expect(seen).toEqual([0, 30 * US]);
    expect(bed.ranNs(worker)).toBe(100 * US);
    expect(bed.schedule.nowInSlice(worker.unit)).toBe(1 * MS);
  });
});

describe('threads of one core', () => {
  it('run at 60 % each while both are busy', () => {
    const bed = new Testbed(credit, { sockets: 1, cores: 1, threads: 2 });
    const a = bed.spinner(1, 0, 0);
    bed.runFor(100 * MS);
    expect(a.workNs / MS).toBeCloseTo(100, -1);
    const b = bed.spinner(2, 0, 1);
    bed.runFor(1000 * MS);
    expect((a.workNs - 100 * MS) / MS).toBeCloseTo(600, -1);
    expect(b.workNs / MS).toBeCloseTo(600, -1);
    bed.schedule.setDown(a.unit);
    const workNs = b.workNs;
    bed.runFor(100 * MS);
    expect((b.workNs - workNs) / MS).toBeCloseTo(100, -1);
  });
});

describe('the end of a domain', () => {
  it('takes its vcpus off their pcpus, whatever they were doing', () => {
    const bed = new Testbed(credit, TWO);
    const workers = [0, 1, 2].map((id) => bed.spinner(1, id));
    bed.runFor(5 * MS);
    bed.schedule.removeDomain(1 as Domid);
    const work = workers.map((worker) => worker.workNs);
    bed.runFor(100 * MS);
    expect(workers.map((worker) => worker.workNs)).toEqual(work);
    expect([0, 1].map((id) => bed.schedule.currentOn(id).isIdle)).toEqual([true, true]);
    expect([...bed.schedule.units()]).toEqual([]);
    expect(() => bed.schedule.pauseDomain(1 as Domid)).toThrow('No such process');
    bed.schedule.addDomain(1 as Domid);
  });

  it('a vcpu is down until it is brought up', () => {
    const bed = new Testbed(credit);
    bed.schedule.addDomain(1 as Domid);
    const unit = new SchedUnit(1 as Domid, 0, { run: (ns) => ns, onSwitchIn: () => {}, onPeriodicTimer: () => {} });
    bed.schedule.addUnit(unit);
    bed.runFor(1 * MS);
    expect([unit.flags, bed.schedule.runstate(unit).timesNs[3]]).toEqual([VPF_down, 1 * MS]);
    bed.schedule.setUp(unit);
    bed.runFor(1 * MS);
    expect(bed.schedule.runstate(unit).timesNs[0]).toBe(1 * MS);
  });
});

describe('trace', () => {
  it('records run state changes and switches with the numbers of Xen 3.4', () => {
    const records: number[][] = [];
    const bed = new Testbed(credit, undefined, {}, (...record) => records.push(record));
    bed.spinner(3, 1);
    bed.runFor(1);
    expect(records).toEqual([
      [0x28001, 3, 1],
      [0x21001 + (3 << 8) + (1 << 4), 0x0003_0001],
      [0x28004, 3, 1],
      [0x2800e, IDLE_DOMID, 0],
      [0x2800f, 3, 0, 30 * MS],
      [0x2800a, IDLE_DOMID, 0, 3, 1],
      [0x21001 + (0 << 8) + (1 << 4), ((IDLE_DOMID << 16) | 0) >>> 0],
      [0x21001 + (1 << 8) + (0 << 4), 0x0003_0001],
    ]);
  });
});

it('before the start nothing runs', () => {
  const bed = new Testbed(credit);
  const schedule = new Schedule({ clock: bed.clock, topology: TWO, kind: credit, options: new Map() });
  schedule.addDomain(1 as Domid);
  let workNs = 0;
  const run = (ns: number) => {
    workNs += ns;
    return ns;
  };
  expect(() => schedule.addUnit(new SchedUnit(2 as Domid, 0, { run, onSwitchIn() {}, onPeriodicTimer() {} }))).toThrow(
    'No such process',
  );
  bed.runFor(5 * MS);
  expect(workNs).toBe(0);
});
