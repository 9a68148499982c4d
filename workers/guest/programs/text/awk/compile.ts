/** Compiles the tree of an awk program. Which names are arrays is found out beforehand, also through calls. */

import { findArrays } from './arrays';
import type { AwkProgram, Expr, FunctionNode, LValue, Rule, Statement } from './ast';
import { type Compiled, type CompiledFunction, type Instruction, type Place, SPECIAL, type Target } from './code';

/** Wrong use of names, which the parser cannot see. */
export class AwkCompileError extends Error {
  override readonly name = 'AwkCompileError';
}

export function compileAwk(program: AwkProgram): Compiled {
  return new Compiler(program).compile();
}

interface Loop {
  readonly breaks: number[];
  readonly continues: number[];
}

class Compiler {
  readonly #code: Instruction[] = [];
  readonly #globals: string[] = [...SPECIAL];
  readonly #arrays: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #loops: Loop[] = [];
  #function: FunctionNode | undefined;
  #ranges = 0;

  constructor(private readonly program: AwkProgram) {
    this.#arrays = findArrays(program);
  }

  compile(): Compiled {
    const { begin, rules, end, functions } = this.program;
    const starts = functions.map((it) => this.#functionBody(it));
    const beginAt = this.#code.length;
    for (const body of begin) this.#statement(body);
    this.#put(['next']);
    const mainAt = this.#code.length;
    for (const rule of rules) this.#rule(rule);
    this.#put(['next']);
    const endAt = this.#code.length;
    for (const body of end) this.#statement(body);
    this.#put(['exit', false]);
    const compiled: CompiledFunction[] = functions.map((it, i) => ({
      name: it.name,
      at: starts[i]!,
      params: it.params.map((param) => this.#isArray(param, it)),
    }));
    return {
      code: this.#code,
      begin: beginAt,
      main: mainAt,
      end: endAt,
      readsInput: rules.length > 0 || end.length > 0,
      functions: compiled,
      globals: this.#globals,
      arrays: this.#globals.flatMap((name, slot) => (this.#isArray(name, undefined) ? [slot] : [])),
    };
  }

  #put(instruction: Instruction): number {
    return this.#code.push(instruction) - 1;
  }

  /** A jump whose target is not known yet. */
  #jump(kind: 'jump' | 'jumpFalse' | 'jumpTrue' | 'nextKey'): number {
    return this.#put([kind, -1]);
  }

