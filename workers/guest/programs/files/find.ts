/** find: walks trees and tests what it meets (findutils 4.2). */
import { strerror } from '../../../lib/errno';
import { patternRegExp } from '../../shell/pattern';
import { again, exit, type Program, type Stat, type Step, type Sys, SysError, wait } from '../../sys';
import { childStatus, launch } from '../children';
import { listingDate } from '../dates';
import { changeMode, modeText } from '../modes';
import { guarded, quietly, ToolError } from '../options';
import { baseName, dirName, joinPath } from '../paths';
import { gidOf, groupName, uidOf, userName } from '../users';

/** The expression as plain data. */
type Test =
  | { readonly op: 'and' | 'or'; readonly parts: readonly Test[] }
  | { readonly op: 'not'; readonly part: Test }
  | { readonly op: 'test'; readonly name: string; readonly value: string; readonly number: number }
  | { readonly op: 'exec'; readonly argv: readonly string[]; readonly isMany: boolean; readonly inDir: boolean };

interface FindState {
  readonly status: number;
  readonly expression: Test | null;
  readonly minDepth: number;
  readonly maxDepth: number;
  readonly depthFirst: boolean;
  readonly follow: boolean;
  readonly oneFileSystem: boolean;
  readonly nowSeconds: number;
  /** A stack; `isDone`: the directory's content was visited. */
  todo: { path: string; depth: number; dev: number; isDone: boolean }[];
  /** A file whose test waits for a child; statuses of the children that it started so far. */
  current: { path: string; depth: number; dev: number; isDone: boolean } | null;
  results: number[];
  child: number;
  many: Record<string, string[]>;
  failed: boolean;
  isPruned: boolean;
  isQuitting: boolean;
}

/** Thrown inside a test that needs a child's status first; the test is run again when the child has ended. */
class NeedsChild extends Error {}

export const find: Program<FindState> = {
  name: 'find',
  start(sys) {
    const blank: FindState = {
      status: 1, expression: null, minDepth: 0, maxDepth: Number.MAX_SAFE_INTEGER, depthFirst: false, follow: false, oneFileSystem: false,
      nowSeconds: sys.wallClock, todo: [], current: null, results: [], child: 0, many: {}, failed: false, isPruned: false, isQuitting: false,
    }; // biome-ignore format: a record
    const args = sys.argv.slice(1);
    const paths: string[] = [];
    let isFollowed = false;
    while (args.length > 0 && !/^[-(!,)]/.test(args[0]!)) paths.push(args.shift()!);
    if (args[0] === '-L' || args[0] === '-P' || args[0] === '-H') {
      isFollowed = args.shift() === '-L';
      while (args.length > 0 && !/^[-(!,)]/.test(args[0]!)) paths.push(args.shift()!);
    }
    const parsed = guarded(sys, 'find', {}, () => new ExpressionParser(sys, args).parse());
    if (typeof parsed === 'number') return blank;
    const todo = (paths.length > 0 ? paths : ['.'])
      .reverse()
      .map((path) => ({ path, depth: 0, dev: -1, isDone: false }));
    return { ...blank, ...parsed, follow: isFollowed || parsed.follow, status: -1, todo };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (state.child > 0) {
      const status = childStatus(sys, state.child);
      if (status === undefined) return wait({ child: true });
      state.results.push(status);
      state.child = 0;
    }
    for (let i = 0; i < 200; i++) {
      const task = state.current ?? state.todo.pop();
      if (!task || state.isQuitting) return finish(sys, state);
      if (!visit(sys, state, task)) return wait({ child: true });
    }
    return again();
  },
};

/** Runs what `-exec … +` collected, then ends. */
function finish(sys: Sys, state: FindState): Step {
  const key = Object.keys(state.many)[0];
  if (key === undefined) return exit(state.failed ? 1 : 0);
  const argv = JSON.parse(key) as string[];
  const paths = state.many[key]!.splice(0, 500);
  if (state.many[key]!.length === 0) delete state.many[key];
  const pid = launch(sys, 'find', [...argv, ...paths]);
  if (pid < 0) {
    state.failed = true;
    return again();
  }
  state.child = pid;
  return wait({ child: true });
}

