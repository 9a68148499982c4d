/** `npm run soak` does the same for as many migrations as one has time for. */
import { afterAll, describe, expect, it } from 'vitest';
import { FaultyMigrations, type GuestKind } from './migrationFaults.testkind';
import { type Fault, faults } from './saboteur.testkind';

/**
 * Of a Linux guest's messages the handshake, the first pages, and from the last rounds on: between them one is like another.
 * Fewer where every run takes two new machines.
 */
const FIRST = 6;
const LAST = 12;
const LAST_WORDS = 4;

/** Two machines for each run: a network that remembers a machine from before its death is another matter. */
const isDeadly = (fault: Fault) => fault === 'source dies' || fault === 'destination dies';

let runs = 0;
describe.each<GuestKind>(['mini', 'linux'])(
  'whatever happens to a migration of a %s guest, one host has it',
  (kind) => {
    it.each(faults)(
      '%s, at any message',
      async (fault) => {
        let migrations = await FaultyMigrations.start(kind);
        const { messages } = migrations;
        const last = isDeadly(fault) ? LAST_WORDS : LAST;
        const first = isDeadly(fault) ? 1 : FIRST;
        for (let at = 0; at < messages; at++) {
          if (kind === 'linux' && at >= first && at < messages - last) continue;
          await migrations.run(at, fault);
          runs++;
          if (!isDeadly(fault)) continue;
          migrations.close();
          migrations = await FaultyMigrations.start(kind);
        }
        migrations.close();
      },
      300_000,
    );

    afterAll(() => expect(runs).toBeGreaterThan(kind === 'mini' ? 100 : 200));
  },
);
