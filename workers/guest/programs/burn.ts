/** burn: uses cpu time, and counts how often it got a millisecond of it. `burn [SECONDS]` stops after that much cpu time. */
import { again, exit, type Program } from '../sys';

const STEP_NS = 1_000_000;

interface BurnState {
  /** Milliseconds of cpu time used. */
  count: number;
  limit: number;
}

export const burn: Program<BurnState> = {
  name: 'burn',
  start(sys) {
    const seconds = Number(sys.argv[1] ?? Number.NaN);
    return { count: 0, limit: Number.isFinite(seconds) ? seconds * 1000 : Number.MAX_SAFE_INTEGER };
  },
  step(sys, state) {
    if (state.count >= state.limit) {
      sys.print(`${state.count}\n`);
      return exit(0);
    }
    state.count++;
    return again(STEP_NS);
  },
  /** USR1 prints the count so far. */
  signal(sys, state, signal) {
    if (signal !== 'USR1') return false;
    sys.print(`${state.count}\n`);
    return true;
  },
};
