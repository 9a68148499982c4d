/** tail: the last lines or bytes of files; with -f what is added to them later (coreutils 5.97). */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { guarded, optionsOf, quietly, ToolError, type ToolSpec } from '../options';

interface TailState {
  readonly status: number;
  readonly files: readonly string[];
  readonly count: number;
  readonly isBytes: boolean;
  /** `+N`: from the N-th on. */
  readonly fromStart: boolean;
  readonly follow: 'no' | 'descriptor' | 'name';
  readonly intervalNs: number;
  readonly showNames: boolean;
  index: number;
  fd: number;
  /** The end of what was read, or (from the start) how much is still to be skipped. */
  kept: Uint8Array;
  skip: number;
  failed: boolean;
  /** Followed files. */
  open: { file: string; fd: number; size: number; ino: number }[];
  shown: string;
}

const SPEC: ToolSpec = {
  usage: '[OPTION]... [FILE]...',
  options: 'n:c:fFqvs:',
  long: {
    lines: 'n',
    bytes: 'c',
    follow: 'follow::',
    quiet: 'q',
    verbose: 'v',
    'sleep-interval': 's',
    retry: 'retry',
    pid: 'pid:',
  },
};

export const tail: Program<TailState> = {
  name: 'tail',
  start(sys) {
    const none = {
      status: 1,
      files: [],
      count: 0,
      isBytes: false,
      fromStart: false,
      follow: 'no',
      intervalNs: 1e9,
      showNames: false,
    } as const;
    const rest = () => ({ index: 0, fd: -1, kept: new Uint8Array(0), skip: 0, failed: false, open: [], shown: '' });
    const args = sys.argv
      .slice(1)
      .map((arg, i) => ((i === 0 ? /^[-+]\d+$/ : /^-\d+$/).test(arg) ? `-n${arg.replace(/^-/, '')}` : arg));
    const options = optionsOf(sys, 'tail', SPEC, args);
    if (typeof options === 'number') return { ...none, status: options, ...rest() };
    const made = guarded(sys, 'tail', SPEC, (): Omit<TailState, keyof ReturnType<typeof rest>> => {
      const last = options.list.filter(([name]) => name === 'n' || name === 'c').at(-1);
      const isBytes = last?.[0] === 'c';
      const match = /^([-+]?)(\d+)([bkm]?)$/.exec(last?.[1] ?? '10');
      if (!match) throw new ToolError(`${last![1]}: invalid number of ${isBytes ? 'bytes' : 'lines'}`);
      const files = options.words.length > 0 ? options.words : ['-'];
      return {
        status: -1,
        files,
        count: Number(match[2]) * { '': 1, b: 512, k: 1024, m: 1048576 }[match[3]!]!,
        isBytes,
        fromStart: match[1] === '+',
        follow:
          options.has('F') || options.value('follow') === 'name'
            ? 'name'
            : options.has('f', 'follow')
              ? 'descriptor'
              : 'no',
        intervalNs: Number(options.value('s') ?? 1) * 1e9,
        showNames: !options.has('q') && (options.has('v') || files.length > 1),
      };
    });
    return typeof made === 'number' ? { ...none, status: made, ...rest() } : { ...made, ...rest() };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (state.index < state.files.length) return readFile(sys, state, state.files[state.index]!);
    if (state.follow === 'no' || state.open.length === 0) return exit(state.failed ? 1 : 0);
    follow(sys, state);
    return wait({ untilNs: sys.nowNs + state.intervalNs });
  },
};

function heading(sys: Sys, state: TailState, file: string): void {
  if (!state.showNames || state.shown === file) return;
  sys.print(`${state.shown === '' ? '' : '\n'}==> ${file === '-' ? 'standard input' : file} <==\n`);
  state.shown = file;
}

