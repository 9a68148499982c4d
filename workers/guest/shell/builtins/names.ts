/** The names of all builtins; apart from their code, so that whoever only asks need not import it. */
export const BUILTIN_NAMES = [
  ...[':', '.', '[', 'alias', 'bg', 'break', 'builtin', 'cd', 'command', 'complete', 'continue', 'declare', 'echo'],
  ...['eval', 'exec', 'exit', 'export', 'false', 'fg', 'getopts', 'hash', 'history', 'jobs', 'kill', 'let', 'local'],
  ...['logout', 'printf', 'pwd', 'read', 'readonly', 'return', 'set', 'shift', 'shopt', 'source', 'test', 'times'],
  ...['trap', 'true', 'type', 'typeset', 'umask', 'unalias', 'unset', 'wait'],
] as const;

export type BuiltinName = (typeof BUILTIN_NAMES)[number];

const names: ReadonlySet<string> = new Set(BUILTIN_NAMES);

export const isBuiltin = (name: string): name is BuiltinName => names.has(name);
