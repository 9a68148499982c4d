/** Directory blocks: a chain of entries (inode u32, rec_len u16, name_len u8, file_type u8, name) that fills each block. */
import { Ext2Error, viewOf } from './layout';

export interface DirEntry {
  readonly ino: number;
  readonly name: string;
  readonly fileType: number;
}

/** The entries of one block, without the empty ones. Throws Ext2Error EIO when the chain is broken. */
export function parseDirBlock(block: Uint8Array): DirEntry[] {
  const view = viewOf(block);
  const entries: DirEntry[] = [];
  for (let at = 0; at < block.length; ) {
    const length = view.getUint16(at + 4, true);
    const nameLength = block[at + 6]!;
    if (length < 8 || length % 4 !== 0 || at + length > block.length || 8 + nameLength > length)
      throw new Ext2Error('EIO', `directory entry of ${length} bytes`);
    const ino = view.getUint32(at, true);
    const name = new TextDecoder().decode(block.subarray(at + 8, at + 8 + nameLength));
    if (ino !== 0 && nameLength > 0) entries.push({ ino, name, fileType: block[at + 7]! });
    at += length;
  }
  return entries;
}

/** Packs entries into as many blocks as they need, but at least `minBlocks`: directories do not shrink. */
export function buildDirBlocks(
  entries: readonly DirEntry[],
  blockSize: number,
  hasFileType: boolean,
  minBlocks: number,
): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let block = new Uint8Array(blockSize);
  let at = 0;
  /** Where the last entry of the current block begins: it takes the rest of the block. */
  let last = 0;
  const close = () => {
    viewOf(block).setUint16(last + 4, blockSize - last, true);
    blocks.push(block);
    block = new Uint8Array(blockSize);
    at = last = 0;
  };
  for (const { ino, name, fileType } of entries) {
    const bytes = new TextEncoder().encode(name);
    const length = (8 + bytes.length + 3) & ~3;
    if (at + length > blockSize) close();
    const view = viewOf(block);
    view.setUint32(at, ino, true);
    view.setUint16(at + 4, length, true);
    block[at + 6] = bytes.length;
    block[at + 7] = hasFileType ? fileType : 0;
    block.set(bytes, at + 8);
    last = at;
    at += length;
  }
  close();
  while (blocks.length < minBlocks) close();
  return blocks;
}
