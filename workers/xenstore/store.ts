/**
 * The tree of nodes, as a value: every change makes a new tree that shares all it did not touch with the old one.
 *
 * So a transaction starts by remembering a tree, and is undone by forgetting one. A node has a value, an ordered list of
 * children and a permission list. Behaviour: tools/xenstore/xenstored_core.c, Xen 3.4.
 */
import { XenError } from '../lib/errno';
import { namesOf } from './path';
import type { Permission } from './perms';
import { type Quotas, recordSize } from './quota';

export interface StoreNode {
  readonly value: Uint8Array;
  readonly permissions: readonly Permission[];
  /** In order of creation. */
  readonly children: ReadonlyMap<string, StoreNode>;
  /** Sum over the children: length of the name plus its NUL. */
  readonly childNameBytes: number;
}

export interface Tree {
  readonly root: StoreNode;
  /** Domain → how many nodes it owns. Domain-0's are not counted. */
  readonly owned: ReadonlyMap<number, number>;
}

/** The unprivileged domain whose quotas a change counts against; undefined: not limited. */
export type Payer = { readonly domid: number; readonly quotas: Quotas } | undefined;

const NOTHING = new Uint8Array(0);
const NO_CHILDREN: ReadonlyMap<string, StoreNode> = new Map();

function emptyNode(permissions: readonly Permission[], value: Uint8Array = NOTHING): StoreNode {
  return { value, permissions, children: NO_CHILDREN, childNameBytes: 0 };
}

/** What a fresh daemon holds: `/`, `/tool` and `/tool/xenstored`, owned by Domain-0 and closed to all others. */
export function freshTree(): Tree {
  const closed: readonly Permission[] = [{ domid: 0, access: 0 }];
  const tool = withChild(emptyNode(closed), 'xenstored', emptyNode(closed));
  return { root: withChild(emptyNode(closed), 'tool', tool), owned: new Map() };
}

export function findNode(tree: Tree, path: string): StoreNode | undefined {
  let node: StoreNode | undefined = tree.root;
  for (const name of namesOf(path)) {
    node = node.children.get(name);
    if (!node) return undefined;
  }
  return node;
}

/** The lowest existing node above `path`, which itself need not exist. */
export function nearestAncestor(tree: Tree, path: string): StoreNode {
  return deepestExisting(tree, namesOf(path).slice(0, -1)).node;
}

function deepestExisting(tree: Tree, names: readonly string[]): { node: StoreNode; depth: number } {
  let node = tree.root;
  let depth = 0;
  for (; depth < names.length; depth++) {
    const child = node.children.get(names[depth]!);
    if (!child) break;
    node = child;
  }
  return { node, depth };
}

/**
 * Makes a node that does not exist, and whatever is missing above it. New nodes inherit the permissions of what they
 * hang under, but belong to the domain that makes them. Throws ENOSPC (record too large) and ENOENT (too many nodes:
 * Xen 3.4 leaves the error number of the failed look-up standing).
 */
export function createNode(tree: Tree, path: string, value: Uint8Array, creator: number, payer: Payer): Tree {
  const names = namesOf(path);
  const { node: ancestor, depth } = deepestExisting(tree, names);
  const permissions = inherited(ancestor.permissions, creator);
  const owner = permissions[0]!.domid;
  const owned = counted(tree.owned, new Map([[owner, names.length - depth]]));
  if (payer && (owned.get(payer.domid) ?? 0) > payer.quotas.entries) throw new XenError('ENOENT', path);
  let child = checkSize(emptyNode(permissions, value), payer);
  for (let at = names.length - 1; at > depth; at--) {
    child = checkSize(withChild(emptyNode(permissions), names[at]!, child), payer);
  }
  const hang = (node: StoreNode) => checkSize(withChild(node, names[depth]!, child), payer);
  return { root: replaced(tree.root, names.slice(0, depth), hang), owned };
}

/** Gives an existing node a new value. Throws ENOSPC. */
export function setValue(tree: Tree, path: string, value: Uint8Array, payer: Payer): Tree {
  return { ...tree, root: replaced(tree.root, namesOf(path), (node) => checkSize({ ...node, value }, payer)) };
}

/** Replaces an existing node's permission list. Throws ENOSPC. */
export function setPermissions(tree: Tree, path: string, permissions: readonly Permission[], payer: Payer): Tree {
  const before = findNode(tree, path)!.permissions[0]!.domid;
  const after = permissions[0]!.domid;
  const root = replaced(tree.root, namesOf(path), (node) => checkSize({ ...node, permissions }, payer));
  if (before === after) return { ...tree, root };
  const moved = new Map([
    [before, -1],
    [after, 1],
  ]);
  return { root, owned: counted(tree.owned, moved) };
}

/** Removes an existing node (not the root) and all below it. */
export function removeNode(tree: Tree, path: string): Tree {
  const names = namesOf(path);
  const name = names.pop()!;
  const gone = new Map<number, number>();
  const root = replaced(tree.root, names, (parent) => {
    countOwners(parent.children.get(name)!, gone);
    const children = new Map(parent.children);
    children.delete(name);
    return { ...parent, children, childNameBytes: parent.childNameBytes - name.length - 1 };
  });
  return { root, owned: counted(tree.owned, gone) };
}

function inherited(permissions: readonly Permission[], creator: number): readonly Permission[] {
  const [first, ...rest] = permissions;
  return creator === 0 || first!.domid === creator ? permissions : [{ ...first!, domid: creator }, ...rest];
}

function withChild(node: StoreNode, name: string, child: StoreNode): StoreNode {
  const childNameBytes = node.childNameBytes + (node.children.has(name) ? 0 : name.length + 1);
  const children = new Map(node.children);
  children.set(name, child);
  return { ...node, children, childNameBytes };
}

function replaced(
  node: StoreNode,
  names: readonly string[],
  change: (node: StoreNode) => StoreNode,
  at = 0,
): StoreNode {
  if (at === names.length) return change(node);
  const name = names[at]!;
  return withChild(node, name, replaced(node.children.get(name)!, names, change, at + 1));
}

function checkSize(node: StoreNode, payer: Payer): StoreNode {
  if (payer && recordSize(node) >= payer.quotas.entrySize) throw new XenError('ENOSPC');
  return node;
}

function countOwners(node: StoreNode, counts: Map<number, number>): void {
  const owner = node.permissions[0]!.domid;
  counts.set(owner, (counts.get(owner) ?? 0) - 1);
  for (const child of node.children.values()) countOwners(child, counts);
}

function counted(
  owned: ReadonlyMap<number, number>,
  changes: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  const result = new Map(owned);
  for (const [domid, change] of changes) {
    if (domid === 0) continue;
    const count = (result.get(domid) ?? 0) + change;
    if (count > 0) result.set(domid, count);
    else result.delete(domid);
  }
  return result;
}
