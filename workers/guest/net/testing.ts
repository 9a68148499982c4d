/** Network stacks on one cable, for tests. */
import { VirtualClock } from '../../lib/clock';
import { seeded } from '../../lib/random';
import { NetStack } from './stack';
import { emptyNetState } from './state';

/** Two guests on one cable, 192.0.2.1 and 192.0.2.2; `lose` decides about each frame. */
export function pair(lose: (frame: Uint8Array) => boolean = () => false) {
  const clock = new VirtualClock();
  const random = seeded(1);
  const deliver: ((frame: Uint8Array) => void)[] = [];
  const log: string[] = [];
  const stacks = [0, 1].map((n) => {
    const stack: NetStack = new NetStack(emptyNetState(), {
      get nowNs() {
        return clock.nowNs;
      },
      random: (limit) => random.below(limit),
      wakeSocket: () => {},
      interfacesChanged: () => {},
      printk: (line) => log.push(line),
      timerChanged: () => {
        const next = stack.nextTimerNs;
        if (next !== undefined) clock.at(next, () => stack.runTimers());
      },
    });
    deliver[n] = stack.links.add({
      name: 'eth0',
      mac: `00:16:3e:00:00:0${n + 1}`,
      kind: 'ethernet',
      carrier: true,
      transmit: (frame) => {
        const copy = frame.slice();
        if (!lose(copy)) clock.at(clock.nowNs + 1000, () => deliver[1 - n]!(copy));
        return true;
      },
    });
    stack.config.setUp('lo', true);
    stack.config.setAddress('lo', '127.0.0.1', 8);
    stack.config.setUp('eth0', true);
    stack.config.setAddress('eth0', `192.0.2.${n + 1}`, 24);
    return stack;
  });
  return { clock, a: stacks[0]!, b: stacks[1]!, log };
}

export const bytesOf = (value: string) => new TextEncoder().encode(value);
