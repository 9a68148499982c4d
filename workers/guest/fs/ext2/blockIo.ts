/** Whole file-system blocks over a block device: collects what is wanted, then reads or writes it in long runs. */
import type { BlockDevice } from '../../services';
import { Ext2Error } from './layout';

/** Bytes of the longest single transfer. */
const RUN_BYTES = 64 * 1024;
/** Transfers that are under way at once. */
const WINDOW = 16;

interface Transfer {
  readonly block: number;
  readonly count: number;
}

function runs(blocks: Iterable<number>, perRun: number): Transfer[] {
  const sorted = [...new Set(blocks)].sort((a, b) => a - b);
  const found: { block: number; count: number }[] = [];
  for (const block of sorted) {
    const last = found.at(-1);
    if (last && last.block + last.count === block && last.count < perRun) last.count++;
    else found.push({ block, count: 1 });
  }
  return found;
}

/** Runs `start` for all items, some at a time; `done(false)` as soon as all under way have ended after a failure. */
function forAll<T>(
  items: readonly T[],
  start: (item: T, done: (ok: boolean) => void) => void,
  done: (ok: boolean) => void,
): void {
  let next = 0;
  let active = 0;
  let ok = true;
  let isPumping = false;
  const pump = () => {
    if (isPumping) return;
    isPumping = true;
    while (ok && next < items.length && active < WINDOW) {
      active++;
      start(items[next++]!, (good) => {
        active--;
        ok &&= good;
        pump();
      });
    }
    isPumping = false;
    if (active === 0 && (!ok || next === items.length)) {
      next = Number.POSITIVE_INFINITY;
      const finish = done;
      done = () => {};
      finish(ok);
    }
  };
  pump();
}

/** Reads what a reader asks for in rounds: everything that is wanted at one time is fetched together. */
export class BlockFetcher {
  #wanted: { readonly blocks: readonly number[]; readonly use: (blocks: readonly Uint8Array[]) => void }[] = [];

  constructor(
    private readonly device: BlockDevice,
    private readonly blockSize: number,
    private readonly blocks: number,
  ) {}

  /** Calls `use` with these blocks in a later round. Throws Ext2Error for a block outside of the file system. */
  fetch(blocks: readonly number[], use: (blocks: readonly Uint8Array[]) => void): void {
    for (const block of blocks) {
      if (block <= 0 && this.blockSize === 1024) throw new Ext2Error('EIO', 'block 0');
      if (block < 0 || block >= this.blocks) throw new Ext2Error('EIO', `block ${block}`);
    }
    this.#wanted.push({ blocks, use });
  }

  /** Fetches until nobody wants anything more. */
  run(done: (failure: Ext2Error | undefined) => void): void {
    let isLooping = false;
    let hasArrived = false;
    const loop = () => {
      hasArrived = true;
      if (isLooping) return;
      isLooping = true;
      while (hasArrived) {
        hasArrived = false;
        if (this.#wanted.length === 0) {
          done(undefined);
          break;
        }
        this.#round((failure) => {
          if (failure) done(failure);
          else loop();
        });
      }
      isLooping = false;
    };
    loop();
  }

  #round(done: (failure: Ext2Error | undefined) => void): void {
    const round = this.#wanted;
    this.#wanted = [];
    const sectors = this.blockSize / 512;
    const found = new Map<number, Uint8Array>();
    const read = ({ block, count }: Transfer, next: (ok: boolean) => void) =>
      this.device.read(block * sectors, count * sectors, (bytes) => {
        for (let i = 0; bytes && i < count; i++)
          found.set(block + i, bytes.subarray(i * this.blockSize, (i + 1) * this.blockSize));
        next(bytes !== undefined);
      });
    const wanted = runs(
      round.flatMap(({ blocks }) => blocks),
      RUN_BYTES / this.blockSize,
    );
    forAll(wanted, read, (ok) => {
      if (!ok) {
        done(new Ext2Error('EIO', 'the device failed'));
        return;
      }
      try {
        for (const { blocks, use } of round) use(blocks.map((block) => found.get(block)!));
      } catch (error) {
        if (error instanceof Ext2Error) {
          done(error);
          return;
        }
        throw error;
      }
      done(undefined);
    });
  }
}

/** Writes blocks, then flushes the device. */
export function writeBlocks(
  device: BlockDevice,
  blockSize: number,
  writes: ReadonlyMap<number, Uint8Array>,
  done: (ok: boolean) => void,
): void {
  const sectors = blockSize / 512;
  const write = ({ block, count }: Transfer, next: (ok: boolean) => void) => {
    const bytes = new Uint8Array(count * blockSize);
    for (let i = 0; i < count; i++) bytes.set(writes.get(block + i)!, i * blockSize);
    device.write(block * sectors, bytes, next);
  };
  forAll(runs(writes.keys(), RUN_BYTES / blockSize), write, (ok) => {
    if (ok) device.flush(done);
    else done(false);
  });
}
