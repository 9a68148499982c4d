/** What a cell of the matrix says, in words: the verdict is the worker's, the types are shown beside it. */
import type { PolicyConflictSet, PolicyLabelView } from '../../../workers/contract';
import { text } from '../text';
import { AUTHORISES, SHARE, TOGETHER } from './bits';

/** The title first. */
export function explainPair(
  row: PolicyLabelView,
  column: PolicyLabelView,
  bits: number,
  sets: readonly PolicyConflictSet[],
): readonly string[] {
  const words = text.matrix;
  const other = column.kind === 'resource' ? `resource ${column.name}` : column.name;
  const common = row.ste.filter((type) => column.ste.includes(type));
  const types = (label: PolicyLabelView, name: string) => words.types(name, label.ste.join(', '));
  const lines = [
    bits & SHARE ? words.may(row.name, other) : words.mayNot(row.name, other),
    bits & SHARE ? words.common(common.join(', ')) : words.nothing(types(row, row.name), types(column, other)),
  ];
  if (column.kind === 'resource' || row === column) return lines;
  if (bits & TOGETHER) lines.push(words.together);
  for (const { name, types: members } of bits & TOGETHER ? [] : sets) {
    const left = members.some((type) => row.chwall.includes(type) && !column.chwall.includes(type));
    const right = members.some((type) => column.chwall.includes(type) && !row.chwall.includes(type));
    if (left && right) lines.push(words.excluded(name, members.join(', ')));
  }
  lines.push(bits & AUTHORISES ? words.authorises(row.name, column.name) : words.authorisesNot(row.name, column.name));
  return lines;
}
