/**
 * How much of the store one unprivileged domain may use. Domain-0 and its sockets are not limited.
 *
 * Defaults: tools/xenstore/xenstored_core.c, Xen 3.4 (options -E, -S, -W and -t).
 */
import type { StoreNode } from './store';

export interface Quotas {
  /** Nodes that a domain may own. */
  readonly entries: number;
  /** A node's record must be shorter than this, bytes. */
  readonly entrySize: number;
  /** Xen compares with "more than", so that one watch more than this fits. */
  readonly watches: number;
  /** The same: one open transaction more than this fits. */
  readonly transactions: number;
}

export const defaultQuotas: Quotas = { entries: 1000, entrySize: 2048, watches: 128, transactions: 10 };

/** Bytes of a node's database record: header, permission entries, value, child names with their NULs. */
export function recordSize(node: StoreNode): number {
  return 12 + 8 * node.permissions.length + node.value.length + node.childNameBytes;
}
