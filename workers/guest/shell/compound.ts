/** Control structures: one advance of the top frame for each kind of node. */

import type { Step } from '../sys';
import { evaluate } from './arith';
import type { NodeOf } from './ast';
import { testExpression } from './condition';
import { expandPattern, expandString, expandValue, expandWords } from './expand';
import { expanding, finish, popFrame } from './flow';
import { matches } from './pattern';
import { background, pipeline, startSubshell, timeReport } from './pipeline';
import { expandRedirs, redirect } from './redirect';
import { simple } from './simple';
import { complain, type FrameOf, nodeAt, out, pushNode, type Shell } from './state';
import { isName, ShellError, setVar } from './variables';

type NodeFrame = FrameOf<'node'>;

export function advanceNode(sh: Shell, f: NodeFrame): Step | undefined {
  const node = nodeAt(sh.st, f);
  switch (node.k) {
    case 'simple':
      return simple(sh, f, node);
    case 'list':
      return list(sh, f, node);
    case 'andor':
      return andOr(sh, f, node);
    case 'pipe':
      return node.cmds.length > 1 ? pipeline(sh, f, node) : onePipe(sh, f, node);
    case 'group':
      return replace(sh, f, node.body);
    case 'sub':
      return f.tail ? replace(sh, f, node.body) : startSubshell(sh, f);
    case 'redir':
      return redirected(sh, f, node);
    case 'if':
      return conditional(sh, f, node);
    case 'while':
      return whileLoop(sh, f, node);
    case 'for':
      return forLoop(sh, f, node);
    case 'cfor':
      return arithmeticFor(sh, f, node);
    case 'case':
      return caseOf(sh, f, node);
    case 'func':
      sh.st.funcs[node.name] = { src: f.src, at: node.body };
      return finish(sh, 0);
    case 'cond':
      return condition(sh, f, node);
    case 'arith':
      return arithmetic(sh, f, node);
    case 'unsupported':
      complain(sh, `${node.what}: not supported`);
      return finish(sh, 2);
  }
}

/** The construct is now just this part of it. */
function replace(sh: Shell, f: NodeFrame, at: number): undefined {
  sh.st.frames.pop();
  pushNode(sh.st, f.src, at, f.tail ? { tail: true } : {});
}

function list(sh: Shell, f: NodeFrame, node: NodeOf<'list'>): undefined {
  const i = f.i ?? 0;
  const item = node.items[i];
  if (!item) {
    popFrame(sh);
    return;
  }
  f.i = i + 1;
  if (item.bg) return background(sh, f.src, item.n);
  if (i === node.items.length - 1) return replace(sh, f, item.n);
  pushNode(sh.st, f.src, item.n);
}

function andOr(sh: Shell, f: NodeFrame, node: NodeOf<'andor'>): undefined {
  let i = f.i ?? 0;
  const isWanted = (n: number) => n === 0 || (node.ops[n - 1] === '&&') === (sh.st.status === 0);
  while (i < node.cmds.length && !isWanted(i)) i++;
  f.i = i + 1;
  if (i >= node.cmds.length) {
    popFrame(sh);
    return;
  }
  if (i === node.cmds.length - 1) return replace(sh, f, node.cmds[i]!);
  f.tested = true;
  pushNode(sh.st, f.src, node.cmds[i]!);
}

/** `! cmd` and `time cmd`. */
function onePipe(sh: Shell, f: NodeFrame, node: NodeOf<'pipe'>): undefined {
  if (f.phase === undefined) {
    f.phase = 1;
    f.t0 = sh.sys.nowNs;
    f.cpu0 = sh.sys.cpuNs;
    f.c0 = sh.sys.childrenCpuNs;
    if (node.neg) f.tested = true;
    const [only] = node.cmds;
    if (only !== undefined) pushNode(sh.st, f.src, only);
    return;
  }
  if (node.time) timeReport(sh, f, node.time);
  finish(sh, node.neg ? (sh.st.status === 0 ? 1 : 0) : sh.st.status, true);
}

function redirected(sh: Shell, f: NodeFrame, node: NodeOf<'redir'>): undefined {
  const targets = expanding(sh, f, node.hasCmd, (x) => expandRedirs(x, node.redirs));
  if (!targets) return;
  try {
    const { fds, opened } = redirect(sh, targets);
    sh.st.frames.pop();
    sh.st.frames.push({ k: 'scope', src: f.src, at: f.at, fds: sh.st.fds, opened });
    sh.st.fds = fds;
    pushNode(sh.st, f.src, node.body);
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    complain(sh, error.message);
    finish(sh, 1);
  }
}

