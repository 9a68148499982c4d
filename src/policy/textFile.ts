/** Text from files: UTF-8 or nothing, rather than with signs in it that nobody has written. */
import { text } from './text';

/** Xen's tools take a policy or a definition of a megabyte at most; signs may be several bytes long. */
const LARGEST_BYTES = 1 << 22;

/** Throws an Error for the reader. */
export function decodeText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(text.notUtf8(name));
  }
}

/** A file of this computer. Throws as above. */
export async function readFileText(file: File): Promise<string> {
  if (file.size > LARGEST_BYTES) throw new Error(text.tooLarge(file.name));
  const content = decodeText(new Uint8Array(await file.arrayBuffer()), file.name);
  if (content.trim() === '') throw new Error(text.emptyFile(file.name));
  return content;
}
