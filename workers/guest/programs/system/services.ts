/** The services of /etc/init.d: service runs their scripts, chkconfig says in which runlevels they start (chkconfig 1.3). */
import { again, exit, type Program, type Sys } from '../../sys';
import { attempt, quietly, ToolError, tool, UsageError } from '../options';
import { joinPath } from '../paths';
import { runInstead } from './identity';
import { runlevels } from './shutdown';

const LEVELS = ['0', '1', '2', '3', '4', '5', '6'];

/** Where the scripts are, and how the links in /etc/rc.d/rcN.d name that directory. */
const SCRIPTS = '/etc/init.d';
const LINK_PREFIX = '../../init.d';

const linkDir = (level: string) => `/etc/rc.d/rc${level}.d`;
const isScript = (sys: Sys, name: string) =>
  name !== '' && !name.includes('/') && quietly(() => sys.stat(joinPath(SCRIPTS, name)))?.kind === 'file';

const scriptNames = (sys: Sys) =>
  [...(quietly(() => sys.readdir(SCRIPTS)) ?? [])]
    .filter((name) => isScript(sys, name) && sys.access(joinPath(SCRIPTS, name), 'x'))
    .sort();

const SERVICE_USAGE = 'Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n';

interface ServiceState {
  /** Scripts that are still to be asked for their status. */
  readonly queue: string[];
  child: number;
}

export const service: Program<ServiceState> = {
  name: 'service',
  start: (sys) => ({ queue: sys.argv[1] === '--status-all' ? scriptNames(sys) : [], child: 0 }),
  step(sys, state) {
    const [name, ...rest] = sys.argv.slice(1);
    if (name === '--status-all') return statusOfAll(sys, state);
    if (name === undefined || name.startsWith('-')) {
      if (name === '--version' || name === '-V') sys.print('service ver. 0.91\n');
      else sys.eprint(SERVICE_USAGE);
      return exit(name === undefined ? 1 : 0);
    }
    if (!isScript(sys, name) || !sys.access(joinPath(SCRIPTS, name), 'x')) {
      sys.eprint(`${name}: unrecognized service\n`);
      return exit(1);
    }
    sys.chdir('/');
    return runInstead(sys, 'service', [joinPath(SCRIPTS, name), ...rest], cleanEnvironment(sys)) ?? again();
  },
};

/** A script gets what it would get at boot, not what the caller has set. */
function cleanEnvironment(sys: Sys): Record<string, string> {
  const { TERM = 'linux' } = sys.env;
  return { PATH: '/sbin:/usr/sbin:/bin:/usr/bin', TERM };
}

function statusOfAll(sys: Sys, state: ServiceState) {
  if (state.child > 0 && !sys.waitChild(state.child)) return { do: 'wait', on: [{ child: true }] } as const;
  const name = state.queue.shift();
  if (name === undefined) return exit(0);
  const argv = ['/bin/sh', joinPath(SCRIPTS, name), 'status'];
  state.child = sys.spawn({ argv, env: cleanEnvironment(sys), cwd: '/' });
  return again();
}

/** What a script's line `# chkconfig: 2345 10 90` says: levels to start in, and the places in starting and stopping order. */
interface Header {
  readonly levels: readonly string[];
  readonly start: string;
  readonly stop: string;
}

function headerOf(sys: Sys, name: string): Header | undefined {
  const text = quietly(() => sys.readText(joinPath(SCRIPTS, name))) ?? '';
  const match = /^#+\s*chkconfig:\s*(-|[0-6]+)\s+(\d{1,2})\s+(\d{1,2})\s*$/m.exec(text);
  if (!match) return undefined;
  const [, levels = '', start = '', stop = ''] = match;
  return { levels: levels === '-' ? [] : [...levels], start: start.padStart(2, '0'), stop: stop.padStart(2, '0') };
}

/** Links of a service in one runlevel: `S10network`, `K90network`. */
const linksOf = (sys: Sys, level: string, name: string) =>
  (quietly(() => sys.readdir(linkDir(level))) ?? []).filter((link) => /^[SK]\d\d/.test(link) && link.slice(3) === name);
const isOn = (sys: Sys, level: string, name: string) => linksOf(sys, level, name).some((link) => link.startsWith('S'));
const isReferenced = (sys: Sys, name: string) => LEVELS.some((level) => linksOf(sys, level, name).length > 0);

