/** Who and where: id, whoami, groups, logname, hostname, domainname, uname, arch, tty, env, printenv, dmesg. */
import type { Sys } from '../../sys';
import { again, exit, type Program, SysError } from '../../sys';
import { optionsOf, quietly, ToolError, type ToolSpec, tool, UsageError } from '../options';
import { groups as allGroups, findUser, groupName, groupsOf, userName, users } from '../users';

export const id = tool(
  'id',
  {
    usage: '[OPTION]... [USERNAME]',
    options: 'unGgra',
    long: { user: 'u', group: 'g', groups: 'G', name: 'n', real: 'r' },
  },
  (sys, options, words) => {
    const given = words[0];
    const user =
      given === undefined
        ? users(sys).find(({ uid }) => uid === sys.uid)
        : users(sys).find(({ name }) => name === given);
    if (given !== undefined && !user) throw new ToolError(`${given}: No such user`);
    const uid = given === undefined ? (options.has('r') ? sys.realUid : sys.uid) : user!.uid;
    const gid = given === undefined ? sys.gid : user!.gid;
    if (options.has('n', 'r') && !options.has('u', 'g', 'G'))
      throw new ToolError('cannot print only names or real IDs in default format');
    const all = groupsOf(sys, user, gid);
    const show = (number: number, name: string) => (options.has('n') ? name : String(number));
    if (options.has('u')) sys.print(`${show(uid, userName(sys, uid))}\n`);
    else if (options.has('g')) sys.print(`${show(gid, groupName(sys, gid))}\n`);
    else if (options.has('G')) sys.print(`${all.map((it) => show(it, groupName(sys, it))).join(' ')}\n`);
    else {
      const named = (number: number, name: string) => (name === String(number) ? name : `${number}(${name})`);
      sys.print(
        `uid=${named(uid, userName(sys, uid))} gid=${named(gid, groupName(sys, gid))} groups=${all.map((it) => named(it, groupName(sys, it))).join(',')}\n`,
      );
    }
  },
);

export const whoami = tool('whoami', { usage: '[OPTION]...' }, (sys, _, words) => {
  if (words.length > 0) throw new UsageError(`extra operand \`${words[0]}'`);
  sys.print(`${userName(sys, sys.uid)}\n`);
});

export const logname = tool('logname', { usage: '[OPTION]' }, (sys) => {
  sys.print(`${sys.env['LOGNAME'] ?? userName(sys, sys.realUid)}\n`);
});

export const groups = tool('groups', { usage: '[USERNAME]...' }, (sys, _, words) => {
  const own = findUser(sys, sys.uid);
  for (const name of words.length > 0 ? words : [undefined]) {
    const user = name === undefined ? own : users(sys).find((it) => it.name === name);
    if (name !== undefined && !user) throw new ToolError(`${name}: No such user`);
    const names = groupsOf(sys, user, user?.gid ?? sys.gid).map((gid) => groupName(sys, gid));
    sys.print(`${name === undefined ? '' : `${name} : `}${names.join(' ')}\n`);
  }
  return allGroups(sys).length > 0 ? 0 : 1;
});

export const hostname = tool(
  'hostname',
  {
    usage: '[-s|-f|-d|-i] [NAME]',
    options: 'sfdiaF:',
    long: { short: 's', fqdn: 'f', domain: 'd', 'ip-address': 'i', file: 'F' },
  },
  (sys, options, words) => {
    const file = options.value('F');
    const name = file === undefined ? words[0] : sys.readText(file).trim();
    const current = sys.uname().nodename;
    if (name !== undefined) {
      try {
        sys.setHostname(name);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        throw new ToolError(error.code === 'EPERM' ? 'you must be root to change the host name' : error.message);
      }
      return;
    }
    if (options.has('s')) sys.print(`${current.split('.')[0]}\n`);
    else if (options.has('d')) sys.print(`${current.split('.').slice(1).join('.')}\n`);
    else if (options.has('i')) {
      const address = quietly(() => sys.net.resolve(current));
      if (address === undefined) throw new ToolError('Unknown host');
      sys.print(`${address}\n`);
    } else sys.print(`${current}\n`);
  },
);

