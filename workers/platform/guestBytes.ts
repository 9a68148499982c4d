/** Large files from outside, unpacked and hashed by the platform's own code, which browsers' workers and Node offer alike. */
import { sha256Hex } from '../lib/digest';
import type { GuestBytes } from '../machine/guestImages';

export const guestBytes: GuestBytes = {
  async gunzip(bytes) {
    const unpacked = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  },
  async sha256(bytes) {
    // A page at an insecure address (http, not this machine) has no such thing.
    const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
    if (!subtle) return sha256Hex(bytes);
    const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as BufferSource));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  },
};
