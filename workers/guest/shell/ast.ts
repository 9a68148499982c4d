/**
 * The shell's syntax tree: what a script means, as plain JSON data.
 *
 * A script is a flat array of nodes that refer to each other by index, so that a running shell can name its place in a
 * script with two numbers (which text, which node) instead of holding on to the tree.
 */

/** A piece of a word. `q`: it stood in quotes, so its result is neither split nor globbed. */
export type Seg =
  | { readonly k: 'lit'; readonly s: string; readonly q?: boolean }
  | ParamSeg
  | { readonly k: 'cmd'; readonly src: string; readonly q?: boolean }
  | { readonly k: 'arith'; readonly e: Word; readonly q?: boolean }
  | { readonly k: 'proc'; readonly dir: '<' | '>'; readonly src: string; readonly q?: boolean };

export interface ParamSeg {
  readonly k: 'param';
  readonly name: string;
  readonly q?: boolean;
  /** `${!x}` and `${#x}`. */
  readonly prefix?: '!' | '#';
  readonly index?: Word;
  /** The operator, e.g. `:-`, `##`, `//`, `:` (slice), `^^`, `@` (names, with prefix `!`); 'bad' for a bad substitution. */
  readonly op?: string;
  readonly a?: Word;
  readonly b?: Word;
  /** The source text, for error messages. */
  readonly text: string;
}

export type Word = readonly Seg[];

export interface Assign {
  readonly name: string;
  readonly index?: Word;
  readonly append?: boolean;
  readonly value: Word | { readonly elements: readonly { readonly key?: Word; readonly words: readonly Word[] }[] };
}

export interface Redir {
  readonly op: '<' | '>' | '>>' | '>|' | '<>' | '<&' | '>&' | '&>' | '&>>' | 'here';
  readonly fd?: number;
  /** `{name}>file`: the descriptor's number goes into this variable. */
  readonly fdVar?: string;
  /** Target, or for 'here' the text itself. */
  readonly word: Word;
}

export type TestExpr =
  | { readonly t: 'un'; readonly op: string; readonly a: Word }
  | { readonly t: 'bin'; readonly op: string; readonly a: Word; readonly b: Word }
  | { readonly t: 'and' | 'or'; readonly e: readonly TestExpr[] }
  | { readonly t: 'not'; readonly e: TestExpr };

interface Base {
  /** Place in the text, for messages and job lists. */
  readonly pos: number;
  readonly end: number;
  /** Line of `pos`, from 1. */
  readonly line: number;
  /** Some word of this node holds a command substitution. */
  readonly hasCmd?: boolean;
}

export type NodeId = number;

export type Node = Base &
  (
    | { readonly k: 'list'; readonly items: readonly { readonly n: NodeId; readonly bg?: boolean }[] }
    | { readonly k: 'andor'; readonly cmds: readonly NodeId[]; readonly ops: readonly string[] }
    | {
        readonly k: 'pipe';
        readonly cmds: readonly NodeId[];
        readonly neg: boolean;
        readonly time?: 'bash' | 'posix';
        /** Stage i was followed by `|&`. */
        readonly both: readonly boolean[];
      }
    | {
        readonly k: 'simple';
        readonly assigns: readonly Assign[];
        readonly words: readonly (Word | { readonly assign: Assign })[];
        readonly redirs: readonly Redir[];
      }
    | { readonly k: 'redir'; readonly body: NodeId; readonly redirs: readonly Redir[] }
    | { readonly k: 'sub' | 'group'; readonly body: NodeId }
    | { readonly k: 'if'; readonly arms: readonly (readonly [NodeId, NodeId])[]; readonly otherwise?: NodeId }
    | { readonly k: 'for'; readonly name: string; readonly words?: readonly Word[]; readonly body: NodeId }
    | { readonly k: 'cfor'; readonly parts: readonly (Word | null)[]; readonly body: NodeId }
    | { readonly k: 'while'; readonly until: boolean; readonly cond: NodeId; readonly body: NodeId }
    | {
        readonly k: 'case';
        readonly word: Word;
        readonly items: readonly { readonly pats: readonly Word[]; readonly body: NodeId; readonly term: string }[];
      }
    | { readonly k: 'cond'; readonly e: TestExpr }
    | { readonly k: 'arith'; readonly e: Word }
    | { readonly k: 'func'; readonly name: string; readonly body: NodeId }
    | { readonly k: 'unsupported'; readonly what: string }
  );

export type NodeOf<K extends Node['k']> = Extract<Node, { readonly k: K }>;

export interface SyntaxFault {
  /** More text may complete the script: an interactive shell asks for it with PS2. */
  readonly incomplete: boolean;
  /** bash's words after the shell's name: "syntax error near unexpected token `)'". */
  readonly message: string;
  readonly line: number;
  /** The offending line is quoted after the message. */
  readonly quoteLine: boolean;
}

export interface Script {
  readonly text: string;
  readonly nodes: readonly Node[];
  /** The list of all statements before the error, if there is one. */
  readonly root: NodeId;
  readonly error?: SyntaxFault;
}
