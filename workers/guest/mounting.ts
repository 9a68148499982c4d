/** mount, umount and sync: file system types, the block devices below them, and calls that take time. */

import type { ErrnoName } from '../lib/errno';
import { type BlockDevices, NamedDevice } from './block/registry';
import type { Mount } from './fs/mounts';
import type { Vfs } from './fs/vfs';
import { type FileSystemType, Volume, type VolumeDriver } from './fs/volume';
import { SysError } from './sys';

/** How a mount or umount ended. */
export type Done = (result: { ok: true } | { ok: false; code: ErrnoName; subject: string }) => void;

export interface MountingDeps {
  printk(line: string): void;
  readonly vfs: Vfs;
  readonly block: BlockDevices;
  readonly types: ReadonlyMap<string, FileSystemType>;
  /** Types in the kernel itself (proc, sysfs, devpts, tmpfs): a new or shared volume. */
  pseudoVolume(type: string, source: string, id: number): Volume | undefined;
  allocateVolumeId(): number;
  readonly nowNs: () => number;
  at(timeNs: number, action: () => void): void;
  /** Whether an open file or a process's working directory is on this volume. */
  isBusy(volume: Volume, target: string): boolean;
}

/** A change reaches the disk after this time even if nobody asks for it (Linux: dirty_writeback_centisecs). */
const WRITE_BACK_NS = 5_000_000_000;

export class Mounting {
  /** Volumes whose write-back is on its way. */
  readonly #writing = new Set<Volume>();
  /** Whose last write-back failed, until somebody has been told. */
  readonly #failed = new Set<Volume>();

  constructor(private readonly deps: MountingDeps) {}

  /** mount(2) for root; the caller has checked who asks. Throws what can be said at once. */
  mount(cwd: string, source: string, target: string, type: string, optionText: string, done: Done): void {
    const { vfs } = this.deps;
    const options = optionText.split(',').filter((option) => option !== '' && option !== 'defaults');
    const location = vfs.locate(cwd, target, { uid: 0, gid: 0 });
    if (!location.inode) throw new SysError('ENOENT', target);
    if (options.includes('remount')) {
      this.#remount(location.path, options, done);
      return;
    }
    if (location.inode.kind !== 'dir') throw new SysError('ENOTDIR', target);
    if (vfs.mounts.at(location.path)?.volume.source === source && source.startsWith('/dev/'))
      throw new SysError('EBUSY', source);
    const covered = location.inode;
    const readonly = options.includes('ro');
    const pseudo = this.deps.pseudoVolume(type, source, this.deps.allocateVolumeId());
    if (pseudo) {
      pseudo.readonly = readonly;
      vfs.mounts.add(pseudo, location.path, covered, optionsText(readonly, options));
      done({ ok: true });
      return;
    }
    this.load(cwd, source, type, options, readonly, (result) => {
      if (typeof result === 'string') return done({ ok: false, code: result, subject: source });
      vfs.mounts.add(result, location.path, covered, optionsText(result.readonly, options));
      done({ ok: true });
    });
  }

  /** Reads a block device into a new volume. Throws ENODEV (unknown type), ENOTBLK, ENXIO, EBUSY. */
  load(
    cwd: string,
    source: string,
    type: string,
    options: readonly string[],
    readonly: boolean,
    done: (result: Volume | ErrnoName) => void,
  ): void {
    const fsType = this.deps.types.get(type);
    if (!fsType) throw new SysError('ENODEV', source);
    const device = fsType.needsDevice ? this.#deviceOf(cwd, source) : undefined;
    if (device && this.deps.vfs.mounts.list().some(({ volume }) => volume.source === `/dev/${device.name}`))
      throw new SysError('EBUSY', source);
    if (device && this.deps.block.holdersOf(device.name).length > 0) throw new SysError('EBUSY', source);
    const volume = new Volume(this.deps.allocateVolumeId(), type, device ? `/dev/${device.name}` : source);
    volume.readonly = readonly || (device?.readonly ?? false);
    fsType.mount({ volume, device, options }, (result) => {
      if (typeof result === 'string') return done(result);
      this.#adopt(volume, result);
      done(volume);
    });
  }

