/** Where the memory of the guest goes: the kernel itself, processes, files in memory, and files cached from disks. */

import type { Core } from './core';
import { EXTENT_SIZE } from './fs/fileData';
import type { Volume } from './fs/volume';
import { rssKiB } from './processInfo';

const EXTENT_KIB = EXTENT_SIZE / 1024;

export interface MemoryUse {
  /** Without what the kernel keeps for itself. */
  readonly totalKiB: number;
  readonly freeKiB: number;
  readonly processesKiB: number;
  readonly buffersKiB: number;
  /** Files: those of memory file systems, and what is cached of those on disks (dropped when memory is needed). */
  readonly cachedKiB: number;
  readonly dirtyKiB: number;
}

/** Kernel text, page tables and the like: 2 MiB and one page in 64. */
function reservedKiB(memoryKiB: number): number {
  return 2048 + Math.floor(memoryKiB / 64);
}

export function memoryUse(core: Core): MemoryUse {
  const totalKiB = Math.max(0, core.machine.memoryKiB - reservedKiB(core.machine.memoryKiB));
  let processesKiB = 0;
  for (const process of core.processes.processes.values()) processesKiB += rssKiB(process);
  let inMemoryKiB = 0;
  let onDiskKiB = 0;
  let dirtyKiB = 0;
  for (const { volume } of core.vfs.mounts.list()) {
    const kib = volume.extents * EXTENT_KIB + Math.ceil(volume.inodeCount / 4);
    if (volume.driver) onDiskKiB += kib;
    else inMemoryKiB += kib;
    for (const inode of volume.dirty) dirtyKiB += (inode.data?.allocatedExtents ?? 1) * EXTENT_KIB;
  }
  const buffersKiB = Math.ceil(core.pipes.bytes / 1024);
  const unused = Math.max(0, totalKiB - processesKiB - inMemoryKiB - buffersKiB);
  // What comes from disks may be dropped at any time; the last tenth of the memory is kept free of it.
  const evictable = Math.min(onDiskKiB, Math.floor(unused * 0.9));
  return {
    totalKiB,
    freeKiB: unused - evictable,
    processesKiB,
    buffersKiB,
    cachedKiB: inMemoryKiB + evictable,
    dirtyKiB,
  };
}

/** How far a memory file system may grow: as its `size=` says, else to half of the memory; never beyond what is free. */
export function memoryVolumeLimit(core: Core, volume: Volume): number {
  const { extents } = volume;
  let others = -extents;
  for (const mount of core.vfs.mounts.list()) if (!mount.volume.driver) others += mount.volume.extents;
  const wholeKiB = core.machine.memoryKiB - reservedKiB(core.machine.memoryKiB);
  const half = Math.max(0, Math.floor(wholeKiB / 2 / EXTENT_KIB));
  const limit = sizeOption(core.vfs.mounts.ofVolume(volume)?.options ?? '', wholeKiB) ?? half;
  // Far from the limit the exact count of what processes hold is not worth its time.
  if ((others + extents) * EXTENT_KIB < wholeKiB / 4) return limit;
  const { totalKiB, processesKiB } = memoryUse(core);
  return Math.max(0, Math.min(limit, Math.floor((totalKiB - processesKiB) / EXTENT_KIB) - others));
}

const UNIT_KIB: Readonly<Record<string, number>> = { '': 1 / 1024, k: 1, m: 1024, g: 1024 * 1024 };

/** `size=64k`, `size=1m`, `size=50%`: extents; undefined when it is not there, or nonsense. */
function sizeOption(options: string, wholeKiB: number): number | undefined {
  const [, digits, unit = ''] = /(?:^|,)size=(\d+)([kmg%]?)(?:,|$)/i.exec(options) ?? [];
  if (digits === undefined) return undefined;
  const kib = unit === '%' ? (wholeKiB * Number(digits)) / 100 : Number(digits) * UNIT_KIB[unit.toLowerCase()]!;
  return Math.ceil(kib / EXTENT_KIB);
}
