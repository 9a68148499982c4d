/**
 * What the policy does not mediate: packets between guests on one bridge. Domain-0 forwards them and may, since it shares a
 * type with each of them (Users' Manual, §10.4, *Network traffic*).
 */
import type { PolicyBridgeNote, PolicyDomain } from '../../contract';
import { steRowOf } from '../numbering';
import type { FactDomain, HostFacts } from './facts';
import { numbersOf, sharingOf } from './numbers';

/** More pairs than this say nothing new. */
const MOST_NOTES = 50;

export function unmediatedPairs(
  { policy, domains }: HostFacts,
  shown: (domain: FactDomain) => PolicyDomain,
): readonly PolicyBridgeNote[] {
  const dom0 = domains.find(({ domid }) => domid === 0);
  if (!policy || !dom0) return [];
  const { steTypes } = numbersOf(policy);
  const types = sharingOf(policy);
  const row = ({ ssidref }: FactDomain) => steRowOf(ssidref);
  const shared = (domain: FactDomain) => types.common(row(dom0), row(domain)).map((type) => steTypes[type]!);
  const notes: PolicyBridgeNote[] = [];
  const guests = domains.filter(({ domid }) => domid !== 0).map((domain) => ({ domain, bridges: bridgesOf(domain) }));
  for (const [i, { domain: a, bridges }] of guests.entries())
    for (const { domain: b, bridges: others } of guests.slice(i + 1)) {
      if (notes.length >= MOST_NOTES) return notes;
      if (types.share(row(a), row(b))) continue;
      for (const bridge of bridges)
        if (others.has(bridge)) notes.push({ bridge, domains: [shown(a), shown(b)], shared: [shared(a), shared(b)] });
    }
  return notes;
}

function bridgesOf({ devices }: FactDomain): ReadonlySet<string> {
  return new Set(devices.flatMap(({ kind, bridge }) => (kind === 'vif' && bridge !== undefined ? [bridge] : [])));
}
