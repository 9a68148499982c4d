/** Builtin commands by name. */

import type { Builtin } from './call';
import { control } from './control';
import { declarations } from './declare';
import { files } from './files';
import { jobControl } from './jobControl';
import { type BuiltinName, isBuiltin } from './names';
import { options } from './options';
import { output } from './output';
import { readInput } from './read';

export type { Arrays, Builtin, BuiltinCall } from './call';

const builtins: Readonly<Record<BuiltinName, Builtin>> = {
  ...control,
  ...declarations,
  ...files,
  ...jobControl,
  ...options,
  ...output,
  ...readInput,
};

export function findBuiltin(name: string): Builtin | undefined {
  return isBuiltin(name) ? builtins[name] : undefined;
}
