/**
 * xenstore as Domain-0's kernel reaches it: the daemon runs in the same domain, so requests go to it directly.
 *
 * The daemon starts after the kernel; what drivers ask before that is kept and asked when it has come up, as XenLinux's
 * xenbus probes its devices only once the store is there. Answers come in a later piece of kernel work, never inside
 * the call, so that drivers see the same order as over a ring.
 */
import type { XenbusServices } from './services';

/** The part of a store connection that the kernel uses (xenstore/client.ts has it). */
export interface LocalStore {
  read(path: string): string | undefined;
  list(path: string): readonly string[] | undefined;
  remove(path: string): void;
  transaction<T>(body: (store: { write(path: string, value: string): void }) => T): T;
  watch(path: string, handler: (path: string) => void): () => void;
}

export class LocalXenbus implements XenbusServices {
  #store: LocalStore | undefined;
  #waiting: (() => void)[] = [];
  #nextToken = 1;
  readonly #watches = new Map<
    string,
    { readonly path: string; readonly handler: (path: string) => void; stop?: () => void }
  >();

  /** `defer`: runs an action in a later piece of work; `home`: directory of relative paths. */
  constructor(
    private readonly defer: (action: () => void) => void,
    private readonly home = '/local/domain/0',
  ) {}

  /** The daemon is up (again): what has waited is asked, watches are set on the new connection. */
  connect(store: LocalStore): void {
    this.#store = store;
    for (const token of this.#watches.keys()) this.#setWatch(token);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) request();
  }

  read(path: string, done: (value: string | undefined) => void): void {
    this.#ask(
      (store) => store.read(this.#absolute(path)),
      (value) => done(value),
    );
  }

  list(path: string, done: (names: readonly string[]) => void): void {
    this.#ask(
      (store) => store.list(this.#absolute(path)),
      (names) => done(names ?? []),
    );
  }

  write(pairs: Readonly<Record<string, string>>, done?: (ok: boolean) => void): void {
    this.#ask(
      (store) => {
        store.transaction((tx) => {
          for (const [path, value] of Object.entries(pairs)) tx.write(this.#absolute(path), value);
        });
        return true;
      },
      (ok) => done?.(ok === true),
    );
  }

  remove(path: string, done?: (ok: boolean) => void): void {
    this.#ask(
      (store) => {
        store.remove(this.#absolute(path));
        return true;
      },
      (ok) => done?.(ok === true),
    );
  }

  watch(path: string, handler: (path: string) => void): string {
    const token = String(this.#nextToken++);
    this.#watches.set(token, { path, handler });
    if (this.#store) this.#setWatch(token);
    return token;
  }

  unwatch(token: string): void {
    this.#watches.get(token)?.stop?.();
    this.#watches.delete(token);
  }

  #setWatch(token: string): void {
    const watch = this.#watches.get(token);
    if (!watch || !this.#store) return;
    const isRelative = !watch.path.startsWith('/') && !watch.path.startsWith('@');
    const prefix = isRelative ? `${this.home}/` : '';
    watch.stop = this.#store.watch(this.#absolute(watch.path), (path) => {
      this.defer(() => {
        if (this.#watches.has(token)) watch.handler(path.startsWith(prefix) ? path.slice(prefix.length) : path);
      });
    });
  }

  /** A refusal by the store answers undefined: drivers treat it as absence, as over the ring. */
  #ask<T>(question: (store: LocalStore) => T, done: (answer: T | undefined) => void): void {
    const ask = () => {
      let answer: T | undefined;
      try {
        answer = question(this.#store!);
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'XenstoreError') throw error;
      }
      this.defer(() => done(answer));
    };
    if (this.#store) ask();
    else this.#waiting.push(ask);
  }

  #absolute(path: string): string {
    return path.startsWith('/') || path.startsWith('@') ? path : `${this.home}/${path}`;
  }
}
