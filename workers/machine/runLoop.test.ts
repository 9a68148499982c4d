import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../lib/clock';
import { RunLoop } from './runLoop';

/** A computer whose wall clock moves only while the loop sleeps or an event says that it took so long. */
function computer(eventCostMs: number) {
  const clock = new VirtualClock();
  let wallMs = 0;
  const platform = {
    nowMs: () => wallMs,
    yield: () => new Promise<void>((resolve) => setTimeout(resolve, 0)),
    sleep: async (ms: number) => {
      wallMs += ms;
    },
    interrupt: () => {},
  };
  const loop = new RunLoop(clock, platform, (error) => {
    throw error;
  });
  /** Work that is due every ms of virtual time, until a moment of the wall clock. */
  const keepBusy = (untilWallMs: number) => {
    const work = () => {
      wallMs += eventCostMs;
      if (wallMs < untilWallMs) clock.at(clock.nowNs + 1e6, work);
    };
    clock.at(clock.nowNs + 1e6, work);
  };
  const stopAt = (stopMs: number) => {
    const sleep = platform.sleep;
    const check = () => {
      if (wallMs >= stopMs) loop.stop();
    };
    platform.sleep = async (ms) => {
      await sleep(ms);
      check();
    };
    platform.yield = async () => check();
  };
  return { clock, loop, keepBusy, stopAt, wallMs: () => wallMs };
}

describe('lag', () => {
  it('is what is missing from wall time while the work does not fit', async () => {
    const { clock, loop, keepBusy, stopAt, wallMs } = computer(4);
    keepBusy(2000);
    stopAt(1900);
    await loop.run();
    const missingMs = wallMs() - clock.nowNs / 1e6;
    expect(missingMs).toBeGreaterThan(1000);
    expect(Math.abs(loop.lagMs - missingMs)).toBeLessThan(50);
  });

  it('is forgotten when time has kept up for a second', async () => {
    const { loop, keepBusy, stopAt } = computer(4);
    keepBusy(2000);
    stopAt(3500);
    await loop.run();
    expect(loop.lagMs).toBe(0);
  });

  it('is no debt of another speed', async () => {
    const { loop, keepBusy, stopAt } = computer(4);
    keepBusy(2000);
    stopAt(1900);
    await loop.run();
    loop.speed = 0.1;
    expect(loop.lagMs).toBe(0);
  });
});

describe('several who wait', () => {
  it('each see the machine at the moment that they waited for, whoever runs it', async () => {
    const { clock, loop, keepBusy } = computer(0);
    const seen: [string, number][] = [];
    const wait = async (name: string, isDone: () => boolean, limitMs?: number) => {
      await loop.runUntil(isDone, limitMs === undefined ? undefined : limitMs * 1e6);
      seen.push([name, clock.nowNs / 1e6]);
    };
    keepBusy(1);
    await Promise.all([
      wait('last', () => clock.nowNs >= 40e6, 100),
      wait('limit', () => false, 10.5),
      wait('same limit', () => false, 10.5),
      wait('event', () => clock.nowNs >= 5e6),
      wait('over already', () => true),
    ]);
    expect(seen).toEqual([
      ['over already', 0],
      ['event', 5],
      ['limit', 10.5],
      ['same limit', 10.5],
      ['last', 40],
    ]);
    loop.stop();
  });
});
