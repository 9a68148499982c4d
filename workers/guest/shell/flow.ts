/** Leaving constructs: how frames end, what they restore, and how `break`, `return`, errors and `exit` unwind the stack. */
import { type Expansion, Pending } from './expand';
import { startSubstitution } from './launch';
import { parseScript } from './parser';
import { addText, complain, type Frame, nodeAt, out, pushNode, type Scope, type Shell, scriptOf } from './state';
import { ShellError } from './variables';

/** Removes the top frame and undoes what it had set up. */
export function popFrame(sh: Shell): Frame | undefined {
  const f = sh.st.frames.pop();
  if (!f) return undefined;
  if (f.k === 'scope') endScope(sh, f);
  if (f.k === 'subst' && !f.eof) sh.sys.close(f.fd);
  if (f.k === 'read' && f.silent) setEcho(sh, f.fd, true);
  for (const fd of f.procFds ?? []) closeIfUnused(sh, fd);
  return f;
}

export function setEcho(sh: Shell, fd: number, on: boolean): void {
  if (!sh.sys.isatty(fd)) return;
  sh.sys.setTermios(fd, { ...sh.sys.getTermios(fd), echo: on });
}

export function endScope(sh: Shell, scope: Scope): void {
  const { st } = sh;
  if (scope.fds) st.fds = scope.fds;
  for (const fd of scope.opened ?? []) closeIfUnused(sh, fd);
  for (const [name, old] of Object.entries(scope.saved ?? {})) {
    if (old === null) delete st.vars[name];
    else st.vars[name] = old;
  }
  if (scope.args) st.args = scope.args;
}

/** Closes a descriptor of the process table unless a descriptor of the script (now or after a scope ends) still is it. */
export function closeIfUnused(sh: Shell, real: number): void {
  const { st } = sh;
  if (Object.values(st.fds).includes(real)) return;
  for (const f of st.frames) if (f.k === 'scope' && f.fds && Object.values(f.fds).includes(real)) return;
  for (const piece of st.out)
    if (piece.fd === real) {
      st.closing.push(real);
      return;
    }
  sh.sys.close(real);
}

/** Ends the top frame with a status; `set -e` looks at it unless `unchecked`. */
export function finish(sh: Shell, status: number, unchecked = false): undefined {
  popFrame(sh);
  const { st } = sh;
  st.status = status;
  if (status === 0 || unchecked) return;
  if (st.tested || st.frames.some((f) => f.tested)) return;
  const action = st.traps['ERR'];
  if (action) runTrap(sh, action);
  if (st.opts['e']) beginExit(sh, status);
}

/** Starts running a trap's text; `$?` is the same afterwards as before. */
export function runTrap(sh: Shell, action: string): void {
  const { st } = sh;
  st.frames.push({ k: 'trap', src: 0, at: 0, status: st.status });
  pushText(sh, action);
}

/** Pushes a text to be executed; false when it does not parse: what stands before the error runs, then the error is told. */
export function pushText(sh: Shell, text: string, { tail = false, from = '' } = {}): boolean {
  const { st } = sh;
  const src = addText(st, text);
  const script = scriptOf(st, src);
  if (from.includes('/')) st.files[src] = from;
  if (script.error) {
    st.frames.push({ k: 'failed', src, at: 0, from });
    pushNode(st, src, script.root);
    return false;
  }
  pushNode(st, src, script.root, { tail });
  return true;
}

/** bash's two lines: the message, and the line it is about. `from`: the sourced file, `eval` or `-c`. */
export function syntaxError(sh: Shell, text: string, from = ''): void {
  const { st } = sh;
  const { error } = parseScript(text);
  if (!error) return;
  const message = error.message || 'syntax error: unexpected end of file';
  st.line = error.line;
  const where = from === '' && st.interactive ? '' : `${from ? `${from}: ` : ''}line ${error.line}: `;
  out(sh, `${st.name}: ${where}${message}\n`, 2);
  if (error.quoteLine && where) out(sh, `${st.name}: ${where}\`${text.split('\n')[error.line - 1] ?? ''}'\n`, 2);
}

