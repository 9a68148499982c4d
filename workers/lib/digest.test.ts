import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Digest, digestHex, sha1, sha256Hex, startDigest, updateDigest } from './digest';

const kinds: readonly Digest['kind'][] = ['md5', 'sha1', 'sha256'];

it('agrees with the platform for any bytes in any pieces', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
      (kind, all) => {
        const digest = startDigest(kind);
        const theirs = createHash(kind);
        for (const piece of all) {
          updateDigest(digest, piece);
          theirs.update(piece);
        }
        expect(digestHex(digest)).toBe(theirs.digest('hex'));
      },
    ),
  );
});

it('takes a part of a buffer, and a text as its UTF-8', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => i & 255);
  expect(Buffer.from(sha1(bytes.subarray(7, 250)))).toEqual(createHash('sha1').update(bytes.slice(7, 250)).digest());
  expect(sha256Hex('Zürich')).toBe(createHash('sha256').update('Zürich', 'utf8').digest('hex'));
});

it('SHA-1 of abc is the one in FIPS 180', () => {
  const digits = Buffer.from(sha1(new TextEncoder().encode('abc'))).toString('hex');
  expect(digits).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
});
