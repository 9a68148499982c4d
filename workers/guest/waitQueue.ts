/** A wait queue: the processes that wait for something to happen to one object (a pipe, a terminal, a socket). */
export interface Sleeper {
  /** The object changed: look at the conditions again. */
  recheck(): void;
}

export class WaitQueue {
  #sleepers: Set<Sleeper> | undefined;

  add(sleeper: Sleeper): void {
    this.#sleepers ??= new Set();
    this.#sleepers.add(sleeper);
  }

  remove(sleeper: Sleeper): void {
    this.#sleepers?.delete(sleeper);
  }

  /** Lets all of them look again, in the order in which they went to sleep. */
  wake(): void {
    if (!this.#sleepers || this.#sleepers.size === 0) return;
    for (const sleeper of Array.from(this.#sleepers)) sleeper.recheck();
  }
}
