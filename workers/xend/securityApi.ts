/**
 * What xm may ask of xend about policies and labels: the methods of Xen 3.4's xend.security, plus the older generation's
 * policy commands (tools/python/xen/util/xsm, xend/XendXSPolicyAdmin.py).
 */

import type { LabelKind } from '../acm/policyMap';
import type { ResourceEntry } from '../acm/resourceLabels';

export interface PolicyState {
  readonly name: string;
  readonly version: string;
  readonly isLoaded: boolean;
  /** The boot loader's default entry loads it. */
  readonly isBoot: boolean;
  /** Indented for reading. */
  readonly xml: string;
}

export interface AccessDecision {
  readonly resource: string;
  readonly isPermitted: boolean;
  readonly label: string;
  readonly policy: string;
}

export interface DryRun {
  /** Undefined: the domain may have its label. */
  readonly domainProblem: string | undefined;
  readonly resources: readonly AccessDecision[];
}

/** Every method rejects with XsmError or another XendError. */
export interface XendSecurityApi {
  /** Name of the policy in force; `INACTIVE` without one. */
  activePolicy(): Promise<string>;
  isOn(): Promise<boolean>;
  getPolicy(): Promise<PolicyState | undefined>;
  /** `xml`: the file's content. */
  setPolicy(xml: Uint8Array): Promise<PolicyState>;
  /** Answers whether the policy before was the one loaded at boot. */
  resetPolicy(): Promise<{ readonly wasBoot: boolean }>;
  /** The binary policy as the hypervisor has it, and Domain-0's reference. */
  dumpPolicy(): Promise<{ readonly binary: Uint8Array; readonly dom0: number } | undefined>;

  /** Rejects when the policy was never compiled. */
  labels(policy: string, kind: LabelKind): Promise<readonly string[]>;
  /** Rejects with `Label 'L' not found.` and the like. */
  checkLabel(policy: string, label: string, kind: 'dom' | 'res'): Promise<void>;

  resources(): Promise<readonly ResourceEntry[]>;
  /** `ACM:policy:label`. */
  resourceLabel(resource: string): Promise<string | undefined>;
  setResourceLabel(resource: string, policy: string, label: string): Promise<void>;
  removeResourceLabel(resource: string): Promise<void>;

  /** Undefined: unlabelled. */
  domainLabel(key: string): Promise<string | undefined>;
  /** Answers whether the domain was dormant. */
  setDomainLabel(key: string, policy: string, label: string): Promise<{ readonly isDormant: boolean }>;
  /** Answers false when there was none. */
  removeDomainLabel(key: string): Promise<boolean>;
  /** Of the n-th network interface. */
  vifLabel(key: string, index: number): Promise<string | undefined>;
  /** Undefined takes the label away. */
  setVifLabel(
    key: string,
    index: number,
    label: { readonly policy: string; readonly label: string } | undefined,
  ): Promise<void>;

  /** What would become of a domain with this name, this label (`ACM:policy:label`, or none) and these disks. */
  dryRun(name: string, label: string | undefined, unames: readonly string[]): Promise<DryRun>;

  makePolicy(name: string): Promise<void>;
  loadPolicy(name: string): Promise<void>;
  /** Answers the title of the boot entry. */
  configureBootPolicy(name: string, title: string | undefined): Promise<string>;
  /** The policy in force is loaded at the next boot. */
  activatePolicy(): Promise<void>;
}
