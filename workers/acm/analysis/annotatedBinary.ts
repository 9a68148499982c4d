/** A binary policy part by part: what each group of bytes says, and the line of the XML it was made of. */

import {
  ACM_CHINESE_WALL_POLICY,
  ACM_CHWALL_HEADER_SIZE,
  ACM_HEADER_SIZE,
  ACM_NULL_POLICY,
  ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY,
  ACM_STE_HEADER_SIZE,
  acmPolicyHeader as field,
} from '../../abi/acm';
import type { PolicyBinaryPart } from '../../contract';
import type { AcmPolicy } from '../policyModel';
import { labelsOf } from './matrix';
import { numbersOf } from './numbers';

const codeNames: Readonly<Record<number, string>> = {
  [ACM_NULL_POLICY]: 'NULL',
  [ACM_CHINESE_WALL_POLICY]: 'CHINESE WALL',
  [ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY]: 'SIMPLE TYPE ENFORCEMENT',
};

/** `bytes`: as compilePolicy made them of this policy. */
export function annotateBinary(bytes: Uint8Array, policy: AcmPolicy): readonly PolicyBinaryPart[] {
  const parts = new Parts(bytes);
  const numbered = numbersOf(policy);
  const labels = labelsOf(policy, numbered);
  header(parts);
  reference(parts);
  if (parts.u32(field.primaryCode) === ACM_CHINESE_WALL_POLICY) {
    const types = numbered.chwallTypes;
    sectionHeader(parts, 'CHWALL', [
      ['version', 'number'],
      ['policy code', 'code'],
      ['types', 'number'],
      ['rows (VM labels)', 'number'],
      ['conflict sets', 'number'],
      ['label matrix at', 'offset'],
      ['conflict sets at', 'offset'],
      ['running types at', 'reported'],
      ['conflict aggregate at', 'reported'],
    ]);
    for (const [row, name] of numbered.vmLabels.entries())
      parts.row(`CHWALL row ${row}: ${name}`, types, labels[row]!.name, labels[row]!.line);
    const sets = new Map(policy.chwall?.conflictSets.map((set) => [set.name, set]));
    for (const { name } of numbered.conflictSets)
      parts.row(`conflict set ${name}`, types, undefined, sets.get(name)?.place?.line);
    parts.padding(Math.ceil((parts.at - parts.u32(field.primaryOffset)) / 8) * 8 + parts.u32(field.primaryOffset));
  }
  sectionHeader(parts, 'STE', [
    ['version', 'number'],
    ['policy code', 'code'],
    ['types', 'number'],
    ['rows (VM and resource labels)', 'number'],
    ['label matrix at', 'offset'],
  ]);
  for (const { name, row, kind, line } of labels)
    parts.row(`STE row ${row}: ${kind === 'vm' ? '' : 'resource '}${name}`, numbered.steTypes, name, line);
  parts.padding(bytes.length);
  return parts.list;
}

type Meaning = 'number' | 'code' | 'offset' | 'reported';

class Parts {
  readonly list: PolicyBinaryPart[] = [];
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(at: number): number {
    return this.#view.getUint32(at);
  }

  add(length: number, what: string, value: string, more: Partial<PolicyBinaryPart> = {}): void {
    if (length <= 0) return;
    this.list.push({ offset: this.at, length, what, value, ...more });
    this.at += length;
  }

  word(what: string, meaning: Meaning): void {
    const value = this.u32(this.at);
    const texts: Readonly<Record<Meaning, string>> = {
      number: String(value),
      code: codeNames[value] ?? `${value}`,
      offset: `offset ${value}`,
      reported: value === 0 ? 'not reported in a file' : `offset ${value}`,
    };
    this.add(4, what, texts[meaning]);
  }

  /** A row of the matrix: its types by name. */
  row(what: string, types: readonly string[], label: string | undefined, line: number | undefined): void {
    const held = types.filter((_, type) => this.#view.getUint16(this.at + 2 * type) !== 0);
    const more = { ...(label === undefined ? {} : { label }), ...(line ? { line } : {}) };
    this.add(2 * types.length, what, held.length > 0 ? held.join(', ') : 'no type', more);
  }

  padding(end: number): void {
    this.add(end - this.at, 'padding', 'to a multiple of 8');
  }

  bytes(length: number): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.at, length);
  }
}

function header(parts: Parts): void {
  parts.add(4, 'magic', '0001debc');
  parts.word('format version', 'number');
  parts.word('length', 'number');
  parts.word('name at', 'offset');
  parts.word('primary policy', 'code');
  parts.word('primary section at', 'offset');
  parts.word('secondary policy', 'code');
  parts.word('secondary section at', 'offset');
  parts.word('major version of the XML', 'number');
  parts.word('minor version of the XML', 'number');
  const hash = [...parts.bytes(20)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  parts.add(20, 'SHA-1 of the XML', hash);
}

function reference(parts: Parts): void {
  const length = parts.u32(ACM_HEADER_SIZE);
  parts.word('length of the name', 'number');
  parts.add(length, 'name', new TextDecoder().decode(parts.bytes(length - 1)));
  // Also where there is no CHWALL section, this is where the next one starts.
  parts.padding(parts.u32(field.primaryOffset));
}

function sectionHeader(
  parts: Parts,
  name: string,
  words: readonly (readonly [what: string, meaning: Meaning])[],
): void {
  const size = words.length * 4;
  if (size !== ACM_CHWALL_HEADER_SIZE && size !== ACM_STE_HEADER_SIZE) throw new Error(`no section has ${size} bytes`);
  for (const [what, meaning] of words) parts.word(`${name}: ${what}`, meaning);
}
