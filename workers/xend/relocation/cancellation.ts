/**
 * The wish to end a migration. It can be fulfilled until the source lets go of the domain.
 *
 * Differs from Xen 3.4, whose xend goes on until the connection breaks, whatever becomes of xm.
 */
import { XendError } from '../errors';

export class MigrationCancelled extends XendError {
  override readonly name = 'MigrationCancelled';
  constructor(domain: string, host: string) {
    super(`Migration of domain '${domain}' to ${host} was cancelled`);
  }
}

export class Cancellation {
  #state: 'possible' | 'wanted' | 'too late' = 'possible';
  readonly #listeners: (() => void)[] = [];

  get isWanted(): boolean {
    return this.#state === 'wanted';
  }

  /** False: it is too late. */
  want(): boolean {
    if (this.#state === 'too late') return false;
    if (this.#state === 'wanted') return true;
    this.#state = 'wanted';
    for (const listener of this.#listeners.splice(0)) listener();
    return true;
  }

  onWanted(listener: () => void): void {
    if (this.isWanted) listener();
    else this.#listeners.push(listener);
  }

  /** From now on it is too late. False: it is wanted already. */
  seal(): boolean {
    if (this.isWanted) return false;
    this.#state = 'too late';
    return true;
  }
}
