/** Changes to /etc/passwd, /etc/shadow and /etc/group. */
import type { Sys } from '../../sys';
import { quietly } from '../options';

export type Table = '/etc/passwd' | '/etc/shadow' | '/etc/group';

const MODES: Readonly<Record<Table, number>> = { '/etc/passwd': 0o644, '/etc/group': 0o644, '/etc/shadow': 0o400 };

/** Its lines; none when there is no such file. */
export function tableLines(sys: Sys, table: Table): string[] {
  return (quietly(() => sys.readText(table)) ?? '').split('\n').filter((line) => line !== '');
}

/** Replaces a table as a whole: the new file takes the place of the old one, so that nobody ever reads half of it. */
export function writeTable(sys: Sys, table: Table, lines: readonly string[]): void {
  const next = `${table}+`;
  sys.writeFile(next, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  sys.chmod(next, MODES[table]);
  sys.rename(next, table);
}

const keyOf = (line: string) => line.slice(0, line.indexOf(':'));

/** Puts a line in the place of the one with the same name, or at the end. */
export function putLine(sys: Sys, table: Table, line: string): void {
  const lines = tableLines(sys, table);
  const at = lines.findIndex((it) => keyOf(it) === keyOf(line));
  if (at >= 0) lines[at] = line;
  else lines.push(line);
  writeTable(sys, table, lines);
}

export function removeLine(sys: Sys, table: Table, name: string): void {
  const lines = tableLines(sys, table);
  const kept = lines.filter((line) => keyOf(line) !== name);
  if (kept.length < lines.length) writeTable(sys, table, kept);
}

/** Whether passwords are in a file of their own that only root can read. */
export const hasShadow = (sys: Sys) => sys.exists('/etc/shadow');

/** Days since 1970, as /etc/shadow counts. */
export const today = (sys: Sys) => Math.floor(sys.wallClock / 86400);

/** Stores the password field of a user who exists: in /etc/shadow when /etc/passwd says `x`. */
export function storePassword(sys: Sys, name: string, stored: string): void {
  const line = tableLines(sys, '/etc/passwd').find((it) => keyOf(it) === name);
  if (line === undefined) return;
  const fields = line.split(':');
  if (fields[1] !== 'x') {
    fields[1] = stored;
    putLine(sys, '/etc/passwd', fields.join(':'));
    return;
  }
  const old = tableLines(sys, '/etc/shadow').find((it) => keyOf(it) === name);
  const shadow = old?.split(':') ?? [name, '', '', '0', '99999', '7', '', '', ''];
  shadow[1] = stored;
  shadow[2] = String(today(sys));
  putLine(sys, '/etc/shadow', shadow.join(':'));
}

/** Changes the list of members of a group. */
export function changeMembers(sys: Sys, group: string, change: (members: string[]) => string[]): void {
  const line = tableLines(sys, '/etc/group').find((it) => keyOf(it) === group);
  if (line === undefined) return;
  const fields = line.split(':');
  const members = (fields[3] ?? '').split(',').filter((member) => member !== '');
  fields[3] = [...new Set(change(members))].join(',');
  putLine(sys, '/etc/group', fields.join(':'));
}

/** The next number for a new user or group: above all that are in use, from 500 on (system accounts from below 500). */
export function freeId(used: readonly number[], isSystem: boolean): number {
  if (isSystem) {
    for (let id = 499; id >= 100; id--) if (!used.includes(id)) return id;
  }
  return Math.max(499, ...used.filter((id) => id < 60000)) + 1;
}
