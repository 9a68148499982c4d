import { deviceKeys } from './deviceKeys';
import { type ConfigVariable, findVariable } from './variables';

/** What a line up to the cursor asks for: a variable's name, one of its values, or a key in a device's string. */
export type CompletionPlace =
  | { readonly kind: 'name' }
  | { readonly kind: 'value'; readonly variable: ConfigVariable }
  | { readonly kind: 'deviceKey'; readonly list: string };

/** `before` is the text from the last statement's start to the cursor. */
export function completionPlace(before: string): CompletionPlace | undefined {
  if (/^\s*\w*$/.test(before)) return { kind: 'name' };
  const assignment = /^\s*(\w+)\s*=\s*([\s\S]*)$/.exec(before);
  const variable = assignment && findVariable(assignment[1]!);
  if (!assignment || !variable) return undefined;
  const value = assignment[2]!;
  if (variable.name in deviceKeys && /\[/.test(value)) {
    return /['",]\s*\w*$/.test(value) ? { kind: 'deviceKey', list: variable.name } : undefined;
  }
  return /^['"]?[\w-]*$/.test(value) && variable.values ? { kind: 'value', variable } : undefined;
}
