/**
 * Writes down what happens in a host's migrations, so that pictures and tables have their numbers from whoever did the work:
 * the source's from its rounds, the destination's from what arrives. The last ones are kept, and one memory map for each role.
 */
import type { LinkState, MigrationPages, MigrationRecord } from '../contract';
import { Arrival } from './arrival';
import { Departure } from './departure';
import type { Journal } from './journal';
import type { ArrivalWatch, Arriving, DepartureWatch, Leaving, MigrationWatch } from './watch';

const KEPT = 20;

/** A moment by the clocks that a host can read. */
export interface Moment {
  /** Since the host was switched on. */
  readonly virtualMs: number;
  /** The computer's clock; null where the host's time does not follow it. */
  readonly wallMs: number | null;
  /** What its guests read, ms since 1970. */
  readonly guestClockMs: number;
}

export interface RecorderHost {
  readonly name: string;
  now(): Moment;
  readonly link: LinkState;
  /** When the domain's vcpus last ran, virtual ms. */
  lastRunMs(domid: number): number | undefined;
  /** Calls back as soon as the domain's vcpus have run for the first time, with that moment. */
  firstRun(domid: number, found: (moment: Moment) => void): void;
  /** What the source of a migration has told of it. */
  sourceOf(id: string): MigrationRecord | undefined;
  /** A step of this migration. */
  changed(record: MigrationRecord): void;
}

export class MigrationRecorder implements MigrationWatch {
  readonly #journals: Journal[] = [];

  constructor(private readonly host: RecorderHost) {}

  /** The last ones, oldest first. The same object as before when nothing has happened to it. */
  get records(): readonly MigrationRecord[] {
    return this.#journals.map((journal) => journal.record);
  }

  leaving(facts: Leaving): DepartureWatch {
    return this.#keep(new Departure(this.host, facts));
  }

  arriving(facts: Arriving): ArrivalWatch {
    return this.#keep(new Arrival(this.host, facts));
  }

  /** The source says that the guest stands. */
  heardStop(id: string): void {
    for (const journal of this.#journals) if (journal instanceof Arrival && journal.id === id) journal.heardStop();
  }

  /** The machine goes off: whatever moves does not come to its end. */
  interrupted(): void {
    for (const journal of this.#journals) {
      journal.ended({ failed: 'The machine was switched off.' });
      journal.forgetLog();
    }
  }

  /** Memory maps: whole ones, or what has changed since the last call. */
  pages(which: 'whole' | 'changes'): readonly MigrationPages[] {
    return this.#journals.flatMap((journal) => journal.pages(which) ?? []);
  }

  #keep<T extends Journal>(journal: T): T {
    // Maps are large: the last one of each role is enough to look at.
    for (const older of this.#journals) if (older.role === journal.role && older.hasEnded) older.forgetPages();
    this.#journals.push(journal);
    if (this.#journals.length > KEPT) this.#journals.shift();
    journal.step();
    return journal;
  }
}
