/**
 * The adapter on the parser library (unbash): text in, our own plain tree out, cached by text.
 *
 * Nothing else in the shell imports the library. The cache holds only what can be computed again from the text.
 */
import type * as u from 'unbash';
import { parse } from 'unbash';
import type { Assign, Node, NodeId, Redir, Script, Seg, SyntaxFault, TestExpr, Word } from './ast';
import { hereDocWord, textWord, toWord, toWords, wordFromSource } from './words';

const cache = new Map<string, Script>();
const CACHE_LIMIT = 500;

export function parseScript(text: string): Script {
  const cached = cache.get(text);
  if (cached) return cached;
  if (cache.size >= CACHE_LIMIT) cache.clear();
  const script = new Builder(text).build();
  cache.set(text, script);
  return script;
}

const DECLARATIONS = new Set(['declare', 'typeset', 'local', 'export', 'readonly']);

/** Omit that keeps a union a union. */
type Distribute<T> = T extends Node ? Omit<T, 'pos' | 'end' | 'line' | 'hasCmd'> : never;

class Builder {
  readonly #nodes: Node[] = [];
  #hereDocOpen = false;
  #lineStarts: number[] | undefined;

  constructor(readonly text: string) {}

  build(): Script {
    const script = parse(this.text);
    const errors = script.errors ?? [];
    let statements = script.commands;
    if (errors.length > 0) {
      const at = Math.min(...errors.map((e) => e.pos));
      const failing = statements.find((s) => s.end >= at || s.end <= s.pos) ?? statements[statements.length - 1];
      const start = Math.min(at, failing?.pos ?? at);
      const lineStart = this.text.lastIndexOf('\n', start - 1) + 1;
      statements = statements.filter((s) => s.end > s.pos && s.end <= lineStart && s.end < at);
    }
    const root = this.#list(statements, 0, this.text.length);
    const error = this.#error(errors);
    return { text: this.text, nodes: this.#nodes, root, ...(error ? { error } : {}) };
  }

  #error(errors: readonly u.ParseError[]): SyntaxFault | undefined {
    const text = this.text;
    if (errors.length === 0) {
      if (this.#hereDocOpen)
        return { incomplete: true, message: '', line: this.#lineOf(text.length), quoteLine: false };
      if (/(^|[^\\])(\\\\)*\\$/.test(text))
        return { incomplete: true, message: '', line: this.#lineOf(text.length), quoteLine: false };
      return undefined;
    }
    const trimmed = text.trimEnd().length;
    const isOpen = (e: u.ParseError) =>
      /unterminated/.test(e.message) ||
      (e.pos >= trimmed && /to close|command after|expected '(then|do)'/.test(e.message));
    const wrong = errors.find((e) => /unexpected token|redirect target/.test(e.message) || !isOpen(e));
    const emptyClause = /(^|[;&|\s])(if|while|until|elif|then|else|do)\s*;/.exec(text);
    const open = errors.find(isOpen);
    if (
      open &&
      !emptyClause &&
      (!wrong || /expected command in/.test(wrong.message) || /unterminated/.test(open.message))
    ) {
      const quote = { 'double quote': '"', 'single quote': "'", backtick: '`' };
      const what = Object.entries(quote).find(([name]) => open.message.includes(name))?.[1];
      const closing = what ?? (/unterminated (command|arith|ext)/.test(open.message) ? ')' : undefined);
      const closer = closing ?? (/unterminated param/.test(open.message) ? '}' : undefined);
      return closer
        ? {
            incomplete: true,
            message: `unexpected EOF while looking for matching \`${closer}'`,
            line: this.#lineOf(open.pos),
            quoteLine: false,
          }
        : {
            incomplete: true,
            message: 'syntax error: unexpected end of file',
            line: this.#lineOf(text.length) + (text.endsWith('\n') ? 0 : 1),
            quoteLine: false,
          };
    }
    const at = emptyClause ? emptyClause.index + emptyClause[0].length - 1 : (wrong ?? errors[0]!).pos;
    const token = this.#tokenAt(wrong?.message.includes('expected command in') ? at + 1 : at);
    return {
      incomplete: false,
      message: `syntax error near unexpected token \`${token}'`,
      line: this.#lineOf(at),
      quoteLine: true,
    };
  }

  #tokenAt(pos: number): string {
    const rest = this.text.slice(pos).replace(/^[ \t]+/, '');
    if (rest === '' || rest.startsWith('\n')) return 'newline';
    return /^(;;&|;;|;&|&&|\|\||<<<|<<-|<<|>>|[;&|<>()]|[^\s;&|<>()]+)/.exec(rest)?.[1] ?? rest[0]!;
  }

  #lineOf(pos: number): number {
    this.#lineStarts ??= [0, ...[...this.text.matchAll(/\n/g)].map((m) => m.index + 1)];
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= pos) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  #add(at: { readonly pos: number; readonly end: number }, node: Distribute<Node>): NodeId {
    const line = this.#lineOf(at.pos);
    const full = { ...node, pos: at.pos, end: at.end, line } as Node;
    this.#nodes.push(holdsCommand(full) ? { ...full, hasCmd: true } : full);
    return this.#nodes.length - 1;
  }

