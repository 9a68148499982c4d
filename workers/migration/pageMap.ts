/** Which round sent each page of a guest, and which pages were written again since: one byte for each guest frame. */

/** contract/migration.ts: lower six bits the round, bit 7 stale. */
const STALE = 0x80;
const MAX_ROUND = 0x3e;
/** A page that came in a round that nobody could tell. */
export const UNKNOWN_ROUND = 0x3f;

export interface PageStretch {
  /** Frame of the first byte. */
  readonly from: number;
  readonly codes: Uint8Array;
}

export class PageMap {
  readonly #codes: Uint8Array;
  /** What has changed since it was last asked for. */
  #from = 0;
  #to = 0;

  constructor(readonly pages: number) {
    this.#codes = new Uint8Array(pages);
  }

  /** These went out, as they are now. */
  sent(pfns: readonly number[], round: number): void {
    const code = round === UNKNOWN_ROUND ? UNKNOWN_ROUND : Math.min(round, MAX_ROUND);
    for (const pfn of pfns) this.#set(pfn, code);
  }

  /** A bit for each frame that was written since the log was clean, lowest first. */
  stale(bitmap: Uint8Array): void {
    const bytes = Math.min(bitmap.length, Math.ceil(this.pages / 8));
    for (let at = 0; at < bytes; at++) {
      const bits = bitmap[at]!;
      if (bits === 0) continue;
      for (let bit = 0; bit < 8; bit++) {
        const pfn = at * 8 + bit;
        if ((bits & (1 << bit)) !== 0 && pfn < this.pages) this.#set(pfn, this.#codes[pfn]! | STALE);
      }
    }
  }

  get whole(): PageStretch {
    return { from: 0, codes: this.#codes.slice() };
  }

  /** The smallest stretch that holds all changes since the last call. */
  takeChanges(): PageStretch | undefined {
    if (this.#to === this.#from) return undefined;
    const stretch = { from: this.#from, codes: this.#codes.slice(this.#from, this.#to) };
    this.#from = this.#to = 0;
    return stretch;
  }

  #set(pfn: number, code: number): void {
    if (this.#codes[pfn] === code) return;
    this.#codes[pfn] = code;
    if (this.#to === this.#from) {
      this.#from = pfn;
      this.#to = pfn + 1;
    } else if (pfn < this.#from) this.#from = pfn;
    else if (pfn >= this.#to) this.#to = pfn + 1;
  }
}
