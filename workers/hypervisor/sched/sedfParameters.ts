/**
 * Setting sEDF's parameters: a slice in every period, or a weight from which a slice is computed, or extra time only.
 *
 * Source: sedf_adjust and sedf_adjust_weights in xen/common/sched_sedf.c (Xen 3.4).
 */
import { XenError } from '../../lib/errno';
import type { SchedParameters } from './scheduler';
import type { SedfVcpu } from './sedfQueues';

export type SedfParameters = Extract<SchedParameters, { kind: 'sedf' }>;

/** Period of every vcpu whose slice follows from a weight. */
export const WEIGHT_PERIOD_NS = 100_000_000;
/** Part of that period which is not given away. */
const WEIGHT_SAFETY_NS = 5_000_000;
const PERIOD_MIN_NS = 10_000;
const PERIOD_MAX_NS = 10_000_000_000;
const SLICE_MIN_NS = 5_000;

/** Throws EINVAL for neither period nor weight, and for a period or slice out of range. */
export function checkSedfParameters({ periodNs, sliceNs, weight }: SedfParameters): void {
  if (weight !== 0) return;
  if (periodNs < PERIOD_MIN_NS || periodNs > PERIOD_MAX_NS) throw new XenError('EINVAL', `period ${periodNs} ns`);
  if (sliceNs < SLICE_MIN_NS || sliceNs > periodNs) throw new XenError('EINVAL', `slice ${sliceNs} ns`);
}

/** Applies checked parameters to one vcpu; slices that follow from weights are set by `adjustWeights` afterwards. */
export function applySedfParameters(own: SedfVcpu, { periodNs, sliceNs, weight, extratime }: SedfParameters): void {
  if (weight === 0) {
    own.weight = 0;
    own.extraweight = 0;
    setSlice(own, periodNs, sliceNs);
  } else if (extratime && periodNs === 0) {
    own.extraweight = weight;
    own.weight = 0;
    setSlice(own, WEIGHT_PERIOD_NS, 0);
  } else {
    own.weight = weight;
    own.extraweight = 0;
  }
}

/** Divides what the vcpus with a slice of their own leave of each pcpu among those with a weight. */
export function adjustWeights(all: Iterable<SedfVcpu>): void {
  const ofPcpu = new Map<number, SedfVcpu[]>();
  for (const own of all) {
    const list = ofPcpu.get(own.vcpu.processor);
    if (list) list.push(own);
    else ofPcpu.set(own.vcpu.processor, [own]);
  }
  for (const list of ofPcpu.values()) {
    let weights = 0;
    let takenNs = 0;
    for (const own of list) {
      weights += own.weight;
      if (own.weight === 0) takenNs += Math.floor((WEIGHT_PERIOD_NS * own.sliceOrigNs) / own.periodOrigNs);
    }
    const leftNs = Math.max(0, WEIGHT_PERIOD_NS - WEIGHT_SAFETY_NS - takenNs);
    for (const own of list)
      if (own.weight !== 0) setSlice(own, WEIGHT_PERIOD_NS, Math.floor((own.weight * leftNs) / weights));
  }
}

function setSlice(own: SedfVcpu, periodNs: number, sliceNs: number): void {
  own.periodNs = periodNs;
  own.periodOrigNs = periodNs;
  own.sliceNs = sliceNs;
  own.sliceOrigNs = sliceNs;
}
