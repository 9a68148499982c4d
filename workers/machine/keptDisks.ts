/** The disks of a machine and the storage in which they last: filled from there, stored piece by piece, erased there. */
import { CHUNK_SIZE, type ChunkStorage } from '../storage/hostDisk';
import { makeDisks, type PhysicalDisk } from './hardware';

export class KeptDisks {
  readonly all: readonly PhysicalDisk[] = makeDisks();
  /** Saves follow one another. */
  #last: Promise<void> = Promise.resolve();
  /** On its way into the storage. */
  #savingBytes = 0;

  /** `machine` names their owner in the storage. */
  constructor(
    private readonly storage: ChunkStorage,
    private readonly machine: string,
  ) {}

  /** Fills them with what was stored; false when that is nothing. */
  async load(): Promise<boolean> {
    let isAny = false;
    for (const { disk } of this.all) {
      const chunks = await this.storage.load(this.#nameOf(disk.name));
      disk.fill(chunks);
      isAny ||= chunks.size > 0;
    }
    return isAny;
  }

  /** Stores what has reached the disks since the last call. Rejects when the storage refuses; then nothing is forgotten. */
  save(): Promise<void> {
    return this.#next(async () => {
      for (const { disk } of this.all) {
        const chunks = disk.takeDirty();
        if (chunks.size === 0) continue;
        this.#savingBytes += chunks.size * CHUNK_SIZE;
        try {
          await this.storage.save(this.#nameOf(disk.name), chunks);
        } catch (error) {
          disk.untake(chunks.keys());
          throw error;
        } finally {
          this.#savingBytes -= chunks.size * CHUNK_SIZE;
        }
      }
    });
  }

  /** Forgets what was stored, and what would have been. */
  erase(): Promise<void> {
    return this.#next(async () => {
      for (const { disk } of this.all) {
        disk.takeDirty();
        await this.storage.erase(this.#nameOf(disk.name));
      }
    });
  }

  /** Bytes on the disks that are not stored yet, and how often the disks were written to. */
  get unsaved(): { readonly bytes: number; readonly writes: number } {
    const disks = this.all.map(({ disk }) => disk);
    return {
      bytes: disks.reduce((sum, disk) => sum + disk.dirtyChunks * CHUNK_SIZE, this.#savingBytes),
      writes: disks.reduce((sum, disk) => sum + disk.writeCount, 0),
    };
  }

  #nameOf(disk: string): string {
    return `${this.machine}/${disk}`;
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
