/** grep, egrep and fgrep: lines that match (GNU grep 2.5). */

import { patternRegExp } from '../../shell/pattern';
import type { Sys } from '../../sys';
import { filter } from '../adapters';
import { guarded, type Options, optionsOf, quietly, ToolError, type ToolSpec, UsageError } from '../options';
import { baseName, joinPath } from '../paths';
import { posixRegex, type RegexOptions } from './regex';

const SPEC: ToolSpec = {
  usage: '[OPTION]... PATTERN [FILE]...',
  options: 'ivnclLrRqsEFGPowxhHA:B:C:e:f:m:abUuI',
  long: {
    'ignore-case': 'i', 'invert-match': 'v', 'line-number': 'n', count: 'c', 'files-with-matches': 'l', 'files-without-match': 'L',
    recursive: 'r', quiet: 'q', silent: 'q', 'no-messages': 's', 'extended-regexp': 'E', 'fixed-strings': 'F', 'basic-regexp': 'G',
    'only-matching': 'o', 'word-regexp': 'w', 'line-regexp': 'x', 'no-filename': 'h', 'with-filename': 'H', 'after-context': 'A',
    'before-context': 'B', context: 'C', regexp: 'e', file: 'f', 'max-count': 'm', text: 'a', color: 'color::', colour: 'color::',
    include: 'include:', exclude: 'exclude:', 'byte-offset': 'b',
  }, // biome-ignore format: a table
  usageStatus: 2,
};

const encoder = new TextEncoder();

interface GrepState {
  readonly pattern: string;
  readonly regex: RegexOptions;
  readonly invert: boolean;
  readonly numbers: boolean;
  readonly offsets: boolean;
  readonly mode: 'lines' | 'count' | 'with' | 'without' | 'quiet' | 'only';
  readonly showNames: boolean;
  readonly silent: boolean;
  readonly text: boolean;
  readonly before: number;
  readonly after: number;
  readonly max: number;
  /** Of the current file. */
  name: string;
  lineNumber: number;
  /** Where the line starts, in bytes (-b). */
  offset: number;
  nextOffset: number;
  count: number;
  isBinary: boolean;
  /** Lines kept for -B, and how many are still to be shown for -A. */
  kept: string[];
  due: number;
  lastShown: number;
  hasShown: boolean;
  /** Anything matched in any file. */
  found: boolean;
}

function parse(name: string, dialect: RegexOptions) {
  return (sys: Sys, args: readonly string[]) => {
    // `grep -3 x`: that many lines of context.
    const given = args.map((arg) => (/^-\d+$/.test(arg) ? `-C${arg.slice(1)}` : arg));
    const options = optionsOf(sys, name, SPEC, given);
    if (typeof options === 'number') return options;
    return guarded(sys, name, SPEC, () => start(sys, name, options, dialect));
  };
}

function start(sys: Sys, name: string, options: Options, dialect: RegexOptions) {
  let words = [...options.words];
  const patterns = options.list.filter(([it]) => it === 'e').map(([, value]) => value);
  const file = options.value('f');
  if (file !== undefined) patterns.push(...sys.readText(file).replace(/\n$/, '').split('\n'));
  if (patterns.length === 0) {
    if (words.length === 0) throw new UsageError(`usage: ${name} ${SPEC.usage}`);
    patterns.push(words.shift()!);
  }
  if (options.has('P')) throw new ToolError('The -P option is not supported', 2);
  const regex: RegexOptions = {
    extended: options.has('G') ? false : options.has('E') || (dialect.extended ?? false),
    fixed: options.has('F') || (dialect.fixed ?? false),
    ignoreCase: options.has('i'),
    word: options.has('w'),
    line: options.has('x'),
  };
  const pattern = patterns.join('\n');
  posixRegex(pattern, regex);
  const isRecursive = options.has('r', 'R');
  if (isRecursive) words = (words.length > 0 ? words : ['.']).flatMap((word) => filesBelow(sys, options, word));
  const context = Number(options.value('C') ?? 0);
  const state: GrepState = {
    pattern,
    regex,
    invert: options.has('v'),
    numbers: options.has('n'),
    offsets: options.has('b'),
    mode: options.has('q')
      ? 'quiet'
      : options.has('l')
        ? 'with'
        : options.has('L')
          ? 'without'
          : options.has('c')
            ? 'count'
            : options.has('o')
              ? 'only'
              : 'lines',
    showNames: !options.has('h') && (options.has('H') || words.length > 1 || isRecursive),
    silent: options.has('s') || options.has('q'),
    text: options.has('a'),
    before: Number(options.value('B') ?? context),
    after: Number(options.value('A') ?? context),
    max: Number(options.value('m') ?? Number.MAX_SAFE_INTEGER),
    name: '',
    lineNumber: 0,
    offset: 0,
    nextOffset: 0,
    count: 0,
    isBinary: false,
    kept: [],
    due: 0,
    lastShown: 0,
    hasShown: false,
    found: false,
  };
  return { files: words, state };
}

