/**
 * The current tree, and the transactions that try out changes on a copy of it.
 *
 * A transaction succeeds only when nothing at all has changed since it began: its reads are then still true, so the
 * transactions that succeed are serialisable. Behaviour: tools/xenstore/xenstored_transaction.c, Xen 3.4.
 */
import { XenError } from '../lib/errno';
import type { Tree } from './store';

/** A node that was written, created or removed; `removed` means that everything below it is gone, too. */
export interface Change {
  readonly path: string;
  readonly removed: boolean;
}

export class Transaction {
  /** Path → was it removed; in order of the first change of each path. */
  readonly changes = new Map<string, boolean>();

  constructor(
    readonly generation: number,
    public tree: Tree,
  ) {}
}

export class Database {
  #tree: Tree;
  /** Counts what happened to the current tree: visible changes and commits, those of empty transactions included. */
  #generation = 0;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** What a request sees. */
  tree(transaction: Transaction | undefined): Tree {
    return transaction ? transaction.tree : this.#tree;
  }

  /** Starts a transaction: the whole store is copied, which for an immutable tree costs nothing. */
  begin(): Transaction {
    return new Transaction(this.#generation, this.#tree);
  }

  /**
   * Installs the tree that a request made. Returns what watches must hear of now: nothing inside a transaction.
   * Differs from Xen: a path that was written and then removed in one transaction counts as removed (3.4 forgets it).
   */
  apply(transaction: Transaction | undefined, tree: Tree, change: Change): readonly Change[] {
    if (transaction) {
      transaction.tree = tree;
      transaction.changes.set(change.path, change.removed || (transaction.changes.get(change.path) ?? false));
      return [];
    }
    this.#tree = tree;
    this.#generation++;
    return [change];
  }

  /** Makes the transaction's copy the store and returns what changed. Throws EAGAIN when somebody else was faster. */
  commit(transaction: Transaction): readonly Change[] {
    if (transaction.generation !== this.#generation) throw new XenError('EAGAIN');
    this.#tree = transaction.tree;
    this.#generation++;
    return [...transaction.changes].map(([path, removed]) => ({ path, removed }));
  }
}
