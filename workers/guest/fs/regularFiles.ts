/** Open regular files, directories, and the computed files of /proc and /sys. */
import type { FileOps, OpenFile } from '../openFile';
import { SysError } from '../sys';
import type { WaitQueue } from '../waitQueue';
import type { Vfs } from './vfs';

export class RegularFiles implements FileOps {
  readonly kind = 'regular';

  constructor(
    private readonly vfs: Vfs,
    private readonly nowSeconds: () => number,
  ) {}

  read(file: OpenFile, max: number): Uint8Array {
    const bytes = this.pread(file, max, file.offset);
    file.offset += bytes.length;
    return bytes;
  }

  pread(file: OpenFile, length: number, offset: number): Uint8Array {
    const inode = file.inode!;
    if (inode.kind === 'dir') throw new SysError('EISDIR');
    if (!inode.volume.readonly) inode.atime = this.nowSeconds();
    return inode.data!.read(offset, length);
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    if (file.append) file.offset = file.inode!.size;
    this.pwrite(file, bytes, file.offset);
    file.offset += bytes.length;
    return bytes.length;
  }

  pwrite(file: OpenFile, bytes: Uint8Array, offset: number): number {
    const inode = file.inode!;
    if (inode.volume.readonly) throw new SysError('EROFS');
    if (bytes.length > 0) this.vfs.write(inode, offset, bytes, file.path);
    return bytes.length;
  }

  isReadable(): boolean {
    return true;
  }

  isWritable(): boolean {
    return true;
  }

  queue(): WaitQueue | undefined {
    return undefined;
  }

  sizeOf(file: OpenFile): number {
    return file.inode!.size;
  }
}

/** A computed file: its content is made when it is opened, so that a reader sees one moment. `data` holds it. */
export class SyntheticFiles implements FileOps {
  readonly kind = 'synthetic';

  opened(file: OpenFile, restored: boolean): void {
    if (restored) return;
    const { node } = file.inode!;
    file.data = new TextEncoder().encode(file.canRead ? (node?.read?.() ?? '') : '');
  }

  read(file: OpenFile, max: number): Uint8Array {
    const bytes = this.pread(file, max, file.offset);
    file.offset += bytes.length;
    return bytes;
  }

  pread(file: OpenFile, length: number, offset: number): Uint8Array {
    if (file.inode!.kind === 'dir') throw new SysError('EISDIR');
    return (file.data as Uint8Array).slice(offset, offset + length);
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    const { node } = file.inode!;
    if (!node?.write) throw new SysError('EIO');
    node.write(new TextDecoder().decode(bytes));
    return bytes.length;
  }

  isReadable(): boolean {
    return true;
  }

  isWritable(): boolean {
    return true;
  }

  queue(): WaitQueue | undefined {
    return undefined;
  }

  sizeOf(file: OpenFile): number {
    return (file.data as Uint8Array).length;
  }
}

/** Bytes handed to a process as its input by the host (`data`), with nothing behind them. */
export class GivenBytes implements FileOps {
  readonly kind = 'bytes';

  read(file: OpenFile, max: number): Uint8Array {
    const bytes = (file.data as Uint8Array).slice(file.offset, file.offset + max);
    file.offset += bytes.length;
    return bytes;
  }

  write(): number {
    throw new SysError('EBADF');
  }

  isReadable(): boolean {
    return true;
  }

  isWritable(): boolean {
    return true;
  }

  queue(): WaitQueue | undefined {
    return undefined;
  }
}

/** Output that goes to the host instead of into the guest; after a restore nobody listens and it is dropped. */
export class HostedOutput implements FileOps {
  readonly kind = 'hosted';
  readonly #listeners = new Map<number, (bytes: Uint8Array) => void>();
  #nextId = 1;

  listen(onOutput: (bytes: Uint8Array) => void): number {
    const id = this.#nextId++;
    this.#listeners.set(id, onOutput);
    return id;
  }

  read(): Uint8Array {
    return new Uint8Array(0);
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    this.#listeners.get(file.object)?.(bytes.slice());
    return bytes.length;
  }

  release(file: OpenFile): void {
    this.#listeners.delete(file.object);
  }

  isReadable(): boolean {
    return true;
  }

  isWritable(): boolean {
    return true;
  }

  queue(): WaitQueue | undefined {
    return undefined;
  }
}
