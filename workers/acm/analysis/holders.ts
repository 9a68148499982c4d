/** Who stands in the way of a CHWALL type: the running domains that hold another type of a conflict set with it. */

import type { WallPolicy } from '../chineseWall';
import { chwallRowOf } from '../numbering';

export interface Holder {
  /** Which conflict set, in the policy's order. */
  readonly set: number;
  readonly domid: number;
  readonly ssidref: number;
  /** The CHWALL type that it holds. */
  readonly type: number;
}

/** A domain whose own label holds the type as well does not forbid it. */
export function holdersAgainst(
  policy: WallPolicy,
  type: number,
  domains: readonly { readonly domid: number; readonly ssidref: number }[],
): readonly Holder[] {
  return policy.conflictSets.flatMap((set, at) => {
    if (!set[type]) return [];
    return domains.flatMap(({ domid, ssidref }): readonly Holder[] => {
      const row = policy.chwallRows[chwallRowOf(ssidref)];
      if (!row || row[type]) return [];
      const held = row.findIndex((value, each) => value !== 0 && set[each] !== 0);
      return held < 0 ? [] : [{ set: at, domid, ssidref, type: held }];
    });
  });
}
