/**
 * The xenstore tools of Domain-0: `xenstore-read`, `-write`, `-rm`, `-list`, `-ls`, `-exists`, `-chmod`, `-watch`, and
 * `xenstore CMD` for each of them.
 *
 * Output, options and complaints: tools/xenstore/xenstore_client.c, Xen 3.4 (`watch` came with Xen 4).
 */
import { exit, type Program, type Sys, wait } from '../../guest/sys';
import { strerror } from '../../lib/errno';
import { type XenstoreClient, XenstoreError, type XenstoreReader, type XenstoreWriter } from '../../xenstore/client';
import { listTree } from './xenstoreLs';
import { fail, parseMode, sanitise, ToolFailure, type ToolOptions, unsanitise } from './xenstoreOptions';

/**
 * A connection for one command, which closes it; undefined while xenstored is not running. Without `socket` it is that of
 * Domain-0's kernel (/proc/xen/xenbus), where relative paths start at /local/domain/0.
 */
export type ConnectStore = (way?: { readonly socket: boolean }) => XenstoreClient | undefined;

type Action = (sys: Sys, store: XenstoreClient, options: ToolOptions) => number;

/** Virtual time between two looks at the events of xenstore-watch. */
const WATCH_POLL_NS = 20_000_000;

export function xenstorePrograms(connect: ConnectStore): readonly Program[] {
  const modes = ['chmod', 'exists', 'list', 'ls', 'read', 'rm', 'write'] as const;
  const watcher = watchProgram(connect);
  const oneShot = (name: string): Program<null> => ({
    name,
    start: () => null,
    step: (sys) => exit(runTool(sys, connect)),
  });
  const general: Program = {
    ...watcher,
    name: 'xenstore',
    step: (sys, state: WatchState) =>
      sys.argv[1] === 'watch' ? watcher.step(sys, state) : exit(runTool(sys, connect)),
  };
  return [...modes.map((mode) => oneShot(`xenstore-${mode}`)), { ...watcher, name: 'xenstore-watch' }, general];
}

function runTool(sys: Sys, connect: ConnectStore): number {
  return reported(sys, () => {
    const options = parseMode(sys);
    const store = open(connect, options.socket);
    try {
      return actions[options.mode as keyof typeof actions](sys, store, options);
    } finally {
      store.close();
    }
  });
}

/** Prints what went wrong after the program's name and makes status 1 of it. */
function reported(sys: Sys, action: () => number): number {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error;
    sys.eprint(`${sys.argv[0]!.replace(/^.*\//, '')}: ${error.message}\n`);
    return 1;
  }
}

function open(connect: ConnectStore, socket: boolean): XenstoreClient {
  return connect({ socket }) ?? fail('xs_daemon_open: Connection refused');
}

/** Runs the body; what the store refuses becomes the given complaint. */
function orFail<T>(body: () => T, complaint: string, withReason = false): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof XenstoreError)) throw error;
    return fail(withReason ? `${complaint}: ${strerror[error.code]}` : complaint);
  }
}

const actions = {
  read: (sys, store, { keys, prefix }) => {
    let output = '';
    inTransaction(store, keys.length > 1, (view) => {
      output = '';
      for (const key of keys) {
        const complaint = `couldn't read path ${key}`;
        const value = orFail(() => view.read(key), complaint) ?? fail(complaint);
        output += `${prefix ? `${key}: ` : ''}${sanitise(value)}\n`;
      }
    });
    sys.print(output);
    return 0;
  },
  write: (_sys, store, { keys }) => {
    inTransaction(store, keys.length > 2, (view) => {
      for (let i = 0; i < keys.length; i += 2) {
        orFail(() => view.write(keys[i]!, unsanitise(keys[i + 1]!)), `could not write path ${keys[i]}`);
      }
    });
    return 0;
  },
  rm: (_sys, store, { keys, tidy }) => {
    inTransaction(store, true, (view) => {
      for (const key of keys) {
        remove(view, key);
        if (tidy) tidyUp(view, key);
      }
    });
    return 0;
  },
  list: (sys, store, { keys, prefix }) => {
    let output = '';
    inTransaction(store, true, (view) => {
      output = '';
      for (const key of keys) {
        const complaint = `could not list path ${key}`;
        const names = orFail(() => view.list(key), complaint) ?? fail(complaint);
        for (const name of names) output += `${prefix ? `${key}/` : ''}${name}\n`;
      }
    });
    sys.print(output);
    return 0;
  },
  exists: (_sys, store, { keys }) => (keys.every((key) => exists(store, key)) ? 0 : 1),
  ls: (sys, store, options) => {
    for (const path of options.keys.length > 0 ? options.keys : ['/']) listTree(sys, store, path, options);
    return 0;
  },
  chmod: (_sys, store, { keys, upto, recurse }) => {
    const [path, ...modes] = keys;
    if (modes.length > 16) fail('Too many permissions specified.  Maximum per invocation is 16.');
    for (const mode of modes) {
      if (!'nrwb'.includes(mode[0] ?? ' ')) fail(`Invalid permission specification: '${mode[0] ?? ''}'`);
    }
    const permissions = modes.map((mode) => `${mode[0]}${Number.parseInt(mode.slice(1), 10) || 0}`);
    inTransaction(store, true, (view) => {
      changePermissions(view, path!, permissions, upto, recurse);
    });
    return 0;
  },
} satisfies Record<string, Action>;

