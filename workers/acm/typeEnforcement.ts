/**
 * Simple type enforcement: two labels may share when they have a type in common
 * (xen/xsm/acm/acm_simple_type_enforcement_hooks.c, Xen 3.4).
 */

export interface SharingPolicy {
  readonly steTypes: number;
  readonly steRows: readonly Uint16Array[];
}

/** The matrix as bit sets. */
export class TypeEnforcement {
  readonly #words: number;
  readonly #bits: Int32Array;

  constructor(readonly policy: SharingPolicy) {
    this.#words = Math.max(1, Math.ceil(policy.steTypes / 32));
    this.#bits = new Int32Array(this.#words * policy.steRows.length);
    policy.steRows.forEach((row, at) => {
      row.forEach((value, type) => {
        if (value) this.#bits[at * this.#words + (type >> 5)]! |= 1 << (type & 31);
      });
    });
  }

  get rows(): number {
    return this.policy.steRows.length;
  }

  /** A row that does not exist shares with nobody. */
  share(a: number, b: number): boolean {
    if (a >= this.rows || b >= this.rows) return false;
    const words = this.#words;
    for (let i = 0; i < words; i++) if ((this.#bits[a * words + i]! & this.#bits[b * words + i]!) !== 0) return true;
    return false;
  }

  /** Row `a` has every type of row `b`. */
  includes(a: number, b: number): boolean {
    if (a >= this.rows || b >= this.rows) return false;
    const words = this.#words;
    for (let i = 0; i < words; i++) if ((this.#bits[b * words + i]! & ~this.#bits[a * words + i]!) !== 0) return false;
    return true;
  }

  /** Types that both rows have. */
  common(a: number, b: number): readonly number[] {
    const [left, right] = [this.policy.steRows[a], this.policy.steRows[b]];
    if (!left || !right) return [];
    return [...left.keys()].filter((type) => left[type] && right[type]);
  }

  /** Types of row `b` that row `a` has not. */
  lacking(a: number, b: number): readonly number[] {
    const [left, right] = [this.policy.steRows[a], this.policy.steRows[b]];
    if (!left || !right) return [];
    return [...right.keys()].filter((type) => right[type] && !left[type]);
  }
}

const CACHE_SIZE = 8;

/** A domain's partners that were permitted once. Refusals are not remembered; a full cache takes nothing more. */
export class DecisionCache {
  readonly #partners = new Int32Array(CACHE_SIZE).fill(-1);
  /** The one that was found last: who copies pages copies many. */
  #last = -1;

  has(domid: number): boolean {
    return domid === this.#last || this.#find(domid);
  }

  #find(domid: number): boolean {
    for (let i = 0; i < CACHE_SIZE; i++) {
      if (this.#partners[i] !== domid) continue;
      this.#last = domid;
      return true;
    }
    return false;
  }

  /** False when there is no room. */
  add(domid: number): boolean {
    const free = this.#partners.indexOf(-1);
    if (free >= 0) this.#partners[free] = domid;
    return free >= 0;
  }

  forget(domid: number): void {
    this.#last = -1;
    for (let i = 0; i < CACHE_SIZE; i++) if (this.#partners[i] === domid) this.#partners[i] = -1;
  }

  clear(): void {
    this.#last = -1;
    this.#partners.fill(-1);
  }
}
