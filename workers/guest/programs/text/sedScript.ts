/** sed's script as plain data: addresses, commands and blocks, parsed once when the program starts. */
import { ToolError } from '../options';

export type Address =
  | { readonly kind: 'line'; readonly line: number }
  | { readonly kind: 'last' }
  | { readonly kind: 'step'; readonly first: number; readonly step: number }
  | { readonly kind: 'regex'; readonly source: string; readonly ignoreCase: boolean }
  /** Second addresses only: so many lines more. */
  | { readonly kind: 'plus'; readonly count: number };

export interface SedCommand {
  readonly from?: Address;
  readonly to?: Address;
  readonly negated: boolean;
  readonly name: string;
  /** Text of a, i, c; file of r, w; label of b, t, `:`; map of y. */
  readonly text?: string;
  readonly substitute?: {
    readonly source: string;
    readonly replacement: string;
    readonly ignoreCase: boolean;
    readonly global: boolean;
    readonly print: boolean;
    readonly nth: number;
    readonly file: string;
  };
  /** Index of the command behind the block's end, for `{`. */
  readonly end?: number;
}

/** Throws ToolError with sed's words: `-e expression #1, char 3: …`. */
export function parseScript(script: string): SedCommand[] {
  return new ScriptParser(script).parse();
}

class ScriptParser {
  #at = 0;
  readonly #commands: SedCommand[] = [];
  readonly #blocks: number[] = [];

  constructor(private readonly script: string) {}

