/**
 * What the policy does not mediate: packets between guests on one bridge. Domain-0 forwards them and may, since it shares a
 * type with each of them (Users' Manual, §10.4, *Network traffic*).
 */
import type { PolicyBridgeNote, PolicyDomain } from '../../contract';
import { steRowOf } from '../numbering';
import type { FactDomain, HostFacts } from './facts';
import { numbersOf, sharingOf } from './numbers';

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
  const guests = domains.filter(({ domid }) => domid !== 0);
  for (const [i, a] of guests.entries())
    for (const b of guests.slice(i + 1)) {
      if (types.share(row(a), row(b))) continue;
      for (const bridge of bridgesOf(a))
        if (bridgesOf(b).has(bridge))
          notes.push({ bridge, domains: [shown(a), shown(b)], shared: [shared(a), shared(b)] });
    }
  return notes;
}

function bridgesOf({ devices }: FactDomain): ReadonlySet<string> {
  return new Set(devices.flatMap(({ kind, bridge }) => (kind === 'vif' && bridge !== undefined ? [bridge] : [])));
}
