/** awk's expressions, by precedence climbing over the tokens. */
import type { Binary, Comparison, Expr, LValue } from './ast';
import { AwkSyntaxError, type Token } from './lexer';

export class ExpressionParser {
  protected at = 0;

  constructor(protected readonly tokens: readonly Token[]) {}

  protected get token(): Token {
    return this.tokens[this.at]!;
  }

  protected is(...texts: readonly string[]): boolean {
    const { kind, text } = this.token;
    return (kind === 'sign' || kind === 'word' || kind === 'newline') && texts.includes(text);
  }

  protected take(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  protected expect(text: string): void {
    if (!this.take(text)) this.fail();
  }

  protected fail(): never {
    const { kind, line, at } = this.token;
    throw new AwkSyntaxError(
      kind === 'newline' || kind === 'end' ? 'unexpected newline or end of string' : 'syntax error',
      line,
      at,
    );
  }

  protected skipNewlines(): void {
    while (this.token.kind === 'newline') this.at++;
  }

  protected name(): string {
    if (this.token.kind !== 'name') this.fail();
    return this.tokens[this.at++]!.text;
  }

  /** `noGreater`: inside print, where `>` is a redirection. `noIn`: in the head of a for. */
  protected expression(noGreater = false): Expr {
    const left = this.#conditional(noGreater);
    const { kind, text } = this.token;
    if (kind !== 'sign' || !/^[-+*/%^]?=$/.test(text) || !isLValue(left)) return left;
    this.at++;
    this.skipNewlines();
    return { k: 'assign', target: left, op: text.slice(0, -1) as Binary | '', value: this.expression(noGreater) };
  }

  #conditional(noGreater: boolean): Expr {
    const test = this.#or(noGreater);
    if (!this.take('?')) return test;
    this.skipNewlines();
    const then = this.expression(noGreater);
    this.skipNewlines();
    this.expect(':');
    this.skipNewlines();
    return { k: 'cond', test, then, otherwise: this.expression(noGreater) };
  }

  #or(noGreater: boolean): Expr {
    let a = this.#and(noGreater);
    while (this.take('||')) {
      this.skipNewlines();
      a = { k: 'or', a, b: this.#assignable(this.#and(noGreater), noGreater) };
    }
    return a;
  }

  #and(noGreater: boolean): Expr {
    let a = this.#in(noGreater);
    while (this.take('&&')) {
      this.skipNewlines();
      a = { k: 'and', a, b: this.#assignable(this.#in(noGreater), noGreater) };
    }
    return a;
  }

