import { describe, expect, it } from 'vitest';
import { DiskSaver } from './diskSaver';

class FakeDisks {
  bytes = 0;
  writes = 0;
  saves = 0;
  error: Error | undefined;

  write(): void {
    this.bytes += 65536;
    this.writes++;
  }

  get unsaved() {
    return { bytes: this.bytes, writes: this.writes };
  }

  async save(): Promise<void> {
    this.saves++;
    if (this.error) throw this.error;
    this.bytes = 0;
  }
}

function saving() {
  const disks = new FakeDisks();
  const failures: unknown[] = [];
  const saver = new DiskSaver(disks, (error) => failures.push(error));
  const tick = async (ms: number) => {
    saver.tick(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { disks, failures, tick };
}

describe('DiskSaver', () => {
  it('stores the disks once they have been quiet for 300 ms', async () => {
    const { disks, tick } = saving();
    disks.write();
    await tick(1000);
    await tick(1250);
    expect(disks.saves).toBe(0);
    await tick(1300);
    expect(disks.saves).toBe(1);
    await tick(5000);
    expect(disks.saves).toBe(1);
  });

  it('stores them now and then while they are written to all the time', async () => {
    const { disks, tick } = saving();
    for (let ms = 0; ms < 10_000; ms += 50) {
      disks.write();
      await tick(ms);
    }
    expect(disks.saves).toBe(3);
  });

  it('tries again later when the storage refuses', async () => {
    const { disks, failures, tick } = saving();
    disks.error = new Error('full');
    disks.write();
    await tick(0);
    for (let ms = 300; ms <= 10_000; ms += 50) await tick(ms);
    expect(failures).toHaveLength(1);
    disks.error = undefined;
    await tick(10_400);
    await tick(10_800);
    expect(disks.bytes).toBe(0);
  });
});
