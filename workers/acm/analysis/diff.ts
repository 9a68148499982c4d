/** What one policy says differently from another, and what that means for the labels. */
import type { PolicyDiff, PolicyDifference } from '../../contract';
import type { AcmPolicy } from '../policyModel';
import type { Place } from '../xmlTree';
import { labelMatrix, MAY_RUN_TOGETHER, MAY_SHARE } from './matrix';
import { numbersOf } from './numbers';

/** More changed pairs than anybody reads. */
const MAX_CONSEQUENCES = 500;

export function diffPolicies(old: AcmPolicy, now: AcmPolicy): PolicyDiff {
  return { differences: differencesOf(old, now), consequences: consequences(old, now, renames(old, now)) };
}

/** What the one says and the other does not, whatever it means. */
export function differencesOf(old: AcmPolicy, now: AcmPolicy): readonly PolicyDifference[] {
  return [
    ...header(old, now),
    ...types('STE type', old.ste?.types ?? [], now.ste?.types ?? []),
    ...types('CHWALL type', old.chwall?.types ?? [], now.chwall?.types ?? []),
    ...conflictSets(old, now),
    ...labels(
      'VM label',
      old.vmLabels.map((label) => ({ ...label, types: { STE: label.ste, CHWALL: label.chwall } })),
      now.vmLabels.map((label) => ({ ...label, types: { STE: label.ste, CHWALL: label.chwall } })),
    ),
    ...labels(
      'resource label',
      old.resourceLabels.map((label) => ({ ...label, types: { STE: [label.ste] } })),
      now.resourceLabels.map((label) => ({ ...label, types: { STE: [label.ste] } })),
    ),
  ];
}

function difference(kind: PolicyDifference['kind'], what: string, detail: string, place?: Place): PolicyDifference {
  return { kind, what, detail, ...(place ? { line: place.line } : {}) };
}

function header(old: AcmPolicy, now: AcmPolicy): readonly PolicyDifference[] {
  const fields: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['PolicyName', old.name, now.name],
    ['Version', old.version, now.version],
    ['PolicyUrl', old.url, now.url],
    ['Reference', old.reference, now.reference],
    ['Date', old.date, now.date],
    ['NameSpaceUrl', old.nameSpaceUrl, now.nameSpaceUrl],
    [
      'FromPolicy',
      old.from && `${old.from.name} ${old.from.version}`,
      now.from && `${now.from.name} ${now.from.version}`,
    ],
    ['Primary policy', primaryText(old), primaryText(now)],
    ['bootstrap label', old.bootstrap, now.bootstrap],
  ];
  return fields.flatMap(([what, before, after]) =>
    before === after
      ? []
      : [difference('changed', what, `${before ?? '(none)'} → ${after ?? '(none)'}`, now.versionPlace)],
  );
}

function primaryText({ primary }: AcmPolicy): string | undefined {
  return primary && { ste: 'Simple Type Enforcement', chwall: 'Chinese Wall' }[primary];
}

interface Named {
  readonly name: string;
  readonly place?: Place | undefined;
}

function types(kind: string, old: readonly Named[], now: readonly Named[]): readonly PolicyDifference[] {
  const before = new Set(old.map(({ name }) => name));
  const after = new Set(now.map(({ name }) => name));
  return [
    ...now
      .filter(({ name }) => !before.has(name))
      .map(({ name, place }) => difference('added', `${kind} ${name}`, '', place)),
    ...old.filter(({ name }) => !after.has(name)).map(({ name }) => difference('removed', `${kind} ${name}`, '')),
  ];
}

function conflictSets(old: AcmPolicy, now: AcmPolicy): readonly PolicyDifference[] {
  const before = new Map((old.chwall?.conflictSets ?? []).map((set) => [set.name, set]));
  const after = new Map((now.chwall?.conflictSets ?? []).map((set) => [set.name, set]));
  const shown = (list: readonly string[]) => `{${list.join(', ')}}`;
  return [
    ...[...after.values()].flatMap((set) => {
      const was = before.get(set.name);
      if (!was) return [difference('added', `conflict set ${set.name}`, shown(set.types), set.place)];
      const change = changeOf(was.types, set.types);
      return change === '' ? [] : [difference('changed', `conflict set ${set.name}`, change, set.place)];
    }),
    ...[...before.values()]
      .filter(({ name }) => !after.has(name))
      .map(({ name, types: list }) => difference('removed', `conflict set ${name}`, shown(list))),
  ];
}

