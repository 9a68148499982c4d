/**
 * An edited policy held against the running domains: would `xm setpolicy` take it, why not, and who could not go on. The
 * order of the checks is xend's (xend/security.ts) and the hypervisor's (acmState.ts); unlike theirs it does not end at the
 * first refusal.
 */
import type { WhatIf, WhatIfDomain } from '../../contract';
import { chwallRowOf, type NumberedPolicy, ssidref, steRowOf } from '../numbering';
import { type AcmPolicy, INACCESSIBLE, UNLABELED } from '../policyModel';
import { checkUpdate, type FullLabel, fullLabel, planLabels, type UpdatePlan, updatedLabel } from '../policyUpdate';
import { PolicyError } from '../policyXml';
import type { TypeEnforcement } from '../typeEnforcement';
import { xserrText } from '../xserr';
import { differencesOf } from './diff';
import { readDraft } from './draft';
import { evaluateAssertions } from './evaluate';
import type { FactDomain, HostFacts, UsedDevice } from './facts';
import { WallPairs } from './matrix';
import { numbersOf, sharingOf } from './numbers';

type Reason = WhatIf['reasons'][number];

export function whatIf(text: string, assertions: string, facts: HostFacts): WhatIf {
  const { issues, file, isSound } = readDraft(text);
  const inForce = facts.policy && `${facts.policy.name} ${facts.policy.version}`;
  const broken = issues
    .filter(({ severity }) => severity === 'error')
    .map(({ code, message, line }): Reason => ({ code, text: message, line }));
  if (!file || !isSound)
    return {
      inForce,
      isSame: false,
      isLegal: false,
      reasons: broken,
      domains: [],
      resources: [],
      assertions: evaluateAssertions(assertions, undefined),
    };
  const next = file.policy;
  if (!facts.policy) {
    const reason: Reason = { code: 'POLICY_TYPE_UNSUPPORTED', text: 'No policy is in force: ACM is off.' };
    const context = contextOf(next, facts, undefined, undefined);
    const results = evaluateAssertions(assertions, context);
    return {
      inForce,
      isSame: false,
      isLegal: false,
      reasons: [reason],
      domains: [],
      resources: [],
      assertions: results,
    };
  }
  const update = new Update(facts, facts.policy, next);
  const reasons = [
    ...update.planReasons(),
    ...update.resourceReasons(),
    ...update.authorityReasons(),
    ...update.hypervisorReasons(),
  ];
  return {
    inForce,
    isSame: differencesOf(facts.policy, next).length === 0,
    isLegal: reasons.length === 0,
    reasons,
    domains: update.domains(),
    resources: update.resources(),
    assertions: evaluateAssertions(assertions, contextOf(next, facts, facts.policy, update.plan)),
  };
}

interface MovedDomain extends FactDomain {
  readonly labelNow: string;
  /** Undefined: its label goes. */
  readonly labelThen: string | undefined;
  readonly refThen: number;
  /** xend's label after the update. */
  readonly fullThen: FullLabel | undefined;
}

class Update {
  readonly plan: UpdatePlan;
  readonly #numbered: NumberedPolicy;
  readonly #types: TypeEnforcement;
  readonly #walls: WallPairs;
  readonly #moved: readonly MovedDomain[];

