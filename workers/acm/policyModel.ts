/**
 * A policy as the administrator writes it: names of types, conflict sets of types, and labels that stand for types.
 *
 * Simple type enforcement (STE) types say who may share; Chinese wall (CHWALL) types say who may run at the same time.
 */
import type { Place } from './xmlTree';

/** What domains and resources without a label are treated as, where the policy defines it. */
export const UNLABELED = '__UNLABELED__';
/** Stands in a map file for what the policy does not define. */
export const NULL_LABEL = '__NULL_LABEL__';
/** A resource label that nobody may use, in every policy. */
export const INACCESSIBLE = '__INACCESSIBLE__';
export const DEFAULT_POLICY_NAME = 'DEFAULT';

/** A policy's name becomes a file's and a word of the boot line. Differs from Xen, which refuses the colon only. */
export function isPolicyName(name: string): boolean {
  return /^[A-Za-z0-9_.-]{1,200}$/.test(name);
}

export const POLICY_NAME_RULE = 'letters, digits and _ - . only';

/** A label is a word of the map, of configuration files and of Python text. Differs from Xen as above. */
export function isLabelName(name: string): boolean {
  return /^[^:,\s'"\\[\]\p{Cc}]+$/u.test(name);
}

export const LABEL_NAME_RULE = 'no blanks, colons, commas, quotes, brackets and backslashes';

export type PrimaryComponent = 'ste' | 'chwall';

export interface VmLabel {
  readonly name: string;
  /** The old name, in an update that renames. */
  readonly from?: string | undefined;
  readonly ste: readonly string[];
  readonly chwall: readonly string[];
  readonly place?: Place | undefined;
}

export interface ResourceLabel {
  readonly name: string;
  readonly from?: string | undefined;
  readonly ste: string;
  readonly place?: Place | undefined;
}

export interface ConflictSet {
  readonly name: string;
  readonly types: readonly string[];
  readonly place?: Place | undefined;
}

export interface PolicyType {
  readonly name: string;
  readonly place?: Place | undefined;
}

export interface AcmPolicy {
  readonly name: string;
  readonly url?: string | undefined;
  readonly reference?: string | undefined;
  readonly date?: string | undefined;
  readonly nameSpaceUrl?: string | undefined;
  readonly version: string;
  /** Where the version stands. */
  readonly versionPlace?: Place | undefined;
  /** The policy that this one updates. */
  readonly from?: { readonly name: string; readonly version: string } | undefined;
  /**
   * Which component the file calls the primary one; undefined: neither. It is a word of the file and no more: a compiled
   * policy has CHWALL first whenever it has it (tools/python/xen/util/acmpolicy.py, Xen 3.4).
   */
  readonly primary?: PrimaryComponent | undefined;
  /** Undefined: the policy has no such component. */
  readonly ste: { readonly types: readonly PolicyType[] } | undefined;
  readonly chwall: { readonly types: readonly PolicyType[]; readonly conflictSets: readonly ConflictSet[] } | undefined;
  /** Domain-0's label at boot; '' without VM labels. */
  readonly bootstrap: string;
  readonly vmLabels: readonly VmLabel[];
  readonly resourceLabels: readonly ResourceLabel[];
}

/** Order by code point, which every table of a policy is in. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points beyond all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}

/** `1.10` → [1, 10]; a missing minor number is 0. */
export function versionNumbers(version: string): readonly [major: number, minor: number] {
  const [major = '0', minor = '0'] = version.split('.');
  return [Number.parseInt(major, 10) || 0, Number.parseInt(minor, 10) || 0];
}
