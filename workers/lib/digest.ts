/** MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180): of bytes that are there, or piece by piece, with plain state. */

export interface Digest {
  readonly kind: 'md5' | 'sha1' | 'sha256';
  words: number[];
  /** Less than one block of 64 bytes. */
  rest: Uint8Array;
  length: number;
}

const INITIAL = {
  md5: [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476],
  sha1: [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0],
  sha256: [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
} as const;

export const startDigest = (kind: Digest['kind']): Digest => ({
  kind,
  words: [...INITIAL[kind]],
  rest: new Uint8Array(0),
  length: 0,
});

export function updateDigest(digest: Digest, bytes: Uint8Array): void {
  let all = bytes;
  if (digest.rest.length > 0) {
    all = new Uint8Array(digest.rest.length + bytes.length);
    all.set(digest.rest);
    all.set(bytes, digest.rest.length);
  }
  digest.length += bytes.length;
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  const block = { md5: md5Block, sha1: sha1Block, sha256: sha256Block }[digest.kind];
  let at = 0;
  for (; at + 64 <= all.length; at += 64) block(digest.words, view, at);
  digest.rest = all.slice(at);
}

/** Ends it; the digest may not be used afterwards. */
export function digestBytes(digest: Digest): Uint8Array {
  const { length } = digest;
  const isLittle = digest.kind === 'md5';
  const padding = new Uint8Array(((119 - (length % 64)) % 64) + 1 + 8);
  padding[0] = 0x80;
  const view = new DataView(padding.buffer);
  view.setBigUint64(padding.length - 8, BigInt(length) * 8n, isLittle);
  updateDigest(digest, padding);
  const out = new DataView(new ArrayBuffer(4 * digest.words.length));
  digest.words.forEach((word, i) => {
    out.setInt32(4 * i, word | 0, isLittle);
  });
  return new Uint8Array(out.buffer);
}

/** As digestBytes, in hexadecimal digits. */
export function digestHex(digest: Digest): string {
  return [...digestBytes(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function digestOf(kind: Digest['kind'], bytes: Uint8Array): Digest {
  const digest = startDigest(kind);
  updateDigest(digest, bytes);
  return digest;
}

/** The 20 bytes of SHA-1. */
export function sha1(bytes: Uint8Array): Uint8Array {
  return digestBytes(digestOf('sha1', bytes));
}

/** SHA-256 of bytes, or of a text's UTF-8 bytes, as 64 hexadecimal digits. */
export function sha256Hex(input: string | Uint8Array): string {
  return digestHex(digestOf('sha256', typeof input === 'string' ? new TextEncoder().encode(input) : input));
}

const rotate = (x: number, n: number) => (x << n) | (x >>> (32 - n));

const MD5_SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const MD5_SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);

function md5Block(words: number[], view: DataView, at: number): void {
  let [a = 0, b = 0, c = 0, d = 0] = words;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    const f =
      round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d);
    const g = round === 0 ? i : round === 1 ? (5 * i + 1) % 16 : round === 2 ? (3 * i + 5) % 16 : (7 * i) % 16;
    const sum = (a + f + MD5_SINES[i]! + view.getInt32(at + g * 4, true)) | 0;
    [a, d, c, b] = [d, c, b, (b + rotate(sum, MD5_SHIFTS[round * 4 + (i % 4)]!)) | 0];
  }
  [a, b, c, d].forEach((value, i) => {
    words[i] = (words[i]! + value) | 0;
  });
}

/** The message schedule of the block in work; a block at a time is all that there is. */
const w = new Int32Array(80);

function sha1Block(words: number[], view: DataView, at: number): void {
  for (let i = 0; i < 80; i++)
    w[i] = i < 16 ? view.getInt32(at + i * 4) : rotate(w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!, 1);
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = words;
  for (let i = 0; i < 80; i++) {
    const [f, k] =
      i < 20
        ? [(b & c) | (~b & d), 0x5a827999]
        : i < 40
          ? [b ^ c ^ d, 0x6ed9eba1]
          : i < 60
            ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc]
            : [b ^ c ^ d, 0xca62c1d6];
    const next = (rotate(a, 5) + f + e + k + w[i]!) | 0;
    [e, d, c, b, a] = [d, c, rotate(b, 30), a, next];
  }
  [a, b, c, d, e].forEach((value, i) => {
    words[i] = (words[i]! + value) | 0;
  });
}

/** Fractional parts of roots of the first primes, as FIPS 180 defines the constants. */
const SHA256_K = (() => {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map((prime) => ((Math.cbrt(prime) % 1) * 2 ** 32) | 0);
})();

const right = (x: number, n: number) => (x >>> n) | (x << (32 - n));

function sha256Block(words: number[], view: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = right(x, 7) ^ right(x, 18) ^ (x >>> 3);
    const s1 = right(y, 17) ^ right(y, 19) ^ (y >>> 10);
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = words;
  for (let i = 0; i < 64; i++) {
    const t1 = (h + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & f) ^ (~e & g)) + SHA256_K[i]! + w[i]!) | 0;
    const t2 = ((right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    words[i] = (words[i]! + value) | 0;
  });
}
