/**
 * The physical machine under Xen: its disks and partitions, and its network card, as Domain-0's drivers find them.
 *
 * The layout is the one that the documents' examples take for granted: partitions hda1–hda6 and sda1–sda10, of which
 * sda3 is Domain-0's own root and sda10 is free.
 */

import type { BlockDevice, NetDevice } from '../guest/services';
import type { EventQueue } from '../lib/clock';
import type { BulkEnd, BulkListener } from '../net/bulk';
import type { Cable } from '../net/cable';
import type { Lan, LanPort } from '../net/lan';
import { type Disk, SECTOR_SIZE } from '../storage/disk';
import { HostDisk, Partition } from '../storage/hostDisk';

const MIB = (1024 * 1024) / SECTOR_SIZE;

interface PartitionSpec {
  readonly number: number;
  readonly mib: number;
}

interface DiskSpec {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  readonly partitions: readonly PartitionSpec[];
}

/** First sector of the first partition; the space before holds the partition table and the boot loader. */
const FIRST_SECTOR = 63;

const DISKS: readonly DiskSpec[] = [
  { name: 'hda', major: 3, minor: 0, partitions: [1, 2, 3, 4, 5, 6].map((number) => ({ number, mib: 1024 })) },
  {
    name: 'sda',
    major: 8,
    minor: 0,
    partitions: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((number) => ({ number, mib: number === 3 ? 8192 : 1024 })),
  },
];

/** Domain-0's root file system. */
export const DOM0_ROOT = 'sda3';

/** What a request costs in virtual time: seek and rotation of a disk of the time, hidden by its cache, and 60 MB/s. */
const REQUEST_NS = 80_000;
const NS_PER_BYTE = 16;
/** How long a disk keeps data in its cache when nobody flushes it. */
const DRAIN_NS = 1e9;

export interface PhysicalDisk {
  readonly disk: HostDisk;
  /** `hda1` → its window on the disk. */
  readonly partitions: ReadonlyMap<string, Partition>;
}

export function makeDisks(): readonly PhysicalDisk[] {
  return DISKS.map((spec) => {
    const sectors = FIRST_SECTOR + spec.partitions.reduce((sum, each) => sum + each.mib * MIB, 0);
    const disk = new HostDisk(spec.name, sectors);
    let start = FIRST_SECTOR;
    const partitions = new Map<string, Partition>();
    for (const each of spec.partitions) {
      partitions.set(`${spec.name}${each.number}`, new Partition(disk, start, each.mib * MIB));
      start += each.mib * MIB;
    }
    return { disk, partitions };
  });
}

/**
 * A device that interrupts: what it has finished is kept until Domain-0's driver, told by the interrupt, collects it.
 */
class Interrupting {
  readonly #finished: (() => void)[] = [];

  constructor(readonly raise: () => void) {}

  protected finish(action: () => void): void {
    this.#finished.push(action);
    if (this.#finished.length === 1) this.raise();
  }

  /** The driver's interrupt handler. */
  serviceInterrupt(): void {
    for (const action of this.#finished.splice(0)) action();
  }
}

/** A disk controller with its disks and partitions, as block devices for Domain-0's kernel. */
export class DiskController extends Interrupting {
  readonly devices: readonly BlockDevice[];
  /** Disks with unflushed data, and when they were last written. */
  readonly #writtenNs = new Map<Disk, number>();

  /** `raise` asserts the controller's interrupt line. */
  constructor(
    disks: readonly PhysicalDisk[],
    readonly clock: EventQueue,
    raise: () => void,
  ) {
    super(raise);
    this.devices = disks.flatMap(({ disk, partitions }, index) => {
      const spec = DISKS[index]!;
      const parts = [...partitions].map(([name, partition], n) =>
        this.#device(name, spec.major, spec.minor + spec.partitions[n]!.number, partition),
      );
      return [this.#device(disk.name, spec.major, spec.minor, disk), ...parts];
    });
  }

  #device(name: string, major: number, minor: number, disk: Disk): BlockDevice {
    const isInside = (sector: number, count: number) => sector >= 0 && sector + count <= disk.sectors;
    return {
      name,
      major,
      minor,
      sectors: disk.sectors,
      readonly: false,
      read: (sector, count, done) =>
        this.#later(count * SECTOR_SIZE, () => done(isInside(sector, count) ? disk.read(sector, count) : undefined)),
      write: (sector, bytes, done) => {
        const copy = bytes.slice();
        this.#later(copy.length, () => {
          const ok = isInside(sector, copy.length / SECTOR_SIZE);
          if (ok) {
            disk.write(sector, copy);
            this.#drainSoon(disk);
          }
          done(ok);
        });
      },
      flush: (done) =>
        this.#later(0, () => {
          disk.flush();
          done(true);
        }),
    };
  }

  /** The disk writes its cache out by itself once it has been left alone for a while. */
  #drainSoon(disk: Disk): void {
    const isWaiting = this.#writtenNs.has(disk);
    this.#writtenNs.set(disk, this.clock.nowNs);
    if (!isWaiting) this.clock.at(this.clock.nowNs + DRAIN_NS, () => this.#drain(disk));
  }

  #drain(disk: Disk): void {
    const dueNs = this.#writtenNs.get(disk)! + DRAIN_NS;
    if (dueNs > this.clock.nowNs) {
      this.clock.at(dueNs, () => this.#drain(disk));
      return;
    }
    this.#writtenNs.delete(disk);
    disk.flush();
  }

  #later(bytes: number, action: () => void): void {
    this.clock.at(this.clock.nowNs + REQUEST_NS + bytes * NS_PER_BYTE, () => this.finish(action));
  }
}

/** eth0: the card that is plugged into the local network. */
export class LanCard extends Interrupting implements NetDevice {
  readonly kind = 'ethernet';
  readonly #cable: Cable;
  readonly #port: LanPort;
  #receive: ((frame: Uint8Array) => void) | undefined;

  constructor(
    readonly name: string,
    readonly mac: string,
    { lan, clock, cable }: { readonly lan: Lan; readonly clock: EventQueue; readonly cable: Cable },
    raise: () => void,
  ) {
    super(raise);
    this.#cable = cable;
    this.#port = lan.plug(clock, (frame) => this.finish(() => this.#receive?.(frame)), cable);
  }

  get carrier(): boolean {
    return this.#cable.model.isUp;
  }

  /** Where received frames go: the function that the kernel gave when the card was registered. */
  connect(receive: (frame: Uint8Array) => void): void {
    this.#receive = receive;
  }

  transmit(frame: Uint8Array): boolean {
    this.#port.send(frame);
    return true;
  }

  /** One end of a fast way for the data of a connection (net/bulk.ts); the listener is called in an interrupt. */
  bulk(name: string, listener: BulkListener): BulkEnd {
    return this.#port.bulk(name, {
      received: (bytes) => this.finish(() => listener.received(bytes)),
      ended: () => this.finish(() => listener.ended()),
    });
  }

  /** The machine was switched off. */
  unplug(): void {
    this.#port.unplug();
  }
}
