import { expect, it } from 'vitest';
import { freeMemory } from './balloon';
import type { XendLog } from './log';

const log = { debug: () => {} } as unknown as XendLog;

it('leaves Domain-0 what it has while enough is being scrubbed', async () => {
  let scrubKiB = 300_000;
  const targets: number[] = [];
  await freeMemory(
    {
      memory: () => ({ totalKiB: 2_000_000, freeKiB: 400_000 - scrubKiB, scrubKiB }),
      dom0AllocationKiB: () => 1_600_000,
      setDom0TargetMiB: (mebibytes) => targets.push(mebibytes),
      dom0MinMemKiB: 200_000,
      ballooningEnabled: true,
      sleep: async () => {
        scrubKiB = Math.max(0, scrubKiB - 100_000);
      },
      log,
    },
    350_000,
  );
  expect(targets).toEqual([]);
});
