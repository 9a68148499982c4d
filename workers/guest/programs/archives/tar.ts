/** tar: ustar archives, made, listed and unpacked (GNU tar 1.15, the common part). */
import { gunzipSync, gzipSync } from 'fflate';
import { strerror } from '../../../lib/errno';
import { patternRegExp } from '../../shell/pattern';
import { again, exit, type Program, type Sys, SysError, wait } from '../../sys';
import { formatDate } from '../dates';
import { modeText } from '../modes';
import { guarded, parseOptions, quietly, ToolError, type ToolSpec, UsageError } from '../options';
import { dirName, joinPath } from '../paths';
import { splitLines } from '../text/lines';
import { BLOCK, endOfMembers, header, type Member, members, TYPE } from './tarFormat';

/** Archives are filled up to whole records. */
const RECORD = 20 * BLOCK;
const decoder = new TextDecoder();
const SPEC: ToolSpec = {
  usage: '[OPTION]... [FILE]...',
  options: 'cxtrvzjZf:C:pkmT:X:O',
  long: {
    create: 'c',
    extract: 'x',
    get: 'x',
    list: 't',
    verbose: 'v',
    gzip: 'z',
    file: 'f',
    directory: 'C',
    'preserve-permissions': 'p',
    'same-permissions': 'p',
    append: 'r',
    'keep-old-files': 'k',
    touch: 'm',
    'to-stdout': 'O',
    'files-from': 'T',
    'exclude-from': 'X',
    exclude: 'exclude:',
    'strip-components': 'strip:',
    'numeric-owner': 'numeric',
    bzip2: 'j',
    gunzip: 'z',
    ungzip: 'z',
  },
  usageStatus: 2,
};
interface TarState {
  /** Standard input, when the archive comes from there. */
  chunks: Uint8Array[] | null;
}

export const tar: Program<TarState> = {
  name: 'tar',
  start: () => ({ chunks: null }),
  step(sys, state) {
    // `tar xzf FILE`: the first word's letters need no dash, and take their arguments from the words behind.
    const args = sys.argv.slice(1);
    const parsed = guarded(sys, 'tar', SPEC, () => {
      const options = parseOptions(withDash(args), SPEC);
      if (options.list.filter(([it]) => 'cxtr'.includes(it)).length > 1)
        throw new UsageError("You may not specify more than one `-Acdtrux' option");
      if (!options.has('c', 'x', 't', 'r')) throw new UsageError("You must specify one of the `-Acdtrux' options");
      return options;
    });
    if (typeof parsed === 'number') return exit(parsed);
    const file = parsed.value('f') ?? '-';
    if (parsed.has('j', 'Z')) return exit(cannotRun(sys, parsed.has('j') ? 'bzip2' : 'compress'));
    const usesStdin = (!parsed.has('c', 'r') && file === '-') || parsed.value('T') === '-';
    if (usesStdin) {
      const bytes = sys.read(0);
      if (bytes === undefined) return wait({ readable: 0 });
      state.chunks ??= [];
      if (bytes.length > 0) {
        state.chunks.push(bytes);
        return again();
      }
    }
    const work = () => {
      const input = join(state.chunks ?? []);
      const old = parsed.has('c') || file === '-' ? new Uint8Array(0) : readArchive(sys, file, parsed.has('r'));
      const target = file === '-' || file.startsWith('/') ? file : joinPath(sys.cwd, file);
      const listed = parsed.value('T');
      const names =
        listed === undefined ? [] : splitLines(listed === '-' ? decoder.decode(input) : sys.readText(listed));
      const request: Request = {
        words: [...parsed.words, ...names],
        excluded: [
          ...parsed.list.flatMap(([name, value]) => (name === 'exclude' ? [value] : [])),
          ...parsed.list.flatMap(([name, value]) => (name === 'X' ? splitLines(sys.readText(value)) : [])),
        ],
        verbose: parsed.has('v'),
        zipped: parsed.has('z'),
        extract: parsed.has('x'),
        toStdout: parsed.has('O'),
        keep: parsed.has('k'),
        keepTime: !parsed.has('m'),
        numeric: parsed.has('numeric'),
        strip: Number(parsed.value('strip') ?? 0),
      };
      const dir = parsed.value('C');
      if (dir !== undefined) changeDirectory(sys, dir);
      if (parsed.has('c', 'r')) return create(sys, request, target, old);
      return unpack(sys, file === '-' ? input : old, request);
    };
    return exit(guarded(sys, 'tar', SPEC, work));
  },
};

