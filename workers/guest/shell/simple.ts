/** Simple commands: assignments, functions, builtins and programs, with their redirections. */
import type { Step } from '../sys';
import type { Assign, NodeOf } from './ast';
import { type Arrays, type BuiltinCall, findBuiltin } from './builtins';
import { assign, type Expansion, expandString, expandValue, expandWords } from './expand';
import { closeIfUnused, expanding, fail, finish } from './flow';
import { replaceProcess, spawnFile } from './launch';
import { foreground, groupOf, nodeText } from './pipeline';
import { expandRedirs, type Redirected, redirect, type Target } from './redirect';
import { complain, type FrameOf, out, pushNode, type Scope, type Shell } from './state';
import { copyVar, environment, getVar, lookup, quotedIfNeeded, ShellError, setVar } from './variables';

type Simple = NodeOf<'simple'>;
type NodeFrame = FrameOf<'node'>;

interface Expanded {
  readonly argv: string[];
  readonly arrays: Arrays;
  readonly targets: Target[];
  readonly temporary: [name: string, value: string][];
  /** Assignments made, as `set -x` shows them. */
  readonly made: string[];
}

export function simple(sh: Shell, f: NodeFrame, node: Simple): Step | undefined {
  const { st } = sh;
  st.line = node.line;
  const expanded = expanding(sh, f, node.hasCmd, (x) => expand(x, node));
  if (!expanded) return undefined;
  const { argv } = expanded;
  if (st.opts['x']) trace(sh, expanded);
  let redirected: Redirected;
  try {
    redirected = redirect(sh, expanded.targets);
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    complain(sh, error.message);
    finish(sh, 1);
    return undefined;
  }
  if (argv.length === 0) {
    for (const fd of redirected.opened) closeIfUnused(sh, fd);
    finish(sh, f.substStatus ?? 0);
    return undefined;
  }
  const name = argv[0]!;
  if (Object.hasOwn(st.funcs, name)) return callFunction(sh, f, expanded, redirected);
  const builtin = findBuiltin(name);
  if (!builtin) return program(sh, f, node, expanded, redirected);
  const { scope, failed } = enter(sh, f, expanded, redirected);
  if (failed) return undefined;
  return callBuiltin(sh, { sh, argv, arrays: expanded.arrays, scope, frame: f });
}

/** Runs a builtin inside the scope frame on top of the stack. */
export function callBuiltin(sh: Shell, call: BuiltinCall): Step | undefined {
  const builtin = findBuiltin(call.argv[0]!)!;
  try {
    const result = builtin(call);
    if (typeof result === 'number') {
      sh.st.pipeStatus = [result];
      finish(sh, result);
    } else return result;
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    fail(sh, new ShellError(`${call.argv[0]}: ${error.message}`, false, error.status));
  }
  return undefined;
}

function expand(x: Expansion, node: Simple): Expanded {
  const argv: string[] = [];
  const arrays: Arrays = {};
  for (const word of node.words) {
    if ('assign' in word) argv.push(declared(x, word.assign, arrays));
    else argv.push(...expandWords(x, [word]));
  }
  const targets = expandRedirs(x, node.redirs);
  const temporary: [string, string][] = [];
  const made: string[] = [];
  for (const a of node.assigns) {
    if (argv.length === 0) made.push(assign(x, a));
    else if (!('elements' in a.value)) {
      const before = a.append ? (getVar(x.sh, a.name) ?? '') : '';
      temporary.push([a.name, before + expandValue(x, a.value, true)]);
    }
  }
  return { argv, arrays, targets, temporary, made };
}

/** An assignment that is an argument of `declare` and its like. */
function declared(x: Expansion, a: Assign, arrays: Arrays): string {
  if ('elements' in a.value) {
    arrays[a.name] = {
      append: a.append === true,
      items: a.value.elements.flatMap((element) => {
        if (!element.key) return expandWords(x, element.words).map((value) => ({ value }));
        return [{ key: expandString(x, element.key), value: expandValue(x, element.words[0] ?? []) }];
      }),
    };
    return a.name;
  }
  const index = a.index ? `[${expandString(x, a.index)}]` : '';
  return `${a.name}${index}${a.append ? '+' : ''}=${expandValue(x, a.value, true)}`;
}

