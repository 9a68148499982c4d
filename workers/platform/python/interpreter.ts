/**
 * Runs one configuration script with Skulpt: Python 2, the names that xm offers, limits on time and memory; answers its
 * variables or Python's complaint. Knows neither page nor Node: the hosts load Skulpt and its library files.
 */
import type { MachineFacts, PythonListItem, PythonResult, PythonValue } from '../../xm/python';
import { asClassBody } from './indent';
import { IP_FUNCTIONS, ipModule, osModule, VARS_MODULE } from './modules';
import type { Locals, PyException, PyObject, Skulpt } from './skulpt';

export interface ScriptRequest {
  readonly source: string;
  readonly path: string;
  readonly scriptVars: Readonly<Record<string, string>>;
  readonly facts: MachineFacts;
}

/** Skulpt's own limit, ms; the host's watchdog is for what does not notice this one. */
const EXEC_LIMIT_MS = 1500;
/** Longest list or string that a script may make in one step. */
const MAX_LENGTH = 1_000_000;
const MAX_OUTPUT = 65_536;
const CLASS = 'xm_config_body_';
/** Library files of Skulpt that scripts may import. */
export const LIBRARY = ['src/builtin/sys.js', 'src/lib/re.js', 'src/lib/string.js', 'src/lib/math.js'] as const;

export type Library = Readonly<Record<(typeof LIBRARY)[number], string>>;

/** Prepares Skulpt once; the function that comes back runs scripts one after another. */
export function createInterpreter(sk: Skulpt, library: Library): (request: ScriptRequest) => PythonResult {
  capRepeats(sk);
  const buildClass = sk.misceval.buildClass;
  return (request) => {
    let locals: Locals = {};
    let stdout = '';
    sk.misceval.buildClass = (globals, body, name, ...rest) => {
      if (name !== CLASS) return buildClass(globals, body, name, ...rest);
      return buildClass(
        globals,
        (inner, own, ...cells) => {
          locals = own;
          prepareLocals(sk, own, request);
          return body(inner, own, ...cells);
        },
        name,
        ...rest,
      );
    };
    const modules = new Map<string, string>([
      ...Object.entries(library),
      ['src/lib/os.py', osModule(request.facts)],
      ['src/lib/xm_vars_.py', VARS_MODULE],
      ['src/lib/xen_util_ip_.py', ipModule(request.facts)],
    ]);
    sk.configure({
      output: (text) => {
        if (stdout.length < MAX_OUTPUT) stdout += text;
      },
      read: (name) => {
        const text = modules.get(name);
        if (text === undefined) throw new Error(`File not found: '${name}'`);
        return text;
      },
      __future__: sk.python2,
      execLimit: EXEC_LIMIT_MS,
    });
    capRanges(sk);
    sk.execStart = new Date();
    try {
      sk.importMainWithBody('<xmconfig>', false, asClassBody(request.source, CLASS), false);
      return { values: readValues(sk, locals), stdout };
    } catch (error) {
      return { error: describe(sk, error, request.source), stdout };
    } finally {
      sk.misceval.buildClass = buildClass;
    }
  };
}

/** What a script finds as local names before its first line; modules only when the text mentions them. */
function prepareLocals(sk: Skulpt, locals: Locals, { source, path, scriptVars }: ScriptRequest): void {
  const mentions = (name: string) => source.includes(name);
  const set = (name: string, value: PyObject | undefined) => {
    locals[new sk.builtin.str(name).$mangled] = value;
  };
  const text = (value: string) => new sk.builtin.str(value);
  for (const name of ['os', 'sys', 're']) if (mentions(name)) set(name, sk.importModule(name, false, false));
  if (mentions('re')) addSub(sk, locals['re']);
  if (IP_FUNCTIONS.some(mentions)) {
    const ip = sk.importModule('xen_util_ip_', false, false);
    for (const name of IP_FUNCTIONS) set(name, ip.$d[name]);
  }
  set('xm_file', text(path));
  if (mentions('Vars') || mentions('xm_vars')) {
    const vars = sk.importModule('xm_vars_', false, false);
    const key = (name: PyObject) => new sk.builtin.str(String(name.v)).$mangled;
    vars.$d['_get'] = new sk.builtin.func((name) => locals[key(name!)] ?? sk.builtin.none.none$);
    vars.$d['_set'] = new sk.builtin.func((name, value) => {
      locals[key(name!)] = value;
      return sk.builtin.none.none$;
    });
    set('Vars', vars.$d['Vars']);
    set('xm_vars', sk.misceval.callsimArray(vars.$d['Vars']!, []));
  }
  for (const [name, value] of Object.entries(scriptVars)) if (/^[A-Za-z_]\w*$/.test(name)) set(name, text(value));
}

