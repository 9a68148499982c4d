/** Conditions: the operators of `test`, `[` and `[[ … ]]`. */
import { type Stat, SysError } from '../sys';
import { evaluate } from './arith';
import type { TestExpr } from './ast';
import { type Expansion, expandPattern, expandValue } from './expand';
import { matches } from './pattern';
import type { Shell } from './state';
import { elements, getElement, getVar, lookup, ShellError, setArray } from './variables';

const UNARY = new Set([
  '-e',
  '-a',
  '-f',
  '-d',
  '-r',
  '-w',
  '-x',
  '-s',
  '-L',
  '-h',
  '-b',
  '-c',
  '-p',
  '-S',
  '-t',
  '-z',
  '-n',
  '-u',
  '-g',
  '-k',
  '-O',
  '-G',
  '-N',
  '-o',
  '-v',
]);
const BINARY = new Set(['=', '==', '!=', '<', '>', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-nt', '-ot', '-ef']);

export function testExpression(x: Expansion, e: TestExpr): boolean {
  switch (e.t) {
    case 'and':
      return e.e.every((part) => testExpression(x, part));
    case 'or':
      return e.e.some((part) => testExpression(x, part));
    case 'not':
      return !testExpression(x, e.e);
    case 'un':
      return unary(x.sh, e.op, expandValue(x, e.a));
    case 'bin': {
      const a = expandValue(x, e.a);
      if (e.op === '=' || e.op === '==') return matches(expandPattern(x, e.b), a);
      if (e.op === '!=') return !matches(expandPattern(x, e.b), a);
      if (e.op === '=~') return regularExpression(x, a, e.b);
      const b = expandValue(x, e.b);
      const arithmetic = ARITHMETIC[e.op];
      if (arithmetic) return arithmetic(evaluate(x.sh, a), evaluate(x.sh, b));
      return binary(x.sh, a, e.op, b, 'conditional');
    }
  }
}

/** Quoted parts match literally; the parts that matched go to BASH_REMATCH. */
function regularExpression(x: Expansion, text: string, word: Parameters<typeof expandPattern>[1]): boolean {
  const pattern = word
    .map((seg) => {
      const s = seg.k === 'lit' ? seg.s : expandValue(x, [seg]);
      return seg.q ? s.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : s;
    })
    .join('');
  const classes: Record<string, string> = {
    alpha: 'A-Za-z',
    digit: '0-9',
    alnum: 'A-Za-z0-9',
    space: '\\s',
    upper: 'A-Z',
    lower: 'a-z',
    xdigit: '0-9A-Fa-f',
    blank: ' \\t',
    punct: '!-\\/:-@\\[-`{-~',
  };
  const source = pattern.replace(/\[:(\w+):\]/g, (whole, name: string) => classes[name] ?? whole);
  let re: RegExp;
  try {
    re = new RegExp(source, 's');
  } catch {
    throw new ShellError(`${pattern}: invalid regular expression`, false, 2);
  }
  const m = re.exec(text);
  setArray(
    x.sh,
    'BASH_REMATCH',
    (m ?? []).map((s) => ({ value: s ?? '' })),
    false,
  );
  return m !== null;
}

const ARITHMETIC: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  '-eq': (a, b) => a === b,
  '-ne': (a, b) => a !== b,
  '-lt': (a, b) => a < b,
  '-le': (a, b) => a <= b,
  '-gt': (a, b) => a > b,
  '-ge': (a, b) => a >= b,
};

function integer(text: string): bigint {
  if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new ShellError(`${text}: integer expression expected`, false, 2);
  return BigInt(text.trim().replace(/^\+/, ''));
}

function binary(sh: Shell, a: string, op: string, b: string, command: string): boolean {
  switch (op) {
    case '=':
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '-nt':
      return (statOf(sh, a)?.mtime ?? -1) > (statOf(sh, b)?.mtime ?? -1);
    case '-ot':
      return (statOf(sh, a)?.mtime ?? -1) < (statOf(sh, b)?.mtime ?? -1);
    case '-ef': {
      const [p, q] = [statOf(sh, a), statOf(sh, b)];
      return p !== undefined && q !== undefined && p.dev === q.dev && p.ino === q.ino;
    }
  }
  const arithmetic = ARITHMETIC[op];
  if (arithmetic) return arithmetic(integer(a), integer(b));
  throw new ShellError(
    `${op}: ${command === 'conditional' ? 'conditional binary' : 'binary'} operator expected`,
    false,
    2,
  );
}

function statOf(sh: Shell, path: string, link = false): Stat | undefined {
  try {
    return link ? sh.sys.lstat(path) : sh.sys.stat(path);
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

const KINDS: Readonly<Record<string, Stat['kind']>> = {
  '-f': 'file',
  '-d': 'dir',
  '-b': 'block',
  '-c': 'char',
  '-p': 'fifo',
  '-S': 'socket',
};

function unary(sh: Shell, op: string, text: string): boolean {
  const { sys, st } = sh;
  if (KINDS[op]) return statOf(sh, text)?.kind === KINDS[op];
  switch (op) {
    case '-z':
      return text === '';
    case '-n':
      return text !== '';
    case '-e':
    case '-a':
      return statOf(sh, text) !== undefined;
    case '-L':
    case '-h':
      return statOf(sh, text, true)?.kind === 'symlink';
    case '-s':
      return (statOf(sh, text)?.size ?? 0) > 0;
    case '-r':
    case '-w':
    case '-x':
      return statOf(sh, text) !== undefined && sys.access(text, op[1] as 'r' | 'w' | 'x');
    case '-u':
      return ((statOf(sh, text)?.mode ?? 0) & 0o4000) !== 0;
    case '-g':
      return ((statOf(sh, text)?.mode ?? 0) & 0o2000) !== 0;
    case '-k':
      return ((statOf(sh, text)?.mode ?? 0) & 0o1000) !== 0;
    case '-O':
      return statOf(sh, text)?.uid === sys.uid;
    case '-G':
      return statOf(sh, text)?.gid === sys.gid;
    case '-t': {
      const real = st.fds[text];
      return real !== undefined && sys.isatty(real);
    }
    case '-o':
      return st.opts[text === 'errexit' ? 'e' : text === 'nounset' ? 'u' : text === 'xtrace' ? 'x' : text] === true;
    case '-v': {
      const element = /^(\w+)\[(.*)\]$/.exec(text);
      if (element)
        return element[2] === '@'
          ? elements(sh, element[1]!).length > 0
          : getElement(sh, element[1]!, element[2]!) !== undefined;
      return lookup(st, text)?.v !== undefined || getVar(sh, text) !== undefined;
    }
    default:
      throw new ShellError(`${op}: unary operator expected`, false, 2);
  }
}

/** `test ARGS` with POSIX's rules for how many arguments there are; ShellError (status 2) for a malformed one. */
export function testArguments(sh: Shell, args: readonly string[]): boolean {
  const [a, b, c, d] = args;
  switch (args.length) {
    case 0:
      return false;
    case 1:
      return a !== '';
    case 2:
      if (a === '!') return b === '';
      if (!UNARY.has(a!)) throw new ShellError(`${a}: unary operator expected`, false, 2);
      return unary(sh, a!, b!);
    case 3:
      if (BINARY.has(b!)) return binary(sh, a!, b!, c!, 'test');
      if (b === '-a') return a !== '' && c !== '';
      if (b === '-o') return a !== '' || c !== '';
      if (a === '!') return !testArguments(sh, [b!, c!]);
      if (a === '(' && c === ')') return b !== '';
      throw new ShellError(`${b}: binary operator expected`, false, 2);
    case 4:
      if (a === '!') return !testArguments(sh, [b!, c!, d!]);
      if (a === '(' && d === ')') return testArguments(sh, [b!, c!]);
  }
  const parser = new TestParser(sh, args);
  const value = parser.or();
  if (parser.at < args.length) throw new ShellError('too many arguments', false, 2);
  return value;
}

class TestParser {
  at = 0;
  constructor(
    readonly sh: Shell,
    readonly args: readonly string[],
  ) {}

  or(): boolean {
    let value = this.#and();
    while (this.args[this.at] === '-o') {
      this.at++;
      value = this.#and() || value;
    }
    return value;
  }

  #and(): boolean {
    let value = this.#not();
    while (this.args[this.at] === '-a') {
      this.at++;
      value = this.#not() && value;
    }
    return value;
  }

  #not(): boolean {
    if (this.args[this.at] !== '!') return this.#primary();
    this.at++;
    return !this.#not();
  }

  #primary(): boolean {
    const [a, b, c] = this.args.slice(this.at, this.at + 3);
    if (a === undefined) throw new ShellError('argument expected', false, 2);
    if (a === '(') {
      this.at++;
      const value = this.or();
      if (this.args[this.at] !== ')') throw new ShellError("`)' expected", false, 2);
      this.at++;
      return value;
    }
    if (b !== undefined && BINARY.has(b) && c !== undefined) {
      this.at += 3;
      return binary(this.sh, a, b, c, 'test');
    }
    if (UNARY.has(a) && b !== undefined && b !== '-a' && b !== '-o') {
      this.at += 2;
      return unary(this.sh, a, b);
    }
    this.at++;
    return a !== '';
  }
}
