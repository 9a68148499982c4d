/**
 * Where on the disk the blocks of a file are: twelve direct pointers, then trees of one, two and three levels.
 */
import { N_DIRECT } from './layout';

export interface BlockMap {
  /** Block of the file → block of the disk; what is missing is a hole. */
  readonly data: Map<number, number>;
  /** Blocks that hold pointers. */
  indirect: number[];
}

export function emptyMap(): BlockMap {
  return { data: new Map(), indirect: [] };
}

export function blocksOf(map: BlockMap): number {
  return map.data.size + map.indirect.length;
}

/** First file block that the tree of `level` (1 … 3) holds. */
export function firstOfLevel(level: number, perBlock: number): number {
  let first = N_DIRECT;
  for (let l = 1; l < level; l++) first += perBlock ** l;
  return first;
}

export interface BuiltMap {
  /** The fifteen words of i_block. */
  readonly words: readonly number[];
  readonly indirect: readonly { readonly block: number; readonly bytes: Uint8Array }[];
}

/** Builds the pointer blocks for `data`; `take` gives a disk block for each. */
export function buildPointers(data: ReadonlyMap<number, number>, blockSize: number, take: () => number): BuiltMap {
  const perBlock = blockSize / 4;
  const words = Array.from({ length: 15 }, () => 0);
  const indirect: { block: number; bytes: Uint8Array }[] = [];
  for (let i = 0; i < N_DIRECT; i++) words[i] = data.get(i) ?? 0;
  for (let level = 1; level <= 3; level++) {
    const first = firstOfLevel(level, perBlock);
    const end = first + perBlock ** level;
    let below = new Map<number, number>();
    for (const [at, block] of data) if (at >= first && at < end) below.set(at - first, block);
    for (let l = 0; l < level && below.size > 0; l++) {
      const above = new Map<number, number>();
      const pages = new Map<number, Uint8Array>();
      for (const [at, block] of below) {
        const index = Math.floor(at / perBlock);
        let bytes = pages.get(index);
        if (!bytes) {
          bytes = new Uint8Array(blockSize);
          pages.set(index, bytes);
          const own = take();
          above.set(index, own);
          indirect.push({ block: own, bytes });
        }
        new DataView(bytes.buffer).setUint32(4 * (at % perBlock), block, true);
      }
      below = above;
    }
    words[N_DIRECT + level - 1] = below.get(0) ?? 0;
  }
  return { words, indirect };
}