/** Skulpt's re has no sub: text replacement with `\1` and `\g<name>`-free patterns, which is what scripts use. */
function addSub(sk: Skulpt, re: PyObject | undefined): void {
  const names = (re as { $d?: Locals } | undefined)?.$d;
  if (!names || names['sub']) return;
  names['sub'] = new sk.builtin.func((pattern, replacement, subject) => {
    const into = String(replacement!.v)
      .replace(/\$/g, '$$$$')
      .replace(/\\(\d)/g, '$$$1');
    return new sk.builtin.str(String(subject!.v).replace(new RegExp(String(pattern!.v), 'g'), into));
  });
}

const capped = new WeakSet<PyObject>();
const tooLong = (sk: Skulpt) => new sk.builtin.ValueError('sequence is too long');

/**
 * Without this, `range(10 ** 9)` or `'x' * 10 ** 9` takes the whole tab down before any watchdog looks. Skulpt makes its
 * built-in functions anew when it is configured.
 */
function capRanges(sk: Skulpt): void {
  for (const name of ['range', 'xrange']) {
    const original = sk.builtins[name];
    if (!original || capped.has(original)) continue;
    const limited = new sk.builtin.func((...args) => {
      const [first, second, step] = args.map((arg) => Number(arg.v));
      const length = second === undefined ? first! : (second - first!) / (step || 1);
      if (length > MAX_LENGTH) throw tooLong(sk);
      return sk.misceval.callsimArray(original, args);
    });
    capped.add(limited);
    sk.builtins[name] = limited;
  }
}

function capRepeats(sk: Skulpt): void {
  for (const { prototype } of [sk.builtin.str, sk.builtin.list, sk.builtin.tuple]) {
    for (const slot of ['sq$repeat', 'nb$multiply', 'nb$reflected_multiply'] as const) {
      const repeat = prototype[slot];
      if (!repeat) continue;
      prototype[slot] = function (times) {
        if (this.v.length * Number(times.v) > MAX_LENGTH) throw tooLong(sk);
        return repeat.call(this, times);
      };
    }
  }
}

/** Variables of type str, list, int and float; Python's other types have no effect on a configuration. */
function readValues(sk: Skulpt, locals: Locals): Record<string, PythonValue> {
  const values: Record<string, PythonValue> = {};
  for (const [mangled, object] of Object.entries(locals)) {
    const value = object && pythonValue(sk, object);
    if (value !== undefined && value !== null) values[mangled.replace(/_\$rw\$$/, '')] = value;
  }
  delete values['__module__'];
  delete values['xm_file'];
  return values;
}

function pythonValue(sk: Skulpt, object: PyObject): PythonValue | undefined {
  switch (object.ob$type?.prototype.tp$name) {
    case 'str':
      return String(object.v);
    case 'int':
      return typeof object.v === 'number' ? object.v : undefined;
    case 'float':
      return { float: floatText(Number(object.v)) };
    case 'list':
      return (object.v as readonly PyObject[]).map((item): PythonListItem => {
        if (item === sk.builtin.none.none$) return null;
        return pythonValue(sk, item) ?? new sk.builtin.str(item).v;
      });
    default:
      return undefined;
  }
}

function floatText(value: number): string {
  const text = String(Number(value.toPrecision(12)));
  return /[.en]/.test(text) ? text : `${text}.0`;
}

function describe(sk: Skulpt, thrown: unknown, source: string): { type: string; message: string; line: number } {
  const error = thrown as PyException;
  if (error?.tp$name === undefined || !error.args) {
    if (thrown instanceof RangeError)
      return { type: 'RuntimeError', message: 'maximum recursion depth exceeded', line: 0 };
    return { type: 'InternalError', message: thrown instanceof Error ? thrown.message : String(thrown), line: 0 };
  }
  const type = error.tp$name;
  const lastLine = source.replace(/\n$/, '').split('\n').length;
  // The first line is the class header; Python names the last line when a text ends too early.
  const line = Math.min(Math.max(1, (error.traceback?.[0]?.lineno ?? 2) - 1), lastLine);
  if (type === 'RecursionError') return { type: 'RuntimeError', message: 'maximum recursion depth exceeded', line };
  if (type === 'TimeLimitError') return { type: 'Timeout', message: 'time limit', line };
  let message = error.args.v.map((arg) => new sk.builtin.str(arg).v).join(', ');
  message = message.replace('a string, a bytes-like object or a number', 'a string or a number');
  // Inside a function (one frame more) Python 2 says that it looked for a global.
  if (type === 'NameError' && (error.traceback?.length ?? 0) > 2) message = message.replace(/^name /, 'global name ');
  return { type, message, line };
}
