/** Shell variables: scalars, indexed and associative arrays, attributes, and the ones that the shell computes. */
import { evaluate } from './arith';
import { complain, type Shell, type ShellState, type Variable } from './state';

/** Ends the command that was being expanded or executed; the message has been printed. */
export class ShellError extends Error {
  override readonly name = 'ShellError';
  constructor(
    message: string,
    /** A non-interactive shell ends (bad expansion, unset variable under -u). */
    readonly fatal = false,
    readonly status = 1,
  ) {
    super(message);
  }
}

export function lookup(st: ShellState, name: string): Variable | undefined {
  return Object.hasOwn(st.vars, name) ? st.vars[name] : undefined;
}

/** Value as `$name` gives it; undefined when unset. */
export function getVar(sh: Shell, name: string): string | undefined {
  switch (name) {
    case 'RANDOM':
      return String(sh.sys.random(32768));
    case 'SECONDS':
      return String(Math.floor((sh.sys.nowNs - sh.st.startNs) / 1e9));
    case 'LINENO':
      return String(sh.st.line);
    case 'PPID':
      return String(sh.sys.ppid);
    case 'BASH_SUBSHELL':
      return sh.st.subshell ? '1' : '0';
    case 'PIPESTATUS':
      return String(sh.st.pipeStatus[0] ?? 0);
    case 'FUNCNAME':
      return functionNames(sh.st)[0];
  }
  const variable = lookup(sh.st, name);
  if (variable?.v === undefined) return undefined;
  return typeof variable.v === 'string' ? variable.v : elementOf(variable.v, '0');
}

function functionNames(st: ShellState): string[] {
  const names: string[] = [];
  for (const f of st.frames) if (f.k === 'scope' && f.fn !== undefined) names.unshift(f.fn);
  return names;
}

const elementOf = (values: { [key: string]: string }, key: string) =>
  Object.hasOwn(values, key) ? values[key] : undefined;

/** [key, value] of every element, indexed arrays in numeric order. A scalar is an array of one. */
export function elements(sh: Shell, name: string): [string, string][] {
  if (name === 'PIPESTATUS') return sh.st.pipeStatus.map((s, i) => [String(i), String(s)]);
  const variable = lookup(sh.st, name);
  if (variable?.v === undefined) {
    const value = getVar(sh, name);
    return value === undefined ? [] : [['0', value]];
  }
  return typeof variable.v === 'string' ? [['0', variable.v]] : Object.entries(variable.v);
}

/** Turns the text between brackets into a key; negative indices count from the end. */
export function arrayKey(sh: Shell, name: string, index: string): string {
  const variable = lookup(sh.st, name);
  if (variable?.kind === 'assoc') return index;
  let i = Number(evaluate(sh, index));
  if (i < 0 && variable?.v !== undefined && typeof variable.v !== 'string') {
    const last = Math.max(-1, ...Object.keys(variable.v).map(Number));
    i += last + 1;
  }
  return String(i);
}

export function getElement(sh: Shell, name: string, index: string): string | undefined {
  const variable = lookup(sh.st, name);
  const key = arrayKey(sh, name, index);
  if (name === 'PIPESTATUS') return elements(sh, name)[Number(key)]?.[1];
  if (variable?.v === undefined) return undefined;
  if (typeof variable.v === 'string') return key === '0' ? variable.v : undefined;
  return elementOf(variable.v, key);
}

