/**
 * Changes to several files that happen all or not at all: they are collected here, written beside their targets to see
 * whether that can be done, and then written in their place. A full or a read-only disk is found out before anything has
 * changed; files keep their mode, and links stay links.
 */
import { SysError } from '../guest/sys';
import type { XendFiles } from './environment';

/** What is written to see whether there is room. */
const SUFFIX = '.new';

export class StagedFiles implements XendFiles {
  /** Undefined: the file goes. */
  readonly #changes = new Map<string, Uint8Array | undefined>();
  readonly #written: string[] = [];

  constructor(readonly files: XendFiles) {}

  read(path: string): Uint8Array | undefined {
    return this.#changes.has(path) ? this.#changes.get(path) : this.files.read(path);
  }

  write(path: string, data: string | Uint8Array): void {
    this.#changes.set(path, typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  append(path: string, text: string): void {
    const before = this.read(path) ?? new Uint8Array(0);
    this.write(path, new Uint8Array([...before, ...new TextEncoder().encode(text)]));
  }

  exists(path: string): boolean {
    return this.#changes.has(path) ? this.#changes.get(path) !== undefined : this.files.exists(path);
  }

  size(path: string): number | undefined {
    return this.#changes.has(path) ? this.#changes.get(path)?.length : this.files.size(path);
  }

  rename(from: string, to: string): void {
    const bytes = this.read(from);
    if (!bytes) throw new SysError('ENOENT', from);
    this.write(to, bytes);
    this.remove(from);
  }

  remove(path: string): void {
    this.#changes.set(path, undefined);
  }

  isExecutable(path: string): boolean {
    return this.files.isExecutable(path);
  }

  deviceNumber(path: string): number | undefined {
    return this.files.deviceNumber(path);
  }

  list(path: string): readonly string[] | undefined {
    return this.files.list(path);
  }

  realPath(path: string): string {
    return this.files.realPath(path);
  }

  kindOf(path: string): 'file' | 'block' | 'other' | undefined {
    return this.#changes.has(path) ? this.#changes.get(path) && 'file' : this.files.kindOf(path);
  }

  /** Writes everything beside its place. Throws SysError; then nothing is left of it. */
  prepare(): void {
    try {
      for (const [path, bytes] of this.#changes) {
        const kind = this.files.kindOf(path);
        if (kind !== undefined && kind !== 'file') throw new SysError('EISDIR', path);
        if (bytes === undefined) continue;
        // Noted first: a disk that is full may leave a part of the file.
        this.#written.push(path);
        this.#try(path, bytes);
      }
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  #try(path: string, bytes: Uint8Array): void {
    try {
      this.files.write(path + SUFFIX, bytes);
    } catch (error) {
      // What is wrong is wrong with the file that was meant.
      throw error instanceof SysError ? new SysError(error.code, path) : error;
    }
  }

  /** Takes back what `prepare` wrote. */
  discard(): void {
    for (const path of this.#written.splice(0)) this.files.remove(path + SUFFIX);
  }

  /** After `prepare`: everything into its place. Throws SysError when even that fails; then all is as before. */
  commit(): void {
    const before = [...this.#changes.keys()].map((path) => [path, this.files.read(path)] as const);
    this.discard();
    try {
      for (const [path, bytes] of this.#changes) replace(this.files, path, bytes);
    } catch (error) {
      for (const [path, bytes] of before) replace(this.files, path, bytes);
      throw error;
    }
  }
}

function replace(files: XendFiles, path: string, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) files.remove(path);
  else files.write(path, bytes);
}
