import fc from 'fast-check';
import { expect, it } from 'vitest';
import { commonPrograms } from './programs';
import { command } from './programs/adapters';
import { again, exit, type Program, wait } from './sys';
import { TestKernel, type TestKernelOptions, type TestState, testKernel } from './testing';

/** Writes numbered lines for ever. */
const numbers: Program<{ next: number }> = {
  name: 'numbers',
  start: () => ({ next: 1 }),
  step: (sys, state) => {
    for (let i = 0; i < 50; i++) sys.print(`${state.next++}\n`);
    return again(20_000);
  },
};
/** Adds up what it reads and says so with the time, every so many lines; ends after 20 reports. */
const sum: Program<{ total: number; lines: number; reports: number; rest: string }> = {
  name: 'sum',
  start: () => ({ total: 0, lines: 0, reports: 0, rest: '' }),
  step(sys, state) {
    const bytes = sys.read(0, 3000);
    if (!bytes) return wait({ readable: 0 });
    const lines = (state.rest + new TextDecoder().decode(bytes)).split('\n');
    state.rest = lines.pop()!;
    for (const line of lines) {
      state.total += Number(line);
      if (++state.lines % 5000 !== 0) continue;
      sys.print(`${sys.nowNs} ${state.lines} ${state.total}\n`);
      if (++state.reports === 20) return exit(3);
    }
    return again(30_000);
  },
};
const pair: Program<{ left: number }> = {
  name: 'pair',
  start(sys) {
    const [read, write] = sys.pipe();
    sys.spawn({ argv: ['numbers'], fds: { 1: write, 2: 2 } });
    sys.spawn({ argv: ['sum'], fds: { 0: read, 1: 1, 2: 2 } });
    sys.close(read);
    sys.close(write);
    return { left: 2 };
  },
  step(sys, state) {
    if (state.left === 0) return exit(0);
    const event = sys.waitChild();
    if (!event) return wait({ child: true });
    state.left--;
    sys.print(`${JSON.stringify(event)} at ${sys.nowNs}\n`);
    return again();
  },
};
/** Sleeps for a random time, writes a file, says so. */
const ticker: Program<{ untilNs: number; count: number }> = {
  name: 'ticker',
  start: (sys) => ({ untilNs: sys.nowNs, count: 0 }),
  step(sys, state) {
    if (sys.nowNs < state.untilNs) return wait({ untilNs: state.untilNs });
    state.untilNs = sys.nowNs + sys.random(30_000_000);
    sys.writeFile('/tmp/ticks', `${state.count++}\n`, { append: true });
    sys.print(`tick ${state.count} ${sys.nowNs} ${sys.stat('/tmp/ticks').size}\n`);
    return state.count === 40 ? exit(0) : again();
  },
};
const bounded = command('bounded', (sys) => sys.exec(['burn', '0.05']));
const programs = [...commonPrograms, numbers, sum, pair, ticker, bounded];
const INITTAB =
  'id:3:initdefault:\na:3:once:pair\nb:3:once:ticker\nc:3:once:burn 0.3\nd:3:respawn:burn 0.05\ne:3:respawn:getty console\n';

function freshMachine(options: TestKernelOptions): TestKernel {
  const machine = testKernel(programs, options);
  machine.kernel.writeFile('/etc/inittab', new TextEncoder().encode(INITTAB));
  machine.kernel.startInit();
  return machine;
}

/** Through JSON, as a saved image does it. */
function throughJson(state: TestState): TestState {
  const text = JSON.stringify(state, (_, value: unknown) =>
    value instanceof Uint8Array ? { $u8: Buffer.from(value).toString('base64') } : value,
  );
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === 'object' && value !== null && '$u8' in value
      ? new Uint8Array(Buffer.from(String(value.$u8), 'base64'))
      : value,
  ) as TestState;
}

it('a guest taken at any moment goes on in a fresh kernel exactly as it would have', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 3 }), fc.nat(999), (ms, vcpus, seed) => {
      const options = { vcpus, seed };
      const original = freshMachine(options);
      original.advance(ms + seed / 1000);
      const state = throughJson(original.save());
      const before = original.console().length;
      const copy = TestKernel.restore(programs, options, state);
      original.type('ro');
      copy.type('ro');
      original.advance(700);
      copy.advance(700);
      expect(copy.console()).toBe(original.console().slice(before));
      expect(throughJson(copy.save())).toEqual(throughJson(original.save()));
    }),
    { numRuns: 15 },
  );
});
