/**
 * POSIX regular expressions, basic and extended, turned into JavaScript's. Differs from POSIX: of several alternatives the
 * first that matches is taken, not the longest.
 */
import { ToolError } from '../options';

export interface RegexOptions {
  readonly extended?: boolean;
  readonly fixed?: boolean;
  readonly ignoreCase?: boolean;
  /** `-w`: only whole words. */
  readonly word?: boolean;
  /** `-x`: only whole lines. */
  readonly line?: boolean;
}

const cache = new Map<string, RegExp>();

/** A compiled pattern; the same object for the same text (`g` and `lastIndex` are the caller's). Throws ToolError. */
export function posixRegex(pattern: string, options: RegexOptions = {}, flags = ''): RegExp {
  const allFlags = `su${options.ignoreCase ? 'i' : ''}${flags}`;
  const key = `${allFlags} ${options.extended ?? false} ${options.fixed ?? false} ${options.word ?? false} ${options.line ?? false} ${pattern}`;
  let regex = cache.get(key);
  if (!regex) {
    // Several patterns, one a line, are alternatives (grep).
    const sources = pattern
      .split('\n')
      .map((each) => (options.fixed ? literal(each) : new Translator(each, options.extended ?? false).translate()));
    let source = sources.length === 1 ? sources[0]! : sources.map((each) => `(?:${each})`).join('|');
    if (options.line) source = `^(?:${source})$`;
    else if (options.word) source = `(?<![\\w])(?:${source})(?![\\w])`;
    try {
      regex = new RegExp(source, allFlags);
    } catch {
      throw new ToolError('Invalid regular expression', 2);
    }
    if (cache.size > 500) cache.clear();
    cache.set(key, regex);
  }
  regex.lastIndex = 0;
  return regex;
}

export const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');

export const CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: ' \\t\\n\\r\\f\\v',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`\\{-~',
  xdigit: '0-9A-Fa-f',
  cntrl: '\\x00-\\x1f\\x7f',
  print: ' -~',
  graph: '!-~',
};

/** Escapes that mean the same in both dialects. */
const ESCAPES: Readonly<Record<string, string>> = {
  w: '\\w',
  W: '\\W',
  s: '\\s',
  S: '\\S',
  b: '\\b',
  B: '\\B',
  n: '\\n',
  t: '\\t',
  '<': '\\b(?=\\w)',
  '>': '\\b(?<=\\w)',
  '`': '^',
  "'": '$',
};

class Translator {
  readonly #chars: readonly string[];
  #at = 0;
  #out = '';
  #depth = 0;
  /** Nothing stands before, so that `*` and (basic) `^` are at the start of an expression. */
  #isStart = true;

  constructor(
    pattern: string,
    private readonly extended: boolean,
  ) {
    this.#chars = [...pattern];
  }

  translate(): string {
    while (this.#at < this.#chars.length) this.#one();
    if (this.#depth > 0) throw new ToolError(this.extended ? 'Unmatched ( or \\(' : 'Unmatched ( or \\(', 2);
    return this.#out;
  }

  #one(): void {
    const c = this.#chars[this.#at]!;
    if (c === '[') {
      this.#bracket();
      return;
    }
    if (c === '\\') {
      this.#escape();
      return;
    }
    this.#at++;
    if (c === '*') {
      if (this.#isStart) this.#put('\\*');
      else this.#quantifier('*');
      return;
    }
    if (c === '.') {
      this.#put('.');
      return;
    }
    if (c === '^') {
      if (this.extended || this.#isStart) this.#anchor('^');
      else this.#put('\\^');
      return;
    }
    if (c === '$') {
      this.#put(this.extended || this.#isEnd() ? '$' : '\\$');
      return;
    }
    if (!this.extended) {
      this.#put(literal(c));
      return;
    }
    if (c === '(') {
      this.#open();
      return;
    }
    if (c === ')' && this.#depth > 0) {
      this.#close();
      return;
    }
    if (c === '|') {
      this.#alternative();
      return;
    }
    if (c === '+' || c === '?') {
      if (this.#isStart) this.#put(`\\${c}`);
      else this.#quantifier(c);
      return;
    }
    if (c === '{') {
      const interval = /^(\d*)(,?)(\d*)\}/.exec(this.#chars.slice(this.#at).join(''));
      if (interval && (interval[1] !== '' || interval[2] !== '') && !this.#isStart) {
        this.#at += interval[0].length;
        this.#quantifier(`{${interval[1] || '0'}${interval[2]}${interval[3]}}`);
        return;
      }
    }
    this.#put(literal(c));
  }

  #put(source: string): void {
    this.#out += source;
    this.#isStart = false;
  }

  /** A second quantifier would be a syntax error in JavaScript: the expression so far becomes a group. */
  #quantifier(source: string): void {
    if (/(?:[^\\]|^)(?:\\\\)*[*+?}]$/.test(this.#out) && !/\\[*+?}]$/.test(this.#out)) return;
    this.#out += source;
  }

  #anchor(source: string): void {
    this.#out += source;
    this.#isStart = true;
  }

  #isEnd(): boolean {
    const rest = this.#chars.slice(this.#at, this.#at + 2).join('');
    return rest === '' || rest === '\\)' || rest === '\\|';
  }

  #open(): void {
    this.#depth++;
    this.#anchor('(');
  }

