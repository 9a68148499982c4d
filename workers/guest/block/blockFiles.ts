/** Open block device nodes: byte-wise reading and writing of a device that knows sectors only, and may answer later. */
import type { FileOps, OpenFile } from '../openFile';
import type { BlockDevice } from '../services';
import { SysError } from '../sys';
import { WaitQueue } from '../waitQueue';
import type { BlockDevices } from './registry';

const SECTOR = 512;
/** Read-ahead, and the largest piece written at once. */
const WINDOW = 65536;
const WRITES_MAX = 4;

/** Plain part: writes that the device has not confirmed. They are sent again after a restore. */
interface BlockFileData {
  readonly major: number;
  readonly minor: number;
  writes: { offset: number; bytes: Uint8Array }[];
  failed: boolean;
  /** Opened exclusively: by whom, `nbd-server[67]`. */
  readonly holder: string | undefined;
}

interface Transfer {
  readonly queue: WaitQueue;
  windowAt: number;
  window: Uint8Array | undefined;
  /** The device's write count when the window was read. */
  generation: number;
  isReading: boolean;
  isWriting: boolean;
  readFailed: boolean;
  /** Whether the device has been told to keep what it has got through this file. */
  flush: 'wanted' | 'running' | 'done';
  /** Ends an exclusive use. */
  readonly letGo: (() => void) | undefined;
}

export class BlockFiles implements FileOps {
  readonly kind = 'block';
  readonly #transfers = new Map<number, Transfer>();
  readonly #generations = new Map<string, number>();

  constructor(
    private readonly devices: BlockDevices,
    private readonly charge: () => void,
  ) {}

  /** `data` of a new open file on this device. */
  static dataFor(major: number, minor: number, holder?: string): BlockFileData {
    return { major, minor, writes: [], failed: false, holder };
  }

