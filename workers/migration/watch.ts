/** Whoever looks on while domains leave and arrive; told of every step, asked nothing. */
import type { RestoreObserver } from './restore';
import type { SaveObserver } from './save';

export interface Leaving {
  /** The token that both hosts know. */
  readonly id: string;
  readonly domain: string;
  readonly domid: number;
  readonly peer: string;
  readonly isLive: boolean;
  readonly rateMbps: number | undefined;
  /** A line for the host's log. */
  say(line: string): void;
}

export interface Arriving {
  readonly id: string;
  readonly domain: string;
  readonly peer: string;
  say(line: string): void;
}

export interface DepartureWatch extends SaveObserver {
  /** The destination is ready to receive. */
  connected(): void;
  /** The destination has the domain and says that it runs. */
  running(): void;
  ended(how: 'done' | 'cancelled' | { readonly failed: string }): void;
}

export interface ArrivalWatch extends RestoreObserver {
  /** It may run from now on. */
  running(domid: number): void;
  ended(how: 'done' | 'cancelled' | { readonly failed: string }): void;
}

export interface MigrationWatch {
  leaving(facts: Leaving): DepartureWatch;
  arriving(facts: Arriving): ArrivalWatch;
}
