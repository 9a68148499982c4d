/** The mount table: which volume covers which directory, in the order in which they were mounted. */
import { SysError } from '../sys';
import type { Inode } from './inode';
import type { Volume } from './volume';

export interface Mount {
  readonly volume: Volume;
  /** Absolute path of the mount point. */
  readonly target: string;
  /** As /proc/mounts shows them, `rw` or `ro` first. */
  options: string;
  /** The directory that is covered; undefined for the root. */
  readonly covered: Inode | undefined;
}

export class MountTable {
  readonly #mounts: Mount[] = [];
  readonly #covering = new Map<Inode, Mount>();

  constructor(root: Volume, options: string) {
    this.#mounts.push({ volume: root, target: '/', options, covered: undefined });
  }

  get root(): Inode {
    return this.#mounts[0]!.volume.root;
  }

  get rootVolume(): Volume {
    return this.#mounts[0]!.volume;
  }

  list(): readonly Mount[] {
    return this.#mounts;
  }

  /** What a walk finds at this inode: the root of the volume mounted on it, or the inode itself. */
  cover(inode: Inode): Inode {
    let at = inode;
    for (let mount = this.#covering.get(at); mount; mount = this.#covering.get(at)) at = mount.volume.root;
    return at;
  }

  add(volume: Volume, target: string, covered: Inode, options: string): void {
    const mount: Mount = { volume, target, options, covered };
    this.#mounts.push(mount);
    this.#covering.set(covered, mount);
  }

  /** The mount whose root is at this path; the latest when several lie on top of each other. */
  at(target: string): Mount | undefined {
    return [...this.#mounts].reverse().find((mount) => mount.target === target);
  }

  ofVolume(volume: Volume): Mount | undefined {
    return this.#mounts.find((mount) => mount.volume === volume);
  }

  /** Throws EBUSY for the root and while another volume is mounted below. */
  remove(mount: Mount): void {
    if (!mount.covered) throw new SysError('EBUSY', mount.target);
    const prefix = `${mount.target}/`;
    if (this.#mounts.some((other) => other.target.startsWith(prefix))) throw new SysError('EBUSY', mount.target);
    this.#covering.delete(mount.covered);
    this.#mounts.splice(this.#mounts.indexOf(mount), 1);
  }

  /** Puts another volume in the root's place (the boot found `root=`); what was mounted below moves over by path. */
  replaceRoot(volume: Volume, options: string, find: (target: string) => Inode | undefined): void {
    this.#mounts[0] = { volume, target: '/', options, covered: undefined };
    const others = this.#mounts.splice(1);
    this.#covering.clear();
    for (const mount of others) {
      const covered = find(mount.target);
      if (covered) this.add(mount.volume, mount.target, covered, mount.options);
    }
  }
}
