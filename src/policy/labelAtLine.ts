import type { PolicyLabelView } from '../../workers/contract';

/** The label in whose element a line of the text lies: the last one that begins above it. */
export function labelAtLine(labels: readonly PolicyLabelView[], line: number): string | undefined {
  let found: PolicyLabelView | undefined;
  for (const label of labels)
    if (label.line > 0 && label.line <= line && label.line > (found?.line ?? 0)) found = label;
  return found?.name;
}
