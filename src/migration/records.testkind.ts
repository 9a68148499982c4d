/** Records of a migration as both hosts would write them, for component tests. */
import type { MigrationRecord } from '../../workers/contract';

const base = {
  id: 'token',
  domain: 'guest',
  rateMbps: null,
  link: { mbitPerS: 1000, latencyMs: 0.05, isUp: true },
  pages: 16_384,
  reason: null,
  startedMs: 62_000,
  suspend: null,
  stop: null,
  downtime: null,
  heartbeat: null,
  stopRule: null,
  span: null,
  rates: [{ atMs: 540, mbitPerS: 980 }],
  sent: 16_432,
} as const;

const span = (virtualMs: number, wallMs: number | null = virtualMs + 1) => ({ virtualMs, wallMs });

export function sourceRecord(change: Partial<MigrationRecord> = {}): MigrationRecord {
  return {
    ...base,
    host: 'host1',
    role: 'source',
    domid: 3,
    peer: 'host2',
    isLive: true,
    phase: 'done',
    stopRule: 'few pages',
    suspend: span(3.2),
    downtime: span(14.6),
    span: span(640),
    rounds: [
      {
        iteration: 1,
        sent: 16_384,
        skipped: 7,
        dirtied: 40,
        span: span(537),
        endedMs: 540,
        mbitPerS: 999,
        isLast: false,
      },
      { iteration: 2, sent: 31, skipped: 9, dirtied: 17, span: span(1), endedMs: 545, mbitPerS: 990, isLast: false },
      { iteration: 3, sent: 17, skipped: 0, dirtied: 0, span: span(2), endedMs: 550, mbitPerS: 278.5, isLast: true },
    ],
    ...change,
  };
}

export function destinationRecord(change: Partial<MigrationRecord> = {}): MigrationRecord {
  return {
    ...base,
    host: 'host2',
    role: 'destination',
    domid: 1,
    peer: '192.0.2.11',
    isLive: null,
    phase: 'done',
    downtime: span(12.5),
    heartbeat: span(-240.5, 13.4),
    span: span(630),
    rounds: [
      {
        iteration: 1,
        sent: 16_384,
        skipped: null,
        dirtied: null,
        span: span(537),
        endedMs: 540,
        mbitPerS: 999,
        isLast: false,
      },
      {
        iteration: 2,
        sent: 31,
        skipped: null,
        dirtied: null,
        span: span(1),
        endedMs: 545,
        mbitPerS: 990,
        isLast: false,
      },
      {
        iteration: 3,
        sent: 17,
        skipped: null,
        dirtied: null,
        span: span(2),
        endedMs: 550,
        mbitPerS: 278.5,
        isLast: true,
      },
    ],
    ...change,
  };
}
