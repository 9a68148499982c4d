/**
 * Who may read and write a node: its owner, everybody by default, and domains that are listed by number.
 *
 * The first entry names the owner and carries the rights of everybody who is not listed; the others give one domain its
 * own rights. Written `n0`, `r3`, `w5`, `b7`: none, read, write, both. Behaviour: perm_for_conn in
 * tools/xenstore/xenstored_core.c and tools/xenstore/xs_lib.c, Xen 3.4.
 */
import { XenError } from '../lib/errno';

export const PERM_READ = 1;
export const PERM_WRITE = 2;
/** The right to change the permissions themselves; never written in an entry. */
export const PERM_OWNER = 4;

export interface Permission {
  readonly domid: number;
  /** PERM_READ and PERM_WRITE, or 0. */
  readonly access: number;
}

/** Who asks. */
export interface Caller {
  /** 0 for Domain-0 and its sockets. */
  readonly domid: number;
  /** False for a connection through the read-only socket. */
  readonly canWrite: boolean;
  /** The domain on whose behalf this one works (SET_TARGET): it has that domain's rights as well. */
  readonly target: number | undefined;
}

/** Position = access. */
const LETTERS = 'nrwb';

export function formatPermission({ access, domid }: Permission): string {
  return `${LETTERS[access & 3]}${domid}`;
}

/** `r3` → domain 3 may read. Throws EINVAL. */
export function parsePermission(text: string): Permission {
  if (!/^[nrwb]\d{1,10}$/.test(text)) throw new XenError('EINVAL', `permission '${text}'`);
  return { access: LETTERS.indexOf(text[0]!), domid: Number(text.slice(1)) };
}

/** The rights of a caller on a node with these entries. */
export function permissionsFor(caller: Caller, entries: readonly Permission[]): number {
  const mask = caller.canWrite ? PERM_READ | PERM_WRITE | PERM_OWNER : PERM_READ | PERM_OWNER;
  const isCaller = (entry: Permission) => entry.domid === caller.domid || entry.domid === caller.target;
  const [owner, ...others] = entries;
  if (caller.domid === 0 || isCaller(owner!)) return mask;
  return (others.find(isCaller) ?? owner!).access & mask;
}
