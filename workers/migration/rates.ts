/** How fast pages go, in pieces of time whose number stays bounded however long a migration lasts. */
import type { MigrationRate } from '../contract';

const PAGE_BITS = 4096 * 8;
const MAX_PIECES = 240;
/** A piece lasts at least so long at first, virtual ms. */
const PIECE_MS = 5;

/** Mbit/s; null when no time has passed. */
export function mbitPerS(pages: number, ms: number): number | null {
  return ms > 0 ? Math.round((pages * PAGE_BITS) / (ms * 10)) / 100 : null;
}

interface Piece {
  readonly atMs: number;
  readonly pages: number;
}

export class Rates {
  #pieces: Piece[] = [];
  #pieceMs = PIECE_MS;
  #lastMs = 0;
  #pages = 0;

  /** So many pages went until then, in ms since the beginning. */
  add(pages: number, atMs: number): void {
    this.#pages += pages;
    if (atMs - this.#lastMs < this.#pieceMs) return;
    this.#pieces.push({ atMs, pages: this.#pages });
    this.#lastMs = atMs;
    this.#pages = 0;
    if (this.#pieces.length > MAX_PIECES) this.#halve();
  }

  get all(): readonly MigrationRate[] {
    return this.#pieces.map(({ atMs, pages }, i) => ({
      atMs: Math.round(atMs * 1000) / 1000,
      mbitPerS: mbitPerS(pages, atMs - (this.#pieces[i - 1]?.atMs ?? 0)) ?? 0,
    }));
  }

  #halve(): void {
    this.#pieceMs *= 2;
    const pieces: Piece[] = [];
    for (let i = 0; i < this.#pieces.length; i += 2) {
      const first = this.#pieces[i]!;
      const second = this.#pieces[i + 1];
      pieces.push(second ? { atMs: second.atMs, pages: first.pages + second.pages } : first);
    }
    this.#pieces = pieces;
  }
}
