/** Commands that make, remove and read names: mkdir, rmdir, ln, touch, mknod, mktemp, basename, dirname, readlink, realpath. */
import { strerror } from '../../../lib/errno';
import { exit, type Program, type Sys, SysError, wait } from '../../sys';
import { parseDate } from '../dates';
import { changeMode } from '../modes';
import { attempt, quietly, requireOperand, ToolError, tool, UsageError } from '../options';
import { baseName, dirName, joinPath } from '../paths';

export const mkdir = tool(
  'mkdir',
  { usage: '[OPTION] DIRECTORY...', options: 'pm:v', long: { parents: 'p', mode: 'm', verbose: 'v' } },
  (sys, options, words) => {
    requireOperand(words);
    const change = options.value('m');
    const mode = change === undefined ? undefined : changeMode(change, { kind: 'dir', mode: 0o777 }, sys.umask);
    if (change !== undefined && mode === undefined) throw new ToolError(`invalid mode \`${change}'`);
    let status = 0;
    for (const path of words) {
      const isOk = attempt(sys, 'mkdir', `cannot create directory \`${path}'`, () => {
        if (options.has('p')) makeParents(sys, path, options.has('v'));
        if (options.has('p') && quietly(() => sys.stat(path))?.kind === 'dir') return;
        sys.mkdir(path);
        if (mode !== undefined) sys.chmod(path, mode);
        if (options.has('v')) sys.print(`mkdir: created directory \`${path}'\n`);
      });
      if (!isOk) status = 1;
    }
    return status;
  },
);

function makeParents(sys: Sys, path: string, isVerbose: boolean): void {
  const parent = dirName(path);
  if (parent === '/' || parent === '.' || sys.exists(parent)) return;
  makeParents(sys, parent, isVerbose);
  sys.mkdir(parent);
  if (isVerbose) sys.print(`mkdir: created directory \`${parent}'\n`);
}

export const rmdir = tool(
  'rmdir',
  {
    usage: '[OPTION]... DIRECTORY...',
    options: 'pv',
    long: { parents: 'p', verbose: 'v', 'ignore-fail-on-non-empty': 'ignore' },
  },
  (sys, options, words) => {
    requireOperand(words);
    let status = 0;
    for (const word of words) {
      for (let path = word; ; path = dirName(path)) {
        if (options.has('v')) sys.print(`rmdir: removing directory, ${path}\n`);
        if (!attempt(sys, 'rmdir', `${path}`, () => sys.rmdir(path))) {
          status = 1;
          break;
        }
        if (!options.has('p') || !path.includes('/') || dirName(path) === '/') break;
      }
    }
    return status;
  },
);

export const ln = tool(
  'ln',
  {
    usage: '[OPTION]... TARGET LINK_NAME',
    options: 'sfnivT',
    long: { symbolic: 's', force: 'f', 'no-dereference': 'n', verbose: 'v' },
  },
  (sys, options, words) => {
    if (words.length === 0) throw new UsageError('missing file operand');
    const last = words.length === 1 ? '.' : words.at(-1)!;
    const targets = words.length === 1 ? words : words.slice(0, -1);
    const stat = quietly(() => (options.has('n') ? sys.lstat(last) : sys.stat(last)));
    const isDir = stat?.kind === 'dir' && !options.has('T');
    if (targets.length > 1 && !isDir) throw new ToolError(`target \`${last}' is not a directory`);
    let status = 0;
    for (const target of targets) {
      const path = isDir ? joinPath(last, baseName(target)) : last;
      const kind = options.has('s') ? 'symbolic link' : 'hard link';
      try {
        if (!options.has('s') && sys.lstat(target).kind === 'dir')
          throw new ToolError(`\`${target}': hard link not allowed for directory`);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        throw new ToolError(`accessing \`${target}': ${strerror[error.code]}`);
      }
      const isOk = attempt(sys, 'ln', `creating ${kind} \`${path}' to \`${target}'`, () => {
        if (options.has('f') && quietly(() => sys.lstat(path))) sys.unlink(path);
        if (options.has('s')) sys.symlink(target, path);
        else sys.link(target, path);
        if (options.has('v')) sys.print(`create ${kind} \`${path}' to \`${target}'\n`);
      });
      if (!isOk) status = 1;
    }
    return status;
  },
);

