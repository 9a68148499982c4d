/** Compiles the tree of an awk program. Which names are arrays is found out beforehand, also through calls. */
import type { AwkProgram, Expr, FunctionNode, Rule, Statement } from './ast';
import type { Compiled, CompiledFunction } from './code';
import { AwkCompileError, ExpressionCompiler } from './compileExpressions';

export function compileAwk(program: AwkProgram): Compiled {
  return new Compiler(program).compile();
}

interface Loop {
  readonly breaks: number[];
  readonly continues: number[];
}

class Compiler extends ExpressionCompiler {
  private readonly loops: Loop[] = [];
  private ranges = 0;

  compile(): Compiled {
    const { begin, rules, end, functions } = this.program;
    const starts = functions.map((it) => this.functionBody(it));
    const beginAt = this.code.length;
    for (const body of begin) this.statement(body);
    this.put(['next']);
    const mainAt = this.code.length;
    for (const rule of rules) this.rule(rule);
    this.put(['next']);
    const endAt = this.code.length;
    for (const body of end) this.statement(body);
    this.put(['exit', false]);
    const compiled: CompiledFunction[] = functions.map((it, i) => ({
      name: it.name,
      at: starts[i]!,
      params: it.params.map((param) => this.isArray(param, it)),
    }));
    return {
      code: this.code,
      begin: beginAt,
      main: mainAt,
      end: endAt,
      readsInput: rules.length > 0 || end.length > 0,
      functions: compiled,
      globals: this.globals,
      arrays: this.globals.flatMap((name, slot) => (this.isArray(name, undefined) ? [slot] : [])),
    };
  }

  // --- program

  private functionBody(fn: FunctionNode): number {
    const at = this.code.length;
    this.function = fn;
    this.statement(fn.body);
    this.function = undefined;
    this.put(['push', null]);
    this.put(['ret']);
    return at;
  }

  private rule({ pattern, until, body }: Rule): void {
    const skips: number[] = [];
    if (pattern && until) {
      const range = this.ranges++;
      const open = this.put(['ifOpen', range, -1]);
      this.expr(pattern);
      skips.push(this.jump('jumpFalse'));
      this.put(['setOpen', range, true]);
      this.code[open] = ['ifOpen', range, this.code.length];
      this.expr(until);
      const stays = this.jump('jumpFalse');
      this.put(['setOpen', range, false]);
      this.land(stays);
    } else if (pattern) {
      this.expr(pattern);
      skips.push(this.jump('jumpFalse'));
    }
    if (body) this.statement(body);
    else this.put(['print', 0, false, '']);
    this.land(...skips);
  }

  private statement(statement: Statement): void {
    switch (statement.k) {
      case 'block':
        for (const it of statement.body) this.statement(it);
        return;
      case 'expr':
        this.expr(statement.value);
        this.put(['pop']);
        return;
      case 'print':
        for (const arg of statement.args) this.expr(arg);
        if (statement.redirect) this.expr(statement.redirect.target);
        this.put(['print', statement.args.length, statement.isFormatted, statement.redirect?.to ?? '']);
        return;
      case 'if': {
        this.expr(statement.test);
        const otherwise = this.jump('jumpFalse');
        this.statement(statement.then);
        if (!statement.otherwise) {
          this.land(otherwise);
          return;
        }
        const over = this.jump('jump');
        this.land(otherwise);
        this.statement(statement.otherwise);
        this.land(over);
        return;
      }
      case 'while':
        this.loop({ first: null, test: statement.test, next: null, body: statement.body });
        return;
      case 'for':
        this.loop(statement);
        return;
      case 'do': {
        const start = this.code.length;
        const loop = this.inLoop(statement.body);
        this.land(...loop.continues);
        this.expr(statement.test);
        this.put(['jumpTrue', start]);
        this.land(...loop.breaks);
        return;
      }
      case 'forIn': {
        this.put(['keys', ...this.array(statement.array)]);
        const start = this.jump('nextKey');
        this.put(['store', ...this.scalar(statement.name)]);
        this.put(['pop']);
        const loop = this.inLoop(statement.body);
        this.land(...loop.continues);
        this.put(['jump', start]);
        this.code[start] = ['nextKey', this.code.length];
        this.land(...loop.breaks);
        this.put(['endKeys']);
        return;
      }
      case 'delete': {
        if (statement.keys) this.key(statement.keys);
        this.put([statement.keys ? 'remove' : 'clear', ...this.array(statement.array)]);
        return;
      }
      case 'break':
      case 'continue': {
        const loop = this.loops.at(-1);
        if (!loop) throw new AwkCompileError(`\`${statement.k}' outside a loop is not portable`);
        loop[statement.k === 'break' ? 'breaks' : 'continues'].push(this.jump('jump'));
        return;
      }
      case 'next':
      case 'nextfile':
        this.put([statement.k]);
        return;
      case 'exit':
        if (statement.value) this.expr(statement.value);
        this.put(['exit', statement.value !== null]);
        return;
      case 'return':
        if (!this.function) throw new AwkCompileError("`return' used outside function context");
        if (statement.value) this.expr(statement.value);
        else this.put(['push', null]);
        this.put(['ret']);
    }
  }

  private inLoop(body: Statement): Loop {
    const loop: Loop = { breaks: [], continues: [] };
    this.loops.push(loop);
    this.statement(body);
    this.loops.pop();
    return loop;
  }

  private loop(parts: { first: Statement | null; test: Expr | null; next: Statement | null; body: Statement }): void {
    if (parts.first) this.statement(parts.first);
    const start = this.code.length;
    if (parts.test) this.expr(parts.test);
    const out = parts.test ? [this.jump('jumpFalse')] : [];
    const loop = this.inLoop(parts.body);
    this.land(...loop.continues);
    if (parts.next) this.statement(parts.next);
    this.put(['jump', start]);
    this.land(...out, ...loop.breaks);
  }
}
