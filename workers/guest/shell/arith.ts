/** Shell arithmetic: 64-bit integers, C's operators, variables by name; `$((…))`, `((…))`, `let`, array indices. */
import type { Shell } from './state';
import { arrayKey, getElement, getVar, lookup, ShellError, setVar } from './variables';

type Expr =
  | { t: 'num'; v: bigint }
  | { t: 'var'; name: string; index?: string }
  | { t: 'un'; op: string; a: Expr }
  | { t: 'inc'; by: bigint; post: boolean; a: Expr }
  | { t: 'bin'; op: string; a: Expr; b: Expr }
  | { t: 'if'; c: Expr; a: Expr; b: Expr }
  | { t: 'set'; op: string; a: Expr; b: Expr };

const cache = new Map<string, Expr>();

/** Value of an expression whose `$` expansions have been done. Throws ShellError with bash's message. */
export function evaluate(sh: Shell, text: string, depth = 0): bigint {
  const plain = /^\s*(-?[1-9]\d{0,14}|0)\s*$/.exec(text);
  if (plain) return BigInt(plain[1]!);
  if (text.trim() === '') return 0n;
  if (depth > 50) throw new ShellError(`${text}: expression recursion level exceeded (error token is "${text}")`);
  let expr = cache.get(text);
  if (!expr) {
    expr = new ArithmeticParser(text).parse();
    if (cache.size > 500) cache.clear();
    cache.set(text, expr);
  }
  return run(sh, expr, text, depth);
}

const wrap = (v: bigint) => BigInt.asIntN(64, v);
const truth = (b: boolean) => (b ? 1n : 0n);

function run(sh: Shell, e: Expr, text: string, depth: number): bigint {
  switch (e.t) {
    case 'num':
      return e.v;
    case 'var':
      return read(sh, e, depth);
    case 'un': {
      const v = run(sh, e.a, text, depth);
      return e.op === '-' ? wrap(-v) : e.op === '!' ? truth(v === 0n) : e.op === '~' ? ~v : v;
    }
    case 'inc': {
      const old = run(sh, e.a, text, depth);
      const value = wrap(old + e.by);
      write(sh, e.a, value);
      return e.post ? old : value;
    }
    case 'if':
      return run(sh, e.c, text, depth) !== 0n ? run(sh, e.a, text, depth) : run(sh, e.b, text, depth);
    case 'set': {
      const right = run(sh, e.b, text, depth);
      const value = e.op === '=' ? right : binary(e.op.slice(0, -1), run(sh, e.a, text, depth), right, text);
      write(sh, e.a, value);
      return value;
    }
    case 'bin': {
      if (e.op === '&&') return truth(run(sh, e.a, text, depth) !== 0n && run(sh, e.b, text, depth) !== 0n);
      if (e.op === '||') return truth(run(sh, e.a, text, depth) !== 0n || run(sh, e.b, text, depth) !== 0n);
      const a = run(sh, e.a, text, depth);
      return binary(e.op, a, run(sh, e.b, text, depth), text);
    }
  }
}

function read(sh: Shell, e: Expr & { t: 'var' }, depth: number): bigint {
  const value = e.index === undefined ? getVar(sh, e.name) : getElement(sh, e.name, e.index);
  if (value === undefined && sh.st.opts['u']) throw new ShellError(`${e.name}: unbound variable`, true, 127);
  return value === undefined ? 0n : evaluate(sh, value, depth + 1);
}

function write(sh: Shell, e: Expr, value: bigint): void {
  if (e.t !== 'var') throw new ShellError('attempted assignment to non-variable');
  const key = e.index === undefined ? undefined : arrayKey(sh, e.name, e.index);
  if (lookup(sh.st, e.name)?.integer) lookup(sh.st, e.name)!.v ??= '0';
  setVar(sh, e.name, String(value), key === undefined ? {} : { key });
}

function binary(op: string, a: bigint, b: bigint, text: string): bigint {
  switch (op) {
    case '+':
      return wrap(a + b);
    case '-':
      return wrap(a - b);
    case '*':
      return wrap(a * b);
    case '/':
    case '%':
      if (b === 0n) throw new ShellError(`${text}: division by 0 (error token is "${lastOperand(text)}")`);
      return wrap(op === '/' ? a / b : a % b);
    case '**':
      if (b < 0n) throw new ShellError(`${text}: exponent less than 0 (error token is "${lastOperand(text)}")`);
      return power(a, b);
    case '<<':
      return wrap(a << (b & 63n));
    case '>>':
      return a >> (b & 63n);
    case '<':
      return truth(a < b);
    case '>':
      return truth(a > b);
    case '<=':
      return truth(a <= b);
    case '>=':
      return truth(a >= b);
    case '==':
      return truth(a === b);
    case '!=':
      return truth(a !== b);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    default:
      return b; // comma
  }
}