  #adopt(volume: Volume, driver: VolumeDriver): void {
    volume.driver = driver;
    volume.dirty.clear();
    volume.freed.clear();
    this.watch(volume);
  }

  /** From now on changes of the volume are written back by themselves; also after a restore. */
  watch(volume: Volume): void {
    if (volume.writeBackAtNs !== undefined) this.#writeBackAt(volume, volume.writeBackAtNs);
    volume.onDirty = () => this.#writeBackAt(volume, this.deps.nowNs() + WRITE_BACK_NS);
  }

  #writeBackAt(volume: Volume, timeNs: number): void {
    volume.writeBackAtNs = timeNs;
    this.deps.at(timeNs, () => {
      if (volume.writeBackAtNs !== timeNs) return;
      volume.writeBackAtNs = undefined;
      if (this.deps.vfs.mounts.ofVolume(volume)) this.#writeBack(volume);
    });
  }

  /** Starts one; true when the volume is clean already or at once. */
  #writeBack(volume: Volume): boolean {
    const isDirty = () => volume.dirty.size > 0 || volume.freed.size > 0;
    if (!volume.driver || volume.readonly) return true;
    if (this.#writing.has(volume)) return false;
    // Whoever waits for the disk has waited long enough when it cannot be written.
    if (this.#failed.delete(volume) || !isDirty()) return true;
    this.#writing.add(volume);
    volume.driver.writeBack((ok) => {
      this.#writing.delete(volume);
      if (!ok) {
        this.#failed.add(volume);
        this.deps.printk(`lost page write due to I/O error on ${volume.source.replace('/dev/', '')}`);
      }
      if (isDirty() && volume.writeBackAtNs === undefined) volume.onDirty?.();
    });
    return !this.#writing.has(volume) && !isDirty();
  }

  #deviceOf(cwd: string, source: string): NamedDevice {
    const inode = this.deps.vfs.find(cwd, source);
    if (inode.kind !== 'block') throw new SysError('ENOTBLK', source);
    const device = this.deps.block.find({ major: inode.rdevMajor, minor: inode.rdevMinor });
    if (!device) throw new SysError('ENXIO', source);
    return new NamedDevice(this.deps.block, device.name);
  }

  /** As the emergency key does: nobody waits for it, and a device that fails keeps the mount as it is. */
  remountReadonly(target: string): void {
    this.#remount(target, ['remount', 'ro'], () => {});
  }

  #remount(target: string, options: readonly string[], done: Done): void {
    const mount = this.deps.vfs.mounts.at(target);
    if (!mount) throw new SysError('EINVAL', target);
    const readonly = options.includes('ro') || (mount.volume.readonly && !options.includes('rw'));
    const finish = () => {
      mount.volume.readonly = readonly;
      mount.options = optionsText(
        readonly,
        options.filter((option) => option !== 'remount'),
      );
      mount.volume.driver?.remounted?.();
      done({ ok: true });
    };
    if (!readonly || !mount.volume.driver || mount.volume.readonly) {
      finish();
      return;
    }
    mount.volume.driver.writeBack((ok) => (ok ? finish() : done({ ok: false, code: 'EIO', subject: target })));
  }

  /** By mount point, or by what is mounted. Writes back first. EBUSY, EINVAL when nothing is mounted there. */
  umount(cwd: string, target: string, done: Done): void {
    const mount = this.#mountOf(cwd, target);
    if (!mount) throw new SysError('EINVAL', target);
    if (!mount.covered || this.deps.isBusy(mount.volume, mount.target)) throw new SysError('EBUSY', target);
    const { driver } = mount.volume;
    const finish = (ok: boolean) => {
      if (!ok) return done({ ok: false, code: 'EIO', subject: target });
      if (this.deps.isBusy(mount.volume, mount.target)) return done({ ok: false, code: 'EBUSY', subject: target });
      this.deps.vfs.mounts.remove(mount);
      done({ ok: true });
    };
    if (!driver) {
      finish(true);
      return;
    }
    if (mount.volume.readonly) {
      driver.umount(finish);
      return;
    }
    driver.writeBack((ok) => (ok ? driver.umount(finish) : finish(false)));
  }

  #mountOf(cwd: string, target: string): Mount | undefined {
    const { mounts } = this.deps.vfs;
    const bySource = [...mounts.list()].reverse().find(({ volume }) => volume.source === target);
    if (bySource) return bySource;
    const { path } = this.deps.vfs.locate(cwd, target, { uid: 0, gid: 0 });
    return mounts.at(path);
  }

  /** Starts write-back of every dirty volume; true when nothing is dirty. */
  sync(): boolean {
    let isClean = true;
    for (const { volume } of this.deps.vfs.mounts.list()) if (!this.#writeBack(volume)) isClean = false;
    return isClean;
  }
}

function optionsText(readonly: boolean, options: readonly string[]): string {
  const rest = options.filter((option) => option !== 'ro' && option !== 'rw');
  return [readonly ? 'ro' : 'rw', ...rest].join(',');
}