/** `+a −b`; '' when both hold the same. */
function changeOf(before: readonly string[], after: readonly string[]): string {
  const gained = after.filter((type) => !before.includes(type)).map((type) => `+${type}`);
  const lost = before.filter((type) => !after.includes(type)).map((type) => `−${type}`);
  return [...gained, ...lost].join(' ');
}

interface DiffLabel extends Named {
  readonly from?: string | undefined;
  readonly types: Readonly<Record<string, readonly string[]>>;
}

function labels(kind: string, old: readonly DiffLabel[], now: readonly DiffLabel[]): readonly PolicyDifference[] {
  const before = new Map(old.map((label) => [label.name, label]));
  const renamed = new Set(now.flatMap(({ from }) => (from === undefined ? [] : [from])));
  const after = new Set(now.map(({ name }) => name));
  return [
    ...now.flatMap((label) => {
      const was = before.get(label.from ?? label.name);
      const typesNow = Object.entries(label.types);
      if (!was) {
        const detail = typesNow.map(([part, list]) => `${part} {${list.join(', ')}}`).join(' ');
        return [difference('added', `${kind} ${label.name}`, detail, label.place)];
      }
      const change = typesNow
        .flatMap(([part, list]) => {
          const changed = changeOf(was.types[part] ?? [], list);
          return changed === '' ? [] : [`${part} ${changed}`];
        })
        .join(', ');
      const isRenamed = was.name !== label.name;
      return [
        ...(isRenamed ? [difference('renamed', `${kind} ${label.name}`, `was ${was.name}`, label.place)] : []),
        ...(change === '' ? [] : [difference('changed', `${kind} ${label.name}`, change, label.place)]),
      ];
    }),
    ...old
      .filter(({ name }) => !renamed.has(name) && !after.has(name))
      .map(({ name }) => difference('removed', `${kind} ${name}`, '')),
  ];
}

/** Old names of VM and resource labels by their new ones. */
function renames(old: AcmPolicy, now: AcmPolicy) {
  const map = (
    before: readonly Named[],
    after: readonly { readonly name: string; readonly from?: string | undefined }[],
  ) =>
    new Map(
      after.flatMap(({ name, from }) => {
        const source = from ?? name;
        return before.some((label) => label.name === source) ? [[name, source] as const] : [];
      }),
    );
  return { vm: map(old.vmLabels, now.vmLabels), resource: map(old.resourceLabels, now.resourceLabels) };
}

/** Pairs of labels that both policies have and that may do other things now. */
function consequences(old: AcmPolicy, now: AcmPolicy, names: ReturnType<typeof renames>): readonly PolicyDifference[] {
  const before = labelMatrix(old, numbersOf(old));
  const after = labelMatrix(now, numbersOf(now));
  const oldAt = new Map(before.labels.map(({ kind, name }, at) => [`${kind} ${name}`, at]));
  const oldIndex = (at: number) => {
    const { kind, name } = after.labels[at]!;
    const was = names[kind].get(name);
    return was === undefined ? undefined : oldAt.get(`${kind} ${was}`);
  };
  const found: PolicyDifference[] = [];
  for (let row = 0; row < after.vmLabels; row++) {
    const oldRow = oldIndex(row);
    if (oldRow === undefined) continue;
    for (let column = row + 1; column < after.labels.length && found.length < MAX_CONSEQUENCES; column++) {
      const oldColumn = oldIndex(column);
      if (oldColumn === undefined) continue;
      const was = before.cells[oldRow * before.labels.length + oldColumn]!;
      const is = after.cells[row * after.labels.length + column]!;
      const pair = pairText(after.labels[row]!.name, after.labels[column]!);
      const place = { line: after.labels[row]!.line, column: 1 };
      if ((was ^ is) & MAY_SHARE)
        found.push(difference(is & MAY_SHARE ? 'added' : 'removed', pair, 'may share', place));
      if ((was ^ is) & MAY_RUN_TOGETHER)
        found.push(difference(is & MAY_RUN_TOGETHER ? 'added' : 'removed', pair, 'may run together', place));
    }
  }
  return found;
}

function pairText(label: string, other: { readonly kind: string; readonly name: string }): string {
  return `${label} – ${other.kind === 'resource' ? 'resource ' : ''}${other.name}`;
}