interface Request {
  readonly words: readonly string[];
  /** Patterns of names that are left out. */
  readonly excluded: readonly string[];
  readonly verbose: boolean;
  readonly zipped: boolean;
  readonly extract: boolean;
  readonly toStdout: boolean;
  /** Files that are there already stay. */
  readonly keep: boolean;
  readonly keepTime: boolean;
  readonly numeric: boolean;
  /** So many leading parts of a name are cut off. */
  readonly strip: number;
}

/** A compressor that this system does not have. */
function cannotRun(sys: Sys, name: string): number {
  sys.eprint(
    `tar (child): ${name}: Cannot exec: No such file or directory\ntar (child): Error is not recoverable: exiting now\n`,
  );
  return 2;
}

function changeDirectory(sys: Sys, dir: string): void {
  try {
    sys.chdir(dir);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new ToolError(`${dir}: Cannot chdir: ${strerror[error.code]}\ntar: Error is not recoverable: exiting now`, 2);
  }
}

/** A pattern matches a whole name, or its end behind a slash, or a directory above it. */
function isExcluded(patterns: readonly string[], name: string): boolean {
  const parts = name.replace(/\/+$/, '').split('/');
  return patterns.some((pattern) => {
    const regex = patternRegExp(pattern.replace(/\/+$/, ''));
    return parts.some((_, from) =>
      parts.some((__, to) => to >= from && regex.test(parts.slice(from, to + 1).join('/'))),
    );
  });
}

function withDash(args: readonly string[]): string[] {
  const [first = '', ...rest] = args;
  if (first === '' || first.startsWith('-')) return [...args];
  const out: string[] = [];
  for (const letter of first)
    out.push(...('fCTX'.includes(letter) && rest.length > 0 ? [`-${letter}`, rest.shift()!] : [`-${letter}`]));
  return [...out, ...rest];
}

