import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Port } from '../abi/xen';
import { EventChannels } from './evtchn';
import { FakeCpu } from './fakeCpu.testkind';
import { Hypercalls } from './hypercall';

it('delivers each event to its handler once, and none is lost to masking', () => {
  const step = fc.record({
    do: fc.constantFrom('raise', 'mask', 'unmask', 'run'),
    port: fc.integer({ min: 10, max: 1023 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const cpu = new FakeCpu();
      const events = new EventChannels(new Hypercalls(cpu, cpu.entry.esi), cpu.shared.bytes);
      events.maskAll();
      const expected = new Map<number, number>();
      const seen = new Map<number, number>();
      const pending = new Set<number>();
      for (const { port } of steps)
        events.handle(port as Port, () => {
          seen.set(port, (seen.get(port) ?? 0) + 1);
          pending.delete(port);
        });
      for (const { do: what, port } of steps) {
        if (what === 'raise') {
          // A second notification of a pending port is the same event.
          if (!pending.has(port)) expected.set(port, (expected.get(port) ?? 0) + 1);
          pending.add(port);
          cpu.raise(port);
        } else if (what === 'mask') events.mask(port as Port);
        else if (what === 'unmask') events.unmask(port as Port);
        else events.handlePending(0);
      }
      for (const { port } of steps) events.unmask(port as Port);
      events.handlePending(0);
      expect(seen).toEqual(expected);
    }),
  );
});

it('keeps an event for a handler that comes later', () => {
  const cpu = new FakeCpu();
  const events = new EventChannels(new Hypercalls(cpu, cpu.entry.esi), cpu.shared.bytes);
  events.maskAll();
  cpu.raise(40);
  expect(events.handlePending(0)).toBe(0);
  let count = 0;
  events.handle(40 as Port, () => count++);
  events.handlePending(0);
  expect(count).toBe(1);
});

it('stays masked when its own handler asks for it, until it is unmasked', () => {
  const cpu = new FakeCpu();
  const events = new EventChannels(new Hypercalls(cpu, cpu.entry.esi), cpu.shared.bytes);
  events.maskAll();
  let count = 0;
  events.handle(9 as Port, () => {
    count++;
    events.setMasked(9 as Port, true);
  });
  cpu.raise(9);
  events.handlePending(0);
  cpu.raise(9);
  events.handlePending(0);
  expect(count).toBe(1);
  events.setMasked(9 as Port, false);
  events.handlePending(0);
  expect(count).toBe(2);
});