function trace(sh: Shell, { argv, temporary, made }: Expanded): void {
  const ps4 = getVar(sh, 'PS4') ?? '+ ';
  const words = [
    ...made,
    ...temporary.map(([n, v]) => `${n}=${v}`),
    ...argv.map((a) => (a === '' ? "''" : quotedIfNeeded(a))),
  ];
  out(sh, `${ps4}${words.join(' ')}\n`, 2);
}

/** Replaces the command's frame by a scope that holds what must be undone after it. */
function enter(sh: Shell, f: NodeFrame, expanded: Expanded, redirected: Redirected): { scope: Scope; failed: boolean } {
  const { st } = sh;
  st.frames.pop();
  const scope: FrameOf<'scope'> = { k: 'scope', src: f.src, at: f.at };
  if (f.procFds) scope.procFds = f.procFds;
  if (expanded.targets.length > 0) {
    scope.fds = st.fds;
    scope.opened = redirected.opened;
    st.fds = redirected.fds;
  }
  st.frames.push(scope);
  if (expanded.temporary.length === 0) return { scope, failed: false };
  const saved: NonNullable<Scope['saved']> = {};
  scope.saved = saved;
  try {
    for (const [name, value] of expanded.temporary) {
      saved[name] ??= copyVar(lookup(st, name));
      setVar(sh, name, value);
      st.vars[name]!.exported = true;
    }
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    fail(sh, error);
    return { scope, failed: true };
  }
  return { scope, failed: false };
}

const DEEPEST_CALL = 1000;

function callFunction(sh: Shell, f: NodeFrame, expanded: Expanded, redirected: Redirected): undefined {
  const { st } = sh;
  const name = expanded.argv[0]!;
  if (st.frames.filter((x) => x.k === 'scope' && x.fn !== undefined).length >= DEEPEST_CALL) {
    fail(sh, new ShellError(`${name}: maximum function nesting level exceeded (${DEEPEST_CALL})`, true));
    return;
  }
  const { scope, failed } = enter(sh, f, expanded, redirected);
  if (failed) return;
  const place = st.funcs[name]!;
  scope.fn = name;
  scope.args = st.args;
  scope.saved ??= {};
  st.args = expanded.argv.slice(1);
  pushNode(st, place.src, place.at);
}

function program(sh: Shell, f: NodeFrame, node: Simple, expanded: Expanded, redirected: Redirected): Step | undefined {
  const { st } = sh;
  const env = { ...environment(st), ...Object.fromEntries(expanded.temporary) };
  const canReplace = f.tail && !st.interactive && st.exiting === null && !st.traps['EXIT'] && st.out.length === 0;
  const own = st.fds;
  // Messages about a command that cannot be run go where its own errors would go.
  st.fds = redirected.fds;
  if (canReplace) {
    const step = replaceProcess(sh, expanded.argv, env, redirected.fds);
    if (!step) {
      st.fds = own;
      finish(sh, st.status);
    }
    return step;
  }
  const started = spawnFile(sh, expanded.argv, env, redirected.fds, groupOf(sh));
  st.fds = own;
  for (const fd of redirected.opened) closeIfUnused(sh, fd);
  if ('status' in started) {
    finish(sh, started.status);
    return undefined;
  }
  st.frames.pop();
  foreground(
    sh,
    f,
    [started.pid],
    st.tty >= 0 || st.interactive ? nodeText(sh, f.src, f.at) : expanded.argv.join(' '),
    node.line,
  );
  const waiting = st.frames[st.frames.length - 1]!;
  if (f.procFds) waiting.procFds = f.procFds;
  return undefined;
}
