/** A block device in memory for the tests of this folder: sparse, counts what is written, fails on demand. */
import type { BlockDevice } from '../../../services';

export class MemoryDevice implements BlockDevice {
  readonly name = 'xvda1';
  readonly major = 202;
  readonly minor = 1;
  readonly readonly = false;
  readonly #sectors = new Map<number, Uint8Array>();
  writtenSectors = 0;
  isBroken = false;
  /** When the device is not to answer at once, what it is to do waits here. */
  waiting: (() => void)[] | undefined;

  constructor(readonly sectors: number) {}

  static of(image: Uint8Array): MemoryDevice {
    const device = new MemoryDevice(image.length / 512);
    for (let sector = 0; sector < device.sectors; sector++) {
      const bytes = image.slice(sector * 512, (sector + 1) * 512);
      if (bytes.some((byte) => byte !== 0)) device.#sectors.set(sector, bytes);
    }
    return device;
  }

  read(sector: number, count: number, done: (bytes: Uint8Array | undefined) => void): void {
    if (sector + count > this.sectors) throw new Error(`read of ${count} sectors at ${sector}`);
    const bytes = new Uint8Array(count * 512);
    for (let i = 0; i < count; i++) bytes.set(this.#sectors.get(sector + i) ?? new Uint8Array(512), i * 512);
    this.#answer(() => done(this.isBroken ? undefined : bytes));
  }

  write(sector: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    const count = bytes.length / 512;
    if (sector + count > this.sectors || !Number.isInteger(count)) throw new Error(`write at ${sector}`);
    this.#answer(() => {
      if (!this.isBroken) {
        for (let i = 0; i < count; i++) this.#sectors.set(sector + i, bytes.slice(i * 512, (i + 1) * 512));
        this.writtenSectors += count;
      }
      done(!this.isBroken);
    });
  }

  flush(done: (ok: boolean) => void): void {
    this.#answer(() => done(true));
  }

  image(): Uint8Array {
    const image = new Uint8Array(this.sectors * 512);
    for (const [sector, bytes] of this.#sectors) image.set(bytes, sector * 512);
    return image;
  }

  #answer(action: () => void): void {
    if (this.waiting) this.waiting.push(action);
    else action();
  }
}
