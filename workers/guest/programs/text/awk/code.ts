/** What an awk program is compiled to: instructions for a small stack machine, plain data like all of a process's state. */

/** Where a variable lives: global or local slot. Of an array variable, the slot holds the number of the array. */
export type Place = 'g' | 'l';

/** An assignable thing: `g`/`l` slot, `f` field (index on the stack), `ga`/`la` array element (key on the stack). */
export type Target = 'g' | 'l' | 'f' | 'ga' | 'la';

export type Instruction =
  | readonly ['push', string | number | null]
  | readonly ['pop' | 'dup' | 'bool' | 'not' | 'neg' | 'plus' | 'concat' | 'match' | 'next' | 'nextfile' | 'ret']
  | readonly ['load', Target, number]
  | readonly ['store', Target, number]
  /** Adds to a target; leaves the old (postfix) or the new value. */
  | readonly ['step', Target, number, by: number, isPostfix: boolean]
  | readonly ['arith', '+' | '-' | '*' | '/' | '%' | '^']
  | readonly ['compare', '<' | '<=' | '==' | '!=' | '>' | '>=']
  | readonly ['subscript', count: number]
  | readonly ['in' | 'remove' | 'clear' | 'keys' | 'size', Place, number]
  | readonly ['jump' | 'jumpFalse' | 'jumpTrue', at: number]
  /** Pushes the next key of the innermost for-in, or jumps when there is none. */
  | readonly ['nextKey', at: number]
  | readonly ['endKeys']
  | readonly ['call', fn: number]
  | readonly ['pushArray', Place, number]
  | readonly ['builtin', name: string, count: number]
  | readonly ['split', Place, number, count: number]
  | readonly ['substitute', Target, number, isGlobal: boolean]
  | readonly ['getline', 'input' | 'file' | 'command', Target | '', number]
  | readonly ['print', count: number, isFormatted: boolean, to: '' | '>' | '>>' | '|']
  /** Start of a rule with two patterns: jumps to its second test while the range is open. */
  | readonly ['ifOpen', range: number, at: number]
  | readonly ['setOpen', range: number, isOpen: boolean]
  | readonly ['exit', hasStatus: boolean];

export interface CompiledFunction {
  readonly name: string;
  readonly at: number;
  /** Of each parameter, whether it is an array. */
  readonly params: readonly boolean[];
}

export interface Compiled {
  readonly code: readonly Instruction[];
  readonly begin: number;
  /** The rules for one record; −1: there are none, so that no input is read unless END wants it. */
  readonly main: number;
  readonly end: number;
  readonly readsInput: boolean;
  readonly functions: readonly CompiledFunction[];
  /** Names of the global slots; those of SPECIAL come first. */
  readonly globals: readonly string[];
  /** Global slots that are arrays. */
  readonly arrays: readonly number[];
}

/** Variables with a meaning of their own, at fixed slots. */
export const SPECIAL = [
  'NF', 'NR', 'FNR', 'FS', 'OFS', 'ORS', 'RS', 'FILENAME', 'SUBSEP', 'RSTART', 'RLENGTH', 'CONVFMT', 'OFMT', 'ENVIRON', 'ARGC', 'ARGV',
] as const; // biome-ignore format: a list

export const slotOf = (name: (typeof SPECIAL)[number]) => SPECIAL.indexOf(name);