function conditional(sh: Shell, f: NodeFrame, node: NodeOf<'if'>): undefined {
  const i = f.i ?? 0;
  if (f.phase === 1) {
    if (sh.st.status === 0) return replace(sh, f, node.arms[i]![1]);
    f.i = i + 1;
    f.phase = 0;
    return;
  }
  const arm = node.arms[i];
  if (arm) {
    f.phase = 1;
    f.tested = true;
    pushNode(sh.st, f.src, arm[0]);
    return;
  }
  if (node.otherwise !== undefined) return replace(sh, f, node.otherwise);
  finish(sh, 0);
}

function whileLoop(sh: Shell, f: NodeFrame, node: NodeOf<'while'>): undefined {
  if (f.phase === 1) {
    if ((sh.st.status === 0) === node.until) return finish(sh, f.c0 ?? 0, true);
    f.phase = 2;
    f.tested = false;
    pushNode(sh.st, f.src, node.body);
    return;
  }
  if (f.phase === 2) f.c0 = sh.st.status;
  f.phase = 1;
  f.tested = true;
  pushNode(sh.st, f.src, node.cond);
}

function forLoop(sh: Shell, f: NodeFrame, node: NodeOf<'for'>): undefined {
  if (!f.words) {
    sh.st.line = node.line;
    if (!isName(node.name)) {
      complain(sh, `\`${node.name}': not a valid identifier`);
      return finish(sh, 1);
    }
    const words = expanding(sh, f, node.hasCmd, (x) => (node.words ? expandWords(x, node.words) : [...sh.st.args]));
    if (!words) return;
    f.words = words;
    f.i = 0;
    if (words.length === 0) sh.st.status = 0;
  }
  const word = f.words[f.i!];
  if (word === undefined) {
    popFrame(sh);
    return;
  }
  f.i!++;
  assignOrFail(sh, node.name, word, () => pushNode(sh.st, f.src, node.body));
}

function assignOrFail(sh: Shell, name: string, value: string, then: () => void): void {
  try {
    setVar(sh, name, value);
    then();
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    complain(sh, error.message);
    finish(sh, 1);
  }
}

function arithmeticFor(sh: Shell, f: NodeFrame, node: NodeOf<'cfor'>): undefined {
  const [init, test, update] = node.parts;
  const run = (part: NodeOf<'cfor'>['parts'][number] | undefined) =>
    expanding(sh, f, node.hasCmd, (x) => (part ? evaluate(sh, expandString(x, part)) : 1n));
  if (f.phase === undefined) {
    if (run(init) === undefined) return;
    f.phase = 1;
  } else if (f.phase === 2) {
    if (run(update) === undefined) return;
    f.phase = 1;
  }
  const value = run(test);
  if (value === undefined) return;
  if (value === 0n) return finish(sh, sh.st.status, true);
  f.phase = 2;
  pushNode(sh.st, f.src, node.body);
}

/** `phase` 1: fell through with `;&`; 2: goes on testing after `;;&`. */
function caseOf(sh: Shell, f: NodeFrame, node: NodeOf<'case'>): undefined {
  if (f.word === undefined) {
    const word = expanding(sh, f, node.hasCmd, (x) => expandValue(x, node.word));
    if (word === undefined) return;
    f.word = word;
    f.i = 0;
    f.phase = 0;
    sh.st.status = 0;
  }
  for (; f.i! < node.items.length; f.i!++) {
    const item = node.items[f.i!]!;
    const isMatch =
      f.phase === 1 ||
      expanding(sh, f, node.hasCmd, (x) => item.pats.some((p) => matches(expandPattern(x, p), f.word!)));
    if (isMatch === undefined) return;
    if (!isMatch) continue;
    if (item.term === ';;') return replace(sh, f, item.body);
    f.phase = item.term === ';&' ? 1 : 2;
    f.i!++;
    pushNode(sh.st, f.src, item.body);
    return;
  }
  popFrame(sh);
}

function condition(sh: Shell, f: NodeFrame, node: NodeOf<'cond'>): undefined {
  sh.st.line = node.line;
  const value = expanding(sh, f, node.hasCmd, (x) => testExpression(x, node.e));
  if (value === undefined) return;
  finish(sh, value ? 0 : 1);
}

function arithmetic(sh: Shell, f: NodeFrame, node: NodeOf<'arith'>): undefined {
  sh.st.line = node.line;
  try {
    const value = expanding(sh, f, node.hasCmd, (x) => {
      const text = expandString(x, node.e);
      if (sh.st.opts['x']) out(sh, `+ (( ${text} ))\n`, 2);
      return evaluate(sh, text);
    });
    if (value !== undefined) finish(sh, value === 0n ? 1 : 0);
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    complain(sh, `((: ${error.message}`);
    finish(sh, 1);
  }
}
