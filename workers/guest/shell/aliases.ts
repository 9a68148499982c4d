/** Alias expansion: the text of a line is rewritten before it is parsed for execution. */
import { parseScript } from './parser';
import type { ShellState } from './state';

/** Replaces command words that are aliases; an alias is not expanded again inside itself. */
export function expandAliases(st: ShellState, text: string): string {
  let current = text;
  const used = new Set<string>();
  for (let round = 0; round < 10; round++) {
    const edits = aliasWords(st, current, used);
    if (edits.length === 0) return current;
    for (const { start, end, name } of edits.sort((a, b) => b.start - a.start))
      current = current.slice(0, start) + st.aliases[name]! + current.slice(end);
    for (const { name } of edits) used.add(name);
  }
  return current;
}

function aliasWords(
  st: ShellState,
  text: string,
  used: ReadonlySet<string>,
): { start: number; end: number; name: string }[] {
  const edits: { start: number; end: number; name: string }[] = [];
  for (const node of parseScript(text).nodes) {
    if (node.k !== 'simple' || node.words.length === 0) continue;
    const source = text.slice(node.pos, node.end);
    const skip = /^(?:[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|[^\s"']*)\s+)*/.exec(source)![0].length;
    let at = node.pos + skip;
    // An alias that ends in a blank makes the next word a candidate too.
    for (;;) {
      const name = /^[^\s"'\\$`;&|<>()]+/.exec(text.slice(at, node.end))?.[0];
      if (name === undefined || !Object.hasOwn(st.aliases, name) || used.has(name)) break;
      edits.push({ start: at, end: at + name.length, name });
      if (!/\s$/.test(st.aliases[name]!)) break;
      at += name.length + /^\s*/.exec(text.slice(at + name.length))![0].length;
    }
  }
  return edits;
}