  #close(): void {
    this.#depth--;
    this.#put(')');
  }

  #alternative(): void {
    this.#anchor('|');
  }

  #escape(): void {
    const c = this.#chars[this.#at + 1];
    if (c === undefined) throw new ToolError('Trailing backslash', 2);
    this.#at += 2;
    if (!this.extended) {
      if (c === '(') {
        this.#open();
        return;
      }
      if (c === ')') {
        if (this.#depth === 0) throw new ToolError('Unmatched ) or \\)', 2);
        this.#close();
        return;
      }
      if (c === '|') {
        this.#alternative();
        return;
      }
      if (c === '+' || c === '?') {
        if (this.#isStart) this.#put(`\\${c}`);
        else this.#quantifier(c);
        return;
      }
      if (c === '{') {
        const interval = /^(\d*)(,?)(\d*)\\\}/.exec(this.#chars.slice(this.#at).join(''));
        if (!interval) throw new ToolError('Unmatched \\{', 2);
        this.#at += interval[0].length;
        this.#quantifier(`{${interval[1] || '0'}${interval[2]}${interval[3]}}`);
        return;
      }
    }
    if (/[1-9]/.test(c)) {
      this.#put(`\\${c}(?:)`);
      return;
    }
    this.#put(ESCAPES[c] ?? literal(c));
  }

  #bracket(): void {
    const chars = this.#chars;
    let at = this.#at + 1;
    const isNegated = chars[at] === '^';
    if (isNegated) at++;
    let body = '';
    for (let isFirst = true; ; isFirst = false) {
      const c = chars[at];
      if (c === undefined) throw new ToolError('Unmatched [ or [^', 2);
      if (c === ']' && !isFirst) break;
      if (c === '[' && (chars[at + 1] === ':' || chars[at + 1] === '.' || chars[at + 1] === '=')) {
        const mark = chars[at + 1]!;
        const end = chars.findIndex((it, i) => i > at + 1 && it === mark && chars[i + 1] === ']');
        if (end > 0) {
          const name = chars.slice(at + 2, end).join('');
          if (mark === ':' && CLASSES[name] === undefined) throw new ToolError('Invalid character class name', 2);
          body += mark === ':' ? CLASSES[name] : name.replace(/[\\\]^[-]/g, '\\$&');
          at = end + 2;
          continue;
        }
      }
      if (c === '-' && !isFirst && chars[at + 1] !== ']') body += '-';
      else if (c === '\\' && (chars[at + 1] === 'n' || chars[at + 1] === 't')) {
        body += `\\${chars[at + 1]}`;
        at++;
      } else body += c.replace(/[\\\]^[\-&~|/]/, '\\$&');
      at++;
    }
    this.#at = at + 1;
    this.#put(`[${isNegated ? '^' : ''}${body}]`);
  }
}
