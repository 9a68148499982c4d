/**
 * ext2, the file system of Domain-0's disk and of guests' images: read into memory at mount, written back on sync.
 *
 * The parts: ext2/layout.ts (structures), reader.ts (mount), writer.ts (write-back), mkfs.ts.
 */
import type { BlockDevice } from '../services';
import { writeBlocks } from './ext2/blockIo';
import { Ext2Error } from './ext2/layout';
import { type MkfsOptions, type MkfsResult, mkfs } from './ext2/mkfs';
import { readTree } from './ext2/reader';
import { Ext2Driver, type Ext2State } from './ext2/writer';
import type { FileSystemType } from './volume';

/**
 * Mounts ext2, ext3 that was unmounted cleanly (its journal is left alone) and, for looking only, ext4. A device or a
 * feature that forbids writing makes the volume read-only.
 */
export const ext2: FileSystemType = {
  name: 'ext2',
  needsDevice: true,
  mount({ volume, device }, done) {
    if (!device) {
      done('ENOTBLK');
      return;
    }
    readTree(device, volume, (result) => {
      if (result instanceof Ext2Error) {
        done(result.code);
        return;
      }
      if (device.readonly || !result.geometry.isWritable) volume.readonly = true;
      done(new Ext2Driver(volume, device, result));
    });
  },
  restore({ volume, device }, saved) {
    return Ext2Driver.restore(volume, device!, saved as Ext2State);
  },
};

/** The name by which fstab and `mount -t` know it as well; there is no journal here, so the two do the same. */
export const ext3: FileSystemType = { ...ext2, name: 'ext3' };

/** Makes an empty file system on a device. `done(undefined)`: too small, or the device failed. */
export function formatExt2(
  device: BlockDevice,
  options: MkfsOptions,
  done: (result: MkfsResult | undefined) => void,
): void {
  const result = mkfs(device.sectors, options);
  if (!result) {
    done(undefined);
    return;
  }
  writeBlocks(device, result.blockSize, result.writes, (ok) => done(ok ? result : undefined));
}

export { mkfs };
