/** gzip, gunzip and zcat (gzip 1.3), over deflate of the fflate library. */
import { gunzipSync, gzipSync } from 'fflate';
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Sys, SysError, wait } from '../../sys';
import { optionsOf, type ToolSpec } from '../options';

const SPEC: ToolSpec = {
  usage: '[-cdfhlLnNrtvV19] [file ...]',
  options: 'cdfkqtvnl123456789',
  long: {
    stdout: 'c',
    decompress: 'd',
    force: 'f',
    keep: 'k',
    quiet: 'q',
    test: 't',
    list: 'l',
    verbose: 'v',
    fast: '1',
    best: '9',
  },
};

interface GzipState {
  status: number;
  readonly toStdout: boolean;
  readonly decompress: boolean;
  readonly force: boolean;
  readonly keep: boolean;
  readonly test: boolean;
  readonly verbose: boolean;
  readonly list: boolean;
  /** -l: the heading was printed. */
  hasHeading: boolean;
  readonly level: number;
  files: string[];
  /** Standard input as it arrives. */
  input: Uint8Array[] | null;
  isWrong: boolean;
}

const gzipProgram = (name: 'gzip' | 'gunzip' | 'zcat'): Program<GzipState> => ({
  name,
  start(sys) {
    const options = optionsOf(sys, name, SPEC);
    const given = typeof options === 'number' ? undefined : options;
    return {
      status: typeof options === 'number' ? options : 0,
      toStdout: name === 'zcat' || (given?.has('c', 't', 'l') ?? false),
      decompress: name !== 'gzip' || (given?.has('d', 't', 'l') ?? false),
      force: given?.has('f') ?? false,
      keep: given?.has('k') ?? false,
      test: given?.has('t') ?? false,
      verbose: given?.has('v') ?? false,
      list: given?.has('l') ?? false,
      hasHeading: false,
      level: Number(given?.list.filter(([it]) => /^\d$/.test(it)).at(-1)?.[0] ?? 6),
      files: given ? (given.words.length > 0 ? [...given.words] : ['-']) : [],
      input: null,
      isWrong: typeof options === 'number',
    };
  },
  step(sys, state) {
    const file = state.files[0];
    if (state.isWrong || file === undefined) return exit(state.status);
    if (file === '-') {
      const bytes = sys.read(0);
      if (bytes === undefined) return wait({ readable: 0 });
      state.input ??= [];
      if (bytes.length > 0) {
        state.input.push(bytes);
        return again();
      }
      const out = convert(sys, state, name, 'stdin', join(state.input));
      if (out && state.list) list(sys, state, 'stdout', join(state.input).length, out.length);
      else if (out && !state.test) sys.print(out);
      state.input = null;
    } else {
      try {
        convertFile(sys, state, name, file);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        sys.eprint(`${name}: ${file}: ${strerror[error.code]}\n`);
        state.status = 1;
      }
    }
    state.files.shift();
    return again();
  },
});

function convert(sys: Sys, state: GzipState, name: string, label: string, bytes: Uint8Array): Uint8Array | undefined {
  if (!state.decompress)
    return gzipSync(bytes, { level: state.level as 6, mtime: Math.max(315532800, sys.wallClock) * 1000 });
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    sys.eprint(`\n${name}: ${label}: not in gzip format\n`);
    state.status = 1;
    return undefined;
  }
  try {
    return gunzipSync(bytes);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    sys.eprint(
      `\n${name}: ${label}: ${/unexpected EOF/i.test(error.message) ? 'unexpected end of file' : 'invalid compressed data--format violated'}\n`,
    );
    state.status = 1;
    return undefined;
  }
}

function convertFile(sys: Sys, state: GzipState, name: string, given: string): void {
  const file = state.decompress && !/\.(t?gz|Z)$/.test(given) && !sys.exists(given) ? `${given}.gz` : given;
  const stat = sys.lstat(file);
  const complain = (text: string, status: number) => {
    sys.eprint(`${name}: ${file}${text}\n`);
    state.status = Math.max(state.status, status);
  };
  if (stat.kind === 'dir') {
    complain(' is a directory -- ignored', 2);
    return;
  }
  if (stat.kind !== 'file' && !state.toStdout) {
    complain(' is not a directory or a regular file - ignored', 2);
    return;
  }
  if (!state.toStdout && state.decompress && !/\.(t?gz)$/.test(file)) {
    complain(': unknown suffix -- ignored', 2);
    return;
  }
  if (!state.toStdout && !state.decompress && /\.gz$/.test(file) && !state.force) {
    complain(' already has .gz suffix -- unchanged', 2);
    return;
  }
  const input = sys.readFile(file);
  const out = convert(sys, state, name, file, input);
  if (out && state.list) list(sys, state, file.replace(/\.gz$/, ''), input.length, out.length);
  if (!out || state.test || state.list) return;
  if (state.toStdout) {
    sys.print(out);
    return;
  }
  const target = state.decompress ? file.replace(/\.tgz$/, '.tar').replace(/\.gz$/, '') : `${file}.gz`;
  if (sys.exists(target) && !state.force) {
    complain(`: ${target} already exists;\tnot overwritten`, 2);
    return;
  }
  sys.writeFile(target, out);
  sys.chmod(target, stat.mode);
  if (sys.uid === 0) sys.chown(target, stat.uid, stat.gid);
  sys.utime(target, stat.atime, stat.mtime);
  if (state.verbose)
    sys.eprint(
      `${file}:\t${state.decompress ? ratio(input.length, out.length) : ratio(out.length, input.length)} -- replaced with ${target}\n`,
    );
  if (!state.keep) sys.unlink(file);
}

/** How much smaller the compressed data are; the 18 bytes of header and trailer do not count. */
function ratio(compressed: number, plain: number): string {
  return `${(plain === 0 ? 0 : 100 * (1 - (compressed - 18) / plain)).toFixed(1).padStart(5)}%`;
}

function list(sys: Sys, state: GzipState, name: string, compressed: number, plain: number): void {
  if (!state.hasHeading) sys.print('         compressed        uncompressed  ratio uncompressed_name\n');
  state.hasHeading = true;
  sys.print(`${String(compressed).padStart(19)} ${String(plain).padStart(19)} ${ratio(compressed, plain)} ${name}\n`);
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

export const gzip = gzipProgram('gzip');
export const gunzip = gzipProgram('gunzip');
export const zcat = gzipProgram('zcat');