export function setVar(sh: Shell, name: string, value: string, options: { append?: boolean; key?: string } = {}): void {
  const { st } = sh;
  const old = lookup(st, name);
  if (old?.readonly) throw new ShellError(`${name}: readonly variable`, !st.interactive);
  const variable: Variable = old ?? {};
  const { key, append } = options;
  if (key !== undefined || (variable.v !== undefined && typeof variable.v !== 'string')) {
    const values = typeof variable.v === 'object' ? variable.v : variable.v === undefined ? {} : { 0: variable.v };
    const at = key ?? '0';
    if (Number(at) < 0 && variable.kind !== 'assoc') throw new ShellError(`${name}[${at}]: bad array subscript`);
    values[at] = converted(sh, variable, value, append ? (elementOf(values, at) ?? '') : undefined);
    variable.v = values;
    variable.kind ??= 'array';
  } else variable.v = converted(sh, variable, value, append ? (variable.v ?? '') : undefined);
  if (st.opts['a']) variable.exported = true;
  if (name === '__proto__') return;
  st.vars[name] = variable;
  if (name === 'SECONDS') st.startNs = sh.sys.nowNs - Number(value) * 1e9;
  if (name === 'OPTIND') st.optpos = 0;
}

function converted(sh: Shell, variable: Variable, value: string, before: string | undefined): string {
  if (!variable.integer) return before === undefined ? value : before + value;
  return String(evaluate(sh, value) + (before ? evaluate(sh, before) : 0n));
}

/** `a=(…)`: replaces (or extends) the whole array. */
export function setArray(
  sh: Shell,
  name: string,
  items: readonly { key?: string; value: string }[],
  append: boolean,
): void {
  const old = lookup(sh.st, name);
  if (old?.readonly) throw new ShellError(`${name}: readonly variable`, !sh.st.interactive);
  const variable: Variable = old ?? {};
  let values: { [key: string]: string } = {};
  if (append && variable.v !== undefined) values = typeof variable.v === 'string' ? { 0: variable.v } : variable.v;
  variable.kind ??= 'array';
  sh.st.vars[name] = variable;
  let next = Math.max(-1, ...Object.keys(values).map((k) => Number(k) || 0)) + 1;
  for (const item of items) {
    if (variable.kind === 'assoc') {
      if (item.key !== undefined) values[item.key] = item.value;
      continue;
    }
    if (item.key !== undefined) next = Number(evaluate(sh, item.key));
    values[String(next++)] = item.value;
  }
  variable.v = values;
}

export function unsetVar(sh: Shell, name: string): boolean {
  const old = lookup(sh.st, name);
  if (old?.readonly) {
    complain(sh, `unset: ${name}: cannot unset: readonly variable`);
    return false;
  }
  delete sh.st.vars[name];
  return true;
}

export function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

/** What a command finds in its environment. */
export function environment(st: ShellState): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, variable] of Object.entries(st.vars))
    if (variable.exported && typeof variable.v === 'string') env[name] = variable.v;
  return env;
}

/** Copy of a variable for a scope that ends with the old value back. */
export function copyVar(variable: Variable | undefined): Variable | null {
  if (!variable) return null;
  return { ...variable, ...(typeof variable.v === 'object' ? { v: { ...variable.v } } : {}) };
}

/** Text that the shell would read back as the same value. */
export function quoted(text: string): string {
  if (/[\n\t\x1b]/.test(text))
    return `$'${text.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t').replace(/\x1b/g, '\\E')}'`;
  return `'${text.replace(/'/g, "'\\''")}'`;
}

export function quotedIfNeeded(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text);
}

/** `declare -p` form of a variable. */
export function declaration(name: string, variable: Variable): string {
  const flags = [
    variable.kind === 'array' ? 'a' : '',
    variable.kind === 'assoc' ? 'A' : '',
    variable.integer ? 'i' : '',
    variable.readonly ? 'r' : '',
    variable.exported ? 'x' : '',
  ].join('');
  const head = `declare -${flags || '-'} ${name}`;
  if (variable.v === undefined) return head;
  if (typeof variable.v === 'string') return `${head}=${doubleQuoted(variable.v)}`;
  const items = Object.entries(variable.v).map(([k, v]) => `[${k}]=${doubleQuoted(v)}`);
  return `${head}=(${items.join(' ')}${variable.kind === 'assoc' && items.length > 0 ? ' ' : ''})`;
}

const doubleQuoted = (text: string) => (/[\n\t]/.test(text) ? quoted(text) : `"${text.replace(/["\\$`]/g, '\\$&')}"`);
