/**
 * Information flow through trusted labels: a label with several types may share with labels that may not share with each
 * other. It is trusted to keep them apart; the type system does not (Users' Manual, §10.4).
 */
import type { PolicyFlows } from '../../contract';
import type { AcmPolicy } from '../policyModel';
import { numbersOf, sharingOf } from './numbers';

/** Pairs of more labels than this are not worked out. */
export const MAX_FLOW_LABELS = 600;

/** Undefined for more than MAX_FLOW_LABELS labels. `ignored`: labels that are trusted not to pass anything on. */
export function informationFlows(policy: AcmPolicy, ignored: readonly string[] = []): PolicyFlows | undefined {
  const { vmLabels: labels, steRows } = numbersOf(policy);
  const count = labels.length;
  if (count > MAX_FLOW_LABELS) return undefined;
  const types = sharingOf(policy);
  const isTrusted = labels.map((_, row) => steRows[row]!.reduce((sum, value) => sum + (value ? 1 : 0), 0) > 1);
  const passesOn = labels.map((name, row) => isTrusted[row] === true && !ignored.includes(name));
  const peers = labels.map((_, row) => labels.flatMap((_name, other) => (types.share(row, other) ? [other] : [])));
  const hops = new Uint8Array(count * count);
  const previous = new Int16Array(count * count).fill(-1);
  for (let from = 0; from < count; from++) {
    const queue = [from];
    const base = from * count;
    for (let at = 0; at < queue.length; at++) {
      const label = queue[at]!;
      if (label !== from && !passesOn[label]) continue;
      const next = Math.min(255, (hops[base + label] ?? 0) + 1);
      for (const peer of peers[label]!) {
        if (peer === from || hops[base + peer] !== 0) continue;
        hops[base + peer] = next;
        previous[base + peer] = label;
        queue.push(peer);
      }
    }
  }
  return {
    labels,
    trusted: labels.filter((_, row) => isTrusted[row]),
    ignored: labels.filter((name) => ignored.includes(name)),
    hops,
    previous,
  };
}

/** The labels on the shortest way, both ends included; undefined: there is none. */
export function flowPath({ labels, previous }: PolicyFlows, from: string, to: string): readonly string[] | undefined {
  const start = labels.indexOf(from);
  const end = labels.indexOf(to);
  if (start < 0 || end < 0) return undefined;
  const path = [end];
  while (path[0] !== start) {
    const before = previous[start * labels.length + path[0]!]!;
    if (before < 0) return undefined;
    path.unshift(before);
  }
  return path.map((label) => labels[label]!);
}
