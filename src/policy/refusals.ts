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
  /An error occurred (?:labeling|removing) the (?:resource|label): .*?(?='|"|$)/,
  /Could not reset the system's policy\. Try to halt all guests\./,
  /SECURITY_ERROR: -\d+:.*?(?='|"|$)/,
  /The resource is in use/,
  /Label '[^']*' not found\./,
];

/** What `xm dry-run` says of a domain and of a disk, Xen on its console, and a guest's kernel on its own. */
const dryRun: readonly RegExp[] = [/(?<=^ {3})\S.*: DENIED$/, /(?<=^ {3}--> )Domain not labeled$/];
const xen: readonly RegExp[] = [/CHINESE WALL CONFLICT in type [0-9a-f]+\./];
const guest: readonly RegExp[] = [/^(\w+) \1-\d+: 13 allocating event channel$/];

/** Most are refusals only where xm prints them as an error: a command line may hold the same words. */
function patternsFor(line: string): readonly RegExp[] {
  if (line.startsWith('Error: ')) return patterns;
  if (line.startsWith('   ')) return dryRun;
  return line.startsWith('(XEN) ') ? xen : guest;
}

export function refusalsIn(line: string): readonly Refusal[] {
  for (const pattern of patternsFor(line)) {
    const match = pattern.exec(line);
    if (match) return [{ start: match.index, end: match.index + match[0].length, text: match[0] }];
  }
  return [];
}
