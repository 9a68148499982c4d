/**
 * S-expressions, the notation in which xend keeps configurations: atoms and lists in parentheses, as in
 * `(vm (name pv1) (memory 128))`. Reading, flat printing, pretty printing and looking up children.
 *
 * Atoms are strings. Text rules: tools/python/xen/xend/{sxp,PrettyPrint}.py in Xen 3.4.
 */
export type Sxp = string | readonly Sxp[];

/** Text that is not an s-expression; `line` is 1-based. */
export class SxpError extends Error {
  override readonly name = 'SxpError';
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

const BARE = /^[A-Za-z0-9._:/~-]*$/;

/** One atom as xend prints it: bare when it may be, else as Python's `repr` of a string. The empty atom is nothing. */
export function printAtom(atom: string): string {
  return BARE.test(atom) || atom === '@' ? atom : pythonRepr(atom);
}

/** Python 2's `repr` of a string: single quotes, or double ones when it contains a `'` and no `"`. */
export function pythonRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (char === quote || char === '\\') out += `\\${char}`;
    else if (char === '\n') out += '\\n';
    else if (char === '\r') out += '\\r';
    else if (char === '\t') out += '\\t';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += char;
  }
  return out + quote;
}

/** On one line. */
export function printSxp(sxp: Sxp): string {
  return typeof sxp === 'string' ? printAtom(sxp) : `(${sxp.map(printSxp).join(' ')})`;
}

/**
 * Over several lines, ending with a newline: a list that fits in the rest of the line is printed flat, else every element
 * after the first goes on its own line, four columns deeper than the parenthesis, which is closed on a line of its own.
 */
export function prettyPrint(sxp: Sxp, width = 80): string {
  return `${pretty(sxp, 0, width)}\n`;
}

function pretty(sxp: Sxp, column: number, width: number): string {
  const flat = printSxp(sxp);
  if (typeof sxp === 'string' || sxp.length < 2 || column + flat.length <= width) return flat;
  const [head, ...rest] = sxp;
  const indent = ' '.repeat(column + 4);
  const lines = rest.map((element) => `\n${indent}${pretty(element, column + 4, width)}`);
  return `(${pretty(head!, column + 1, width)}${lines.join('')}\n${' '.repeat(column)})`;
}

/** Every expression of a text. Throws SxpError. `#` starts a comment that ends with the line. */
export function parseSxp(text: string): readonly Sxp[] {
  const top: Sxp[] = [];
  const open: Sxp[][] = [];
  let at = 0;
  let line = 1;
  const add = (sxp: Sxp) => (open.at(-1) ?? top).push(sxp);
  while (at < text.length) {
    const char = text[at]!;
    if (char === '\n') line++;
    if (/\s/.test(char)) at++;
    else if (char === '#') while (at < text.length && text[at] !== '\n') at++;
    else if (char === '(') {
      open.push([]);
      at++;
    } else if (char === ')') {
      const list = open.pop();
      if (!list) throw new SxpError('unexpected )', line);
      add(list);
      at++;
    } else if (char === '"' || char === "'") {
      const quoted = parseQuoted(text, at, line);
      add(quoted.value);
      line += text.slice(at, quoted.end).split('\n').length - 1;
      at = quoted.end;
    } else {
      const start = at;
      while (at < text.length && !/[\s()"'#]/.test(text[at]!)) at++;
      add(text.slice(start, at));
    }
  }
  if (open.length > 0) throw new SxpError('unexpected end of text', line);
  return top;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
};

/** A quoted atom that starts at `start`; `end` is the offset after its closing quote. */
function parseQuoted(text: string, start: number, line: number): { value: string; end: number } {
  const quote = text[start]!;
  let value = '';
  let at = start + 1;
  while (at < text.length) {
    const char = text[at]!;
    if (char === quote) return { value, end: at + 1 };
    if (char !== '\\') {
      value += char;
      at++;
      continue;
    }
    const code = /^\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3}))/.exec(text.slice(at, at + 4));
    if (code) {
      value += String.fromCharCode(code[1] ? Number.parseInt(code[1], 16) : Number.parseInt(code[2]!, 8));
      at += code[0].length;
    } else {
      const next = text[at + 1] ?? '';
      value += ESCAPES[next] ?? next;
      at += 2;
    }
  }
  throw new SxpError('unexpected end of text in a quoted atom', line);
}

/** The first element of a list when it is an atom: `vm` of `(vm …)`. */
export function sxpName(sxp: Sxp | undefined): string | undefined {
  if (sxp === undefined || typeof sxp === 'string') return undefined;
  return typeof sxp[0] === 'string' ? sxp[0] : undefined;
}

/** The first child list with that name: `(memory 128)` of `(vm (memory 128))`. */
export function sxpChild(sxp: Sxp, name: string): readonly Sxp[] | undefined {
  return sxpChildren(sxp, name)[0];
}

/** All child lists, or those with that name. */
export function sxpChildren(sxp: Sxp, name?: string): readonly (readonly Sxp[])[] {
  if (typeof sxp === 'string') return [];
  return sxp.filter(
    (element): element is readonly Sxp[] =>
      typeof element !== 'string' && (name === undefined || sxpName(element) === name),
  );
}

/** What stands after the name in a child: `128` of `(vm (memory 128))`; '' for `(fda )`; undefined without such a child. */
export function sxpValue(sxp: Sxp, name: string): Sxp | undefined {
  const child = sxpChild(sxp, name);
  return child === undefined ? undefined : (child[1] ?? '');
}

/** As sxpValue, for a value that must be an atom. */
export function sxpText(sxp: Sxp, name: string): string | undefined {
  const value = sxpValue(sxp, name);
  return typeof value === 'string' ? value : undefined;
}