/** Puts the service into a runlevel as started or stopped, in place of what it was there. */
function setLink(sys: Sys, level: string, name: string, header: Header, on: boolean): boolean {
  const directory = linkDir(level);
  return attempt(sys, 'chkconfig', `failed to make symlink ${directory}`, () => {
    if (!sys.exists(directory)) sys.mkdir(directory, 0o755);
    for (const link of linksOf(sys, level, name)) sys.unlink(joinPath(directory, link));
    sys.symlink(
      joinPath(LINK_PREFIX, name),
      joinPath(directory, `${on ? `S${header.start}` : `K${header.stop}`}${name}`),
    );
  });
}

function line(sys: Sys, name: string): string {
  const cells = LEVELS.map((level) => `\t${level}:${isOn(sys, level, name) ? 'on' : 'off'}`);
  return `${name.padEnd(15)}${cells.join('')}\n`;
}

/** The header of a service that can be managed; otherwise the complaint that chkconfig makes. */
function requireHeader(sys: Sys, name: string): Header {
  if (!isScript(sys, name))
    throw new ToolError(`error reading information on service ${name}: No such file or directory`);
  const header = headerOf(sys, name);
  if (!header) throw new ToolError(`service ${name} does not support chkconfig`);
  return header;
}

const CHKCONFIG_USAGE = `chkconfig version 1.3.30.1 - Copyright (C) 1997-2000 Red Hat, Inc.
This may be freely redistributed under the terms of the GNU Public License.

usage:   chkconfig --list [name]
         chkconfig --add <name>
         chkconfig --del <name>
         chkconfig --override <name>
         chkconfig [--level <levels>] <name> <on|off|reset|resetpriorities>
`;

const SPEC = { usage: '', long: { list: 'list', add: 'add', del: 'del', level: 'level:' } };

export const chkconfig = tool('chkconfig', SPEC, (sys, options, words) => {
  const [name, action] = words;
  if (options.has('list')) return list(sys, name);
  if (name === undefined) {
    sys.eprint(CHKCONFIG_USAGE);
    return 1;
  }
  if (options.has('add')) return add(sys, name);
  if (options.has('del')) return remove(sys, name);
  const header = requireHeader(sys, name);
  if (action === undefined) return isOn(sys, runlevels(sys)?.current ?? '3', name) ? 0 : 1;
  const levels = options.value('level') ?? (action === 'reset' ? '0123456' : '2345');
  if (!/^[0-6]+$/.test(levels)) throw new UsageError(`bad level list ${levels}`);
  if (!['on', 'off', 'reset'].includes(action)) {
    sys.eprint(CHKCONFIG_USAGE);
    return 1;
  }
  requireRoot(sys);
  const done = [...levels].map((level) =>
    setLink(sys, level, name, header, action === 'on' || (action === 'reset' && header.levels.includes(level))),
  );
  return done.every(Boolean) ? 0 : 1;
});

function requireRoot(sys: Sys): void {
  if (sys.uid !== 0) throw new ToolError('You do not have enough privileges to perform this operation.');
}

function list(sys: Sys, name: string | undefined): number {
  if (name === undefined) {
    for (const it of scriptNames(sys)) if (headerOf(sys, it) && isReferenced(sys, it)) sys.print(line(sys, it));
    return 0;
  }
  requireHeader(sys, name);
  if (!isReferenced(sys, name)) {
    const hint = `(run 'chkconfig --add ${name}')`;
    sys.eprint(`service ${name} supports chkconfig, but is not referenced in any runlevel ${hint}\n`);
    return 1;
  }
  sys.print(line(sys, name));
  return 0;
}

/** Only in levels where the service has no link yet: what the operator has chosen stays. */
function add(sys: Sys, name: string): number {
  const header = requireHeader(sys, name);
  requireRoot(sys);
  const missing = LEVELS.filter((level) => linksOf(sys, level, name).length === 0);
  return missing.every((level) => setLink(sys, level, name, header, header.levels.includes(level))) ? 0 : 1;
}

function remove(sys: Sys, name: string): number {
  requireHeader(sys, name);
  requireRoot(sys);
  for (const level of LEVELS) for (const link of linksOf(sys, level, name)) sys.unlink(joinPath(linkDir(level), link));
  return 0;
}
