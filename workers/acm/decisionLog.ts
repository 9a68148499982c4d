/** The last decisions of the policy module with their reasons, for whoever asks why something was refused. */
import type { Decision } from './acmState';

export interface LoggedDecision extends Decision {
  /** Counts all decisions since boot. */
  readonly number: number;
  readonly atNs: number;
  /** Name and version of the policy that decided. */
  readonly policy: string;
}

const CAPACITY = 1000;

export class DecisionLog {
  readonly #entries: LoggedDecision[] = [];
  #count = 0;

  add(decision: Decision, atNs: number, policy: string): void {
    this.#count++;
    this.#entries.push({ ...decision, number: this.#count, atNs, policy });
    // Cut in blocks: a decision should cost no more than its entry.
    if (this.#entries.length >= 2 * CAPACITY) this.#entries.splice(0, CAPACITY);
  }

  /** Decisions made after the one with this number, the oldest first; as far back as the log reaches. */
  since(number: number): readonly LoggedDecision[] {
    return this.#entries.slice(-CAPACITY).filter((entry) => entry.number > number);
  }
}
