/**
 * Chinese wall: which domains may run at the same time (xen/xsm/acm/acm_chinesewall_hooks.c, Xen 3.4).
 *
 * `running[t]` counts the domains whose label holds type t; `aggregate[t]` counts the (domain, conflict set) pairs that
 * forbid t. A label may start when none of its types is forbidden.
 */

/** The part of a policy that this is about. */
export interface WallPolicy {
  readonly chwallTypes: number;
  readonly chwallRows: readonly Uint16Array[];
  readonly conflictSets: readonly Uint16Array[];
}

export class ChineseWall {
  readonly running: Int32Array;
  readonly aggregate: Int32Array;

  constructor(readonly policy: WallPolicy) {
    this.running = new Int32Array(policy.chwallTypes);
    this.aggregate = new Int32Array(policy.chwallTypes);
  }

  /** The first type of the label that running domains forbid; undefined when it may start. */
  conflictingType(row: number): number | undefined {
    const types = this.policy.chwallRows[row]!;
    for (let type = 0; type < types.length; type++) if (types[type] && this.aggregate[type]! > 0) return type;
    return undefined;
  }

  /** A domain with that label has started. */
  add(row: number): void {
    this.#count(row, 1);
  }

  /** It is gone. */
  remove(row: number): void {
    this.#count(row, -1);
  }

  /** A set that shares a type with the label forbids its other types, once however many it shares. */
  #count(row: number, step: 1 | -1): void {
    const types = this.policy.chwallRows[row]!;
    for (const set of this.policy.conflictSets) {
      if (!intersects(types, set)) continue;
      for (let type = 0; type < set.length; type++) if (set[type] && !types[type]) this.aggregate[type]! += step;
    }
    for (let type = 0; type < types.length; type++) if (types[type]) this.running[type]! += step;
  }
}

export function intersects(a: Uint16Array, b: Uint16Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] && b[i]) return true;
  return false;
}