  opened(file: OpenFile, restored: boolean): void {
    const { major, minor, holder } = dataOf(file);
    const held = holder === undefined ? undefined : this.devices.find({ major, minor });
    this.#transfers.set(file.id, {
      queue: new WaitQueue(),
      windowAt: 0,
      window: undefined,
      generation: 0,
      isReading: false,
      isWriting: false,
      readFailed: false,
      flush: 'wanted',
      letGo: held && this.devices.hold(held.name, holder!),
    });
    if (restored && dataOf(file).writes.length > 0) this.#startWrite(file);
  }

  release(file: OpenFile): void {
    this.#transfers.get(file.id)?.letGo?.();
    this.#transfers.delete(file.id);
  }

  read(file: OpenFile, max: number): Uint8Array | undefined {
    const bytes = this.pread(file, max, file.offset);
    if (bytes) file.offset += bytes.length;
    return bytes;
  }

  pread(file: OpenFile, length: number, offset: number): Uint8Array | undefined {
    // A device that has gone is no device that has come to its end.
    this.#device(file);
    if (offset >= this.sizeOf(file)) return new Uint8Array(0);
    const transfer = this.#transfers.get(file.id)!;
    if (!this.#hasByte(file, transfer, offset)) {
      this.#startRead(file, transfer, offset);
      if (transfer.readFailed) {
        transfer.readFailed = false;
        throw new SysError('EIO');
      }
      if (!this.#hasByte(file, transfer, offset)) return undefined;
    }
    const from = offset - transfer.windowAt;
    return transfer.window!.slice(from, Math.min(from + length, transfer.window!.length));
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    const taken = this.pwrite(file, bytes, file.offset);
    file.offset += taken;
    return taken;
  }

  pwrite(file: OpenFile, bytes: Uint8Array, offset: number): number {
    const data = dataOf(file);
    if (data.failed) {
      data.failed = false;
      throw new SysError('EIO');
    }
    if (this.#device(file).readonly) throw new SysError('EPERM');
    const room = this.sizeOf(file) - offset;
    if (bytes.length === 0) return 0;
    if (room <= 0) throw new SysError('ENOSPC');
    if (data.writes.length >= WRITES_MAX) return 0;
    const piece = bytes.slice(0, Math.min(room, WINDOW));
    data.writes.push({ offset, bytes: piece });
    this.#transfers.get(file.id)!.flush = 'wanted';
    this.#startWrite(file);
    return piece.length;
  }

  isReadable(file: OpenFile): boolean {
    const transfer = this.#transfers.get(file.id)!;
    if (transfer.readFailed || file.offset >= this.sizeOf(file) || this.#hasByte(file, transfer, file.offset))
      return true;
    this.#startRead(file, transfer, file.offset);
    return transfer.readFailed || this.#hasByte(file, transfer, file.offset);
  }

  isWritable(file: OpenFile): boolean {
    return dataOf(file).writes.length < WRITES_MAX || dataOf(file).failed;
  }

  queue(file: OpenFile): WaitQueue {
    return this.#transfers.get(file.id)!.queue;
  }

  sizeOf(file: OpenFile): number {
    const { major, minor } = dataOf(file);
    return (this.devices.find({ major, minor })?.sectors ?? 0) * SECTOR;
  }

  /** Whether all that was written through this file has reached the device. */
  isClean(file: OpenFile): boolean {
    return dataOf(file).writes.length === 0;
  }

  fsync(file: OpenFile): boolean {
    const data = dataOf(file);
    const transfer = this.#transfers.get(file.id)!;
    if (data.failed) {
      data.failed = false;
      throw new SysError('EIO');
    }
    if (data.writes.length > 0 || transfer.flush === 'running') return false;
    if (transfer.flush === 'done') return true;
    transfer.flush = 'running';
    this.#device(file).flush((ok) => {
      if (!ok) data.failed = true;
      if (transfer.flush === 'running') transfer.flush = ok ? 'done' : 'wanted';
      transfer.queue.wake();
    });
    return false;
  }

  #device(file: OpenFile): BlockDevice {
    const { major, minor } = dataOf(file);
    const device = this.devices.find({ major, minor });
    if (!device) throw new SysError('ENXIO');
    return device;
  }

  #hasByte(file: OpenFile, transfer: Transfer, offset: number): boolean {
    const { major, minor, writes } = dataOf(file);
    return (
      transfer.window !== undefined &&
      writes.length === 0 &&
      transfer.generation === (this.#generations.get(`${major}:${minor}`) ?? 0) &&
      offset >= transfer.windowAt &&
      offset < transfer.windowAt + transfer.window.length
    );
  }

  #startRead(file: OpenFile, transfer: Transfer, offset: number): void {
    const { major, minor, writes } = dataOf(file);
    if (transfer.isReading || writes.length > 0) return;
    const device = this.#device(file);
    const sector = Math.floor(offset / SECTOR);
    const count = Math.min(WINDOW / SECTOR, device.sectors - sector);
    const generation = this.#generations.get(`${major}:${minor}`) ?? 0;
    transfer.isReading = true;
    this.charge();
    device.read(sector, count, (bytes) => {
      transfer.isReading = false;
      transfer.windowAt = sector * SECTOR;
      transfer.window = bytes;
      transfer.generation = generation;
      transfer.readFailed = bytes === undefined;
      transfer.queue.wake();
    });
  }

  /** Sends the oldest waiting write; sectors that it covers in part are read first. */
  #startWrite(file: OpenFile): void {
    const data = dataOf(file);
    const transfer = this.#transfers.get(file.id);
    const next = data.writes[0];
    if (!next || transfer?.isWriting) return;
    const device = this.#device(file);
    const first = Math.floor(next.offset / SECTOR);
    const count = Math.ceil((next.offset + next.bytes.length) / SECTOR) - first;
    const finish = (ok: boolean) => {
      const key = `${data.major}:${data.minor}`;
      this.#generations.set(key, (this.#generations.get(key) ?? 0) + 1);
      data.writes.shift();
      if (!ok) data.failed = true;
      if (transfer) transfer.isWriting = false;
      transfer?.queue.wake();
      this.#startWrite(file);
    };
    if (transfer) transfer.isWriting = true;
    this.charge();
    if (count * SECTOR === next.bytes.length) {
      device.write(first, next.bytes, finish);
      return;
    }
    device.read(first, count, (old) => {
      if (!old) return finish(false);
      const merged = old.slice();
      merged.set(next.bytes, next.offset - first * SECTOR);
      device.write(first, merged, finish);
    });
  }
}

function dataOf(file: OpenFile): BlockFileData {
  return file.data as BlockFileData;
}
