/** How sed writes text: the replacements of `s` and the unambiguous form of `l`. */

const NAMED: Readonly<Record<string, string>> = {
  '\\': '\\\\', '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v',
}; // biome-ignore format: a table

/** `l`: everything visible, broken into lines of 69 characters. */
export function unambiguous(text: string): string {
  const pieces = [...text].flatMap((c) => {
    if (NAMED[c] !== undefined) return [NAMED[c]];
    if (c >= ' ' && c <= '~') return [c];
    return [...new TextEncoder().encode(c)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`);
  });
  let out = '';
  let column = 0;
  for (const piece of pieces) {
    if (column + piece.length > 69) {
      out += '\\\n';
      column = 0;
    }
    out += piece;
    column += piece.length;
  }
  return `${out}$`;
}

/** `&`, `\1` … `\9`, `\n`, and GNU's case changes `\U \L \u \l \E`. */
export function expand(replacement: string, groups: readonly (string | undefined)[]): string {
  let out = '';
  let mode = '';
  let once = '';
  const add = (text: string) => {
    if (text === '') return;
    let shown = mode === 'U' ? text.toUpperCase() : mode === 'L' ? text.toLowerCase() : text;
    if (once !== '') shown = (once === 'u' ? shown[0]!.toUpperCase() : shown[0]!.toLowerCase()) + shown.slice(1);
    once = '';
    out += shown;
  };
  for (let i = 0; i < replacement.length; i++) {
    const c = replacement[i]!;
    if (c === '&') add(groups[0] ?? '');
    else if (c !== '\\') add(c);
    else {
      const next = replacement[++i] ?? '\\';
      if (/\d/.test(next)) add(groups[Number(next)] ?? '');
      else if (next === 'n') add('\n');
      else if (next === 't') add('\t');
      else if (next === 'U' || next === 'L') mode = next;
      else if (next === 'E') mode = '';
      else if (next === 'u' || next === 'l') once = next;
      else add(next);
    }
  }
  return out;
}