  constructor(
    readonly facts: HostFacts,
    readonly current: AcmPolicy,
    readonly next: AcmPolicy,
  ) {
    this.plan = planLabels(current, next);
    this.#numbered = numbersOf(next);
    this.#types = sharingOf(next);
    this.#walls = new WallPairs(this.#numbered);
    const oldRows = numbersOf(current).vmLabels;
    const changes = new Map(this.plan.changes);
    this.#moved = facts.domains.map((domain): MovedDomain => {
      const row = chwallRowOf(domain.ssidref);
      const now = changes.get(row);
      const isGone = this.plan.deletions.includes(row) || this.plan.deletions.includes(steRowOf(domain.ssidref));
      const refThen = now === undefined ? domain.ssidref : ssidref(now, now);
      return {
        ...domain,
        labelNow: oldRows[row] ?? `row ${row}`,
        labelThen: isGone ? undefined : (this.#numbered.vmLabels[chwallRowOf(refThen)] ?? undefined),
        refThen,
        fullThen: domain.label && updatedLabel(domain.label, current, next, this.plan.vmLabelNow),
      };
    });
  }

  /** Version and renames. */
  planReasons(): readonly Reason[] {
    try {
      checkUpdate(this.current, this.next);
      return [];
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      return error.problems.map(({ code, message, place }) => ({ code, text: message, line: place.line }));
    }
  }

  /** What xend finds: devices of user domains out of the reach of their new labels. */
  resourceReasons(): readonly Reason[] {
    return this.#moved.flatMap((domain) => {
      if (domain.domid === 0 || domain.fullThen?.type !== 'ACM') return [];
      return this.#lostDevices(domain).map(
        (device): Reason => ({
          code: 'RESOURCE_ACCESS',
          text: `${xserrText('RESOURCE_ACCESS')}: ${domain.name} uses ${device.name}`,
        }),
      );
    });
  }

  #lostDevices(domain: MovedDomain): readonly UsedDevice[] {
    const row = this.#vmRow(domain.fullThen?.label ?? UNLABELED);
    return domain.devices.filter((device) => {
      if (device.kind === 'vif' && !device.label) return false;
      return row === undefined || !this.#mayUse(row, device);
    });
  }

  #mayUse(vmRow: number, { label }: UsedDevice): boolean {
    const then = label && updatedLabel(label, this.current, this.next, this.plan.resourceLabelNow);
    if (!then) return this.#types.share(vmRow, 0);
    if (then.type !== 'ACM' || then.policy !== this.next.name) return false;
    const row = this.#resourceRow(then.label);
    return row !== undefined && this.#types.share(vmRow, row);
  }

  #vmRow(label: string): number | undefined {
    const row = this.#numbered.vmLabels.indexOf(label);
    return row < 0 ? undefined : row;
  }

  #resourceRow(label: string): number | undefined {
    if (label === UNLABELED) return 0;
    const at = this.#numbered.resourceLabels.indexOf(label);
    return at < 0 ? undefined : this.#numbered.vmLabels.length + at;
  }

  /** What xend finds: user domains that Domain-0's new label does not cover. */
  authorityReasons(): readonly Reason[] {
    return this.#moved.flatMap((domain) => {
      const refusal = this.#authorityRefusal(domain);
      return refusal === undefined ? [] : [{ code: 'VM_NOT_AUTHORIZED', text: `${domain.name}: ${refusal}` }];
    });
  }

  #authorityRefusal(domain: MovedDomain): string | undefined {
    const dom0 = this.#moved.find(({ domid }) => domid === 0);
    if (domain.domid === 0 || domain.labelThen === undefined || dom0?.labelThen === undefined) return undefined;
    const [above, row] = [steRowOf(dom0.refThen), steRowOf(domain.refThen)];
    if (this.#types.share(above, row) && this.#types.includes(above, row)) return undefined;
    return `Domain-0 (${dom0.labelThen}) is not authorised to run ${domain.labelThen}`;
  }

  /** What the hypervisor finds: rows in use, the wall, channels and grants. */
  hypervisorReasons(): readonly Reason[] {
    if (!this.next.chwall) return [hypervisor('a policy without ChineseWall cannot be loaded')];
    const gone = this.#moved.filter(({ labelThen }) => labelThen === undefined);
    if (gone.length > 0)
      return gone.map(({ name, labelNow }) => hypervisor(`${name} runs with label ${labelNow}, which is gone`));
    const conflicts = this.#conflicts().map(({ a, b, set }) =>
      hypervisor(`Chinese Wall conflict between ${a.name} (${a.labelThen}) and ${b.name} (${b.labelThen}) in ${set}`),
    );
    const violations = this.#violations().map(({ kind, a, b }) =>
      hypervisor(`${kind} sharing violation between ${a.name} (${a.labelThen}) and ${b.name} (${b.labelThen})`),
    );
    return [...conflicts, ...violations];
  }

  #conflicts() {
    const found: { readonly a: MovedDomain; readonly b: MovedDomain; readonly set: string }[] = [];
    for (const [i, a] of this.#moved.entries())
      for (const b of this.#moved.slice(i + 1)) {
        const set = this.#conflictSet(chwallRowOf(a.refThen), chwallRowOf(b.refThen));
        if (set !== undefined) found.push({ a, b, set });
      }
    return found;
  }

  /** The conflict set that keeps two labels apart; undefined: none. */
  #conflictSet(a: number, b: number): string | undefined {
    const { chwallRows, conflictSets } = this.#numbered;
    const [left, right] = [chwallRows[a], chwallRows[b]];
    if (!left || !right || this.#walls.mayRunTogether(a, b)) return undefined;
    return conflictSets.find(
      ({ row }) =>
        row.some((value, type) => value && left[type] && !right[type]) &&
        row.some((value, type) => value && right[type] && !left[type]),
    )?.name;
  }

  #violations() {
    const byId = new Map(this.#moved.map((domain) => [domain.domid, domain]));
    const seen = new Set<string>();
    const broken = (kind: string, pairs: HostFacts['evtchns']) =>
      pairs.flatMap(([first, second]) => {
        const a = byId.get(Math.min(first, second));
        const b = byId.get(Math.max(first, second));
        const key = `${kind} ${a?.domid} ${b?.domid}`;
        if (!a || !b || seen.has(key)) return [];
        seen.add(key);
        return this.#types.share(steRowOf(a.refThen), steRowOf(b.refThen)) ? [] : [{ kind, a, b }];
      });
    // Domain-0's xenstore and console talk to its kernel.
    return [...broken('event channel', [[0, 0], ...this.facts.evtchns]), ...broken('grant table', this.facts.grants)];
  }

  domains(): readonly WhatIfDomain[] {
    const refusals = new Map<number, string[]>();
    const refuse = (domid: number, text: string) => void refusals.set(domid, [...(refusals.get(domid) ?? []), text]);
    const isGone = this.#moved.some(({ labelThen }) => labelThen === undefined);
    for (const domain of this.#moved) {
      if (domain.labelThen === undefined) refuse(domain.domid, `label ${domain.labelNow} is gone`);
      else if (domain.domid !== 0)
        for (const device of this.#lostDevices(domain)) refuse(domain.domid, `may not use ${device.name} any more`);
      const authority = this.#authorityRefusal(domain);
      if (authority !== undefined) refuse(domain.domid, authority);
    }
    if (!isGone) {
      for (const { a, b, set } of this.#conflicts()) {
        refuse(a.domid, `conflict set ${set} excludes it beside ${b.name}`);
        refuse(b.domid, `conflict set ${set} excludes it beside ${a.name}`);
      }
      for (const { kind, a, b } of this.#violations()) {
        refuse(a.domid, `shares no type with ${b.name}, with which it has a ${kind}`);
        if (a !== b) refuse(b.domid, `shares no type with ${a.name}, with which it has a ${kind}`);
      }
    }
    return this.#moved.map((domain) => ({
      domid: domain.domid,
      name: domain.name,
      labelNow: domain.labelNow,
      labelThen: domain.labelThen,
      refusals: refusals.get(domain.domid) ?? [],
      startRefusals: domain.domid === 0 ? [] : this.#startRefusals(domain),
    }));
  }

  /** As xend checks it when the domain is started: its label, Domain-0's authorisation, the wall, devices. */
  #startRefusals(domain: MovedDomain): readonly string[] {
    if (domain.labelThen === undefined) return [`label ${domain.labelNow} not found`];
    const authority = this.#authorityRefusal(domain);
    const found = authority === undefined ? [] : [authority];
    for (const other of this.#moved) {
      if (other.domid === domain.domid) continue;
      const set = this.#conflictSet(chwallRowOf(domain.refThen), chwallRowOf(other.refThen));
      if (set !== undefined) found.push(`conflict set ${set}: ${other.name} runs`);
    }
    for (const device of this.#lostDevices(domain)) found.push(`access to ${device.name} denied`);
    return found;
  }

  resources(): WhatIf['resources'] {
    return this.facts.resources.flatMap((entry) => {
      const before = fullLabel(entry);
      const after = fullLabel(updatedLabel(entry, this.current, this.next, this.plan.resourceLabelNow));
      return before === after ? [] : [{ name: entry.name, before, after }];
    });
  }
}

function hypervisor(text: string): Reason {
  return { code: 'HV_OP_FAILED', text };
}

/** Names as assertions use them: of domains and resources with the labels that they will have. */
function contextOf(
  next: AcmPolicy,
  facts: HostFacts,
  current: AcmPolicy | undefined,
  plan: UpdatePlan | undefined,
): Parameters<typeof evaluateAssertions>[1] {
  const labelThen = (label: FullLabel | undefined, now: UpdatePlan['vmLabelNow'] | undefined) => {
    const then = label && current && now ? updatedLabel(label, current, next, now) : label;
    return then?.type === 'ACM' && (then.policy === next.name || then.label === INACCESSIBLE) ? then.label : undefined;
  };
  const dom0 = facts.domains.find(({ domid }) => domid === 0);
  return {
    policy: next,
    domains: new Map(
      [...facts.dormant, ...facts.domains].map(({ name, label }) => [
        name,
        label ? labelThen(label, plan?.vmLabelNow) : UNLABELED,
      ]),
    ),
    resources: new Map(facts.resources.map((entry) => [entry.name, labelThen(entry, plan?.resourceLabelNow) ?? null])),
    dom0Label: labelThen(dom0?.label, plan?.vmLabelNow) ?? next.bootstrap,
  };
}
