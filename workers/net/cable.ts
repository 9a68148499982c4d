/** The cable between a machine and the switch: what it does to everything that goes through it. */

export interface LinkModel {
  /** Infinity: no time at all. */
  readonly bitsPerSecond: number;
  /** One way, from the machine to the switch. */
  readonly latencyNs: number;
  /** False: it is pulled out. */
  readonly isUp: boolean;
}

/** 0.1 ms from machine to machine. */
export const GIGABIT: LinkModel = { bitsPerSecond: 1e9, latencyNs: 50_000, isUp: true };

/** It outlives the boots of its machine. Change it through `Lan.changeCable`. */
export class Cable {
  constructor(public model: LinkModel = GIGABIT) {}
}

/** From machine to machine: the slower of two cables, and both latencies. */
export function wayThrough(a: Cable, b: Cable): LinkModel {
  return {
    bitsPerSecond: Math.min(a.model.bitsPerSecond, b.model.bitsPerSecond),
    latencyNs: a.model.latencyNs + b.model.latencyNs,
    isUp: a.model.isUp && b.model.isUp,
  };
}
