/**
 * The policy tools of the page over one host: analyses of texts (acm/analysis), and live facts, decisions and what-ifs from
 * the machine's hypervisor and xend.
 */
import { analysePolicy } from '../acm/analysis/analyse';
import { unmediatedPairs } from '../acm/analysis/bridges';
import { diffPolicies } from '../acm/analysis/diff';
import { readDraft } from '../acm/analysis/draft';
import { type DecisionNames, explainDecision, labelOf } from '../acm/analysis/explain';
import type { FactDomain, HostFacts } from '../acm/analysis/facts';
import { informationFlows } from '../acm/analysis/flows';
import { formText } from '../acm/analysis/form';
import { TranslationError, translateWorkload } from '../acm/analysis/translateWorkload';
import { whatIf } from '../acm/analysis/whatIf';
import { readWorkload, WorkloadError, writeWorkload } from '../acm/analysis/workload';
import type { LoggedDecision } from '../acm/decisionLog';
import { chwallRowOf, type NumberedPolicy, numberPolicy } from '../acm/numbering';
import { type BinaryPolicy, compilePolicy, decodePolicy } from '../acm/policyBinary';
import type { AcmPolicy } from '../acm/policyModel';
import { fullLabel } from '../acm/policyUpdate';
import { PolicyError, type PolicyFile } from '../acm/policyXml';
import { xmlText } from '../acm/xmlTree';
import type {
  LabEvent,
  PolicyAnalysis,
  PolicyDecision,
  PolicyDiff,
  PolicyDomain,
  PolicyFlows,
  PolicyForm,
  PolicyLive,
  PolicyLiveSet,
  TranslatedWorkload,
  WhatIf,
  WorkloadDefinition,
} from '../contract';
import { ctime } from '../xend/log';
import type { Host } from './createHost';
import { policyFacts } from './policyFacts';

/** The live picture is taken so often, ms of wall time. */
const LIVE_MS = 200;
const KNOWN_POLICIES = 20;
const POLICY_SOURCES = '/etc/xen/acm-security/policies';

/** A request that a text or the machine does not admit. */
export class PolicyRefusal extends Error {
  override readonly name = 'PolicyRefusal';
}

export class LabPolicy {
  #isWatched = false;
  #liveAtMs = Number.NEGATIVE_INFINITY;
  #lastLive = '';
  #lastDecision = 0;
  /** Changes with every boot: decisions are counted anew then. */
  #log: unknown;
  /** Names of the policies that were in force, by the fingerprint of their XML. */
  readonly #numbered = new Map<string, NumberedPolicy>();
  readonly #names = new Map<number, string>();
  #lastFile: PolicyFile | undefined;

  constructor(private readonly host: Host) {}

  // ---------------------------------------------------------------------------------------------- texts

  analyse(xml: string): PolicyAnalysis {
    const files = this.host.toolstack?.securityView?.security.files;
    return analysePolicy(xml, (name) =>
      files
        ? files.mapFiles(name)
        : { policy: `${POLICY_SOURCES}/${name}-security_policy.xml`, binary: `${POLICY_SOURCES}/${name}.bin` },
    );
  }

  flows(xml: string, ignored: readonly string[]): PolicyFlows | null {
    const { file } = readDraft(xml);
    return (file && informationFlows(file.policy, ignored)) ?? null;
  }

  compare(oldXml: string, newXml: string): PolicyDiff {
    return diffPolicies(readable(oldXml, 'the first policy'), readable(newXml, 'the second policy'));
  }

  write(form: PolicyForm, source?: string): string {
    return formText(form, source);
  }

  readWorkload(text: string): WorkloadDefinition {
    return refusing(() => readWorkload(text));
  }

  writeWorkload(definition: WorkloadDefinition): string {
    return writeWorkload(definition);
  }

  translate(definition: WorkloadDefinition, policyName: string): TranslatedWorkload {
    const now = this.host.kernel?.wallClock() ?? this.host.world.unixSecondsAtZero;
    return refusing(() => translateWorkload(definition, policyName, ctime(now)));
  }

