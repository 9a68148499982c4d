/** Users and groups from /etc/passwd and /etc/group. */
import type { Sys } from '../sys';
import { quietly } from './options';

export interface User {
  readonly name: string;
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const rows = (sys: Sys, path: string): string[][] =>
  (quietly(() => sys.readText(path)) ?? '')
    .split('\n')
    .filter((line) => line.includes(':') && !line.startsWith('#'))
    .map((line) => line.split(':'));

export function users(sys: Sys): readonly User[] {
  return rows(sys, '/etc/passwd').map(
    ([name = '', password = '', uid, gid, comment = '', home = '/', shell = '/bin/sh']) => ({
      name,
      password,
      uid: Number(uid),
      gid: Number(gid),
      comment,
      home: home || '/',
      shell: shell || '/bin/sh',
    }),
  );
}

export function groups(sys: Sys): readonly Group[] {
  return rows(sys, '/etc/group').map(([name = '', , gid, members = '']) => ({
    name,
    gid: Number(gid),
    members: members.split(',').filter((member) => member !== ''),
  }));
}

/** By name, or by number when no user has that name. */
export function findUser(sys: Sys, key: string | number): User | undefined {
  const all = users(sys);
  return all.find((user) => user.name === key) ?? all.find((user) => String(user.uid) === String(key));
}

export function userName(sys: Sys, uid: number): string {
  return users(sys).find((user) => user.uid === uid)?.name ?? String(uid);
}

export function groupName(sys: Sys, gid: number): string {
  return groups(sys).find((group) => group.gid === gid)?.name ?? String(gid);
}

/** Groups a user is in: the primary one first. */
export function groupsOf(sys: Sys, user: User | undefined, gid: number): number[] {
  const others = user ? groups(sys).filter((group) => group.members.includes(user.name)) : [];
  return [...new Set([gid, ...others.map((group) => group.gid)])];
}

/** The number of a user given by name or number; undefined when unknown. */
export function uidOf(sys: Sys, text: string): number | undefined {
  return users(sys).find((user) => user.name === text)?.uid ?? (/^\d+$/.test(text) ? Number(text) : undefined);
}

export function gidOf(sys: Sys, text: string): number | undefined {
  return groups(sys).find((group) => group.name === text)?.gid ?? (/^\d+$/.test(text) ? Number(text) : undefined);
}
