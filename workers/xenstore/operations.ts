/**
 * What each request does: one function per message type, from payload to reply.
 *
 * A refusal is thrown as XenError; the daemon sends its name. Behaviour, down to which error wins:
 * tools/xenstore/xenstored_core.c, _watch.c, _transaction.c and _domain.c, Xen 3.4.
 */
import {
  latin1,
  latin1Bytes,
  payloadStrings,
  stringsPayload,
  XENSTORE_REL_PATH_MAX,
  XS_DEBUG,
  XS_DIRECTORY,
  XS_GET_DOMAIN_PATH,
  XS_GET_PERMS,
  XS_INTRODUCE,
  XS_IS_DOMAIN_INTRODUCED,
  XS_MKDIR,
  XS_READ,
  XS_RELEASE,
  XS_RESUME,
  XS_RM,
  XS_SET_PERMS,
  XS_SET_TARGET,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WRITE,
} from '../abi/io/xsWire';
import { DOMID_SELF } from '../abi/xen';
import { XenError } from '../lib/errno';
import type { Connection } from './connection';
import { canonicalise, isValidPath, parentOf } from './path';
import { formatPermission, PERM_OWNER, PERM_READ, PERM_WRITE, parsePermission, permissionsFor } from './perms';
import type { Quotas } from './quota';
import {
  createNode,
  findNode,
  nearestAncestor,
  type Payer,
  removeNode,
  type StoreNode,
  setPermissions,
  setValue,
  type Tree,
} from './store';
import type { Change, Database, Transaction } from './transactions';
import type { Watch } from './watches';

/** What operations need from the daemon. */
export interface OperationHost {
  readonly database: Database;
  readonly quotas: Quotas;
  /** Fires the watches that these changes concern. */
  publish(changes: readonly Change[]): void;
  addWatch(watch: Watch<Connection>): void;
  removeWatch(watch: Watch<Connection>): void;
  /** Queues one event for the watch's owner. */
  deliver(watch: Watch<Connection>, path: string): void;
  readonly domains: DomainOperations;
  log(line: string): void;
}

/** The part of the protocol that is about domains, not nodes. Failures are thrown as XenError. */
export interface DomainOperations {
  introduce(domid: number, mfn: number, port: number): void;
  release(domid: number): void;
  resume(domid: number): void;
  setTarget(domid: number, target: number): void;
  isIntroduced(domid: number): boolean;
}

export interface Request {
  readonly host: OperationHost;
  readonly connection: Connection;
  readonly transaction: Transaction | undefined;
  readonly txId: number;
  readonly payload: Uint8Array;
}

export interface Reply {
  readonly payload: Uint8Array;
  /** Done after the reply is queued. */
  readonly afterwards?: () => void;
}

type Operation = (request: Request) => Uint8Array | Reply;

const OK = latin1Bytes('OK\0');

// ------------------------------------------------------------------------------------------------------------- nodes

function directory(request: Request): Uint8Array {
  const { node } = requireNode(request, onePath(request), PERM_READ);
  return stringsPayload([...node.children.keys()]);
}

function read(request: Request): Uint8Array {
  return requireNode(request, onePath(request), PERM_READ).node.value;
}

function getPerms(request: Request): Uint8Array {
  const { node } = requireNode(request, onePath(request), PERM_READ);
  return stringsPayload(node.permissions.map(formatPermission));
}

function write(request: Request): Uint8Array {
  const { payload, connection } = request;
  const end = payload.indexOf(0);
  if (end < 0) throw new XenError('EINVAL', 'no path');
  const path = canonicalise(latin1(payload.subarray(0, end)), connection.directory);
  const value = payload.slice(end + 1);
  const exists = mayExist(request, path, PERM_WRITE);
  const tree = treeOf(request);
  change(
    request,
    exists
      ? setValue(tree, path, value, payerOf(request))
      : createNode(tree, path, value, connection.domid, payerOf(request)),
    path,
  );
  return OK;
}

function mkdir(request: Request): Uint8Array {
  const path = onePath(request);
  if (mayExist(request, path, PERM_WRITE)) return OK;
  const empty = new Uint8Array(0);
  change(request, createNode(treeOf(request), path, empty, request.connection.domid, payerOf(request)), path);
  return OK;
}

