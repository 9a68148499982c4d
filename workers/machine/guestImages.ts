/**
 * Large files of Domain-0 that are fetched when they are first used: kernels, RAM disks and a disk image of Linux guests.
 *
 * At installation each is a sparse file of the right size and nothing but a hole; using it for a domain fetches the
 * contents, checks their hash, and writes them into the file, where they stay like any other file's.
 */
import type { Kernel } from '../guest/kernel';
import type { RootTree } from '../guest/rootTree';
import { SysError } from '../guest/sys';

/** An entry of public/guests/manifest.json. */
export interface GuestImage {
  readonly name: string;
  /** Where it stands in Domain-0. */
  readonly path: string;
  readonly packing: 'none' | 'gzip';
  /** As fetched. */
  readonly size: number;
  readonly sha256: string;
  /** Unpacked. */
  readonly contentsSize: number;
  readonly contentsSha256: string;
}

/** Work on whole files that the platform does faster than we could, beside the machine's own. */
export interface GuestBytes {
  /** Rejects when it is broken. */
  gunzip(bytes: Uint8Array): Promise<Uint8Array>;
  /** In hexadecimal digits. */
  sha256(bytes: Uint8Array): Promise<string>;
}

export interface GuestImageSource extends GuestBytes {
  readonly images: readonly GuestImage[];
  /** The bytes of an image; the platform shows progress and keeps what it has fetched. */
  fetch(image: GuestImage): Promise<Uint8Array>;
  /** What was kept of it is broken. */
  forget?(image: GuestImage): Promise<void>;
}

/** The files as they are installed. */
export function guestImageFiles(images: readonly GuestImage[]): RootTree {
  return images.map(({ path, contentsSize }) => ({
    path,
    kind: 'file',
    mode: 0o644,
    sparse: { size: contentsSize, extents: [] },
  }));
}

/** Fetches the contents of the file at `path` if it is one of them and still a hole. Rejects with what went wrong. */
export async function provideGuestImage(kernel: Kernel, source: GuestImageSource, path: string): Promise<void> {
  const place = realPath(kernel, path);
  const image = source.images.find((each) => each.path === place);
  if (!image || !isHole(kernel, image)) return;
  const contents = await unpacked(source, image, await source.fetch(image));
  if (contents.length !== image.contentsSize || (await source.sha256(contents)) !== image.contentsSha256) {
    await source.forget?.(image);
    throw new Error(`${image.name} is not what it should be (wrong hash)`);
  }
  // Somebody else may have been quicker, and a guest write to it already.
  if (isHole(kernel, image)) kernel.writeFile(image.path, contents);
}

/** Some web servers let the browser unpack a .gz file on the way: then it has arrived unpacked. */
async function unpacked(source: GuestBytes, { packing }: GuestImage, bytes: Uint8Array): Promise<Uint8Array> {
  const isPacked = packing === 'gzip' && bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isPacked) return bytes;
  // What is broken has no contents; its hash will say so.
  return source.gunzip(bytes).catch(() => new Uint8Array(0));
}

function isHole({ vfs }: Kernel, { path, contentsSize }: GuestImage): boolean {
  const { data } = vfs.find('/', path);
  return data !== undefined && data.size === contentsSize && !data.hasExtent(0);
}

function realPath({ vfs }: Kernel, path: string): string {
  try {
    return vfs.locate('/', path, { uid: 0, gid: 0 }).path;
  } catch (error) {
    if (error instanceof SysError) return path;
    throw error;
  }
}
