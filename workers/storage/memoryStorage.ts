/** Chunk storage that lives as long as the process: hosts without a browser keep their disks here over a crash. */
import type { ChunkStorage } from './hostDisk';

export class MemoryStorage implements ChunkStorage {
  readonly #disks = new Map<string, Map<number, Uint8Array>>();

  async load(disk: string): Promise<ReadonlyMap<number, Uint8Array>> {
    return this.#disks.get(disk) ?? new Map();
  }

  async save(disk: string, chunks: ReadonlyMap<number, Uint8Array>): Promise<void> {
    let stored = this.#disks.get(disk);
    if (!stored) {
      stored = new Map();
      this.#disks.set(disk, stored);
    }
    for (const [chunk, bytes] of chunks) stored.set(chunk, bytes);
  }

  async erase(disk: string): Promise<void> {
    this.#disks.delete(disk);
  }
}
