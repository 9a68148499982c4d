/**
 * Refusals of the security policy as a terminal shows them: where they stand in a line, and the words by which the
 * decision is found again.
 */

export interface Refusal {
  /** Offsets in the line; the end is exclusive. */
  readonly start: number;
  readonly end: number;
  /** What xend said, without quotation marks. */
  readonly text: string;
}

const patterns: readonly RegExp[] = [
  /VM's access to block device '[^']*' denied/,
  /VM's access to network device denied\. Check labeling/,
  /'VIF' must be labeled/,
  /VM is not authorized to run\./,
  /Domain in conflict set with running domains/,
  /Domain not labeled/,
  /Unknown policy type '[^']*? in label for resource '[^']*'/,
  /Active policy '[^']*' different than what in VM's label \('[^']*'\)\./,
  /An error occurred trying to set the policy: .*?\.(?='|"|$)/,
  /An error occurred relabeling the domain: .*?(?='|"|$)/,
];

/** Only in what xm prints as an error: `getlabel` says `Domain not labeled`, too, and then nothing was refused. */
export function refusalsIn(line: string): readonly Refusal[] {
  if (!/^Error: /.test(line)) return [];
  for (const pattern of patterns) {
    const match = pattern.exec(line);
    if (match) return [{ start: match.index, end: match.index + match[0].length, text: match[0] }];
  }
  return [];
}
