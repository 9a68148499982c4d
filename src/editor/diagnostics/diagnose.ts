/** Everything the page can say about a domain configuration without asking xend. Pure: text in, problems out. */
import { parser } from '@lezer/python';
import { checkAssignments } from './checkAssignments';
import { LineIndex, type Problem } from './problem';
import { readAssignments } from './readAssignments';
import { scan } from './scan';
import { text } from './text';

export function diagnose(source: string): readonly Problem[] {
  const index = new LineIndex(source);
  const tree = parser.parse(source);
  const scanned = scan(index);
  const syntax = [...scanned, ...syntaxErrors(index, tree, scanned)];
  const values = checkAssignments(index, readAssignments(tree, source), syntax.length === 0);
  return [...syntax, ...values].sort((a, b) => a.line - b.line || a.column - b.column);
}

type Tree = ReturnType<typeof parser.parse>;

function syntaxErrors(index: LineIndex, tree: Tree, scanned: readonly Problem[]): Problem[] {
  const problems: Problem[] = [];
  const firstScanned = Math.min(...scanned.map((problem) => problem.line));
  tree.iterate({
    enter: (node) => {
      if (!node.type.isError) return;
      // An error node may cover the blanks before what it does not understand.
      const skipped = /^\s*/.exec(index.text.slice(node.from, node.to))![0].length;
      const from = node.to > node.from ? node.from + skipped : backOverBlanks(index.text, node.from);
      const line = index.lineAt(from);
      // After an open string or bracket the rest of the file is read wrongly.
      if (line >= firstScanned || isFalseAlarm(index, line, from)) return;
      if (problems.some((problem) => problem.line === line)) return;
      const near = index.text.slice(from, node.to).split('\n')[0]!.trim().slice(0, 30);
      problems.push(index.problem(from, Math.max(from + 1, Math.min(node.to, from + near.length)), text.syntax(near)));
    },
  });
  return problems;
}

/** Python 2 forms that the parser, made for Python 3, does not know: `10L`, backticks, the `exec` statement. */
function isFalseAlarm(index: LineIndex, line: number, offset: number): boolean {
  const lineText = index.lineText(line);
  if (/^\s*exec\b/.test(lineText) || lineText.includes('`')) return true;
  return /[\da-fA-F][lL]\b/.test(index.text.slice(Math.max(0, offset - 2), offset + 2));
}

/** Where something is missing, the mark belongs behind the last thing that is there. */
function backOverBlanks(source: string, offset: number): number {
  let at = offset;
  while (at > 0 && /\s/.test(source[at - 1]!)) at -= 1;
  return Math.max(0, at - 1);
}