/** False: a child was started and the file's test goes on when it has ended. */
function visit(sys: Sys, state: FindState, task: NonNullable<FindState['current']>): boolean {
  let stat: Stat;
  try {
    stat = (state.follow && quietly(() => sys.stat(task.path))) || sys.lstat(task.path);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (!state.current) complain(sys, state, task.path, error);
    state.current = null;
    return true;
  }
  const isDir = stat.kind === 'dir';
  const isTested = task.depth >= state.minDepth && (!state.depthFirst || !isDir || task.isDone);
  if (isTested) {
    if (!state.current) state.results = [];
    state.current = task;
    state.isPruned = false;
    try {
      evaluate(sys, state, state.expression!, task.path, stat, { next: 0 });
    } catch (error) {
      if (!(error instanceof NeedsChild)) throw error;
      return state.child === 0;
    }
    state.current = null;
  }
  if (!isDir || task.isDone || task.depth >= state.maxDepth || (isTested && state.isPruned && !state.depthFirst))
    return true;
  if (state.oneFileSystem && task.dev >= 0 && task.dev !== stat.dev) return true;
  if (state.depthFirst) state.todo.push({ ...task, isDone: true });
  try {
    const names = [...sys.readdir(task.path)].reverse();
    for (const name of names)
      state.todo.push({ path: joinPath(task.path, name), depth: task.depth + 1, dev: stat.dev, isDone: false });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    complain(sys, state, task.path, error);
  }
  return true;
}

function complain(sys: Sys, state: FindState, path: string, error: SysError): void {
  sys.eprint(`find: ${path}: ${strerror[error.code]}\n`);
  state.failed = true;
}

function evaluate(sys: Sys, state: FindState, test: Test, path: string, stat: Stat, runs: { next: number }): boolean {
  switch (test.op) {
    case 'and':
      return test.parts.every((part) => evaluate(sys, state, part, path, stat, runs));
    case 'or':
      return test.parts.some((part) => evaluate(sys, state, part, path, stat, runs));
    case 'not':
      return !evaluate(sys, state, test.part, path, stat, runs);
    case 'exec':
      return execute(sys, state, test, path, runs);
    case 'test':
      // Actions print once: when the test is run again behind a child, what stands before it must not act twice.
      if (ACTIONS.has(test.name)) return act(sys, state, test.name, test.value, path, stat, runs);
      return check(sys, state, test.name, test.value, test.number, path, stat);
  }
}

const ACTIONS = new Set(['print', 'print0', 'ls', 'delete', 'printf', 'quit', 'prune']);

/** An action's result is kept with those of the children, so that it happens once. */
function act(
  sys: Sys,
  state: FindState,
  name: string,
  value: string,
  path: string,
  stat: Stat,
  runs: { next: number },
): boolean {
  if (name === 'prune') {
    state.isPruned = true;
    return true;
  }
  const known = state.results[runs.next++];
  if (known !== undefined) return known === 0;
  let isOk = true;
  if (name === 'print') sys.print(`${path}\n`);
  else if (name === 'print0') sys.print(`${path}\0`);
  else if (name === 'quit') state.isQuitting = true;
  else if (name === 'printf') sys.print(formatted(sys, value, path, stat));
  else if (name === 'ls')
    sys.print(
      `${String(stat.ino).padStart(6)} ${String(Math.ceil(stat.blocks / 2)).padStart(4)} ${modeText(stat)} ${String(stat.nlink).padStart(3)} ${userName(sys, stat.uid).padEnd(8)} ${groupName(sys, stat.gid).padEnd(8)} ${String(stat.size).padStart(8)} ${listingDate(stat.mtime, sys.wallClock)} ${path}${stat.kind === 'symlink' ? ` -> ${sys.readlink(path)}` : ''}\n`,
    );
  else {
    try {
      if (stat.kind === 'dir') sys.rmdir(path);
      else sys.unlink(path);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`find: cannot delete \`${path}': ${strerror[error.code]}\n`);
      state.failed = true;
      isOk = false;
    }
  }
  state.results.push(isOk ? 0 : 1);
  return isOk;
}

