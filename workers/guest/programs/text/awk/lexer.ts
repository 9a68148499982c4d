/** Splits the text of an awk program into tokens; a slash is a division or starts a regular expression by what stands before it. */

export interface Token {
  readonly kind: 'number' | 'string' | 'regex' | 'name' | 'call' | 'builtin' | 'word' | 'sign' | 'newline' | 'end';
  /** A name, keyword, sign, or the value of a string; for a regular expression its source. */
  readonly text: string;
  readonly value: number;
  readonly line: number;
  readonly at: number;
}

export class AwkSyntaxError extends Error {
  override readonly name = 'AwkSyntaxError';
  constructor(
    message: string,
    readonly line: number,
    readonly at: number,
  ) {
    super(message);
  }
}

const WORDS = new Set([
  ...['BEGIN', 'END', 'function', 'func', 'if', 'else', 'while', 'for', 'do', 'break', 'continue', 'next', 'nextfile'],
  ...['exit', 'return', 'delete', 'in', 'getline', 'print', 'printf'],
]);

export const BUILTINS = new Set([
  ...['length', 'substr', 'index', 'split', 'sub', 'gsub', 'match', 'sprintf', 'toupper', 'tolower', 'int', 'sqrt'],
  ...['exp', 'log', 'sin', 'cos', 'atan2', 'rand', 'srand', 'system', 'close', 'fflush', 'systime', 'strftime'],
]);

const SIGNS = /\*\*=|\*\*|&&|\|\||\+\+|--|\+=|-=|\*=|\/=|%=|\^=|==|<=|>=|!=|>>|!~|[{}()[\];,+\-*/%^!<>|?:~$=]/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;

export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  const put = (kind: Token['kind'], text: string, length: number, value = 0) => {
    tokens.push({ kind, text, value, line, at });
    at += length;
  };
  while (at < source.length) {
    const c = source[at]!;
    if (c === ' ' || c === '\t' || c === '\r') at++;
    else if (c === '\n') {
      put('newline', '\n', 1);
      line++;
    } else if (c === '\\' && /^\\\r?\n/.test(source.slice(at, at + 3))) {
      at += source[at + 1] === '\r' ? 3 : 2;
      line++;
    } else if (c === '#') {
      const end = source.indexOf('\n', at);
      at = end < 0 ? source.length : end;
    } else if (c === '"') {
      const end = closing(source, at, '"', line);
      put('string', unescapeAwk(source.slice(at + 1, end)), end + 1 - at);
    } else if (c === '/' && !isOperandBefore(tokens.at(-1))) {
      const end = closing(source, at, '/', line);
      put('regex', source.slice(at + 1, end), end + 1 - at);
    } else if (/[0-9.]/.test(c)) {
      NUMBER.lastIndex = at;
      const match = NUMBER.exec(source);
      if (!match) throw new AwkSyntaxError('syntax error', line, at);
      put('number', match[0], match[0].length, Number(match[0]));
    } else if (/[A-Za-z_]/.test(c)) {
      const name = /^\w+/.exec(source.slice(at))![0];
      const kind = WORDS.has(name)
        ? 'word'
        : BUILTINS.has(name)
          ? 'builtin'
          : source[at + name.length] === '('
            ? 'call'
            : 'name';
      put(kind, name === 'func' ? 'function' : name, name.length);
    } else {
      SIGNS.lastIndex = at;
      const sign = SIGNS.exec(source)?.[0];
      if (!sign) throw new AwkSyntaxError(`invalid char '${c}' in expression`, line, at);
      put('sign', sign.replace('**', '^'), sign.length);
    }
  }
  tokens.push({ kind: 'end', text: '', value: 0, line, at });
  return tokens;
}

/** Where the string or regular expression that starts at `at` ends. */
function closing(source: string, at: number, mark: string, line: number): number {
  let isInBrackets = false;
  for (let i = at + 1; i < source.length && source[i] !== '\n'; i++) {
    const c = source[i];
    if (c === '\\') i++;
    else if (mark === '/' && c === '[' && !isInBrackets) {
      isInBrackets = true;
      if (source[i + 1] === '^') i++;
      if (source[i + 1] === ']') i++;
    } else if (c === ']') isInBrackets = false;
    else if (c === mark && !isInBrackets) return i;
  }
  throw new AwkSyntaxError(mark === '"' ? 'unterminated string' : 'unterminated regexp', line, at);
}

function isOperandBefore(token: Token | undefined): boolean {
  if (!token) return false;
  if (token.kind === 'sign') return [')', ']', '$', '++', '--'].includes(token.text);
  return ['number', 'string', 'name', 'builtin', 'regex'].includes(token.kind);
}

const SIMPLE: Readonly<Record<string, string>> = {
  n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', '/': '/', a: '\x07', b: '\b', f: '\f', v: '\v', '\n': '',
}; // biome-ignore format: a table

/** The escapes of a string; unknown ones keep their backslash, so that "\." works as a regular expression. */
export function unescapeAwk(text: string): string {
  return text.replace(/\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|[\s\S])/g, (whole, escaped: string) => {
    if (/^[0-7]/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped, 8));
    if (/^x./.test(escaped)) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return SIMPLE[escaped] ?? whole;
  });
}
