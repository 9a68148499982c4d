/**
 * xenstore tools of a guest (`xenstore-read`, `-write`, `-rm`, `-list`, `-exists`), which a driver domain's hotplug
 * scripts use. They go through the kernel's ring to the store (/proc/xen/xenbus), where relative paths start at the
 * domain's own directory. Domain-0 has the full set, beside its daemon.
 */
import type { Operation, OperationIo } from '../operations';
import type { XenbusServices } from '../services';
import { exit, type Program, wait } from '../sys';

const OPERATION = 'xenstore';

const MODES = ['read', 'write', 'rm', 'list', 'exists'] as const;
type Mode = (typeof MODES)[number];

interface Request {
  readonly mode: Mode;
  readonly words: readonly string[];
}

export const xenstoreTools: readonly Program[] = MODES.map(
  (mode): Program<{ operation: number }> => ({
    name: `xenstore-${mode}`,
    start: (sys) => ({
      operation: sys.startOperation(OPERATION, { mode, words: sys.argv.slice(1) } satisfies Request),
    }),
    step(sys, { operation }) {
      const result = sys.operationResult(operation);
      return result ? exit(result.status) : wait({ operation });
    },
  }),
);

/** Ends a tool with this complaint and status 1. */
class Complaint extends Error {
  override readonly name = 'Complaint';
}

/** What the tools do; `wake`: a reply has come from outside of the guest's slices. */
export function xenstoreOperation(
  xenbus: XenbusServices,
  wake: () => void,
): { readonly name: string; readonly run: Operation } {
  const store = promised(xenbus, wake);
  return {
    name: OPERATION,
    run: async (argument, io) => {
      const { mode, words } = argument as Request;
      const keys = words.filter((word) => !word.startsWith('-'));
      try {
        return { status: await act(store, mode, keys, words.includes('-t'), io) };
      } catch (error) {
        if (!(error instanceof Complaint)) throw error;
        io.eprint(`xenstore-${mode}: ${error.message}\n`);
        return { status: 1 };
      }
    },
  };
}

/** The operation that waits until a key of the store has another value than `known`; its result is the new one. */
export const AWAIT_OPERATION = 'xenstore-await';

export interface AwaitRequest {
  readonly key: string;
  readonly known: string | undefined;
}

/** Status 1: the key is gone, or the wait was given up. */
export function awaitOperation(
  xenbus: XenbusServices,
  wake: () => void,
): { readonly name: string; readonly run: Operation } {
  const store = promised(xenbus, wake);
  return {
    name: AWAIT_OPERATION,
    run: (argument, { cancelled }) =>
      new Promise((resolve) => {
        const { key, known } = argument as AwaitRequest;
        const end = (value: string | undefined) => {
          xenbus.unwatch(token);
          resolve(value === undefined ? { status: 1 } : { status: 0, value });
        };
        const token = xenbus.watch(key, () => {
          void store.read(key).then((value) => {
            if (value !== known) end(value);
          });
        });
        cancelled.onCancel(() => end(undefined));
      }),
  };
}

type Store = ReturnType<typeof promised>;

function promised(xenbus: XenbusServices, wake: () => void) {
  const reply = <T>(ask: (done: (value: T) => void) => void) =>
    new Promise<T>((resolve) => {
      ask((value) => {
        resolve(value);
        wake();
      });
    });
  return {
    read: (path: string) => reply<string | undefined>((done) => xenbus.read(path, done)),
    list: (path: string) => reply<readonly string[]>((done) => xenbus.list(path, done)),
    write: (pairs: Readonly<Record<string, string>>) => reply<boolean>((done) => xenbus.write(pairs, done)),
    remove: (path: string) => reply<boolean>((done) => xenbus.remove(path, done)),
  };
}

async function act(
  store: Store,
  mode: Mode,
  keys: readonly string[],
  isTidy: boolean,
  io: OperationIo,
): Promise<number> {
  if (keys.length === 0 || (mode === 'write' && keys.length % 2 === 1))
    throw new Complaint(`Usage: xenstore-${mode} key ${mode === 'write' ? 'value ' : ''}[...]`);
  switch (mode) {
    case 'read':
      for (const key of keys) {
        const value = await store.read(key);
        if (value === undefined) throw new Complaint(`couldn't read path ${key}`);
        io.print(`${value}\n`);
      }
      return 0;
    case 'list':
      for (const key of keys) {
        if ((await store.read(key)) === undefined) throw new Complaint(`could not list path ${key}`);
        for (const name of await store.list(key)) io.print(`${name}\n`);
      }
      return 0;
    case 'exists':
      for (const key of keys) if ((await store.read(key)) === undefined) return 1;
      return 0;
    case 'write': {
      const pairs = keys.flatMap((key, at) => (at % 2 === 0 ? [[key, keys[at + 1]!] as const] : []));
      if (!(await store.write(Object.fromEntries(pairs)))) throw new Complaint(`could not write path ${keys[0]}`);
      return 0;
    }
    case 'rm':
      for (const key of keys) {
        if (!(await store.remove(key))) throw new Complaint(`could not remove path ${key}`);
        if (isTidy) await tidyUp(store, key);
      }
      return 0;
  }
}

/** Removes the directories above that are left empty and have no value. */
async function tidyUp(store: Store, removed: string): Promise<void> {
  for (let path = above(removed); path !== ''; path = above(path)) {
    if ((await store.read(path)) !== '' || (await store.list(path)).length > 0) return;
    if (!(await store.remove(path))) return;
  }
}

const above = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