function execute(
  sys: Sys,
  state: FindState,
  test: Extract<Test, { op: 'exec' }>,
  path: string,
  runs: { next: number },
): boolean {
  if (test.isMany) {
    const known = state.results[runs.next++];
    if (known === undefined) {
      const key = JSON.stringify(test.argv);
      state.many[key] = [...(state.many[key] ?? []), path];
      state.results.push(0);
    }
    return true;
  }
  const known = state.results[runs.next++];
  if (known !== undefined) return known === 0;
  const shown = test.inDir ? `./${baseName(path)}` : path;
  const pid = launch(
    sys,
    'find',
    test.argv.map((word) => word.replaceAll('{}', shown)),
    test.inDir ? { cwd: dirName(path) } : {},
  );
  if (pid < 0) {
    state.results.push(-pid);
    return false;
  }
  state.child = pid;
  throw new NeedsChild();
}

const KIND_LETTERS: Readonly<Record<string, Stat['kind']>> = {
  f: 'file',
  d: 'dir',
  l: 'symlink',
  c: 'char',
  b: 'block',
  p: 'fifo',
  s: 'socket',
};

/** `+5` more than, `-5` less than, `5` exactly. */
function compares(value: string, actual: number): boolean {
  const number = Number.parseInt(value.replace(/^[-+]/, ''), 10);
  return value.startsWith('+') ? actual > number : value.startsWith('-') ? actual < number : actual === number;
}

function check(sys: Sys, state: FindState, name: string, value: string, number: number, path: string, stat: Stat): boolean {
  const age = (seconds: number) => Math.floor((state.nowSeconds - seconds) / number);
  switch (name) {
    case 'true': return true;
    case 'false': return false;
    case 'name': return patternRegExp(value).test(baseName(path));
    case 'iname': return patternRegExp(value.toLowerCase()).test(baseName(path).toLowerCase());
    case 'path': return patternRegExp(value).test(path);
    case 'ipath': return patternRegExp(value.toLowerCase()).test(path.toLowerCase());
    case 'lname': return stat.kind === 'symlink' && patternRegExp(value).test(sys.readlink(path));
    case 'regex': return new RegExp(`^(?:${value})$`).test(path);
    case 'type': return value.split(',').some((letter) => stat.kind === KIND_LETTERS[letter]);
    case 'size': return compares(value, Math.ceil(stat.size / number));
    case 'empty': return stat.kind === 'dir' ? sys.readdir(path).length === 0 : stat.kind === 'file' && stat.size === 0;
    case 'newer': return stat.mtime > number;
    case 'mtime': case 'mmin': return compares(value, age(stat.mtime));
    case 'atime': case 'amin': return compares(value, age(stat.atime));
    case 'ctime': case 'cmin': return compares(value, age(stat.ctime));
    case 'user': case 'uid': return stat.uid === number;
    case 'group': case 'gid': return stat.gid === number;
    case 'links': return compares(value, stat.nlink);
    case 'inum': return compares(value, stat.ino);
    case 'perm': return value === '-' ? (stat.mode & number) === number : value === '+' ? number === 0 || (stat.mode & number) !== 0 : stat.mode === number;
    default: return false;
  }
} // biome-ignore format: a table

