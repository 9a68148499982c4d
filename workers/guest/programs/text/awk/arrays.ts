/**
 * Finds out which names of an awk program are arrays: those with subscripts, and those that are handed to a function
 * which uses its parameter as one.
 */
import type { AwkProgram, FunctionNode } from './ast';
import type { SPECIAL } from './code';

/** Array names by function; those of globals under ''. */
export function findArrays(program: AwkProgram): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>([['', new Set(['ENVIRON', 'ARGV'] satisfies (typeof SPECIAL)[number][])]]);
  for (const fn of program.functions) found.set(fn.name, new Set());
  let isChanged = true;
  const mark = (name: string, fn: FunctionNode | undefined) => {
    const names = found.get(fn?.params.includes(name) ? fn.name : '')!;
    if (names.has(name)) return;
    names.add(name);
    isChanged = true;
  };
  const visit = (node: unknown, fn: FunctionNode | undefined): void => {
    if (Array.isArray(node)) {
      for (const it of node) visit(it, fn);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    const it = node as Readonly<Record<string, unknown>>;
    if (typeof it['array'] === 'string') mark(it['array'], fn);
    if (it['k'] === 'builtin' && it['name'] === 'split') markArgument(it['args'], 1, fn);
    if (it['k'] === 'call') {
      const callee = program.functions.find(({ name }) => name === it['name']);
      callee?.params.forEach((param, i) => {
        if (found.get(callee.name)!.has(param)) markArgument(it['args'], i, fn);
      });
    }
    for (const part of Object.values(it)) visit(part, fn);
  };
  const markArgument = (args: unknown, index: number, fn: FunctionNode | undefined) => {
    const arg = (args as readonly { k: string; name?: string }[])[index];
    if (arg?.k === 'var') mark(arg.name!, fn);
  };
  while (isChanged) {
    isChanged = false;
    visit([program.begin, program.rules, program.end], undefined);
    for (const fn of program.functions) visit(fn.body, fn);
  }
  return found;
}
