/** cmp and diff: whether two files differ, and how (diffutils 2.8). */

import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Sys, SysError, wait } from '../../sys';
import { formatDate } from '../dates';
import { guarded, type Options, optionsOf, quietly, ToolError, type ToolSpec, UsageError } from '../options';
import { baseName, joinPath } from '../paths';
import { changes, copied, lines, normal, unified } from './differences';

/** What arrives piece by piece (standard input, pipes), by the name it was given under. */
type Arrived = Readonly<Record<string, Uint8Array>>;

interface CompareState {
  /** Descriptor of what is being read; −1: nothing. */
  fd: number;
  /** How many of the arguments were read, or need not be. */
  read: number;
  chunks: Uint8Array[];
  arrived: Record<string, Uint8Array>;
}

/** A comparison of two arguments, done once both are there. */
const comparison = (
  name: string,
  spec: ToolSpec,
  run: (sys: Sys, options: Options, words: readonly string[], arrived: Arrived) => number,
): Program<CompareState> => ({
  name,
  start: () => ({ fd: -1, read: 0, chunks: [], arrived: {} }),
  step(sys, state) {
    const options = optionsOf(sys, name, spec);
    if (typeof options === 'number') return exit(options);
    const { words } = options;
    while (state.read < Math.min(2, words.length)) {
      const word = words[state.read]!;
      if (state.fd < 0) state.fd = opened(sys, word);
      if (state.fd >= 0) {
        const bytes = sys.read(state.fd);
        if (bytes === undefined) return wait({ readable: state.fd });
        if (bytes.length > 0) {
          state.chunks.push(bytes);
          return again();
        }
        state.arrived[word] = joined(state.chunks);
        if (state.fd > 0) sys.close(state.fd);
        state.fd = -1;
        state.chunks = [];
      }
      state.read++;
    }
    return exit(guarded(sys, name, spec, () => run(sys, options, words, state.arrived)));
  },
});

