/** tar: ustar archives, made, listed and unpacked (GNU tar 1.15: c, x, t, v, z, f, C, p). */
import { gunzipSync, gzipSync } from 'fflate';
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Sys, SysError, wait } from '../../sys';
import { formatDate } from '../dates';
import { modeText } from '../modes';
import { guarded, parseOptions, quietly, type ToolSpec, UsageError } from '../options';
import { dirName, joinPath } from '../paths';
import { BLOCK, header, type Member, members, TYPE } from './tarFormat';

const SPEC: ToolSpec = {
  usage: '[OPTION]... [FILE]...',
  options: 'cxtvzf:C:pPkmhSO',
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
      if (!options.has('c', 'x', 't')) throw new UsageError("You must specify one of the `-Acdtrux' options");
      return options;
    });
    if (typeof parsed === 'number') return exit(parsed);
    const file = parsed.value('f') ?? '-';
    if (!parsed.has('c') && file === '-') {
      const bytes = sys.read(0);
      if (bytes === undefined) return wait({ readable: 0 });
      state.chunks ??= [];
      if (bytes.length > 0) {
        state.chunks.push(bytes);
        return again();
      }
    }
    const dir = parsed.value('C');
    const work = () => {
      const read = !parsed.has('c') && file !== '-' ? readArchive(sys, file) : join(state.chunks ?? []);
      const target = file === '-' || file.startsWith('/') ? file : joinPath(sys.cwd, file);
      if (dir !== undefined) sys.chdir(dir);
      if (parsed.has('c')) return create(sys, parsed.words, target, parsed.has('v'), parsed.has('z'));
      return unpack(sys, read, parsed.words, parsed.has('x'), parsed.has('v'), parsed.has('O'));
    };
    return exit(guarded(sys, 'tar', SPEC, work));
  },
};

function withDash(args: readonly string[]): string[] {
  const [first = '', ...rest] = args;
  if (first === '' || first.startsWith('-')) return [...args];
  const out: string[] = [];
  for (const letter of first)
    out.push(...('fC'.includes(letter) && rest.length > 0 ? [`-${letter}`, rest.shift()!] : [`-${letter}`]));
  return [...out, ...rest];
}

function readArchive(sys: Sys, file: string): Uint8Array {
  try {
    return sys.readFile(file);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new SysError(error.code, `${file}: Cannot open`);
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

function create(sys: Sys, words: readonly string[], target: string, isVerbose: boolean, isZipped: boolean): number {
  if (words.length === 0) throw new UsageError('Cowardly refusing to create an empty archive');
  const blocks: Uint8Array[] = [];
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
      if (stat.kind === 'socket') return;
      let name = path.replace(/^\/+/, '');
      if (name !== path && !hasStripped) {
        sys.eprint("tar: Removing leading `/' from member names\n");
        hasStripped = true;
      }
      if (stat.kind === 'dir' && !name.endsWith('/')) name += '/';
      if (isVerbose) (target === '-' ? sys.eprint : sys.print).call(sys, `${name}\n`);
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
  blocks.push(new Uint8Array(10240 - ((length + 1024) % 10240 || 10240) + 1024));
  const archive = join(blocks);
  const out = isZipped ? gzipSync(archive, { mtime: Math.max(315532800, sys.wallClock) * 1000 }) : archive;
  if (target === '-') sys.print(out);
  else sys.writeFile(target, out);
  if (status !== 0) sys.eprint('tar: Error exit delayed from previous errors\n');
  return status;
}

function unpack(
  sys: Sys,
  given: Uint8Array,
  words: readonly string[],
  isExtract: boolean,
  isVerbose: boolean,
  toStdout: boolean,
): number {
  const archive = given[0] === 0x1f && given[1] === 0x8b ? gunzipSync(given) : given;
  const dirs: Member[] = [];
  const wanted = new Set(words.map((word) => word.replace(/\/+$/, '')));
  const found = new Set<string>();
  let status = 0;
  for (const member of members(archive)) {
    const plain = member.name.replace(/\/+$/, '');
    const hit = wanted.size === 0 || [...wanted].find((word) => plain === word || plain.startsWith(`${word}/`));
    if (!hit) continue;
    if (typeof hit === 'string') found.add(hit);
    if (isVerbose || !isExtract) sys.print(isVerbose && !isExtract ? listing(member) : `${member.name}\n`);
    if (!isExtract) continue;
    if (toStdout) {
      sys.print(member.data);
      continue;
    }
    // A member must not leave the directory it is unpacked in.
    const path = plain.replace(/^\/+/, '');
    try {
      if (path.split('/').includes('..')) throw new SysError('EPERM');
      extract(sys, path, member);
      if (member.stat.kind === 'dir') dirs.push({ ...member, name: path });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`tar: ${member.name}: Cannot open: ${strerror[error.code]}\n`);
      status = 2;
    }
  }
  for (const { name, stat } of dirs.reverse()) if (name !== '') quietly(() => sys.utime(name, stat.mtime, stat.mtime));
  for (const word of wanted) {
    if (found.has(word)) continue;
    sys.eprint(`tar: ${word}: Not found in archive\n`);
    status = 2;
  }
  if (status !== 0) sys.eprint('tar: Error exit delayed from previous errors\n');
  return status;
}

function listing({ name, link, type, stat, owner }: Member): string {
  const size = String(stat.size).padStart(Math.max(0, 18 - owner.length));
  const suffix = type === '2' ? ` -> ${link}` : type === '1' ? ` link to ${link}` : '';
  return `${type === '1' ? `h${modeText(stat).slice(1)}` : modeText(stat)} ${owner} ${size} ${formatDate('%Y-%m-%d %H:%M:%S', stat.mtime)} ${name}${suffix}\n`;
}

function extract(sys: Sys, path: string, { type, link, stat, data }: Member): void {
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
  if (stat.kind === 'file') sys.utime(path, stat.mtime, stat.mtime);
}
