/**
 * The binary form of a policy, which the hypervisor loads and gives out (xen/include/public/xsm/acm.h, Xen 3.4).
 *
 * Header, name, CHWALL section, STE section; all integers big-endian, matrices of 16-bit zeros and ones, the parts padded
 * to 8 bytes.
 */
import {
  ACM_CHINESE_WALL_POLICY,
  ACM_CHWALL_HEADER_SIZE,
  ACM_CHWALL_VERSION,
  ACM_HEADER_SIZE,
  ACM_MAGIC,
  ACM_NULL_POLICY,
  ACM_POLICY_VERSION,
  ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY,
  ACM_STE_HEADER_SIZE,
  ACM_STE_VERSION,
  acmPolicyHeader as field,
} from '../abi/acm';
import { sha1 } from '../lib/digest';
import { numberPolicy } from './numbering';
import { type AcmPolicy, versionNumbers } from './policyModel';
import type { PolicyFile } from './policyXml';
import { xmlText } from './xmlTree';

/** A policy without names: what the hypervisor knows of it. */
export interface BinaryPolicy {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  /** Of the XML text. */
  readonly sha1: Uint8Array;
  readonly chwallTypes: number;
  readonly chwallRows: readonly Uint16Array[];
  readonly conflictSets: readonly Uint16Array[];
  readonly steTypes: number;
  readonly steRows: readonly Uint16Array[];
}

/** Reference counts of the CHWALL types, in the hypervisor's dump only. */
export interface ChwallCounts {
  readonly running: ArrayLike<number>;
  readonly aggregate: ArrayLike<number>;
}

/** Not a binary policy, or not one that can be enforced. */
export class BinaryPolicyError extends Error {
  override readonly name = 'BinaryPolicyError';
}

/** Which components a binary has; one without CHWALL cannot be loaded. */
export type Components = 'both' | 'chwall' | 'ste';

export function compilePolicy({ policy, document }: PolicyFile): Uint8Array {
  const hash = sha1(new TextEncoder().encode(xmlText(document)));
  return encodePolicy(binaryOf(policy, hash), undefined, componentsOf(policy));
}

export function componentsOf(policy: AcmPolicy): Components {
  if (!policy.chwall) return 'ste';
  return policy.ste ? 'both' : 'chwall';
}

export function binaryOf(policy: AcmPolicy, hash: Uint8Array): BinaryPolicy {
  const numbered = numberPolicy(policy);
  const [major, minor] = versionNumbers(policy.version);
  return {
    name: policy.name,
    major,
    minor,
    sha1: hash,
    chwallTypes: numbered.chwallTypes.length,
    chwallRows: numbered.chwallRows,
    conflictSets: numbered.conflictSets.map(({ row }) => row),
    steTypes: numbered.steTypes.length,
    steRows: numbered.steRows,
  };
}

const padded = (bytes: number) => Math.ceil(bytes / 8) * 8;

/** With `counts` it is a dump: the reference counts stand behind the conflict sets. */
export function encodePolicy(policy: BinaryPolicy, counts?: ChwallCounts, components: Components = 'both'): Uint8Array {
  const reference = encodeReference(policy.name);
  const chwall = components === 'ste' ? new Uint8Array(0) : encodeChwall(policy, counts);
  const ste = encodeSte(policy);
  const primaryOffset = ACM_HEADER_SIZE + reference.length;
  const secondaryOffset = primaryOffset + chwall.length;
  const bytes = new Uint8Array(secondaryOffset + ste.length);
  const view = new DataView(bytes.buffer);
  const isWalled = components !== 'ste';
  view.setUint32(field.magic, ACM_MAGIC);
  view.setUint32(field.version, ACM_POLICY_VERSION);
  view.setUint32(field.len, bytes.length);
  view.setUint32(field.reference, ACM_HEADER_SIZE);
  view.setUint32(field.primaryCode, isWalled ? ACM_CHINESE_WALL_POLICY : ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY);
  view.setUint32(field.primaryOffset, primaryOffset);
  view.setUint32(field.secondaryCode, isWalled ? ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY : ACM_NULL_POLICY);
  view.setUint32(field.secondaryOffset, secondaryOffset);
  view.setUint32(field.major, policy.major);
  view.setUint32(field.minor, policy.minor);
  bytes.set(policy.sha1.subarray(0, 20), field.sha1);
  bytes.set(reference, ACM_HEADER_SIZE);
  bytes.set(chwall, primaryOffset);
  bytes.set(ste, secondaryOffset);
  return bytes;
}

/** Length of the name with its NUL, the name, padding. */
export function encodeReference(name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  const bytes = new Uint8Array(padded(4 + text.length + 1));
  new DataView(bytes.buffer).setUint32(0, text.length + 1);
  bytes.set(text, 4);
  return bytes;
}

function encodeChwall(policy: BinaryPolicy, counts: ChwallCounts | undefined): Uint8Array {
  const { chwallTypes: types, chwallRows: rows, conflictSets: sets } = policy;
  const conflicts = ACM_CHWALL_HEADER_SIZE + 2 * types * rows.length;
  const running = conflicts + 2 * types * sets.length;
  const aggregate = running + 2 * types;
  const bytes = new Uint8Array(padded(counts ? aggregate + 2 * types : running));
  const view = new DataView(bytes.buffer);
  [
    ACM_CHWALL_VERSION,
    ACM_CHINESE_WALL_POLICY,
    types,
    rows.length,
    sets.length,
    ACM_CHWALL_HEADER_SIZE,
    conflicts,
    counts ? running : 0,
    counts ? aggregate : 0,
  ].forEach((word, i) => {
    view.setUint32(4 * i, word);
  });
  putMatrix(view, ACM_CHWALL_HEADER_SIZE, rows);
  putMatrix(view, conflicts, sets);
  if (counts) putMatrix(view, running, [counts.running, counts.aggregate]);
  return bytes;
}

