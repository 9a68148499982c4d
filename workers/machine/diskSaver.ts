/** Decides when the disks are stored: once they have been quiet for a moment, and now and then while they are not. */
import type { KeptDisks } from './keptDisks';

/** No write for this long: what belongs together has arrived. ms of wall time. */
const QUIET_MS = 300;
/** Under steady writing, this often. */
const AT_LEAST_MS = 3000;
/** After a refusal (storage full) the next attempt waits this long. */
const RETRY_MS = 10_000;

export class DiskSaver {
  #writes = -1;
  #lastWriteMs = 0;
  #waitingSinceMs: number | undefined;
  #notBeforeMs = 0;
  #running: Promise<void> | undefined;

  /** `failed` is told each time the storage refuses. */
  constructor(
    private readonly disks: Pick<KeptDisks, 'unsaved' | 'save'>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** To be called several times a second. */
  tick(wallMs: number): void {
    const { bytes, writes } = this.disks.unsaved;
    if (writes !== this.#writes) {
      this.#writes = writes;
      this.#lastWriteMs = wallMs;
    }
    if (bytes === 0) {
      this.#waitingSinceMs = undefined;
      return;
    }
    this.#waitingSinceMs ??= wallMs;
    const isQuiet = wallMs - this.#lastWriteMs >= QUIET_MS;
    const isOverdue = wallMs - this.#waitingSinceMs >= AT_LEAST_MS;
    if (this.#running || wallMs < this.#notBeforeMs || !(isQuiet || isOverdue)) return;
    this.#waitingSinceMs = undefined;
    this.#running = this.disks
      .save()
      .catch((error: unknown) => {
        this.#notBeforeMs = wallMs + RETRY_MS;
        this.failed(error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }
}
