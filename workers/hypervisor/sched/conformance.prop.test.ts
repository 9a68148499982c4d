import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SchedUnit } from '../schedUnit';
import type { Topology } from '../topology';
import { schedulers } from './index';
import { roundRobin } from './roundRobin.testkind';
import { Testbed, type Worker } from './testbed';

const MS = 1_000_000;
/** The longest slice of any policy: by then every pcpu has chosen anew. */
const LONGEST_SLICE_NS = 30 * MS;

type Op =
  | {
      readonly op: 'sleep' | 'wake' | 'pause' | 'unpause' | 'pauseDomain' | 'unpauseDomain' | 'yield';
      readonly who: number;
    }
  | { readonly op: 'share'; readonly who: number; readonly weight: number; readonly cap: number }
  | { readonly op: 'affinity'; readonly who: number; readonly pcpus: readonly number[] }
  | { readonly op: 'time'; readonly ns: number };

const who = fc.nat({ max: 7 });
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    op: fc.constantFrom('sleep', 'wake', 'pause', 'unpause', 'pauseDomain', 'unpauseDomain', 'yield'),
    who,
  }),
  fc.record({
    op: fc.constant('affinity' as const),
    who,
    pcpus: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    op: fc.constant('share' as const),
    who,
    weight: fc.integer({ min: 1, max: 65535 }),
    cap: fc.constantFrom(0, 0, 10, 50, 150),
  }),
  fc.record({ op: fc.constant('time' as const), ns: fc.integer({ min: 1, max: 50 * MS }) }),
);

const topology: fc.Arbitrary<Topology> = fc.constantFrom(
  { sockets: 1, cores: 1, threads: 1 },
  { sockets: 1, cores: 2, threads: 1 },
  { sockets: 2, cores: 2, threads: 1 },
);

/** Eight vcpus of four domains: half of them spin, half wait now and then; each checks whenever it is run that it may. */
function populate(bed: Testbed): Worker[] {
  return Array.from({ length: 8 }, (_, at) => {
    let worked = 0;
    return bed.add(at >> 1, at & 1, ({ unit }, budgetNs) => {
      if (!unit.isRunnable || unit.isBlocked || unit.isDown) throw new Error('a sleeping vcpu was run');
      if (bed.schedule.currentOn(unit.processor) !== unit) throw new Error('run on a pcpu that is not its own');
      if (!unit.affinity.has(unit.processor)) throw new Error('run outside its affinity');
      if (at & 1) return budgetNs;
      worked++;
      if (worked % 4 === 0) {
        bed.schedule.block(unit);
        bed.clock.at(bed.clock.nowNs + 100_000 * (1 + (worked % 37)), () => bed.schedule.wake(unit));
      }
      return Math.min(budgetNs, 50_000 * (1 + (worked % 11)));
    });
  });
}

/** The pauses that are ours; a policy may add one of its own (credit parks with it). */
const pauses = new WeakMap<SchedUnit, number>();
const pausesOf = (unit: SchedUnit) => pauses.get(unit) ?? 0;

function apply(bed: Testbed, workers: readonly Worker[], step: Op): void {
  const { schedule } = bed;
  if (step.op === 'time') {
    bed.runFor(step.ns);
    return;
  }
  const { unit } = workers[step.who]!;
  const allowed = step.op === 'affinity' ? new Set(step.pcpus) : new Set<number>();
  switch (step.op) {
    case 'sleep':
      schedule.setDown(unit);
      break;
    case 'wake':
      schedule.setUp(unit);
      break;
    case 'pause':
      schedule.pause(unit);
      pauses.set(unit, pausesOf(unit) + 1);
      break;
    case 'unpause':
      if (pausesOf(unit) === 0) break;
      schedule.unpause(unit);
      pauses.set(unit, pausesOf(unit) - 1);
      break;
    case 'share':
      if (schedule.kind.option === 'credit') bed.setCredit(unit.domid, step.weight, step.cap);
      break;
    case 'pauseDomain':
      schedule.pauseDomain(unit.domid);
      break;
    case 'unpauseDomain':
      if (unit.domain!.pauseCount > 0) schedule.unpauseDomain(unit.domid);
      break;
    case 'yield':
      schedule.yield(unit);
      break;
    case 'affinity':
      if ([...allowed].some((id) => id < schedule.pcpus.length)) schedule.setAffinity(unit, allowed);
      else expect(() => schedule.setAffinity(unit, allowed)).toThrow('Invalid argument');
  }
}

function checkPcpus(bed: Testbed, workers: readonly Worker[]): void {
  const seen = new Set<object>();
  for (const { id } of bed.schedule.pcpus) {
    const current = bed.schedule.currentOn(id);
    expect(seen.has(current)).toBe(false);
    seen.add(current);
    expect(current.isRunnable && current.isRunning && current.processor === id && current.affinity.has(id)).toBe(true);
    expect(bed.schedule.runstate(current).state).toBe(0);
  }
  for (const { unit } of workers) {
    const { state, timesNs } = bed.schedule.runstate(unit);
    expect(timesNs.reduce((a, b) => a + b)).toBe(bed.clock.nowNs);
    expect(state === 0).toBe(seen.has(unit));
    if (unit.isRunnable) expect(state).toBeLessThan(2);
    else expect(state).toBeGreaterThan(1);
  }
}

