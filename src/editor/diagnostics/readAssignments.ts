/** Reads the assignments at file level whose values are written out; computed values are left to xend. */
import type { parser } from '@lezer/python';

export interface StringPart {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

export type Value =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'long' | 'float' | 'boolean' | 'none' | 'tuple' | 'dict' }
  | { readonly kind: 'list'; readonly items: readonly Value[]; readonly strings: readonly StringPart[] }
  /** An expression: its type is known only when the file runs. */
  | { readonly kind: 'computed' };

export interface Assignment {
  /** The name; undefined when the left side is nothing that can be assigned to. */
  readonly name: string | undefined;
  readonly from: number;
  readonly valueFrom: number;
  readonly valueTo: number;
  readonly value: Value;
}

type Tree = ReturnType<typeof parser.parse>;
type Node = Tree['topNode'];

export function readAssignments(tree: Tree, source: string): readonly Assignment[] {
  const assignments: Assignment[] = [];
  for (let node = tree.topNode.firstChild; node; node = node.nextSibling) {
    if (node.name !== 'AssignStatement') continue;
    const target = node.firstChild;
    const value = node.lastChild;
    if (!target || !value || value.type.isError || value === target) continue;
    if (target.name === 'BinaryExpression' || target.name === 'UnaryExpression') {
      const computed = { kind: 'computed' } as const;
      assignments.push({
        name: undefined,
        from: target.from,
        valueFrom: target.from,
        valueTo: target.to,
        value: computed,
      });
    } else if (target.name === 'VariableName') {
      // 10L is read as a number followed by a name.
      const isLong = value.name === 'Number' && /^[lL]\b/.test(source.slice(value.to, value.to + 2));
      assignments.push({
        name: source.slice(target.from, target.to),
        from: target.from,
        valueFrom: value.from,
        valueTo: value.to,
        value: isLong ? { kind: 'long' } : readValue(value, source),
      });
    }
  }
  return assignments;
}

function readValue(node: Node, source: string): Value {
  switch (node.name) {
    case 'String':
    case 'ContinuedString':
      return { kind: 'string', text: stringText(node, source) };
    case 'Number':
      return readNumber(source.slice(node.from, node.to));
    case 'UnaryExpression': {
      const operand = node.lastChild ? readValue(node.lastChild, source) : undefined;
      if (operand?.kind !== 'integer' || source[node.from] !== '-') return operand ?? { kind: 'computed' };
      return { kind: 'integer', value: -operand.value };
    }
    case 'ParenthesizedExpression': {
      const inner = node.firstChild?.nextSibling;
      return inner ? readValue(inner, source) : { kind: 'computed' };
    }
    case 'Boolean':
      return { kind: 'boolean' };
    case 'None':
      return { kind: 'none' };
    case 'TupleExpression':
      return { kind: 'tuple' };
    case 'DictionaryExpression':
      return { kind: 'dict' };
    case 'ArrayExpression':
      return readList(node, source);
    default:
      return { kind: 'computed' };
  }
}

function readList(node: Node, source: string): Value {
  const items: Value[] = [];
  const strings: StringPart[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (['[', ']', ',', 'Comment'].includes(child.name) || child.type.isError) continue;
    const value = readValue(child, source);
    items.push(value);
    if (value.kind === 'string') strings.push({ text: value.text, from: child.from, to: child.to });
  }
  return { kind: 'list', items, strings };
}

/** Python 2: a leading 0 is octal. */
function readNumber(literal: string): Value {
  if (/[lL]$/.test(literal)) return { kind: 'long' };
  if (/^0[0-7]+$/.test(literal)) return { kind: 'integer', value: Number.parseInt(literal, 8) };
  const value = Number(literal);
  if (Number.isInteger(value) && !/[.eE]/.test(literal.replace(/^0[xX].*/, ''))) return { kind: 'integer', value };
  return { kind: 'float' };
}

function stringText(node: Node, source: string): string {
  if (node.name === 'ContinuedString') {
    let joined = '';
    for (let child = node.firstChild; child; child = child.nextSibling) joined += stringText(child, source);
    return joined;
  }
  const literal = source.slice(node.from, node.to).replace(/^[a-zA-Z]+(?=['"])/, '');
  const quoteLength = /^('''|""")/.test(literal) ? 3 : 1;
  return literal.slice(quoteLength, -quoteLength).replace(/\\(['"\\])/g, '$1');
}
