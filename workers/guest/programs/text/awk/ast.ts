/** The plain tree of an awk program: what the parser makes and the compiler reads. */

export type LValue =
  | { readonly k: 'var'; readonly name: string }
  | { readonly k: 'field'; readonly index: Expr }
  | { readonly k: 'element'; readonly array: string; readonly keys: readonly Expr[] };

export type Binary = '+' | '-' | '*' | '/' | '%' | '^';
export type Comparison = '<' | '<=' | '==' | '!=' | '>' | '>=';

export type Expr =
  | LValue
  | { readonly k: 'number'; readonly value: number }
  | { readonly k: 'string'; readonly value: string }
  | { readonly k: 'regex'; readonly source: string }
  /** `(a, b)`: only before `in` and as the arguments of print. */
  | { readonly k: 'group'; readonly items: readonly Expr[] }
  | { readonly k: 'assign'; readonly target: LValue; readonly op: Binary | ''; readonly value: Expr }
  | { readonly k: 'step'; readonly target: LValue; readonly by: 1 | -1; readonly isPostfix: boolean }
  | { readonly k: 'binary'; readonly op: Binary; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'compare'; readonly op: Comparison; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'unary'; readonly op: '-' | '+' | '!'; readonly a: Expr }
  | { readonly k: 'concat'; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'and' | 'or'; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'match'; readonly a: Expr; readonly b: Expr; readonly isNegated: boolean }
  | { readonly k: 'in'; readonly keys: readonly Expr[]; readonly array: string }
  | { readonly k: 'cond'; readonly test: Expr; readonly then: Expr; readonly otherwise: Expr }
  | { readonly k: 'call'; readonly name: string; readonly args: readonly Expr[]; readonly line: number }
  | { readonly k: 'builtin'; readonly name: string; readonly args: readonly Expr[] }
  /** `getline`, `getline < file`, `command | getline`, each with or without a variable. */
  | {
      readonly k: 'getline';
      readonly from: 'input' | 'file' | 'command';
      readonly source: Expr | null;
      readonly target: LValue | null;
    };

export type Redirect = { readonly to: '>' | '>>' | '|'; readonly target: Expr };

export type Statement =
  | { readonly k: 'block'; readonly body: readonly Statement[] }
  | { readonly k: 'expr'; readonly value: Expr }
  | {
      readonly k: 'print';
      readonly isFormatted: boolean;
      readonly args: readonly Expr[];
      readonly redirect: Redirect | null;
    }
  | { readonly k: 'if'; readonly test: Expr; readonly then: Statement; readonly otherwise: Statement | null }
  | { readonly k: 'while'; readonly test: Expr; readonly body: Statement }
  | { readonly k: 'do'; readonly test: Expr; readonly body: Statement }
  | {
      readonly k: 'for';
      readonly first: Statement | null;
      readonly test: Expr | null;
      readonly next: Statement | null;
      readonly body: Statement;
    }
  | { readonly k: 'forIn'; readonly name: string; readonly array: string; readonly body: Statement }
  | { readonly k: 'delete'; readonly array: string; readonly keys: readonly Expr[] | null }
  | { readonly k: 'break' | 'continue' | 'next' | 'nextfile' }
  | { readonly k: 'exit' | 'return'; readonly value: Expr | null };

export interface Rule {
  /** Null: every record. */
  readonly pattern: Expr | null;
  /** The second pattern of a range. */
  readonly until: Expr | null;
  /** Null: print the record. */
  readonly body: Statement | null;
}

export interface FunctionNode {
  readonly name: string;
  readonly params: readonly string[];
  readonly body: Statement;
}

export interface AwkProgram {
  readonly begin: readonly Statement[];
  readonly rules: readonly Rule[];
  readonly end: readonly Statement[];
  readonly functions: readonly FunctionNode[];
}
