/** Puts a tree of files onto a disk as a new ext2 file system, at once. */
import { ext2, formatExt2 } from '../guest/fs/ext2';
import { Volume } from '../guest/fs/volume';
import { fillVolume, type RootTree } from '../guest/rootTree';
import type { BlockDevice } from '../guest/services';
import { type Disk, SECTOR_SIZE } from '../storage/disk';

export interface Ext2Options {
  readonly nowSeconds: number;
  readonly label?: string;
}

/** The disk as a block device that answers inside the call. */
export function immediateDevice(name: string, disk: Disk): BlockDevice {
  return {
    name,
    major: 0,
    minor: 0,
    sectors: disk.sectors,
    readonly: disk.readonly,
    read: (sector, count, done) => done(disk.read(sector, count)),
    write: (sector, bytes, done) => {
      disk.write(sector, bytes);
      done(true);
    },
    flush: (done) => {
      disk.flush();
      done(true);
    },
  };
}

/** Formats the (blank) disk and writes the tree. Throws when the disk is too small. */
export function writeExt2(disk: Disk, tree: RootTree, options: Ext2Options): void {
  const device = immediateDevice('image', disk);
  const format = {
    time: options.nowSeconds,
    isBlank: true,
    ...(options.label === undefined ? {} : { label: options.label }),
  };
  let isDone = false;
  formatExt2(device, format, (made) => {
    if (!made) throw new Error(`${disk.sectors * SECTOR_SIZE} bytes are too small for a file system`);
    const volume = new Volume(0, 'ext2', 'image');
    ext2.mount({ volume, device, options: [] }, (driver) => {
      if (typeof driver === 'string') throw new Error(`the new file system cannot be read: ${driver}`);
      volume.driver = driver;
      fillVolume(volume, tree, options.nowSeconds);
      const seen = new Set([volume.root]);
      for (const inode of seen) {
        volume.touch(inode);
        for (const child of inode.entries?.values() ?? []) seen.add(child);
      }
      driver.writeBack((ok) => {
        if (!ok) throw new Error('the files do not fit onto the disk');
        driver.umount(() => {
          isDone = true;
        });
      });
    });
  });
  if (!isDone) throw new Error('an immediate device did not answer at once');
}

/** The files of an ext2 disk as they are now, read at once; undefined when it holds no such file system. */
export function readExt2(disk: Disk): Volume | undefined {
  const volume = new Volume(0, 'ext2', 'image');
  volume.readonly = true;
  let isRead = false;
  ext2.mount({ volume, device: { ...immediateDevice('image', disk), readonly: true }, options: ['ro'] }, (driver) => {
    isRead = typeof driver !== 'string';
  });
  return isRead ? volume : undefined;
}