function formatted(sys: Sys, format: string, path: string, stat: Stat): string {
  const fields: Record<string, () => string> = {
    p: () => path, f: () => baseName(path), h: () => dirName(path), s: () => String(stat.size), m: () => stat.mode.toString(8), M: () => modeText(stat),
    u: () => userName(sys, stat.uid), g: () => groupName(sys, stat.gid), U: () => String(stat.uid), G: () => String(stat.gid), i: () => String(stat.ino),
    n: () => String(stat.nlink), l: () => (stat.kind === 'symlink' ? sys.readlink(path) : ''), y: () => modeText(stat)[0]!.replace('-', 'f'), '%': () => '%',
  }; // biome-ignore format: a table
  return format.replace(/%([a-zA-Z%])|\\(.)/g, (whole, letter: string | undefined, escaped: string | undefined) =>
    letter ? (fields[letter]?.() ?? whole) : ({ n: '\n', t: '\t', '0': '\0', '\\': '\\' }[escaped!] ?? whole),
  );
}

type Parsed = Pick<FindState, 'expression' | 'minDepth' | 'maxDepth' | 'depthFirst' | 'follow' | 'oneFileSystem'>;

const WITH_VALUE = new Set([
  'name',
  'iname',
  'path',
  'wholename',
  'ipath',
  'lname',
  'regex',
  'type',
  'size',
  'newer',
  'mtime',
  'mmin',
  'atime',
  'amin',
  'ctime',
  'cmin',
  'user',
  'uid',
  'group',
  'gid',
  'links',
  'inum',
  'perm',
  'printf',
]);
const WITHOUT_VALUE = new Set([
  'true',
  'false',
  'empty',
  'print',
  'print0',
  'ls',
  'delete',
  'quit',
  'prune',
  'nouser',
  'nogroup',
]);

class ExpressionParser {
  #at = 0;
  #hasAction = false;
  #isDepthFirst = false;
  #isFollowing = false;
  #isOneFileSystem = false;
  #depth = [0, Number.MAX_SAFE_INTEGER];

  constructor(
    private readonly sys: Sys,
    private readonly args: readonly string[],
  ) {}

