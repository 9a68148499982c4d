/** The whole kernel as plain data: what a save, a migration or a snapshot carries. */
import type { LoopState } from './block/memoryDevices';
import type { NbdState } from './block/nbdDevice';
import type { KnownDevice } from './block/registry';
import type { OpenFileRecord } from './descriptors';
import type { FileDataState } from './fs/fileData';
import { FileData } from './fs/fileData';
import type { Inode, InodeKind } from './fs/inode';
import type { PipeState } from './fs/pipe';
import type { Volume } from './fs/volume';
import type { ProcessRecord } from './process';
import type { SchedulerState } from './scheduler';
import type { TtyState } from './tty';

/** One inode; `content`: extents, names with inode numbers, or a link's target. */
export interface InodeState {
  readonly ino: number;
  readonly kind: InodeKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly rdev: readonly [number, number];
  /** atime, mtime, ctime. */
  readonly times: readonly [number, number, number];
  readonly pipe: number;
  readonly data?: FileDataState;
  readonly entries?: readonly (readonly [string, number])[];
  readonly target?: string;
}

export interface VolumeState {
  readonly id: number;
  readonly type: string;
  readonly source: string;
  readonly readonly: boolean;
  readonly nextIno: number;
  readonly rootIno: number;
  readonly inodes: readonly InodeState[];
  readonly dirty: readonly number[];
  readonly freed: readonly number[];
  readonly options: readonly string[];
  readonly writeBackAtNs: number | null;
  /** What the driver's `save` returned; undefined without one. */
  readonly driver: unknown;
}

/** A place in a volume: by number, or by path in a computed one. */
export type InodeRef = readonly [volumeId: number, where: number | string];

export interface KernelState {
  readonly format: 1;
  readonly settings: {
    readonly hostname: string;
    readonly release: string;
    readonly version: string;
    readonly cmdline: string;
    readonly wallOffset: number;
    readonly sysctl: readonly (readonly [string, string])[];
  };
  readonly log: readonly string[];
  readonly volumes: readonly VolumeState[];
  readonly mounts: readonly { readonly volume: number; readonly target: string; readonly options: string }[];
  readonly nextVolumeId: number;
  readonly pipes: { readonly nextId: number; readonly pipes: readonly PipeState[] };
  readonly terminals: readonly { readonly tty: TtyState; readonly hasMaster: boolean }[];
  readonly files: readonly OpenFileRecord[];
  readonly nextFileId: number;
  readonly processes: readonly {
    readonly record: ProcessRecord;
    readonly fds: readonly (readonly [number, number])[];
  }[];
  readonly nextPid: number;
  readonly scheduler: SchedulerState;
  /** Disks of drivers, which come back when their drivers do. */
  readonly disks: readonly KnownDevice[];
  readonly ramDisks: readonly (readonly [number, FileDataState])[];
  readonly loops: readonly (LoopState & { readonly inode: InodeRef })[];
  readonly net: unknown;
  readonly nbd: readonly NbdState[];
  readonly isHalted: boolean;
}

/** An inode's saved form. Directories list numbers; the inodes themselves are saved once each. */
export function saveInode(inode: Inode): InodeState {
  const { ino, kind, mode, uid, gid, nlink, rdevMajor, rdevMinor, atime, mtime, ctime, pipe } = inode;
  return {
    ino,
    kind,
    mode,
    uid,
    gid,
    nlink,
    rdev: [rdevMajor, rdevMinor],
    times: [atime, mtime, ctime],
    pipe,
    ...(inode.data ? { data: inode.data.save() } : {}),
    ...(inode.entries ? { entries: [...inode.entries].map(([name, child]) => [name, child.ino] as const) } : {}),
    ...(inode.target === undefined ? {} : { target: inode.target }),
  };
}

/** All inodes of a volume that have a name, and those of `orphans` that have none any more. */
export function inodesOf(volume: Volume, orphans: Iterable<Inode>): Inode[] {
  const found = new Set<Inode>();
  const visit = (inode: Inode) => {
    if (found.has(inode)) return;
    found.add(inode);
    if (inode.entries) for (const child of inode.entries.values()) visit(child);
  };
  visit(volume.root);
  for (const inode of orphans) if (inode.volume === volume) visit(inode);
  return [...found];
}

/** Fills an empty volume from its saved inodes; returns them by number. */
export function restoreInodes(volume: Volume, state: VolumeState): Map<number, Inode> {
  const byIno = new Map<number, Inode>([[state.rootIno, volume.root]]);
  for (const saved of state.inodes) {
    const inode = saved.ino === state.rootIno ? volume.root : volume.createInode(saved.kind, saved.mode, saved.ino);
    byIno.set(saved.ino, inode);
    inode.mode = saved.mode;
    inode.uid = saved.uid;
    inode.gid = saved.gid;
    inode.nlink = saved.nlink;
    [inode.rdevMajor, inode.rdevMinor] = saved.rdev;
    [inode.atime, inode.mtime, inode.ctime] = saved.times;
    inode.pipe = saved.pipe;
    inode.target = saved.target;
    if (saved.data) volume.fill(inode, FileData.restore(saved.data));
  }
  for (const saved of state.inodes) {
    const entries = byIno.get(saved.ino)!.entries;
    for (const [name, ino] of saved.entries ?? []) entries!.set(name, byIno.get(ino)!);
  }
  volume.nextIno = state.nextIno;
  for (const ino of state.dirty) {
    const inode = byIno.get(ino);
    if (inode) volume.dirty.add(inode);
  }
  for (const ino of state.freed) volume.freed.add(ino);
  return byIno;
}
