/**
 * Who wants to hear of which part of the store.
 *
 * A watch on a node fires for the node and for everything below it; when a whole subtree is removed, also for watches
 * inside it, each with its own path. Behaviour: tools/xenstore/xenstored_watch.c, Xen 3.4.
 */
import { isAtOrBelow, parentOf } from './path';

export interface Watch<Owner> {
  readonly owner: Owner;
  /** Absolute path, or a special one such as `@releaseDomain`. */
  readonly path: string;
  readonly token: string;
  /** Set with a relative path: this directory is taken off the paths of its events. */
  readonly relativeTo: string | undefined;
  /** Watches fire in the order of their owners, and for one owner in the order in which they were set. */
  readonly order: readonly [owner: number, watch: number];
}

export interface WatchHit<Owner> {
  readonly watch: Watch<Owner>;
  /** The path that the event names, as the owner sees it. */
  readonly path: string;
}

export class WatchTable<Owner> {
  readonly #byPath = new Map<string, Watch<Owner>[]>();

  add(watch: Watch<Owner>): void {
    const others = this.#byPath.get(watch.path);
    if (others) others.push(watch);
    else this.#byPath.set(watch.path, [watch]);
  }

  remove(watch: Watch<Owner>): void {
    const left = (this.#byPath.get(watch.path) ?? []).filter((other) => other !== watch);
    if (left.length > 0) this.#byPath.set(watch.path, left);
    else this.#byPath.delete(watch.path);
  }

  /** The watches that a change of `changed` fires, in order of delivery. */
  firedBy(changed: string, { subtreeRemoved = false } = {}): WatchHit<Owner>[] {
    const hits: WatchHit<Owner>[] = [];
    const collect = (at: string) => {
      for (const watch of this.#byPath.get(at) ?? []) hits.push({ watch, path: eventPath(watch, changed) });
    };
    for (let at = changed; ; at = parentOf(at)) {
      collect(at);
      if (at === '/') break;
    }
    if (subtreeRemoved) {
      for (const [path, watches] of this.#byPath) {
        if (path === changed || !isAtOrBelow(path, changed)) continue;
        // The removed path would mean nothing to these owners: name the one they watch.
        for (const watch of watches) hits.push({ watch, path: eventPath(watch, path) });
      }
    }
    return hits.sort((a, b) => a.watch.order[0] - b.watch.order[0] || a.watch.order[1] - b.watch.order[1]);
  }
}

/** A path as the watch's owner named it: relative when the watch was set with a relative path. */
export function eventPath<Owner>(watch: Watch<Owner>, path: string): string {
  if (watch.relativeTo === undefined) return path;
  const rest = path.slice(watch.relativeTo.length);
  return rest.startsWith('/') ? rest.slice(1) : rest;
}