  parse(): Parsed {
    let expression = this.args.length > 0 ? this.#or() : TRUE;
    if (this.#at < this.args.length)
      throw new ToolError(
        this.args[this.#at] === ')'
          ? "invalid expression; you have too many ')'"
          : `paths must precede expression: ${this.args[this.#at]}\nUsage: find [-H] [-L] [-P] [path...] [expression]`,
      );
    if (!this.#hasAction) expression = { op: 'and', parts: [expression, simple('print')] };
    return {
      expression,
      minDepth: this.#depth[0]!,
      maxDepth: this.#depth[1]!,
      depthFirst: this.#isDepthFirst,
      follow: this.#isFollowing,
      oneFileSystem: this.#isOneFileSystem,
    };
  }

  #or(): Test {
    const parts = [this.#and()];
    while (this.args[this.#at] === '-o' || this.args[this.#at] === '-or') {
      this.#at++;
      parts.push(this.#and());
    }
    return parts.length === 1 ? parts[0]! : { op: 'or', parts };
  }

  #and(): Test {
    const parts: Test[] = [];
    for (;;) {
      const word = this.args[this.#at];
      if (word === undefined || word === ')' || word === '-o' || word === '-or') break;
      if (word === '-a' || word === '-and') {
        this.#at++;
        continue;
      }
      parts.push(this.#primary());
    }
    if (parts.length === 0) throw new ToolError('invalid expression');
    return parts.length === 1 ? parts[0]! : { op: 'and', parts };
  }

  #primary(): Test {
    const word = this.args[this.#at++]!;
    if (word === '!' || word === '-not') {
      if (this.#at >= this.args.length) throw new ToolError('invalid expression');
      return { op: 'not', part: this.#primary() };
    }
    if (word === '(') {
      const inner = this.#or();
      if (this.args[this.#at++] !== ')')
        throw new ToolError("invalid expression; I was expecting to find a ')' somewhere but did not see one.");
      return inner;
    }
    if (!word.startsWith('-')) {
      this.#at--;
      throw new ToolError(`paths must precede expression: ${word}\nUsage: find [-H] [-L] [-P] [path...] [expression]`);
    }
    return this.#named(word.slice(1));
  }

  #value(name: string): string {
    const value = this.args[this.#at++];
    if (value === undefined) throw new ToolError(`missing argument to \`-${name}'`);
    return value;
  }

  #named(name: string): Test {
    switch (name) {
      case 'maxdepth':
      case 'mindepth': {
        const value = this.#value(name);
        if (!/^\d+$/.test(value)) throw new ToolError(`invalid argument \`${value}' to \`-${name}'`);
        this.#depth[name === 'mindepth' ? 0 : 1] = Number(value);
        return TRUE;
      }
      case 'depth':
      case 'd':
        this.#isDepthFirst = true;
        return TRUE;
      case 'follow':
        this.#isFollowing = true;
        return TRUE;
      case 'xdev':
      case 'mount':
        this.#isOneFileSystem = true;
        return TRUE;
      case 'noleaf':
      case 'daystart':
        return TRUE;
      case 'exec':
      case 'execdir':
      case 'ok':
        return this.#exec(name);
    }
    if (WITHOUT_VALUE.has(name)) {
      if (ACTIONS.has(name) && name !== 'prune') this.#hasAction = true;
      if (name === 'delete') this.#isDepthFirst = true;
      return simple(name);
    }
    if (!WITH_VALUE.has(name)) throw new ToolError(`invalid predicate \`-${name}'`);
    const value = this.#value(name);
    if (name === 'printf') this.#hasAction = true;
    return this.#withNumber(name === 'wholename' ? 'path' : name, value);
  }

  #exec(name: string): Test {
    const argv: string[] = [];
    for (;;) {
      const word = this.args[this.#at++];
      if (word === undefined) throw new ToolError(`missing argument to \`-${name}'`);
      const isMany = word === '+' && argv.at(-1) === '{}';
      if (word !== ';' && !isMany) {
        argv.push(word);
        continue;
      }
      if (argv.length === 0) throw new ToolError(`missing argument to \`-${name}'`);
      this.#hasAction = true;
      return { op: 'exec', argv: isMany ? argv.slice(0, -1) : argv, isMany, inDir: name === 'execdir' };
    }
  }

  #withNumber(name: string, value: string): Test {
    const invalid = () => new ToolError(`invalid argument \`${value}' to \`-${name}'`);
    let number = 1;
    let text = value;
    if (name === 'size') {
      const match = /^([-+]?\d+)([bcwkMG]?)$/.exec(value);
      if (!match) throw invalid();
      number = { '': 512, b: 512, c: 1, w: 2, k: 1024, M: 1048576, G: 1073741824 }[match[2]!]!;
      text = match[1]!;
    } else if (name === 'newer') number = this.sys.stat(value).mtime;
    else if (/time$/.test(name)) number = 86400;
    else if (/min$/.test(name)) number = 60;
    else if (name === 'user' || name === 'uid' || name === 'group' || name === 'gid') {
      const found = name === 'user' || name === 'uid' ? uidOf(this.sys, value) : gidOf(this.sys, value);
      if (found === undefined)
        throw new ToolError(
          name === 'user'
            ? `\`${value}' is not the name of a known user`
            : `\`${value}' is not the name of an existing group`,
        );
      number = found;
    } else if (name === 'perm') {
      const sign = /^[-+/]/.exec(value)?.[0] ?? '';
      const mode = changeMode(value.slice(sign.length), { kind: 'file', mode: 0 }, 0);
      if (mode === undefined) throw new ToolError(`invalid mode \`${value}'`);
      number = mode;
      text = sign === '/' ? '+' : sign;
    } else if (name === 'type' && !/^[fdlcbps](,[fdlcbps])*$/.test(value))
      throw new ToolError(`Unknown argument to -type: ${value}`);
    return { op: 'test', name, value: text, number };
  }
}

const simple = (name: string): Test => ({ op: 'test', name, value: '', number: 0 });
const TRUE = simple('true');