/** −1 for what can be read at once, or not at all. */
function opened(sys: Sys, word: string): number {
  if (word === '-') return 0;
  // A pipe under /dev/fd is a link that leads to no file.
  const kind = quietly(() => sys.stat(word))?.kind;
  if (kind === 'file' || kind === 'dir') return -1;
  return quietly(() => sys.open(word, { read: true })) ?? -1;
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function load(sys: Sys, path: string, arrived: Arrived): Uint8Array {
  const known = Object.hasOwn(arrived, path) ? arrived[path] : undefined;
  if (known) return known;
  try {
    return sys.readFile(path);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new ToolError(`${path}: ${strerror[error.code]}`, 2);
  }
}

export const cmp = comparison(
  'cmp',
  { usage: '[OPTION]... FILE1 FILE2', options: 'ls', usageStatus: 2 },
  (sys, options, words, arrived) => {
    if (words.length < 2)
      throw new UsageError(words.length === 0 ? "missing operand after `cmp'" : `missing operand after \`${words[0]}'`);
    const [a, b] = [load(sys, words[0]!, arrived), load(sys, words[1]!, arrived)];
    const shorter = Math.min(a.length, b.length);
    let line = 1;
    let isDifferent = false;
    for (let i = 0; i < shorter; i++) {
      if (a[i] !== b[i]) {
        isDifferent = true;
        if (options.has('s')) return 1;
        if (!options.has('l')) {
          sys.print(`${words[0]} ${words[1]} differ: byte ${i + 1}, line ${line}\n`);
          return 1;
        }
        sys.print(
          `${String(i + 1).padStart(String(shorter).length)} ${a[i]!.toString(8).padStart(3)} ${b[i]!.toString(8).padStart(3)}\n`,
        );
      }
      if (a[i] === 10) line++;
    }
    if (a.length === b.length) return isDifferent ? 1 : 0;
    if (!options.has('s')) sys.eprint(`cmp: EOF on ${a.length < b.length ? words[0] : words[1]}\n`);
    return 1;
  },
);

export const diff = comparison(
  'diff',
  {
    usage: '[OPTION]... FILES',
    options: 'ucqrNbwiBU:C:sa',
    long: {
      unified: 'unified::',
      context: 'context::',
      brief: 'q',
      recursive: 'r',
      'new-file': 'N',
      'ignore-case': 'i',
      'ignore-all-space': 'w',
      'ignore-space-change': 'b',
      'ignore-blank-lines': 'B',
      'report-identical-files': 's',
      text: 'a',
    },
    usageStatus: 2,
  },
  (sys, options, words, arrived) => {
    if (words.length < 2)
      throw new UsageError(
        words.length === 0 ? "missing operand after `diff'" : `missing operand after \`${words[0]}'`,
      );
    const isCopied = options.has('c', 'C', 'context');
    const width = options.value('U') ?? options.value('C') ?? options.value('unified') ?? options.value('context');
    const context = isCopied || options.has('u', 'U', 'unified') ? Number(width || 3) : -1;
    const flags = options.list.map(([name]) => `-${name}`).join(' ');
    const key = (line: string) => {
      let text = line;
      if (options.has('w')) text = text.replace(/\s+/g, '');
      if (options.has('b')) text = text.replace(/\s+/g, ' ').trimEnd();
      return options.has('i') ? text.toLowerCase() : text;
    };
    const compare = (first: string, second: string, isNested: boolean): number => {
      const kinds = [first, second].map((path) => quietly(() => sys.stat(path))?.kind);
      if (kinds[0] === 'dir' && kinds[1] === 'dir') {
        let status = 0;
        for (const name of [...new Set([...sys.readdir(first), ...sys.readdir(second)])].sort()) {
          const [x, y] = [joinPath(first, name), joinPath(second, name)];
          const only = !sys.exists(y) ? first : !sys.exists(x) ? second : undefined;
          if (only !== undefined && !options.has('N')) {
            sys.print(`Only in ${only}: ${name}\n`);
            status = 1;
          } else if (sys.stat(only === second ? y : x).kind === 'dir' && !options.has('r'))
            sys.print(`Common subdirectories: ${x} and ${y}\n`);
          else status = Math.max(status, compare(x, y, true));
        }
        return status;
      }
      const [x, y] =
        kinds[0] === 'dir'
          ? [joinPath(first, baseName(second)), second]
          : kinds[1] === 'dir'
            ? [first, joinPath(second, baseName(first))]
            : [first, second];
      const read = (path: string) =>
        options.has('N') && path !== '-' && !sys.exists(path) ? new Uint8Array(0) : load(sys, path, arrived);
      const [a, b] = [read(x), read(y)];
      if (a.length === b.length && a.every((byte, i) => byte === b[i])) {
        if (options.has('s')) sys.print(`Files ${x} and ${y} are identical\n`);
        return 0;
      }
      if (options.has('q') || (!options.has('a') && (a.includes(0) || b.includes(0)))) {
        sys.print(options.has('q') ? `Files ${x} and ${y} differ\n` : `Binary files ${x} and ${y} differ\n`);
        return 1;
      }
      const [left, right] = [lines(a), lines(b)];
      const isBlank = (line: string) => key(line) === '';
      const found = changes(left.map(key), right.map(key)).filter(
        ({ a, b }) => !options.has('B') || ![...left.slice(...a), ...right.slice(...b)].every(isBlank),
      );
      if (found.length === 0) return 0;
      if (isNested) sys.print(`diff ${flags} ${x} ${y}\n`.replace('  ', ' '));
      if (context < 0) for (const change of found) sys.print(normal(change, left, right));
      else {
        const stamp = (path: string) =>
          `${path}\t${formatDate('%Y-%m-%d %H:%M:%S.%N +0000', quietly(() => sys.stat(path))?.mtime ?? 0)}\n`;
        const [first, second] = isCopied ? ['***', '---'] : ['---', '+++'];
        const body = (isCopied ? copied : unified)(found, left, right, context);
        sys.print(`${first} ${stamp(x)}${second} ${stamp(y)}${body}`);
      }
      return 1;
    };
    return compare(words[0]!, words[1]!, false);
  },
);