export const touch = tool(
  'touch',
  { usage: '[OPTION]... FILE...', options: 'acmr:t:d:f', long: { 'no-create': 'c', reference: 'r', date: 'd' } },
  (sys, options, words) => {
    if (words.length === 0) throw new UsageError('missing file operand');
    const time = touchTime(sys, options.value('r'), options.value('t'), options.value('d'));
    let status = 0;
    for (const path of words) {
      const isOk = attempt(sys, 'touch', `cannot touch \`${path}'`, () => {
        if (!sys.exists(path)) {
          if (options.has('c')) return;
          sys.close(sys.open(path, { write: true, create: true }));
        }
        const old = sys.stat(path);
        sys.utime(
          path,
          options.has('m') && !options.has('a') ? old.atime : time,
          options.has('a') && !options.has('m') ? old.mtime : time,
        );
      });
      if (!isOk) status = 1;
    }
    return status;
  },
);

/** [[CC]YY]MMDDhhmm[.ss] of -t, a date of -d, or another file's time. */
function touchTime(
  sys: Sys,
  reference: string | undefined,
  stamp: string | undefined,
  date: string | undefined,
): number {
  if (reference !== undefined) return sys.stat(reference).mtime;
  if (date !== undefined) {
    const time = parseDate(date, sys.wallClock);
    if (time === undefined) throw new ToolError(`invalid date format \`${date}'`);
    return time;
  }
  if (stamp === undefined) return sys.wallClock;
  const match = /^(\d\d)?(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?$/.exec(stamp);
  if (!match) throw new ToolError(`invalid date format \`${stamp}'`);
  const [, a, b, month, day, hours, minutes, seconds] = match;
  const [century, short] = b === undefined ? [undefined, a] : [a, b];
  const year =
    short === undefined
      ? new Date(sys.wallClock * 1000).getUTCFullYear()
      : Number(century ?? (Number(short) < 69 ? '20' : '19')) * 100 + Number(short);
  return Date.UTC(year, Number(month) - 1, Number(day), Number(hours), Number(minutes), Number(seconds ?? 0)) / 1000;
}

export const mknod = tool(
  'mknod',
  { usage: '[OPTION]... NAME TYPE [MAJOR MINOR]', options: 'm:', long: { mode: 'm' } },
  (sys, options, words) => {
    const [path, type, major, minor] = words;
    if (path === undefined) throw new UsageError('missing operand');
    if (type === undefined) throw new UsageError(`missing operand after \`${path}'`);
    if (!['b', 'c', 'u', 'p'].includes(type)) throw new UsageError(`invalid device type \`${type}'`);
    if (type === 'p' && words.length > 2) throw new UsageError('Fifos do not have major and minor device numbers.');
    if (type !== 'p' && minor === undefined)
      throw new UsageError('Special files require major and minor device numbers.');
    for (const [text, name] of [
      [major, 'major'],
      [minor, 'minor'],
    ] as const)
      if (type !== 'p' && !/^\d+$/.test(text!)) throw new ToolError(`invalid ${name} device number \`${text}'`);
    const mode = changeMode(options.value('m') ?? '666', { kind: 'file', mode: 0o666 }, sys.umask);
    if (mode === undefined) throw new ToolError('invalid mode');
    const kind = type === 'b' ? 'block' : type === 'p' ? 'fifo' : 'char';
    const isOk = attempt(sys, 'mknod', `\`${path}'`, () => {
      sys.mknod(path, kind, mode, Number(major ?? 0), Number(minor ?? 0));
      if (options.has('m')) sys.chmod(path, mode);
    });
    return isOk ? 0 : 1;
  },
);

export const mkfifo = tool('mkfifo', { usage: '[OPTION] NAME...', options: 'm:' }, (sys, options, words) => {
  requireOperand(words);
  const mode = changeMode(options.value('m') ?? '666', { kind: 'file', mode: 0o666 }, sys.umask);
  if (mode === undefined) throw new ToolError('invalid mode');
  const failed = words.filter(
    (path) => !attempt(sys, 'mkfifo', `cannot create fifo \`${path}'`, () => sys.mknod(path, 'fifo', mode, 0, 0)),
  );
  return failed.length > 0 ? 1 : 0;
});

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

export const mktemp = tool(
  'mktemp',
  { usage: '[-d] [-q] [-t | -p DIR] [TEMPLATE]', options: 'dqtp:u', long: { directory: 'd', quiet: 'q', tmpdir: 'p' } },
  (sys, options, words) => {
    const given = words[0] ?? 'tmp.XXXXXXXXXX';
    const base = options.value('p') ?? sys.env['TMPDIR'] ?? '/tmp';
    const template = words[0] === undefined || options.has('t', 'p') ? joinPath(base, given) : given;
    const marks = /X+$/.exec(template)?.[0].length ?? 0;
    if (marks < 3) throw new ToolError(`cannot create temp file ${given}: Invalid argument`);
    for (;;) {
      const random = Array.from({ length: marks }, () => LETTERS[sys.random(LETTERS.length)]).join('');
      const path = template.slice(0, -marks) + random;
      if (quietly(() => sys.lstat(path))) continue;
      if (!options.has('u')) {
        if (options.has('d')) sys.mkdir(path, 0o700);
        else sys.close(sys.open(path, { write: true, create: true, exclusive: true, mode: 0o600 }));
      }
      sys.print(`${path}\n`);
      return 0;
    }
  },
);

export const basename = tool('basename', { usage: 'NAME [SUFFIX]', options: '', stopAtWord: true }, (sys, _, words) => {
  requireOperand(words);
  if (words.length > 2) throw new UsageError(`extra operand \`${words[2]}'`);
  const [path = '', suffix = ''] = words;
  const base = baseName(path);
  sys.print(`${suffix !== '' && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base}\n`);
});

export const dirname = tool('dirname', { usage: 'NAME', options: '', stopAtWord: true }, (sys, _, words) => {
  requireOperand(words);
  if (words.length > 1) throw new UsageError(`extra operand \`${words[1]}'`);
  sys.print(`${dirName(words[0]!)}\n`);
});

/** The path without links; `mustExist`: how much of it has to be there. Undefined: it is not. */
function canonical(sys: Sys, path: string, mustExist: 'all' | 'parent' | 'none'): string | undefined {
  const whole = quietly(() => sys.realpath(path));
  if (whole !== undefined || mustExist === 'all') return whole;
  const link = quietly(() => sys.readlink(path));
  if (link !== undefined) return canonical(sys, link.startsWith('/') ? link : joinPath(dirName(path), link), mustExist);
  const parent =
    mustExist === 'none' && dirName(path) !== path
      ? canonical(sys, dirName(path), 'none')
      : quietly(() => sys.realpath(dirName(path)));
  return parent === undefined ? undefined : joinPath(parent, baseName(path));
}

export const readlink = tool(
  'readlink',
  { usage: '[OPTION]... FILE', options: 'femnqsvz', long: { canonicalize: 'f', 'no-newline': 'n' } },
  (sys, options, words) => {
    requireOperand(words);
    let status = 0;
    for (const path of words) {
      const text = options.has('f', 'e', 'm')
        ? canonical(sys, path, options.has('e') ? 'all' : options.has('m') ? 'none' : 'parent')
        : quietly(() => sys.readlink(path));
      if (text === undefined) status = 1;
      else sys.print(options.has('n') ? text : `${text}\n`);
    }
    return status;
  },
);

export const realpath = tool('realpath', { usage: 'FILE...', options: 'esmqz' }, (sys, options, words) => {
  requireOperand(words);
  let status = 0;
  for (const path of words) {
    const text = canonical(sys, path, options.has('e') ? 'all' : 'parent');
    if (text === undefined) {
      sys.eprint(`realpath: ${path}: No such file or directory\n`);
      status = 1;
    } else sys.print(`${text}\n`);
  }
  return status;
});

/** How often it looks whether the disks have everything, ns. */
const SYNC_POLL_NS = 1e6;

/** sync ends when everything is on the disks. */
export const sync: Program<null> = {
  name: 'sync',
  start: () => null,
  step: (sys) => (sys.sync() ? exit(0) : wait({ untilNs: sys.nowNs + SYNC_POLL_NS })),
};

export const truncate = tool('truncate', { usage: '-s SIZE FILE...', options: 's:c' }, (sys, options, words) => {
  const match = /^([+-]?)(\d+)([kKMG]?)$/.exec(options.value('s') ?? '');
  if (!match)
    throw new UsageError(options.has('s') ? `invalid number \`${options.value('s')}'` : "you must specify `--size'");
  if (words.length === 0) throw new UsageError('missing file operand');
  const size = Number(match[2]) * ({ k: 1024, K: 1024, M: 1048576, G: 1073741824 }[match[3]!] ?? 1);
  let status = 0;
  for (const path of words) {
    const isOk = attempt(sys, 'truncate', `cannot open \`${path}' for writing`, () => {
      if (!sys.exists(path)) {
        if (options.has('c')) return;
        sys.close(sys.open(path, { write: true, create: true }));
      }
      const old = sys.stat(path).size;
      sys.truncate(path, match[1] === '+' ? old + size : match[1] === '-' ? Math.max(0, old - size) : size);
    });
    if (!isOk) status = 1;
  }
  return status;
});