function encodeSte({ steTypes: types, steRows: rows }: BinaryPolicy): Uint8Array {
  const bytes = new Uint8Array(padded(ACM_STE_HEADER_SIZE + 2 * types * rows.length));
  const view = new DataView(bytes.buffer);
  [ACM_STE_VERSION, ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY, types, rows.length, ACM_STE_HEADER_SIZE].forEach((word, i) => {
    view.setUint32(4 * i, word);
  });
  putMatrix(view, ACM_STE_HEADER_SIZE, rows);
  return bytes;
}

function putMatrix(view: DataView, offset: number, rows: readonly ArrayLike<number>[]): void {
  let at = offset;
  for (const row of rows) {
    for (let column = 0; column < row.length; column++) {
      view.setUint16(at, row[column]!);
      at += 2;
    }
  }
}

/**
 * Reads what the hypervisor accepts: CHWALL primary and STE secondary, all parts within the bytes. Throws
 * BinaryPolicyError.
 */
export function decodePolicy(bytes: Uint8Array): BinaryPolicy & { readonly counts: ChwallCounts | undefined } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < ACM_HEADER_SIZE) throw new BinaryPolicyError('shorter than its header');
  const u32 = (at: number) => {
    if (at < 0 || at + 4 > bytes.length) throw new BinaryPolicyError(`offset ${at} is outside`);
    return view.getUint32(at);
  };
  if (u32(field.magic) !== ACM_MAGIC) throw new BinaryPolicyError('wrong magic');
  if (u32(field.version) !== ACM_POLICY_VERSION) throw new BinaryPolicyError('wrong version');
  if (u32(field.len) !== bytes.length) throw new BinaryPolicyError('wrong length');
  if (
    u32(field.primaryCode) !== ACM_CHINESE_WALL_POLICY ||
    u32(field.secondaryCode) !== ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY
  )
    throw new BinaryPolicyError('not a CHINESE WALL AND SIMPLE TYPE ENFORCEMENT policy');
  const matrix = (at: number, rows: number, columns: number): Uint16Array[] => {
    if (rows > 0xffff || columns > 0xffff || at < 0 || at + 2 * rows * columns > bytes.length)
      throw new BinaryPolicyError('a matrix reaches outside');
    return Array.from({ length: rows }, (_, row) =>
      Uint16Array.from({ length: columns }, (_unused, column) => view.getUint16(at + 2 * (row * columns + column))),
    );
  };
  const chwall = u32(field.primaryOffset);
  const ste = u32(field.secondaryOffset);
  if (u32(chwall) !== ACM_CHWALL_VERSION || u32(chwall + 4) !== ACM_CHINESE_WALL_POLICY)
    throw new BinaryPolicyError('no CHWALL section');
  if (u32(ste) !== ACM_STE_VERSION || u32(ste + 4) !== ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY)
    throw new BinaryPolicyError('no STE section');
  const types = u32(chwall + 8);
  const runningAt = u32(chwall + 28);
  const aggregateAt = u32(chwall + 32);
  const row = (offset: number) => matrix(chwall + offset, 1, types)[0]!;
  const steTypes = u32(ste + 8);
  return {
    name: readReference(bytes, u32(field.reference)),
    major: u32(field.major),
    minor: u32(field.minor),
    sha1: bytes.slice(field.sha1, field.sha1 + 20),
    chwallTypes: types,
    chwallRows: matrix(chwall + u32(chwall + 20), u32(chwall + 12), types),
    conflictSets: matrix(chwall + u32(chwall + 24), u32(chwall + 16), types),
    counts: runningAt === 0 ? undefined : { running: row(runningAt), aggregate: row(aggregateAt) },
    steTypes,
    steRows: matrix(ste + u32(ste + 16), u32(ste + 12), steTypes),
  };
}

/** Why Xen loads no such binary, for whoever wrote the policy. */
export function loadProblem(bytes: Uint8Array): string {
  const code = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(field.primaryCode);
  if (code !== ACM_CHINESE_WALL_POLICY) return 'a policy without ChineseWall cannot be loaded';
  try {
    decodePolicy(bytes);
  } catch (error) {
    if (error instanceof BinaryPolicyError) return error.message;
    throw error;
  }
  return 'the hypervisor refused it';
}

/** The name in a reference section. Throws BinaryPolicyError. */
export function readReference(bytes: Uint8Array, at: number): string {
  if (at + 4 > bytes.length) throw new BinaryPolicyError('the name is outside');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
  if (length === 0 || length > 4096 || at + 4 + length > bytes.length || bytes[at + 4 + length - 1] !== 0)
    throw new BinaryPolicyError('bad name');
  return new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + length - 1));
}

/** Whether a boot module is a policy. */
export function isBinaryPolicy(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 1 && bytes[2] === 0xde && bytes[3] === 0xbc;
}