function readFile(sys: Sys, state: TailState, file: string): Step {
  try {
    if (state.fd < 0) {
      state.fd = file === '-' ? 0 : sys.open(file, { read: true });
      heading(sys, state, file);
      state.kept = new Uint8Array(0);
      state.skip = state.fromStart ? Math.max(0, state.count - 1) : 0;
      skipToEnd(sys, state);
    }
    const bytes = sys.read(state.fd);
    if (bytes === undefined) return wait({ readable: state.fd });
    if (bytes.length > 0) {
      take(sys, state, bytes);
      return again();
    }
    sys.print(state.kept);
    const stat = quietly(() => sys.fstat(state.fd));
    if (state.follow !== 'no' && file !== '-' && stat)
      state.open.push({ file, fd: state.fd, size: stat.size, ino: stat.ino });
    else if (state.fd > 0) sys.close(state.fd);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const what =
      error.code === 'ENOENT' || error.code === 'EACCES'
        ? `cannot open \`${file}' for reading`
        : `error reading \`${file}'`;
    sys.eprint(`tail: ${what}: ${new SysError(error.code).message}\n`);
    if (state.fd > 0) sys.close(state.fd);
    state.failed = true;
  }
  state.fd = -1;
  state.kept = new Uint8Array(0);
  state.index++;
  return again();
}

/** Of a long regular file only the end is read. */
function skipToEnd(sys: Sys, state: TailState): void {
  const stat = sys.fstat(state.fd);
  if (state.fromStart || stat.kind !== 'file' || stat.size < 65536) return;
  if (state.isBytes) {
    sys.seek(state.fd, Math.max(0, stat.size - state.count), 'set');
    return;
  }
  let newlines = 0;
  for (let end = stat.size; end > 0; ) {
    const from = Math.max(0, end - 4096);
    const piece = sys.pread(state.fd, end - from, from) ?? new Uint8Array(0);
    for (let i = piece.length - 1; i >= 0; i--) {
      if (piece[i] !== 10 || from + i === stat.size - 1) continue;
      if (++newlines < state.count) continue;
      sys.seek(state.fd, from + i + 1, 'set');
      return;
    }
    end = from;
  }
}

function take(sys: Sys, state: TailState, bytes: Uint8Array): void {
  if (state.fromStart) {
    let at = 0;
    while (state.skip > 0 && at < bytes.length) {
      if (state.isBytes || bytes[at] === 10) state.skip--;
      at++;
    }
    sys.print(bytes.subarray(at));
    return;
  }
  const joined = new Uint8Array(state.kept.length + bytes.length);
  joined.set(state.kept);
  joined.set(bytes, state.kept.length);
  state.kept = joined.slice(state.isBytes ? Math.max(0, joined.length - state.count) : lastLines(joined, state.count));
}

/** Where the last `count` lines start. */
function lastLines(bytes: Uint8Array, count: number): number {
  if (count === 0) return bytes.length;
  let found = 0;
  for (let i = bytes.length - 2; i >= 0; i--) if (bytes[i] === 10 && ++found === count) return i + 1;
  return 0;
}

function follow(sys: Sys, state: TailState): void {
  for (const it of state.open) {
    if (state.follow === 'name') reopen(sys, it);
    const size = sys.fstat(it.fd).size;
    if (size < it.size) {
      sys.eprint(`tail: ${it.file}: file truncated\n`);
      sys.seek(it.fd, 0, 'set');
    }
    it.size = size;
    for (let bytes = sys.read(it.fd); bytes && bytes.length > 0; bytes = sys.read(it.fd)) {
      heading(sys, state, it.file);
      sys.print(bytes);
    }
  }
}

/** `-F`: another file of that name (a rotated log) takes over. */
function reopen(sys: Sys, it: TailState['open'][number]): void {
  const now = quietly(() => sys.stat(it.file));
  if (!now || now.ino === it.ino) return;
  const fd = quietly(() => sys.open(it.file, { read: true }));
  if (fd === undefined) return;
  sys.eprint(`tail: \`${it.file}' has been replaced;  following end of new file\n`);
  sys.close(it.fd);
  it.fd = fd;
  it.ino = now.ino;
  it.size = 0;
}
