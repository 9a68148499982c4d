/**
 * Reads an ext2 file system into an empty Volume: every inode that can be reached from the root, with its content.
 *
 * Reads block maps of up to three levels, sparse files, short and long symbolic links, device nodes, inodes of 128 bytes
 * and more; also, for looking only, the extents of ext4. Whatever the disk holds, it ends: each block is read into at most
 * one place, each directory is entered once.
 */
import type { BlockDevice } from '../../services';
import { EXTENT_SIZE, FileData } from '../fileData';
import type { Inode } from '../inode';
import type { Volume } from '../volume';
import { BlockFetcher } from './blockIo';
import { type BlockMap, emptyMap, firstOfLevel } from './blockMap';
import { parseDirBlock } from './dirBlocks';
import {
  decodeDevice,
  descriptorBlocks,
  Ext2Error,
  FLAG_EXTENTS,
  type Geometry,
  GroupDesc,
  kindOfMode,
  N_DIRECT,
  parseSuperblock,
  RawInode,
  ROOT_INO,
  SUPERBLOCK_OFFSET,
  viewOf,
} from './layout';

/** What the writer needs to know of a file system that has been read. */
export interface Ext2Content {
  readonly geometry: Geometry;
  /** Superblock, descriptors, bitmaps and the blocks of the inode tables that hold used inodes, by block number. */
  readonly metadata: Map<number, Uint8Array>;
  /** Inode → where its blocks are. */
  readonly maps: Map<number, BlockMap>;
  /** Directory → the directory it is in. */
  readonly parents: Map<number, number>;
}

/** Reads the device into the volume. `done` gets an Ext2Error: EINVAL no (known) ext2, EIO broken or unreadable. */
export function readTree(device: BlockDevice, volume: Volume, done: (result: Ext2Content | Ext2Error) => void): void {
  device.read(SUPERBLOCK_OFFSET / 512, 2, (bytes) => {
    if (!bytes) {
      done(new Ext2Error('EIO', 'the device failed'));
      return;
    }
    try {
      const geometry = parseSuperblock(bytes);
      if (geometry.blocks * (geometry.blockSize / 512) > device.sectors)
        throw new Ext2Error('EINVAL', 'the file system is larger than its device');
      const reader = new TreeReader(geometry, device, volume);
      reader.read(done);
    } catch (error) {
      if (!(error instanceof Ext2Error)) throw error;
      done(error);
    }
  });
}

class TreeReader {
  readonly #fetcher: BlockFetcher;
  readonly #metadata = new Map<number, Uint8Array>();
  readonly #maps = new Map<number, BlockMap>();
  readonly #parents = new Map<number, number>();
  /** Inode number → the inodes that wait for it or have it. */
  readonly #inodes = new Map<number, Inode>();
  readonly #waiting = new Map<number, ((inode: Inode) => void)[]>();
  #descriptors: Uint8Array = new Uint8Array(0);
  /** Blocks that inodes may still claim: a disk cannot hold more than it has. */
  #budget: number;

  constructor(
    private readonly geometry: Geometry,
    device: BlockDevice,
    private readonly volume: Volume,
  ) {
    this.#fetcher = new BlockFetcher(device, geometry.blockSize, geometry.blocks);
    this.#budget = geometry.blocks;
  }

