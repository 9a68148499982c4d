/** Wall time and macrotasks as Node has them, for the run loop. */
import { performance } from 'node:perf_hooks';
import type { RunLoopPlatform } from '../../machine/runLoop';

export function nodeRunLoopPlatform(): RunLoopPlatform {
  let wakeUp: (() => void) | undefined;
  return {
    nowMs: () => performance.now(),
    yield: () => new Promise((resolve) => setImmediate(resolve)),
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
