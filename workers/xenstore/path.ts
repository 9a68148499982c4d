/**
 * Names of nodes: absolute paths such as `/local/domain/1/name`, and what a relative one means to a domain.
 *
 * Behaviour: is_valid_nodename, canonicalize and get_parent in tools/xenstore/xenstored_core.c, Xen 3.4.
 */
import { XENSTORE_ABS_PATH_MAX } from '../abi/io/xsWire';

const ALLOWED = /^\/[A-Za-z0-9\-/_@]*$/;

/** May a node have this name? */
export function isValidPath(path: string): boolean {
  if (path.length > XENSTORE_ABS_PATH_MAX || !ALLOWED.test(path)) return false;
  return path === '/' || !(path.endsWith('/') || path.includes('//'));
}

/** Puts the connection's own directory in front of a relative path; sockets have none, so theirs stays relative. */
export function canonicalise(path: string, ownDirectory: string | undefined): string {
  return path.startsWith('/') || ownDirectory === undefined ? path : `${ownDirectory}/${path}`;
}

/** The names from the root down; none for `/`. */
export function namesOf(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

/** The path above; `/` is its own parent. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** Is `path` the node `ancestor` or somewhere below it? A sibling whose name merely starts the same is not. */
export function isAtOrBelow(path: string, ancestor: string): boolean {
  if (ancestor === '/') return true;
  return path.startsWith(ancestor) && (path.length === ancestor.length || path[ancestor.length] === '/');
}
