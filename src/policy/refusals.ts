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

/** What `xm dry-run` says of a disk, and Xen on its console. */
const others: readonly RegExp[] = [/(?:phy|file|tap|vlan):\S.*: DENIED$/, /CHINESE WALL CONFLICT in type [0-9a-f]+\./];

/** Most are refusals only where xm prints them as an error: a command line may hold the same words. */
export function refusalsIn(line: string): readonly Refusal[] {
  const kinds = /^Error: /.test(line) ? patterns : /^( {3}|\(XEN\) )/.test(line) ? others : [];
  for (const pattern of kinds) {
    const match = pattern.exec(line);
    if (match) return [{ start: match.index, end: match.index + match[0].length, text: match[0] }];
  }
  return [];
}