  // ---------------------------------------------------------------------------------------------- the machine

  whatIf(xml: string, assertions: string): WhatIf {
    return whatIf(xml, assertions, this.#facts());
  }

  inForce(): string | null {
    const file = this.host.toolstack?.securityView?.security.policy;
    return file ? xmlText(file.document) : null;
  }

  #facts(): HostFacts {
    return (
      policyFacts(this.host) ?? { policy: undefined, domains: [], dormant: [], evtchns: [], grants: [], resources: [] }
    );
  }

  live(): PolicyLive {
    const { acm, toolstack } = this.host;
    const security = toolstack?.securityView?.security;
    const facts = this.#facts();
    const file = security?.policy;
    if (file) this.#remember(file);
    const state = security?.policy && { ...file!.policy, isBoot: security.boot.name === file!.policy.name };
    const shown = (domain: FactDomain) => this.#shownDomain(domain);
    const counts = acm?.state.statistics;
    return {
      isBuilt: acm !== undefined,
      policy: state && { name: state.name, version: state.version, isBoot: state.isBoot },
      domains: facts.domains.map(shown),
      conflictSets: file ? this.#liveSets(file.policy, facts) : [],
      bridges: unmediatedPairs(facts, shown),
      resources: facts.resources.map((entry) => ({ name: entry.name, label: fullLabel(entry) })),
      statistics: {
        evtchnEvaluated: counts?.evtchnEvaluated ?? 0,
        evtchnDenied: counts?.evtchnDenied ?? 0,
        evtchnCacheHits: counts?.evtchnCacheHits ?? 0,
        grantEvaluated: counts?.grantEvaluated ?? 0,
        grantDenied: counts?.grantDenied ?? 0,
        grantCacheHits: counts?.grantCacheHits ?? 0,
      },
    };
  }

