/** useradd, userdel, groupadd, groupdel: accounts come and go (shadow-utils 4.0.17 as Red Hat sets it up). */
import { type Sys, SysError } from '../../sys';
import { type Options, ToolError, type ToolSpec, tool } from '../options';
import { joinPath } from '../paths';
import { gidOf, groups, users } from '../users';
import { copyTree, removeTree } from './home';
import { changeMembers, freeId, hasShadow, putLine, removeLine, tableLines, today, writeTable } from './tables';

/** Exit statuses of useradd(8). */
const BAD_ARGUMENT = 3;
const ID_IN_USE = 4;
const NO_SUCH = 6;
const NAME_IN_USE = 9;
const LOGGED_IN = 8;

const SKEL = '/etc/skel';
const NAME = /^[a-z_][a-z0-9_.-]{0,31}$/i;

function requireRoot(sys: Sys, file: 'password' | 'group'): void {
  if (sys.uid !== 0) throw new ToolError(`unable to lock ${file} file`, file === 'group' ? 10 : 1);
}

const USERADD: ToolSpec = {
  usage: '[options] LOGIN',
  options: 'b:c:d:e:f:g:G:hk:K:lmMnop:rs:u:',
  long: {
    'base-dir': 'b', comment: 'c', 'home-dir': 'd', home: 'd', gid: 'g', groups: 'G', skel: 'k', 'create-home': 'm', 'non-unique': 'o',
    password: 'p', shell: 's', uid: 'u',
  }, // biome-ignore format: a list
  usageStatus: 2,
};

export const useradd = tool('useradd', USERADD, (sys, options, words) => {
  const [name] = words;
  if (name === undefined || words.length > 1) {
    sys.eprint(`Usage: useradd ${USERADD.usage}\n`);
    return 2;
  }
  requireRoot(sys, 'password');
  if (!NAME.test(name)) throw new ToolError(`invalid user name '${name}'`, BAD_ARGUMENT);
  if (users(sys).some((user) => user.name === name)) throw new ToolError(`user ${name} exists`, NAME_IN_USE);
  const isSystem = options.has('r');
  const uid = numberFor(
    options,
    'u',
    users(sys).map((user) => user.uid),
    isSystem,
  );
  if (users(sys).some((user) => user.uid === uid) && !options.has('o'))
    throw new ToolError(`UID ${uid} is not unique`, ID_IN_USE);
  const others = (options.value('G') ?? '').split(',').filter((it) => it !== '');
  const names = others.map((it) => nameOfGroup(sys, it));
  const gid = groupFor(sys, name, uid, options);
  const home = options.value('d') ?? joinPath(options.value('b') ?? '/home', name);
  const shell = options.value('s') ?? '/bin/bash';
  const password = options.value('p') ?? '!!';
  const field = hasShadow(sys) ? 'x' : password;
  putLine(sys, '/etc/passwd', [name, field, uid, gid, options.value('c') ?? '', home, shell].join(':'));
  if (hasShadow(sys)) putLine(sys, '/etc/shadow', `${name}:${password}:${today(sys)}:0:99999:7:::`);
  for (const group of names) changeMembers(sys, group, (members) => [...members, name]);
  if (!options.has('M') && (!isSystem || options.has('m'))) makeHome(sys, home, uid, gid, options.value('k') ?? SKEL);
});

function numberFor(options: Options, letter: string, used: readonly number[], isSystem: boolean): number {
  const text = options.value(letter);
  if (text === undefined) return freeId(used, isSystem);
  if (!/^\d+$/.test(text)) throw new ToolError(`invalid numeric argument '${text}'`, BAD_ARGUMENT);
  return Number(text);
}

function nameOfGroup(sys: Sys, text: string): string {
  const gid = gidOf(sys, text);
  const found = groups(sys).find((group) => group.gid === gid);
  if (!found) throw new ToolError(`unknown group ${text}`, NO_SUCH);
  return found.name;
}

/** The primary group: the one that is named, or a new one of the user's own (Red Hat), unless with -n. */
function groupFor(sys: Sys, name: string, uid: number, options: Options): number {
  const given = options.value('g');
  if (given !== undefined) {
    const gid = gidOf(sys, given);
    if (gid === undefined || !groups(sys).some((group) => group.gid === gid))
      throw new ToolError(`unknown group ${given}`, NO_SUCH);
    return gid;
  }
  const existing = groups(sys).find((group) => group.name === name);
  if (existing)
    throw new ToolError(`group ${name} exists - if you want to add this user to that group, use -g.`, NAME_IN_USE);
  if (options.has('n')) return 100;
  const used = groups(sys).map(({ gid }) => gid);
  const gid = used.includes(uid) ? freeId(used, options.has('r')) : uid;
  putLine(sys, '/etc/group', `${name}:x:${gid}:`);
  return gid;
}