  /** `a && b = 1`: the assignment belongs to the right side. */
  #assignable(left: Expr, noGreater: boolean): Expr {
    if (!isLValue(left) || !this.is('=')) return left;
    this.at++;
    return { k: 'assign', target: left, op: '', value: this.expression(noGreater) };
  }

  #in(noGreater: boolean): Expr {
    let a = this.#match(noGreater);
    while (this.take('in')) a = { k: 'in', keys: a.k === 'group' ? a.items : [a], array: this.name() };
    return a;
  }

  #match(noGreater: boolean): Expr {
    let a = this.#comparison(noGreater);
    while (this.is('~', '!~')) {
      const isNegated = this.tokens[this.at++]!.text === '!~';
      a = { k: 'match', a, b: this.#comparison(noGreater), isNegated };
    }
    return a;
  }

  #comparison(noGreater: boolean): Expr {
    let a = this.#concat();
    for (;;) {
      if (this.is('|') && this.tokens[this.at + 1]?.text === 'getline' && this.tokens[this.at + 1]?.kind === 'word') {
        this.at += 2;
        a = { k: 'getline', from: 'command', source: a, target: this.#optionalTarget() };
      } else if (this.is('<', '<=', '==', '!=', '>=') || (!noGreater && this.is('>'))) {
        const op = this.tokens[this.at++]!.text as Comparison;
        a = { k: 'compare', op, a, b: this.#concat() };
      } else return a;
    }
  }

  #concat(): Expr {
    let a = this.#additive();
    while (this.#startsOperand()) a = { k: 'concat', a, b: this.#additive() };
    return a;
  }

  #startsOperand(): boolean {
    const { kind, text } = this.token;
    if (kind === 'sign') return ['$', '(', '++', '--'].includes(text);
    return ['number', 'string', 'regex', 'name', 'call', 'builtin'].includes(kind);
  }

  #additive(): Expr {
    let a = this.#multiplicative();
    while (this.is('+', '-')) {
      const op = this.tokens[this.at++]!.text as Binary;
      a = { k: 'binary', op, a, b: this.#multiplicative() };
    }
    return a;
  }

  #multiplicative(): Expr {
    let a = this.#unary();
    while (this.is('*', '/', '%')) {
      const op = this.tokens[this.at++]!.text as Binary;
      a = { k: 'binary', op, a, b: this.#unary() };
    }
    return a;
  }

  #unary(): Expr {
    if (!this.is('!', '-', '+')) return this.#power();
    const op = this.tokens[this.at++]!.text as '-' | '+' | '!';
    return { k: 'unary', op, a: this.#unary() };
  }

  #power(): Expr {
    const a = this.#postfix();
    if (!this.take('^')) return a;
    // Right associative, and a sign may follow: 2^-3.
    const b: Expr = this.is('-', '+', '!') ? this.#unary() : this.#power();
    return { k: 'binary', op: '^', a, b };
  }

  #postfix(): Expr {
    const a = this.#primary();
    if (!isLValue(a) || !this.is('++', '--')) return a;
    return { k: 'step', target: a, by: this.tokens[this.at++]!.text === '++' ? 1 : -1, isPostfix: true };
  }

  #primary(): Expr {
    const token = this.token;
    this.at++;
    switch (token.kind) {
      case 'number':
        return { k: 'number', value: token.value };
      case 'string':
        return { k: 'string', value: token.text };
      case 'regex':
        return { k: 'regex', source: token.text };
      case 'name':
        return this.take('[')
          ? { k: 'element', array: token.text, keys: this.#list(']') }
          : { k: 'var', name: token.text };
      case 'call':
        this.expect('(');
        return { k: 'call', name: token.text, args: this.#list(')'), line: token.line };
      case 'builtin':
        return { k: 'builtin', name: token.text, args: this.take('(') ? this.#list(')') : this.#noArguments(token) };
      default:
        return this.#sign(token);
    }
  }

  #sign(token: Token): Expr {
    switch (token.text) {
      case '$':
        return { k: 'field', index: this.is('++', '--', '-', '+', '!') ? this.#unaryOfField() : this.#primary() };
      case '++':
      case '--': {
        const target = this.#primary();
        if (!isLValue(target)) this.fail();
        return { k: 'step', target, by: token.text === '++' ? 1 : -1, isPostfix: false };
      }
      case '(': {
        this.skipNewlines();
        const items = this.#list(')');
        if (items.length === 0) this.fail();
        return { k: 'group', items };
      }
      case 'getline': {
        const target = this.#optionalTarget();
        if (!this.take('<')) return { k: 'getline', from: 'input', source: null, target };
        return { k: 'getline', from: 'file', source: this.#postfix(), target };
      }
      default:
        this.at--;
        return this.fail();
    }
  }

  #unaryOfField(): Expr {
    if (this.is('++', '--')) return this.#primary();
    const op = this.tokens[this.at++]!.text as '-' | '+' | '!';
    return { k: 'unary', op, a: this.#primary() };
  }

  /** Only `length` stands without parentheses. */
  #noArguments(token: Token): readonly Expr[] {
    if (token.text === 'length') return [];
    return this.fail();
  }

  #optionalTarget(): LValue | null {
    if (this.token.kind !== 'name' && !this.is('$')) return null;
    const target = this.#primary();
    if (!isLValue(target)) this.fail();
    return target;
  }

  /** Expressions with commas up to the closing sign. */
  #list(close: ')' | ']'): Expr[] {
    const items: Expr[] = [];
    this.skipNewlines();
    while (!this.take(close)) {
      if (items.length > 0) this.expect(',');
      this.skipNewlines();
      items.push(this.expression());
      this.skipNewlines();
    }
    return items;
  }
}

export const isLValue = (it: Expr): it is LValue => it.k === 'var' || it.k === 'field' || it.k === 'element';
