/** The character devices without hardware: /dev/null, zero, full, random, urandom and kmsg. */
import { costs } from '../costs';
import type { FileOps, OpenFile } from '../openFile';
import { SysError } from '../sys';
import type { WaitQueue } from '../waitQueue';

/** (major, minor) of the memory devices, Linux devices.txt. */
export const MEM_MAJOR = 1;
const NULL = 3;
const ZERO = 5;
const FULL = 7;
const RANDOM = 8;
const URANDOM = 9;
const KMSG = 11;

export interface MemoryDeviceDeps {
  random(limit: number): number;
  /** Takes cpu time of whoever reads. */
  charge(ns: number): void;
  kernelLog(): string;
  printk(line: string): void;
}

/** Whether there is a device behind 1:minor. */
export function isMemoryDevice(minor: number): boolean {
  return [NULL, ZERO, FULL, RANDOM, URANDOM, KMSG].includes(minor);
}

/** `object` is the minor number. */
export class MemoryDevices implements FileOps {
  readonly kind = 'mem';

  constructor(private readonly deps: MemoryDeviceDeps) {}

  read(file: OpenFile, max: number): Uint8Array {
    switch (file.object) {
      case NULL:
        return new Uint8Array(0);
      case RANDOM:
      case URANDOM:
        return this.#randomBytes(Math.min(max, 65536));
      case KMSG: {
        const bytes = new TextEncoder().encode(this.deps.kernelLog()).slice(file.offset, file.offset + max);
        file.offset += bytes.length;
        return bytes;
      }
      default:
        return new Uint8Array(Math.min(max, 1 << 20));
    }
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    if (file.object === FULL) throw new SysError('ENOSPC');
    if (file.object === KMSG) {
      for (const line of new TextDecoder().decode(bytes).split('\n')) {
        if (line !== '') this.deps.printk(line.replace(/^<\d+>/, ''));
      }
    }
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

  #randomBytes(length: number): Uint8Array {
    this.deps.charge(length * costs.randomByteNs);
    const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => this.deps.random(0x1_0000_0000));
    return new Uint8Array(words.buffer, 0, length);
  }
}