function makeHome(sys: Sys, home: string, uid: number, gid: number, skel: string): void {
  if (sys.exists(home)) {
    sys.eprint(
      `useradd: warning: the home directory already exists.\nNot copying any file from skel directory into it.\n`,
    );
    return;
  }
  try {
    sys.mkdir(home, 0o700);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new ToolError(`cannot create directory ${home}`, 12);
  }
  sys.chown(home, uid, gid);
  sys.chmod(home, 0o700);
  if (sys.exists(skel)) copyTree(sys, skel, home, uid, gid);
}

export const userdel = tool(
  'userdel',
  { usage: '[options] LOGIN', options: 'rf', long: { remove: 'r', force: 'f' }, usageStatus: 2 },
  (sys, options, words) => {
    const [name] = words;
    if (name === undefined) {
      sys.eprint(
        'Usage: userdel [options] LOGIN\n\nOptions:\n  -f, --force\tforce removal of files\n  -h, --help\tdisplay this help message and exit\n  -r, --remove\tremove home directory and mail spool\n',
      );
      return 2;
    }
    requireRoot(sys, 'password');
    const user = users(sys).find((it) => it.name === name);
    if (!user) throw new ToolError(`user ${name} does not exist`, NO_SUCH);
    const isLoggedIn = sys.processes().some(({ uid, tty }) => uid === user.uid && tty !== undefined);
    if (isLoggedIn && !options.has('f')) throw new ToolError(`user ${name} is currently logged in`, LOGGED_IN);
    removeLine(sys, '/etc/passwd', name);
    removeLine(sys, '/etc/shadow', name);
    for (const group of groups(sys))
      if (group.members.includes(name))
        changeMembers(sys, group.name, (members) => members.filter((it) => it !== name));
    const own = groups(sys).find((group) => group.name === name);
    if (own && !users(sys).some(({ gid }) => gid === own.gid)) removeLine(sys, '/etc/group', name);
    if (!options.has('r')) return 0;
    if (!sys.exists(user.home)) {
      sys.eprint(`userdel: ${name} home directory (${user.home}) not found\n`);
      return 0;
    }
    if (sys.stat(user.home).uid !== user.uid && !options.has('f')) {
      sys.eprint(`userdel: ${user.home} not owned by ${name}, not removing\n`);
      return 12;
    }
    removeTree(sys, user.home);
    return 0;
  },
);

export const groupadd = tool(
  'groupadd',
  { usage: '[options] GROUP', options: 'fg:or', long: { force: 'f', gid: 'g' }, usageStatus: 2 },
  (sys, options, words) => {
    const [name] = words;
    if (name === undefined) {
      sys.eprint('Usage: groupadd [options] GROUP\n');
      return 2;
    }
    requireRoot(sys, 'group');
    if (!NAME.test(name)) throw new ToolError(`${name} is not a valid group name`, BAD_ARGUMENT);
    if (groups(sys).some((group) => group.name === name)) {
      if (options.has('f')) return 0;
      throw new ToolError(`group ${name} exists`, NAME_IN_USE);
    }
    const used = groups(sys).map(({ gid }) => gid);
    const gid = numberFor(options, 'g', used, options.has('r'));
    if (used.includes(gid) && !options.has('o')) throw new ToolError(`GID ${gid} is not unique`, ID_IN_USE);
    putLine(sys, '/etc/group', `${name}:x:${gid}:`);
    return 0;
  },
);

export const groupdel = tool('groupdel', { usage: 'group', usageStatus: 2 }, (sys, _options, words) => {
  const [name] = words;
  if (name === undefined) {
    sys.eprint('Usage: groupdel group\n');
    return 2;
  }
  requireRoot(sys, 'group');
  const group = groups(sys).find((it) => it.name === name);
  if (!group) throw new ToolError(`group ${name} does not exist`, NO_SUCH);
  if (users(sys).some(({ gid }) => gid === group.gid))
    throw new ToolError("cannot remove user's primary group.", LOGGED_IN);
  writeTable(
    sys,
    '/etc/group',
    tableLines(sys, '/etc/group').filter((line) => !line.startsWith(`${name}:`)),
  );
  return 0;
});
