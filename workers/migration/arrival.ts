/**
 * A domain on its way in, as its destination writes it down. The stream does not say where a round ends: that the destination
 * knows from what the source tells of itself, by counting what has arrived.
 */
import type { MigrationRecord } from '../contract';
import { Journal, rounded, since } from './journal';
import { UNKNOWN_ROUND } from './pageMap';
import type { Moment, RecorderHost } from './recorder';
import type { ArrivalWatch, Arriving } from './watch';

interface Coming {
  readonly iteration: number;
  sent: number;
  readonly began: Moment;
  last: Moment;
}

export class Arrival extends Journal implements ArrivalWatch {
  readonly role = 'destination';
  /** Frames of all batches, those without memory included: the source counts them too. */
  #received = 0;
  #coming: Coming | undefined;
  #lastBatch: Moment;
  #heardStop: Moment | undefined;

  constructor(host: RecorderHost, facts: Arriving) {
    super(host, facts);
    this.phase = 'copying';
    this.#lastBatch = this.began;
  }

  framesReceived(count: number, pfns: readonly number[]): void {
    const iteration = roundOf(this.host.sourceOf(this.id), this.#received);
    this.#received += count;
    const now = this.host.now();
    if (this.#coming?.iteration !== iteration) {
      this.#closeRound();
      this.#coming = { iteration, sent: 0, began: this.#lastBatch, last: now };
    }
    this.#coming.sent += count;
    this.#coming.last = now;
    this.#lastBatch = now;
    this.map?.sent(pfns, iteration === 0 ? UNKNOWN_ROUND : iteration);
    this.moved(count);
  }

  received(): void {
    this.#closeRound();
    this.phase = 'handing over';
    this.step();
  }

  heardStop(): void {
    this.#heardStop ??= this.host.now();
    if (this.phase === 'copying') this.phase = 'stopped';
    this.step();
  }

  running(domid: number): void {
    this.domid = domid;
    if (this.#heardStop) {
      this.downtime = since(this.#heardStop, this.host.now());
      this.say(`downtime ${this.downtime.virtualMs} ms, measured by the destination`);
    }
    this.step();
    this.host.firstRun(domid, (first) => this.#beats(first));
  }

  #beats({ guestClockMs, wallMs }: Moment): void {
    const stop = this.host.sourceOf(this.id)?.stop;
    if (!stop) return;
    this.heartbeat = {
      virtualMs: rounded(guestClockMs - stop.guestClockMs),
      wallMs: wallMs === null || stop.wallMs === null ? null : rounded(wallMs - stop.wallMs),
    };
    this.say(`by its own clock the guest stood still for ${this.heartbeat.virtualMs} ms`);
    this.step();
  }

  #closeRound(): void {
    const coming = this.#coming;
    this.#coming = undefined;
    if (!coming) return;
    const { iteration, sent, began, last } = coming;
    const source = this.host.sourceOf(this.id);
    // Rounds that the guest ran through have been told of by now.
    const isLast = source !== undefined && iteration > source.rounds.filter((round) => !round.isLast).length;
    this.close({ iteration, sent, skipped: null, dirtied: null, isLast }, began, last);
  }
}

/** In which round the source sent the frame behind so many; 0: it has told nothing. */
function roundOf(source: MigrationRecord | undefined, received: number): number {
  if (!source) return 0;
  let total = 0;
  for (const { iteration, sent } of source.rounds) {
    total += sent;
    if (received < total) return iteration;
  }
  return source.rounds.length + 1;
}
