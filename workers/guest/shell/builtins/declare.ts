/** Builtins about variables: declare, local, export, readonly, unset, getopts. */
import { complain, type FrameOf, out, type Shell, type Variable } from '../state';
import { arrayKey, copyVar, declaration, getVar, isName, lookup, setArray, setVar, unsetVar } from '../variables';
import type { Builtin, BuiltinCall } from './call';
import { functionText } from './control';

/** The innermost function call that is being executed. */
function functionScope(sh: Shell): FrameOf<'scope'> | undefined {
  for (let i = sh.st.frames.length - 1; i >= 0; i--) {
    const f = sh.st.frames[i]!;
    if (f.k === 'scope' && f.fn !== undefined) return f;
  }
  return undefined;
}

const declare: Builtin = (call) => {
  const { sh, argv } = call;
  const command = argv[0]!;
  const set = new Set<string>();
  const clear = new Set<string>();
  let i = 1;
  for (; i < argv.length && /^[-+][A-Za-z]+$/.test(argv[i]!); i++)
    for (const c of argv[i]!.slice(1)) (argv[i]!.startsWith('-') ? set : clear).add(c);
  if (argv[i] === '--') i++;
  if (command === 'export') (set.has('n') ? clear : set).add('x');
  if (command === 'readonly') set.add('r');
  const words = argv.slice(i);
  const scope = functionScope(sh);
  if (command === 'local' && !scope) {
    complain(sh, 'local: can only be used in a function');
    return 1;
  }
  if (set.has('F') || set.has('f')) return functions(sh, words, set.has('F'));
  if (words.length === 0 || set.has('p')) return show(sh, command, set, words);
  const isLocal = scope && !set.has('g') && command !== 'export' && command !== 'readonly';
  let status = 0;
  for (const word of words) if (!declareOne(call, word, set, clear, isLocal ? scope : undefined)) status = 1;
  return status;
};

function declareOne(
  { sh, argv, arrays }: BuiltinCall,
  word: string,
  set: ReadonlySet<string>,
  clear: ReadonlySet<string>,
  scope: FrameOf<'scope'> | undefined,
): boolean {
  const { st } = sh;
  const [, name, index, plus, value] = /^(.+?)(?:\[(.*?)\])?(?:(\+?)=(.*))?$/s.exec(word) ?? [];
  if (name === undefined || !isName(name)) {
    complain(sh, `${argv[0]}: \`${word}': not a valid identifier`);
    return false;
  }
  const old = lookup(st, name);
  if (scope) scope.saved ??= {};
  if (scope?.saved && !Object.hasOwn(scope.saved, name)) {
    scope.saved[name] = copyVar(old);
    if (old?.readonly) {
      complain(sh, `local: ${name}: readonly variable`);
      return false;
    }
    st.vars[name] = old?.exported ? { exported: true } : {};
  }
  const variable: Variable = lookup(st, name) ?? {};
  st.vars[name] = variable;
  if (set.has('a')) variable.kind ??= 'array';
  if (set.has('A')) variable.kind ??= 'assoc';
  if ((set.has('a') || set.has('A')) && typeof variable.v === 'string') variable.v = { 0: variable.v };
  if (set.has('i')) variable.integer = true;
  if (clear.has('i')) variable.integer = false;
  const array = arrays[name];
  if (array) setArray(sh, name, array.items, array.append);
  else if (value !== undefined) {
    const key = index === undefined ? undefined : arrayKey(sh, name, index);
    setVar(sh, name, value, { append: plus === '+', ...(key === undefined ? {} : { key }) });
  }
  if (set.has('x') && !clear.has('x')) variable.exported = true;
  if (clear.has('x')) variable.exported = false;
  if (set.has('r')) variable.readonly = true;
  return true;
}