function checkTimes(bed: Testbed, workers: readonly Worker[]): void {
  const idleNs = bed.schedule.pcpus.reduce((sum, { id }) => sum + bed.schedule.idleNs(id), 0);
  const ranNs = workers.reduce((sum, worker) => sum + bed.ranNs(worker), 0);
  expect(idleNs + ranNs).toBe(bed.schedule.pcpus.length * bed.clock.nowNs);
  // What a vcpu has done is what it has paid for, but for a last burst and the price of entering it.
  for (const worker of workers) {
    const debtNs = worker.workNs - bed.ranNs(worker);
    expect(debtNs).toBeLessThanOrEqual(MS);
    expect(debtNs).toBeGreaterThanOrEqual(-1000 * (1 + worker.switchesIn));
  }
}

/** Nothing but its own waiting keeps it from running. */
function mayRun({ unit }: Worker): boolean {
  return !unit.isDown && pausesOf(unit) === 0 && unit.domain!.pauseCount === 0;
}

function afterThreeSeconds(bed: Testbed, steps: readonly Op[]): { before: number[]; workers: Worker[] } {
  const workers = populate(bed);
  for (const step of steps) apply(bed, workers, step);
  bed.runFor(1);
  const before = workers.map((worker) => worker.workNs);
  bed.runFor(3000 * MS);
  return { before, workers };
}

function waitingBesideAnIdlePcpu(bed: Testbed, workers: readonly Worker[]): Worker[] {
  const idle = bed.schedule.pcpus.filter(({ id }) => bed.schedule.currentOn(id).isIdle);
  return workers.filter(
    ({ unit }) => unit.isRunnable && !unit.isRunning && idle.some(({ id }) => unit.affinity.has(id)),
  );
}

describe.each([...schedulers, roundRobin])('scheduler $option', (kind) => {
  it('never runs a sleeping vcpu, a vcpu twice or outside its affinity; accounts for every nanosecond', () => {
    fc.assert(
      fc.property(topology, fc.array(op, { maxLength: 40 }), (topo, steps) => {
        const bed = new Testbed(kind, topo);
        const workers = populate(bed);
        for (const step of steps) {
          apply(bed, workers, step);
          if (step.op === 'time') checkPcpus(bed, workers);
        }
        bed.runFor(1);
        checkPcpus(bed, workers);
        checkTimes(bed, workers);
      }),
      { numRuns: 60 },
    );
  });

  it('gives nothing to those who are paused or down, for however long', () => {
    fc.assert(
      fc.property(topology, fc.array(op, { maxLength: 30 }), (topo, steps) => {
        const { before, workers } = afterThreeSeconds(new Testbed(kind, topo), steps);
        workers.forEach((worker, at) => {
          if (!mayRun(worker)) expect(worker.workNs).toBe(before[at]);
        });
      }),
      { numRuns: 10 },
    );
  });

  it('behaves the same way every time', () => {
    fc.assert(
      fc.property(topology, fc.array(op, { maxLength: 30 }), (topo, steps) => {
        const run = () => {
          const trace: number[] = [];
          const bed = new Testbed(kind, topo, {}, (...words) => trace.push(...words, bed?.clock.nowNs ?? 0));
          const workers = populate(bed);
          for (const step of steps) apply(bed, workers, step);
          return trace;
        };
        expect(run()).toEqual(run());
      }),
      { numRuns: 10 },
    );
  });

  it('runs 200 blocked domains at no cost', () => {
    const bed = new Testbed(kind, { sockets: 1, cores: 2, threads: 1 });
    for (let domid = 1; domid <= 200; domid++)
      bed.add(domid, 0, ({ unit }) => {
        bed.schedule.block(unit);
        return 1000;
      });
    bed.runFor(2000 * MS);
    let events = 0;
    const endNs = bed.clock.nowNs + 1000 * MS;
    while (bed.clock.runNext(endNs)) events++;
    expect(events).toBeLessThanOrEqual(110);
    expect(bed.schedule.idleNs(0) + bed.schedule.idleNs(1)).toBeGreaterThan(3990 * MS - 10 * MS);
  });
});

describe.each([...schedulers, roundRobin].filter((kind) => kind.option !== 'sedf'))(
  'work-conserving scheduler $option',
  (kind) => {
    it('runs everybody in the end who may run', () => {
      fc.assert(
        fc.property(topology, fc.array(op, { maxLength: 30 }), (topo, steps) => {
          const { before, workers } = afterThreeSeconds(new Testbed(kind, topo), steps);
          workers.forEach((worker, at) => {
            if (mayRun(worker)) expect(worker.workNs).toBeGreaterThan(before[at]!);
          });
        }),
        { numRuns: 10 },
      );
    });

    it('leaves no pcpu idle while a vcpu that may run there waits', () => {
      fc.assert(
        fc.property(topology, fc.array(op, { maxLength: 40 }), (topo, steps) => {
          const bed = new Testbed(kind, topo);
          const workers = populate(bed);
          bed.runFor(1);
          for (const step of steps) {
            apply(bed, workers, step);
            // A wider affinity takes effect when the vcpu's pcpu chooses again.
            if (step.op === 'affinity') bed.runFor(LONGEST_SLICE_NS);
            bed.runFor(1);
            expect(waitingBesideAnIdlePcpu(bed, workers).length).toBe(0);
          }
        }),
        { numRuns: 60 },
      );
    });
  },
);
