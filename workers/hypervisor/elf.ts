/** Kernel images: 32-bit ELF files, of which the loadable segments and the entry point matter. */
import { XenError } from '../lib/errno';

export interface KernelImage {
  readonly segments: readonly { readonly va: number; readonly bytes: Uint8Array; readonly memorySize: number }[];
  readonly entry: number;
  readonly start: number;
  readonly end: number;
}

const PT_LOAD = 1;
const EM_386 = 3;

/** Reads an i386 ELF executable; EINVAL when it is none or points outside of itself. */
export function readElf(image: Uint8Array): KernelImage {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const isElf32 = image.length >= 52 && view.getUint32(0) === 0x7f454c46 && image[4] === 1;
  if (!isElf32 || view.getUint16(18, true) !== EM_386) throw new XenError('EINVAL', 'not an i386 ELF image');
  const table = view.getUint32(28, true);
  const size = view.getUint16(42, true);
  const count = view.getUint16(44, true);
  if (size < 32 || table + size * count > image.length) throw new XenError('EINVAL', 'damaged ELF header');
  const headers = Array.from({ length: count }, (_, i) => table + size * i).filter(
    (at) => view.getUint32(at, true) === PT_LOAD,
  );
  const segments = headers.map((at) => {
    const offset = view.getUint32(at + 4, true);
    const fileSize = view.getUint32(at + 16, true);
    const memorySize = view.getUint32(at + 20, true);
    if (offset + fileSize > image.length || memorySize < fileSize) throw new XenError('EINVAL', 'damaged ELF segment');
    return { va: view.getUint32(at + 8, true), bytes: image.subarray(offset, offset + fileSize), memorySize };
  });
  if (segments.length === 0) throw new XenError('EINVAL', 'nothing to load');
  return {
    segments,
    entry: view.getUint32(24, true),
    start: Math.min(...segments.map(({ va }) => va)),
    end: Math.max(...segments.map(({ va, memorySize }) => va + memorySize)),
  };
}
