/** What a what-if needs to know of the machine, as plain data: it is collected by machine/labPolicy.ts. */
import type { AcmPolicy } from '../policyModel';
import type { FullLabel } from '../policyUpdate';
import type { ResourceEntry } from '../resourceLabels';

export interface UsedDevice {
  readonly kind: 'disk' | 'vif';
  /** As configured. */
  readonly name: string;
  /** Name of the labelled resource behind a disk, or the label of an interface itself; undefined: unlabelled. */
  readonly label: FullLabel | undefined;
  /** Of an interface. */
  readonly bridge?: string | undefined;
}

export interface FactDomain {
  readonly domid: number;
  readonly name: string;
  /** As the hypervisor has it. */
  readonly ssidref: number;
  /** As xend has it. */
  readonly label: FullLabel | undefined;
  readonly devices: readonly UsedDevice[];
}

export type DomainPair = readonly [a: number, b: number];

export interface HostFacts {
  /** In force; undefined: ACM is off, or xend does not run. */
  readonly policy: AcmPolicy | undefined;
  /** In the order of their creation, Domain-0 first. */
  readonly domains: readonly FactDomain[];
  /** Names and labels of managed domains that do not run. */
  readonly dormant: readonly { readonly name: string; readonly label: FullLabel | undefined }[];
  /** Ends of event channels, mappers and owners of grants. */
  readonly evtchns: readonly DomainPair[];
  readonly grants: readonly DomainPair[];
  readonly resources: readonly ResourceEntry[];
}
