import { describe, expect, it } from 'vitest';
import type { MigrationRecord } from '../contract';
import { isMigrationPages, isMigrationRecord } from './recordCheck';

const span = { virtualMs: 1.5, wallMs: null };
const good: MigrationRecord = {
  id: 'token',
  host: 'host2',
  role: 'source',
  domain: 'guest',
  domid: -1,
  peer: 'host1',
  isLive: true,
  rateMbps: null,
  link: { mbitPerS: null, latencyMs: 0.05, isUp: true },
  pages: 4096,
  phase: 'handing over',
  reason: null,
  startedMs: 10,
  span: null,
  rounds: [{ iteration: 1, sent: 4096, skipped: 0, dirtied: null, span, endedMs: 3, mbitPerS: null, isLast: false }],
  sent: 4096,
  stopRule: 'few pages',
  suspend: span,
  stop: { guestClockMs: 5, wallMs: null },
  downtime: null,
  heartbeat: null,
  rates: [{ atMs: 1, mbitPerS: Number.POSITIVE_INFINITY }],
};

describe('what another machine says of its migrations', () => {
  it('is a record when every field is', () => {
    expect(isMigrationRecord(good)).toBe(true);
  });

  it.each(Object.keys(good))('is none without a right %s', (name) => {
    expect(isMigrationRecord({ ...good, [name]: { toString: 'not this' } })).toBe(false);
  });

  it.each([
    ['nothing', null],
    ['a word of another phase', { ...good, phase: 'constructor' }],
    ['half a round', { ...good, rounds: [{ ...good.rounds[0], span: { virtualMs: Number.NaN, wallMs: null } }] }],
    ['a text without end', { ...good, domain: 'x'.repeat(5000) }],
  ])('%s is none', (_, value) => {
    expect(isMigrationRecord(value)).toBe(false);
  });

  it('is a piece of a map when it lies inside', () => {
    const pages = { id: 'token', host: 'host2', role: 'source', pages: 10, from: 6, codes: new Uint8Array(4) };
    expect(isMigrationPages(pages)).toBe(true);
    expect(isMigrationPages({ ...pages, from: 7 })).toBe(false);
    expect(isMigrationPages({ ...pages, codes: [1, 2] })).toBe(false);
    expect(isMigrationPages({ ...pages, pages: 1e12 })).toBe(false);
  });
});