  parse(): SedCommand[] {
    for (;;) {
      this.#skip(/[\s;]/);
      if (this.#at >= this.script.length) break;
      this.#command();
    }
    if (this.#blocks.length > 0) this.#fail("unmatched `{'");
    for (const { name, text } of this.#commands)
      if (
        (name === 'b' || name === 't' || name === 'T') &&
        text &&
        !this.#commands.some((it) => it.name === ':' && it.text === text)
      )
        throw new ToolError(`can't find label for jump to \`${text}'`);
    return this.#commands;
  }

  #fail(text: string): never {
    throw new ToolError(`-e expression #1, char ${this.#at}: ${text}`);
  }

  #skip(pattern: RegExp): void {
    while (this.#at < this.script.length && pattern.test(this.script[this.#at]!)) this.#at++;
  }

  #take(pattern: RegExp): string {
    const match = new RegExp(pattern.source, 'y');
    match.lastIndex = this.#at;
    const text = match.exec(this.script)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }

  #address(isSecond: boolean): Address | undefined {
    const c = this.script[this.#at];
    if (c === undefined) return undefined;
    if (/\d/.test(c)) {
      const line = Number(this.#take(/\d+/));
      if (!isSecond && this.script[this.#at] === '~') {
        this.#at++;
        return { kind: 'step', first: line, step: Number(this.#take(/\d+/)) };
      }
      return { kind: 'line', line };
    }
    if (c === '$') {
      this.#at++;
      return { kind: 'last' };
    }
    if (isSecond && c === '+') {
      this.#at++;
      return { kind: 'plus', count: Number(this.#take(/\d+/)) };
    }
    if (c !== '/' && c !== '\\') return undefined;
    this.#at += c === '\\' ? 2 : 1;
    const delimiter = this.script[this.#at - 1]!;
    const source = this.#until(delimiter, true);
    if (source === undefined) this.#fail('unterminated address regex');
    const ignoreCase = this.script[this.#at] === 'I';
    if (ignoreCase) this.#at++;
    return { kind: 'regex', source, ignoreCase };
  }

  /** Text up to the delimiter, which is consumed; an escaped delimiter loses its backslash. */
  #until(delimiter: string, isRegex: boolean): string | undefined {
    let text = '';
    let inBracket = false;
    for (; this.#at < this.script.length; this.#at++) {
      const c = this.script[this.#at]!;
      if (c === '\\' && !inBracket) {
        const next = this.script[++this.#at];
        if (next === undefined) return undefined;
        text += next === delimiter && delimiter !== '\\' ? next : `\\${next}`;
        continue;
      }
      if (isRegex && c === '[' && !inBracket) {
        inBracket = true;
        text += c;
        // A bracket right behind the opening one belongs to the set.
        if (this.script[this.#at + 1] === '^') text += this.script[++this.#at];
        if (this.script[this.#at + 1] === ']') text += this.script[++this.#at];
        continue;
      }
      if (inBracket && c === '[' && /[:.=]/.test(this.script[this.#at + 1] ?? '')) {
        const end = this.script.indexOf(`${this.script[this.#at + 1]}]`, this.#at + 2);
        if (end > 0) {
          text += this.script.slice(this.#at, end + 2);
          this.#at = end + 1;
          continue;
        }
      }
      if (inBracket && c === ']') inBracket = false;
      else if (c === delimiter && !inBracket) {
        this.#at++;
        return text;
      }
      text += c;
    }
    return undefined;
  }

  #command(): void {
    const from = this.#address(false);
    let to: Address | undefined;
    this.#skip(/\s/);
    if (from && this.script[this.#at] === ',') {
      this.#at++;
      this.#skip(/\s/);
      to = this.#address(true);
      if (!to) this.#fail("unexpected `,'");
      this.#skip(/\s/);
    }
    let negated = false;
    while (this.script[this.#at] === '!') {
      negated = true;
      this.#at++;
      this.#skip(/\s/);
    }
    const name = this.script[this.#at++];
    if (name === undefined) this.#fail('missing command');
    const base = { ...(from ? { from } : {}), ...(to ? { to } : {}), negated, name };
    switch (name) {
      case '#':
        this.#take(/[^\n]*/);
        return;
      case '{':
        this.#blocks.push(this.#commands.length);
        this.#commands.push(base);
        return;
      case '}': {
        const open = this.#blocks.pop();
        if (open === undefined) this.#fail("unexpected `}'");
        this.#commands[open] = { ...this.#commands[open]!, end: this.#commands.length };
        this.#endOfCommand();
        return;
      }
      case 's':
        this.#commands.push({ ...base, substitute: this.#substitution() });
        this.#endOfCommand();
        return;
      case 'y':
        this.#commands.push({ ...base, text: this.#transliteration() });
        this.#endOfCommand();
        return;
      case 'a':
      case 'i':
      case 'c':
        this.#commands.push({ ...base, text: this.#textArgument() });
        return;
      case ':':
      case 'b':
      case 't':
      case 'T':
        this.#skip(/[ \t]/);
        this.#commands.push({ ...base, text: this.#take(name === ':' ? /[^\n;]*/ : /[^\n;}]*/).trim() });
        return;
      case 'r':
      case 'w':
        this.#skip(/[ \t]/);
        this.#commands.push({ ...base, text: this.#take(/[^\n]*/) });
        if (this.#commands.at(-1)!.text === '') this.#fail('missing filename in r/R/w/W commands');
        return;
      case 'q':
      case 'Q':
        this.#skip(/[ \t]/);
        this.#commands.push({ ...base, text: this.#take(/\d*/) });
        this.#endOfCommand();
        return;
      default:
        if (!'pPdDnNgGhHx=lz'.includes(name)) this.#fail(`unknown command: \`${name}'`);
        this.#commands.push(base);
        this.#endOfCommand();
    }
  }

  #endOfCommand(): void {
    this.#skip(/[ \t]/);
    const c = this.script[this.#at];
    if (c === undefined || c === '\n' || c === ';' || c === '}' || c === '#') return;
    this.#at++;
    this.#fail('extra characters after command');
  }

  #substitution(): NonNullable<SedCommand['substitute']> {
    const delimiter = this.script[this.#at++] ?? '';
    const source = this.#until(delimiter, true);
    const replacement = source === undefined ? undefined : this.#until(delimiter, false);
    if (source === undefined || replacement === undefined) this.#fail("unterminated `s' command");
    const flags = this.#take(/[gpiIm0-9]*/);
    let file = '';
    if (this.script[this.#at] === 'w') {
      this.#at++;
      file = this.#take(/[^\n]*/).trim();
    } else if (/[a-zA-Z]/.test(this.script[this.#at] ?? '')) {
      this.#at++;
      this.#fail("unknown option to `s'");
    }
    return {
      source,
      replacement,
      ignoreCase: /[iI]/.test(flags),
      global: flags.includes('g'),
      print: flags.includes('p'),
      nth: Number(/\d+/.exec(flags)?.[0] ?? 1),
      file,
    };
  }

  /** Pairs of characters, one after the other. */
  #transliteration(): string {
    const delimiter = this.script[this.#at++] ?? '';
    const plain = (text: string) => [...text.replace(/\\n/g, '\n').replace(/\\\\/g, '\\')];
    const from = this.#until(delimiter, false);
    const to = from === undefined ? undefined : this.#until(delimiter, false);
    if (from === undefined || to === undefined) this.#fail("unterminated `y' command");
    const [a, b] = [plain(from), plain(to)];
    if (a.length !== b.length) this.#fail("strings for `y' command are different lengths");
    return a.map((c, i) => c + b[i]!).join('');
  }

  /** `a\` and text on the next lines, or on the same line (GNU). */
  #textArgument(): string {
    this.#skip(/[ \t]/);
    if (this.script[this.#at] === '\\') {
      this.#at++;
      this.#skip(/[ \t]/);
      if (this.script[this.#at] === '\n') this.#at++;
    }
    if (this.#at >= this.script.length) this.#fail("expected \\ after `a', `c' or `i'");
    let text = '';
    for (; this.#at < this.script.length && this.script[this.#at] !== '\n'; this.#at++) {
      if (this.script[this.#at] === '\\' && this.#at + 1 < this.script.length) this.#at++;
      text += this.script[this.#at];
    }
    return `${text}\n`;
  }
}