function show(sh: Shell, command: string, set: ReadonlySet<string>, words: readonly string[]): number {
  const { vars } = sh.st;
  const names = words.length > 0 ? words : Object.keys(vars).sort();
  let status = 0;
  for (const name of names) {
    const variable = lookup(sh.st, name);
    if (!variable) {
      complain(sh, `${command}: ${name}: not found`);
      status = 1;
      continue;
    }
    if (set.has('x') && !variable.exported) continue;
    if (set.has('r') && !variable.readonly) continue;
    if (set.has('a') && variable.kind !== 'array') continue;
    out(sh, `${declaration(name, variable)}\n`);
  }
  return status;
}

function functions(sh: Shell, names: readonly string[], namesOnly: boolean): number {
  let status = 0;
  for (const name of names.length > 0 ? names : Object.keys(sh.st.funcs).sort()) {
    if (!Object.hasOwn(sh.st.funcs, name)) status = 1;
    else if (namesOnly) out(sh, names.length > 0 ? `${name}\n` : `declare -f ${name}\n`);
    else out(sh, `${functionText(sh, name)}\n`);
  }
  return status;
}

const unset: Builtin = ({ sh, argv }) => {
  let what: 'v' | 'f' | undefined;
  let status = 0;
  for (const word of argv.slice(1)) {
    if (word === '-v' || word === '-f') {
      what = word[1] as 'v' | 'f';
      continue;
    }
    const element = /^([A-Za-z_]\w*)\[(.*)\]$/s.exec(word);
    if (element) {
      const variable = lookup(sh.st, element[1]!);
      if (typeof variable?.v === 'object') {
        if (element[2] === '@' || element[2] === '*') delete sh.st.vars[element[1]!];
        else delete variable.v[arrayKey(sh, element[1]!, element[2]!)];
      }
      continue;
    }
    if (what !== 'f' && !isName(word)) {
      complain(sh, `unset: \`${word}': not a valid identifier`);
      status = 1;
    } else if (what !== 'f' && (what === 'v' || lookup(sh.st, word))) {
      if (!unsetVar(sh, word)) status = 1;
    } else delete sh.st.funcs[word];
  }
  return status;
};

const getopts: Builtin = ({ sh, argv }) => {
  const { st } = sh;
  const [, spec, name, ...given] = argv;
  if (spec === undefined || name === undefined) {
    complain(sh, 'getopts: usage: getopts optstring name [arg]');
    return 2;
  }
  const args = given.length > 0 ? given : st.args;
  let index = Number(getVar(sh, 'OPTIND') ?? '1') || 1;
  const quiet = spec.startsWith(':');
  const report = (value: string, argument: string | undefined) => {
    const position = st.optpos;
    setVar(sh, 'OPTIND', String(index));
    st.optpos = position;
    setVar(sh, name, value);
    if (argument === undefined) delete st.vars['OPTARG'];
    else setVar(sh, 'OPTARG', argument);
    return 0;
  };
  const arg = args[index - 1];
  if (st.optpos === 0) {
    if (arg === undefined || !/^-./.test(arg) || arg === '--') {
      if (arg === '--') index++;
      report('?', undefined);
      return 1;
    }
    st.optpos = 1;
  }
  const letter = arg![st.optpos++]!;
  const at = letter === ':' ? -1 : spec.indexOf(letter);
  const restOfArg = arg!.slice(st.optpos);
  if (restOfArg === '') {
    index++;
    st.optpos = 0;
  }
  if (at < 0) {
    if (!quiet) out(sh, `${st.name}: illegal option -- ${letter}\n`, 2);
    return report('?', quiet ? letter : undefined);
  }
  if (spec[at + 1] !== ':') return report(letter, undefined);
  if (restOfArg !== '') {
    index++;
    st.optpos = 0;
    return report(letter, restOfArg);
  }
  const argument = args[index - 1];
  if (argument === undefined) {
    if (!quiet) out(sh, `${st.name}: option requires an argument -- ${letter}\n`, 2);
    return report(quiet ? ':' : '?', quiet ? letter : undefined);
  }
  index++;
  return report(letter, argument);
};

export const declarations = {
  declare,
  typeset: declare,
  local: declare,
  export: declare,
  readonly: declare,
  unset,
  getopts,
} satisfies Record<string, Builtin>;
