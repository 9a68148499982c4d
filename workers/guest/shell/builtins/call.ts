/** What a builtin is given, and what it answers. */
import type { Step } from '../../sys';
import type { FrameOf, Scope, Shell } from '../state';

/** Array assignments among the arguments of `declare` and its like, by name. */
export type Arrays = Record<string, { append: boolean; items: { key?: string; value: string }[] }>;

export interface BuiltinCall {
  readonly sh: Shell;
  /** With the name. */
  readonly argv: readonly string[];
  readonly arrays: Arrays;
  /** The scope frame that is on top of the stack while the builtin runs. */
  readonly scope: Scope;
  /** The frame of the command as it was. */
  readonly frame: FrameOf<'node'>;
}

/**
 * A status, when it is done. Otherwise it has pushed frames (or unwound the stack) and the shell goes on with whatever
 * is on top; a Step, when the process must wait or be replaced.
 */
export type Builtin = (call: BuiltinCall) => number | Step | undefined;

/** Options before the operands: `-abc`, `--`. Undefined when an unknown one was given (the message is the caller's). */
export function flags(
  args: readonly string[],
  known: string,
): { on: Set<string>; rest: readonly string[]; unknown?: string } {
  const on = new Set<string>();
  let i = 0;
  for (; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      i++;
      break;
    }
    if (!/^-[^-]/.test(arg)) break;
    for (const c of arg.slice(1)) {
      if (!known.includes(c)) return { on, rest: args.slice(i), unknown: `-${c}` };
      on.add(c);
    }
  }
  return { on, rest: args.slice(i) };
}
