/** Alias expansion: the text of a line is rewritten before it is parsed for execution. */
import { parseScript } from './parser';
import type { ShellState } from './state';

const WORD = /^[^\s"'\\$`;&|<>()]+/;

/** Replaces command words that are aliases; an alias is not expanded again inside itself. */
export function expandAliases(st: ShellState, text: string): string {
  if (Object.keys(st.aliases).length === 0) return text;
  const edits = aliasWords(st, text).sort((a, b) => b.start - a.start);
  return edits.reduce((t, { start, end, value }) => t.slice(0, start) + value + t.slice(end), text);
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

function aliasWords(st: ShellState, text: string): Edit[] {
  const edits: Edit[] = [];
  for (const node of parseScript(text).nodes) {
    if (node.k !== 'simple' || node.words.length === 0) continue;
    const source = text.slice(node.pos, node.end);
    let at = node.pos + /^(?:[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|[^\s"']*)\s+)*/.exec(source)![0].length;
    // An alias that ends in a blank makes the next word a candidate too.
    for (;;) {
      const name = WORD.exec(text.slice(at, node.end))?.[0];
      const value = name === undefined ? undefined : expansionOf(st, name, []);
      if (name === undefined || value === undefined) break;
      edits.push({ start: at, end: at + name.length, value });
      if (!/\s$/.test(value)) break;
      at += name.length + /^\s*/.exec(text.slice(at + name.length))![0].length;
    }
  }
  return edits;
}

/** An alias's text with its own first word expanded in turn; undefined when the name is no alias (or is being expanded). */
function expansionOf(st: ShellState, name: string, within: readonly string[]): string | undefined {
  if (!Object.hasOwn(st.aliases, name) || within.includes(name)) return undefined;
  const value = st.aliases[name]!;
  const first = WORD.exec(value)?.[0];
  const inner = first === undefined ? undefined : expansionOf(st, first, [...within, name]);
  return inner === undefined ? value : inner + value.slice(first!.length);
}
