/** Loses connections and switches machines off at a chosen message of a migration, for tests. */
import type { BulkLinks } from '../../net/bulk';

/** What happens when a message is about to go out. */
export type Fault = 'source dies' | 'destination dies' | 'connection lost' | 'connection lost behind it';

/** Counts the messages of connections and lets one of them be the last. */
export class Saboteur {
  #count = 0;
  #at = Number.POSITIVE_INFINITY;
  #act: (isBehind: boolean) => void = () => {};

  constructor(readonly links: BulkLinks) {
    const join = links.join.bind(links);
    links.join = (name, clock, listener) => {
      const end = join(name, clock, listener);
      const send = (bytes: Uint8Array, sent: () => void) => {
        const isIt = this.#count++ === this.#at;
        if (isIt) this.#act(false);
        end.send(bytes, sent);
        if (isIt) this.#act(true);
      };
      return { ...end, send };
    };
  }

  get count(): number {
    return this.#count;
  }

  /** `act` is called before and after message number `at` of the connections from now on. */
  arm(at: number, act: (isBehind: boolean) => void): void {
    this.#count = 0;
    this.#at = at;
    this.#act = act;
  }
}
