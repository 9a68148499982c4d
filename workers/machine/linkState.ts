/** A machine's cable in the words of the page and of the headless host. */
import type { LinkState } from '../contract';
import type { Cable, LinkModel } from '../net/cable';
import type { Host } from './createHost';

export const MAX_MBIT_PER_S = 1_000_000;
export const MAX_LATENCY_MS = 10_000;

export function linkState({ model: { bitsPerSecond, latencyNs, isUp } }: Cable): LinkState {
  return {
    mbitPerS: bitsPerSecond === Number.POSITIVE_INFINITY ? null : bitsPerSecond / 1e6,
    latencyMs: latencyNs / 1e6,
    isUp,
  };
}

/** What the change does not name stays as it is. False: no cable does that. */
export function changeLink({ cable, world }: Host, change: Partial<LinkState>): boolean {
  const model = linkModel({ ...linkState(cable), ...change });
  if (model) world.lan.changeCable(cable, model);
  return model !== undefined;
}

/** Undefined: no cable does that. */
function linkModel({ mbitPerS, latencyMs, isUp }: LinkState): LinkModel | undefined {
  if (mbitPerS !== null && !(mbitPerS > 0 && mbitPerS <= MAX_MBIT_PER_S)) return undefined;
  if (!(latencyMs >= 0 && latencyMs <= MAX_LATENCY_MS)) return undefined;
  return {
    bitsPerSecond: mbitPerS === null ? Number.POSITIVE_INFINITY : mbitPerS * 1e6,
    latencyNs: Math.round(latencyMs * 1e6),
    isUp,
  };
}