  #list(statements: readonly u.Statement[], pos: number, end: number): NodeId {
    const items = statements.map((s) => {
      const n = this.#command(s.command);
      return s.background ? { n, bg: true } : { n };
    });
    return this.#add({ pos, end }, { k: 'list', items });
  }

  #body(list: u.CompoundList): NodeId {
    return this.#list(list.commands, list.pos, list.end);
  }

  #command(c: u.PipelineNode | u.AndOr | u.CompoundList): NodeId {
    switch (c.type) {
      case 'AndOr':
        return this.#add(c, { k: 'andor', cmds: c.commands.map((x) => this.#command(x)), ops: c.operators });
      case 'Pipeline': {
        const time = c.prefixes.find((p) => p.type === 'Time');
        return this.#add(c, {
          k: 'pipe',
          cmds: c.commands.map((x) => this.#command(x)),
          neg: c.prefixes.filter((p) => p.type === 'Negation').length % 2 === 1,
          both: c.operators.map((o) => o === '|&'),
          ...(time ? { time: time.type === 'Time' && time.posix ? ('posix' as const) : ('bash' as const) } : {}),
        });
      }
      case 'CompoundList':
        return this.#body(c);
      case 'Command':
        return this.#simple(c);
      case 'Redirected':
        return this.#add(c, { k: 'redir', body: this.#command(c.command), redirs: this.#redirs(c.redirects) });
      case 'Subshell':
        return this.#add(c, { k: 'sub', body: this.#body(c.body) });
      case 'BraceGroup':
        return this.#add(c, { k: 'group', body: this.#body(c.body) });
      case 'If': {
        const arms = [c, ...c.elif].map((arm) => [this.#body(arm.clause), this.#body(arm.then)] as const);
        return this.#add(c, { k: 'if', arms, ...(c.else ? { otherwise: this.#body(c.else) } : {}) });
      }
      case 'For':
        return this.#add(c, {
          k: 'for',
          name: c.name.value,
          ...(c.wordlist ? { words: c.wordlist.flatMap(toWords) } : {}),
          body: this.#body(c.body),
        });
      case 'ArithmeticFor': {
        const head = this.text.slice(c.pos, c.body.pos);
        const inner = head.slice(head.indexOf('((') + 2, head.lastIndexOf('))'));
        const parts = inner.split(';').map((t) => (t.trim() ? textWord(t) : null));
        return this.#add(c, { k: 'cfor', parts, body: this.#body(c.body) });
      }
      case 'While':
        return this.#add(c, {
          k: 'while',
          until: c.kind === 'until',
          cond: this.#body(c.clause),
          body: this.#body(c.body),
        });
      case 'Case':
        return this.#add(c, {
          k: 'case',
          word: toWord(c.word),
          items: c.items.map((i) => ({
            pats: i.pattern.map((p) => toWord(p)),
            body: this.#body(i.body),
            term: i.terminator ?? ';;',
          })),
        });
      case 'TestCommand':
        return this.#add(c, { k: 'cond', e: test(c.expression) });
      case 'ArithmeticCommand':
        return this.#add(c, { k: 'arith', e: textWord(c.body) });
      case 'Function':
        return this.#add(c, { k: 'func', name: c.name.value, body: this.#command(c.body) });
      default:
        return this.#add(c, { k: 'unsupported', what: c.type.toLowerCase() });
    }
  }

  #simple(c: u.Command): NodeId {
    const assigns = c.prefix.filter((p) => p.type === 'Assignment').map(assignment);
    const declares = DECLARATIONS.has(c.name?.value ?? '');
    const words: (Word | { assign: Assign })[] = c.name ? [...toWords(c.name)] : [];
    for (const arg of c.args) {
      if (arg.type === 'Word') words.push(...toWords(arg));
      else if (declares) words.push({ assign: assignment(arg) });
      else words.push(...wordFromSource(arg.text));
    }
    return this.#add(c, { k: 'simple', assigns, words, redirs: this.#redirs(c.redirects) });
  }

  #redirs(redirects: readonly u.Redirection[]): Redir[] {
    return redirects.map((r): Redir => {
      const at =
        r.descriptor?.type === 'FileDescriptor'
          ? { fd: r.descriptor.value }
          : r.descriptor
            ? { fdVar: r.descriptor.name }
            : {};
      if (r.type === 'HereString') {
        const word = r.target ? toWord(r.target) : [];
        return {
          op: 'here',
          ...at,
          word: [...word.map((s): Seg => ({ ...s, q: true })), { k: 'lit', s: '\n', q: true }],
        };
      }
      if (r.type === 'HereDoc') {
        if (!r.closing) this.#hereDocOpen = true;
        const word = r.operator === '<<-' ? withoutTabs(hereDocWord(r.body)) : hereDocWord(r.body);
        return { op: 'here', ...at, word };
      }
      return { op: r.operator, ...at, word: r.target ? toWord(r.target) : [] };
    });
  }
}

