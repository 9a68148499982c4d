/** Turns the parser library's words into ours: quotes resolved, brace expansion done, no lazy parts left. */
import type * as u from 'unbash';
import { parse } from 'unbash';
import type { ParamSeg, Seg, Word } from './ast';
import { expandBraces } from './braces';

type Context = 'plain' | 'quoted' | 'pattern';

/** Words of a command line or a `for` list: braces make several out of one. */
export function toWords(word: u.Word): Word[] {
  const segs = toWord(word);
  return word.text.includes('{') ? expandBraces(segs) : [segs];
}

export function toWord(word: u.Word, context: Context = 'plain'): Word {
  if (!word.parts) return literal(word.text, word.value, context);
  const out: Seg[] = [];
  for (const part of word.parts) pushPart(out, part, context);
  return out;
}

function literal(text: string, value: string, context: Context): Word {
  const quoted = context === 'quoted';
  if (quoted) return [{ k: 'lit', s: value, q: true }];
  if (!text.includes('\\')) return text === '' ? [] : [{ k: 'lit', s: text }];
  const out: Seg[] = [];
  let plain = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c !== '\\' || i + 1 >= text.length) {
      plain += c;
      continue;
    }
    i++;
    if (text[i] === '\n') continue;
    if (plain) out.push({ k: 'lit', s: plain });
    plain = '';
    out.push({ k: 'lit', s: text[i]!, q: true });
  }
  if (plain) out.push({ k: 'lit', s: plain });
  return out;
}

function pushPart(out: Seg[], part: u.WordPart, context: Context): void {
  const q = context === 'quoted';
  switch (part.type) {
    case 'Literal':
      out.push(...literal(part.text, part.value, context));
      return;
    case 'Glob':
      if (part.parts) {
        pushBracket(out, part.text, part.parts);
        return;
      }
      out.push({ k: 'lit', s: part.text, q });
      return;
    case 'ExtendedGlob':
      out.push({ k: 'lit', s: part.text, q });
      return;
    case 'BraceExpansion':
      if (part.parts) for (const child of braceParts(part.text, part.parts, part.pos)) pushPart(out, child, context);
      else out.push(...literal(part.text, part.text, context));
      return;
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      out.push({ k: 'lit', s: part.value, q: true });
      return;
    case 'DoubleQuoted':
    case 'LocaleString':
      if (part.parts.length === 0) out.push({ k: 'lit', s: '', q: true });
      for (const child of part.parts) pushPart(out, child, 'quoted');
      return;
    case 'SimpleExpansion':
      out.push({ k: 'param', name: part.text.slice(1), text: part.text, q });
      return;
    case 'ParameterExpansion':
      out.push(parameter(part, q));
      return;
    case 'CommandExpansion':
      out.push({ k: 'cmd', src: commandText(part), q });
      return;
    case 'ArithmeticExpansion':
      out.push({ k: 'arith', e: textWord(arithmeticText(part.text)), q });
      return;
    case 'ProcessSubstitution':
      out.push({ k: 'proc', dir: part.operator, src: part.text.slice(2, -1) });
      return;
  }
}

/** A bracket pattern keeps its brackets active and its quoted members quoted. */
function pushBracket(out: Seg[], text: string, parts: readonly u.WordPart[]): void {
  const simple = parts.every((p) => p.type === 'Literal' && !p.text.includes('\\'));
  if (simple) {
    out.push({ k: 'lit', s: text });
    return;
  }
  out.push({ k: 'lit', s: '[' });
  for (const part of parts) pushPart(out, part, 'plain');
  out.push({ k: 'lit', s: ']' });
}

/** The library lists only the interesting parts of a brace expression; the text between them is literal. */
function braceParts(text: string, parts: readonly u.WordPart[], base: number): u.WordPart[] {
  const out: u.WordPart[] = [];
  let at = 0;
  const fill = (to: number) => {
    if (to > at) {
      const s = text.slice(at, to);
      out.push({ type: 'Literal', text: s, value: s, pos: base + at, end: base + to });
    }
  };
  for (const part of parts) {
    fill(part.pos - base);
    out.push(part);
    at = part.end - base;
  }
  fill(text.length);
  return out;
}

function commandText(part: u.CommandExpansionPart): string {
  if (!part.text.startsWith('`')) return part.text.slice(2, -1);
  return part.script?.source ?? part.text.slice(1, -1);
}

export function arithmeticText(text: string): string {
  return text.startsWith('$((') ? text.slice(3, -2) : text.slice(2, -1);
}

function parameter(part: u.ParameterExpansionPart, q: boolean): ParamSeg {
  // ${!:-x} and ${#:-x} are about $! and $#, not prefixes.
  const isSpecial = part.parameter === '' && part.prefix !== undefined;
  const base = {
    k: 'param' as const,
    name: isSpecial ? part.prefix! : part.parameter,
    text: part.text,
    q,
    ...(part.prefix && !isSpecial ? { prefix: part.prefix } : {}),
    ...(part.index ? { index: toWord(part.index) } : {}),
  };
  const operation = part.operation;
  if (!operation) return /^(\w+|[@*#?$!-])$/.test(part.parameter) ? base : { ...base, op: 'bad' };
  switch (operation.type) {
    case 'Default':
      return { ...base, op: operation.operator, a: toWord(operation.operand, q ? 'quoted' : 'plain') };
    case 'Remove':
      return { ...base, op: operation.operator, a: toWord(operation.operand, 'pattern') };
    case 'Replace':
      return {
        ...base,
        op: operation.operator,
        a: toWord(operation.pattern, 'pattern'),
        b: toWord(operation.replacement, 'pattern'),
      };
    case 'Slice':
      return {
        ...base,
        op: ':',
        a: toWord(operation.offset),
        ...(operation.length ? { b: toWord(operation.length) } : {}),
      };
    case 'CaseModification':
      return {
        ...base,
        op: operation.operator,
        ...(operation.operand ? { a: toWord(operation.operand, 'pattern') } : {}),
      };
    case 'Transform':
      return { ...base, op: operation.operator, a: toWord(operation.operand) };
    case 'Names':
      return { ...base, op: operation.operator };
    default:
      return { ...base, op: 'bad' };
  }
}

/** Text in which only `$`, backquote and backslash are special: arithmetic, here-documents, prompts. */
export function textWord(text: string): Word {
  if (!/[$`\\]/.test(text)) return text === '' ? [] : [{ k: 'lit', s: text, q: true }];
  let mark = 'E';
  while (text.includes(mark)) mark += '_';
  const command = parse(`: <<${mark}\n${text}\n${mark}\n`).commands[0]?.command;
  const doc = command?.type === 'Command' ? command.redirects[0] : undefined;
  if (doc?.type !== 'HereDoc') return [{ k: 'lit', s: text, q: true }];
  const segs = hereDocWord(doc.body);
  const last = segs[segs.length - 1];
  if (last?.k !== 'lit') return segs;
  return [...segs.slice(0, -1), { ...last, s: last.s.replace(/\n$/, '') }];
}

export function hereDocWord(body: u.HereDocBody): Seg[] {
  const out: Seg[] = [];
  if (!body.parts) out.push({ k: 'lit', s: body.text, q: true });
  else for (const part of body.parts) pushPart(out, part, 'quoted');
  return out;
}

/** A word given as source text on its own, e.g. `a=~/b` as an argument. */
export function wordFromSource(text: string): Word[] {
  const command = parse(`: ${text}`).commands[0]?.command;
  const arg = command?.type === 'Command' ? command.args[0] : undefined;
  return arg?.type === 'Word' ? toWords(arg) : [[{ k: 'lit', s: text, q: true }]];
}
