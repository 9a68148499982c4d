/** Wall time and macrotasks as a worker in a browser has them, for the run loop. */
import type { RunLoopPlatform } from '../../machine/runLoop';

export function browserRunLoopPlatform(): RunLoopPlatform {
  // A message to oneself is a macrotask without the 4 ms floor of nested timers.
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  let wakeUp: (() => void) | undefined;
  return {
    nowMs: () => performance.now(),
    yield: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        channel.port2.postMessage(undefined);
      }),
    sleep: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(done, ms);
        function done() {
          clearTimeout(timer);
          wakeUp = undefined;
          resolve();
        }
        wakeUp = done;
      }),
    interrupt: () => wakeUp?.(),
  };
}
