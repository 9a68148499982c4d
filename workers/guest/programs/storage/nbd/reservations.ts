/**
 * Who uses an exported volume, and what that forbids to others. It is the rule by which Xen's hotplug script shares a device
 * among the guests of one host (block, check_sharing): any number may read, a writer must be alone, `w!` does not ask, and
 * a domain is no rival of itself, which lets it be in two places while it migrates (same_vm). The server keeps it for all
 * hosts. A SCSI target does the same with persistent reservations, "write exclusive, registrants only".
 */

export interface Reservation {
  /** The connection that it came over, and with which it ends. */
  readonly client: number;
  /** Of the domain: its uuid. */
  readonly key: string;
  readonly mode: 'r' | 'w' | 'w!';
}

/** Whether the use of others forbids this one. */
export function isRefused(all: readonly Reservation[], key: string, mode: Reservation['mode']): boolean {
  if (mode === 'w!') return false;
  return all.some((other) => other.key !== key && (mode === 'w' || other.mode !== 'r'));
}

/** Once somebody has reserved the volume, only a host that has a writer among them may write. */
export function mayWrite(all: readonly Reservation[], client: number): boolean {
  return all.length === 0 || all.some((own) => own.client === client && own.mode !== 'r');
}

/** Without one such reservation; each was made and ends by itself. */
export function released(all: readonly Reservation[], client: number, key: string): readonly Reservation[] {
  const at = all.findIndex((each) => each.client === client && each.key === key);
  return all.filter((_, i) => i !== at);
}
