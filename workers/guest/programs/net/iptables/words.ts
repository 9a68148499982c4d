/** The words of a command line as getopt_long(3) hands them out: in their order, options known by a table that may grow. */

export interface OptionName {
  /** Without the dashes. */
  readonly long: string;
  readonly short?: string;
  readonly argument: 'none' | 'required' | 'optional';
}

export type Word =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'option'; readonly name: string; readonly value: string | undefined }
  /** Not in the table, or its argument is missing. */
  | { readonly kind: 'unknown'; readonly text: string };

export class Words {
  /** Index of the word that comes next, and of the letter in it when it is a cluster of options. */
  #at = 0;
  #letter = 0;
  #before: readonly [number, number] = [0, 0];
  #isOver = false;

  constructor(readonly args: readonly string[]) {}

  /** Words behind `--`. */
  get hasRest(): boolean {
    return this.#isOver && this.#at < this.args.length;
  }

  next(options: readonly OptionName[]): Word | undefined {
    this.#before = [this.#at, this.#letter];
    const word = this.args[this.#at];
    if (word === undefined || this.#isOver) return undefined;
    if (this.#letter > 0) return this.#short(word, options);
    if (word === '--') {
      this.#at++;
      this.#isOver = true;
      return undefined;
    }
    if (word.startsWith('--')) return this.#long(word, options);
    if (word.startsWith('-') && word !== '-') {
      this.#letter = 1;
      return this.#short(word, options);
    }
    this.#at++;
    return { kind: 'word', text: word };
  }

  /** The word that `next` returned last comes again. */
  again(): void {
    [this.#at, this.#letter] = this.#before;
  }

  /** The next word as it is; undefined at the end. */
  take(): string | undefined {
    return this.#isOver ? undefined : this.args[this.#at++];
  }

  /** The next word unless it begins an option or is a `!`. */
  takePlain(): string | undefined {
    const word = this.args[this.#at];
    if (this.#letter > 0 || word === undefined || /^[-!]/.test(word)) return undefined;
    return this.take();
  }

  #long(word: string, options: readonly OptionName[]): Word {
    this.#at++;
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const option = find(name, options);
    if (!option) return { kind: 'unknown', text: word };
    if (equals >= 0) {
      if (option.argument === 'none') return { kind: 'unknown', text: word };
      return { kind: 'option', name: option.long, value: word.slice(equals + 1) };
    }
    return this.#withArgument(option, word);
  }

  #short(word: string, options: readonly OptionName[]): Word {
    const letter = word[this.#letter++]!;
    const isLast = this.#letter >= word.length;
    const option = options.find(({ short }) => short === letter);
    const rest = word.slice(this.#letter);
    if (isLast || (option && option.argument !== 'none')) {
      this.#at++;
      this.#letter = 0;
    }
    if (!option) return { kind: 'unknown', text: `-${letter}` };
    if (option.argument !== 'none' && !isLast) return { kind: 'option', name: option.long, value: rest };
    return this.#withArgument(option, `-${letter}`);
  }

  #withArgument(option: OptionName, text: string): Word {
    if (option.argument !== 'required') return { kind: 'option', name: option.long, value: undefined };
    const value = this.args[this.#at];
    if (value === undefined) return { kind: 'unknown', text };
    this.#at++;
    return { kind: 'option', name: option.long, value };
  }
}

/** A name may be cut as long as it stays the only one. */
function find(name: string, options: readonly OptionName[]): OptionName | undefined {
  const exact = options.find(({ long }) => long === name);
  if (exact) return exact;
  const begin = options.filter(({ long }) => long.startsWith(name));
  return begin.length === 1 ? begin[0] : undefined;
}
