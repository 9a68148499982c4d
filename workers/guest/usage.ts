/** Who uses a volume or a block device. */
import type { Core } from './core';
import type { Volume } from './fs/volume';

/** Whether it cannot be unmounted: an open file, a loop device over one, or a working directory is in it. */
export function isVolumeBusy(core: Core, volume: Volume, target: string): boolean {
  for (const file of core.files.files.values()) if (file.inode?.volume === volume) return true;
  if (core.loops.list().some((loop) => loop.inode.volume === volume)) return true;
  return core.processes
    .all()
    .some(({ record }) => `${record.cwd}/`.startsWith(`${target}/`) && record.runState !== 'zombie');
}

/** What the kernel itself knows: mounts (`mount /home`) and open nodes (`open PID`). */
export function deviceUsers(core: Core, name: string, major: number, minor: number): string[] {
  const users = core.vfs.mounts
    .list()
    .filter(({ volume }) => volume.source === `/dev/${name}`)
    .map(({ target }) => `mount ${target}`);
  for (const process of core.processes.all()) {
    for (const { kind, inode } of process.fds.values())
      if (kind === 'block' && inode?.rdevMajor === major && inode.rdevMinor === minor)
        users.push(`open ${process.pid}`);
  }
  return users;
}