  #land(...jumps: readonly number[]): void {
    for (const at of jumps) this.#code[at] = [this.#code[at]![0] as 'jump', this.#code.length];
  }

  // --- names

  #isArray(name: string, fn: FunctionNode | undefined): boolean {
    return this.#arrays.get(fn?.name ?? '')?.has(name) ?? false;
  }

  #place(name: string): readonly [Place, number] {
    const local = this.#function?.params.indexOf(name) ?? -1;
    if (local >= 0) return ['l', local];
    const known = this.#globals.indexOf(name);
    return ['g', known >= 0 ? known : this.#globals.push(name) - 1];
  }

  #isArrayName(name: string): boolean {
    return this.#isArray(name, this.#function?.params.includes(name) ? this.#function : undefined);
  }

  #array(name: string): readonly [Place, number] {
    if (this.program.functions.some((it) => it.name === name))
      throw new AwkCompileError(
        `function \`${name}' called with space between name and \`('\nor used as a variable or an array`,
      );
    return this.#place(name);
  }

  #scalar(name: string): readonly [Place, number] {
    if (this.#isArrayName(name))
      throw new AwkCompileError(`fatal: attempt to use array \`${name}' in a scalar context`);
    return this.#place(name);
  }

  /** Puts what a target needs on the stack. */
  #target(target: LValue): readonly [Target, number] {
    switch (target.k) {
      case 'var':
        return this.#scalar(target.name);
      case 'field':
        this.#expr(target.index);
        return ['f', 0];
      case 'element': {
        this.#key(target.keys);
        const [place, slot] = this.#array(target.array);
        return [place === 'g' ? 'ga' : 'la', slot];
      }
    }
  }

  #key(keys: readonly Expr[]): void {
    for (const key of keys) this.#expr(key);
    if (keys.length > 1) this.#put(['subscript', keys.length]);
  }

  // --- program

  #functionBody(fn: FunctionNode): number {
    const at = this.#code.length;
    this.#function = fn;
    this.#statement(fn.body);
    this.#function = undefined;
    this.#put(['push', null]);
    this.#put(['ret']);
    return at;
  }

  #rule({ pattern, until, body }: Rule): void {
    const skips: number[] = [];
    if (pattern && until) {
      const range = this.#ranges++;
      const open = this.#put(['ifOpen', range, -1]);
      this.#expr(pattern);
      skips.push(this.#jump('jumpFalse'));
      this.#put(['setOpen', range, true]);
      this.#code[open] = ['ifOpen', range, this.#code.length];
      this.#expr(until);
      const stays = this.#jump('jumpFalse');
      this.#put(['setOpen', range, false]);
      this.#land(stays);
    } else if (pattern) {
      this.#expr(pattern);
      skips.push(this.#jump('jumpFalse'));
    }
    if (body) this.#statement(body);
    else this.#put(['print', 0, false, '']);
    this.#land(...skips);
  }

  #statement(statement: Statement): void {
    switch (statement.k) {
      case 'block':
        for (const it of statement.body) this.#statement(it);
        return;
      case 'expr':
        this.#expr(statement.value);
        this.#put(['pop']);
        return;
      case 'print':
        for (const arg of statement.args) this.#expr(arg);
        if (statement.redirect) this.#expr(statement.redirect.target);
        this.#put(['print', statement.args.length, statement.isFormatted, statement.redirect?.to ?? '']);
        return;
      case 'if': {
        this.#expr(statement.test);
        const otherwise = this.#jump('jumpFalse');
        this.#statement(statement.then);
        if (!statement.otherwise) {
          this.#land(otherwise);
          return;
        }
        const over = this.#jump('jump');
        this.#land(otherwise);
        this.#statement(statement.otherwise);
        this.#land(over);
        return;
      }
      case 'while':
        this.#loop({ first: null, test: statement.test, next: null, body: statement.body });
        return;
      case 'for':
        this.#loop(statement);
        return;
      case 'do': {
        const start = this.#code.length;
        const loop = this.#inLoop(statement.body);
        this.#land(...loop.continues);
        this.#expr(statement.test);
        this.#put(['jumpTrue', start]);
        this.#land(...loop.breaks);
        return;
      }
      case 'forIn': {
        this.#put(['keys', ...this.#array(statement.array)]);
        const start = this.#jump('nextKey');
        this.#put(['store', ...this.#scalar(statement.name)]);
        this.#put(['pop']);
        const loop = this.#inLoop(statement.body);
        this.#land(...loop.continues);
        this.#put(['jump', start]);
        this.#code[start] = ['nextKey', this.#code.length];
        this.#land(...loop.breaks);
        this.#put(['endKeys']);
        return;
      }
      case 'delete': {
        if (statement.keys) this.#key(statement.keys);
        this.#put([statement.keys ? 'remove' : 'clear', ...this.#array(statement.array)]);
        return;
      }
      case 'break':
      case 'continue': {
        const loop = this.#loops.at(-1);
        if (!loop) throw new AwkCompileError(`\`${statement.k}' outside a loop is not portable`);
        loop[statement.k === 'break' ? 'breaks' : 'continues'].push(this.#jump('jump'));
        return;
      }
      case 'next':
      case 'nextfile':
        this.#put([statement.k]);
        return;
      case 'exit':
        if (statement.value) this.#expr(statement.value);
        this.#put(['exit', statement.value !== null]);
        return;
      case 'return':
        if (!this.#function) throw new AwkCompileError("`return' used outside function context");
        if (statement.value) this.#expr(statement.value);
        else this.#put(['push', null]);
        this.#put(['ret']);
    }
  }

  #inLoop(body: Statement): Loop {
    const loop: Loop = { breaks: [], continues: [] };
    this.#loops.push(loop);
    this.#statement(body);
    this.#loops.pop();
    return loop;
  }

  #loop(parts: { first: Statement | null; test: Expr | null; next: Statement | null; body: Statement }): void {
    if (parts.first) this.#statement(parts.first);
    const start = this.#code.length;
    if (parts.test) this.#expr(parts.test);
    const out = parts.test ? [this.#jump('jumpFalse')] : [];
    const loop = this.#inLoop(parts.body);
    this.#land(...loop.continues);
    if (parts.next) this.#statement(parts.next);
    this.#put(['jump', start]);
    this.#land(...out, ...loop.breaks);
  }

  // --- expressions: each leaves one value

  #expr(expr: Expr): void {
    switch (expr.k) {
      case 'number':
      case 'string':
        this.#put(['push', expr.value]);
        return;
      case 'regex':
        this.#put(['push', 0]);
        this.#put(['load', 'f', 0]);
        this.#put(['push', expr.source]);
        this.#put(['match']);
        return;
      case 'group':
        if (expr.items.length !== 1) throw new AwkCompileError('syntax error');
        this.#expr(expr.items[0]!);
        return;
      case 'var':
      case 'field':
      case 'element':
        this.#put(['load', ...this.#target(expr)]);
        return;
      case 'assign': {
        const target = this.#target(expr.target);
        if (expr.op !== '') {
          if (target[0] !== 'g' && target[0] !== 'l') this.#put(['dup']);
          this.#put(['load', ...target]);
        }
        this.#expr(expr.value);
        if (expr.op !== '') this.#put(['arith', expr.op]);
        this.#put(['store', ...target]);
        return;
      }
      case 'step':
        this.#put(['step', ...this.#target(expr.target), expr.by, expr.isPostfix]);
        return;
      case 'binary':
        this.#expr(expr.a);
        this.#expr(expr.b);
        this.#put(['arith', expr.op]);
        return;
      case 'compare':
        this.#expr(expr.a);
        this.#expr(expr.b);
        this.#put(['compare', expr.op]);
        return;
      case 'concat':
        this.#expr(expr.a);
        this.#expr(expr.b);
        this.#put(['concat']);
        return;
      case 'unary':
        this.#expr(expr.a);
        this.#put([expr.op === '!' ? 'not' : expr.op === '-' ? 'neg' : 'plus']);
        return;
      case 'match':
        this.#expr(expr.a);
        this.#pattern(expr.b);
        this.#put(['match']);
        if (expr.isNegated) this.#put(['not']);
        return;
      case 'and':
      case 'or': {
        this.#expr(expr.a);
        this.#put(['bool']);
        this.#put(['dup']);
        const over = this.#jump(expr.k === 'and' ? 'jumpFalse' : 'jumpTrue');
        this.#put(['pop']);
        this.#expr(expr.b);
        this.#put(['bool']);
        this.#land(over);
        return;
      }
      case 'in':
        this.#key(expr.keys);
        this.#put(['in', ...this.#array(expr.array)]);
        return;
      case 'cond': {
        this.#expr(expr.test);
        const otherwise = this.#jump('jumpFalse');
        this.#expr(expr.then);
        const over = this.#jump('jump');
        this.#land(otherwise);
        this.#expr(expr.otherwise);
        this.#land(over);
        return;
      }
      case 'getline': {
        const target = expr.target ? this.#target(expr.target) : (['', 0] as const);
        if (expr.source) this.#expr(expr.source);
        this.#put(['getline', expr.from, ...target]);
        return;
      }
      case 'call':
        this.#call(expr.name, expr.args);
        return;
      case 'builtin':
        this.#builtin(expr.name, expr.args);
    }
  }

  /** A regular expression where one is expected: its text. */
  #pattern(expr: Expr): void {
    if (expr.k === 'regex') this.#put(['push', expr.source]);
    else this.#expr(expr);
  }

  #call(name: string, args: readonly Expr[]): void {
    const number = this.program.functions.findIndex((it) => it.name === name);
    const fn = this.program.functions[number];
    if (!fn) throw new AwkCompileError(`fatal: function \`${name}' not defined`);
    if (args.length > fn.params.length)
      throw new AwkCompileError(`fatal: function \`${name}' called with more arguments than declared`);
    fn.params.forEach((param, i) => {
      const arg = args[i];
      if (!this.#isArray(param, fn)) {
        if (arg) this.#expr(arg);
        else this.#put(['push', null]);
      } else if (arg?.k === 'var') this.#put(['pushArray', ...this.#array(arg.name)]);
      else if (arg) throw new AwkCompileError(`fatal: attempt to use scalar parameter \`${param}' as an array`);
      else this.#put(['push', null]);
    });
    this.#put(['call', number]);
  }

  #builtin(name: string, args: readonly Expr[]): void {
    const first = args[0];
    const wrong = () => new AwkCompileError(`${args.length} is invalid as number of arguments for ${name}`);
    const limits = ARGUMENTS[name]!;
    if (args.length < limits[0] || args.length > limits[1]) throw wrong();
    if (name === 'length' && first?.k === 'var' && this.#isArrayName(first.name)) {
      this.#put(['size', ...this.#array(first.name)]);
      return;
    }
    if (name === 'split') {
      const array = args[1]!;
      if (array.k !== 'var') throw new AwkCompileError('split: second argument is not an array');
      this.#expr(first!);
      if (args[2]) this.#pattern(args[2]);
      this.#put(['split', ...this.#array(array.name), args[2] ? (args[2].k === 'regex' ? 3 : 2) : 1]);
      return;
    }
    if (name === 'sub' || name === 'gsub') {
      const given: Expr =
        args[2]?.k === 'group' && args[2].items.length === 1 ? args[2].items[0]! : (args[2] ?? RECORD);
      if (given.k !== 'var' && given.k !== 'field' && given.k !== 'element')
        throw new AwkCompileError(`${name} third parameter is not a changeable object`);
      const target = this.#target(given);
      this.#pattern(first!);
      this.#expr(args[1]!);
      this.#put(['substitute', ...target, name === 'gsub']);
      return;
    }
    if (name === 'length' && !first) this.#expr(RECORD);
    args.forEach((arg, i) => {
      if (name === 'match' && i === 1) this.#pattern(arg);
      else this.#expr(arg);
    });
    this.#put(['builtin', name, name === 'length' ? 1 : args.length]);
  }
}

const RECORD: LValue = { k: 'field', index: { k: 'number', value: 0 } };

/** Fewest and most arguments. */
const ARGUMENTS: Readonly<Record<string, readonly [number, number]>> = {
  length: [0, 1], substr: [2, 3], index: [2, 2], split: [2, 3], sub: [2, 3], gsub: [2, 3], match: [2, 2], sprintf: [1, Infinity],
  toupper: [1, 1], tolower: [1, 1], int: [1, 1], sqrt: [1, 1], exp: [1, 1], log: [1, 1], sin: [1, 1], cos: [1, 1], atan2: [2, 2],
  rand: [0, 0], srand: [0, 1], system: [1, 1], close: [1, 1], fflush: [0, 1], systime: [0, 0], strftime: [0, 2],
}; // biome-ignore format: a table
