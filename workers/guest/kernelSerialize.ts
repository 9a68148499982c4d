/** Taking a kernel apart into plain data, and putting it together again. */
import { type BlockDevices, NamedDevice } from './block/registry';
import type { OpenFileRecord } from './descriptors';
import { FileData } from './fs/fileData';
import type { Inode } from './fs/inode';
import { type FileSystemType, Volume } from './fs/volume';
import type { Kernel } from './kernel';
import { type InodeRef, inodesOf, type KernelState, restoreInodes, saveInode, type VolumeState } from './kernelState';
import type { OpenFile } from './openFile';

const isComputed = (volume: Volume) => volume.root.node !== undefined;

/** `always`: volumes that are saved even when nothing is mounted from them (/dev, /dev/pts). */
export function saveKernel(kernel: Kernel, always: readonly Volume[]): KernelState {
  const { vfs, files, processes, settings } = kernel;
  const mounts = vfs.mounts.list();
  const orphans = [...files.files.values()].flatMap(({ inode }) => (inode ? [inode] : []));
  orphans.push(...kernel.loops.list().map(({ inode }) => inode));
  const volumes = new Set([...mounts.map(({ volume }) => volume), ...always]);
  return {
    format: 1,
    settings: { ...settings, sysctl: [...settings.sysctl] },
    log: kernel.log.save(),
    volumes: [...volumes]
      .filter((volume) => !isComputed(volume))
      .map((volume) => saveVolume(volume, orphans, mounts.find((it) => it.volume === volume)?.options ?? '')),
    mounts: mounts.map(({ volume, target, options }) => ({ volume: volume.id, target, options })),
    nextVolumeId: kernel.nextVolumeId,
    pipes: kernel.pipes.save(),
    terminals: kernel.terminals.save(),
    files: [...files.files.values()].map(saveFile),
    nextFileId: files.nextId,
    processes: [...processes.processes.values()].map(({ record, fds }) => ({
      record: structuredClone(record),
      fds: [...fds].map(([fd, file]) => [fd, file.id] as const),
    })),
    nextPid: processes.nextPid,
    scheduler: kernel.scheduler.save(),
    disks: disksOf(kernel),
    ramDisks: kernel.ramDisks.map((disk) => [disk.minor, disk.save()] as const),
    loops: kernel.loops.list().map(({ minor, path, offset, readonly, inode }) => ({
      number: minor,
      path,
      offset,
      readonly,
      inode: refOf(inode),
    })),
    net: kernel.net?.save() ?? null,
    nbd: kernel.nbd.save(),
    isHalted: kernel.scheduler.isHalted,
  };
}

/** All devices but those that the kernel makes itself. */
function disksOf({ block, ramDisks, loops }: Kernel): KernelState['disks'] {
  const own = new Set([...ramDisks, ...loops.list()].map(({ name }) => name));
  return block
    .list()
    .filter(({ name }) => !own.has(name))
    .map(({ name, major, minor, sectors, readonly }) => ({ name, major, minor, sectors, readonly }));
}

/** All but the count of references, which the descriptors make again. */
function saveFile({
  id,
  kind,
  canRead,
  canWrite,
  append,
  offset,
  path,
  object,
  data,
  inode,
}: OpenFile): OpenFileRecord {
  const plain = { id, kind, canRead, canWrite, append, offset, path, object };
  return { ...plain, data: structuredClone(data), inode: inode && refOf(inode) };
}

function refOf(inode: Inode): InodeRef {
  return [inode.volume.id, inode.node ? inode.path : inode.ino];
}

function saveVolume(volume: Volume, orphans: readonly Inode[], options: string): VolumeState {
  const { id, type, source, readonly, nextIno, root } = volume;
  return {
    id,
    type,
    source,
    readonly,
    nextIno,
    rootIno: root.ino,
    inodes: inodesOf(volume, orphans).map(saveInode),
    dirty: [...volume.dirty].map(({ ino }) => ino),
    freed: [...volume.freed],
    options: options.split(','),
    writeBackAtNs: volume.writeBackAtNs ?? null,
    driver: volume.driver?.save(),
  };
}

export interface VolumeRestoreDeps {
  readonly block: BlockDevices;
  readonly fileSystems: ReadonlyMap<string, FileSystemType>;
}