const UNAME: ToolSpec = {
  usage: '[OPTION]...',
  options: 'asnrvmpio',
  long: {
    all: 'a',
    'kernel-name': 's',
    nodename: 'n',
    'kernel-release': 'r',
    'kernel-version': 'v',
    machine: 'm',
    processor: 'p',
    'hardware-platform': 'i',
    'operating-system': 'o',
  },
};

export const uname = tool('uname', UNAME, (sys, options, words) => {
  if (words.length > 0) throw new UsageError(`extra operand \`${words[0]}'`);
  const it = sys.uname();
  const fields = {
    s: it.sysname,
    n: it.nodename,
    r: it.release,
    v: it.version,
    m: it.machine,
    p: it.machine,
    i: 'i386',
    o: 'GNU/Linux',
  };
  const wanted = options.has('a')
    ? Object.keys(fields)
    : options.list.length === 0
      ? ['s']
      : Object.keys(fields).filter((letter) => options.has(letter));
  sys.print(`${wanted.map((letter) => fields[letter as keyof typeof fields]).join(' ')}\n`);
});

export const arch = tool('arch', { usage: '' }, (sys) => sys.print(`${sys.uname().machine}\n`));

export const tty = tool(
  'tty',
  { usage: '[OPTION]...', options: 's', long: { silent: 's', quiet: 's' }, usageStatus: 2 },
  (sys, options) => {
    const name = sys.ttyName(0);
    if (!options.has('s')) sys.print(`${name ?? 'not a tty'}\n`);
    return name === undefined ? 1 : 0;
  },
);

export const dmesg = tool('dmesg', { usage: '[-c] [-n level] [-s bufsize]', options: 'cn:s:' }, (sys) =>
  sys.print(sys.kernelLog()),
);

export const printenv = tool('printenv', { usage: '[VARIABLE]...', usageStatus: 2 }, (sys, _, words) => {
  if (words.length === 0) printAll(sys, sys.env);
  let status = 0;
  for (const name of words) {
    const value = sys.env[name];
    if (value === undefined) status = 1;
    else sys.print(`${value}\n`);
  }
  return status;
});

function printAll(sys: Sys, env: Readonly<Record<string, string>>): void {
  sys.print(
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
}

const ENV: ToolSpec = {
  usage: '[OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]',
  options: 'iu:',
  long: { 'ignore-environment': 'i', unset: 'u' },
  stopAtWord: true,
  usageStatus: 125,
};

/** env: the environment, or a command in a changed one. */
export const env: Program<{ status: number }> = {
  name: 'env',
  start: () => ({ status: -1 }),
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    const options = optionsOf(sys, 'env', ENV);
    if (typeof options === 'number') return exit(options);
    const words = [...options.words];
    const isEmpty = options.has('i') || words[0] === '-';
    if (words[0] === '-') words.shift();
    const changed: Record<string, string> = isEmpty ? {} : { ...sys.env };
    for (const [name, value] of options.list) if (name === 'u') delete changed[value];
    while (words[0]?.includes('=')) {
      const word = words.shift()!;
      changed[word.slice(0, word.indexOf('='))] = word.slice(word.indexOf('=') + 1);
    }
    if (words.length === 0) {
      printAll(sys, changed);
      return exit(0);
    }
    return runInstead(sys, 'env', words, changed) ?? again();
  },
};

/** Replaces the process by the command; an exit with 126 or 127 when that is not possible. */
export function runInstead(
  sys: Sys,
  name: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = sys.env,
) {
  try {
    sys.exec(words, environment);
    return undefined;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    // A script without an interpreter line is the shell's to run.
    if (error.code === 'ENOEXEC') {
      sys.exec(['/bin/sh', ...words], environment);
      return undefined;
    }
    sys.eprint(`${name}: ${new SysError(error.code, words[0]).message}\n`);
    return exit(error.code === 'ENOENT' ? 127 : 126);
  }
}
