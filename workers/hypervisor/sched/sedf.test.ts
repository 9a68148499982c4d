import { describe, expect, it } from 'vitest';
import type { Domid } from '../../abi/xen';
import type { SchedParameters } from './scheduler';
import { sedf } from './sedf';
import { Testbed, type Worker } from './testbed';

const MS = 1_000_000;
const SECOND = 1000 * MS;

const parameters = (given: Partial<Extract<SchedParameters, { kind: 'sedf' }>>): SchedParameters => ({
  kind: 'sedf',
  periodNs: 0,
  sliceNs: 0,
  latencyNs: 0,
  extratime: false,
  weight: 0,
  ...given,
});

function set(bed: Testbed, domid: number, given: Parameters<typeof parameters>[0]): void {
  bed.schedule.setParameters(domid as Domid, parameters(given));
}

/** Percent of the pcpu that each got over some seconds after a first one. */
function shares(bed: Testbed, workers: readonly Worker[], ns = 10 * SECOND): number[] {
  bed.runFor(SECOND);
  const before = workers.map((worker) => bed.ranNs(worker));
  bed.runFor(ns);
  return workers.map((worker, at) => (100 * (bed.ranNs(worker) - before[at]!)) / ns);
}

describe('sedf: guaranteed slices', () => {
  it('gives each its slice in every period and no more without extra time', () => {
    const bed = new Testbed(sedf);
    const workers = [bed.spinner(1), bed.spinner(2), bed.spinner(3)];
    set(bed, 1, { periodNs: 20 * MS, sliceNs: 5 * MS });
    set(bed, 2, { periodNs: 100 * MS, sliceNs: 40 * MS });
    set(bed, 3, { periodNs: 50 * MS, sliceNs: 10 * MS });
    const [a, b, c] = shares(bed, workers);
    expect(a).toBeCloseTo(25, 0);
    expect(b).toBeCloseTo(40, 0);
    expect(c).toBeCloseTo(20, 0);
  });

  it('keeps the promise in every single period', () => {
    const bed = new Testbed(sedf);
    const promised = bed.spinner(1);
    for (let domid = 2; domid < 6; domid++) bed.spinner(domid);
    set(bed, 1, { periodNs: 20 * MS, sliceNs: 5 * MS });
    bed.runFor(SECOND);
    let ranNs = bed.ranNs(promised);
    for (let period = 0; period < 100; period++) {
      bed.runFor(20 * MS);
      expect((bed.ranNs(promised) - ranNs) / MS).toBeCloseTo(5, 1);
      ranNs = bed.ranNs(promised);
    }
  });

  it('promises Domain-0 15 ms in 20 ms and others nothing but extra time', () => {
    const bed = new Testbed(sedf);
    const workers = [bed.spinner(0), bed.spinner(1)];
    expect(bed.schedule.getParameters(0 as Domid)).toEqual(
      parameters({ periodNs: 20 * MS, sliceNs: 15 * MS, extratime: true }),
    );
    expect(bed.schedule.getParameters(1 as Domid)).toEqual(parameters({ periodNs: 100 * MS, extratime: true }));
    const [dom0, other] = shares(bed, workers);
    expect(dom0).toBeGreaterThanOrEqual(74.9);
    expect(other).toBeGreaterThan(5);
  });
});

describe('sedf: extra time', () => {
  it('is shared evenly among vcpus of the same weight', () => {
    const bed = new Testbed(sedf);
    const workers = [1, 2, 3, 4].map((domid) => bed.spinner(domid));
    for (const share of shares(bed, workers)) expect(Math.abs(share - 25)).toBeLessThan(1);
  });

  it('is shared by weight when a domain has extra time only', () => {
    const bed = new Testbed(sedf);
    const workers = [bed.spinner(1), bed.spinner(2)];
    set(bed, 1, { weight: 1, extratime: true });
    set(bed, 2, { weight: 2, extratime: true });
    const [one, two] = shares(bed, workers);
    expect(two! / one!).toBeCloseTo(2, 1);
  });

  it('goes to nobody who did not ask for it', () => {
    const bed = new Testbed(sedf);
    const worker = bed.spinner(1);
    set(bed, 1, { periodNs: 100 * MS, sliceNs: 30 * MS, extratime: false });
    expect(shares(bed, [worker])[0]).toBeCloseTo(30, 0);
    set(bed, 1, { periodNs: 100 * MS, sliceNs: 30 * MS, extratime: true });
    expect(shares(bed, [worker])[0]).toBeGreaterThan(95);
  });
});

describe('sedf: weights', () => {
  it('divides what slices leave of 95 ms in 100 ms', () => {
    const bed = new Testbed(sedf);
    const workers = [bed.spinner(1), bed.spinner(2), bed.spinner(3)];
    set(bed, 1, { periodNs: 100 * MS, sliceNs: 35 * MS });
    set(bed, 2, { weight: 1 });
    set(bed, 3, { weight: 2 });
    expect(bed.schedule.getParameters(3 as Domid)).toEqual(
      parameters({ periodNs: 100 * MS, sliceNs: 40 * MS, weight: 2 }),
    );
    const [fixed, one, two] = shares(bed, workers);
    expect(fixed).toBeCloseTo(35, 0);
    expect(one).toBeCloseTo(20, 0);
    expect(two).toBeCloseTo(40, 0);
  });
});

describe('sedf: blocking', () => {
  it('lets a vcpu that blocks for a short while catch up and one that blocks for long start a new period', () => {
    const bed = new Testbed(sedf);
    const short = bed.periodic(1, 2 * MS, 1 * MS);
    const long = bed.periodic(2, 2 * MS, 200 * MS);
    set(bed, 1, { periodNs: 10 * MS, sliceNs: 4 * MS, extratime: true });
    set(bed, 2, { periodNs: 50 * MS, sliceNs: 10 * MS });
    const [a, b] = shares(bed, [short, long]);
    expect(a).toBeGreaterThan(40);
    expect(b).toBeCloseTo((100 * 2) / 202, 0);
  });
});

describe('sedf: parameters', () => {
  it.each([
    ['neither period nor weight', {}],
    ['a period below 10 us', { periodNs: 9_999, sliceNs: 9_999 }],
    ['a period above 10 s', { periodNs: 10 * SECOND + 1, sliceNs: MS }],
    ['a slice below 5 us', { periodNs: MS, sliceNs: 4_999 }],
    ['a slice longer than the period', { periodNs: MS, sliceNs: MS + 1 }],
  ])('refuses %s', (_, given) => {
    const bed = new Testbed(sedf);
    bed.spinner(1);
    expect(() => set(bed, 1, given)).toThrow('Invalid argument');
  });
});

describe('sedf: debug key r', () => {
  it('prints the queues of each pcpu', () => {
    const bed = new Testbed(sedf);
    bed.spinner(0);
    bed.runFor(5 * MS);
    const lines: string[] = [];
    bed.schedule.dumpRunq((line) => lines.push(line));
    expect(lines).toEqual([
      'Scheduler: Simple EDF Scheduler (sedf)',
      'sched_smt_power_savings: disabled',
      'NOW=0x00000000004C4B40',
      'CPU[00] now=5000000',
      'RUNQ',
      '  0: 0.0 has=T p=20000000 sl=15000000 ddl=15000000 w=0 sc=0 xtr(yes)=0 ew=1',
      'WAITQ',
      'EXTRAQ (penalty)',
      'EXTRAQ (utilization)',
      '  0: 0.0 has=T p=20000000 sl=15000000 ddl=15000000 w=0 sc=0 xtr(yes)=0 ew=1',
      'not on Q',
    ]);
  });
});