function rm(request: Request): Uint8Array {
  const path = onePath(request);
  if (!mayExist(request, path, PERM_WRITE)) {
    if (findNode(treeOf(request), parentOf(path))) return OK;
    throw new XenError('ENOENT', path);
  }
  if (path === '/') throw new XenError('EINVAL', 'the root cannot be removed');
  change(request, removeNode(treeOf(request), path), path, true);
  return OK;
}

function setPerms(request: Request): Uint8Array {
  const [name, ...texts] = payloadStrings(request.payload);
  if (name === undefined || texts.length === 0) throw new XenError('EINVAL', 'no permissions');
  const path = canonicalise(name, request.connection.directory);
  const { node } = requireNode(request, path, PERM_WRITE | PERM_OWNER);
  const permissions = texts.map(parsePermission);
  if (request.connection.isUnprivileged && permissions[0]!.domid !== node.permissions[0]!.domid)
    throw new XenError('EPERM', 'the owner stays');
  change(request, setPermissions(treeOf(request), path, permissions, payerOf(request)), path);
  return OK;
}

// ---------------------------------------------------------------------------------------------- watches, transactions

function watch({ host, connection, payload }: Request): Reply {
  const [name, token] = exactStrings(payload, 2);
  const isSpecial = name!.startsWith('@');
  const path = isSpecial ? name! : canonicalise(name!, connection.directory);
  if (isSpecial ? path.length > XENSTORE_REL_PATH_MAX : !isValidPath(path)) throw new XenError('EINVAL', path);
  if (findWatch(connection, path, token!)) throw new XenError('EEXIST', path);
  if (connection.isUnprivileged && connection.watches.length > host.quotas.watches) throw new XenError('E2BIG', path);
  const relativeTo = isSpecial || name!.startsWith('/') ? undefined : connection.directory;
  const added = { owner: connection, path, token: token!, relativeTo, order: connection.newWatchOrder() };
  connection.watches.push(added);
  host.addWatch(added);
  // Fires once at first, so that the owner reads the value as it is now.
  return { payload: OK, afterwards: () => host.deliver(added, path) };
}

function unwatch({ host, connection, payload }: Request): Uint8Array {
  const [name, token] = exactStrings(payload, 2);
  const path = name!.startsWith('@') ? name! : canonicalise(name!, connection.directory);
  const found = findWatch(connection, path, token!);
  if (!found) throw new XenError('ENOENT', path);
  connection.watches.splice(connection.watches.indexOf(found), 1);
  host.removeWatch(found);
  return OK;
}

function transactionStart({ host, connection, transaction }: Request): Uint8Array {
  if (transaction) throw new XenError('EBUSY', 'transactions do not nest');
  if (connection.isUnprivileged && connection.transactions.size > host.quotas.transactions)
    throw new XenError('ENOSPC', 'too many transactions');
  return stringsPayload([String(connection.addTransaction(host.database.begin()))]);
}

function transactionEnd({ host, connection, transaction, txId, payload }: Request): Uint8Array {
  const verdict = latin1(payload);
  if (verdict !== 'T\0' && verdict !== 'F\0') throw new XenError('EINVAL', 'neither T nor F');
  if (!transaction) throw new XenError('ENOENT', 'no transaction');
  connection.transactions.delete(txId);
  if (verdict === 'T\0') host.publish(host.database.commit(transaction));
  return OK;
}

// ----------------------------------------------------------------------------------------------------------- domains

function introduce({ host, connection, payload }: Request): Uint8Array {
  const strings = payloadStrings(payload);
  if (strings.length < 3) throw new XenError('EINVAL', 'domid, mfn and port');
  requireTools(connection, connection.canWrite);
  const [domid, mfn, port] = strings.map(atoi);
  if (port! <= 0) throw new XenError('EINVAL', `port ${port}`);
  host.domains.introduce(domid!, mfn!, port!);
  return OK;
}

function release({ host, connection, payload }: Request): Uint8Array {
  const domid = domidOf(payload);
  if (domid === 0) throw new XenError('EINVAL', 'Domain-0 stays');
  requireTools(connection);
  host.domains.release(domid);
  return OK;
}

function resume({ host, connection, payload }: Request): Uint8Array {
  const domid = domidOf(payload);
  if (domid === 0) throw new XenError('EINVAL', 'Domain-0 stays');
  requireTools(connection);
  host.domains.resume(domid);
  return OK;
}

function setTarget({ host, connection, payload }: Request): Uint8Array {
  const [domid, target] = exactStrings(payload, 2).map(atoi);
  requireTools(connection);
  host.domains.setTarget(domid!, target!);
  return OK;
}

