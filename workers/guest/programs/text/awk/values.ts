/** awk's values: numbers, strings, text from the input that looks like a number, and what was never assigned. */
import type { Binary, Comparison } from './ast';
import { formatAwk } from './format';

/** A failure of the running program: printed as `fatal`, status 2. */
export class AwkFatal extends Error {
  override readonly name = 'AwkFatal';
}

/** Null: never assigned. The object: text from the input that looks like a number, with that number. */
export type Value = number | string | null | { readonly text: string; readonly number: number };

const NUMERIC = /^[ \t\n\r]*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[ \t\n\r]*$/;
const PREFIX = /^[ \t\n\r]*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/;

/** Text that comes from outside (a field, an element of split, a variable given with -v). */
export function fromInput(text: string): Value {
  return NUMERIC.test(text) ? { text, number: Number(text) } : text;
}

export function toNumber(value: Value | undefined): number {
  if (typeof value === 'number') return value;
  if (value === null || value === undefined) return 0;
  if (typeof value === 'object') return value.number;
  return Number(PREFIX.exec(value)?.[0] ?? 0);
}

/** `format` is CONVFMT, or OFMT when printing. */
export function toText(value: Value | undefined, format: string): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return value.text;
  if (Number.isInteger(value))
    return Math.abs(value) < 1e21 ? BigInt(value).toString() : formatAwk('%.6g', [value], '');
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return formatAwk(format, [value], format);
}

export function isTrueValue(value: Value | undefined): boolean {
  if (typeof value === 'string') return value !== '';
  return toNumber(value) !== 0;
}

/** Below, equal or above zero: as numbers when both are numeric, as text otherwise. */
export function compareValues(a: Value, b: Value, format: string): number {
  if (typeof a !== 'string' && typeof b !== 'string') {
    const [x, y] = [toNumber(a), toNumber(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  }
  const [x, y] = [toText(a, format), toText(b, format)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Throws AwkFatal. */
export function arithmetic(op: Binary, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      if (b === 0) throw new AwkFatal('division by zero');
      return a / b;
    case '%':
      if (b === 0) throw new AwkFatal("division by zero in `%'");
      return a % b;
    case '^':
      return a ** b;
  }
}

/** Whether a comparison holds for an order below, equal to or above zero. */
export function holds(op: Comparison, order: number): boolean {
  switch (op) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}
