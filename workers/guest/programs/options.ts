/** Options of the common tools, as GNU getopt of 2006 reads them and complains about them. */
import { strerror } from '../../lib/errno';
import { type Program, type Sys, SysError } from '../sys';
import { command } from './adapters';

/** Wrong use of a command: `NAME: message`, then where to look for help. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A message that ends the command with status 1, printed as `NAME: message`. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  constructor(
    message: string,
    readonly status = 1,
  ) {
    super(message);
  }
}

export interface ToolSpec {
  /** What stands behind the name in the usage line. */
  readonly usage: string;
  /** Letters as for getopt(3): `:` after those that take an argument, `::` where it must be attached. */
  readonly options?: string;
  /** Long option → its letter, or a name of its own with the same colons. */
  readonly long?: Readonly<Record<string, string>>;
  /** Everything behind the first word belongs to the words (commands that run others). */
  readonly stopAtWord?: boolean;
  /** Status after wrong use; 1 when absent. */
  readonly usageStatus?: number;
}

export interface Options {
  /** In order of appearance. */
  readonly list: readonly (readonly [name: string, value: string])[];
  readonly words: readonly string[];
  has(...names: readonly string[]): boolean;
  /** Of the last occurrence. */
  value(name: string): string | undefined;
}

/** Takes the options out of the arguments. Throws UsageError. */
export function parseOptions(args: readonly string[], spec: ToolSpec): Options {
  const list: (readonly [string, string])[] = [];
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (word === '--') {
      words.push(...args.slice(at + 1));
      break;
    }
    if (word.startsWith('--')) at += takeLong(word, args[at + 1], spec, list);
    else if (word.startsWith('-') && word !== '-') at += takeShort(word, args[at + 1], spec, list);
    else if (spec.stopAtWord) {
      words.push(...args.slice(at));
      break;
    } else words.push(word);
  }
  return {
    list,
    words,
    has: (...names) => list.some(([name]) => names.includes(name)),
    value: (name) => list.filter(([it]) => it === name).at(-1)?.[1],
  };
}

/** How many colons follow the letter, −1 for an unknown one. */
function colonsOf(letters: string, letter: string): number {
  const at = letter === ':' ? -1 : letters.indexOf(letter);
  if (at < 0) return -1;
  return /^:*/.exec(letters.slice(at + 1))![0].length;
}

function takeLong(word: string, next: string | undefined, spec: ToolSpec, list: (readonly [string, string])[]): number {
  const equals = word.indexOf('=');
  const given = word.slice(2, equals < 0 ? undefined : equals);
  const all = Object.keys(spec.long ?? {});
  const found = all.includes(given) ? [given] : all.filter((name) => name.startsWith(given));
  if (found.length === 0) throw new UsageError(`unrecognized option \`${word.slice(0, 2)}${given}'`);
  if (found.length > 1) throw new UsageError(`option \`--${given}' is ambiguous`);
  const target = spec.long![found[0]!]!;
  const name = target.replace(/:+$/, '');
  const colons = target.length === 1 ? colonsOf(spec.options ?? '', target) : target.length - name.length;
  if (colons <= 0) {
    if (equals >= 0) throw new UsageError(`option \`--${found[0]}' doesn't allow an argument`);
    list.push([name, '']);
    return 0;
  }
  if (equals >= 0 || colons === 2) {
    list.push([name, equals >= 0 ? word.slice(equals + 1) : '']);
    return 0;
  }
  if (next === undefined) throw new UsageError(`option \`--${found[0]}' requires an argument`);
  list.push([name, next]);
  return 1;
}

function takeShort(
  word: string,
  next: string | undefined,
  spec: ToolSpec,
  list: (readonly [string, string])[],
): number {
  for (let i = 1; i < word.length; i++) {
    const letter = word[i]!;
    const colons = colonsOf(spec.options ?? '', letter);
    if (colons < 0) throw new UsageError(`invalid option -- ${letter}`);
    if (colons === 0) {
      list.push([letter, '']);
      continue;
    }
    const rest = word.slice(i + 1);
    if (rest !== '' || colons === 2) {
      list.push([letter, rest]);
      return 0;
    }
    if (next === undefined) throw new UsageError(`option requires an argument -- ${letter}`);
    list.push([letter, next]);
    return 1;
  }
  return 0;
}

/**
 * The options of a step program or filter; a number is the status to end with (usage was printed). `args` replaces the
 * process's arguments.
 */
export function optionsOf(sys: Sys, name: string, spec: ToolSpec, args = sys.argv.slice(1)): Options | number {
  if (args.includes('--help') && spec.long?.['help'] === undefined) {
    sys.print(`Usage: ${name} ${spec.usage}\n`);
    return 0;
  }
  return guarded(sys, name, spec, () => parseOptions(args, spec));
}

/** Runs a piece of a program; wrong use, ToolError and SysError are printed and become a status. */
export function guarded<T>(sys: Sys, name: string, spec: Pick<ToolSpec, 'usageStatus'>, work: () => T): T | number {
  try {
    return work();
  } catch (error) {
    if (error instanceof UsageError) {
      sys.eprint(`${name}: ${error.message}\nTry \`${name} --help' for more information.\n`);
      return spec.usageStatus ?? 1;
    }
    if (error instanceof ToolError) {
      sys.eprint(`${name}: ${error.message}\n`);
      return error.status;
    }
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`${name}: ${error.message}\n`);
    return 1;
  }
}

/** A command that never waits, with its options parsed. */
export function tool(
  name: string,
  spec: ToolSpec,
  run: (sys: Sys, options: Options, words: readonly string[]) => number | void,
): Program<null> {
  return command(name, (sys) => {
    const options = optionsOf(sys, name, spec);
    if (typeof options === 'number') return options;
    return guarded(sys, name, spec, () => run(sys, options, options.words));
  });
}

/** Does one thing of several; a failing call is reported as `NAME: TEXT: reason`. False: it failed. */
export function attempt(sys: Sys, name: string, text: string, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`${name}: ${text}: ${strerror[error.code]}\n`);
    return false;
  }
}

/** A call's result, or undefined when it fails. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

/** Complains about a missing operand as coreutils do. */
export function requireOperand(words: readonly string[], count = 1): void {
  if (words.length === 0) throw new UsageError('missing operand');
  if (words.length < count) throw new UsageError(`missing operand after \`${words.at(-1)}'`);
}

const MULTIPLIERS: Readonly<Record<string, number>> = {
  '': 1, c: 1, w: 2, b: 512, k: 1024, K: 1024, kB: 1000, M: 1048576, MB: 1e6, G: 1073741824, GB: 1e9, T: 1024 ** 4,
}; // biome-ignore format: a table

/** A number with a multiplier (`10k`, `2M`, `1b`); undefined when it is none. */
export function sizeOf(text: string): number | undefined {
  const match = /^(\d+)([a-zA-Z]*)$/.exec(text);
  const factor = MULTIPLIERS[match?.[2] ?? '?'];
  return match && factor !== undefined ? Number(match[1]) * factor : undefined;
}