function getDomainPath({ payload }: Request): Uint8Array {
  return stringsPayload([`/local/domain/${domidOf(payload)}`]);
}

function isDomainIntroduced({ host, payload }: Request): Uint8Array {
  const domid = domidOf(payload);
  return stringsPayload([domid === DOMID_SELF || host.domains.isIntroduced(domid) ? 'T' : 'F']);
}

function debug({ host, connection, payload }: Request): Uint8Array {
  requireTools(connection);
  const [what, text] = payloadStrings(payload);
  if (what === 'print') {
    if (text === undefined) throw new XenError('EINVAL', 'nothing to print');
    host.log(`debug: ${text}`);
  }
  // `check` looks for nodes that the database has lost; a tree that is one value cannot lose any.
  return OK;
}

/** Message type → operation. What is not listed is answered with ENOSYS. */
export const operations: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [XS_DEBUG, debug],
  [XS_DIRECTORY, directory],
  [XS_READ, read],
  [XS_GET_PERMS, getPerms],
  [XS_WATCH, watch],
  [XS_UNWATCH, unwatch],
  [XS_TRANSACTION_START, transactionStart],
  [XS_TRANSACTION_END, transactionEnd],
  [XS_INTRODUCE, introduce],
  [XS_RELEASE, release],
  [XS_GET_DOMAIN_PATH, getDomainPath],
  [XS_WRITE, write],
  [XS_MKDIR, mkdir],
  [XS_RM, rm],
  [XS_SET_PERMS, setPerms],
  [XS_IS_DOMAIN_INTRODUCED, isDomainIntroduced],
  [XS_RESUME, resume],
  [XS_SET_TARGET, setTarget],
]);

// ----------------------------------------------------------------------------------------------------- common checks

function treeOf({ host, transaction }: Request): Tree {
  return host.database.tree(transaction);
}

function payerOf({ host, connection }: Request): Payer {
  return connection.isUnprivileged ? { domid: connection.domid, quotas: host.quotas } : undefined;
}

function change({ host, transaction }: Request, tree: Tree, path: string, removed = false): void {
  host.publish(host.database.apply(transaction, tree, { path, removed }));
}

/**
 * The node, if the caller has `right` on it. That it is missing (ENOENT) is told only to those who have the right on what
 * exists above it; all others hear EACCES. EINVAL: no node can have this name.
 */
function requireNode(request: Request, path: string, right: number): { readonly node: StoreNode } {
  if (!isValidPath(path)) throw new XenError('EINVAL', path);
  const tree = treeOf(request);
  const node = findNode(tree, path);
  if (node) {
    if ((permissionsFor(request.connection, node.permissions) & right) !== right) throw new XenError('EACCES', path);
    return { node };
  }
  const above = nearestAncestor(tree, path);
  const maySee = (permissionsFor(request.connection, above.permissions) & right) !== 0;
  throw new XenError(maySee ? 'ENOENT' : 'EACCES', path);
}

/** As requireNode, but a missing node is an answer, not a failure. */
function mayExist(request: Request, path: string, right: number): boolean {
  try {
    requireNode(request, path, right);
    return true;
  } catch (error) {
    if (error instanceof XenError && error.code === 'ENOENT') return false;
    throw error;
  }
}

function requireTools(connection: Connection, isAllowed = true): void {
  if (connection.isUnprivileged || !isAllowed) throw new XenError('EACCES', 'for Domain-0 only');
}

function exactStrings(payload: Uint8Array, count: number): string[] {
  const strings = payloadStrings(payload);
  if (strings.length !== count || payload[payload.length - 1] !== 0)
    throw new XenError('EINVAL', `${count} strings expected`);
  return strings;
}

function onePath({ payload, connection }: Request): string {
  return canonicalise(exactStrings(payload, 1)[0]!, connection.directory);
}

function domidOf(payload: Uint8Array): number {
  return atoi(exactStrings(payload, 1)[0]!);
}

/** C's atoi: the number at the start of the text, 0 when there is none. */
function atoi(text: string): number {
  return Number(/^\s*([+-]?\d{1,15})/.exec(text)?.[1] ?? 0);
}

function findWatch(connection: Connection, path: string, token: string): Watch<Connection> | undefined {
  return connection.watches.find((other) => other.path === path && other.token === token);
}
