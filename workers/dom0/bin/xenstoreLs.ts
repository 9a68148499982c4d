/** `xenstore-ls`: the tree below a path, one line per node, indented by one blank per level. */
import type { Sys } from '../../guest/sys';
import { strerror } from '../../lib/errno';
import { XenstoreError, type XenstoreReader } from '../../xenstore/client';
import { fail, sanitise, type ToolOptions } from './xenstoreOptions';

/** Length of ` = "..."`. */
const TAG_LENGTH = 8;

interface Layout {
  readonly maxWidth: number;
  /** The column of the permissions. */
  readonly desiredWidth: number;
  readonly isWholePath: boolean;
  readonly hasPermissions: boolean;
}

/** Prints everything below `path`. Throws ToolFailure when it cannot be listed. */
export function listTree(sys: Sys, store: XenstoreReader, path: string, { full, prefix }: ToolOptions): void {
  const terminalWidth = sys.isatty(1) ? sys.winsize(1).cols - 2 : 80;
  const layout: Layout = {
    maxWidth: full ? Number.MAX_SAFE_INTEGER : terminalWidth,
    desiredWidth: full ? 0 : 60,
    isWholePath: full,
    hasPermissions: prefix,
  };
  listBelow(sys, store, path, 0, layout);
}

function listBelow(sys: Sys, store: XenstoreReader, path: string, depth: number, layout: Layout): void {
  for (const name of namesBelow(store, path)) {
    const child = `${path}${path.endsWith('/') ? '' : '/'}${name}`;
    sys.print(`${nodeLine(store, child, name, depth, layout)}\n`);
    listBelow(sys, store, child, depth + 1, layout);
  }
}

function namesBelow(store: XenstoreReader, path: string): readonly string[] {
  let reason = strerror.ENOENT;
  try {
    const names = store.list(path);
    if (names) return names;
  } catch (error) {
    if (!(error instanceof XenstoreError)) throw error;
    reason = strerror[error.code];
  }
  return fail(`xs_directory (${path}): ${reason}`);
}

function nodeLine(store: XenstoreReader, path: string, name: string, depth: number, layout: Layout): string {
  const { maxWidth, isWholePath } = layout;
  const indented = ' '.repeat(depth) + name.slice(0, Math.max(0, maxWidth - TAG_LENGTH - depth));
  let line = isWholePath ? path : indented;
  // -f does not count the path, so that its permissions are not aligned.
  let column = isWholePath ? 0 : indented.length;
  const value = orUndefined(() => store.read(path));
  if (value === undefined) return `${line}:`;
  const text = sanitise(value);
  if (maxWidth < column + new TextEncoder().encode(value).length + TAG_LENGTH) {
    line += ` = "${text.slice(0, Math.max(0, maxWidth - TAG_LENGTH - column))}\\..."`;
  } else {
    line += ` = "${text}"`;
    column += text.length + 5;
    if (layout.hasPermissions) {
      line += ' ';
      for (column++; column < Math.min(layout.desiredWidth, maxWidth); column++) line += column & 1 ? '.' : ' ';
    }
  }
  if (layout.hasPermissions) {
    const permissions = orUndefined(() => store.getPermissions(path));
    if (permissions) line += `  (${permissions.join(',')})`;
  }
  return line;
}

function orUndefined<T>(body: () => T | undefined): T | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof XenstoreError) return undefined;
    throw error;
  }
}
