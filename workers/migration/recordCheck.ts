/**
 * Whether what another machine says of its migrations has the form of a record: it may come from another computer, and pictures
 * and books of this one are made of it.
 */
import type { MigrationPages, MigrationPhase, MigrationRecord, MigrationStopRule } from '../contract';

type Check = (value: unknown) => boolean;

/** Frames of the largest guest that a map is kept for: 16 GiB. */
const MOST_PAGES = 1 << 22;
const LONGEST_TEXT = 4096;
const LONGEST_LIST = 100_000;

const phases: Readonly<Record<MigrationPhase, true>> = {
  connecting: true,
  copying: true,
  suspending: true,
  stopped: true,
  'handing over': true,
  done: true,
  failed: true,
  cancelled: true,
};
const stopRules: Readonly<Record<MigrationStopRule, true>> = {
  'not live': true,
  iterations: true,
  'few pages': true,
  'too much sent': true,
};

const text: Check = (value) => typeof value === 'string' && value.length <= LONGEST_TEXT;
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value);
/** Infinite when no time has passed. */
const speed: Check = (value) => typeof value === 'number' && value >= 0;
const truth: Check = (value) => typeof value === 'boolean';
const count: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const oneOf =
  (words: Readonly<Record<string, true>>): Check =>
  (value) =>
    typeof value === 'string' && Object.hasOwn(words, value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= LONGEST_LIST && value.every(check);
const fields =
  <T>(checks: { readonly [K in keyof Required<T>]: Check }): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries<Check>(checks).every(([name, check]) => check((value as Readonly<Record<string, unknown>>)[name]));

const role = oneOf({ source: true, destination: true });
const span = fields<NonNullable<MigrationRecord['span']>>({ virtualMs: number, wallMs: orNull(number) });
const round = fields<MigrationRecord['rounds'][number]>({
  iteration: count,
  sent: count,
  skipped: orNull(count),
  dirtied: orNull(count),
  span,
  endedMs: number,
  mbitPerS: orNull(speed),
  isLast: truth,
});

const record = fields<MigrationRecord>({
  id: text,
  host: text,
  role,
  domain: text,
  domid: Number.isInteger,
  peer: text,
  isLive: orNull(truth),
  rateMbps: orNull(number),
  link: fields<MigrationRecord['link']>({ mbitPerS: orNull(number), latencyMs: number, isUp: truth }),
  pages: count,
  phase: oneOf(phases),
  reason: orNull(text),
  startedMs: number,
  span: orNull(span),
  rounds: listOf(round),
  sent: count,
  stopRule: orNull(oneOf(stopRules)),
  suspend: orNull(span),
  stop: orNull(fields<NonNullable<MigrationRecord['stop']>>({ guestClockMs: number, wallMs: orNull(number) })),
  downtime: orNull(span),
  heartbeat: orNull(span),
  rates: listOf(fields<MigrationRecord['rates'][number]>({ atMs: number, mbitPerS: speed })),
});

const pages = fields<MigrationPages>({
  id: text,
  host: text,
  role,
  pages: (value) => count(value) && (value as number) <= MOST_PAGES,
  from: count,
  codes: (value) => value instanceof Uint8Array,
});

export function isMigrationRecord(value: unknown): value is MigrationRecord {
  return record(value);
}

export function isMigrationPages(value: unknown): value is MigrationPages {
  if (!pages(value)) return false;
  const { from, codes, pages: all } = value as MigrationPages;
  return from + codes.length <= all;
}