  #shownDomain({ domid, name, ssidref, label }: FactDomain): PolicyDomain {
    this.#names.set(domid, name);
    const policy = this.host.acm?.state.policy;
    const numbered = policy && this.#numbered.get(fingerprint(policy));
    const text = label ? fullLabel(label) : `ACM:${policy?.name ?? ''}:${labelOf(ssidref, numbered)}`;
    return { domid, name, label: text, ssidref };
  }

  /** Counts as the hypervisor keeps them. */
  #liveSets(policy: AcmPolicy, { domains }: HostFacts): readonly PolicyLiveSet[] {
    const numbered = numberPolicy(policy);
    const { running, aggregate } = this.host.acm!.state.wall;
    return numbered.conflictSets.map(({ name, row }) => ({
      name,
      types: numbered.chwallTypes.flatMap((type, at) =>
        row[at]
          ? [
              {
                type,
                running: running[at] ?? 0,
                aggregate: aggregate[at] ?? 0,
                holders: domains
                  .filter(({ ssidref }) => numbered.chwallRows[chwallRowOf(ssidref)]?.[at])
                  .map((domain) => domain.name),
              },
            ]
          : [],
      ),
    }));
  }

  // ---------------------------------------------------------------------------------------------- decisions

  watch(isOn: boolean): { readonly live: PolicyLive; readonly decisions: readonly PolicyDecision[] } {
    this.#isWatched = isOn;
    const live = this.live();
    this.#lastLive = JSON.stringify(live);
    this.#lastDecision = 0;
    return { live, decisions: this.#newDecisions() };
  }

  /** Events since the last call; cheap while nobody watches. */
  report(wallMs: number): readonly LabEvent[] {
    // Labels are told from numbers by the policy they were made of: look before the next one takes its place.
    if (this.host.acm && this.host.acm.decisions !== this.#log) this.#restart();
    const file = this.host.toolstack?.securityView?.security.policy;
    if (file) this.#remember(file);
    if (!this.#isWatched) return [];
    const events: LabEvent[] = [];
    if (wallMs - this.#liveAtMs >= LIVE_MS) {
      this.#liveAtMs = wallMs;
      const live = this.live();
      const text = JSON.stringify(live);
      if (text !== this.#lastLive) events.push({ type: 'policy', live });
      this.#lastLive = text;
    }
    const decisions = this.#newDecisions();
    if (decisions.length > 0) events.push({ type: 'decisions', decisions });
    return events;
  }

  #restart(): void {
    this.#log = this.host.acm?.decisions;
    this.#lastDecision = 0;
    this.#names.clear();
  }

  #newDecisions(): readonly PolicyDecision[] {
    const log = this.host.acm?.decisions;
    if (!log || log.last === this.#lastDecision) return [];
    const entries = log.since(this.#lastDecision);
    this.#lastDecision = log.last;
    return entries.map((entry) => this.#explain(entry));
  }

  #explain(entry: LoggedDecision): PolicyDecision {
    const names: DecisionNames = {
      policy: (binary) => this.#numbered.get(fingerprint(binary)),
      domain: (domid) => this.#nameOf(domid),
    };
    return explainDecision(entry, names);
  }

  #nameOf(domid: number): string | undefined {
    const now = this.host.toolstack?.peek(`/local/domain/${domid}/name`);
    if (now !== undefined) this.#names.set(domid, now);
    return now ?? this.#names.get(domid) ?? (domid === 0 ? 'Domain-0' : undefined);
  }

  #remember(file: PolicyFile): void {
    if (this.#lastFile === file) return;
    this.#lastFile = file;
    const binary = decodable(file);
    if (!binary) return;
    this.#numbered.set(fingerprint(binary), numberPolicy(file.policy));
    const [oldest] = this.#numbered.keys();
    if (this.#numbered.size > KNOWN_POLICIES && oldest !== undefined) this.#numbered.delete(oldest);
  }

  /** The refusal that an operator has before him: the last with this text ('': any), or one of those before it. */
  findRefusal(text: string, back: number, domid?: number): number | null {
    const refusals = (this.host.acm?.decisions.since(0) ?? []).filter(this.#isMeantBy(text, domid));
    return refusals.at(-1 - back)?.number ?? refusals.at(0)?.number ?? null;
  }

  #isMeantBy(text: string, domid: number | undefined): (entry: LoggedDecision) => boolean {
    const [, conflict] = /^CHINESE WALL CONFLICT in type ([0-9a-f]+)\.$/.exec(text) ?? [];
    if (conflict !== undefined)
      return ({ decision }) =>
        decision?.hook === 'create' && !decision.isPermitted && decision.types[0] === Number.parseInt(conflict, 16);
    const [, type, id] = /^(\w+) \w+-(\d+): 13 allocating event channel$/.exec(text) ?? [];
    if (id === undefined) return ({ verdict }) => verdict?.text !== undefined && sameRefusal(verdict.text, text);
    return ({ decision }) => {
      if (decision?.hook !== 'evtchn' || decision.isPermitted) return false;
      const guest = decision.subject.domid;
      if (domid !== undefined && domid !== guest) return false;
      const backend = this.host.toolstack?.peek(`/local/domain/${guest}/device/${type}/${id}/backend-id`);
      return backend === undefined || Number(backend) === decision.object?.domid;
    };
  }
}

/** A link is one line of a refusal; the reasons of a policy's refusal stand below it. */
function sameRefusal(said: string, read: string): boolean {
  return said.startsWith(read) || said.split('\n').includes(read);
}

function decodable(file: PolicyFile): BinaryPolicy | undefined {
  return file.policy.chwall && file.policy.ste ? decodePolicy(compilePolicy(file)) : undefined;
}

function fingerprint({ sha1 }: BinaryPolicy): string {
  return sha1.join(' ');
}

function readable(xml: string, what: string): AcmPolicy {
  const { file, issues } = readDraft(xml);
  if (file) return file.policy;
  const [first] = issues;
  throw new PolicyRefusal(`${what} cannot be read: line ${first?.line ?? 1}: ${first?.message ?? ''}`);
}

function refusing<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof WorkloadError || error instanceof TranslationError || error instanceof PolicyError)
      throw new PolicyRefusal(error.message);
    throw error;
  }
}
