/** Checks written-out values against what xm and xend accept for each variable. */
import { type ConfigVariable, findVariable } from '../variables';
import { checkDevices } from './deviceStrings';
import type { LineIndex, Problem } from './problem';
import type { Assignment, Value } from './readAssignments';
import { text } from './text';

/** `isWhole`: the text has no syntax errors, so that what is missing is really missing. */
export function checkAssignments(
  index: LineIndex,
  assignments: readonly Assignment[],
  isWhole: boolean,
): readonly Problem[] {
  const problems: Problem[] = [];
  for (const assignment of assignments) {
    const mark = (message: string, severity: Problem['severity'] = 'error') =>
      problems.push(index.problem(assignment.valueFrom, assignment.valueTo, message, severity));
    if (assignment.name === undefined) {
      mark(text.syntax(index.text.slice(assignment.from, assignment.valueTo)));
      continue;
    }
    const variable = findVariable(assignment.name);
    if (!variable) continue; // a variable of the script's own
    if (variable.deprecated) {
      const end = assignment.from + assignment.name.length;
      problems.push(index.problem(assignment.from, end, text.deprecated(variable.name), 'warning'));
    }
    checkValue(variable, assignment.value, mark);
    if (assignment.value.kind === 'list') problems.push(...checkDevices(index, variable.name, assignment.value));
  }
  if (isWhole) problems.push(...checkTogether(index, assignments));
  return problems;
}

type Mark = (message: string, severity?: Problem['severity']) => void;

function checkValue(variable: ConfigVariable, value: Value, mark: Mark): void {
  const { name } = variable;
  switch (value.kind) {
    case 'computed':
      return;
    case 'boolean':
      mark(text.ignoredBoolean(name), 'warning');
      return;
    case 'long':
      mark(text.ignoredLong(name), 'warning');
      return;
    case 'none':
      mark(text.ignoredNone(name), 'warning');
      return;
    case 'string':
      checkString(variable, value.text, mark);
      return;
    case 'integer':
      if (variable.type === 'integer') checkRange(variable, value.value, mark);
      else if (!acceptsInteger(variable, value.value)) markType(variable, mark);
      return;
    case 'list':
      if (!acceptsList(variable, value.items)) markType(variable, mark);
      return;
    default:
      markType(variable, mark);
  }
}

/** xm does not convert what the file assigns; xend takes a number written as a string. */
function checkString(variable: ConfigVariable, value: string, mark: Mark): void {
  switch (variable.type) {
    case 'string':
    case 'string or list':
      checkText(variable, value, mark);
      return;
    case 'integer':
      if (/^\s*-?\d+\s*$/.test(value)) checkRange(variable, Number(value), mark);
      else if (value !== '') markType(variable, mark);
      return;
    case 'boolean':
      if (!/^(yes|no|y|n|0|1|)$/.test(value)) markType(variable, mark);
      return;
    case 'list':
      markType(variable, mark);
  }
}

/** Numbers are printed as text where text is wanted (`extra = 4`). */
function acceptsInteger(variable: ConfigVariable, value: number): boolean {
  if (variable.type === 'boolean') return value === 0 || value === 1;
  return variable.type === 'string' || variable.type === 'string or list';
}

function acceptsList(variable: ConfigVariable, items: readonly Value[]): boolean {
  if (variable.name === 'serial') return true;
  if (variable.type !== 'list' && variable.type !== 'string or list') return false;
  return items.every(({ kind }) => kind === 'string' || kind === 'computed' || kind === 'integer');
}

function markType(variable: ConfigVariable, mark: Mark): void {
  mark(text.wrongType(variable.name, text.types[variable.type]));
}

function checkText(variable: ConfigVariable, value: string, mark: Mark): void {
  if (variable.name === 'name' && !/^[\w\-.:/+]*$/.test(value)) {
    mark(text.badName);
    return;
  }
  if (variable.name === 'boot' && !/^[acdn]+$/.test(value)) {
    mark(text.boot);
    return;
  }
  if (variable.values && variable.isClosed && value !== '' && !variable.values.includes(value)) {
    mark(text.notOneOf(variable.name, variable.values));
  }
}

function checkRange(variable: ConfigVariable, value: number, mark: Mark): void {
  const { name, min, max } = variable;
  if ((min !== undefined && value < min) || (max !== undefined && value > max)) mark(text.range(name, min ?? 0, max));
}

/** Rules over two variables; the last assignment of a name is the one that counts. */
function checkTogether(index: LineIndex, assignments: readonly Assignment[]): Problem[] {
  const last = new Map(assignments.map((assignment) => [assignment.name, assignment]));
  const problems: Problem[] = [];
  const integerOf = (name: string) => {
    const value = last.get(name)?.value;
    return value?.kind === 'integer' ? value.value : undefined;
  };
  const mark = (name: string, message: string, severity: Problem['severity'] = 'error') => {
    const at = last.get(name)!;
    problems.push(index.problem(at.valueFrom, at.valueTo, message, severity));
  };
  const [memory, maxmem, vcpus, cap] = ['memory', 'maxmem', 'vcpus', 'cpu_cap'].map(integerOf);
  if (memory !== undefined && maxmem !== undefined && maxmem > 0 && maxmem < memory) mark('maxmem', text.maxmemBelow);
  if (cap !== undefined && cap > 100 * (vcpus ?? 1)) mark('cpu_cap', text.range('cpu_cap', 0, 100 * (vcpus ?? 1)));
  const cpus = last.get('cpus')?.value;
  if (cpus?.kind === 'list' && cpus.items.length > 0 && cpus.items.length !== (vcpus ?? 1))
    mark('cpus', text.cpusCount);
  if (last.has('name') && last.has('memory') && !['kernel', 'bootloader', 'builder'].some((name) => last.has(name))) {
    mark('name', text.noKernel, 'warning');
  }
  return problems;
}
