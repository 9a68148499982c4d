/** The variables of a configuration while it is put together, and Python's view of what is in them. */
import type { Sxp } from '../lib/sxp';
import { XmError } from './command';
import type { PythonListItem, PythonValue } from './python';

export type ConfigValue = PythonValue;
export type ConfigValues = Map<string, ConfigValue>;

/** A problem in the configuration: one line, no usage. */
export function configError(message: string): XmError {
  return new XmError(message, { usage: false });
}

/** Python's truth. */
export function isTruthy(value: ConfigValue | undefined): boolean {
  if (value === undefined || value === '' || value === 0) return false;
  if (typeof value !== 'object') return true;
  return 'float' in value ? Number(value.float) !== 0 : value.length > 0;
}

/** As it goes into an s-expression. */
export function valueSxp(value: PythonListItem): Sxp {
  if (value === null) return 'None';
  if (typeof value !== 'object') return String(value);
  return 'float' in value ? value.float : value.map(valueSxp);
}

/** What Python's `for x in value` goes through: the elements of a list, the characters of a string. */
export function itemsOf(values: ConfigValues, name: string): readonly PythonListItem[] {
  const value = values.get(name);
  if (value === undefined) return [];
  if (typeof value === 'string') return Array.from(value);
  if (typeof value === 'number') throw configError("'int' object is not iterable");
  if ('float' in value) throw configError("'float' object is not iterable");
  return value;
}

/** A list's element that must be text (or, for an irq, a number). */
export function itemText(item: PythonListItem): string {
  if (typeof item === 'string') return item;
  if (typeof item === 'number') return String(item);
  const kind = item === null ? 'NoneType' : 'float' in item ? 'float' : 'list';
  throw configError(`'${kind}' object has no attribute 'split'`);
}
