/** The migrations that leave from here now, so that somebody may end one. */
import type { XendDomainInfo } from '../domainInfo';
import type { XendEnvironment } from '../environment';
import { XendError } from '../errors';
import { Cancellation } from './cancellation';

interface Departure {
  readonly cancellation: Cancellation;
  readonly ended: Promise<void>;
}

export class Departures {
  readonly #running = new Map<XendDomainInfo, Departure>();

  constructor(private readonly environment: XendEnvironment) {}

  /** Runs a migration that can be ended. */
  async run(domain: XendDomainInfo, body: (cancellation: Cancellation) => Promise<void>): Promise<void> {
    const cancellation = new Cancellation();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#running.set(domain, { cancellation, ended });
    try {
      await body(cancellation);
    } finally {
      this.#running.delete(domain);
      end();
    }
  }

  /** Resolves when the domain goes on here. Rejects with XendError when it does not move, or is another host's already. */
  async cancel(domain: XendDomainInfo): Promise<void> {
    const departure = this.#running.get(domain);
    if (!departure) throw new XendError(`Domain '${domain.name}' is not being migrated.`);
    if (!departure.cancellation.want()) throw new XendError(`Domain '${domain.name}' has been handed over already.`);
    this.environment.wake();
    await departure.ended;
  }
}
