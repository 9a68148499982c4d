/** cmp and diff: whether two files differ, and how (diffutils 2.8). */

import { strerror } from '../../../lib/errno';
import { type Sys, SysError } from '../../sys';
import { formatDate } from '../dates';
import { quietly, ToolError, tool, UsageError } from '../options';
import { baseName, joinPath } from '../paths';

function load(sys: Sys, path: string): Uint8Array {
  try {
    return sys.readFile(path);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new ToolError(`${path}: ${strerror[error.code]}`, 2);
  }
}

export const cmp = tool(
  'cmp',
  { usage: '[OPTION]... FILE1 FILE2', options: 'ls', usageStatus: 2 },
  (sys, options, words) => {
    if (words.length < 2)
      throw new UsageError(words.length === 0 ? "missing operand after `cmp'" : `missing operand after \`${words[0]}'`);
    const [a, b] = [load(sys, words[0]!), load(sys, words[1]!)];
    const shorter = Math.min(a.length, b.length);
    let line = 1;
    let isDifferent = false;
    for (let i = 0; i < shorter; i++) {
      if (a[i] !== b[i]) {
        isDifferent = true;
        if (options.has('s')) return 1;
        if (!options.has('l')) {
          sys.print(`${words[0]} ${words[1]} differ: byte ${i + 1}, line ${line}\n`);
          return 1;
        }
        sys.print(
          `${String(i + 1).padStart(String(shorter).length)} ${a[i]!.toString(8).padStart(3)} ${b[i]!.toString(8).padStart(3)}\n`,
        );
      }
      if (a[i] === 10) line++;
    }
    if (a.length === b.length) return isDifferent ? 1 : 0;
    if (!options.has('s')) sys.eprint(`cmp: EOF on ${a.length < b.length ? words[0] : words[1]}\n`);
    return 1;
  },
);

interface Change {
  /** Half-open ranges of lines. */
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
}

/** What turns `a` into `b`: a shortest script (Myers, An O(ND) Difference Algorithm). */
export function changes(a: readonly string[], b: readonly string[]): Change[] {
  const max = a.length + b.length;
  const furthest = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  search: for (let d = 0; d <= max; d++) {
    trace.push(new Map(furthest));
    for (let k = -d; k <= d; k += 2) {
      const isDown = k === -d || (k !== d && furthest.get(k - 1)! < furthest.get(k + 1)!);
      let x = isDown ? furthest.get(k + 1)! : furthest.get(k - 1)! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest.set(k, x);
      if (x >= a.length && x - k >= b.length) break search;
    }
  }
  const edits: [number, number, number, number][] = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d > 0; d--) {
    const before = trace[d]!;
    const k = x - y;
    const isDown = k === -d || (k !== d && before.get(k - 1)! < before.get(k + 1)!);
    const startK = isDown ? k + 1 : k - 1;
    const startX = before.get(startK)!;
    const startY = startX - startK;
    edits.push(isDown ? [startX, startX, startY, startY + 1] : [startX, startX + 1, startY, startY]);
    [x, y] = [startX, startY];
  }
  const out: { a: [number, number]; b: [number, number] }[] = [];
  for (const [a0, a1, b0, b1] of edits.reverse()) {
    const last = out.at(-1);
    if (last && last.a[1] === a0 && last.b[1] === b0) {
      last.a[1] = a1;
      last.b[1] = b1;
    } else out.push({ a: [a0, a1], b: [b0, b1] });
  }
  return out;
}

export const diff = tool(
  'diff',
  {
    usage: '[OPTION]... FILES',
    options: 'ucqrNbwiBU:C:sa',
    long: {
      unified: 'unified::',
      context: 'context::',
      brief: 'q',
      recursive: 'r',
      'new-file': 'N',
      'ignore-case': 'i',
      'ignore-all-space': 'w',
      'ignore-space-change': 'b',
      'ignore-blank-lines': 'B',
      'report-identical-files': 's',
      text: 'a',
    },
    usageStatus: 2,
  },
  (sys, options, words) => {
    if (words.length < 2)
      throw new UsageError(
        words.length === 0 ? "missing operand after `diff'" : `missing operand after \`${words[0]}'`,
      );
    const isCopied = options.has('c', 'C', 'context');
    const width = options.value('U') ?? options.value('C') ?? options.value('unified') ?? options.value('context');
    const context = isCopied || options.has('u', 'U', 'unified') ? Number(width || 3) : -1;
    const flags = options.list.map(([name]) => `-${name}`).join(' ');
    const key = (line: string) => {
      let text = line;
      if (options.has('w')) text = text.replace(/\s+/g, '');
      if (options.has('b')) text = text.replace(/\s+/g, ' ').trimEnd();
      return options.has('i') ? text.toLowerCase() : text;
    };
    const compare = (first: string, second: string, isNested: boolean): number => {
      const kinds = [first, second].map((path) => quietly(() => sys.stat(path))?.kind);
      if (kinds[0] === 'dir' && kinds[1] === 'dir') {
        let status = 0;
        for (const name of [...new Set([...sys.readdir(first), ...sys.readdir(second)])].sort()) {
          const [x, y] = [joinPath(first, name), joinPath(second, name)];
          const only = !sys.exists(y) ? first : !sys.exists(x) ? second : undefined;
          if (only !== undefined && !options.has('N')) {
            sys.print(`Only in ${only}: ${name}\n`);
            status = 1;
          } else if (sys.stat(only === second ? y : x).kind === 'dir' && !options.has('r'))
            sys.print(`Common subdirectories: ${x} and ${y}\n`);
          else status = Math.max(status, compare(x, y, true));
        }
        return status;
      }
      const [x, y] =
        kinds[0] === 'dir'
          ? [joinPath(first, baseName(second)), second]
          : kinds[1] === 'dir'
            ? [first, joinPath(second, baseName(first))]
            : [first, second];
      const read = (path: string) =>
        options.has('N') && path !== '-' && !sys.exists(path)
          ? new Uint8Array(0)
          : load(sys, path === '-' ? '/dev/stdin' : path);
      const [a, b] = [read(x), read(y)];
      if (a.length === b.length && a.every((byte, i) => byte === b[i])) {
        if (options.has('s')) sys.print(`Files ${x} and ${y} are identical\n`);
        return 0;
      }
      if (options.has('q') || (!options.has('a') && (a.includes(0) || b.includes(0)))) {
        sys.print(options.has('q') ? `Files ${x} and ${y} differ\n` : `Binary files ${x} and ${y} differ\n`);
        return 1;
      }
      const [left, right] = [lines(a), lines(b)];
      const isBlank = (line: string) => key(line) === '';
      const found = changes(left.map(key), right.map(key)).filter(
        ({ a, b }) => !options.has('B') || ![...left.slice(...a), ...right.slice(...b)].every(isBlank),
      );
      if (found.length === 0) return 0;
      if (isNested) sys.print(`diff ${flags} ${x} ${y}\n`.replace('  ', ' '));
      if (context < 0) for (const change of found) sys.print(normal(change, left, right));
      else {
        const stamp = (path: string) =>
          `${path}\t${formatDate('%Y-%m-%d %H:%M:%S.%N +0000', quietly(() => sys.stat(path))?.mtime ?? 0)}\n`;
        const [first, second] = isCopied ? ['***', '---'] : ['---', '+++'];
        const body = (isCopied ? copied : unified)(found, left, right, context);
        sys.print(`${first} ${stamp(x)}${second} ${stamp(y)}${body}`);
      }
      return 1;
    };
    return compare(words[0]!, words[1]!, false);
  },
);

