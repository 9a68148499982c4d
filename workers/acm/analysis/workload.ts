/**
 * Workload definition files of ezPolicy (.wld): organisations, their departments, and rules about what may not run at the
 * same time. The file is the source text of a Python dictionary, which the original executes; here it is only read.
 */
import type { WorkloadDefinition } from '../../contract';

/** A file that is no workload definition. */
export class WorkloadError extends Error {
  override readonly name = 'WorkloadError';
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(`line ${line}: ${message}`);
  }
}

export const MAX_WORKLOAD_LENGTH = 1 << 20;
const MAX_DEPTH = 16;

type Literal = string | number | readonly Literal[] | ReadonlyMap<string, Literal>;

/** Throws WorkloadError. */
export function readWorkload(text: string): WorkloadDefinition {
  if (text.length > MAX_WORKLOAD_LENGTH)
    throw new WorkloadError(`the file is larger than ${MAX_WORKLOAD_LENGTH} characters`, 1);
  const reader = new Reader(text);
  reader.word('ezpolicy');
  reader.punctuation('=');
  const value = reader.value(0);
  reader.end();
  const fail = (message: string): never => {
    throw new WorkloadError(message, 1);
  };
  const list = (literal: Literal | undefined, what: string): readonly Literal[] =>
    Array.isArray(literal) ? (literal as readonly Literal[]) : fail(`${what} is not a list`);
  const name = (literal: Literal | undefined, what: string): string =>
    typeof literal === 'string' ? literal : fail(`${what} is not a string`);
  if (!(value instanceof Map)) return fail('ezpolicy is not a dictionary');
  const pairs = (key: string) =>
    list(value.get(key), `'${key}'`).map((entry) => {
      const [first, second] = list(entry, `an entry of '${key}'`);
      return {
        name: name(first, `a name in '${key}'`),
        members: list(second, `the second part of an entry of '${key}'`).map((each) =>
          name(each, `a name in '${key}'`),
        ),
      };
    });
  return {
    organizations: pairs('orgs').map(({ name: organization, members }) => ({
      name: organization,
      departments: members,
    })),
    rules: pairs('cons').map(({ name: rule, members }) => ({ name: rule, workloads: members })),
  };
}

/** As the original writes it: one line, without a line break at its end. */
export function writeWorkload({ organizations, rules }: WorkloadDefinition): string {
  const list = (items: readonly string[]) => `[${items.join(', ')}]`;
  const cons = rules.map(({ name, workloads }) =>
    list([`u${quoted(name)}`, list(workloads.map((each) => `u${quoted(each)}`))]),
  );
  const orgs = organizations.map(({ name, departments }) => list([quoted(name), list(departments.map(quoted))]));
  return `ezpolicy = {'cons': ${list(cons)}, 'orgs': ${list(orgs)}}`;
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}

/** Literals of Python: strings, numbers, lists, tuples, dictionaries; white space and comments between them. */
class Reader {
  #at = 0;
  constructor(private readonly text: string) {}

  #fail(message: string): never {
    throw new WorkloadError(message, this.text.slice(0, this.#at).split('\n').length);
  }

  #skip(): void {
    const space = /(?:[\s\\]|#.*)*/y;
    space.lastIndex = this.#at;
    this.#at += space.exec(this.text)![0].length;
  }

  word(expected: string): void {
    this.#skip();
    if (!this.text.startsWith(expected, this.#at)) this.#fail(`expected ${expected}`);
    this.#at += expected.length;
  }

  punctuation(expected: string): void {
    if (!this.#takes(expected)) this.#fail(`expected ${expected}`);
  }

  #takes(expected: string): boolean {
    this.#skip();
    if (this.text[this.#at] !== expected) return false;
    this.#at++;
    return true;
  }

  end(): void {
    this.#skip();
    if (this.#at < this.text.length) this.#fail('nothing may follow the definition');
  }

  value(depth: number): Literal {
    if (depth > MAX_DEPTH) this.#fail('nested too deep');
    this.#skip();
    const start = this.text[this.#at];
    if (start === '[' || start === '(') return this.#list(start === '[' ? ']' : ')', depth);
    if (start === '{') return this.#dictionary(depth);
    const number = /-?\d+/y;
    number.lastIndex = this.#at;
    const digits = number.exec(this.text);
    if (digits) {
      this.#at += digits[0].length;
      return Number(digits[0]);
    }
    return this.#string();
  }

  #list(close: string, depth: number): readonly Literal[] {
    this.#at++;
    const items: Literal[] = [];
    while (!this.#takes(close)) {
      items.push(this.value(depth + 1));
      if (!this.#takes(',')) {
        this.punctuation(close);
        break;
      }
    }
    return items;
  }

  #dictionary(depth: number): ReadonlyMap<string, Literal> {
    this.#at++;
    const entries = new Map<string, Literal>();
    while (!this.#takes('}')) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') this.#fail('a key is a string');
      this.punctuation(':');
      entries.set(key, this.value(depth + 1));
      if (!this.#takes(',')) {
        this.punctuation('}');
        break;
      }
    }
    return entries;
  }

  /** Strings that stand side by side are one. */
  #string(): string {
    let all = '';
    let isFound = false;
    for (;;) {
      this.#skip();
      const opening = /([uU]?)([rR]?)('''|"""|'|")/y;
      opening.lastIndex = this.#at;
      const match = opening.exec(this.text);
      if (!match) {
        if (!isFound) this.#fail('expected a string, a list or a dictionary');
        return all;
      }
      this.#at += match[0].length;
      all += this.#rest(match[3]!, match[2] !== '');
      isFound = true;
    }
  }

  #rest(quote: string, isRaw: boolean): string {
    let body = '';
    while (!this.text.startsWith(quote, this.#at)) {
      const char = this.text[this.#at];
      if (char === undefined || (char === '\n' && quote.length === 1)) this.#fail('a string does not end');
      if (char === '\\' && !isRaw) body += this.#escape();
      else {
        body += char;
        this.#at++;
      }
    }
    this.#at += quote.length;
    return body;
  }

  #escape(): string {
    const pattern = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{1,3})|([\s\S]))/y;
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (!match) return this.#fail('a string does not end');
    this.#at += match[0].length;
    const [, hex, unicode, octal, plain = ''] = match;
    if (hex ?? unicode) return String.fromCharCode(Number.parseInt((hex ?? unicode)!, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const known: Readonly<Record<string, string>> = {
      n: '\n',
      t: '\t',
      r: '\r',
      '\n': '',
      '\\': '\\',
      "'": "'",
      '"': '"',
    };
    return known[plain] ?? `\\${plain}`;
  }
}
