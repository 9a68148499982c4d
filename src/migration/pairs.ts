/** Both hosts write a record of a migration: here they come together. Pure. */
import type { MigrationPhase, MigrationRecord } from '../../workers/contract';

export interface MigrationPair {
  readonly id: string;
  readonly source: MigrationRecord | undefined;
  readonly destination: MigrationRecord | undefined;
}

/** In the order in which they became known. */
export function pairsOf(records: readonly MigrationRecord[]): readonly MigrationPair[] {
  const pairs = new Map<string, MigrationPair>();
  for (const record of records) {
    const pair = pairs.get(record.id) ?? { id: record.id, source: undefined, destination: undefined };
    pairs.set(record.id, { ...pair, [record.role]: record });
  }
  return [...pairs.values()];
}

/** The record that says most: the source's, as long as it is known. */
export function mainOf({ source, destination }: MigrationPair): MigrationRecord {
  return (source ?? destination)!;
}

const ends: readonly MigrationPhase[] = ['done', 'failed', 'cancelled'];

export function isOver(record: MigrationRecord): boolean {
  return ends.includes(record.phase);
}

/** Names of the two hosts; the one that has written nothing is known by what the other calls it. */
export function hostsOf({ source, destination }: MigrationPair): { readonly from: string; readonly to: string } {
  return {
    from: source?.host ?? destination?.peer ?? '?',
    to: destination?.host ?? source?.peer ?? '?',
  };
}

/** The round in which the guest stood still. */
export function lastRoundOf({ source, destination }: MigrationPair): number | undefined {
  const rounds = [...(source?.rounds ?? []), ...(destination?.rounds ?? [])];
  const ended = rounds.find((round) => round.isLast)?.iteration;
  if (ended !== undefined) return ended;
  const isStanding = source?.phase === 'stopped' || source?.phase === 'handing over';
  return source && isStanding ? source.rounds.length + 1 : undefined;
}
