/** How two texts differ: a shortest script of changes, and diff's ways to show it (normal, unified, context). */

export interface Change {
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

const NO_NEWLINE = '\n\\ No newline at end of file';

/** A last line without newline is a different line, and carries the remark. */
export function lines(bytes: Uint8Array): string[] {
  const parts = new TextDecoder().decode(bytes).split('\n');
  const last = parts.pop()!;
  return last === '' ? parts : [...parts, last + NO_NEWLINE];
}

const span = ([from, to]: readonly [number, number]) =>
  to - from <= 1 ? String(Math.max(to, from)) : `${from + 1},${to}`;

export function normal({ a, b }: Change, left: readonly string[], right: readonly string[]): string {
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

export function unified(
  found: readonly Change[],
  left: readonly string[],
  right: readonly string[],
  context: number,
): string {
  let text = '';
  for (const group of grouped(found, context)) {
    const [first, last] = [group[0]!, group.at(-1)!];
    const before = Math.min(context, first.a[0]);
    const after = Math.min(context, left.length - last.a[1]);
    const range = (from: number, to: number) =>
      to - from === 1 ? String(to) : `${to === from ? from : from + 1},${to - from}`;
    text += `@@ -${range(first.a[0] - before, last.a[1] + after)} +${range(first.b[0] - before, last.b[1] + after)} @@\n`;
    let at = first.a[0] - before;
    for (const change of group) {
      for (; at < change.a[0]; at++) text += ` ${left[at]}\n`;
      for (; at < change.a[1]; at++) text += `-${left[at]}\n`;
      for (let j = change.b[0]; j < change.b[1]; j++) text += `+${right[j]}\n`;
    }
    for (const stop = last.a[1] + after; at < stop; at++) text += ` ${left[at]}\n`;
  }
  return text;
}

/** Context format: both sides of a group of changes, one after the other; a side without changes shows only its range. */
export function copied(
  found: readonly Change[],
  left: readonly string[],
  right: readonly string[],
  context: number,
): string {
  let text = '';
  for (const group of grouped(found, context)) {
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
  }
  return text;
}

/** Changes whose lines of context touch stand together. */
function grouped(found: readonly Change[], context: number): readonly (readonly Change[])[] {
  const groups: Change[][] = [];
  for (const change of found) {
    const group = groups.at(-1);
    if (group && change.a[0] - group.at(-1)!.a[1] <= 2 * context) group.push(change);
    else groups.push([change]);
  }
  return groups;
}
