/** A directory tree as data: how a root file system is described before it exists (default root, images, ramdisks). */
import { FileData, type FileDataState } from './fs/fileData';
import type { Inode } from './fs/inode';
import type { Volume } from './fs/volume';

export interface RootEntry {
  /** Absolute; parents come first. */
  readonly path: string;
  readonly kind: 'dir' | 'file' | 'symlink' | 'char' | 'block' | 'fifo';
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Content of a file. Shared by every system that is made from this tree, so it must never change. */
  readonly data?: Uint8Array;
  /** Instead of `data`: content with holes. */
  readonly sparse?: FileDataState;
  /** Where a symlink points. */
  readonly target?: string;
  readonly major?: number;
  readonly minor?: number;
}

export type RootTree = readonly RootEntry[];

export const dir = (path: string, mode = 0o755): RootEntry => ({ path, kind: 'dir', mode });
export const file = (path: string, content: string | Uint8Array, mode = 0o644): RootEntry => ({
  path,
  kind: 'file',
  mode,
  data: typeof content === 'string' ? new TextEncoder().encode(content) : content,
});
export const symlink = (path: string, target: string): RootEntry => ({ path, kind: 'symlink', mode: 0o777, target });

/** Puts the tree into a volume. What is there already is kept (directories) or replaced. `nowSeconds`: all times. */
export function fillVolume(volume: Volume, tree: RootTree, nowSeconds: number): void {
  for (const entry of tree) {
    const names = entry.path.split('/').filter((name) => name !== '');
    const name = names.pop();
    const parent = directoryFor(volume, names, nowSeconds);
    if (name === undefined) {
      parent.mode = entry.mode;
      continue;
    }
    const old = parent.entries!.get(name);
    const isKept = old?.kind === 'dir' && entry.kind === 'dir';
    const inode = isKept ? old : volume.createInode(entry.kind, entry.mode);
    inode.mode = entry.mode;
    inode.uid = entry.uid ?? 0;
    inode.gid = entry.gid ?? 0;
    inode.rdevMajor = entry.major ?? 0;
    inode.rdevMinor = entry.minor ?? 0;
    inode.target = entry.target;
    inode.atime = inode.mtime = inode.ctime = nowSeconds;
    if (entry.data) volume.fill(inode, FileData.of(entry.data));
    if (entry.sparse) volume.fill(inode, FileData.restore(entry.sparse));
    if (!isKept) enter(parent, name, inode);
  }
}

function directoryFor(volume: Volume, names: readonly string[], nowSeconds: number): Inode {
  let at = volume.root;
  for (const name of names) {
    let next = at.entries!.get(name);
    if (next?.kind !== 'dir') {
      next = volume.createInode('dir', 0o755);
      next.atime = next.mtime = next.ctime = nowSeconds;
      enter(at, name, next);
    }
    at = next;
  }
  return at;
}

function enter(parent: Inode, name: string, inode: Inode): void {
  parent.entries!.set(name, inode);
  if (inode.kind === 'dir') {
    inode.nlink = 2;
    parent.nlink++;
  }
}
