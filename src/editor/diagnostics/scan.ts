/** Finds strings that are not closed and brackets that do not match: what the parser's error nodes place badly. */
import type { LineIndex, Problem } from './problem';
import { text } from './text';

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

export function scan(index: LineIndex): readonly Problem[] {
  const source = index.text;
  const problems: Problem[] = [];
  const open: { readonly bracket: string; readonly at: number }[] = [];
  let at = 0;
  while (at < source.length) {
    const char = source[at]!;
    if (char === '#') {
      at = endOfLine(source, at);
    } else if (char === '"' || char === "'") {
      const end = endOfString(source, at);
      if (end.isClosed) at = end.at;
      else {
        problems.push(index.problem(at, end.at, end.isTriple ? text.unclosedTriple : text.unclosedString));
        at = end.at;
      }
    } else {
      if (char in closing) open.push({ bracket: char, at });
      else if (char === ')' || char === ']' || char === '}') {
        const last = open.pop();
        if (!last) problems.push(index.problem(at, at + 1, text.neverOpened(char)));
        else if (closing[last.bracket] !== char) {
          problems.push(index.problem(at, at + 1, text.mismatch(last.bracket, index.lineAt(last.at), char)));
        }
      }
      at += 1;
    }
  }
  // A string that is open swallows the closing bracket: one message is enough.
  if (problems.length === 0) {
    for (const { bracket, at: where } of open)
      problems.push(index.problem(where, where + 1, text.neverClosed(bracket)));
  }
  return problems;
}

function endOfLine(source: string, from: number): number {
  const end = source.indexOf('\n', from);
  return end < 0 ? source.length : end;
}

function endOfString(source: string, from: number): { at: number; isClosed: boolean; isTriple: boolean } {
  const quote = source[from]!;
  const isTriple = source.startsWith(quote.repeat(3), from);
  const end = isTriple ? quote.repeat(3) : quote;
  let at = from + end.length;
  while (at < source.length) {
    if (source[at] === '\\') at += 2;
    else if (source.startsWith(end, at)) return { at: at + end.length, isClosed: true, isTriple };
    else if (source[at] === '\n' && !isTriple) return { at, isClosed: false, isTriple };
    else at += 1;
  }
  return { at: source.length, isClosed: false, isTriple };
}
