/** Block devices whose bytes are in this kernel's memory: RAM disks, and loop devices over files. */
import { FileData, type FileDataState } from '../fs/fileData';
import type { Inode } from '../fs/inode';
import type { BlockDevice } from '../services';
import { SysError } from '../sys';
import type { BlockDevices } from './registry';

const SECTOR = 512;
const RAMDISK_MAJOR = 1;
export const LOOP_MAJOR = 7;
export const LOOP_DEVICES = 8;
/** Linux's default ramdisk_size, 16 MiB. */
const RAMDISK_SECTORS = 32768;

/** /dev/ramN: empty (all zeros) until something is written. */
export class RamDisk implements BlockDevice {
  readonly major = RAMDISK_MAJOR;
  readonly readonly = false;
  data = new FileData();

  constructor(
    readonly minor: number,
    readonly sectors = RAMDISK_SECTORS,
  ) {}

  get name(): string {
    return `ram${this.minor}`;
  }

  read(sector: number, count: number, done: (bytes: Uint8Array | undefined) => void): void {
    if (sector + count > this.sectors) {
      done(undefined);
      return;
    }
    const out = new Uint8Array(count * SECTOR);
    out.set(this.data.read(sector * SECTOR, out.length));
    done(out);
  }

  write(sector: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    if (sector * SECTOR + bytes.length > this.sectors * SECTOR) {
      done(false);
      return;
    }
    this.data.write(sector * SECTOR, bytes);
    done(true);
  }

  flush(done: (ok: boolean) => void): void {
    done(true);
  }

  save(): FileDataState {
    return this.data.save();
  }
}

export interface LoopState {
  readonly number: number;
  readonly path: string;
  readonly offset: number;
  readonly readonly: boolean;
}

/** /dev/loopN: a file as a block device. Its size is the file's when it was attached. */
export class LoopDevice implements BlockDevice {
  readonly major = LOOP_MAJOR;
  readonly sectors: number;

  constructor(
    readonly minor: number,
    readonly inode: Inode,
    readonly path: string,
    readonly offset: number,
    readonly readonly: boolean,
  ) {
    this.sectors = Math.floor(Math.max(0, inode.size - offset) / SECTOR);
  }

  get name(): string {
    return `loop${this.minor}`;
  }

  read(sector: number, count: number, done: (bytes: Uint8Array | undefined) => void): void {
    if (sector + count > this.sectors) {
      done(undefined);
      return;
    }
    const out = new Uint8Array(count * SECTOR);
    out.set(this.inode.data!.read(this.offset + sector * SECTOR, out.length));
    done(out);
  }

  write(sector: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    if (this.readonly || sector * SECTOR + bytes.length > this.sectors * SECTOR) {
      done(false);
      return;
    }
    try {
      this.inode.volume.write(this.inode, this.offset + sector * SECTOR, bytes);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      done(false); // the file system that holds the image is full
      return;
    }
    done(true);
  }

  flush(done: (ok: boolean) => void): void {
    done(true);
  }
}

/** losetup's view of the loop devices. */
export class LoopDevices {
  readonly #attached = new Map<number, LoopDevice>();

  constructor(private readonly registry: BlockDevices) {}

  /** EBUSY when in use, EINVAL for what is not a regular file. */
  attach(number: number, inode: Inode, path: string, offset: number, readonly: boolean): void {
    if (number < 0 || number >= LOOP_DEVICES) throw new SysError('ENXIO', `/dev/loop${number}`);
    if (this.#attached.has(number)) throw new SysError('EBUSY', `/dev/loop${number}`);
    if (inode.kind !== 'file' || !inode.data) throw new SysError('EINVAL', path);
    const device = new LoopDevice(number, inode, path, offset, readonly || inode.volume.readonly);
    inode.opens++;
    this.#attached.set(number, device);
    this.registry.add(device);
  }

  detach(number: number): void {
    const device = this.#attached.get(number);
    if (!device) throw new SysError('ENXIO', `/dev/loop${number}`);
    if (this.registry.usersOf(device.name).length > 0) throw new SysError('EBUSY', `/dev/loop${number}`);
    this.#attached.delete(number);
    this.registry.remove(device.name);
    device.inode.opens--;
    device.inode.volume.drop(device.inode);
  }

  list(): readonly LoopDevice[] {
    return [...this.#attached.values()].sort((a, b) => a.minor - b.minor);
  }
}
