/** ps: the processes, in the formats of procps 3.2 (`ps`, `ps aux`, `ps -ef`, `ps -o …`). */
import type { ProcessInfo, Sys } from '../../sys';
import { command } from '../adapters';
import { formatDate } from '../dates';
import { quietly } from '../options';
import { uidOf, userName } from '../users';

interface Column {
  readonly title: string;
  readonly width: number;
  readonly isLeft?: boolean;
  value(sys: Sys, process: ProcessInfo, facts: Facts): string;
}

interface Facts {
  readonly totalKiB: number;
  readonly bootTime: number;
  readonly isWide: boolean;
  readonly foreground: ReadonlyMap<string, number>;
}

const clock = (ns: number) => {
  const seconds = Math.floor(ns / 1e9);
  return `${String(Math.floor(seconds / 3600)).padStart(2, '0')}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
};
const shortClock = (ns: number) => {
  const seconds = Math.floor(ns / 1e9);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};

/** Share of one cpu since it was started, per cent. */
/** Over whole seconds of its life; nothing yet in the first one (procps). */
const cpuShare = (sys: Sys, process: ProcessInfo) => {
  const seconds = Math.floor((sys.nowNs - process.startNs) / 1e9);
  return seconds === 0 ? 0 : process.cpuNs / 1e7 / seconds;
};

function stateLetters(process: ProcessInfo, facts: Facts): string {
  const isForeground = process.tty !== undefined && facts.foreground.get(process.tty) === process.pgid;
  return (
    process.state +
    (process.nice > 0 ? 'N' : process.nice < 0 ? '<' : '') +
    (process.pid === process.sid ? 's' : '') +
    (isForeground ? '+' : '')
  );
}

function started(sys: Sys, process: ProcessInfo, facts: Facts): string {
  const at = facts.bootTime + process.startNs / 1e9;
  return formatDate(sys.wallClock - at > 86400 ? '%b%d' : '%H:%M', at);
}

const commandLine = (process: ProcessInfo) =>
  process.state === 'Z'
    ? `[${process.comm}] <defunct>`
    : process.argv.length === 0
      ? `[${process.comm}]`
      : process.argv.join(' ');
const user = (sys: Sys, process: ProcessInfo) => {
  const name = userName(sys, process.uid);
  return name.length > 8 ? String(process.uid) : name;
};

const COLUMNS: Readonly<Record<string, Column>> = {
  pid: { title: 'PID', width: 5, value: (_, it) => String(it.pid) },
  ppid: { title: 'PPID', width: 5, value: (_, it) => String(it.ppid) },
  pgid: { title: 'PGID', width: 5, value: (_, it) => String(it.pgid) },
  sid: { title: 'SID', width: 5, value: (_, it) => String(it.sid) },
  user: { title: 'USER', width: 8, isLeft: true, value: user },
  uname: { title: 'UID', width: 8, isLeft: true, value: user },
  uid: { title: 'UID', width: 5, value: (_, it) => String(it.uid) },
  tty: { title: 'TTY', width: 8, isLeft: true, value: (_, it) => it.tty ?? '?' },
  time: { title: 'TIME', width: 8, value: (_, it) => clock(it.cpuNs) },
  bsdtime: { title: 'TIME', width: 6, value: (_, it) => shortClock(it.cpuNs) },
  comm: { title: 'COMMAND', width: 0, isLeft: true, value: (_, it) => it.comm + (it.state === 'Z' ? ' <defunct>' : '') },
  cmd: { title: 'CMD', width: 0, isLeft: true, value: (_, it) => it.comm + (it.state === 'Z' ? ' <defunct>' : '') },
  args: { title: 'COMMAND', width: 0, isLeft: true, value: (_, it) => commandLine(it) },
  fullcmd: { title: 'CMD', width: 0, isLeft: true, value: (_, it) => commandLine(it) },
  pcpu: { title: '%CPU', width: 4, value: (sys, it) => cpuShare(sys, it).toFixed(1) },
  c: { title: 'C', width: 2, value: (sys, it) => String(Math.min(99, Math.floor(cpuShare(sys, it)))) },
  pmem: { title: '%MEM', width: 4, value: (_, it, facts) => ((100 * it.rssKiB) / facts.totalKiB).toFixed(1) },
  vsz: { title: 'VSZ', width: 6, value: (_, it) => String(it.rssKiB) },
  rss: { title: 'RSS', width: 5, value: (_, it) => String(it.rssKiB) },
  stat: { title: 'STAT', width: 4, isLeft: true, value: (_, it, facts) => stateLetters(it, facts) },
  s: { title: 'S', width: 1, value: (_, it) => it.state },
  start: { title: 'START', width: 5, value: (sys, it, facts) => started(sys, it, facts) },
  stime: { title: 'STIME', width: 5, value: (sys, it, facts) => started(sys, it, facts) },
  ni: { title: 'NI', width: 3, value: (_, it) => String(it.nice) },
  pri: { title: 'PRI', width: 3, value: (_, it) => String(15 + it.nice) },
  psr: { title: 'PSR', width: 3, value: (_, it) => String(it.vcpu) },
  lstart: { title: 'STARTED', width: 24, value: (_, it, facts) => formatDate('%a %b %e %H:%M:%S %Y', facts.bootTime + it.startNs / 1e9) },
  etime: { title: 'ELAPSED', width: 11, value: (sys, it) => { const s = Math.floor((sys.nowNs - it.startNs) / 1e9); return s < 3600 ? `${String(Math.floor(s / 60)).padStart(2, '0')}:${String(s % 60).padStart(2, '0')}` : clock(s * 1e9); } },
}; // biome-ignore format: a table
const ALIASES: Readonly<Record<string, string>> = {
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  command: 'args',
  ucmd: 'comm',
  ucomm: 'comm',
  tt: 'tty',
  tname: 'tty',
  state: 's',
  vsize: 'vsz',
  rssize: 'rss',
  cputime: 'time',
  pgrp: 'pgid',
  sess: 'sid',
  nice: 'ni',
  euser: 'user',
  euid: 'uid',
  bsdstart: 'start',
  cpu: 'c',
};

const FORMATS = {
  plain: ['pid', 'tty', 'time', 'cmd'],
  full: ['uname', 'pid', 'ppid', 'c', 'stime', 'tty', 'time', 'fullcmd'],
  user: ['user', 'pid', 'pcpu', 'pmem', 'vsz', 'rss', 'tty', 'stat', 'start', 'bsdtime', 'args'],
  bsd: ['pid', 'tty', 'stat', 'bsdtime', 'args'],
  long: ['s', 'uid', 'pid', 'ppid', 'c', 'pri', 'ni', 'vsz', 'tty', 'time', 'cmd'],
} as const;

interface Request {
  columns: readonly { readonly key: string; readonly title?: string }[];
  select: 'own' | 'terminal' | 'all' | 'list';
  pids: number[];
  uids: number[];
  commands: string[];
  hasHeader: boolean;
  isWide: boolean;
  sort: string[];
}

const keyed = (keys: readonly string[]) => keys.map((key) => ({ key }));

const USAGE = `********* simple selection *********  ********* selection by list *********
-A all processes                      -C by command name
-N negate selection                   -p by process ID
-a all w/ tty except session leaders  -u by effective user id (supports names)
x  processes w/o controlling ttys     -t by tty
*********** output format **********
-o,o user-defined  -f full  l long  u user oriented
`;

export const ps = command('ps', (sys, args) => {
  const request = parse(sys, args);
  if (typeof request === 'string') {
    sys.eprint(`ERROR: ${request}\n${USAGE}`);
    return 1;
  }
  const foreground = new Map<string, number>();
  for (const { tty } of sys.processes())
    if (tty !== undefined && !foreground.has(tty)) foreground.set(tty, foregroundOf(sys, tty));
  const facts: Facts = {
    totalKiB: Number(/MemTotal:\s+(\d+)/.exec(quietly(() => sys.readText('/proc/meminfo')) ?? '')?.[1] ?? 1) || 1,
    bootTime: sys.wallClock - sys.nowNs / 1e9,
    isWide: request.isWide,
    foreground,
  };
  const chosen = select(sys, request);
  const columns = request.columns.map(({ key, title }) => ({
    column: COLUMNS[key]!,
    title: title ?? COLUMNS[key]!.title,
  }));
  const rows = chosen.map((process) => columns.map(({ column }) => column.value(sys, process, facts)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => {
        const { column, title } = columns[i]!;
        const width = Math.max(column.width, title.length);
        if (i === cells.length - 1 && column.isLeft) return cell;
        return column.isLeft ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(' ');
  const limit = sys.isatty(1) && !request.isWide ? sys.winsize(1).cols || 80 : Number.MAX_SAFE_INTEGER;
  const lines = rows.map(line);
  if (request.hasHeader && columns.some(({ title }) => title !== ''))
    lines.unshift(line(columns.map(({ title }) => title)));
  sys.print(lines.map((text) => `${text.slice(0, limit)}\n`).join(''));
  return chosen.length > 0 ? 0 : 1;
});

function foregroundOf(sys: Sys, tty: string): number {
  const member = sys.processes().find((it) => it.tty === tty);
  const stat = member && quietly(() => sys.readText(`/proc/${member.pid}/stat`));
  // Behind the name in parentheses: state, ppid, pgrp, session, tty, tpgid.
  return Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[5] ?? 0);
}

function parse(sys: Sys, args: readonly string[]): Request | string {
  const request: Request = {
    columns: keyed(FORMATS.plain),
    select: 'own',
    pids: [],
    uids: [],
    commands: [],
    hasHeader: true,
    isWide: false,
    sort: [],
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (/^\d+$/.test(arg)) {
      request.select = 'list';
      request.pids.push(Number(arg));
      continue;
    }
    if (arg.startsWith('--')) {
      const [name, value = args[i + 1] ?? ''] = arg.slice(2).split('=');
      if (name === 'no-headers' || name === 'no-heading') request.hasHeader = false;
      else if (name === 'sort') request.sort = value.split(',');
      else if (name === 'pid') take(sys, request, 'p', value);
      else if (name !== 'headers' && name !== 'forest') return 'Unknown gnu long option.';
      if (!arg.includes('=') && (name === 'sort' || name === 'pid')) i++;
      continue;
    }
    const isUnix = arg.startsWith('-');
    const letters = isUnix ? arg.slice(1) : arg;
    for (let j = 0; j < letters.length; j++) {
      const letter = letters[j]!;
      const takes = isUnix ? 'pouCtUgG' : 'opUt';
      if (takes.includes(letter) && !(letter === 'u' && !isUnix)) {
        const value = letters.slice(j + 1) || args[++i];
        if (value === undefined) return isUnix ? 'List of process IDs must follow -p.' : 'Garbage option.';
        const problem = take(sys, request, letter, value);
        if (problem !== undefined) return problem;
        break;
      }
      const problem = flag(request, letter, isUnix, letters);
      if (problem !== undefined) return problem;
    }
  }
  return request;
}

function flag(request: Request, letter: string, isUnix: boolean, letters: string): string | undefined {
  if (isUnix) {
    if (letter === 'e' || letter === 'A') request.select = 'all';
    else if (letter === 'f') request.columns = keyed(FORMATS.full);
    else if (letter === 'l') request.columns = keyed(FORMATS.long);
    else if (letter === 'a' || letter === 'x') {
      if (letters.includes('x')) {
        request.select = 'all';
        if (!letters.includes('u')) request.columns = keyed(FORMATS.bsd);
      } else if (request.select === 'own') request.select = 'terminal';
    } else if (letter === 'w') request.isWide = true;
    else if (letter === 'H' || letter === 'y' || letter === 'j' || letter === 'L') return undefined;
    else return 'Unsupported SysV option.';
    return undefined;
  }
  if (request.columns.every(({ key }, i) => FORMATS.plain[i] === key)) request.columns = keyed(FORMATS.bsd);
  if (letter === 'u') request.columns = keyed(FORMATS.user);
  else if (letter === 'l') request.columns = keyed(FORMATS.long);
  else if (letter === 'a') request.select = request.select === 'own' || request.select === 'list' ? 'terminal' : 'all';
  else if (letter === 'x') request.select = 'all';
  else if (letter === 'w') request.isWide = true;
  else if (letter === 'h') request.hasHeader = false;
  else if (!'fjcen'.includes(letter)) return 'Unsupported option (BSD syntax)';
  return undefined;
}

function take(sys: Sys, request: Request, letter: string, value: string): string | undefined {
  if (letter === 'o') {
    const columns: { key: string; title?: string }[] = [];
    for (const word of value.split(/[, ]+/)) {
      const equals = word.indexOf('=');
      const name = (equals < 0 ? word : word.slice(0, equals)).toLowerCase();
      const key = ALIASES[name] ?? name;
      if (!COLUMNS[key]) return `Unknown user-defined format specifier "${word}".`;
      columns.push(equals < 0 ? { key } : { key, title: word.slice(equals + 1) });
    }
    request.columns = columns;
    return undefined;
  }
  request.select = 'list';
  const parts = value.split(/[, ]+/);
  if (letter === 'p') {
    if (parts.some((part) => !/^\d+$/.test(part))) return 'Process ID list syntax error.';
    request.pids.push(...parts.map(Number));
  } else if (letter === 'u' || letter === 'U') {
    for (const part of parts) {
      const uid = uidOf(sys, part);
      if (uid === undefined) return 'User name does not exist.';
      request.uids.push(uid);
    }
  } else if (letter === 'C') request.commands.push(...parts);
  else if (letter === 't') {
    const found = sys
      .processes()
      .filter(({ tty }) => tty !== undefined && parts.some((part) => part.replace('/dev/', '') === tty));
    request.pids.push(...found.map(({ pid }) => pid));
  } else return 'Unsupported option.';
  return undefined;
}

function select(sys: Sys, request: Request): ProcessInfo[] {
  const all = sys.processes();
  const own = all.find(({ pid }) => pid === sys.pid);
  const isWanted = (it: ProcessInfo): boolean => {
    switch (request.select) {
      case 'all':
        return true;
      case 'own':
        return it.tty === own?.tty && it.uid === sys.uid && (own?.tty !== undefined || it.sid === sys.sid);
      case 'terminal':
        return it.tty !== undefined;
      case 'list':
        return request.pids.includes(it.pid) || request.uids.includes(it.uid) || request.commands.includes(it.comm);
    }
  };
  const chosen = all.filter(isWanted);
  for (const key of [...request.sort].reverse()) {
    const sign = key.startsWith('-') ? -1 : 1;
    const name = key.replace(/^[-+]/, '');
    chosen.sort((a, b) => sign * compare(sys, ALIASES[name] ?? name, a, b));
  }
  return chosen;
}

function compare(sys: Sys, key: string, a: ProcessInfo, b: ProcessInfo): number {
  if (key === 'pcpu') return cpuShare(sys, a) - cpuShare(sys, b);
  if (key === 'rss' || key === 'pmem' || key === 'vsz') return a.rssKiB - b.rssKiB;
  if (key === 'time') return a.cpuNs - b.cpuNs;
  if (key === 'start') return a.startNs - b.startNs;
  if (key === 'comm' || key === 'cmd') return a.comm < b.comm ? -1 : a.comm > b.comm ? 1 : 0;
  if (key === 'ppid') return a.ppid - b.ppid;
  return a.pid - b.pid;
}
