/** Memory maps as they come from the hosts: bytes for a canvas, beside the store, because nothing else redraws with them. */
import type { LabEvent, MigrationPages } from '../../workers/contract';

/** contract/migration.ts, MigrationPages. */
export const STALE = 0x80;
export const ROUND_MASK = 0x3f;
export const UNKNOWN_ROUND = 0x3f;

/** A page that was written again glows for so many drawings. */
const GLOW = 30;
/** Two of this machine, two of another, and the ones before. */
const KEPT = 8;

export interface MemoryMap {
  readonly pages: number;
  readonly codes: Uint8Array;
  /** Goes up with every change. */
  version: number;
  /** Pages that glow, and for how many drawings more. */
  readonly glowing: Map<number, number>;
}

export type MapKey = string;

export function mapKey({ id, host, role }: Pick<MigrationPages, 'id' | 'host' | 'role'>): MapKey {
  return `${host} ${role} ${id}`;
}

const maps = new Map<MapKey, MemoryMap>();

export function mapOf(key: MapKey): MemoryMap | undefined {
  return maps.get(key);
}

/** A new machine starts: everything known about the old one is forgotten. */
export function forgetMaps(): void {
  maps.clear();
}

/** Takes the maps out of a batch of events. */
export function receivePages(events: readonly LabEvent[]): void {
  for (const event of events) if (event.type === 'migrationPages') draw(event.pages);
}

function draw(stretch: MigrationPages): void {
  const key = mapKey(stretch);
  const map = maps.get(key) ?? newMap(key, stretch.pages);
  const { from, codes } = stretch;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    const before = map.codes[from + i]!;
    if (code === before) continue;
    // Written again after it was sent; a page that was only skipped has nothing to be stale.
    if ((code & STALE) !== 0 && (before & STALE) === 0 && (code & ROUND_MASK) !== 0) map.glowing.set(from + i, GLOW);
    map.codes[from + i] = code;
  }
  map.version++;
}

function newMap(key: MapKey, pages: number): MemoryMap {
  const map: MemoryMap = { pages, codes: new Uint8Array(pages), version: 0, glowing: new Map() };
  maps.set(key, map);
  const [oldest] = maps.keys();
  if (maps.size > KEPT && oldest !== undefined) maps.delete(oldest);
  return map;
}

/** How bright a glowing page is now, 1 to 0; it fades with each call. */
export function fade(map: MemoryMap): ReadonlyMap<number, number> {
  const bright = new Map<number, number>();
  for (const [pfn, left] of map.glowing) {
    bright.set(pfn, left / GLOW);
    if (left > 1) map.glowing.set(pfn, left - 1);
    else map.glowing.delete(pfn);
  }
  return bright;
}
