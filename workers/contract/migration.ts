/**
 * Migrations as the page's picture of them and the headless host's events show them. Every number is made by the host that
 * it is about: the source counts what it sends, the destination what arrives. Virtual times are of that host's clock; wall
 * times are of the computer's clock, which all tabs share.
 */
import type { LabResult } from './errors';

/** A machine's cable to the network. Between two machines the lower speed counts, and the sum of the latencies. */
export interface LinkState {
  /** null: data takes no time. */
  readonly mbitPerS: number | null;
  /** From the machine to the switch, one way, ms. */
  readonly latencyMs: number;
  /** False: the cable is pulled out. */
  readonly isUp: boolean;
}

/**
 * connecting: until the destination is ready to receive. copying: rounds while the guest runs. suspending: the guest was
 * asked to stop. stopped: it stands, and what is left is on its way. handing over: the destination has everything and makes
 * it ready to run. The last three are ends.
 */
export type MigrationPhase =
  | 'connecting'
  | 'copying'
  | 'suspending'
  | 'stopped'
  | 'handing over'
  | 'done'
  | 'failed'
  | 'cancelled';

/** Why the rounds came to their end (xc_domain_save.c). */
export type MigrationStopRule = 'not live' | 'iterations' | 'few pages' | 'too much sent';

/** A length of time, measured by one host. */
export interface MigrationSpan {
  readonly virtualMs: number;
  /** null: this host's time does not follow the computer's (headless). */
  readonly wallMs: number | null;
}

export interface MigrationRound {
  /** From 1; 0: pages whose round the destination could not tell. */
  readonly iteration: number;
  /** Pages; of a destination: those that arrived. */
  readonly sent: number;
  /** Left out because they had been written again meanwhile; null: only the source knows. */
  readonly skipped: number | null;
  /** Written by the guest while the round lasted; null: only the source knows. */
  readonly dirtied: number | null;
  readonly span: MigrationSpan;
  /** Its end, virtual ms since the migration began. */
  readonly endedMs: number;
  /** By virtual time; null: it took none. */
  readonly mbitPerS: number | null;
  /** The guest stood still. */
  readonly isLast: boolean;
}

/** How fast pages went in a piece of the migration. */
export interface MigrationRate {
  /** End of the piece, virtual ms since the migration began. */
  readonly atMs: number;
  readonly mbitPerS: number;
}

/** A moment in which the guest's last instruction here was over. */
export interface MigrationStop {
  /** By the clock that the guest reads, ms since 1970. */
  readonly guestClockMs: number;
  readonly wallMs: number | null;
}

/** One host's view of one migration. */
export interface MigrationRecord {
  /** The same at both hosts. */
  readonly id: string;
  /** Who recorded this. */
  readonly host: string;
  readonly role: 'source' | 'destination';
  readonly domain: string;
  /** On this host; -1 when it has none (yet). */
  readonly domid: number;
  /** The other host: its name as it was typed, or its address. */
  readonly peer: string;
  /** null: only the source knows. */
  readonly isLive: boolean | null;
  /** `xm migrate -r`, Mbit/s. */
  readonly rateMbps: number | null;
  /** This host's cable when it began. */
  readonly link: LinkState;
  /** Of the guest; 0 while it is not known. */
  readonly pages: number;
  readonly phase: MigrationPhase;
  /** What the operator read when it failed. */
  readonly reason: string | null;
  /** Virtual ms since this host was switched on. */
  readonly startedMs: number;
  /** From its beginning to its end; null while it goes on. */
  readonly span: MigrationSpan | null;
  readonly rounds: readonly MigrationRound[];
  /** Pages in all rounds so far. */
  readonly sent: number;
  readonly stopRule: MigrationStopRule | null;
  /** From the request to suspend until the guest stood. */
  readonly suspend: MigrationSpan | null;
  /** At the source. */
  readonly stop: MigrationStop | null;
  /**
   * Of the source: from the guest's stop to the word that it runs elsewhere. Of the destination: from the source's word that
   * the guest stands to the moment in which it was let run.
   */
  readonly downtime: MigrationSpan | null;
  /**
   * Of the destination: the guest's own heartbeat, from its last instruction at the source to its first one here. `virtualMs`
   * is by the clock that the guest reads, so it holds what the clocks of the two hosts differ by.
   */
  readonly heartbeat: MigrationSpan | null;
  readonly rates: readonly MigrationRate[];
}

/**
 * A stretch of a migration's memory map, a byte for each guest frame. The lower six bits: the round that sent it, 0 not yet,
 * 63 a round that the destination could not tell. Bit 7: written again since, so that the other copy is stale (source only).
 */
export interface MigrationPages {
  readonly id: string;
  readonly host: string;
  readonly role: 'source' | 'destination';
  /** Of the guest. */
  readonly pages: number;
  /** Frame of the first byte. */
  readonly from: number;
  readonly codes: Uint8Array;
}

/** What workloads are asked of guests: `/local/domain/<domid>/data/workload` by domid. */
export type MigrationWorkloads = Readonly<Record<number, string>>;

/** The requests of the picture of migration. */
export interface MigrationApi {
  /**
   * While it is on, `migrationPages` and `workloads` events are sent, of this host and of the others on its network. Whole
   * maps of the last migrations come first.
   */
  watchMigrations(isOn: boolean): Promise<LabResult<null>>;
  /** Ends a migration that leaves from here; the domain goes on. Refused once the domain has been handed over. */
  cancelMigration(domid: number): Promise<LabResult<null>>;
  /** Changes this machine's cable; what is not named stays as it is. */
  changeLink(change: Partial<LinkState>): Promise<LabResult<null>>;
}