/** `mayBeNew`: an archive that is not there is an empty one. */
function readArchive(sys: Sys, file: string, mayBeNew: boolean): Uint8Array {
  if (mayBeNew && !sys.exists(file)) return new Uint8Array(0);
  try {
    return sys.readFile(file);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new ToolError(`${file}: Cannot open: ${strerror[error.code]}\ntar: Error is not recoverable: exiting now`, 2);
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** Makes an archive, or adds to `old`. */
function create(sys: Sys, { words, excluded, verbose, zipped }: Request, target: string, old: Uint8Array): number {
  if (words.length === 0) throw new UsageError('Cowardly refusing to create an empty archive');
  const blocks: Uint8Array[] = [old.subarray(0, endOfMembers(old))];
  let status = 0;
  let hasStripped = false;
  const links = new Map<string, string>();
  const add = (path: string) => {
    try {
      const stat = sys.lstat(path);
      if (
        sys.realpath(dirName(path)) === dirName(target) &&
        joinPath(dirName(target), path.replace(/.*\//, '')) === target
      )
        return;
      if (stat.kind === 'socket' || isExcluded(excluded, path)) return;
      let name = path.replace(/^\/+/, '');
      if (name !== path && !hasStripped) {
        sys.eprint("tar: Removing leading `/' from member names\n");
        hasStripped = true;
      }
      if (stat.kind === 'dir' && !name.endsWith('/')) name += '/';
      if (verbose) (target === '-' ? sys.eprint : sys.print).call(sys, `${name}\n`);
      const key = `${stat.dev}:${stat.ino}`;
      const earlier = stat.kind === 'file' && stat.nlink > 1 ? links.get(key) : undefined;
      const data = stat.kind === 'file' && earlier === undefined ? sys.readFile(path) : new Uint8Array(0);
      const link = earlier ?? (stat.kind === 'symlink' ? sys.readlink(path) : '');
      if (earlier === undefined) links.set(key, name);
      blocks.push(
        ...header(sys, name, stat, data.length, earlier === undefined ? TYPE[stat.kind] : '1', link),
        data,
        new Uint8Array((BLOCK - (data.length % BLOCK)) % BLOCK),
      );
      if (stat.kind === 'dir') for (const inner of [...sys.readdir(path)].sort()) add(joinPath(path, inner));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`tar: ${path}: Cannot stat: ${strerror[error.code]}\n`);
      status = 2;
    }
  };
  for (const word of words) add(word.replace(/(.)\/+$/, '$1'));
  const length = blocks.reduce((sum, block) => sum + block.length, 0);
  blocks.push(new Uint8Array(RECORD - ((length + 2 * BLOCK) % RECORD || RECORD) + 2 * BLOCK));
  const archive = join(blocks);
  const out = zipped ? gzipSync(archive, { mtime: Math.max(315532800, sys.wallClock) * 1000 }) : archive;
  if (target === '-') sys.print(out);
  else sys.writeFile(target, out);
  if (status !== 0) sys.eprint('tar: Error exit delayed from previous errors\n');
  return status;
}

/** Throws ToolError. */
function unzipped(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new ToolError('Child returned status 1\ntar: Error exit delayed from previous errors', 2);
  }
}

function unpack(sys: Sys, given: Uint8Array, request: Request): number {
  const { words, excluded, verbose, extract: isExtract, strip } = request;
  const archive = given[0] === 0x1f && given[1] === 0x8b ? unzipped(given) : given;
  const dirs: Member[] = [];
  const wanted = new Set(words.map((word) => word.replace(/\/+$/, '')));
  const found = new Set<string>();
  let status = 0;
  for (const member of members(archive)) {
    const plain = member.name.replace(/\/+$/, '');
    const hit = wanted.size === 0 || [...wanted].find((word) => plain === word || plain.startsWith(`${word}/`));
    if (!hit || isExcluded(excluded, plain)) continue;
    if (typeof hit === 'string') found.add(hit);
    if (verbose || !isExtract)
      (request.toStdout ? sys.eprint : sys.print).call(
        sys,
        verbose && !isExtract ? listing(member, request) : `${member.name}\n`,
      );
    if (!isExtract) continue;
    if (request.toStdout) {
      sys.print(member.data);
      continue;
    }
    // A member must not leave the directory it is unpacked in.
    const path = plain.replace(/^\/+/, '').split('/').slice(strip).join('/');
    if (path === '') continue;
    try {
      if (path.split('/').includes('..')) throw new SysError('EPERM');
      if (request.keep && member.stat.kind !== 'dir' && quietly(() => sys.lstat(path))) throw new SysError('EEXIST');
      extract(sys, path, member, request.keepTime);
      if (member.stat.kind === 'dir') dirs.push({ ...member, name: path });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`tar: ${member.name}: Cannot open: ${strerror[error.code]}\n`);
      status = 2;
    }
  }
  for (const { name, stat } of dirs.reverse())
    if (name !== '' && request.keepTime) quietly(() => sys.utime(name, stat.mtime, stat.mtime));
  for (const word of wanted) {
    if (found.has(word)) continue;
    sys.eprint(`tar: ${word}: Not found in archive\n`);
    status = 2;
  }
  if (status !== 0) sys.eprint('tar: Error exit delayed from previous errors\n');
  return status;
}

function listing({ name, link, type, stat, owner: names }: Member, { numeric }: Request): string {
  const owner = numeric ? `${stat.uid}/${stat.gid}` : names;
  const size = String(stat.size).padStart(Math.max(0, 18 - owner.length));
  const suffix = type === '2' ? ` -> ${link}` : type === '1' ? ` link to ${link}` : '';
  return `${type === '1' ? `h${modeText(stat).slice(1)}` : modeText(stat)} ${owner} ${size} ${formatDate('%Y-%m-%d %H:%M:%S', stat.mtime)} ${name}${suffix}\n`;
}

function extract(sys: Sys, path: string, { type, link, stat, data }: Member, keepTime: boolean): void {
  if (path === '' || path === '.') return;
  const parents = path.split('/').slice(0, -1);
  for (let i = 1; i <= parents.length; i++) {
    const parent = parents.slice(0, i).join('/');
    if (!sys.exists(parent)) sys.mkdir(parent);
  }
  if (stat.kind === 'dir') {
    if (quietly(() => sys.stat(path))?.kind !== 'dir') sys.mkdir(path);
  } else {
    if (quietly(() => sys.lstat(path))) sys.unlink(path);
    if (type === '1') {
      sys.link(link, path);
      return;
    }
    if (stat.kind === 'symlink') {
      sys.symlink(link, path);
      return;
    }
    if (stat.kind === 'file') sys.writeFile(path, data);
    else sys.mknod(path, stat.kind as 'char' | 'block' | 'fifo', stat.mode, stat.rdevMajor, stat.rdevMinor);
  }
  if (sys.uid === 0) sys.chown(path, stat.uid, stat.gid);
  sys.chmod(path, sys.uid === 0 ? stat.mode : stat.mode & ~sys.umask);
  if (stat.kind === 'file' && keepTime) sys.utime(path, stat.mtime, stat.mtime);
}
