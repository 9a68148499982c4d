/** awk's programs: rules, functions and statements. Throws AwkSyntaxError. */
import type { AwkProgram, Expr, FunctionNode, Redirect, Rule, Statement } from './ast';
import { ExpressionParser } from './expressions';
import { tokenize } from './lexer';

export function parseAwk(source: string): AwkProgram {
  return new ProgramParser(tokenize(source)).program();
}

class ProgramParser extends ExpressionParser {
  program(): AwkProgram {
    const begin: Statement[] = [];
    const end: Statement[] = [];
    const rules: Rule[] = [];
    const functions: FunctionNode[] = [];
    for (this.#skipEnds(); this.token.kind !== 'end'; this.#skipEnds()) {
      if (this.take('BEGIN')) begin.push(this.#block());
      else if (this.take('END')) end.push(this.#block());
      else if (this.take('function')) functions.push(this.#function());
      else rules.push(this.#rule());
    }
    return { begin, rules, end, functions };
  }

  #skipEnds(): void {
    while (this.is(';', '\n')) this.at++;
  }

  #function(): FunctionNode {
    const { kind, text } = this.token;
    if (kind !== 'name' && kind !== 'call') this.fail();
    this.at++;
    this.expect('(');
    const params: string[] = [];
    while (!this.take(')')) {
      if (params.length > 0) this.expect(',');
      this.skipNewlines();
      params.push(this.name());
    }
    this.skipNewlines();
    return { name: text, params, body: this.#block() };
  }

  #rule(): Rule {
    if (this.is('{')) return { pattern: null, until: null, body: this.#block() };
    const pattern = this.expression();
    let until: Expr | null = null;
    if (this.take(',')) {
      this.skipNewlines();
      until = this.expression();
    }
    if (this.is('{')) return { pattern, until, body: this.#block() };
    if (!this.is(';', '\n') && this.token.kind !== 'end') this.fail();
    return { pattern, until, body: null };
  }

  #block(): Statement {
    this.expect('{');
    const body: Statement[] = [];
    for (this.#skipEnds(); !this.take('}'); this.#skipEnds()) body.push(this.#statement());
    return { k: 'block', body };
  }

  /** A statement with its end. */
  #statement(): Statement {
    if (this.is('{')) return this.#block();
    if (this.take('if')) return this.#if();
    if (this.take('while')) {
      const test = this.#test();
      if (this.take(';')) return { k: 'while', test, body: { k: 'block', body: [] } };
      return { k: 'while', test, body: this.#body() };
    }
    if (this.take('for')) return this.#for();
    if (this.take('do')) {
      const body = this.#body();
      this.#skipEnds();
      this.expect('while');
      const test = this.#test();
      this.#end();
      return { k: 'do', body, test };
    }
    const statement = this.#simple();
    this.#end();
    return statement;
  }

  #end(): void {
    if (this.take(';') || this.take('\n') || this.is('}') || this.token.kind === 'end') return;
    this.fail();
  }

  #test(): Expr {
    this.expect('(');
    const test = this.expression();
    this.expect(')');
    return test;
  }

  #body(): Statement {
    this.skipNewlines();
    if (this.take(';')) return { k: 'block', body: [] };
    return this.#statement();
  }

  #if(): Statement {
    const test = this.#test();
    const then = this.#body();
    const before = this.at;
    this.#skipEnds();
    if (this.take('else')) return { k: 'if', test, then, otherwise: this.#body() };
    this.at = before;
    return { k: 'if', test, then, otherwise: null };
  }

  #for(): Statement {
    this.expect('(');
    const [name, word, array, close] = this.tokens.slice(this.at, this.at + 4);
    if (name?.kind === 'name' && word?.text === 'in' && array?.kind === 'name' && close?.text === ')') {
      this.at += 4;
      return { k: 'forIn', name: name.text, array: array.text, body: this.#body() };
    }
    const first = this.is(';') ? null : this.#simple();
    this.expect(';');
    this.skipNewlines();
    const test = this.is(';') ? null : this.expression();
    this.expect(';');
    this.skipNewlines();
    const next = this.is(')') ? null : this.#simple();
    this.expect(')');
    return { k: 'for', first, test, next, body: this.#body() };
  }

  #simple(): Statement {
    for (const k of ['break', 'continue', 'next', 'nextfile'] as const) if (this.take(k)) return { k };
    for (const k of ['exit', 'return'] as const)
      if (this.take(k)) return { k, value: this.#isAtEnd() ? null : this.expression() };
    if (this.take('delete')) return this.#delete();
    if (this.take('print')) return this.#print(false);
    if (this.take('printf')) return this.#print(true);
    return { k: 'expr', value: this.expression() };
  }

  #isAtEnd(): boolean {
    return this.is(';', '\n', '}', '>', '>>', '|') || this.token.kind === 'end';
  }

  #delete(): Statement {
    const array = this.name();
    if (!this.take('[')) return { k: 'delete', array, keys: null };
    const keys = [this.expression()];
    while (this.take(',')) keys.push(this.expression());
    this.expect(']');
    return { k: 'delete', array, keys };
  }

  #print(isFormatted: boolean): Statement {
    let args: readonly Expr[] = [];
    if (!this.#isAtEnd()) {
      const list = [this.expression(true)];
      while (this.take(',')) {
        this.skipNewlines();
        list.push(this.expression(true));
      }
      const only = list[0]!;
      args = list.length === 1 && only.k === 'group' ? only.items : list;
    }
    if (isFormatted && args.length === 0) this.fail();
    let redirect: Redirect | null = null;
    for (const to of ['>', '>>', '|'] as const) {
      if (redirect || !this.take(to)) continue;
      redirect = { to, target: this.expression(true) };
    }
    return { k: 'print', isFormatted, args, redirect };
  }
}
