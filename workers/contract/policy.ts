/**
 * Security policies as the page's bench, ezPolicy and xensec_gen see them. What is said of a text is computed by the worker
 * from the same code that xend runs; what is said of the machine comes from its hypervisor and xend.
 */
import type { LabResult } from './errors';

export interface PolicyIssue {
  readonly severity: 'error' | 'warning';
  /** The name of a code of the security tools (XSERR), or `note` for what is legal and yet odd. */
  readonly code: string;
  readonly message: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

export interface PolicyFormLabel {
  readonly name: string;
  /** The old name, in an update that renames. */
  readonly from?: string | undefined;
  /** Its name in the text that the form was read from; undefined: it is new. */
  readonly origin?: string | undefined;
  readonly ste: readonly string[];
  readonly chwall: readonly string[];
}

export interface PolicyFormResource {
  readonly name: string;
  readonly from?: string | undefined;
  readonly origin?: string | undefined;
  readonly ste: string;
}

/** A policy as a form shows it. */
export interface PolicyForm {
  readonly name: string;
  readonly url?: string | undefined;
  readonly reference?: string | undefined;
  readonly date?: string | undefined;
  readonly nameSpaceUrl?: string | undefined;
  readonly version: string;
  readonly from?: { readonly name: string; readonly version: string } | undefined;
  /** The component with `priority="PrimaryPolicyComponent"`; undefined: the file does not say. */
  readonly primary?: 'ste' | 'chwall' | undefined;
  readonly steTypes: readonly string[];
  readonly chwallTypes: readonly string[];
  readonly conflictSets: readonly { readonly name: string; readonly types: readonly string[] }[];
  readonly bootstrap: string;
  readonly vmLabels: readonly PolicyFormLabel[];
  readonly resourceLabels: readonly PolicyFormResource[];
}

export interface PolicyLabelView {
  readonly name: string;
  readonly kind: 'vm' | 'resource';
  readonly ste: readonly string[];
  readonly chwall: readonly string[];
  readonly isBootstrap: boolean;
  /** Row of the STE matrix. */
  readonly row: number;
  /** Where it stands in the text; 0: nowhere (the unlabelled row of a policy that does not define it). */
  readonly line: number;
}

export interface PolicyConflictSet {
  readonly name: string;
  readonly types: readonly string[];
  readonly line: number;
}

export interface PolicyBinaryPart {
  readonly offset: number;
  readonly length: number;
  readonly what: string;
  readonly value: string;
  /** The label whose row this is. */
  readonly label?: string | undefined;
  /** Where it comes from in the XML. */
  readonly line?: number | undefined;
}

export interface PolicyMapLine {
  readonly text: string;
  /** The label or type that it is about. */
  readonly name?: string | undefined;
}

/** Everything that can be said of a policy text by itself. */
export interface PolicyAnalysis {
  readonly issues: readonly PolicyIssue[];
  /** Undefined while the text is no policy. */
  readonly policy: PolicyReading | undefined;
}

export interface PolicyReading {
  readonly form: PolicyForm;
  /** VM labels by row, then resource labels. */
  readonly labels: readonly PolicyLabelView[];
  readonly vmLabels: number;
  /**
   * A row for each VM label, a column for each label: 1 they share an STE type, 2 they may run at the same time, 4 Domain-0
   * with the row's label is authorised to run the column's.
   */
  readonly cells: Uint8Array;
  readonly conflictSets: readonly PolicyConflictSet[];
  /** Undefined while a rule is broken: such a policy is not compiled. */
  readonly binary: { readonly bytes: Uint8Array; readonly parts: readonly PolicyBinaryPart[] } | undefined;
  readonly map: readonly PolicyMapLine[];
}

/** Who can reach whom through labels that hold several types and are trusted to keep them apart. */
export interface PolicyFlows {
  readonly labels: readonly string[];
  /** Labels with several types; flows through those in `ignored` are not followed. */
  readonly trusted: readonly string[];
  readonly ignored: readonly string[];
  /** Row × column: 0 none, 1 directly, n through n-1 trusted labels. */
  readonly hops: Uint8Array;
  /** Row × column: the label before the column's on the shortest way from the row's; -1 none. */
  readonly previous: Int16Array;
}

// --- the machine

export interface PolicyDomain {
  readonly domid: number;
  readonly name: string;
  /** `ACM:policy:label`. */
  readonly label: string;
  readonly ssidref: number;
}

export interface PolicyTypeCount {
  readonly type: string;
  /** Domains that hold it. */
  readonly running: number;
  /** (domain, conflict set) pairs that forbid it. */
  readonly aggregate: number;
}

export interface PolicyLiveSet {
  readonly name: string;
  readonly types: readonly (PolicyTypeCount & { readonly holders: readonly string[] })[];
}

/** Domains between which packets pass though their labels may not share. */
export interface PolicyBridgeNote {
  readonly bridge: string;
  readonly domains: readonly [PolicyDomain, PolicyDomain];
  /** Types that Domain-0, which forwards, shares with each. */
  readonly shared: readonly [readonly string[], readonly string[]];
}

/** What is in force. */
export interface PolicyLive {
  /** Whether this Xen was built with ACM. */
  readonly isBuilt: boolean;
  /** Undefined without ACM, and while xend does not run. */
  readonly policy:
    | {
        readonly name: string;
        readonly version: string;
        /** The boot loader's default entry loads it. */
        readonly isBoot: boolean;
      }
    | undefined;
  readonly domains: readonly PolicyDomain[];
  readonly conflictSets: readonly PolicyLiveSet[];
  readonly bridges: readonly PolicyBridgeNote[];
  readonly resources: readonly { readonly name: string; readonly label: string }[];
  /** The hypervisor's counters of the STE hooks (`xensec_tool dumpstats`). */
  readonly statistics: Readonly<
    Record<
      'evtchnEvaluated' | 'evtchnDenied' | 'evtchnCacheHits' | 'grantEvaluated' | 'grantDenied' | 'grantCacheHits',
      number
    >
  >;
}

export interface PolicyParty {
  readonly domid?: number | undefined;
  readonly name?: string | undefined;
  readonly label: string;
  readonly ste: readonly string[];
  readonly chwall: readonly string[];
  /** There was no such domain. */
  readonly isMissing?: boolean;
}

export type PolicyHook = 'create' | 'evtchn' | 'grant' | 'sharing' | 'authorization' | 'conflictset' | 'xend';

/** A decision with its reason, in the names of the policy that made it. */
export interface PolicyDecision {
  readonly number: number;
  readonly atMs: number;
  /** Name and version. */
  readonly policy: string;
  /** `xend`: the toolstack decided without the hypervisor. */
  readonly hook: PolicyHook;
  readonly isPermitted: boolean;
  readonly subject: PolicyParty | undefined;
  readonly object: PolicyParty | undefined;
  /** STE types in common; of a refused authorization those that the subject lacks. */
  readonly types: readonly string[];
  /** The CHWALL type that may not run now, and who forbids it. */
  readonly conflict:
    | {
        readonly type: string;
        readonly holders: readonly {
          readonly set: string;
          readonly domid: number;
          readonly name: string;
          readonly label: string;
          readonly type: string;
        }[];
      }
    | undefined;
  /** What xend was doing and what it told the operator. */
  readonly verdict:
    | {
        readonly asked: 'start' | 'disk' | 'vif' | 'policy' | 'relabel' | 'migrate';
        readonly who: string;
        readonly resource?: string | undefined;
        readonly isPermitted: boolean;
        readonly text?: string | undefined;
        /** What xend went by, where no decision of the hypervisor says so. */
        readonly reason?: string | undefined;
      }
    | undefined;
}

// --- the edited policy against the machine

export interface WhatIfDomain {
  readonly domid: number;
  readonly name: string;
  readonly labelNow: string;
  /** Undefined: its label is gone. */
  readonly labelThen: string | undefined;
  /** Why it could not go on running; none: it could. */
  readonly refusals: readonly string[];
  /** Why it could not be started anew beside the others; none: it could. */
  readonly startRefusals: readonly string[];
}

export interface WhatIf {
  /** Name and version of the policy in force. */
  readonly inForce: string | undefined;
  /** It says what the policy in force says. */
  readonly isSame: boolean;
  readonly isLegal: boolean;
  /** Why `xm setpolicy` would refuse it. */
  readonly reasons: readonly { readonly code: string; readonly text: string; readonly line?: number | undefined }[];
  readonly domains: readonly WhatIfDomain[];
  readonly resources: readonly { readonly name: string; readonly before: string; readonly after: string }[];
  readonly assertions: readonly PolicyAssertion[];
}

export interface PolicyAssertion {
  readonly line: number;
  readonly text: string;
  readonly state: 'holds' | 'fails' | 'unknown' | 'error';
  readonly why: string;
}

export interface PolicyDifference {
  readonly kind: 'added' | 'removed' | 'changed' | 'renamed';
  readonly what: string;
  readonly detail: string;
  /** In the new text. */
  readonly line?: number | undefined;
}

export interface PolicyDiff {
  readonly differences: readonly PolicyDifference[];
  /** What labels may do now and could not before, and the other way round. */
  readonly consequences: readonly PolicyDifference[];
}

// --- workload definitions (ezPolicy)

export interface Organization {
  readonly name: string;
  readonly departments: readonly string[];
}

export interface ExclusionRule {
  readonly name: string;
  /** `ORG` or `ORG.DEPT`. */
  readonly workloads: readonly string[];
}

export interface WorkloadDefinition {
  readonly organizations: readonly Organization[];
  readonly rules: readonly ExclusionRule[];
}

export interface TranslatedWorkload {
  readonly xml: string;
  /** What the tool prints. */
  readonly messages: readonly string[];
}

/** Programs of Domain-0 whose window is a pane of the page. */
export type PolicyTool = 'xensec_ezpolicy' | 'xensec_gen';

/** The requests of the policy tools. */
export interface PolicyApi {
  analysePolicy(xml: string): Promise<LabResult<PolicyAnalysis>>;
  policyFlows(xml: string, ignored: readonly string[]): Promise<LabResult<PolicyFlows | null>>;
  /** The edited policy, which is not loaded, held against the running domains. */
  whatIfPolicy(xml: string, assertions: string): Promise<LabResult<WhatIf>>;
  comparePolicies(oldXml: string, newXml: string): Promise<LabResult<PolicyDiff>>;
  /**
   * A form as a policy file. `source`: the text that it was read from, of which everything stays that the form has not
   * changed, comments and layout as well.
   */
  writePolicy(form: PolicyForm, source?: string): Promise<LabResult<string>>;
  /** The policy in force as xend keeps it; null without one. */
  policyInForce(): Promise<LabResult<string | null>>;
  /** While it is on, `policy` and `decisions` events are sent. Answers what there is now. */
  watchPolicy(isOn: boolean): Promise<LabResult<{ live: PolicyLive; decisions: readonly PolicyDecision[] }>>;
  /**
   * Number of the decision behind a refusal that somebody read ('': any); `back`: how many equal ones came later; `domid`: of
   * the guest in whose console it stands.
   */
  findRefusal(text: string, back: number, domid?: number): Promise<LabResult<number | null>>;
  readWorkload(text: string): Promise<LabResult<WorkloadDefinition>>;
  writeWorkload(definition: WorkloadDefinition): Promise<LabResult<string>>;
  translateWorkload(definition: WorkloadDefinition, policyName: string): Promise<LabResult<TranslatedWorkload>>;
}
