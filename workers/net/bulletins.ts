/**
 * What machines tell each other beside their network, so that a picture of one may show the others: it takes no time, nothing
 * that a machine does depends on it, and a pulled cable does not stop it. A console pane of the page learns from it on which
 * machine it has to ask for its domain; it asks through the network.
 */

export interface Bulletin {
  /** Name of the machine. */
  readonly from: string;
  readonly topic: string;
  /** Plain data. */
  readonly body: unknown;
}

export class Bulletins {
  readonly #listeners = new Set<(bulletin: Bulletin) => void>();

  /** Told of what machines here post, for those on other networks. */
  onPost: (bulletin: Bulletin) => void = () => {};

  /** `listener` hears everything, its own machine's words included, until the function is called that is returned. */
  subscribe(listener: (bulletin: Bulletin) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  post(bulletin: Bulletin): void {
    this.received(bulletin);
    this.onPost(bulletin);
  }

  /** From another network. */
  received(bulletin: Bulletin): void {
    for (const listener of [...this.#listeners]) listener(bulletin);
  }
}