/** By squaring, wrapped at each step, so that a huge exponent costs nothing. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = base, e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = wrap(result * b);
    b = wrap(b * b);
  }
  return result;
}

const lastOperand = (text: string) => /[/%*]\s*([^/%*]*)$/.exec(text)?.[1] ?? text;

const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const ASSIGN = ['=', '+=', '-=', '*=', '/=', '%=', '<<=', '>>=', '&=', '|=', '^='];
const TOKEN =
  /\s*(?:(0[xX][0-9a-fA-F]+|\d+#[0-9a-zA-Z@_]+|\d+)|([A-Za-z_]\w*)|(<<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^<>=!~?:(),[\]]))/y;

class ArithmeticParser {
  readonly #tokens: { s: string; kind: 'num' | 'name' | 'op'; pos: number; end: number }[] = [];
  #at = 0;
  readonly #text: string;

  constructor(readonly original: string) {
    const text = original.replace(/["'\\]/g, '');
    this.#text = text;
    let pos = 0;
    while (text.slice(pos).trim() !== '') {
      TOKEN.lastIndex = pos;
      const m = TOKEN.exec(text);
      if (!m) throw this.#error(text.slice(pos).trimStart());
      const s = m[1] ?? m[2] ?? m[3]!;
      this.#tokens.push({
        s,
        kind: m[1] ? 'num' : m[2] ? 'name' : 'op',
        pos: TOKEN.lastIndex - s.length,
        end: TOKEN.lastIndex,
      });
      pos = TOKEN.lastIndex;
    }
  }

  parse(): Expr {
    const e = this.#comma();
    if (this.#at < this.#tokens.length) throw this.#error();
    return e;
  }

  #error(token = this.#text.slice(this.#tokens[this.#at]?.pos ?? this.#text.length)): ShellError {
    const what =
      this.#at < this.#tokens.length || token ? 'syntax error in expression' : 'syntax error: operand expected';
    const last = this.#tokens[this.#tokens.length - 1]?.s ?? '';
    return new ShellError(`${this.original}: ${what} (error token is "${token || last}")`);
  }

  #is(...ops: string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'op' || !ops.includes(token.s)) return undefined;
    this.#at++;
    return token.s;
  }

  #expect(op: string): void {
    if (!this.#is(op)) throw this.#error();
  }

  #comma(): Expr {
    let e = this.#assign();
    while (this.#is(',')) e = { t: 'bin', op: ',', a: e, b: this.#assign() };
    return e;
  }

  #assign(): Expr {
    const left = this.#ternary();
    const op = this.#is(...ASSIGN);
    if (!op) return left;
    if (left.t !== 'var')
      throw new ShellError(`${this.original}: attempted assignment to non-variable (error token is "${op}")`);
    return { t: 'set', op, a: left, b: this.#assign() };
  }

  #ternary(): Expr {
    const c = this.#binary(0);
    if (!this.#is('?')) return c;
    const a = this.#comma();
    this.#expect(':');
    return { t: 'if', c, a, b: this.#assign() };
  }

  #binary(level: number): Expr {
    const ops = LEVELS[level];
    if (!ops) return this.#power();
    let e = this.#binary(level + 1);
    for (let op = this.#is(...ops); op; op = this.#is(...ops)) e = { t: 'bin', op, a: e, b: this.#binary(level + 1) };
    return e;
  }

  #power(): Expr {
    const a = this.#unary();
    return this.#is('**') ? { t: 'bin', op: '**', a, b: this.#power() } : a;
  }

  #unary(): Expr {
    const op = this.#is('+', '-', '!', '~', '++', '--');
    if (!op) return this.#postfix();
    const a = this.#unary();
    if (op.length === 1) return { t: 'un', op, a };
    if (a.t === 'var') return { t: 'inc', by: op === '++' ? 1n : -1n, post: false, a };
    return { t: 'un', op: op[0]!, a: { t: 'un', op: op[0]!, a } };
  }

  #postfix(): Expr {
    const a = this.#primary();
    if (a.t !== 'var') return a;
    const op = this.#is('++', '--');
    return op ? { t: 'inc', by: op === '++' ? 1n : -1n, post: true, a } : a;
  }

  #primary(): Expr {
    const token = this.#tokens[this.#at];
    if (!token) throw this.#error('');
    if (token.kind === 'num') {
      this.#at++;
      return { t: 'num', v: number(token.s) };
    }
    if (token.kind === 'name') {
      this.#at++;
      return this.#is('[') ? { t: 'var', name: token.s, index: this.#index() } : { t: 'var', name: token.s };
    }
    this.#expect('(');
    const e = this.#comma();
    this.#expect(')');
    return e;
  }

  /** The text up to the matching bracket. */
  #index(): string {
    const start = this.#tokens[this.#at - 1]!.end;
    for (let depth = 1; this.#at < this.#tokens.length; this.#at++) {
      const token = this.#tokens[this.#at]!;
      if (token.s === '[') depth++;
      if (token.s === ']' && --depth === 0) {
        this.#at++;
        return this.#text.slice(start, token.pos);
      }
    }
    throw this.#error();
  }
}

function number(text: string): bigint {
  if (/^0[xX]/.test(text)) return wrap(BigInt(text));
  const based = /^(\d+)#(.+)$/.exec(text);
  if (based) {
    const base = Number(based[1]);
    const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_';
    let value = 0n;
    for (const c of base <= 36 ? based[2]!.toLowerCase() : based[2]!) {
      const digit = digits.indexOf(c);
      if (digit < 0 || digit >= base)
        throw new ShellError(`${text}: value too great for base (error token is "${text}")`);
      value = value * BigInt(base) + BigInt(digit);
    }
    return wrap(value);
  }
  if (/^0\d/.test(text)) {
    if (/[89]/.test(text)) throw new ShellError(`${text}: value too great for base (error token is "${text}")`);
    return wrap(BigInt(`0o${text.slice(1)}`));
  }
  return wrap(BigInt(text));
}
