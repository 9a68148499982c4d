/** Compiles awk's expressions: each leaves one value on the machine's stack. */

import { findArrays } from './arrays';
import type { AwkProgram, Expr, FunctionNode, LValue } from './ast';
import { type Instruction, type Place, SPECIAL, type Target } from './code';

/** Wrong use of names, which the parser cannot see. */
export class AwkCompileError extends Error {
  override readonly name = 'AwkCompileError';
}

export class ExpressionCompiler {
  protected readonly code: Instruction[] = [];
  protected readonly globals: string[] = [...SPECIAL];
  protected readonly arrays: ReadonlyMap<string, ReadonlySet<string>>;
  protected function: FunctionNode | undefined;

  constructor(protected readonly program: AwkProgram) {
    this.arrays = findArrays(program);
  }

  protected put(instruction: Instruction): number {
    return this.code.push(instruction) - 1;
  }

  /** A jump whose target is not known yet. */
  protected jump(kind: 'jump' | 'jumpFalse' | 'jumpTrue' | 'nextKey'): number {
    return this.put([kind, -1]);
  }

  protected land(...jumps: readonly number[]): void {
    for (const at of jumps) this.code[at] = [this.code[at]![0] as 'jump', this.code.length];
  }

  // --- names

  protected isArray(name: string, fn: FunctionNode | undefined): boolean {
    return this.arrays.get(fn?.name ?? '')?.has(name) ?? false;
  }

  protected place(name: string): readonly [Place, number] {
    const local = this.function?.params.indexOf(name) ?? -1;
    if (local >= 0) return ['l', local];
    const known = this.globals.indexOf(name);
    return ['g', known >= 0 ? known : this.globals.push(name) - 1];
  }

  protected isArrayName(name: string): boolean {
    return this.isArray(name, this.function?.params.includes(name) ? this.function : undefined);
  }

  protected array(name: string): readonly [Place, number] {
    if (this.program.functions.some((it) => it.name === name))
      throw new AwkCompileError(
        `function \`${name}' called with space between name and \`('\nor used as a variable or an array`,
      );
    return this.place(name);
  }

  protected scalar(name: string): readonly [Place, number] {
    if (this.isArrayName(name)) throw new AwkCompileError(`fatal: attempt to use array \`${name}' in a scalar context`);
    return this.place(name);
  }

  /** Puts what a target needs on the stack. */
  protected target(target: LValue): readonly [Target, number] {
    switch (target.k) {
      case 'var':
        return this.scalar(target.name);
      case 'field':
        this.expr(target.index);
        return ['f', 0];
      case 'element': {
        this.key(target.keys);
        const [place, slot] = this.array(target.array);
        return [place === 'g' ? 'ga' : 'la', slot];
      }
    }
  }

  protected key(keys: readonly Expr[]): void {
    for (const key of keys) this.expr(key);
    if (keys.length > 1) this.put(['subscript', keys.length]);
  }

  // --- expressions: each leaves one value

  protected expr(expr: Expr): void {
    switch (expr.k) {
      case 'number':
      case 'string':
        this.put(['push', expr.value]);
        return;
      case 'regex':
        this.put(['push', 0]);
        this.put(['load', 'f', 0]);
        this.put(['push', expr.source]);
        this.put(['match']);
        return;
      case 'group':
        if (expr.items.length !== 1) throw new AwkCompileError('syntax error');
        this.expr(expr.items[0]!);
        return;
      case 'var':
      case 'field':
      case 'element':
        this.put(['load', ...this.target(expr)]);
        return;
      case 'assign': {
        const target = this.target(expr.target);
        if (expr.op !== '') {
          if (target[0] !== 'g' && target[0] !== 'l') this.put(['dup']);
          this.put(['load', ...target]);
        }
        this.expr(expr.value);
        if (expr.op !== '') this.put(['arith', expr.op]);
        this.put(['store', ...target]);
        return;
      }
      case 'step':
        this.put(['step', ...this.target(expr.target), expr.by, expr.isPostfix]);
        return;
      case 'binary':
        this.expr(expr.a);
        this.expr(expr.b);
        this.put(['arith', expr.op]);
        return;
      case 'compare':
        this.expr(expr.a);
        this.expr(expr.b);
        this.put(['compare', expr.op]);
        return;
      case 'concat':
        this.expr(expr.a);
        this.expr(expr.b);
        this.put(['concat']);
        return;
      case 'unary':
        this.expr(expr.a);
        this.put([expr.op === '!' ? 'not' : expr.op === '-' ? 'neg' : 'plus']);
        return;
      case 'match':
        this.expr(expr.a);
        this.pattern(expr.b);
        this.put(['match']);
        if (expr.isNegated) this.put(['not']);
        return;
      case 'and':
      case 'or': {
        this.expr(expr.a);
        this.put(['bool']);
        this.put(['dup']);
        const over = this.jump(expr.k === 'and' ? 'jumpFalse' : 'jumpTrue');
        this.put(['pop']);
        this.expr(expr.b);
        this.put(['bool']);
        this.land(over);
        return;
      }
      case 'in':
        this.key(expr.keys);
        this.put(['in', ...this.array(expr.array)]);
        return;
      case 'cond': {
        this.expr(expr.test);
        const otherwise = this.jump('jumpFalse');
        this.expr(expr.then);
        const over = this.jump('jump');
        this.land(otherwise);
        this.expr(expr.otherwise);
        this.land(over);
        return;
      }
      case 'getline': {
        const target = expr.target ? this.target(expr.target) : (['', 0] as const);
        if (expr.source) this.expr(expr.source);
        this.put(['getline', expr.from, ...target]);
        return;
      }
      case 'call':
        this.call(expr.name, expr.args);
        return;
      case 'builtin':
        this.builtin(expr.name, expr.args);
    }
  }

