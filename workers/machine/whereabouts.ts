/** Where a domain is that has left a machine, by what the machines of its network have written down of migrations. Pure. */
import type { MigrationRecord } from '../contract';

/** A domain on one machine. */
export interface Whereabouts {
  readonly host: string;
  readonly domid: number;
  /** What left that machine under this id before then was another domain: ids begin anew when a machine does. */
  readonly sinceMs: number;
  /** The migration that it came by; undefined where it was first seen. */
  readonly migration?: string;
}

const failed: readonly MigrationRecord['phase'][] = ['failed', 'cancelled'];
const over: readonly MigrationRecord['phase'][] = [...failed, 'done'];

function leaves(record: MigrationRecord, host: string, domid: number): boolean {
  return record.host === host && record.role === 'source' && record.domid === domid;
}

/** A domain that runs on a machine now. */
export function firstSeen(records: readonly MigrationRecord[], host: string, domid: number): Whereabouts {
  const earlier = records.filter((record) => leaves(record, host, domid) && over.includes(record.phase));
  return { host, domid, sinceMs: Math.max(-1, ...earlier.map(({ startedMs }) => startedMs)) };
}

/** Where it went. `staying`: it did not leave by a migration. `unknown`: it did, and its new machine has not told of it yet. */
export function nextOf(
  records: readonly MigrationRecord[],
  { host, domid, sinceMs }: Whereabouts,
): Whereabouts | 'staying' | 'unknown' {
  const left = records
    .filter((record) => leaves(record, host, domid) && record.startedMs > sinceMs && !failed.includes(record.phase))
    .at(-1);
  if (!left) return 'staying';
  const arrived = records.find(({ id, role }) => id === left.id && role === 'destination');
  if (!arrived || arrived.domid < 0) return 'unknown';
  return { host: arrived.host, domid: arrived.domid, sinceMs: arrived.startedMs, migration: arrived.id };
}
