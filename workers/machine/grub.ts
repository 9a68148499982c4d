/**
 * GRUB: reads its menu from Domain-0's disk and finds the hypervisor, its options, and the modules
 * (GRUB legacy 0.97, the entries of the Users' Manual, *Booting Xen*).
 */
import type { Volume } from '../guest/fs/volume';

export interface GrubEntry {
  readonly title: string;
  /** `kernel` line: file and words after it. */
  readonly kernel: string;
  readonly kernelLine: string;
  /** Every `module` line: file and words after it. */
  readonly modules: readonly { readonly path: string; readonly line: string }[];
  /** `root (hd1,2)`. */
  readonly root: string | undefined;
}

/** What was booted, with the files' bytes. */
export interface BootSelection {
  readonly entry: GrubEntry;
  /** Xen's command line, image name included. */
  readonly xenLine: string;
  /** The hypervisor's image. */
  readonly xen: Uint8Array;
  readonly modules: readonly { readonly path: string; readonly line: string; readonly bytes: Uint8Array }[];
}

export const MENU_PATHS = ['/boot/grub/menu.lst', '/boot/grub/grub.conf'];

/** The entries of a menu and which of them is the default. Lines that are not understood are skipped, as GRUB's menu does. */
export function parseMenu(text: string): { readonly entries: readonly GrubEntry[]; readonly defaultIndex: number } {
  const entries: { title: string; kernelLine: string; modules: string[]; root: string | undefined }[] = [];
  let defaultIndex = 0;
  for (const raw of text.replace(/\\\n/g, ' ').split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = /^(\w+)(?:\s*=\s*|\s+)(.*)$/.exec(line);
    const [word, rest] = match ? [match[1]!, match[2]!] : [line, ''];
    const entry = entries.at(-1);
    if (word === 'default') defaultIndex = Number.parseInt(rest, 10) || 0;
    else if (word === 'title') entries.push({ title: rest, kernelLine: '', modules: [], root: undefined });
    else if (word === 'kernel' && entry) entry.kernelLine = rest;
    else if (word === 'module' && entry) entry.modules.push(rest);
    else if (word === 'root' && entry) entry.root = rest;
  }
  const first = (line: string) => line.split(/\s+/)[0] ?? '';
  return {
    entries: entries.map((entry) => ({
      title: entry.title,
      kernel: first(entry.kernelLine),
      kernelLine: entry.kernelLine,
      modules: entry.modules.map((line) => ({ path: first(line), line })),
      root: entry.root,
    })),
    defaultIndex,
  };
}

/** A boot that ended in GRUB; the text is what stands on the screen. */
export class GrubError extends Error {
  override readonly name = 'GrubError';
}

/** Boots the default entry of the disk's menu; `print` shows what GRUB shows. Throws GrubError. */
export function boot(volume: Volume | undefined, print: (text: string) => void): BootSelection {
  print('GRUB Loading stage1.5.\n\n\nGRUB loading, please wait...\n');
  if (!volume) throw new GrubError('Error 17: Cannot mount selected partition');
  const menu = MENU_PATHS.map((path) => readFile(volume, path)).find((bytes) => bytes !== undefined);
  if (!menu) throw new GrubError('Error 15: File not found');
  const { entries, defaultIndex } = parseMenu(new TextDecoder().decode(menu));
  const entry = entries[defaultIndex] ?? entries[0];
  if (!entry) throw new GrubError('Error 15: File not found');
  print(`  Booting '${entry.title}'\n\n`);
  if (entry.root !== undefined) print(`root ${entry.root}\n Filesystem type is ext2fs, partition type 0x83\n`);
  print(`kernel ${entry.kernelLine}\n`);
  const kernel = find(volume, entry.kernel);
  const size = kernel.length.toString(16);
  print(`   [Multiboot-elf, <0x100000:0x${size}:0x0>, shtab=0x0, entry=0x100000]\n`);
  const modules = entry.modules.map(({ path, line }) => {
    print(`module ${line}\n`);
    const bytes = find(volume, path);
    print(`   [Multiboot-module @ 0x200000, 0x${bytes.length.toString(16)} bytes]\n`);
    return { path, line, bytes };
  });
  print('\n');
  return { entry, xenLine: entry.kernelLine, xen: kernel, modules };
}

/** A file of a menu line: below /boot also when that is a partition of its own. */
function find(volume: Volume, path: string): Uint8Array {
  const bytes = readFile(volume, path) ?? readFile(volume, `/boot${path}`);
  if (!bytes) throw new GrubError('\nError 15: File not found\n\nPress any key to continue...');
  return bytes;
}

function readFile(volume: Volume, path: string, depth = 0): Uint8Array | undefined {
  let at = volume.root;
  const names = path
    .replace(/^\(\w+,\d+\)/, '')
    .split('/')
    .filter((name) => name !== '');
  for (const [index, name] of names.entries()) {
    const next = at.entries?.get(name);
    if (!next) return undefined;
    if (next.kind === 'symlink' && next.target !== undefined) {
      if (depth > 8) return undefined;
      const base = next.target.startsWith('/') ? '' : `/${names.slice(0, index).join('/')}`;
      return readFile(volume, `${base}/${next.target}/${names.slice(index + 1).join('/')}`, depth + 1);
    }
    at = next;
  }
  return at.kind === 'file' ? at.data!.read(0, at.data!.size) : undefined;
}
