/** The error numbers of the security tools and their texts (tools/python/xen/util/xsconstants.py, Xen 3.4; spelling as there). */

export const XSERR = {
  SUCCESS: 0,
  GENERAL_FAILURE: 0x1001,
  BAD_XML: 0x1002,
  XML_PROCESSING: 0x1003,
  POLICY_INCONSISTENT: 0x1004,
  FILE_ERROR: 0x1005,
  BAD_RESOURCE_FORMAT: 0x1006,
  BAD_LABEL_FORMAT: 0x1007,
  RESOURCE_NOT_LABELED: 0x1008,
  RESOURCE_ALREADY_LABELED: 0x1009,
  WRONG_POLICY_TYPE: 0x100a,
  BOOTPOLICY_INSTALLED: 0x100b,
  NO_DEFAULT_BOOT_TITLE: 0x100c,
  POLICY_LOAD_FAILED: 0x100d,
  POLICY_LOADED: 0x100e,
  POLICY_TYPE_UNSUPPORTED: 0x100f,
  BAD_CONFLICTSET: 0x1010,
  RESOURCE_IN_USE: 0x1011,
  BAD_POLICY_NAME: 0x1012,
  VERSION_PREVENTS_UPDATE: 0x1013,
  BAD_LABEL: 0x1014,
  VM_WRONG_STATE: 0x1015,
  POLICY_NOT_LOADED: 0x1016,
  RESOURCE_ACCESS: 0x1017,
  HV_OP_FAILED: 0x1018,
  BOOTPOLICY_INSTALL_ERROR: 0x1019,
  VM_NOT_AUTHORIZED: 0x101a,
  VM_IN_CONFLICT: 0x101b,
  POLICY_HAS_DUPLICATES: 0x101c,
} as const;

export type XserrName = keyof typeof XSERR;

const texts: Readonly<Record<XserrName, string>> = {
  SUCCESS: 'Success',
  GENERAL_FAILURE: 'General Failure',
  BAD_XML: 'XML is malformed',
  XML_PROCESSING: 'Error while processing XML',
  POLICY_INCONSISTENT: 'Policy has inconsistencies',
  FILE_ERROR: 'A file access error occurred',
  BAD_RESOURCE_FORMAT: 'The resource format is not valid',
  BAD_LABEL_FORMAT: 'The label format is not valid',
  RESOURCE_NOT_LABELED: 'The resource is not labeld',
  RESOURCE_ALREADY_LABELED: 'The resource is already labeld',
  WRONG_POLICY_TYPE: 'The policy type is wrong',
  BOOTPOLICY_INSTALLED: 'The system boot policy is installed',
  NO_DEFAULT_BOOT_TITLE: 'Could not find the default boot title',
  POLICY_LOAD_FAILED: 'Loading of the policy failed',
  POLICY_LOADED: 'The policy is loaded',
  POLICY_TYPE_UNSUPPORTED: 'The policy type is unsupported',
  BAD_CONFLICTSET: 'There is a bad conflict set',
  RESOURCE_IN_USE: 'The resource is in use',
  BAD_POLICY_NAME: 'The policy has an invalid name',
  VERSION_PREVENTS_UPDATE: 'The version of the policy prevents an update',
  BAD_LABEL: 'The label is bad',
  VM_WRONG_STATE: 'Operation not premittend - the VM is in the wrong state',
  POLICY_NOT_LOADED: 'The policy is not loaded',
  RESOURCE_ACCESS: 'Error accessing resource',
  HV_OP_FAILED: 'Operation failed in hypervisor',
  BOOTPOLICY_INSTALL_ERROR: 'Boot policy installation error',
  VM_NOT_AUTHORIZED: 'VM is not authorized to run',
  VM_IN_CONFLICT: 'VM label conflicts with another VM',
  POLICY_HAS_DUPLICATES: 'Duplicate labels or types in policy',
};

export function xserrText(name: XserrName): string {
  return texts[name];
}

/** A refusal of the policy tools: a code, and what is wrong in words for the person at the policy. */
export class XsError extends Error {
  override readonly name = 'XsError';
  constructor(
    readonly code: XserrName,
    readonly detail = '',
  ) {
    super(detail === '' ? xserrText(code) : `${xserrText(code)}: ${detail}`);
  }
}
