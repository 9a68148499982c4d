/**
 * Command-line options as GNU getopt reads them: options and words may be mixed, long options may be shortened as long
 * as they stay unique, `--` ends the options.
 *
 * Texts of the complaints: Python's getopt module, which xm prints after `Error: `.
 */
export class GetoptError extends Error {
  override readonly name = 'GetoptError';
}

export interface OptionSpec {
  /** Single letter without the dash. */
  readonly short?: string;
  /** Without the dashes. */
  readonly long?: string;
  readonly takesValue?: boolean;
}

export interface ParsedOptions {
  /** In order of appearance; `name` is the long name if there is one. Value '' when the option takes none. */
  readonly options: readonly { readonly name: string; readonly value: string }[];
  readonly words: readonly string[];
  has(name: string): boolean;
  /** Value of the last occurrence. */
  value(name: string): string | undefined;
}

/** Throws GetoptError. `stopAtWord`: POSIX style, everything after the first word is words. */
export function getopt(
  argv: readonly string[],
  specs: readonly OptionSpec[],
  { stopAtWord = false }: { stopAtWord?: boolean } = {},
): ParsedOptions {
  const options: { name: string; value: string }[] = [];
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const arg = argv[at]!;
    if (arg === '--') {
      words.push(...argv.slice(at + 1));
      break;
    }
    if (arg.startsWith('--')) at += takeLong(arg, argv[at + 1], specs, options);
    else if (arg.startsWith('-') && arg.length > 1) at += takeShort(arg, argv[at + 1], specs, options);
    else if (stopAtWord) {
      words.push(...argv.slice(at));
      break;
    } else words.push(arg);
  }
  return {
    options,
    words,
    has: (name) => options.some((option) => option.name === name),
    value: (name) => options.filter((option) => option.name === name).at(-1)?.value,
  };
}

/** Both return how many further arguments they used. */
function takeLong(
  arg: string,
  next: string | undefined,
  specs: readonly OptionSpec[],
  options: { name: string; value: string }[],
): number {
  const equals = arg.indexOf('=');
  const given = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
  const exact = specs.filter((spec) => spec.long === given);
  const matches = exact.length > 0 ? exact : specs.filter((spec) => spec.long?.startsWith(given));
  if (matches.length === 0) throw new GetoptError(`option --${given} not recognized`);
  if (matches.length > 1) throw new GetoptError(`option --${given} not a unique prefix`);
  const spec = matches[0]!;
  if (!spec.takesValue) {
    if (equals >= 0) throw new GetoptError(`option --${spec.long} must not have an argument`);
    options.push({ name: spec.long!, value: '' });
    return 0;
  }
  const value = equals >= 0 ? arg.slice(equals + 1) : next;
  if (value === undefined) throw new GetoptError(`option --${spec.long} requires argument`);
  options.push({ name: spec.long!, value });
  return equals >= 0 ? 0 : 1;
}

function takeShort(
  arg: string,
  next: string | undefined,
  specs: readonly OptionSpec[],
  options: { name: string; value: string }[],
): number {
  for (let i = 1; i < arg.length; i++) {
    const letter = arg[i]!;
    const spec = specs.find((candidate) => candidate.short === letter);
    if (!spec) throw new GetoptError(`option -${letter} not recognized`);
    const name = spec.long ?? letter;
    if (!spec.takesValue) {
      options.push({ name, value: '' });
      continue;
    }
    const rest = arg.slice(i + 1);
    if (rest !== '') {
      options.push({ name, value: rest });
      return 0;
    }
    if (next === undefined) throw new GetoptError(`option -${letter} requires argument`);
    options.push({ name, value: next });
    return 1;
  }
  return 0;
}
