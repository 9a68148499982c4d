/** Numbers and layouts of the ACM security module: xsm_op, the binary policy (xen/include/public/xsm/acm*.h, Xen 3.4). */

/** xsm_op starts with the command and this version; the operation's own structure follows at ACM_OP_FIELDS. */
export const ACM_INTERFACE_VERSION = 0xaaaa_000a;
export const ACM_OP_FIELDS = 8;
/** Bytes of the largest xsm_op. */
export const ACM_OP_SIZE = 72;

export const ACMOP_setpolicy = 1;
export const ACMOP_getpolicy = 2;
export const ACMOP_dumpstats = 3;
export const ACMOP_getssid = 4;
export const ACMOP_getdecision = 5;
export const ACMOP_chgpolicy = 6;
export const ACMOP_relabeldoms = 7;

export const ACM_GETBY_ssidref = 1;
export const ACM_GETBY_domainid = 2;

export const ACMHOOK_sharing = 1;
export const ACMHOOK_authorization = 2;
export const ACMHOOK_conflictset = 3;

export const ACM_ACCESS_PERMITTED = 0;
export const ACM_ACCESS_DENIED = -111;
/** An array argument is too long. */
export const ACM_ERROR = -4;
/** Bytes of the longest array that an operation takes. */
export const ACM_ARRAY_LIMIT = 4096;

export const ACM_MAGIC = 0x0001_debc;
export const ACM_POLICY_VERSION = 4;
export const ACM_CHWALL_VERSION = 1;
export const ACM_STE_VERSION = 1;
export const ACM_NULL_POLICY = 0;
export const ACM_CHINESE_WALL_POLICY = 1;
export const ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY = 2;

/** Offsets in a binary policy, all integers big-endian. */
export const acmPolicyHeader = {
  magic: 0,
  version: 4,
  len: 8,
  reference: 12,
  primaryCode: 16,
  primaryOffset: 20,
  secondaryCode: 24,
  secondaryOffset: 28,
  major: 32,
  minor: 36,
  sha1: 40,
} as const;
export const ACM_HEADER_SIZE = 60;
export const ACM_CHWALL_HEADER_SIZE = 36;
export const ACM_STE_HEADER_SIZE = 20;

/** Codes of the pairs that chgpolicy and relabeldoms answer when they refuse. */
export const ACM_EVTCHN_SHARING_VIOLATION = 0x100;
export const ACM_GNTTAB_SHARING_VIOLATION = 0x101;
export const ACM_DOMAIN_LOOKUP = 0x102;
export const ACM_CHWALL_CONFLICT = 0x103;
export const ACM_SSIDREF_IN_USE = 0x104;
export const ACM_ERROR_PAIRS = 20;

export const ACM_INVALID_SSIDREF = 0xffff_ffff;
/** Domain-0's reference until somebody says otherwise: the row after the unlabelled one, in both matrices. */
export const ACM_BOOTSTRAP_SSIDREF = 0x0001_0001;