/** `<<-` drops the tabs that begin a line, but not those that an expansion brings. */
function withoutTabs(word: readonly Seg[]): Word {
  let atStart = true;
  return word.map((seg) => {
    const start = atStart;
    atStart = false;
    if (seg.k !== 'lit') return seg;
    const s = seg.s.replace(/\n\t+/g, '\n');
    atStart = s.endsWith('\n');
    return { ...seg, s: start ? s.replace(/^\t+/, '') : s };
  });
}

function assignment(a: u.Assignment): Assign {
  const value =
    a.value.type === 'Word' ? toWord(a.value) : { elements: a.value.elements.map((element) => arrayElement(element)) };
  return {
    name: a.name,
    value,
    ...(a.index ? { index: toWord(a.index) } : {}),
    ...(a.append ? { append: true } : {}),
  };
}

function arrayElement(element: u.Word): { key?: Word; words: Word[] } {
  const keyed = /^\[([^\]]*)\]=/.exec(element.text);
  if (!keyed) return { words: toWords(element) };
  return {
    key: /["'$`\\]/.test(keyed[1]!) ? (wordFromSource(keyed[1]!)[0] ?? []) : [{ k: 'lit', s: keyed[1]!, q: true }],
    words: [
      keyed[0].length < element.text.length ? (wordFromSource(element.text.slice(keyed[0].length))[0] ?? []) : [],
    ],
  };
}

function test(e: u.TestExpression): TestExpr {
  switch (e.type) {
    case 'TestUnary':
      return { t: 'un', op: e.operator, a: toWord(e.operand) };
    case 'TestBinary':
      return { t: 'bin', op: e.operator, a: toWord(e.left), b: toWord(e.right) };
    case 'TestLogical':
      return { t: e.operator === '&&' ? 'and' : 'or', e: e.operands.map(test) };
    case 'TestNot':
      return e.negations.length % 2 === 1 ? { t: 'not', e: test(e.operand) } : test(e.operand);
    case 'TestGroup':
      return test(e.expression);
  }
}

/** Looks for a command substitution in the words of a node (not in nodes below it: they are reached by number). */
function holdsCommand(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsCommand);
  if (value === null || typeof value !== 'object') return false;
  if ('k' in value && (value.k === 'cmd' || value.k === 'proc')) return true;
  return Object.values(value).some(holdsCommand);
}
