/** Label × label: who may share, who may run beside whom, and whom Domain-0 may run, if it had the row's label. */
import type { PolicyConflictSet, PolicyLabelView } from '../../contract';
import { intersects } from '../chineseWall';
import type { NumberedPolicy } from '../numbering';
import type { AcmPolicy } from '../policyModel';
import { numbersOf, sharingOf } from './numbers';

export const MAY_SHARE = 1;
export const MAY_RUN_TOGETHER = 2;
export const AUTHORISES = 4;

export interface LabelMatrix {
  readonly labels: readonly PolicyLabelView[];
  readonly vmLabels: number;
  readonly cells: Uint8Array;
}

export function labelMatrix(policy: AcmPolicy, numbered: NumberedPolicy = numbersOf(policy)): LabelMatrix {
  const labels = labelsOf(policy, numbered);
  const types = sharingOf(policy);
  const walls = new WallPairs(numbered);
  const vmLabels = numbered.vmLabels.length;
  const cells = new Uint8Array(vmLabels * labels.length);
  for (let row = 0; row < vmLabels; row++)
    for (let column = 0; column < labels.length; column++) {
      const shares = types.share(row, column);
      let cell = shares ? MAY_SHARE : 0;
      if (column < vmLabels && walls.mayRunTogether(row, column)) cell |= MAY_RUN_TOGETHER;
      if (shares && types.includes(row, column)) cell |= AUTHORISES;
      cells[row * labels.length + column] = cell;
    }
  return { labels, vmLabels, cells };
}

/** In the order of the rows: VM labels, then resource labels. */
export function labelsOf(policy: AcmPolicy, numbered: NumberedPolicy): readonly PolicyLabelView[] {
  const vms = new Map(policy.vmLabels.map((label) => [label.name, label]));
  const resources = new Map(policy.resourceLabels.map((label) => [label.name, label]));
  return [
    ...numbered.vmLabels.map((name, row): PolicyLabelView => {
      const label = vms.get(name);
      return {
        name,
        kind: 'vm',
        ste: label?.ste ?? [],
        chwall: label?.chwall ?? [],
        isBootstrap: name === policy.bootstrap,
        row,
        line: label?.place?.line ?? 0,
      };
    }),
    ...numbered.resourceLabels.map((name, i): PolicyLabelView => {
      const label = resources.get(name)!;
      return {
        name,
        kind: 'resource',
        ste: [label.ste],
        chwall: [],
        isBootstrap: false,
        row: numbered.vmLabels.length + i,
        line: label.place?.line ?? 0,
      };
    }),
  ];
}

/** Which pairs of VM labels the wall keeps apart. */
export class WallPairs {
  /** For each label the types that it forbids while it runs, once somebody has asked. */
  readonly #forbidden: (Uint8Array | undefined)[] = [];
  readonly #held: (readonly number[] | undefined)[] = [];

  constructor(private readonly numbered: Pick<NumberedPolicy, 'chwallRows' | 'conflictSets'>) {}

  #forbiddenBy(label: number): Uint8Array {
    const row = this.numbered.chwallRows[label]!;
    const forbidden = this.#forbidden[label] ?? new Uint8Array(row.length);
    if (this.#forbidden[label]) return forbidden;
    for (const { row: set } of this.numbered.conflictSets) {
      if (!intersects(row, set)) continue;
      for (let type = 0; type < set.length; type++) if (set[type] && !row[type]) forbidden[type] = 1;
    }
    this.#forbidden[label] = forbidden;
    return forbidden;
  }

  #heldBy(label: number): readonly number[] {
    const row = this.numbered.chwallRows[label]!;
    this.#held[label] ??= [...row.keys()].filter((type) => row[type] !== 0);
    return this.#held[label];
  }

  mayRunTogether(a: number, b: number): boolean {
    return !this.#excludes(a, b) && !this.#excludes(b, a);
  }

  #excludes(running: number, starting: number): boolean {
    const forbidden = this.#forbiddenBy(running);
    for (const type of this.#heldBy(starting)) if (forbidden[type]) return true;
    return false;
  }
}

export function conflictSetsOf(policy: AcmPolicy): readonly PolicyConflictSet[] {
  return (policy.chwall?.conflictSets ?? []).map(({ name, types, place }) => ({ name, types, line: place?.line ?? 0 }));
}
