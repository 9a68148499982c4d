/**
 * The policy of a machine to which none was given: Domain-0 runs and nothing else.
 *
 * Differs from Xen 3.4, whose DEFAULT also lets unlabelled domains run: the Users' Manual, chapter 10, has it as here.
 */
import type { BinaryPolicy } from './policyBinary';
import type { AcmPolicy } from './policyModel';
import { DEFAULT_POLICY_NAME } from './policyModel';

const SYSTEM = 'SystemManagement';

/** `from`: Domain-0's label in the policy that this one replaces. */
export function defaultPolicy(from?: string): AcmPolicy {
  return {
    name: DEFAULT_POLICY_NAME,
    version: '1.0',
    primary: 'chwall',
    ste: { types: [{ name: SYSTEM }] },
    chwall: { types: [{ name: SYSTEM }], conflictSets: [] },
    bootstrap: SYSTEM,
    vmLabels: [{ name: SYSTEM, ste: [SYSTEM], chwall: [SYSTEM], ...(from === undefined ? {} : { from }) }],
    resourceLabels: [],
  };
}

/**
 * What the hypervisor itself starts with when no policy was loaded at boot (acm_init_chwall_policy and
 * acm_init_ste_policy in xen/xsm/acm, Xen 3.4).
 */
export const startUpPolicy: BinaryPolicy = {
  name: DEFAULT_POLICY_NAME,
  major: 1,
  minor: 0,
  sha1: new Uint8Array(20),
  chwallTypes: 1,
  chwallRows: [new Uint16Array(1), new Uint16Array(1)],
  conflictSets: [new Uint16Array(1)],
  steTypes: 2,
  steRows: [Uint16Array.of(0, 1), Uint16Array.of(1, 1)],
};

/** Whether a policy is the one that the hypervisor starts with. */
export function isStartUpPolicy({ chwallRows, steRows, chwallTypes, steTypes }: BinaryPolicy): boolean {
  const flat = (rows: readonly Uint16Array[]) => rows.map((row) => [...row].join('')).join();
  return chwallTypes === 1 && flat(chwallRows) === '0,0' && steTypes === 2 && flat(steRows) === '01,11';
}
