/**
 * The policy that a hypervisor enforces and what it knows of its domains: labels, reference counts, caches; decisions,
 * and changes that happen wholly or not at all (xen/xsm/acm/acm_core.c, acm_policy.c, acm_simple_type_enforcement_hooks.c,
 * acm_chinesewall_hooks.c, Xen 3.4).
 */
import {
  ACM_BOOTSTRAP_SSIDREF,
  ACM_CHWALL_CONFLICT,
  ACM_DOMAIN_LOOKUP,
  ACM_ERROR_PAIRS,
  ACM_EVTCHN_SHARING_VIOLATION,
  ACM_GNTTAB_SHARING_VIOLATION,
  ACM_SSIDREF_IN_USE,
} from '../abi/acm';
import { ChineseWall } from './chineseWall';
import { startUpPolicy } from './defaultPolicy';
import { chwallRowOf, ssidref, steRowOf } from './numbering';
import type { BinaryPolicy } from './policyBinary';
import { DecisionCache, TypeEnforcement } from './typeEnforcement';

export interface LabelledDomain {
  readonly domid: number;
  ssidref: number;
  readonly cache: DecisionCache;
}

/** Which domains talk to which at the moment. */
export interface Channels {
  /** Other ends of the interdomain event channels of a domain. */
  evtchnPeers(domid: number): Iterable<number>;
  /** Owners of the grants that a domain has mapped. */
  grantPeers(domid: number): Iterable<number>;
}

/** What stands in the way of a change: a code and what it is about. */
export type ErrorPair = readonly [code: number, data: number];

/** The last three are decisions on request (getdecision). */
export type DecisionHook = 'create' | 'evtchn' | 'grant' | 'sharing' | 'authorization' | 'conflictset';

export interface DecisionParty {
  /** Undefined: it was named by its reference alone. */
  readonly domid: number | undefined;
  /** Undefined: there is no such domain. */
  readonly ssidref: number | undefined;
}

export interface KnownParty extends DecisionParty {
  readonly ssidref: number;
}

/** A decision that was really made: a permit out of the cache is not counted as one. */
export interface Decision {
  readonly hook: DecisionHook;
  readonly isPermitted: boolean;
  readonly subject: DecisionParty;
  /** Undefined where it is about one label: a creation, a question about the wall. */
  readonly object: DecisionParty | undefined;
  /**
   * STE types in common, or the CHWALL type that running domains forbid; of a refused authorization those that the subject
   * lacks.
   */
  readonly types: readonly number[];
}

export interface AcmStatistics {
  evtchnEvaluated: number;
  grantEvaluated: number;
  evtchnDenied: number;
  grantDenied: number;
  evtchnCacheHits: number;
  grantCacheHits: number;
}

export class AcmState {
  #policy: BinaryPolicy = startUpPolicy;
  #wall = new ChineseWall(startUpPolicy);
  #types = new TypeEnforcement(startUpPolicy);
  /** In the order of their creation. */
  readonly #domains = new Map<number, LabelledDomain>();
  /** The same by id: where every granted page comes by, a map would be felt. */
  readonly #byId: (LabelledDomain | undefined)[] = [];
  readonly statistics: AcmStatistics = {
    evtchnEvaluated: 0,
    grantEvaluated: 0,
    evtchnDenied: 0,
    grantDenied: 0,
    evtchnCacheHits: 0,
    grantCacheHits: 0,
  };
  /** Domain-0's label. */
  dom0Ssidref = ACM_BOOTSTRAP_SSIDREF;
  onDecision: ((decision: Decision) => void) | undefined;

  /** `print`: a line on Xen's console. */
  constructor(readonly print: (line: string) => void = () => {}) {}

  get policy(): BinaryPolicy {
    return this.#policy;
  }

  get wall(): ChineseWall {
    return this.#wall;
  }

  get types(): TypeEnforcement {
    return this.#types;
  }

  domain(domid: number): LabelledDomain | undefined {
    return this.#domains.get(domid);
  }