  read(done: (result: Ext2Content | Ext2Error) => void): void {
    const { geometry } = this;
    const superBlock = Math.floor(SUPERBLOCK_OFFSET / geometry.blockSize);
    const first = geometry.firstDataBlock + 1;
    const table = Array.from({ length: descriptorBlocks(geometry) }, (_, i) => first + i);
    const wanted = superBlock === 0 ? [0] : [superBlock];
    this.#fetchMetadata([...wanted, ...table], () => {
      this.#descriptors = concat(table.map((block) => this.#metadata.get(block)!));
      if (geometry.isWritable) {
        const bitmaps = Array.from({ length: geometry.groups }, (_, i) => this.#group(i));
        this.#fetchMetadata(
          bitmaps.flatMap((group) => [group.blockBitmap, group.inodeBitmap]),
          () => {},
        );
      }
      this.#withInode(ROOT_INO, undefined, () => {});
    });
    this.#fetcher.run((failure) => {
      if (failure) {
        done(failure);
        return;
      }
      const { root } = this.volume;
      if (this.#inodes.get(ROOT_INO) !== root) {
        done(new Ext2Error('EIO', 'no root directory'));
        return;
      }
      done({ geometry, metadata: this.#metadata, maps: this.#maps, parents: this.#parents });
    });
  }

  #group(index: number): GroupDesc {
    return new GroupDesc(this.#descriptors, index * this.geometry.descSize);
  }

  #fetchMetadata(blocks: readonly number[], use: () => void): void {
    const missing = blocks.filter((block) => !this.#metadata.has(block));
    this.#fetcher.fetch(missing, (found) => {
      missing.forEach((block, i) => {
        if (!this.#metadata.has(block)) this.#metadata.set(block, found[i]!.slice());
      });
      use();
    });
  }

  /** Calls `use` with the inode, which is read when it is named for the first time. */
  #withInode(ino: number, parent: number | undefined, use: (inode: Inode) => void): void {
    const known = this.#inodes.get(ino);
    if (known) {
      if (known.kind === 'dir') throw new Ext2Error('EIO', `directory ${ino} has two names`);
      use(known);
      return;
    }
    const others = this.#waiting.get(ino);
    if (others) {
      others.push(use);
      return;
    }
    this.#waiting.set(ino, [use]);
    const { geometry } = this;
    if (ino < 1 || ino > geometry.inodes) throw new Ext2Error('EIO', `inode ${ino}`);
    const index = (ino - 1) % geometry.inodesPerGroup;
    const group = this.#group(Math.floor((ino - 1) / geometry.inodesPerGroup));
    const at = index * geometry.inodeSize;
    const block = group.inodeTable + Math.floor(at / geometry.blockSize);
    this.#fetchMetadata([block], () => {
      const raw = new RawInode(this.#metadata.get(block)!, at % geometry.blockSize, geometry.inodeSize);
      const inode = this.#makeInode(ino, raw);
      this.#inodes.set(ino, inode);
      const waiting = this.#waiting.get(ino)!;
      this.#waiting.delete(ino);
      if (inode.kind === 'dir' && waiting.length > 1) throw new Ext2Error('EIO', `directory ${ino} has two names`);
      if (inode.kind === 'dir') this.#parents.set(ino, parent ?? ino);
      for (const each of waiting) each(inode);
    });
  }

  #makeInode(ino: number, raw: RawInode): Inode {
    const kind = kindOfMode(raw.mode);
    if (!kind) throw new Ext2Error('EIO', `inode ${ino} has mode 0x${raw.mode.toString(16)}`);
    if ((ino === ROOT_INO) !== (kind === 'dir' && ino === ROOT_INO))
      throw new Ext2Error('EIO', 'the root is no directory');
    const inode = ino === ROOT_INO ? this.volume.root : this.volume.createInode(kind, raw.mode & 0o7777, ino);
    inode.mode = raw.mode & 0o7777;
    inode.uid = raw.uid;
    inode.gid = raw.gid;
    inode.nlink = raw.links;
    inode.atime = raw.u32(8);
    inode.ctime = raw.u32(12);
    inode.mtime = raw.u32(16);
    switch (kind) {
      case 'file':
        this.#readFile(ino, inode, raw);
        break;
      case 'dir':
        this.#readDir(ino, inode, raw);
        break;
      case 'symlink':
        this.#readLink(ino, inode, raw);
        break;
      default:
        [inode.rdevMajor, inode.rdevMinor] = decodeDevice(raw.block(0), raw.block(1));
        this.#maps.set(ino, emptyMap());
    }
    return inode;
  }

  #readFile(ino: number, inode: Inode, raw: RawInode): void {
    const { size } = raw;
    this.#readMap(ino, raw, (map) => {
      const blocks = [...map.data].filter(([at]) => at * this.geometry.blockSize < size);
      this.#fetcher.fetch(
        blocks.map(([, block]) => block),
        (found) => {
          const extents = new Map<number, Uint8Array>();
          blocks.forEach(([at], i) => {
            const offset = at * this.geometry.blockSize;
            const index = Math.floor(offset / EXTENT_SIZE);
            const end = Math.min(EXTENT_SIZE, size - index * EXTENT_SIZE);
            let extent = extents.get(index);
            if (!extent) {
              extent = new Uint8Array(end);
              extents.set(index, extent);
            }
            const within = offset % EXTENT_SIZE;
            extent.set(found[i]!.subarray(0, end - within), within);
          });
          this.volume.fill(inode, FileData.restore({ size, extents: [...extents] }));
        },
      );
    });
  }

  #readDir(ino: number, inode: Inode, raw: RawInode): void {
    this.#readMap(ino, raw, (map) => {
      const blocks = [...map.data].sort((a, b) => a[0] - b[0]).map(([, block]) => block);
      this.#fetcher.fetch(blocks, (found) => {
        for (const { ino: child, name } of found.flatMap(parseDirBlock)) {
          if (name === '.' || name === '..') continue;
          // Keeps the order of the disk, whenever the inode itself arrives.
          inode.entries!.set(name, inode);
          this.#withInode(child, ino, (entry) => inode.entries!.set(name, entry));
        }
      });
    });
  }

  #readLink(ino: number, inode: Inode, raw: RawInode): void {
    const { size } = raw;
    const ownSectors = raw.fileAcl === 0 ? 0 : this.geometry.blockSize / 512;
    if (raw.sectors <= ownSectors && size < 60) {
      inode.target = new TextDecoder().decode(raw.blockArea.subarray(0, size));
      this.#maps.set(ino, emptyMap());
      return;
    }
    inode.target = '';
    this.#readMap(ino, raw, (map) => {
      const block = map.data.get(0);
      if (block === undefined || size > this.geometry.blockSize) throw new Ext2Error('EIO', `symbolic link ${ino}`);
      this.#fetcher.fetch([block], ([bytes]) => {
        inode.target = new TextDecoder().decode(bytes!.subarray(0, size));
      });
    });
  }

  // ------------------------------------------------------------------------------------------------------ block maps

  #readMap(ino: number, raw: RawInode, use: (map: BlockMap) => void): void {
    const map = emptyMap();
    this.#maps.set(ino, map);
    if ((raw.flags & FLAG_EXTENTS) !== 0) {
      this.#readExtents(map, [raw.blockArea.slice()], use);
      return;
    }
    const perBlock = this.geometry.blockSize / 4;
    for (let i = 0; i < N_DIRECT; i++) this.#claim(map, i, raw.block(i));
    const nodes: PointerNode[] = [];
    for (let level = 1; level <= 3; level++) {
      const block = raw.block(N_DIRECT + level - 1);
      if (block !== 0) nodes.push({ block, level, first: firstOfLevel(level, perBlock) });
    }
    this.#readPointers(map, nodes, use);
  }

  #readPointers(map: BlockMap, nodes: readonly PointerNode[], use: (map: BlockMap) => void): void {
    if (nodes.length === 0) {
      use(map);
      return;
    }
    const perBlock = this.geometry.blockSize / 4;
    for (const { block } of nodes) {
      this.#spend();
      map.indirect.push(block);
    }
    this.#fetcher.fetch(
      nodes.map(({ block }) => block),
      (found) => {
        const below: PointerNode[] = [];
        nodes.forEach(({ level, first }, n) => {
          const view = viewOf(found[n]!);
          const span = perBlock ** (level - 1);
          for (let i = 0; i < perBlock; i++) {
            const block = view.getUint32(4 * i, true);
            if (block === 0) continue;
            if (level === 1) this.#claim(map, first + i, block);
            else below.push({ block, level: level - 1, first: first + i * span });
          }
        });
        this.#readPointers(map, below, use);
      },
    );
  }

  #readExtents(map: BlockMap, nodes: readonly Uint8Array[], use: (map: BlockMap) => void): void {
    const below: number[] = [];
    for (const node of nodes) {
      const view = viewOf(node);
      const count = view.getUint16(2, true);
      const depth = view.getUint16(6, true);
      if (view.getUint16(0, true) !== 0xf30a || 12 + 12 * count > node.length || depth > 5)
        throw new Ext2Error('EIO', 'extent tree');
      for (let at = 12; at < 12 + 12 * count; at += 12) {
        if (depth > 0) {
          this.#spend();
          below.push(view.getUint32(at + 4, true));
          continue;
        }
        const first = view.getUint32(at, true);
        const length = view.getUint16(at + 4, true);
        const start = view.getUint32(at + 8, true);
        // A length above 32768 marks space that was never written and reads as zeros.
        for (let i = 0; length <= 32768 && i < length; i++) this.#claim(map, first + i, start + i);
      }
    }
    if (below.length === 0) {
      use(map);
      return;
    }
    this.#fetcher.fetch(below, (found) => this.#readExtents(map, found, use));
  }

  #claim(map: BlockMap, at: number, block: number): void {
    if (block === 0) return;
    this.#spend();
    map.data.set(at, block);
  }

  #spend(): void {
    if (this.#budget-- <= 0) throw new Ext2Error('EIO', 'blocks are used more than once');
  }
}

interface PointerNode {
  readonly block: number;
  readonly level: number;
  readonly first: number;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
