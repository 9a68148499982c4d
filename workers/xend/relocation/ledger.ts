/**
 * Who owns a domain that is on its way between two hosts: what this host has decided, so that it gives the same answer
 * whenever the other host asks. It lives as long as the domains do: after a boot nothing runs here, and nothing is known.
 *
 * Differs from Xen 3.4, which has no last word: there the source lets go when it has sent everything, and a destination that
 * fails then loses the domain (DESIGN: exactly one owner).
 */

/**
 * leaving: the source has the domain and keeps it unless the destination says that it has all of it.
 * given: the source has let go, and takes it back only when it knows that the destination does not have it.
 * arriving: the destination has it whole, and takes it only when it knows that the source has let go.
 * cancelled: somebody has ended the migration, and the source keeps the domain.
 * owned, dropped: what the destination did.
 */
export type Ownership = 'leaving' | 'given' | 'cancelled' | 'arriving' | 'owned' | 'dropped';

export class RelocationLedger {
  readonly #entries = new Map<string, Ownership>();

  set(token: string, ownership: Ownership): void {
    this.#entries.set(token, ownership);
  }

  /** `unknown`: this host has started anew since, and the domain is not here. */
  get(token: string): Ownership | 'unknown' {
    return this.#entries.get(token) ?? 'unknown';
  }
}
