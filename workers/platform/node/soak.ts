/** `npm run soak [-- RUNS [SEED]]`: migrations of both kinds of guest with a fault at some message, one after another. */
import { seeded } from '../../lib/random';
import { FaultyMigrations, type GuestKind } from './migrationFaults.testkind';
import { faults } from './saboteur.testkind';

const [runs = 10_000, seed = 1] = process.argv.slice(2).map(Number);
/** Then new hosts are made: what a host keeps over thousands of migrations is another question. */
const RUNS_PER_PAIR = 200;

const random = seeded(seed);
const kinds: readonly GuestKind[] = ['mini', 'linux'];
let done = 0;
while (done < runs) {
  const kind = kinds[random.below(kinds.length)]!;
  const migrations = await FaultyMigrations.start(kind);
  for (let i = 0; i < RUNS_PER_PAIR && done < runs; i++, done++) {
    const at = random.below(migrations.messages);
    const fault = faults[random.below(faults.length)]!;
    try {
      await migrations.run(at, fault);
    } catch (error) {
      console.error(`run ${done + 1} of seed ${seed}: ${kind}, message ${at}, ${fault}`);
      throw error;
    }
  }
  migrations.close();
  console.log(`${done} of ${runs} migrations: one running copy after each, nothing left behind`);
}
