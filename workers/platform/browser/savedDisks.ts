/**
 * The machine's disks in the browser's IndexedDB, so that they outlive the page. One save is one transaction: all of it
 * is there afterwards or none. IndexedDB and not the origin's file system, whose files know no transactions.
 */
import { createStore, type UseStore } from 'idb-keyval';
import type { ChunkStorage } from '../../storage/hostDisk';

export class SavedDisks implements ChunkStorage {
  readonly #store: UseStore;

  constructor() {
    this.#store = createStore('xen-lab', 'disks');
  }

  async load(disk: string): Promise<ReadonlyMap<number, Uint8Array>> {
    const range = IDBKeyRange.bound([disk], [disk, []]);
    return this.#store('readonly', async (store) => {
      const [keys, values] = await Promise.all([answer(store.getAllKeys(range)), answer(store.getAll(range))]);
      return new Map(keys.map((key, index) => [(key as [string, number])[1], values[index] as Uint8Array]));
    });
  }

  save(disk: string, chunks: ReadonlyMap<number, Uint8Array>): Promise<void> {
    return this.#store('readwrite', (store) => {
      for (const [chunk, bytes] of chunks) store.put(bytes, [disk, chunk]);
      return committed(store.transaction);
    });
  }

  erase(disk: string): Promise<void> {
    return this.#store('readwrite', (store) => {
      store.delete(IDBKeyRange.bound([disk], [disk, []]));
      return committed(store.transaction);
    });
  }

  /** Rejects when this browser gives no storage. */
  async probe(): Promise<void> {
    await this.#store('readonly', (store) => answer(store.count()));
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB: a request failed'));
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB: the transaction was aborted'));
  });
}
