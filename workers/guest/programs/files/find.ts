/** find: walks trees and tests what it meets (findutils 4.2). */
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Stat, type Step, type Sys, SysError, wait } from '../../sys';
import { type Answer, isYes, readAnswer } from '../ask';
import { childStatus, launch } from '../children';
import { listingDate } from '../dates';
import { modeText } from '../modes';
import { guarded, quietly } from '../options';
import { baseName, dirName, joinPath } from '../paths';
import { groupName, userName } from '../users';
import { ACTIONS, ExpressionParser, type Test } from './findExpression';
import { check, formatted } from './findTests';

interface Task {
  readonly path: string;
  /** The argument it was found below. */
  readonly root: string;
  readonly depth: number;
  readonly dev: number;
  readonly isDone: boolean;
}

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
  todo: Task[];
  /** A file whose test waits for a child; statuses of the children that it started so far. */
  current: Task | null;
  results: number[];
  child: number;
  /** A command that runs if the user agrees (-ok). */
  asked: { readonly argv: readonly string[] } | null;
  readonly answer: Answer;
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
      nowSeconds: sys.wallClock, todo: [], current: null, results: [], child: 0, asked: null, answer: { text: '' }, many: {}, failed: false, isPruned: false, isQuitting: false,
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
      .map((path) => ({ path, root: path, depth: 0, dev: -1, isDone: false }));
    const nowSeconds = parsed.fromMidnight ? Math.ceil(sys.wallClock / 86400) * 86400 : sys.wallClock;
    return { ...blank, ...parsed, nowSeconds, follow: isFollowed || parsed.follow, status: -1, todo };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (state.child > 0) {
      const status = childStatus(sys, state.child);
      if (status === undefined) return wait({ child: true });
      state.results.push(status);
      state.child = 0;
    }
    if (state.asked) {
      const text = readAnswer(sys, state.answer);
      if (text === undefined) return wait({ readable: 0 });
      const { argv } = state.asked;
      state.asked = null;
      if (!isYes(text)) state.results.push(1);
      else {
        const pid = launch(sys, 'find', argv);
        if (pid < 0) state.results.push(-pid);
        else state.child = pid;
        return again();
      }
    }
    for (let i = 0; i < 200; i++) {
      const task = state.current ?? state.todo.pop();
      if (!task || state.isQuitting) return finish(sys, state);
      if (!visit(sys, state, task)) return state.asked ? again() : wait({ child: true });
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
      evaluate(sys, state, state.expression!, task, stat, { next: 0 });
    } catch (error) {
      if (!(error instanceof NeedsChild)) throw error;
      return state.child === 0 && !state.asked;
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
      state.todo.push({
        path: joinPath(task.path, name),
        root: task.root,
        depth: task.depth + 1,
        dev: stat.dev,
        isDone: false,
      });
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

function evaluate(sys: Sys, state: FindState, test: Test, task: Task, stat: Stat, runs: { next: number }): boolean {
  switch (test.op) {
    case 'and':
      return test.parts.every((part) => evaluate(sys, state, part, task, stat, runs));
    case 'or':
      return test.parts.some((part) => evaluate(sys, state, part, task, stat, runs));
    case 'not':
      return !evaluate(sys, state, test.part, task, stat, runs);
    case 'exec':
      return execute(sys, state, test, task.path, runs);
    case 'test':
      // Actions print once: when the test is run again behind a child, what stands before it must not act twice.
      if (ACTIONS.has(test.name)) return act(sys, state, test.name, test.value, task, stat, runs);
      return check(sys, state.nowSeconds, test, task.path, stat);
  }
}

/** An action's result is kept with those of the children, so that it happens once. */
function act(
  sys: Sys,
  state: FindState,
  name: string,
  value: string,
  task: Task,
  stat: Stat,
  runs: { next: number },
): boolean {
  if (name === 'prune') {
    state.isPruned = true;
    return true;
  }
  const { path } = task;
  const known = state.results[runs.next++];
  if (known !== undefined) return known === 0;
  let isOk = true;
  if (name === 'print') sys.print(`${path}\n`);
  else if (name === 'print0') sys.print(`${path}\0`);
  else if (name === 'quit') state.isQuitting = true;
  else if (name === 'printf') sys.print(formatted(sys, value, task, stat));
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
  const argv = test.argv.map((word) => word.replaceAll('{}', shown));
  if (test.asks) {
    sys.eprint(`< ${test.argv[0]} ... ${path} > ? `);
    state.asked = { argv };
    throw new NeedsChild();
  }
  const pid = launch(sys, 'find', argv, test.inDir ? { cwd: dirName(path) } : {});
  if (pid < 0) {
    state.results.push(-pid);
    return false;
  }
  state.child = pid;
  throw new NeedsChild();
}