function filesBelow(sys: Sys, options: Options, path: string): string[] {
  const stat = quietly(() => sys.lstat(path));
  if (stat?.kind !== 'dir') return [path];
  const globs = (name: string) => options.list.filter(([it]) => it === name).map(([, value]) => value);
  const [included, excluded] = [globs('include'), globs('exclude')];
  const wanted = (name: string) =>
    (included.length === 0 || included.some((glob) => patternRegExp(glob).test(name))) &&
    !excluded.some((glob) => patternRegExp(glob).test(name));
  const names = quietly(() => sys.readdir(path));
  return [...(names ?? [])].sort().flatMap((name) => {
    const inner = joinPath(path, name);
    const kind = quietly(() => sys.lstat(inner))?.kind;
    if (kind === 'dir') return filesBelow(sys, options, inner);
    // Devices and pipes are left out of a walk; links are followed when they lead to files.
    return (kind === 'file' || (kind === 'symlink' && quietly(() => sys.stat(inner))?.kind === 'file')) &&
      wanted(baseName(inner))
      ? [inner]
      : [];
  });
}

const grepProgram = (name: string, dialect: RegexOptions) =>
  filter<GrepState>(name, {
    failStatus: 2,
    isQuiet: (state) => state.silent,
    parse: parse(name, dialect),
    fileStart(_, state, file) {
      state.name = file === '-' ? '(standard input)' : file;
      state.lineNumber = 0;
      state.nextOffset = 0;
      state.count = 0;
      state.isBinary = false;
      state.kept = [];
      state.due = 0;
      state.lastShown = 0;
    },
    line: (sys, state, line) => takeLine(sys, state, line),
    fileEnd(sys, state) {
      if (state.isBinary && state.count > 0 && (state.mode === 'lines' || state.mode === 'only'))
        sys.print(`Binary file ${state.name} matches\n`);
      if (state.mode === 'count') sys.print(`${state.showNames ? `${state.name}:` : ''}${state.count}\n`);
      if (state.mode === 'with' && state.count > 0) sys.print(`${state.name}\n`);
      if (state.mode === 'without' && state.count === 0) sys.print(`${state.name}\n`);
    },
    isDone: (state) => state.mode === 'quiet' && state.found,
    end: (_, state, status) => (state.found && (state.mode === 'quiet' || status === 0) ? 0 : status || 1),
  });

function takeLine(sys: Sys, state: GrepState, line: string): boolean {
  state.lineNumber++;
  state.offset = state.nextOffset;
  if (state.offsets) state.nextOffset += encoder.encode(line).length + 1;
  if (!state.text && line.includes('\0')) state.isBinary = true;
  const isMatch = posixRegex(state.pattern, state.regex).test(line) !== state.invert;
  if (!isMatch) {
    if (state.mode !== 'lines') return false;
    if (state.due > 0) {
      state.due--;
      show(sys, state, '-', line);
    } else if (state.before > 0) {
      state.kept.push(line);
      if (state.kept.length > state.before) state.kept.shift();
    }
    return state.count >= state.max && state.due === 0;
  }
  if (state.count >= state.max) return true;
  state.count++;
  state.found = true;
  if (
    state.mode === 'with' ||
    state.mode === 'without' ||
    state.mode === 'quiet' ||
    (state.isBinary && state.mode !== 'count')
  )
    return true;
  if (state.mode === 'only' && !state.invert) {
    for (const match of line.matchAll(posixRegex(state.pattern, state.regex, 'g')))
      if (match[0] !== '') {
        const offset = state.offset + encoder.encode(line.slice(0, match.index)).length;
        sys.print(`${prefix(state, ':', state.lineNumber, offset)}${match[0]}\n`);
      }
  } else if (state.mode === 'lines') {
    const hasContext = state.before > 0 || state.after > 0;
    const first = state.lineNumber - state.kept.length;
    if (hasContext && state.hasShown && first > state.lastShown + 1) sys.print('--\n');
    else if (hasContext && state.hasShown && state.lastShown === 0) sys.print('--\n');
    const { kept } = state;
    state.kept = [];
    let offset = state.offset - kept.reduce((sum, text) => sum + encoder.encode(text).length + 1, 0);
    for (const [i, text] of kept.entries()) {
      sys.print(`${prefix(state, '-', first + i, offset)}${text}\n`);
      offset += encoder.encode(text).length + 1;
    }
    show(sys, state, ':', line);
    state.due = state.after;
  }
  return state.count >= state.max && state.due === 0;
}

function show(sys: Sys, state: GrepState, mark: string, line: string): void {
  sys.print(`${prefix(state, mark, state.lineNumber)}${line}\n`);
  state.lastShown = state.lineNumber;
  state.hasShown = true;
}

function prefix(state: GrepState, mark: string, number: number, offset = state.offset): string {
  return (
    (state.showNames ? state.name + mark : '') +
    (state.numbers ? `${number}${mark}` : '') +
    (state.offsets ? `${offset}${mark}` : '')
  );
}

export const grep = grepProgram('grep', {});
export const egrep = grepProgram('egrep', { extended: true });
export const fgrep = grepProgram('fgrep', { fixed: true });