  domains(): readonly LabelledDomain[] {
    return [...this.#domains.values()];
  }

  /** Before there are domains: the boot policy. */
  install(policy: BinaryPolicy): void {
    this.#policy = policy;
    this.#wall = new ChineseWall(policy);
    this.#types = new TypeEnforcement(policy);
    for (const domain of this.#domains.values()) {
      this.#wall.add(chwallRowOf(domain.ssidref));
      domain.cache.clear();
    }
  }

  // --- hooks

  /** CHWALL is asked first; what it counted is taken back when STE refuses. */
  create(domid: number, ref: number): boolean {
    const row = chwallRowOf(ref);
    if (row >= this.#policy.chwallRows.length) return this.#decided('create', domid, ref, undefined, []);
    const conflict = this.#wall.conflictingType(row);
    if (conflict !== undefined) {
      this.print(`CHINESE WALL CONFLICT in type ${conflict.toString(16).padStart(2, '0')}.`);
      return this.#decided('create', domid, ref, undefined, [conflict]);
    }
    this.#wall.add(row);
    if (steRowOf(ref) >= this.#policy.steRows.length) {
      this.#wall.remove(row);
      return this.#decided('create', domid, ref, undefined, []);
    }
    const domain = { domid, ssidref: ref, cache: new DecisionCache() };
    this.#domains.set(domid, domain);
    this.#byId[domid] = domain;
    this.onDecision?.({
      hook: 'create',
      isPermitted: true,
      subject: { domid, ssidref: ref },
      object: undefined,
      types: [],
    });
    return true;
  }

  #decided(
    hook: DecisionHook,
    domid: number,
    ref: number | undefined,
    object: Decision['object'],
    types: readonly number[],
  ): false {
    this.onDecision?.({ hook, isPermitted: false, subject: { domid, ssidref: ref }, object, types });
    return false;
  }

  destroy(domid: number): void {
    const domain = this.#domains.get(domid);
    if (!domain) return;
    this.#domains.delete(domid);
    this.#byId[domid] = undefined;
    this.#wall.remove(chwallRowOf(domain.ssidref));
    for (const { cache } of this.#domains.values()) cache.forget(domid);
  }

  /** Both domains must exist and have a type in common. */
  shareEvtchn(a: number, b: number): boolean {
    const { statistics } = this;
    const subject = this.#byId[a];
    if (subject?.cache.has(b)) {
      statistics.evtchnCacheHits++;
      return true;
    }
    statistics.evtchnEvaluated++;
    if (this.#evaluate('evtchn', a, b)) return true;
    statistics.evtchnDenied++;
    return false;
  }

  shareGrant(a: number, b: number): boolean {
    const { statistics } = this;
    const subject = this.#byId[a];
    if (subject?.cache.has(b)) {
      statistics.grantCacheHits++;
      return true;
    }
    statistics.grantEvaluated++;
    if (this.#evaluate('grant', a, b)) return true;
    statistics.grantDenied++;
    return false;
  }

  #evaluate(hook: DecisionHook, a: number, b: number): boolean {
    const subject = this.#byId[a];
    const object = this.#domains.get(b);
    if (!subject || !object) {
      const party = { domid: b, ssidref: object?.ssidref };
      return this.#decided(hook, a, subject?.ssidref, party, []);
    }
    const [left, right] = [steRowOf(subject.ssidref), steRowOf(object.ssidref)];
    const isPermitted = this.#types.share(left, right);
    this.onDecision?.({
      hook,
      isPermitted,
      subject: { domid: subject.domid, ssidref: subject.ssidref },
      object: { domid: b, ssidref: object.ssidref },
      types: isPermitted ? this.#types.common(left, right) : [],
    });
    if (isPermitted && !subject.cache.add(b)) this.print(`Cache of dom ${subject.domid.toString(16)} is full!`);
    return isPermitted;
  }

  // --- decisions on request

  /** A common STE type. */
  sharing(a: number, b: number): boolean {
    return this.#types.share(steRowOf(a), steRowOf(b));
  }

  /** The subject has every STE type of the object, and one at least. */
  authorization(subject: number, object: number): boolean {
    return this.sharing(subject, object) && this.#types.includes(steRowOf(subject), steRowOf(object));
  }

  /** A domain with this label could start now. */
  conflictset(ref: number): boolean {
    const row = chwallRowOf(ref);
    return row < this.#policy.chwallRows.length && this.#wall.conflictingType(row) === undefined;
  }

  /** A decision on request, for the log: what was answered and why. */
  report(hook: 'sharing' | 'authorization' | 'conflictset', subject: KnownParty, object?: KnownParty): void {
    if (!this.onDecision) return;
    const { types, isPermitted } = object
      ? this.#explainSharing(hook, steRowOf(subject.ssidref), steRowOf(object.ssidref))
      : this.#explainWall(subject.ssidref);
    this.onDecision({ hook, isPermitted, subject, object, types });
  }

  #explainWall(ref: number) {
    const row = chwallRowOf(ref);
    const type = row < this.#policy.chwallRows.length ? this.#wall.conflictingType(row) : undefined;
    return { isPermitted: this.conflictset(ref), types: type === undefined ? [] : [type] };
  }

  #explainSharing(hook: DecisionHook, a: number, b: number) {
    const isPermitted = this.#types.share(a, b) && (hook === 'sharing' || this.#types.includes(a, b));
    const isLacking = hook === 'authorization' && !isPermitted;
    return { isPermitted, types: isLacking ? this.#types.lacking(a, b) : this.#types.common(a, b) };
  }

  // --- changes

  /**
   * Puts another policy in the place of this one. `deletions`: rows that go; `changes`: rows of domains that move. Answers
   * what stands in the way; then nothing has changed.
   */
  change(
    policy: BinaryPolicy,
    deletions: readonly number[],
    changes: readonly (readonly [old: number, now: number])[],
    channels: Channels,
  ): readonly ErrorPair[] {
    for (const row of deletions)
      for (const { ssidref: ref } of this.#domains.values())
        if (chwallRowOf(ref) === row || steRowOf(ref) === row) return [[ACM_SSIDREF_IN_USE, row]];
    const moved = new Map(changes);
    const refs = new Map<number, number>();
    for (const [domid, domain] of this.#domains) {
      const now = moved.get(chwallRowOf(domain.ssidref));
      refs.set(domid, now === undefined ? domain.ssidref : ssidref(now, now));
    }
    const wall = new ChineseWall(policy);
    const types = new TypeEnforcement(policy);
    const conflict = testWall(wall, refs);
    if (conflict) return [conflict];
    const violations = testSharing(types, refs, channels);
    if (violations.length > 0) return violations;
    for (const [domid, ref] of refs) this.#domains.get(domid)!.ssidref = ref;
    this.dom0Ssidref = refs.get(0) ?? this.dom0Ssidref;
    this.#policy = policy;
    this.#wall = wall;
    this.#types = types;
    for (const { cache } of this.#domains.values()) cache.clear();
    return [];
  }

  /** Gives domains other labels of the policy in force; all of them or, with an answer, none. */
  relabel(pairs: readonly (readonly [domid: number, ref: number])[], channels: Channels): readonly ErrorPair[] {
    const refs = new Map([...this.#domains].map(([domid, domain]) => [domid, domain.ssidref]));
    for (const [domid, ref] of pairs) {
      if (!refs.has(domid)) return [[ACM_DOMAIN_LOOKUP, domid]];
      refs.set(domid, ref);
    }
    const wall = new ChineseWall(this.#policy);
    const conflict = testWall(wall, refs);
    const errors = [...(conflict ? [conflict] : []), ...testSharing(this.#types, refs, channels)];
    if (errors.length > 0) return errors.slice(0, ACM_ERROR_PAIRS);
    for (const [domid, ref] of refs) this.#domains.get(domid)!.ssidref = ref;
    this.dom0Ssidref = refs.get(0) ?? this.dom0Ssidref;
    this.#wall = wall;
    // Differs from Xen, which keeps permits that the new label would not get: here a refusal starts with the relabelling.
    for (const { cache } of this.#domains.values()) cache.clear();
    return [];
  }
}

/** Lets all domains start anew, the newest first, and leaves their counts in `wall`. */
function testWall(wall: ChineseWall, refs: ReadonlyMap<number, number>): ErrorPair | undefined {
  for (const [domid, ref] of [...refs].reverse()) {
    const row = chwallRowOf(ref);
    if (row >= wall.policy.chwallRows.length) return [ACM_DOMAIN_LOOKUP, domid];
    const type = wall.conflictingType(row);
    if (type !== undefined) return [ACM_CHWALL_CONFLICT, type];
    wall.add(row);
  }
  return undefined;
}

/** Everything that is set up between domains must still be allowed. */
function testSharing(
  types: TypeEnforcement,
  refs: ReadonlyMap<number, number>,
  channels: Channels,
): readonly ErrorPair[] {
  const errors: ErrorPair[] = [];
  const row = (domid: number) => {
    const ref = refs.get(domid);
    return ref === undefined ? undefined : steRowOf(ref);
  };
  for (const domid of [...refs.keys()].sort((a, b) => a - b)) {
    if (row(domid)! >= types.rows) errors.push([ACM_DOMAIN_LOOKUP, domid]);
    const check = (code: number, peers: Iterable<number>) => {
      for (const peer of new Set(peers)) {
        const other = row(peer);
        if (other !== undefined && !types.share(row(domid)!, other)) errors.push([code, (domid << 16) | peer]);
      }
    };
    // Domain-0's xenstore and console talk to its kernel by event channels, so that its label needs a type.
    const own = domid === 0 ? [0] : [];
    check(ACM_EVTCHN_SHARING_VIOLATION, [...own, ...channels.evtchnPeers(domid)]);
    check(ACM_GNTTAB_SHARING_VIOLATION, channels.grantPeers(domid));
  }
  return errors.slice(0, ACM_ERROR_PAIRS);
}
