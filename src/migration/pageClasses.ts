/** What a byte of a memory map means to the eye: classes with a colour for each theme, and how many pages are in each. */
import { ROUND_MASK, STALE, UNKNOWN_ROUND } from './maps';

export const pageClasses = [
  'none',
  'skipped',
  'round1',
  'round2',
  'round3',
  'round4',
  'round5',
  'round10',
  'last',
  'unknown',
  'stale',
] as const;
export type PageClass = (typeof pageClasses)[number];

type Colours = Readonly<Record<PageClass, string>>;

/** Each at least 3 : 1 against the pane, but for pages that have nothing to show yet. */
export const pageColours: Readonly<Record<'dark' | 'light', Colours>> = {
  dark: {
    none: '#2a323a',
    skipped: '#7d8994',
    round1: '#3a7fb5',
    round2: '#2fa79d',
    round3: '#7cb84f',
    round4: '#d8c244',
    round5: '#e2953a',
    round10: '#df6a45',
    last: '#c683e0',
    unknown: '#9fb4c9',
    stale: '#ffffff',
  },
  light: {
    none: '#d3dade',
    skipped: '#7b8790',
    round1: '#2a6ba3',
    round2: '#12807a',
    round3: '#4a8326',
    round4: '#8f7700',
    round5: '#b05f08',
    round10: '#a5331b',
    last: '#8b38a6',
    unknown: '#5d7288',
    stale: '#101418',
  },
};

/** `lastRound`: the one in which the guest stood still, if it is known. */
export function classOf(code: number, lastRound: number | undefined): PageClass {
  const round = code & ROUND_MASK;
  if ((code & STALE) !== 0) return round === 0 ? 'skipped' : 'stale';
  if (round === 0) return 'none';
  if (round === UNKNOWN_ROUND) return 'unknown';
  if (round === lastRound) return 'last';
  if (round <= 4) return `round${round as 1 | 2 | 3 | 4}`;
  return round < 10 ? 'round5' : 'round10';
}

export type ClassCounts = Readonly<Partial<Record<PageClass, number>>>;

export function countClasses(codes: Uint8Array, lastRound: number | undefined): ClassCounts {
  const byCode = new Uint32Array(256);
  for (const code of codes) byCode[code]!++;
  const counts: Partial<Record<PageClass, number>> = {};
  byCode.forEach((count, code) => {
    if (count === 0) return;
    const name = classOf(code, lastRound);
    counts[name] = (counts[name] ?? 0) + count;
  });
  return counts;
}

/** `#rrggbb` as a pixel of an ImageData seen as 32-bit words (little-endian). */
export function pixelOf(colour: string): number {
  const value = Number.parseInt(colour.slice(1), 16);
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >>> 16)) >>> 0;
}

/** Between two pixels; 0 is the first. */
export function mixed(a: number, b: number, share: number): number {
  const part = (shift: number) => {
    const from = (a >>> shift) & 0xff;
    return Math.round(from + (((b >>> shift) & 0xff) - from) * share) << shift;
  };
  return (0xff000000 | part(16) | part(8) | part(0)) >>> 0;
}