/** Unwinds everything and lets the shell end, after the EXIT trap. */
export function beginExit(sh: Shell, status: number): void {
  const { st } = sh;
  while (st.frames.length > 0) popFrame(sh);
  const first = st.exiting === null;
  st.exiting = status & 0xff;
  st.status = st.exiting;
  const action = st.traps['EXIT'];
  if (!first || !action) return;
  delete st.traps['EXIT'];
  runTrap(sh, action);
}

/** Back to the prompt (or the end of a script, with this status). */
export function abort(sh: Shell, status: number): void {
  const { st } = sh;
  if (!st.interactive) {
    beginExit(sh, status);
    return;
  }
  while (st.frames.length > 0) popFrame(sh);
  st.status = status;
}

const isLoop = (sh: Shell, f: Frame) =>
  f.k === 'node' && ['for', 'cfor', 'while'].includes(scriptOf(sh.st, f.src).nodes[f.at]!.k);

/** `break N` and `continue N`; false when there is no loop to leave. */
export function leaveLoops(sh: Shell, count: number, again: boolean): boolean {
  const { frames } = sh.st;
  let target = -1;
  let left = count;
  for (let i = frames.length - 1; i >= 0 && left > 0; i--) {
    const f = frames[i]!;
    if (f.k === 'scope' && f.fn !== undefined) break;
    if (!isLoop(sh, f)) continue;
    target = i;
    left--;
  }
  if (target < 0) return false;
  while (frames.length > target + 1) popFrame(sh);
  if (!again) popFrame(sh);
  sh.st.status = 0;
  return true;
}

/** `return N`: ends the innermost function or sourced file; false outside of both. */
export function leaveFunction(sh: Shell, status: number): boolean {
  const { frames } = sh.st;
  const isEnd = (f: Frame) => f.k === 'scope' && (f.fn !== undefined || f.sourced === true);
  if (!frames.some(isEnd)) return false;
  while (frames.length > 0 && !isEnd(frames[frames.length - 1]!)) popFrame(sh);
  sh.st.status = status & 0xff;
  return true;
}

/**
 * Expands something for the top frame. Undefined: a command substitution was started (the frame will be advanced again
 * when its output is there), or the expansion failed and the stack has been unwound.
 */
export function expanding<T>(
  sh: Shell,
  f: Frame,
  mayWait: boolean | undefined,
  compute: (x: Expansion) => T,
): T | undefined {
  if (mayWait) f.log ??= [];
  const x: Expansion = { sh, log: mayWait ? f.log : undefined, at: 0 };
  try {
    const value = compute(x);
    delete f.log;
    return value;
  } catch (error) {
    if (error instanceof Pending) {
      startSubstitution(sh, f, error.seg);
      return undefined;
    }
    if (!(error instanceof ShellError)) throw error;
    fail(sh, error);
    return undefined;
  }
}

/** Reports a failed expansion: the command is not executed; a script ends if the error is fatal. */
export function fail(sh: Shell, error: ShellError): void {
  complain(sh, error.message);
  if (error.fatal || sh.st.interactive) abort(sh, error.status);
  else discard(sh, error.status);
}

/** A script goes on after a failed expansion with the next line of its outermost list. */
function discard(sh: Shell, status: number): void {
  const { st } = sh;
  const base = st.frames[0];
  const node = base?.k === 'node' ? nodeAt(st, base) : undefined;
  if (base?.k !== 'node' || node?.k !== 'list' || st.frames.length === 1) {
    abort(sh, status);
    return;
  }
  while (st.frames.length > 1) popFrame(sh);
  const { nodes } = scriptOf(st, base.src);
  while (node.items[base.i ?? 0] && nodes[node.items[base.i ?? 0]!.n]!.line <= st.line) base.i = (base.i ?? 0) + 1;
  st.status = status;
}
