import { describe, expect, it } from 'vitest';
import type { MigrationRecord } from '../contract';
import { firstSeen, nextOf } from './whereabouts';

type Fields = Pick<MigrationRecord, 'id' | 'host' | 'role' | 'domid' | 'phase' | 'startedMs'>;
const record = (
  ...[id, host, role, domid, phase, startedMs]: [string, string, Fields['role'], number, Fields['phase'], number]
) => ({ id, host, role, domid, phase, startedMs }) as MigrationRecord;

const toTwo = record('a', 'host1', 'source', 1, 'done', 100);
const atTwo = record('a', 'host2', 'destination', 4, 'handing over', 50);

describe('where a domain is', () => {
  it('is where its last migration has brought it, over several machines', () => {
    const seen = firstSeen([], 'host1', 1);
    const two = nextOf([toTwo, atTwo], seen);
    expect(two).toEqual({ host: 'host2', domid: 4, sinceMs: 50, migration: 'a' });
    const onwards = [
      record('b', 'host2', 'source', 4, 'handing over', 60),
      record('b', 'host3', 'destination', 1, 'handing over', 10),
    ];
    expect(nextOf([toTwo, atTwo, ...onwards], two as typeof seen)).toMatchObject({ host: 'host3', domid: 1 });
  });

  it('is not known while its new machine has not said under which id it runs', () => {
    const seen = firstSeen([], 'host1', 1);
    expect(nextOf([toTwo], seen)).toBe('unknown');
    expect(nextOf([toTwo, { ...atTwo, domid: -1 }], seen)).toBe('unknown');
  });

  it('is where it was when a migration has failed or was cancelled, and of others', () => {
    const seen = firstSeen([], 'host1', 1);
    for (const phase of ['failed', 'cancelled'] as const)
      expect(nextOf([{ ...toTwo, phase }, atTwo], seen)).toBe('staying');
    expect(nextOf([{ ...toTwo, domid: 2 }, atTwo], seen)).toBe('staying');
  });

  it('is not where an earlier domain of the same id went before the machine started anew', () => {
    expect(nextOf([toTwo, atTwo], firstSeen([toTwo, atTwo], 'host1', 1))).toBe('staying');
    const again = [record('c', 'host1', 'source', 1, 'done', 200), record('c', 'host2', 'destination', 9, 'done', 150)];
    expect(nextOf([toTwo, atTwo, ...again], firstSeen([toTwo, atTwo], 'host1', 1))).toMatchObject({ domid: 9 });
  });

  it('may be left by a migration that goes on when it is first looked at', () => {
    const going = { ...toTwo, phase: 'copying' as const };
    expect(nextOf([toTwo, atTwo], firstSeen([going], 'host1', 1))).toMatchObject({ host: 'host2' });
  });
});
