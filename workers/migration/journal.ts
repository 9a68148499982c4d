/** What a host's book has on one migration, whichever end of it the host is. */
import type {
  LinkState,
  MigrationPages,
  MigrationPhase,
  MigrationRecord,
  MigrationRound,
  MigrationSpan,
  MigrationStop,
  MigrationStopRule,
} from '../contract';
import { PageMap } from './pageMap';
import { mbitPerS, Rates } from './rates';
import type { Moment, RecorderHost } from './recorder';

export type Outcome = 'done' | 'cancelled' | { readonly failed: string };

interface Facts {
  readonly id: string;
  readonly domain: string;
  readonly peer: string;
  say(line: string): void;
}

export abstract class Journal {
  abstract readonly role: MigrationRecord['role'];
  readonly id: string;
  protected domid = -1;
  protected isLive: boolean | null = null;
  protected rateMbps: number | null = null;
  protected phase: MigrationPhase = 'connecting';
  protected readonly rounds: MigrationRound[] = [];
  protected stopRule: MigrationStopRule | null = null;
  protected suspend: MigrationSpan | null = null;
  protected stop: MigrationStop | null = null;
  protected downtime: MigrationSpan | null = null;
  protected heartbeat: MigrationSpan | null = null;
  protected map: PageMap | undefined;
  protected readonly began: Moment;
  readonly #domain: string;
  readonly #peer: string;
  #say: Facts['say'] | undefined;
  readonly #link: LinkState;
  #pageCount = 0;
  #reason: string | null = null;
  #span: MigrationSpan | null = null;
  #sent = 0;
  readonly #rates = new Rates();
  #record: MigrationRecord | undefined;

  constructor(
    protected readonly host: RecorderHost,
    facts: Facts,
  ) {
    this.id = facts.id;
    this.#domain = facts.domain;
    this.#peer = facts.peer;
    this.began = host.now();
    this.#link = host.link;
    this.#say = (line) => facts.say(line);
  }

  get hasEnded(): boolean {
    return this.#span !== null;
  }

  begun(pages: number): void {
    this.#pageCount = pages;
    this.map = new PageMap(pages);
    this.step();
  }

  /** Why one has failed may come out later: `cancelled`. */
  ended(how: Outcome): void {
    if (this.hasEnded && !(this.phase === 'failed' && how === 'cancelled')) return;
    this.phase = typeof how === 'string' ? how : 'failed';
    this.#reason = typeof how === 'string' ? null : how.failed;
    this.#span ??= since(this.began, this.host.now());
    this.step();
  }

  /** Something that others want to hear of at once. */
  step(): void {
    this.changed();
    this.host.changed(this.record);
  }

  /** The record is another one from now on. */
  protected changed(): void {
    this.#record = undefined;
  }

  /** Pages that have moved just now. */
  protected moved(count: number): void {
    this.#sent += count;
    this.#rates.add(count, this.host.now().virtualMs - this.began.virtualMs);
    this.changed();
  }

  /** A round is over. */
  protected close(round: Omit<MigrationRound, 'span' | 'endedMs' | 'mbitPerS'>, from: Moment, to: Moment): void {
    const span = since(from, to);
    const endedMs = rounded(to.virtualMs - this.began.virtualMs);
    this.rounds.push({ ...round, span, endedMs, mbitPerS: mbitPerS(round.sent, span.virtualMs) });
    this.step();
  }

  protected say(line: string): void {
    this.#say?.(`Migration of ${this.#domain}: ${line}`);
  }

  get record(): MigrationRecord {
    this.#record ??= {
      id: this.id,
      host: this.host.name,
      role: this.role,
      domain: this.#domain,
      domid: this.domid,
      peer: this.#peer,
      isLive: this.isLive,
      rateMbps: this.rateMbps,
      link: this.#link,
      pages: this.#pageCount,
      phase: this.phase,
      reason: this.#reason,
      startedMs: rounded(this.began.virtualMs),
      span: this.#span,
      rounds: [...this.rounds],
      sent: this.#sent,
      stopRule: this.stopRule,
      suspend: this.suspend,
      stop: this.stop,
      downtime: this.downtime,
      heartbeat: this.heartbeat,
      rates: this.#rates.all,
    };
    return this.#record;
  }

  pages(which: 'whole' | 'changes'): MigrationPages | undefined {
    const { map } = this;
    const stretch = which === 'whole' ? map?.whole : map?.takeChanges();
    return map && stretch && { id: this.id, host: this.host.name, role: this.role, pages: map.pages, ...stretch };
  }

  /** The log is that of a toolstack which runs no more. */
  forgetLog(): void {
    this.#say = undefined;
  }

  forgetPages(): void {
    this.map = undefined;
  }
}

export function since(from: Moment, to: Moment): MigrationSpan {
  return {
    virtualMs: rounded(to.virtualMs - from.virtualMs),
    wallMs: from.wallMs === null || to.wallMs === null ? null : rounded(to.wallMs - from.wallMs),
  };
}

/** To a microsecond. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
