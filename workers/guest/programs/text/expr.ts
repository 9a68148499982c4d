/** expr: arithmetic, comparison and matching of its arguments (coreutils 5.97). */
import { command } from '../adapters';
import { ToolError } from '../options';
import { posixRegex } from './regex';

export const expr = command('expr', (sys, args) => {
  if (args.length === 0) {
    sys.eprint("expr: missing operand\nTry `expr --help' for more information.\n");
    return 2;
  }
  try {
    const value = new ExprParser(args).parse();
    sys.print(`${value}\n`);
    return value === '' || /^-?0+$/.test(value) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    sys.eprint(`expr: ${error.message}\n`);
    return error.status;
  }
});

const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['&'],
  ['<', '<=', '=', '==', '!=', '>=', '>'],
  ['+', '-'],
  ['*', '/', '%'],
  [':'],
];

class ExprParser {
  #at = 0;
  constructor(private readonly words: readonly string[]) {}

  parse(): string {
    const value = this.#level(0);
    if (this.#at < this.words.length) throw new ToolError('syntax error', 2);
    return value;
  }

  #level(level: number): string {
    const operators = LEVELS[level];
    if (!operators) return this.#primary();
    let left = this.#level(level + 1);
    while (operators.includes(this.words[this.#at] ?? '')) {
      const operator = this.words[this.#at++]!;
      left = this.#apply(operator, left, this.#level(level + 1));
    }
    return left;
  }

  #primary(): string {
    const word = this.words[this.#at++];
    if (word === undefined) throw new ToolError('syntax error', 2);
    if (word === '(') {
      const value = this.#level(0);
      if (this.words[this.#at++] !== ')') throw new ToolError('syntax error', 2);
      return value;
    }
    if (this.#at < this.words.length) {
      if (word === 'length') return String([...this.#primary()].length);
      if (word === 'match') return match(this.#primary(), this.#primary());
      if (word === 'index') {
        const text = this.#primary();
        const set = this.#primary();
        return String([...text].findIndex((c) => set.includes(c)) + 1);
      }
      if (word === 'substr') {
        const [text, from, length] = [this.#primary(), Number(this.#primary()), Number(this.#primary())];
        return from < 1 || length < 1 ? '' : text.slice(from - 1, from - 1 + length);
      }
    }
    return word;
  }

  #apply(operator: string, a: string, b: string): string {
    const isZero = (text: string) => text === '' || text === '0';
    switch (operator) {
      case '|':
        return isZero(a) ? (b === '' ? '0' : b) : a;
      case '&':
        return isZero(a) || isZero(b) ? '0' : a;
      case ':':
        return match(a, b);
    }
    const isNumber = /^-?\d+$/;
    const numeric = isNumber.test(a) && isNumber.test(b);
    if (LEVELS[2]!.includes(operator)) {
      const order = numeric ? (BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0) : a < b ? -1 : a > b ? 1 : 0;
      const holds = {
        '<': order < 0,
        '<=': order <= 0,
        '=': order === 0,
        '==': order === 0,
        '!=': order !== 0,
        '>=': order >= 0,
        '>': order > 0,
      }[operator];
      return holds ? '1' : '0';
    }
    if (!numeric) throw new ToolError('non-numeric argument', 2);
    const [x, y] = [BigInt(a), BigInt(b)];
    if ((operator === '/' || operator === '%') && y === 0n) throw new ToolError('division by zero', 2);
    return String(
      operator === '+' ? x + y : operator === '-' ? x - y : operator === '*' ? x * y : operator === '/' ? x / y : x % y,
    );
  }
}

/** Anchored at the start; the first group, or the number of characters. */
function match(text: string, pattern: string): string {
  const found = posixRegex(`^${pattern.replace(/^\^/, '')}`).exec(text);
  const hasGroup = /\\\(/.test(pattern);
  return hasGroup ? (found?.[1] ?? '') : String(found?.[0].length ?? 0);
}