const NO_NEWLINE = '\n\\ No newline at end of file';

/** A last line without newline is a different line, and carries the remark. */
function lines(bytes: Uint8Array): string[] {
  const parts = new TextDecoder().decode(bytes).split('\n');
  const last = parts.pop()!;
  return last === '' ? parts : [...parts, last + NO_NEWLINE];
}

const span = ([from, to]: readonly [number, number]) =>
  to - from <= 1 ? String(Math.max(to, from)) : `${from + 1},${to}`;

function normal({ a, b }: Change, left: readonly string[], right: readonly string[]): string {
  const letter = a[0] === a[1] ? 'a' : b[0] === b[1] ? 'd' : 'c';
  const removed = left
    .slice(...a)
    .map((line) => `< ${line}\n`)
    .join('');
  const added = right
    .slice(...b)
    .map((line) => `> ${line}\n`)
    .join('');
  return `${span(a)}${letter}${span(b)}\n${removed}${letter === 'c' ? '---\n' : ''}${added}`;
}

function unified(found: readonly Change[], left: readonly string[], right: readonly string[], context: number): string {
  let text = '';
  for (let i = 0; i < found.length; ) {
    let end = i;
    while (end + 1 < found.length && found[end + 1]!.a[0] - found[end]!.a[1] <= 2 * context) end++;
    const [first, last] = [found[i]!, found[end]!];
    const before = Math.min(context, first.a[0]);
    const after = Math.min(context, left.length - last.a[1]);
    const range = (from: number, to: number) =>
      to - from === 1 ? String(to) : `${to === from ? from : from + 1},${to - from}`;
    text += `@@ -${range(first.a[0] - before, last.a[1] + after)} +${range(first.b[0] - before, last.b[1] + after)} @@\n`;
    let at = first.a[0] - before;
    for (const change of found.slice(i, end + 1)) {
      for (; at < change.a[0]; at++) text += ` ${left[at]}\n`;
      for (; at < change.a[1]; at++) text += `-${left[at]}\n`;
      for (let j = change.b[0]; j < change.b[1]; j++) text += `+${right[j]}\n`;
    }
    for (const stop = last.a[1] + after; at < stop; at++) text += ` ${left[at]}\n`;
    i = end + 1;
  }
  return text;
}

/** Context format: both sides of a group of changes, one after the other; a side without changes shows only its range. */
function copied(found: readonly Change[], left: readonly string[], right: readonly string[], context: number): string {
  let text = '';
  for (let i = 0; i < found.length; ) {
    let end = i;
    while (end + 1 < found.length && found[end + 1]!.a[0] - found[end]!.a[1] <= 2 * context) end++;
    const group = found.slice(i, end + 1);
    const side = (lines: readonly string[], own: 'a' | 'b', mark: '-' | '+') => {
      const other = own === 'a' ? 'b' : 'a';
      const from = group[0]![own][0] - Math.min(context, group[0]![own][0]);
      const to = Math.min(lines.length, group.at(-1)![own][1] + context);
      const range = to - from <= 1 ? String(to) : `${from + 1},${to}`;
      if (group.every((change) => change[own][0] === change[own][1])) return { range, body: '' };
      let body = '';
      let at = from;
      for (const change of group) {
        for (; at < change[own][0]; at++) body += `  ${lines[at]}\n`;
        const sign = change[other][0] === change[other][1] ? mark : '!';
        for (; at < change[own][1]; at++) body += `${sign} ${lines[at]}\n`;
      }
      for (; at < to; at++) body += `  ${lines[at]}\n`;
      return { range, body };
    };
    const [a, b] = [side(left, 'a', '-'), side(right, 'b', '+')];
    text += `***************\n*** ${a.range} ****\n${a.body}--- ${b.range} ----\n${b.body}`;
    i = end + 1;
  }
  return text;
}
