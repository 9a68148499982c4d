/**
 * Passwords: how they are stored in /etc/passwd or /etc/shadow and checked at login.
 *
 * The form is `$5x$SALT$HEX`, the SHA-256 of salt and password: good enough to teach with, and not the crypt(3) of a real
 * system (which would take a second to compute here).
 */
import { sha256Hex } from '../../lib/digest';
import { type Sys, SysError } from '../sys';

export interface PasswdEntry {
  readonly name: string;
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

/** The lines of /etc/passwd; broken ones are left out. */
export function passwdEntries(sys: Pick<Sys, 'readText'>): readonly PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const line of readQuietly(sys, '/etc/passwd').split('\n')) {
    const [name, password, uid, gid, gecos, home, shell] = line.split(':');
    if (!name || uid === undefined || !/^\d+$/.test(uid)) continue;
    const rest = { gecos: gecos ?? '', home: home || '/', shell: shell || '/bin/sh' };
    entries.push({ name, password: password ?? '', uid: Number(uid), gid: Number(gid ?? 0), ...rest });
  }
  return entries;
}

/** What to compare a password with: the field of /etc/passwd, or of /etc/shadow when that says `x`. */
export function storedPassword(sys: Pick<Sys, 'readText'>, entry: PasswdEntry): string {
  if (entry.password !== 'x') return entry.password;
  const line = readQuietly(sys, '/etc/shadow')
    .split('\n')
    .find((it) => it.startsWith(`${entry.name}:`));
  return line?.split(':')[1] ?? '*';
}

/** The stored form of a password. */
export function hashPassword(password: string, salt: string): string {
  return `$5x$${salt}$${sha256Hex(salt + password)}`;
}

/** Whether the password fits what is stored; an empty stored one fits everything, `*` and `!…` fit nothing. */
export function isPasswordRight(stored: string, password: string): boolean {
  if (stored === '') return true;
  const [, method, salt] = stored.split('$');
  return method === '5x' && salt !== undefined && hashPassword(password, salt) === stored;
}

function readQuietly(sys: Pick<Sys, 'readText'>, path: string): string {
  try {
    return sys.readText(path);
  } catch (error) {
    if (error instanceof SysError) return '';
    throw error;
  }
}
