/** The last decisions of the policy module with their reasons, for whoever asks why something was refused. */
import type { Decision } from './acmState';
import { type Holder, holdersAgainst } from './analysis/holders';
import type { BinaryPolicy } from './policyBinary';

/** What the toolstack made of a decision: what it was asked for, and what it told the operator. */
export interface Verdict {
  readonly asked: 'start' | 'disk' | 'vif' | 'policy' | 'relabel' | 'migrate';
  /** Name of the domain, the policy, or the resource that was to get a label. */
  readonly who: string;
  /** The disk or the interface, as configured; the other host of a migration. */
  readonly resource?: string | undefined;
  readonly isPermitted: boolean;
  /** The message of a refusal. */
  readonly text?: string | undefined;
  /** What it went by, where no decision of the hypervisor says so. */
  readonly reason?: string | undefined;
}

export interface LoggedDecision {
  /** Counts all decisions since boot. */
  readonly number: number;
  readonly atNs: number;
  /** The one that decided. */
  readonly policy: BinaryPolicy;
  /** Undefined: the toolstack decided by itself. */
  readonly decision: Decision | undefined;
  /** Of a refusal by the Chinese wall: the running domains that forbid it. */
  readonly holders: readonly Holder[];
  readonly verdict: Verdict | undefined;
}

const CAPACITY = 1000;

export class DecisionLog {
  readonly #entries: LoggedDecision[] = [];
  #count = 0;

  /** `domains`: those that run, for the reason of a refusal. */
  add(
    decision: Decision | undefined,
    atNs: number,
    policy: BinaryPolicy,
    domains: () => readonly { readonly domid: number; readonly ssidref: number }[] = () => [],
  ): void {
    const [type] = decision?.types ?? [];
    const isWall = decision && !decision.isPermitted && (decision.hook === 'create' || decision.hook === 'conflictset');
    const holders = isWall && type !== undefined ? holdersAgainst(policy, type, domains()) : [];
    this.#push({ number: this.#count + 1, atNs, policy, decision, holders, verdict: undefined });
  }

  #push(entry: LoggedDecision): void {
    this.#count = entry.number;
    this.#entries.push(entry);
    // Cut in blocks: a decision should cost no more than its entry.
    if (this.#entries.length >= 2 * CAPACITY) this.#entries.splice(0, CAPACITY);
  }

  /** What the toolstack said; it belongs to the decision that it had just asked for, if it had. */
  judge(verdict: Verdict, atNs: number, policy: BinaryPolicy): void {
    const last = this.#entries.at(-1);
    const isAnswer = last?.verdict === undefined && last?.decision !== undefined && asks(verdict, last.decision);
    // A refused creation and the question after its reason are told apart by xend only: it asks before it speaks.
    if (isAnswer && last.atNs === atNs) this.#entries[this.#entries.length - 1] = { ...last, verdict };
    else this.#push({ number: this.#count + 1, atNs, policy, decision: undefined, holders: [], verdict });
  }

  /** Number of the last decision; 0 before the first. */
  get last(): number {
    return this.#count;
  }

  /** Decisions made after the one with this number, the oldest first; as far back as the log reaches. */
  since(number: number): readonly LoggedDecision[] {
    return this.#entries.slice(-CAPACITY).filter((entry) => entry.number > number);
  }
}

/** A decision on request may be what a verdict rests on. */
function asks({ asked, isPermitted }: Verdict, decision: Decision): boolean {
  if (isPermitted !== decision.isPermitted) return false;
  if (asked === 'start') return decision.hook === 'authorization' || decision.hook === 'conflictset';
  return (asked === 'disk' || asked === 'vif') && decision.hook === 'sharing';
}