/** Volumes by number, and the inodes of each by theirs (those without a name included). */
export interface RestoredVolumes {
  readonly volumes: Map<number, Volume>;
  readonly inodes: ReadonlyMap<number, ReadonlyMap<number, Inode>>;
}

/** All volumes with their inodes; those on disks get their driver, which waits for the device to come back. */
export function restoreVolumes(state: KernelState, deps: VolumeRestoreDeps): RestoredVolumes {
  const volumes = new Map<number, Volume>();
  const inodes = new Map<number, ReadonlyMap<number, Inode>>();
  for (const saved of state.volumes) {
    const volume = new Volume(saved.id, saved.type, saved.source, saved.rootIno);
    volume.readonly = saved.readonly;
    volume.writeBackAtNs = saved.writeBackAtNs ?? undefined;
    inodes.set(saved.id, restoreInodes(volume, saved));
    const type = deps.fileSystems.get(saved.type);
    if (type && saved.driver !== undefined) {
      const device = type.needsDevice ? new NamedDevice(deps.block, saved.source.replace('/dev/', '')) : undefined;
      volume.driver = type.restore({ volume, device, options: saved.options }, saved.driver);
    }
    volumes.set(saved.id, volume);
  }
  return { volumes, inodes };
}

/** Everything else, into a kernel that was just built. */
export function restoreKernel(kernel: Kernel, state: KernelState, restored: RestoredVolumes): void {
  const { volumes } = restored;
  const { vfs, files, processes } = kernel;
  kernel.log.restore(state.log);
  kernel.nextVolumeId = state.nextVolumeId;
  for (const { volume, target, options } of state.mounts.slice(1)) {
    const { inode } = vfs.locate('/', target, { uid: 0, gid: 0 });
    vfs.mounts.add(volumes.get(volume)!, target, inode!, options);
  }
  for (const disk of state.disks) kernel.block.expect(disk);
  const find = inodeFinder(restored);
  for (const [minor, data] of state.ramDisks) {
    const disk = kernel.ramDisks[minor];
    if (disk) disk.data = FileData.restore(data);
  }
  for (const { number, path, offset, readonly, inode } of state.loops)
    kernel.loops.attach(number, find(inode)!, path, offset, readonly);
  kernel.pipes.restore(state.pipes);
  kernel.terminals.restore(state.terminals);
  for (const record of state.files) {
    const inode = record.inode && find(record.inode);
    files.restore({ ...record, data: structuredClone(record.data) }, inode);
  }
  files.nextId = state.nextFileId;
  kernel.nbd.restore(state.nbd);
  for (const { record, fds } of state.processes) {
    const process = processes.restore(structuredClone(record));
    for (const [fd, id] of fds) files.installAt(process, files.files.get(id)!, fd);
  }
  processes.nextPid = state.nextPid;
  kernel.scheduler.isHalted = state.isHalted;
  const all = [...processes.processes.values()];
  const sleepers = all.filter(({ record }) => record.runState === 'waiting');
  sleepers.sort((a, b) => a.record.sleepSequence - b.record.sleepSequence);
  const isBlocked = (it: (typeof all)[number]) => it.record.isBlocked;
  kernel.scheduler.restore(
    state.scheduler,
    (pid) => processes.get(pid)!,
    sleepers.filter((it) => !isBlocked(it)),
  );
  for (const volume of volumes.values()) if (volume.driver) kernel.mounting.watch(volume);
  // Blocking calls were on their way: their steps ask again.
  for (const process of sleepers.filter(isBlocked)) {
    process.record.isBlocked = false;
    kernel.scheduler.enqueue(process);
  }
}

function inodeFinder({ volumes, inodes }: RestoredVolumes): (ref: InodeRef) => Inode | undefined {
  return ([volumeId, where]) =>
    typeof where === 'string' ? computedInode(volumes.get(volumeId)!, where) : inodes.get(volumeId)?.get(where);
}

/** A file of /proc whose process is gone by now reads as what was kept of it; its inode is the root's stand-in. */
function computedInode(volume: Volume, path: string): Inode {
  let node = volume.root.node!;
  for (const name of path.split('/')) {
    if (name === '') continue;
    const next = node.lookup?.(name);
    if (!next) return volume.synthetic({ read: () => '' }, path);
    node = next;
  }
  return volume.synthetic(node, path);
}
