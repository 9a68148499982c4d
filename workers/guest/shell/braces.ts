/** Brace expansion: `a{b,c}d` → `abd acd`, `{1..5}`, `{a..e..2}`, `{01..10}`; purely textual, before everything else. */
import type { Seg, Word } from './ast';

/** One unquoted character, or a piece that braces do not look into. */
type Item = string | Seg;

export function expandBraces(word: Word): Word[] {
  const items: Item[] = [];
  for (const seg of word) {
    if (seg.k === 'lit' && !seg.q) items.push(...Array.from(seg.s));
    else items.push(seg);
  }
  return expand(items).map(toSegs);
}

function expand(items: readonly Item[]): Item[][] {
  for (let open = items.indexOf('{'); open >= 0; open = items.indexOf('{', open + 1)) {
    const close = matching(items, open);
    if (close === undefined) continue;
    const inner = items.slice(open + 1, close);
    const choices = alternatives(inner) ?? sequence(inner);
    if (!choices) continue;
    const before = items.slice(0, open);
    const after = expand(items.slice(close + 1));
    return choices.flatMap((choice) => expand(choice).flatMap((c) => after.map((a) => [...before, ...c, ...a])));
  }
  return [[...items]];
}

function matching(items: readonly Item[], open: number): number | undefined {
  let depth = 0;
  for (let i = open; i < items.length; i++) {
    if (items[i] === '{') depth++;
    else if (items[i] === '}' && --depth === 0) return i;
  }
  return undefined;
}

function alternatives(inner: readonly Item[]): Item[][] | undefined {
  const parts: Item[][] = [[]];
  let depth = 0;
  for (const item of inner) {
    if (item === '{') depth++;
    if (item === '}') depth--;
    if (item === ',' && depth === 0) parts.push([]);
    else parts[parts.length - 1]!.push(item);
  }
  return parts.length > 1 ? parts : undefined;
}

function sequence(inner: readonly Item[]): Item[][] | undefined {
  if (!inner.every((i) => typeof i === 'string')) return undefined;
  const match = /^(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?$/.exec(inner.join(''));
  if (!match) return undefined;
  const [, from, to, by] = match;
  const isNumber = /\d/.test(from!);
  if (isNumber !== /\d/.test(to!)) return undefined;
  const first = isNumber ? Number(from) : from!.charCodeAt(0);
  const last = isNumber ? Number(to) : to!.charCodeAt(0);
  const step = Math.abs(Number(by ?? 1)) || 1;
  if (Math.abs(last - first) / step > 100_000) return undefined;
  const width = [from!, to!].some((s) => /^-?0\d/.test(s)) ? Math.max(from!.length, to!.length) : 0;
  const out: Item[][] = [];
  for (let i = first; first <= last ? i <= last : i >= last; i += first <= last ? step : -step)
    out.push(Array.from(isNumber ? padded(i, width) : String.fromCharCode(i)));
  return out;
}

function padded(n: number, width: number): string {
  return n < 0 ? `-${String(-n).padStart(width - 1, '0')}` : String(n).padStart(width, '0');
}

function toSegs(items: readonly Item[]): Word {
  const out: Seg[] = [];
  let plain = '';
  const flush = () => {
    if (plain) out.push({ k: 'lit', s: plain });
    plain = '';
  };
  for (const item of items) {
    if (typeof item === 'string') plain += item;
    else {
      flush();
      out.push(item);
    }
  }
  flush();
  return out;
}
