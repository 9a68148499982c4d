/**
 * Names become numbers: types become columns, labels become rows of the two label matrices.
 *
 * An ssidref is a pair of rows, STE in the high and CHWALL in the low 16 bits. A VM label has the same row in both; a
 * resource label has an STE row behind the VM labels' and none in the other. Source: tools/python/xen/util/acmpolicy.py.
 */
import { type AcmPolicy, byCodePoint, UNLABELED } from './policyModel';

export interface NumberedConflictSet {
  readonly name: string;
  readonly row: Uint16Array;
}

export interface NumberedPolicy {
  /** Index = column. */
  readonly steTypes: readonly string[];
  readonly chwallTypes: readonly string[];
  /** Index = row: unlabelled, bootstrap, the rest by code point. */
  readonly vmLabels: readonly string[];
  /** They follow the VM labels in the STE matrix. */
  readonly resourceLabels: readonly string[];
  /** 0 or 1 per column. */
  readonly chwallRows: readonly Uint16Array[];
  readonly steRows: readonly Uint16Array[];
  /** By name. */
  readonly conflictSets: readonly NumberedConflictSet[];
}

export function numberPolicy(policy: AcmPolicy): NumberedPolicy {
  const steTypes = (policy.ste?.types ?? []).map(({ name }) => name).sort(byCodePoint);
  const chwallTypes = (policy.chwall?.types ?? []).map(({ name }) => name).sort(byCodePoint);
  const names = policy.vmLabels.map(({ name }) => name);
  const others = names.filter((name) => name !== UNLABELED && name !== policy.bootstrap).sort(byCodePoint);
  const vmLabels = [UNLABELED, policy.bootstrap, ...others];
  const resources = policy.resourceLabels.filter(({ name }) => name !== UNLABELED);
  resources.sort((a, b) => byCodePoint(a.name, b.name));
  const steColumns = columnsOf(steTypes);
  const chwallColumns = columnsOf(chwallTypes);
  const byName = new Map(policy.vmLabels.map((label) => [label.name, label]));
  return {
    steTypes,
    chwallTypes,
    vmLabels,
    resourceLabels: resources.map(({ name }) => name),
    chwallRows: vmLabels.map((name) => rowOf(byName.get(name)?.chwall ?? [], chwallColumns)),
    steRows: [
      ...vmLabels.map((name) => rowOf(byName.get(name)?.ste ?? [], steColumns)),
      ...resources.map(({ ste }) => rowOf([ste], steColumns)),
    ],
    conflictSets: [...(policy.chwall?.conflictSets ?? [])]
      .sort((a, b) => byCodePoint(a.name, b.name))
      .map(({ name, types }) => ({ name, row: rowOf(types, chwallColumns) })),
  };
}

function columnsOf(types: readonly string[]): ReadonlyMap<string, number> {
  return new Map(types.map((name, column) => [name, column]));
}

function rowOf(types: readonly string[], columns: ReadonlyMap<string, number>): Uint16Array {
  const row = new Uint16Array(columns.size);
  for (const type of types) {
    const column = columns.get(type);
    if (column !== undefined) row[column] = 1;
  }
  return row;
}

export function ssidref(steRow: number, chwallRow: number): number {
  return ((steRow << 16) | chwallRow) >>> 0;
}

export const chwallRowOf = (ref: number): number => ref & 0xffff;
export const steRowOf = (ref: number): number => ref >>> 16;
