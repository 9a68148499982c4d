/** A domain on its way out, as its source writes it down. */
import { Journal, type Outcome, rounded, since } from './journal';
import type { Moment, RecorderHost } from './recorder';
import type { Round, StopRule } from './save';
import type { DepartureWatch, Leaving } from './watch';

export class Departure extends Journal implements DepartureWatch {
  readonly role = 'source';
  #roundBegan: Moment;
  /** The guest was asked to suspend. */
  #asked: Moment | undefined;
  #stopped: Moment | undefined;

  constructor(host: RecorderHost, facts: Leaving) {
    super(host, facts);
    this.domid = facts.domid;
    this.isLive = facts.isLive;
    this.rateMbps = facts.rateMbps ?? null;
    this.#roundBegan = this.began;
  }

  connected(): void {
    this.phase = 'copying';
    this.#roundBegan = this.host.now();
    this.step();
  }

  framesSent(iteration: number, pfns: readonly number[]): void {
    this.map?.sent(pfns, iteration);
    this.moved(pfns.length);
  }

  dirtySeen(bitmap: Uint8Array): void {
    this.map?.stale(bitmap);
  }

  roundEnded({ iteration, sent, skipped, dirtied, isLast }: Round): void {
    const now = this.host.now();
    // The time in which the guest comes to rest stands by itself.
    this.close({ iteration, sent, skipped, dirtied, isLast }, this.#roundBegan, isLast ? now : (this.#asked ?? now));
    this.#roundBegan = this.#stopped ?? now;
  }

  lastRound(rule: StopRule): void {
    this.stopRule = rule;
    this.phase = 'suspending';
    this.#asked = this.host.now();
    this.step();
  }

  suspended(): void {
    const now = this.host.now();
    this.#stopped = now;
    this.suspend = since(this.#asked ?? now, now);
    const ranMs = this.host.lastRunMs(this.domid) ?? now.virtualMs;
    this.stop = { guestClockMs: rounded(now.guestClockMs - (now.virtualMs - ranMs)), wallMs: now.wallMs };
    this.phase = 'stopped';
    if (this.stopRule === 'not live') this.#roundBegan = now;
    if (this.stopRule !== 'not live') this.say(`rounds ended by the rule "${this.stopRule}"`);
    this.say(`suspended in ${this.suspend.virtualMs} ms`);
    this.step();
  }

  finished(): void {
    this.phase = 'handing over';
    this.step();
  }

  running(): void {
    const now = this.host.now();
    if (this.#stopped) this.downtime = since(this.#stopped, now);
    this.step();
  }

  override ended(how: Outcome): void {
    if (how === 'done' && this.downtime) this.say(`downtime ${this.downtime.virtualMs} ms, measured by the source`);
    super.ended(how);
  }
}
