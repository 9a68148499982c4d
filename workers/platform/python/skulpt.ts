/** The part of Skulpt (a Python 2 interpreter in JavaScript, which brings no types) that the interpreter uses. */
export interface PyObject {
  readonly tp$name?: string;
  readonly ob$type?: { readonly prototype: { readonly tp$name: string } };
  /** The JavaScript value of strings and numbers, the elements of lists. */
  readonly v?: unknown;
}

export interface PyException extends PyObject {
  readonly args?: { readonly v: readonly PyObject[] };
  readonly traceback?: readonly { readonly lineno: number }[];
}

export type Locals = Record<string, PyObject | undefined>;
type BuildClass = (globals: unknown, body: ClassBody, name: string, ...rest: unknown[]) => unknown;
type ClassBody = (globals: unknown, locals: Locals, ...cells: unknown[]) => unknown;
type Repeat = (this: { readonly v: string | readonly unknown[] }, times: PyObject) => unknown;

interface Sequence {
  sq$repeat?: Repeat;
  nb$multiply?: Repeat;
  nb$reflected_multiply?: Repeat;
}

export interface Skulpt {
  configure(options: {
    readonly output: (text: string) => void;
    readonly read: (name: string) => string;
    readonly __future__: unknown;
    readonly execLimit: number;
  }): void;
  execStart: Date;
  readonly python2: unknown;
  importMainWithBody(name: string, dumpJS: boolean, body: string, canSuspend: boolean): unknown;
  importModule(name: string, dumpJS: boolean, canSuspend: boolean): PyObject & { readonly $d: Locals };
  readonly misceval: {
    buildClass: BuildClass;
    callsimArray(callable: PyObject, args: readonly PyObject[]): PyObject;
  };
  readonly builtin: {
    readonly str: (new (
      value: unknown,
    ) => PyObject & { readonly v: string; readonly $mangled: string }) & {
      readonly prototype: Sequence;
    };
    readonly list: { readonly prototype: Sequence };
    readonly tuple: { readonly prototype: Sequence };
    readonly func: new (code: (...args: PyObject[]) => unknown) => PyObject;
    readonly none: { readonly none$: PyObject };
    readonly ValueError: new (message: string) => PyException;
    readonly MemoryError?: new (message: string) => PyException;
  };
  readonly builtins: Record<string, PyObject | undefined>;
  readonly ffi: { remapToJs(value: PyObject): unknown };
}
