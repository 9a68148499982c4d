/** Short options of the network tools, as getopt(3) reads them. */

/** Wrong use of a command: it prints `NAME: message` and its usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface ParsedOptions {
  /** Letter → its argument; options without one have ''. The last occurrence wins. */
  readonly options: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

/** `letters`: as for getopt, a colon after those that take an argument. Options may stand between the words. */
export function parseOptions(args: readonly string[], letters: string): ParsedOptions {
  const options = new Map<string, string>();
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (word === '--') {
      words.push(...args.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      words.push(word);
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i]!;
      const index = letters.indexOf(letter);
      if (index < 0 || letter === ':') throw new UsageError(`invalid option -- ${letter}`);
      if (letters[index + 1] !== ':') {
        options.set(letter, '');
        continue;
      }
      const rest = word.slice(i + 1);
      const argument = rest || args[++at];
      if (argument === undefined) throw new UsageError(`option requires an argument -- ${letter}`);
      options.set(letter, argument);
      break;
    }
  }
  return { options, words };
}

/** A non-negative decimal number, or a UsageError with the given text. */
export function decimal(text: string, complaint: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(complaint);
  return Number(text);
}
