/** Loses connections, switches machines off and lets them fall asleep at a chosen message of a migration, for tests. */
import type { EventQueue } from '../../lib/clock';
import type { BulkEnd, BulkLinks } from '../../net/bulk';

export const faults = [
  'connection lost',
  'connection lost behind it',
  'destination dies',
  'source dies',
  'its sender freezes',
] as const;
/** What happens when a message is about to go out. */
export type Fault = (typeof faults)[number];

type Act = (isBehind: boolean, freeze: () => void) => void;

/** A tab that the browser puts to sleep for a while. */
const FREEZE_NS = 5e9;

/** Of a message as much as tells the words of the hosts from each other, bytes. */
const LONGEST_WORD = 16;

/** Counts the messages of connections and lets something happen at one of them. */
export class Saboteur {
  #count = 0;
  #at = Number.POSITIVE_INFINITY;
  #act: Act = () => {};
  #hit: string | undefined;

  constructor(readonly links: BulkLinks) {
    const join = links.join.bind(links);
    links.join = (name, clock, listener) => this.#watched(join(name, clock, listener), clock);
  }

  #watched(end: BulkEnd, clock: EventQueue): BulkEnd {
    let frozenUntilNs = 0;
    const later = (action: () => void) => {
      if (clock.nowNs < frozenUntilNs) clock.at(frozenUntilNs, action);
      else action();
    };
    return {
      send: (bytes, sent) => {
        const isIt = this.#count++ === this.#at;
        const freeze = () => {
          frozenUntilNs = clock.nowNs + FREEZE_NS;
        };
        if (isIt) this.#hit = new TextDecoder().decode(bytes.subarray(0, LONGEST_WORD)).trim();
        if (isIt) this.#act(false, freeze);
        later(() => end.send(bytes, () => later(sent)));
        if (isIt) this.#act(true, freeze);
      },
      take: (bytes) => later(() => end.take(bytes)),
      close: () => later(() => end.close()),
    };
  }

  get count(): number {
    return this.#count;
  }

  /** How the message began at which something happened; undefined: it has not come to that message. */
  get hit(): string | undefined {
    return this.#hit;
  }

  /** `act` is called before and after message number `at` of the connections from now on. */
  arm(at: number, act: Act): void {
    this.#count = 0;
    this.#at = at;
    this.#act = act;
    this.#hit = undefined;
  }

  /** What `arm` takes for a fault. */
  faultOf(fault: Fault, source: { crash(): void }, destination: { crash(): void }): Act {
    return (isBehind, freeze) => {
      if (fault === 'connection lost' && !isBehind) this.links.cut();
      if (fault === 'connection lost behind it' && isBehind) this.links.cut();
      if (fault === 'source dies' && isBehind) source.crash();
      if (fault === 'destination dies' && isBehind) destination.crash();
      if (fault === 'its sender freezes' && !isBehind) freeze();
    };
  }
}