function inTransaction(store: XenstoreClient, isNeeded: boolean, body: (view: XenstoreWriter) => void): void {
  if (isNeeded) store.transaction(body);
  else body(store);
}

function exists(store: XenstoreReader, key: string): boolean {
  try {
    return store.read(key) !== undefined;
  } catch (error) {
    if (error instanceof XenstoreError) return false;
    throw error;
  }
}

/** The store accepts the removal of a missing node below an existing one, and so does this. */
function remove(view: XenstoreWriter, path: string): void {
  const complaint = `could not remove path ${path}`;
  orFail(() => {
    const above = path.slice(0, path.lastIndexOf('/')) || '/';
    if (view.read(path) === undefined && view.read(above) === undefined) fail(complaint);
    view.remove(path);
  }, complaint);
}

/** Removes the directories above that are left empty and have no value. */
function tidyUp(view: XenstoreWriter, removed: string): void {
  let path = removed.slice(0, removed.lastIndexOf('/'));
  while (path !== '' && view.read(path) === '' && view.list(path)?.length === 0) {
    remove(view, path);
    path = path.slice(0, path.lastIndexOf('/'));
  }
}

function changePermissions(
  view: XenstoreWriter,
  path: string,
  permissions: readonly string[],
  upto: boolean,
  recurse: boolean,
): void {
  if (path === '') return;
  const complaint = `Error occurred setting permissions on '${path}'`;
  orFail(() => view.setPermissions(path, permissions), complaint, true);
  if (upto) {
    const slash = path.lastIndexOf('/');
    if (slash < 0) fail(`Unable to locate path separator '/' in '${path}'`);
    changePermissions(view, path.slice(0, slash), permissions, true, false);
  }
  if (recurse) {
    for (const name of view.list(path) ?? []) changePermissions(view, `${path}/${name}`, permissions, false, true);
  }
}

// ------------------------------------------------------------------------------------------------------------- watch

interface WatchState {
  /** Events still to be printed before the end; null: for ever. */
  left: number | null;
}

interface Mailbox {
  readonly store: XenstoreClient;
  readonly paths: string[];
}

/**
 * Prints a path per event. The connection and the events that have arrived stand beside the kernel, not in the process:
 * a restored process finds none and sets its watches again, which brings each one's first event once more.
 */
function watchProgram(connect: ConnectStore): Program<WatchState> {
  const mailboxes = new Map<number, Mailbox>();
  const discard = (pid: number) => {
    mailboxes.get(pid)?.store.close();
    mailboxes.delete(pid);
  };
  const openMailbox = (sys: Sys, keys: readonly string[], socket: boolean): Mailbox => {
    const running = new Set(sys.processes().map((process) => process.pid));
    for (const pid of mailboxes.keys()) if (!running.has(pid)) discard(pid);
    const mailbox: Mailbox = { store: open(connect, socket), paths: [] };
    mailboxes.set(sys.pid, mailbox);
    for (const key of keys) {
      orFail(() => mailbox.store.watch(key, (path) => mailbox.paths.push(path)), `Unable to add watch on ${key}`);
    }
    return mailbox;
  };
  return {
    name: 'watch',
    start: () => ({ left: null }),
    step: (sys, state) => {
      let isDone = false;
      const status = reported(sys, () => {
        let mailbox = mailboxes.get(sys.pid);
        if (!mailbox) {
          const options = parseMode(sys);
          state.left ??= options.count ?? null;
          mailbox = openMailbox(sys, options.keys, options.socket);
        }
        const paths = mailbox.paths.splice(0, state.left ?? mailbox.paths.length);
        for (const path of paths) sys.print(`${path}\n`);
        if (state.left !== null) state.left -= paths.length;
        isDone = state.left === 0;
        return 0;
      });
      if (status === 0 && !isDone) return wait({ untilNs: sys.nowNs + WATCH_POLL_NS });
      discard(sys.pid);
      return exit(status);
    },
    signal: (sys, _state, signal) => {
      if (['INT', 'TERM', 'HUP', 'QUIT', 'PIPE'].includes(signal)) discard(sys.pid);
      return false;
    },
  };
}
