/** Reads the worker's table of flows. */
import type { PolicyFlows } from '../../../workers/contract';

/** Everything but the label itself; indirect ways first, since those are the surprising ones. */
export function flowsFrom(
  { labels, hops }: PolicyFlows,
  from: string,
): readonly { readonly to: string; readonly hops: number }[] {
  const row = labels.indexOf(from) * labels.length;
  const rank = (count: number) => (count > 1 ? 0 : count === 1 ? 1 : 2);
  return labels
    .map((to, column) => ({ to, hops: hops[row + column] ?? 0 }))
    .filter(({ to }) => to !== from)
    .sort((a, b) => rank(a.hops) - rank(b.hops));
}

/** The labels on the way, both ends included; none when there is no way. */
export function flowPath({ labels, previous }: PolicyFlows, from: string, to: string): readonly string[] {
  const start = labels.indexOf(from);
  const path = [labels.indexOf(to)];
  while (path[0] !== start) {
    const before = previous[start * labels.length + path[0]!] ?? -1;
    if (before < 0) return [];
    path.unshift(before);
  }
  return path.map((label) => labels[label]!);
}
