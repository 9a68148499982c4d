/** `npm run soak` does the same for as many migrations as one has time for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultyMigrations, type GuestKind } from './migrationFaults.testkind';
import { faults } from './saboteur.testkind';

/** Of a Linux guest's messages the handshake, the first pages, and from the last rounds on: between them one is like another. */
const FIRST = 4;
const LAST = 10;

let runs = 0;
describe.each<GuestKind>(['mini', 'linux'])(
  'whatever happens to a migration of a %s guest, one host has it',
  (kind) => {
    let migrations: FaultyMigrations;
    beforeAll(async () => {
      migrations = await FaultyMigrations.start(kind);
    }, 60_000);
    afterAll(() => migrations.close());

    it.each(faults)(
      '%s, at any message',
      async (fault) => {
        for (let at = 0; at < migrations.messages; at++) {
          if (kind === 'linux' && at >= FIRST && at < migrations.messages - LAST) continue;
          await migrations.run(at, fault);
          runs++;
        }
      },
      300_000,
    );
  },
);

it('which were more than 200 migrations', () => expect(runs).toBeGreaterThan(200));
