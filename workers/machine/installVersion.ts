/** Tells whether a machine's kept disks were installed by this version of the lab or by an earlier one. */
import type { ChunkStorage } from '../storage/hostDisk';
import type { InstallFile } from './install';

/** Raise when what is installed changes in a way that neither the files nor the programs show. */
const FORMAT = 1;

/** A short text that differs when another set of files or programs would be installed. */
export function installVersion(files: readonly InstallFile[], programs: readonly { readonly name: string }[]): string {
  let hash = 0x811c9dc5;
  const add = (text: string) => {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ 0xffff, 0x01000193);
  };
  for (const { path, mode, text } of files) {
    add(`${path} ${mode}`);
    add(text);
  }
  for (const { name } of programs) add(name);
  return `${FORMAT}-${(hash >>> 0).toString(16).padStart(8, '0')}`;
}

/**
 * Puts down which version this machine has been used with, beside its disks. True when its disks come from another one
 * and this one has not said so before.
 */
export async function isNewerThanDisks(
  storage: ChunkStorage,
  machine: string,
  version: string,
  isBlank: boolean,
): Promise<boolean> {
  const key = `${machine}/version`;
  const known = (await storage.load(key)).get(0);
  const before = known && new TextDecoder().decode(known);
  if (before === version) return false;
  await storage.save(key, new Map([[0, new TextEncoder().encode(version)]]));
  return !isBlank;
}
