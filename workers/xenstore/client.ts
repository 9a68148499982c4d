/**
 * The store as daemons of Domain-0 use it: over a socket connection, each call answered before it returns
 * (libxenstore's xs_read and friends). Kernels use guest/xenbus.ts and the ring instead.
 */
import type { ErrnoName } from '../lib/errno';

/** A refusal by the store, with the error name that came over the wire. */
export class XenstoreError extends Error {
  override readonly name = 'XenstoreError';
  constructor(
    readonly code: ErrnoName,
    readonly path: string,
  ) {
    super(`${code}: ${path}`);
  }
}

export interface XenstoreReader {
  /** Value as text; undefined when the node does not exist. Other refusals throw XenstoreError. */
  read(path: string): string | undefined;
  /** Child names; undefined when the node does not exist. */
  list(path: string): readonly string[] | undefined;
  getPermissions(path: string): readonly string[] | undefined;
}

export interface XenstoreWriter extends XenstoreReader {
  write(path: string, value: string): void;
  mkdir(path: string): void;
  /** Removing what does not exist is fine. */
  remove(path: string): void;
  /** e.g. ['n0', 'r3']. */
  setPermissions(path: string, permissions: readonly string[]): void;
}

export interface XenstoreClient extends XenstoreWriter {
  /** Runs the body against a transaction and commits; runs it again when the store answers EAGAIN. */
  transaction<T>(body: (store: XenstoreWriter) => T): T;
  /**
   * The handler is called with each changed path, and once at first with the watched path itself; never inside another
   * call of this client, but soon afterwards. Returns the function that removes the watch.
   */
  watch(path: string, handler: (path: string) => void): () => void;
  introduce(domid: number, mfn: number, port: number): void;
  release(domid: number): void;
  resume(domid: number): void;
  isIntroduced(domid: number): boolean;
  domainPath(domid: number): string;
  close(): void;
}