  /** A regular expression where one is expected: its text. */
  protected pattern(expr: Expr): void {
    if (expr.k === 'regex') this.put(['push', expr.source]);
    else this.expr(expr);
  }

  protected call(name: string, args: readonly Expr[]): void {
    const number = this.program.functions.findIndex((it) => it.name === name);
    const fn = this.program.functions[number];
    if (!fn) throw new AwkCompileError(`fatal: function \`${name}' not defined`);
    if (args.length > fn.params.length)
      throw new AwkCompileError(`fatal: function \`${name}' called with more arguments than declared`);
    fn.params.forEach((param, i) => {
      const arg = args[i];
      if (!this.isArray(param, fn)) {
        if (arg) this.expr(arg);
        else this.put(['push', null]);
      } else if (arg?.k === 'var') this.put(['pushArray', ...this.array(arg.name)]);
      else if (arg) throw new AwkCompileError(`fatal: attempt to use scalar parameter \`${param}' as an array`);
      else this.put(['push', null]);
    });
    this.put(['call', number]);
  }

  protected builtin(name: string, args: readonly Expr[]): void {
    const first = args[0];
    const wrong = () => new AwkCompileError(`${args.length} is invalid as number of arguments for ${name}`);
    const limits = ARGUMENTS[name]!;
    if (args.length < limits[0] || args.length > limits[1]) throw wrong();
    if (name === 'length' && first?.k === 'var' && this.isArrayName(first.name)) {
      this.put(['size', ...this.array(first.name)]);
      return;
    }
    if (name === 'split') {
      const array = args[1]!;
      if (array.k !== 'var') throw new AwkCompileError('split: second argument is not an array');
      this.expr(first!);
      if (args[2]) this.pattern(args[2]);
      this.put(['split', ...this.array(array.name), args[2] ? (args[2].k === 'regex' ? 3 : 2) : 1]);
      return;
    }
    if (name === 'sub' || name === 'gsub') {
      const given: Expr =
        args[2]?.k === 'group' && args[2].items.length === 1 ? args[2].items[0]! : (args[2] ?? RECORD);
      if (given.k !== 'var' && given.k !== 'field' && given.k !== 'element')
        throw new AwkCompileError(`${name} third parameter is not a changeable object`);
      const target = this.target(given);
      this.pattern(first!);
      this.expr(args[1]!);
      this.put(['substitute', ...target, name === 'gsub']);
      return;
    }
    if (name === 'length' && !first) this.expr(RECORD);
    args.forEach((arg, i) => {
      if (name === 'match' && i === 1) this.pattern(arg);
      else this.expr(arg);
    });
    this.put(['builtin', name, name === 'length' ? 1 : args.length]);
  }
}

const RECORD: LValue = { k: 'field', index: { k: 'number', value: 0 } };

/** Fewest and most arguments. */
const ARGUMENTS: Readonly<Record<string, readonly [number, number]>> = {
  length: [0, 1], substr: [2, 3], index: [2, 2], split: [2, 3], sub: [2, 3], gsub: [2, 3], match: [2, 2], sprintf: [1, Infinity],
  toupper: [1, 1], tolower: [1, 1], int: [1, 1], sqrt: [1, 1], exp: [1, 1], log: [1, 1], sin: [1, 1], cos: [1, 1], atan2: [2, 2],
  rand: [0, 0], srand: [0, 1], system: [1, 1], close: [1, 1], fflush: [0, 1], systime: [0, 0], strftime: [0, 2],
}; // biome-ignore format: a table
