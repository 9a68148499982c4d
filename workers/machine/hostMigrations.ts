/**
 * The book of a machine's migrations, and what it hears of those of the other machines on its network: they tell each other
 * every step, and their memory maps while somebody looks.
 */

import type { Domid } from '../abi/xen';
import type { LinkState, MigrationPages, MigrationRecord } from '../contract';
import { isMigrationPages, isMigrationRecord } from '../migration/recordCheck';
import { MigrationRecorder, type Moment } from '../migration/recorder';
import type { Bulletin } from '../net/bulletins';
import type { Host } from './createHost';
import { linkState } from './linkState';

/** Of the other machines. */
const KEPT = 40;
/** Between two looks whether a domain that may run has run. */
const POLL_NS = 1_000_000;
/** A domain that does not run by then was paused, or its pcpus have other work: there is nothing to measure. */
const GIVE_UP_NS = 10e9;

const RECORD = 'migration';
const PAGES = 'migration.pages';
const WATCH = 'migration.watch';
/** Posted in the name of a machine that is on the network no more. */
export const GONE = 'gone';

export class HostMigrations {
  readonly recorder: MigrationRecorder;
  readonly #others = new Map<string, MigrationRecord>();
  /** Machines that want to see this one's maps. */
  readonly #watchers = new Set<string>();
  /** Machines that know that their maps are wanted here. */
  readonly #told = new Set<string>();
  /** The last word about each migration here. */
  readonly #posted = new Map<string, MigrationRecord>();
  #isWatched = false;
  /** Of the other machines, for whoever looks here. */
  #heard: MigrationPages[] = [];
  #records: readonly MigrationRecord[] = [];
  readonly #unsubscribe: () => void;
  /** Told of each step of a migration here. */
  onStep: (record: MigrationRecord) => void = () => {};

  constructor(private readonly host: Host) {
    this.recorder = new MigrationRecorder({
      name: host.options.name,
      get link(): LinkState {
        return linkState(host.cable);
      },
      now: () => this.#now(),
      lastRunMs: (domid) => {
        const units = host.hypervisor?.findDomain(domid as Domid)?.vcpus.map(({ unit }) => unit) ?? [];
        return units.length === 0 ? undefined : Math.max(...units.map(({ lastRunNs }) => lastRunNs)) / 1e6;
      },
      firstRun: (domid, found) => this.#awaitFirstRun(domid, found),
      sourceOf: (id) => this.#sourceOf(id),
      changed: (record) => {
        this.#tell(record);
        this.onStep(record);
      },
    });
    this.#unsubscribe = host.world.lan.bulletins.subscribe((bulletin) => {
      if (bulletin.from !== host.options.name) this.#receive(bulletin);
    });
  }

  /** The machine hears nothing of the others any more. */
  dispose(): void {
    this.#unsubscribe();
  }

  /** Of this machine and of the others, by their beginning on their machine. The same array while nothing has happened. */
  get records(): readonly MigrationRecord[] {
    const now = [...this.recorder.records, ...this.#others.values()];
    const isSame = now.length === this.#records.length && now.every((record, i) => record === this.#records[i]);
    if (!isSame) this.#records = now;
    return this.#records;
  }

  /** Whether maps are wanted here. Whole ones come first. */
  watch(isOn: boolean): readonly MigrationPages[] {
    this.#isWatched = isOn;
    this.#heard = [];
    this.#post(WATCH, isOn);
    return isOn ? this.recorder.pages('whole') : [];
  }

  /** What has changed in the maps since the last call. To be called up to 20 times a second. */
  takePages(): readonly MigrationPages[] {
    if (!this.#isWatched && this.#watchers.size === 0) return [];
    const own = this.recorder.pages('changes');
    if (this.#watchers.size > 0) {
      for (const record of this.recorder.records) if (record !== this.#posted.get(record.id)) this.#tell(record);
      for (const pages of own) this.#post(PAGES, pages);
    }
    const heard = this.#heard;
    this.#heard = [];
    return this.#isWatched ? [...own, ...heard] : [];
  }

  // ---------------------------------------------------------------------------------------------- the other machines

  #post(topic: string, body: unknown): void {
    this.host.world.lan.bulletins.post({ from: this.host.options.name, topic, body });
  }

  #tell(record: MigrationRecord): void {
    this.#posted.set(record.id, record);
    const [oldest] = this.#posted.keys();
    if (this.#posted.size > KEPT && oldest !== undefined) this.#posted.delete(oldest);
    this.#post(RECORD, record);
  }

  /** Words of another machine, and of no third one: what has not the form of a record is passed over. */
  #receive({ from, topic, body }: Bulletin): void {
    switch (topic) {
      case RECORD:
        if (!isMigrationRecord(body) || body.host !== from) return;
        this.#heardRecord(body);
        // It may have come after somebody began to look here.
        if (this.#isWatched && !this.#told.has(from)) this.#tellWatch(from);
        break;
      case PAGES:
        if (this.#isWatched && isMigrationPages(body) && body.host === from) this.#heard.push(body);
        break;
      case WATCH:
        if (body === true) this.#welcome(from);
        else this.#watchers.delete(from);
        break;
      case GONE:
        this.#watchers.delete(from);
        this.#told.delete(from);
    }
  }

  #heardRecord(record: MigrationRecord): void {
    const key = `${record.host} ${record.role} ${record.id}`;
    this.#others.set(key, record);
    const [oldest] = this.#others.keys();
    if (this.#others.size > KEPT && oldest !== undefined) this.#others.delete(oldest);
    if (record.role === 'source' && record.phase === 'stopped') this.recorder.heardStop(record.id);
  }

  #tellWatch(machine: string): void {
    this.#told.add(machine);
    this.#post(WATCH, true);
  }

  /** Somebody begins to look: everything there is, then changes. */
  #welcome(from: string): void {
    this.#watchers.add(from);
    for (const record of this.recorder.records) this.#tell(record);
    for (const pages of this.recorder.pages('whole')) this.#post(PAGES, pages);
  }

  #sourceOf(id: string): MigrationRecord | undefined {
    const isIt = (record: MigrationRecord) => record.id === id && record.role === 'source';
    return [...this.#others.values()].find(isIt) ?? this.recorder.records.find(isIt);
  }

  // ---------------------------------------------------------------------------------------------- clocks

  #now(atNs = this.host.clock.nowNs): Moment {
    const { world } = this.host;
    return {
      virtualMs: atNs / 1e6,
      wallMs: world.wallMs?.() ?? null,
      guestClockMs: world.unixSecondsAtZero * 1000 + atNs / 1e6,
    };
  }

  #awaitFirstRun(domid: number, found: (moment: Moment) => void): void {
    const { clock } = this.host;
    const limitNs = clock.nowNs + GIVE_UP_NS;
    const look = () => {
      const units = this.host.hypervisor?.findDomain(domid as Domid)?.vcpus.map(({ unit }) => unit) ?? [];
      const first = Math.min(...units.map(({ firstRunNs }) => firstRunNs ?? Number.POSITIVE_INFINITY));
      if (first !== Number.POSITIVE_INFINITY) found(this.#now(first));
      else if (units.length > 0 && clock.nowNs < limitNs) clock.at(clock.nowNs + POLL_NS, look);
    };
    look();
  }
}
